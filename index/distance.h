/*
 * distance.h: inner products of one vector with many, by what the CPU has.
 *
 * On unit vectors the inner product is the cosine. Vectors are padded with
 * zeros to a multiple of DISTANCE_PAD floats and aligned to DISTANCE_ALIGN
 * bytes, so that the loops have no tails. The levels differ in the order of
 * additions only: results agree to about 1e-6.
 *
 * Functions are chosen through a table and not by ifunc, whose resolvers run
 * before the thread sanitizer does.
 */
#ifndef READBACK_INDEX_DISTANCE_H
#define READBACK_INDEX_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#define DISTANCE_PAD 16
#define DISTANCE_ALIGN 64
#define CODE_PAD 64

struct distance {
	const char *name; /* "plain", "avx2", "avx512" */
	/* out[i] = the inner product of `q` and rows[i], each of `dim` floats, a multiple of DISTANCE_PAD. */
	void (*dots)(const float *q, const float *const *rows, size_t n, size_t dim, float *out);
	/*
	 * The same for halves of codes (codes.h) of `size` bytes, a multiple of CODE_PAD:
	 * sums of q[j] · (the lower four bits of byte j) + q[size + j] · (the upper ones).
	 * Exact, on every level.
	 */
	void (*half_dots)(const int8_t *q, const uint8_t *const *halves, size_t n, size_t size, int32_t *out);
};

/* `dim` floats padded. */
size_t distance_stride(size_t dim);

/* The best that this CPU has. */
const struct distance *distance_best(void);

/* The level of that name; NULL if this CPU lacks it or there is none such. */
const struct distance *distance_level(const char *name);

#endif
