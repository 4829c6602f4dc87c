/*
 * tags.h: who may see an entry and what attributes it has, as sets of slots.
 *
 * A set for everyone, one a group, one a (key, string) and a (key, bool);
 * numbers stand in a plain column a key, which a filter scans. Written under
 * the collection's write lock, read under its read lock.
 */
#ifndef READBACK_INDEX_TAGS_H
#define READBACK_INDEX_TAGS_H

#include "index/index.h"
#include "index/slotset.h"

struct map;
struct tags;

/* Strings to slot sets; sets that became empty are swept out in time. */
struct tag_values {
	struct map
		*sets; /* owned; values are the addresses of slot sets, owned too; NULL while there is none */
	size_t empty;
};

struct tag_numbers {
	double *value; /* owned; value[i] is one that the entry slot[i] has */
	uint32_t *slot;
	size_t n, cap, slot_cap;
};

struct tag_key {
	struct slotset present; /* entries that have the key, whatever the value */
	struct slotset flag[2];
	struct tag_values strings;
	struct tag_numbers numbers;
};

struct tags *tags_new(void); /* NULL without memory */
void tags_free(struct tags *t);

/* Gives `slot` the groups and tags of `e`, in place of those that it had. -1: no memory. */
int tags_set(struct tags *t, uint32_t slot, const struct index_entry *e);
void tags_clear(struct tags *t, uint32_t slot);

/* The key, or NULL where no entry ever had it. */
const struct tag_key *tags_key(const struct tags *t, const char *key);

/* Adds to `to` what is visible to everyone or to one of the groups. */
void tags_visible(const struct tags *t, const char *const *groups, size_t n, roaring_bitmap_t *to);

size_t tags_bytes(const struct tags *t);

#endif
