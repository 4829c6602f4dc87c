/* Plain loops that the compiler vectorises for each level. Four rows at a time: y and g are loaded once for all four. */
#include "learn/linear_internal.h"

#include <string.h>

#define ROWS_AT_ONCE 4

static inline __attribute__((always_inline)) void add_rows(float *restrict y, const float *const *rows,
							   const float *a, size_t n, size_t size)
{
	size_t i = 0;

	for (; i + ROWS_AT_ONCE <= n; i += ROWS_AT_ONCE) {
		const float *restrict p = rows[i], *restrict q = rows[i + 1], *restrict r = rows[i + 2],
				      *restrict s = rows[i + 3];
		float b = a[i], c = a[i + 1], d = a[i + 2], f = a[i + 3];
		for (size_t j = 0; j < size; j++)
			y[j] += b * p[j] + c * q[j] + d * r[j] + f * s[j];
	}
	for (; i < n; i++) {
		const float *restrict p = rows[i];
		for (size_t j = 0; j < size; j++)
			y[j] += a[i] * p[j];
	}
}

static inline __attribute__((always_inline)) void add_to_rows(float *const *rows, const float *a, size_t n,
							      const float *restrict g, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		float *restrict p = rows[i];
		float b = a[i];
		for (size_t j = 0; j < size; j++)
			p[j] += b * g[j];
	}
}

static void add_rows_plain(float *y, const float *const *rows, const float *a, size_t n, size_t size)
{
	add_rows(y, rows, a, n, size);
}

static void add_to_rows_plain(float *const *rows, const float *a, size_t n, const float *g, size_t size)
{
	add_to_rows(rows, a, n, g, size);
}

static const struct linear_math level_plain = { "plain", add_rows_plain, add_to_rows_plain };

#ifdef __x86_64__
__attribute__((target("avx2,fma"))) static void add_rows_avx2(float *y, const float *const *rows,
							      const float *a, size_t n, size_t size)
{
	add_rows(y, rows, a, n, size);
}

__attribute__((target("avx2,fma"))) static void add_to_rows_avx2(float *const *rows, const float *a, size_t n,
								 const float *g, size_t size)
{
	add_to_rows(rows, a, n, g, size);
}

static const struct linear_math level_avx2 = { "avx2", add_rows_avx2, add_to_rows_avx2 };

__attribute__((target("avx512f,prefer-vector-width=512"))) static void add_rows_avx512(
	float *y, const float *const *rows, const float *a, size_t n, size_t size)
{
	add_rows(y, rows, a, n, size);
}

__attribute__((target("avx512f,prefer-vector-width=512"))) static void add_to_rows_avx512(
	float *const *rows, const float *a, size_t n, const float *g, size_t size)
{
	add_to_rows(rows, a, n, g, size);
}

static const struct linear_math level_avx512 = { "avx512", add_rows_avx512, add_to_rows_avx512 };
#endif

const struct linear_math *linear_math_level(const char *name)
{
	if (strcmp(name, "plain") == 0)
		return &level_plain;
#ifdef __x86_64__
	if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return &level_avx2;
	if (strcmp(name, "avx512") == 0 && __builtin_cpu_supports("avx512f"))
		return &level_avx512;
#endif
	return NULL;
}

const struct linear_math *linear_math_best(void)
{
	static const char *const names[] = { "avx512", "avx2" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct linear_math *m = linear_math_level(names[i]);
		if (m)
			return m;
	}
	return &level_plain;
}
