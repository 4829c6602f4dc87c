/*
 * list.h: what a search sees: for each collection the segments that are live
 * and what is dead in them, as of one sequence number.
 *
 * Views, lists and sets of the dead are immutable and counted: a search holds
 * the view that was current when it began, and is never waited for nor waits.
 * A writer makes the next view out of the last one, sharing what is the same.
 */
#ifndef READBACK_INDEX_LIST_H
#define READBACK_INDEX_LIST_H

#include <stdatomic.h>

#include "index/segment.h"

/* The documents of a segment that are deleted, replaced or moved. */
struct dead {
	atomic_uint references;
	uint32_t n, docs;
	uint32_t with_rows; /* of the n, those that have rows */
	uint64_t length;    /* sum of the lengths of their words */
	uint64_t bits[];
};

struct live {
	struct segment *segment;
	struct dead *dead; /* NULL: nothing is */
};

struct list {
	atomic_uint references;
	size_t n;
	uint64_t docs, length; /* live documents, and the sum of the lengths of their words */
	uint64_t with_rows;    /* live documents that have rows */
	struct live parts[];
};

struct view {
	atomic_uint references;
	uint64_t seq;
	struct list *lists[COLLECTIONS]; /* never NULL */
};

/* `parts` are copied and held. NULL: no memory. */
struct list *list_new(const struct live *parts, size_t n);
struct list *list_hold(struct list *l);
void list_release(struct list *l);

/* Takes the lists, also without memory (NULL then). */
struct view *view_new(uint64_t seq, struct list *const lists[COLLECTIONS]);
struct view *view_hold(struct view *v);
void view_release(struct view *v);

/* A copy to be changed before anybody else sees it; of `d` NULL an empty one. NULL: no memory. */
struct dead *dead_copy(const struct dead *d, uint32_t docs);
/* A live document dies. */
void dead_add(struct dead *d, const struct segment *s, uint32_t doc);
struct dead *dead_hold(struct dead *d);
void dead_release(struct dead *d);

static inline int live_has(const struct live *p, uint32_t doc)
{
	return !p->dead || !(p->dead->bits[doc / 64] >> (doc % 64) & 1);
}

static inline uint32_t live_docs(const struct live *p)
{
	return p->segment->docs - (p->dead ? p->dead->n : 0);
}

#endif
