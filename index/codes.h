/*
 * codes.h: vectors in small numbers, for a first look and a second.
 *
 * Inner products with whole vectors wait for memory: 384 floats are 24 cache
 * lines. A row is kept a second time as integers of 1 … 255 (128 is nought)
 * times a scale of its own, a quarter of that; and each integer in two halves:
 * the upper four bits of all numbers stand in one array, the lower four in
 * another. A walk through a graph, which compares thousands to find its way,
 * looks at the upper ones alone, three lines.
 *
 * With each row goes how far it is from its code. So an inner product with the
 * code is within a known distance of the true one: who cannot be among the best
 * by that is never read in full, and nobody else is left out. (Scalar
 * quantisation, as in Lucene 9.9 or FAISS's SQ4 and SQ8, with the residual's
 * norm as the bound, by Cauchy and Schwarz. By the upper half the bound would be
 * an eighth, which rules out too few.)
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
	float scale; /* row = scale · (code - 128) + residual */
	float error; /* the residual's length, rounded up */
};

/* Bytes of a half of the code of `dim` numbers; numbers beyond are noughts. */
size_t codes_half(size_t dim);

/* Byte i of a half: number i in its lower four bits, number codes_half() + i in its upper ones. */
void codes_make(const float *v, size_t dim, uint8_t *upper, uint8_t *lower, struct code_scale *out);

/* Rows that can be looked at. */
struct codes {
	const uint8_t *upper, *lower; /* row r at + r * half, DISTANCE_ALIGN aligned */
	size_t half;
	const struct code_scale *scales;
};

/* A query as integers of -127 … 127. */
struct code_query {
	const int8_t *q; /* 2 * half numbers, aligned; the arena's */
	float scale, norm, error;
	int32_t sum; /* of the numbers */
};
/* -1: no memory. */
int code_query_make(const float *v, size_t dim, struct arena *a, struct code_query *out);

/* The inner products of the query with n rows: about, by the upper halves, and by both. */
void codes_look(const struct distance *d, const struct codes *c, const struct code_query *q,
		const uint32_t *rows, size_t n, float *score);
void codes_score(const struct distance *d, const struct codes *c, const struct code_query *q,
		 const uint32_t *rows, size_t n, float *score);

/* What rounding to float adds to sums of these sizes, on vectors of unit length. */
#define CODE_ROUNDING 4e-6f

/* How much more than its score a row's inner product can be. */
static inline float codes_doubt(const struct codes *c, const struct code_query *q, uint32_t row)
{
	float error = c->scales[row].error;

	return error * q->norm + q->error * (1 + error) + CODE_ROUNDING;
}

/* Asks for `n` bytes beforehand, a cache line at a time. */
static inline void memory_fetch(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i += 64)
		__builtin_prefetch((const char *)p + i);
}

/* Asks for a half of a row's code, which is somewhere else than the one before. */
static inline void codes_fetch_upper(const struct codes *c, uint32_t row)
{
	__builtin_prefetch(&c->scales[row]);
	memory_fetch(c->upper + (size_t)row * c->half, c->half);
}

static inline void codes_fetch_lower(const struct codes *c, uint32_t row)
{
	memory_fetch(c->lower + (size_t)row * c->half, c->half);
}

#endif
