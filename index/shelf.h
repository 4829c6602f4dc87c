/*
 * shelf.h: the entries of one collection, with all that finds them.
 *
 * Entries and rows are numbered by slots, which are used again; numbers of
 * entries and ids of rows never are. A row is *growing* until the graph has
 * it. The caller holds the lock: write for what changes, read for the rest.
 */
#ifndef READBACK_INDEX_SHELF_H
#define READBACK_INDEX_SHELF_H

#include <pthread.h>

#include "index/idmap.h"
#include "index/index.h"
#include "index/rows.h"
#include "index/slotset.h"

struct build;
struct graph;
struct tags;

struct entry {
	uint64_t id;
	uint32_t first_row; /* ROW_NONE: found by words only */
};

struct shelf {
	pthread_rwlock_t lock; /* prefers writers */
	struct entry *entries; /* by slot; owned, as all below */
	size_t n_entries, entries_cap;
	uint32_t *free;
	size_t n_free, free_cap;
	struct idmap slots; /* entry number to slot */
	roaring_bitmap_t *live, *with_rows;
	struct tags *tags;
	struct rows rows;
	roaring_bitmap_t *growing; /* row slots that the graph lacks */
	struct graph *graph;       /* NULL: there is none */
	struct build *build;       /* the next graph in the making; maintenance's own, under its mutex */
};

int shelf_init(struct shelf *c, size_t dim, struct error *e);
void shelf_release(struct shelf *c);

/* One change; ERR_NO_MEMORY leaves a collection that can only be released. */
int shelf_apply(struct shelf *c, const struct index_change *change, struct error *e);

size_t shelf_bytes(const struct shelf *c);

#endif
