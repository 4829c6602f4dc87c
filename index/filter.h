/*
 * filter.h: a tree of conditions into the set of entry slots that meet them.
 */
#ifndef READBACK_INDEX_FILTER_H
#define READBACK_INDEX_FILTER_H

#include "index/index.h"
#include "index/slotset.h"

struct tags;

/* The slots of `live` that meet `f`; the caller frees. NULL: no memory. Under the collection's read lock. */
roaring_bitmap_t *filter_slots(const struct index_filter *f, const struct tags *t,
			       const roaring_bitmap_t *live);

/*
 * The first key of the tree (depth first) that no entry of `visible` (NULL: no
 * entry at all) has; NULL if there is none. Borrowed from `f`.
 */
const char *filter_unknown_key(const struct index_filter *f, const struct tags *t,
			       const roaring_bitmap_t *visible);

#endif
