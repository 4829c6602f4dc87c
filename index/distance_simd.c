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

static void half_dots_plain(const int8_t *q, const uint8_t *const *halves, size_t n, size_t size,
			    int32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *h = halves[i];
		int32_t sum = 0;
		for (size_t j = 0; j < size; j++)
			sum += q[j] * (h[j] & 15) + q[size + j] * (h[j] >> 4);
		out[i] = sum;
	}
}

static const struct distance plain = { "plain", dots_plain, half_dots_plain };

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

/* Products of four bits with eight, two of them summed, twice a step: so many steps fit in 16 bits. */
#define HALF_STEPS 4

__attribute__((target("avx2"))) static void half_dots_avx2(const int8_t *q, const uint8_t *const *halves,
							   size_t n, size_t size, int32_t *out)
{
	const __m256i four = _mm256_set1_epi8(15), one = _mm256_set1_epi16(1);

	for (size_t i = 0; i < n; i++) {
		__m256i sum = _mm256_setzero_si256();
		for (size_t from = 0; from < size; from += HALF_STEPS * 32) {
			size_t to = from + HALF_STEPS * 32 < size ? from + HALF_STEPS * 32 : size;
			__m256i s = _mm256_setzero_si256();
			for (size_t j = from; j < to; j += 32) {
				__m256i h = _mm256_load_si256((const __m256i *)(halves[i] + j));
				__m256i low = _mm256_and_si256(h, four);
				__m256i high = _mm256_and_si256(_mm256_srli_epi16(h, 4), four);
				__m256i a = _mm256_load_si256((const __m256i *)(q + j));
				__m256i b = _mm256_load_si256((const __m256i *)(q + size + j));
				s = _mm256_add_epi16(s, _mm256_maddubs_epi16(low, a));
				s = _mm256_add_epi16(s, _mm256_maddubs_epi16(high, b));
			}
			sum = _mm256_add_epi32(sum, _mm256_madd_epi16(s, one));
		}
		__m128i t = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
		t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
		out[i] = _mm_cvtsi128_si32(_mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1)));
	}
}

__attribute__((target("avx512f,avx512bw"))) static void half_dots_avx512(const int8_t *q,
									 const uint8_t *const *halves,
									 size_t n, size_t size, int32_t *out)
{
	const __m512i four = _mm512_set1_epi8(15), one = _mm512_set1_epi16(1);

	for (size_t i = 0; i < n; i++) {
		__m512i sum = _mm512_setzero_si512();
		for (size_t from = 0; from < size; from += HALF_STEPS * 64) {
			size_t to = from + HALF_STEPS * 64 < size ? from + HALF_STEPS * 64 : size;
			__m512i s = _mm512_setzero_si512();
			for (size_t j = from; j < to; j += 64) {
				__m512i h = _mm512_load_si512(halves[i] + j);
				__m512i low = _mm512_and_si512(h, four);
				__m512i high = _mm512_and_si512(_mm512_srli_epi16(h, 4), four);
				s = _mm512_add_epi16(s, _mm512_maddubs_epi16(low, _mm512_load_si512(q + j)));
				s = _mm512_add_epi16(
					s, _mm512_maddubs_epi16(high, _mm512_load_si512(q + size + j)));
			}
			sum = _mm512_add_epi32(sum, _mm512_madd_epi16(s, one));
		}
		out[i] = _mm512_reduce_add_epi32(sum);
	}
}

static const struct distance avx2 = { "avx2", dots_avx2, half_dots_avx2 },
			     avx512 = { "avx512", dots_avx512, half_dots_avx512 };

static int has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

const struct distance *distance_best(void)
{
	if (has_avx512())
		return &avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return &avx2;
	return &plain;
}

const struct distance *distance_level(const char *name)
{
	if (strcmp(name, "avx512") == 0)
		return has_avx512() ? &avx512 : NULL;
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
