/*
 * adapter.h: what resolutions teach of searching: a matrix on the query side.
 *
 * q' = normalised(q + A q). A is learned from pairs of a query and the document
 * that resolved it: softmax over the documents' scores by vector at temperature
 * .07, penalty λ · |A|², Adam (Kingma and Ba 2015) over all pairs at once.
 * Documents keep their vectors: nothing is embedded again, and a query costs
 * one product more.
 *
 * Training is one thread's; the same pairs give the same bytes on the same
 * instruction set. An adapter is never changed: any thread may use it.
 */
#ifndef READBACK_LEARN_ADAPTER_H
#define READBACK_LEARN_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct arena;
struct packed;
struct adapter; /* float A[dim][dim] */

/* A document, scored as the index does it (index/parts.h). */
struct adapter_document {
	const struct entry_row *rows; /* with vectors of unit length; those without are nothing */
	size_t n_rows;
};

struct adapter_pair {
	const float *query; /* [dim], unit length */
	uint32_t document;  /* that resolved it */
	float weight;       /* 1: counts once */
};

struct adapter_lessons {
	const struct adapter_document *documents;
	size_t n_documents;
	const struct adapter_pair *pairs;
	size_t n_pairs, dim;
};

struct adapter_options {
	double penalty; /* λ; 0: .03 */
	unsigned steps; /* 0: 150 */
	const volatile int *stop;
};

/* ERR_INTERRUPTED, ERR_NO_MEMORY. Lessons of at least one pair and two documents. */
int adapter_train(const struct adapter_lessons *l, const struct adapter_options *o, struct adapter **out,
		  struct error *e);
void adapter_free(struct adapter *a); /* NULL is fine */
/* As the bytes of a file (packed.h). -1 without memory. */
int adapter_pack(const struct adapter *a, struct arena *arena, struct packed *out);
/* ERR_CORRUPT for what adapter_pack() did not make. */
int adapter_unpack(const struct packed *p, struct adapter **out, struct error *e);

size_t adapter_dim(const struct adapter *a);

/* q' of a query; the arena's. NULL without memory. */
const float *adapter_apply(const struct adapter *a, struct arena *arena, const float *query);

/*
 * out[n]: rank (1: first) of each pair's document among all by vector; `a` NULL:
 * without an adapter. -1 without memory.
 */
int adapter_ranks(const struct adapter *a, const struct adapter_lessons *l, const struct adapter_pair *pairs,
		  size_t n, size_t *out);

#endif
