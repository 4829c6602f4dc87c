/*
 * facets.h: which values the allowed documents have, and how many of them each.
 *
 * Cost: a look into the allowed set for each string that the key has, and a
 * pass over its numbers.
 */
#ifndef READBACK_INDEX_FACETS_H
#define READBACK_INDEX_FACETS_H

#include "index/search.h"

/* Counts the query's facets, as index.h has it; *out and all in it are the arena's. -1: no memory. */
int facets_count(const struct search *s, const struct index_facet **out);

#endif
