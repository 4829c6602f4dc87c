/*
 * search.h: what the files of a search share.
 */
#ifndef READBACK_INDEX_SEARCH_H
#define READBACK_INDEX_SEARCH_H

#include <math.h>

#include "index/index_internal.h"
#include "index/parts.h"
#include "index/topk.h"

/* What may be answered of one part of a list. */
struct allowed {
	const uint64_t *bits; /* NULL: every document */
	uint32_t n;
};

struct search {
	struct index *x;
	const struct index_query *q;
	struct arena *arena;
	const struct list *list;
	struct allowed *allowed; /* by part */
	size_t n_allowed;
	const float *vector; /* the query's, padded; NULL: none */
	struct code_query code;
};

/* A document of a part. */
struct place {
	uint32_t part, doc;
};

/* Of one document, from all its rows. */
void search_parts(const struct search *s, struct place at, struct parts *out);

/* The best k allowed entries by vector, best first. *n fewer than k: there are no more. */
int search_vectors(struct search *s, size_t k, const struct place **out, size_t *n, struct error *e);

/* Fills in s->allowed; *unknown is a filter key that nothing visible has. */
int search_allow(struct search *s, const uint64_t *matched, size_t n_matched, const char **unknown,
		 struct error *e);

static inline int search_allows(const struct search *s, size_t part, uint32_t doc)
{
	const uint64_t *bits = s->allowed[part].bits;

	return !bits || (bits[doc / 64] >> (doc % 64) & 1);
}

#endif
