/*
 * filter.h: a tree of conditions into the set of a segment's documents that meet them.
 */
#ifndef READBACK_INDEX_FILTER_H
#define READBACK_INDEX_FILTER_H

#include "index/index.h"
#include "index/tagset.h"

/* Puts into `to`, a set of t->docs that is empty, what meets `f`. -1: no memory. */
int filter_into(const struct index_filter *f, const struct tagset *t, struct arena *a, uint64_t *to);

/* Does a document of `visible` (NULL: of all) have the key, whatever its value? */
int filter_knows(const struct tagset *t, const char *key, const uint64_t *visible);

/*
 * Calls each(arg, key) for the keys of the tree, depth first, until it returns
 * something else than 0, which is returned.
 */
int filter_keys(const struct index_filter *f, int (*each)(void *arg, const char *key), void *arg);

#endif
