/*
 * entries.h: reads of what is indexed: live entries with their rows and
 * vectors, for the index's start and for engine_rows().
 */
#ifndef READBACK_STORE_ENTRIES_H
#define READBACK_STORE_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct arena;
struct db;

struct live_row {
	uint64_t row;
	int field;
	uint32_t n;
	uint64_t start, end;
	const float *vector; /* NULL: none */
};

struct live_entry {
	uint64_t entry;
	int collection;
	const char *acl, *tags;  /* JSON; acl NULL: everyone */
	struct text title, text; /* s NULL: none */
	const struct live_row *rows;
	size_t n_rows;
};

/*
 * Up to `limit` live entries whose number is above `after`, in order, with all
 * their rows. Fewer than `limit`: these were the last. ERR_CORRUPT for a vector
 * that does not have `dim` floats.
 */
int entries_read(struct db *d, uint64_t after, size_t limit, size_t dim, struct arena *a,
		 struct live_entry **out, size_t *n, struct error *e);

/* One live entry; *n is 0 if it is dead. */
int entries_get(struct db *d, uint64_t entry, size_t dim, struct arena *a, struct live_entry *out, size_t *n,
		struct error *e);

/* Entries that changed after `seq`, each once, ascending; the arena's. */
int changes_since(struct db *d, uint64_t seq, struct arena *a, uint64_t **out, size_t *n, struct error *e);

/* The rows of a live entry without their vectors. */
int entries_places(struct db *d, uint64_t entry, struct arena *a, struct live_row **out, size_t *n,
		   struct error *e);

/* The rows of a record's entry; *n = 0 if it has none. */
int entries_rows(struct db *d, int collection, const char *record, size_t dim, struct arena *a,
		 struct live_row **out, size_t *n, struct error *e);

/* The highest numbers ever given out. */
int entries_highest(struct db *d, uint64_t *entry, uint64_t *row, struct error *e);

/* The leaf of event `seq`; zeros if there is none. */
int entries_mark(struct db *d, uint64_t seq, unsigned char out[32], struct error *e);

/* Forgets the change log up to and with `seq`, at most `limit` lines of it, and remembers in meta "trimmed" that it did. */
int changes_trim(struct db *d, uint64_t seq, size_t limit, struct error *e);

#endif
