/* linear_internal.h: the inner loops of linear.c, by what the CPU has. Internal to learn/. */
#ifndef READBACK_LEARN_LINEAR_INTERNAL_H
#define READBACK_LEARN_LINEAR_INTERNAL_H

#include <stddef.h>

#define LINEAR_PAD 16 /* floats; rows are aligned to LINEAR_ALIGN bytes */
#define LINEAR_ALIGN 64

struct linear_math {
	const char *name; /* "plain", "avx2", "avx512" */
	/* y[j] += Σ a[i] · rows[i][j], j < size, a multiple of LINEAR_PAD */
	void (*add_rows)(float *y, const float *const *rows, const float *a, size_t n, size_t size);
	/* rows[i][j] += a[i] · g[j]; no row stands twice */
	void (*add_to_rows)(float *const *rows, const float *a, size_t n, const float *g, size_t size);
};

/* The best that this CPU has. */
const struct linear_math *linear_math_best(void);

/* The level of that name; NULL if this CPU lacks it or there is none such. */
const struct linear_math *linear_math_level(const char *name);

#endif
