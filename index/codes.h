/*
 * codes.h: vectors in a byte a number, for a first look.
 *
 * Inner products with whole vectors wait for memory: 384 floats are 24 cache
 * lines. A row is kept a second time as integers of -127 … 127 times a scale
 * of its own, a quarter of that; with it goes how far it is from the row. So
 * an inner product with the code is within a known distance of the true one:
 * who cannot be among the best by that is never read in full, and nobody else
 * is left out. (Scalar quantisation, as in Lucene 9.9 or FAISS's SQ8, with the
 * residual's norm as the bound, by Cauchy and Schwarz.)
 *
 * Any thread.
 */
#ifndef READBACK_INDEX_CODES_H
#define READBACK_INDEX_CODES_H

#include <stddef.h>
#include <stdint.h>

#include "index/distance.h"

struct arena;

struct code_scale {
	float scale; /* row = scale · code + residual */
	float error; /* the residual's length, rounded up */
};

/* Bytes of a code of `dim` numbers, padded with zeros. */
size_t codes_stride(size_t dim);

void codes_make(const float *v, size_t dim, int8_t *code, struct code_scale *out);

/* Rows that can be looked at. */
struct codes {
	const int8_t *codes; /* row r at codes + r * stride, DISTANCE_ALIGN aligned */
	size_t stride;
	const struct code_scale *scales;
};

/* A query as integers too, of 16 bits. */
struct code_query {
	const int16_t *q; /* `stride` numbers, aligned; the arena's */
	float scale, norm, error;
};
/* -1: no memory. */
int code_query_make(const float *v, size_t dim, struct arena *a, struct code_query *out);

/* The inner products of the query with n codes of these rows. */
void codes_score(const struct distance *d, const struct codes *c, const struct code_query *q,
		 const uint32_t *rows, size_t n, float *score);

/* How much more than its score by the code a row's inner product can be. */
static inline float codes_doubt(const struct codes *c, const struct code_query *q, uint32_t row)
{
	return c->scales[row].error * q->norm + q->error;
}

/* Asks for a row's code beforehand: the next one is somewhere else. */
static inline void codes_fetch(const struct codes *c, uint32_t row)
{
	const int8_t *p = c->codes + (size_t)row * c->stride;

	__builtin_prefetch(&c->scales[row]);
	for (size_t i = 0; i < c->stride; i += 64)
		__builtin_prefetch(p + i);
}

#endif
