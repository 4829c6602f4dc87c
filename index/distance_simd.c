/*
 * Four rows are taken at a time: four independent sums hide the latency of the
 * fused multiply-add, and each piece of `q` is loaded once for all four.
 */
#include "index/distance.h"

#include <string.h>

size_t distance_stride(size_t dim)
{
	return (dim + DISTANCE_PAD - 1) / DISTANCE_PAD * DISTANCE_PAD;
}

static void dots_plain(const float *q, const float *const *rows, size_t n, size_t dim, float *out)
{
	for (size_t i = 0; i < n; i++) {
		const float *r = rows[i];
		float sum = 0;
		for (size_t j = 0; j < dim; j++)
			sum += q[j] * r[j];
		out[i] = sum;
	}
}

static const struct distance plain = { "plain", dots_plain };

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx2,fma"))) static float sum_avx2(__m256 v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

__attribute__((target("avx2,fma"))) static void dots_avx2(const float *q, const float *const *rows, size_t n,
							  size_t dim, float *out)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		const float *a = rows[i], *b = rows[i + 1], *c = rows[i + 2], *d = rows[i + 3];
		__m256 sa = _mm256_setzero_ps(), sb = sa, sc = sa, sd = sa;
		for (size_t j = 0; j < dim; j += 8) {
			__m256 x = _mm256_load_ps(q + j);
			sa = _mm256_fmadd_ps(x, _mm256_load_ps(a + j), sa);
			sb = _mm256_fmadd_ps(x, _mm256_load_ps(b + j), sb);
			sc = _mm256_fmadd_ps(x, _mm256_load_ps(c + j), sc);
			sd = _mm256_fmadd_ps(x, _mm256_load_ps(d + j), sd);
		}
		out[i] = sum_avx2(sa);
		out[i + 1] = sum_avx2(sb);
		out[i + 2] = sum_avx2(sc);
		out[i + 3] = sum_avx2(sd);
	}
	for (; i < n; i++) {
		__m256 s = _mm256_setzero_ps();
		for (size_t j = 0; j < dim; j += 8)
			s = _mm256_fmadd_ps(_mm256_load_ps(q + j), _mm256_load_ps(rows[i] + j), s);
		out[i] = sum_avx2(s);
	}
}

__attribute__((target("avx512f"))) static void dots_avx512(const float *q, const float *const *rows, size_t n,
							   size_t dim, float *out)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		const float *a = rows[i], *b = rows[i + 1], *c = rows[i + 2], *d = rows[i + 3];
		__m512 sa = _mm512_setzero_ps(), sb = sa, sc = sa, sd = sa;
		for (size_t j = 0; j < dim; j += 16) {
			__m512 x = _mm512_load_ps(q + j);
			sa = _mm512_fmadd_ps(x, _mm512_load_ps(a + j), sa);
			sb = _mm512_fmadd_ps(x, _mm512_load_ps(b + j), sb);
			sc = _mm512_fmadd_ps(x, _mm512_load_ps(c + j), sc);
			sd = _mm512_fmadd_ps(x, _mm512_load_ps(d + j), sd);
		}
		out[i] = _mm512_reduce_add_ps(sa);
		out[i + 1] = _mm512_reduce_add_ps(sb);
		out[i + 2] = _mm512_reduce_add_ps(sc);
		out[i + 3] = _mm512_reduce_add_ps(sd);
	}
	for (; i < n; i++) {
		__m512 s = _mm512_setzero_ps();
		for (size_t j = 0; j < dim; j += 16)
			s = _mm512_fmadd_ps(_mm512_load_ps(q + j), _mm512_load_ps(rows[i] + j), s);
		out[i] = _mm512_reduce_add_ps(s);
	}
}

static const struct distance avx2 = { "avx2", dots_avx2 }, avx512 = { "avx512", dots_avx512 };

const struct distance *distance_best(void)
{
	if (__builtin_cpu_supports("avx512f"))
		return &avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return &avx2;
	return &plain;
}

const struct distance *distance_level(const char *name)
{
	if (strcmp(name, "avx512") == 0)
		return __builtin_cpu_supports("avx512f") ? &avx512 : NULL;
	if (strcmp(name, "avx2") == 0)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : NULL;
	return strcmp(name, "plain") == 0 ? &plain : NULL;
}

#else

const struct distance *distance_best(void)
{
	return &plain;
}

const struct distance *distance_level(const char *name)
{
	return strcmp(name, "plain") == 0 ? &plain : NULL;
}

#endif
