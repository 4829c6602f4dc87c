/*
 * minilm_math.h: what all-MiniLM-L6-v2 computes besides matrix products:
 * attention, layer normalisation, pooling.
 *
 * minilm_math.c is compiled with -O3 -ffast-math; each function is there for
 * AVX-512, for AVX2 and for any processor, and the best is chosen at run time.
 * A result depends on its own sequence or row alone. Read-only: any thread.
 */
#ifndef READBACK_EMBED_MINILM_MATH_H
#define READBACK_EMBED_MINILM_MATH_H

#include <stddef.h>
#include <stdint.h>

#define MINILM_HIDDEN 384
#define MINILM_HEADS 12
#define MINILM_HEAD (MINILM_HIDDEN / MINILM_HEADS)
#define MINILM_WINDOW 256 /* tokens of a sequence, the two special ones among them */

/* Room for the attention of one sequence: keys of a head, transposed, and the scores of four queries. */
#define MINILM_ATTEND_FLOATS ((MINILM_HEAD + 4) * MINILM_WINDOW)

/* Arrays are dense; x, qkv and room are aligned to 64 bytes. */
struct minilm_math {
	const char *name; /* "avx512", "avx2", "plain" */

	/*
	 * One sequence: qkv[tokens][3 * hidden] holds queries (already divided
	 * by the root of a head's width), keys, values; y[tokens][hidden].
	 */
	void (*attend)(const float *qkv, size_t tokens, float *room, float *y);

	/* x[row] = norm(x[row] + add[row]) * gain + bias, with mean and variance of the row; add may be NULL. */
	void (*normalise)(float *x, const float *add, size_t rows, const float *gain, const float *bias);

	/* sum[hidden] = a + b + c: the embedding of a token. */
	void (*add3)(const float *a, const float *b, const float *c, float *sum);

	/* The mean over the rows of x[rows][hidden], made a unit vector; y may be unaligned. */
	void (*pool)(const float *x, size_t rows, float *y);

	/* Rounds to bf16, to nearest even. n is a multiple of 16. */
	void (*narrow)(const float *x, size_t n, uint16_t *y);
};

/* The i-th set, best first; NULL past the last. Not all of them can run here: */
const struct minilm_math *minilm_math_at(size_t i);
int minilm_math_can_run(const struct minilm_math *m);

/* The best set for this processor. */
const struct minilm_math *minilm_math(void);

#endif
