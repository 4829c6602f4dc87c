/*
 * search.h: the state of one search, for the files that share it.
 *
 * search.c says what happens in which order. Everything here lives as long as
 * the search's arena; the collection's read lock is held.
 */
#ifndef READBACK_INDEX_SEARCH_H
#define READBACK_INDEX_SEARCH_H

#include "index/index_internal.h"
#include "index/topk.h"

struct arena;

/* The best row of each part of an entry; row ROW_NONE where it has none. */
enum part { PART_TITLE, PART_WHOLE, PART_CHUNK, PARTS };

struct parts {
	float score[PARTS];
	uint32_t row[PARTS];
};

struct search {
	const struct index *x;
	const struct shelf *c;
	const struct index_query *q;
	struct arena *arena;
	const float *vector;             /* padded and aligned; NULL: none */
	const roaring_bitmap_t *allowed; /* entry slots */
	size_t n_allowed;
};

void parts_clear(struct parts *p);
void parts_add(struct parts *p, const struct row *row, uint32_t slot, float score);
/* The mean of the parts that are there; 0 if there are any, -1 if none is. */
int parts_mean(const struct parts *p, float *out);

/* The parts of one entry, from its vectors. */
void search_parts(const struct search *s, uint32_t entry, struct parts *out);

/* The best k of the allowed entries that have vectors, by the mean of their parts. */
int search_vectors(const struct search *s, size_t k, const struct scored **out, size_t *n, struct error *e);

#endif
