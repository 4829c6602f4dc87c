/*
 * The bodies are written once, over vectors of 16 floats that the compiler
 * splits where registers are narrower, and are inlined into a function for
 * each instruction set.
 */
#include "embed/minilm_math.h"

#include <math.h>
#include <string.h>

#define HIDDEN MINILM_HIDDEN
#define HEAD MINILM_HEAD
#define LANES 16
#define QUERIES 4 /* that share the loads of a key or value */
#define EPSILON 1e-12f

#define BODY static inline __attribute__((always_inline))

typedef float v16 __attribute__((vector_size(4 * LANES)));
typedef float v16_any __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* keys[HEAD][stride] of one head, zeroes past the last token. */
BODY void transpose_keys(const float *k, size_t tokens, size_t stride, float *keys)
{
	for (size_t d = 0; d < HEAD; d++)
		memset(keys + d * stride + tokens, 0, (stride - tokens) * sizeof(*keys));
	for (size_t t = 0; t < tokens; t++)
		for (size_t d = 0; d < HEAD; d++)
			keys[d * stride + t] = k[t * 3 * HIDDEN + d];
}

/* scores[QUERIES][stride] = q · keys */
BODY void score(const float *const q[QUERIES], const float *keys, size_t stride, float *scores)
{
	for (size_t t = 0; t < stride; t += LANES) {
		v16 s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
		for (size_t d = 0; d < HEAD; d++) {
			v16 k = *(const v16_any *)(keys + d * stride + t);
			s0 += q[0][d] * k;
			s1 += q[1][d] * k;
			s2 += q[2][d] * k;
			s3 += q[3][d] * k;
		}
		*(v16_any *)(scores + t) = s0;
		*(v16_any *)(scores + stride + t) = s1;
		*(v16_any *)(scores + 2 * stride + t) = s2;
		*(v16_any *)(scores + 3 * stride + t) = s3;
	}
}

/*
 * Softmax in place, but for the division: returns the sum to divide by. Runs
 * to the stride, so that no scalar remainder is left; what is past the last
 * token is so small that the sum does not see it.
 */
BODY float exponentials(float *x, size_t tokens, size_t stride)
{
	float most = x[0], sum = 0;

	stride &= ~(size_t)(LANES - 1);
	for (size_t i = tokens; i < stride; i++)
		x[i] = x[0];
	for (size_t i = 0; i < stride; i++)
		most = x[i] > most ? x[i] : most;
	for (size_t i = tokens; i < stride; i++)
		x[i] = most - 80;
	for (size_t i = 0; i < stride; i++) {
		x[i] = expf(x[i] - most);
		sum += x[i];
	}
	return sum;
}

/* y[i] = weights[i] · values / sums[i] */
BODY void blend(const float *weights, size_t stride, const float *v, size_t tokens, const float sums[QUERIES],
		float *const y[QUERIES])
{
	v16 a[QUERIES] = { 0 }, b[QUERIES] = { 0 };

	for (size_t t = 0; t < tokens; t++) {
		v16 v0 = *(const v16_any *)(v + t * 3 * HIDDEN);
		v16 v1 = *(const v16_any *)(v + t * 3 * HIDDEN + LANES);
		for (size_t i = 0; i < QUERIES; i++) {
			a[i] += weights[i * stride + t] * v0;
			b[i] += weights[i * stride + t] * v1;
		}
	}
	for (size_t i = 0; i < QUERIES; i++) {
		*(v16_any *)y[i] = a[i] / sums[i];
		*(v16_any *)(y[i] + LANES) = b[i] / sums[i];
	}
}

BODY void attend(const float *qkv, size_t tokens, float *room, float *y)
{
	size_t stride = (tokens + LANES - 1) / LANES * LANES;
	float *keys = room, *scores = room + HEAD * stride;

	for (size_t h = 0; h < HIDDEN; h += HEAD) {
		transpose_keys(qkv + HIDDEN + h, tokens, stride, keys);
		for (size_t t = 0; t < tokens; t += QUERIES) {
			const float *q[QUERIES];
			float *to[QUERIES], sums[QUERIES];
			/* Past the end the last query is computed again. */
			for (size_t i = 0; i < QUERIES; i++) {
				size_t row = t + i < tokens ? t + i : tokens - 1;
				q[i] = qkv + row * 3 * HIDDEN + h;
				to[i] = y + row * HIDDEN + h;
			}
			score(q, keys, stride, scores);
			for (size_t i = 0; i < QUERIES; i++)
				sums[i] = exponentials(scores + i * stride, tokens, stride);
			blend(scores, stride, qkv + 2 * HIDDEN + h, tokens, sums, to);
		}
	}
}

BODY void normalise(float *x, const float *add, size_t rows, const float *gain, const float *bias)
{
	for (size_t r = 0; r < rows; r++, x += HIDDEN) {
		float sum = 0, squares = 0, mean, scale;
		if (add)
			for (size_t i = 0; i < HIDDEN; i++)
				x[i] += add[r * HIDDEN + i];
		for (size_t i = 0; i < HIDDEN; i++)
			sum += x[i];
		mean = sum / HIDDEN;
		for (size_t i = 0; i < HIDDEN; i++)
			squares += (x[i] - mean) * (x[i] - mean);
		scale = 1 / sqrtf(squares / HIDDEN + EPSILON);
		for (size_t i = 0; i < HIDDEN; i++)
			x[i] = (x[i] - mean) * scale * gain[i] + bias[i];
	}
}

BODY void add3(const float *a, const float *b, const float *c, float *sum)
{
	for (size_t i = 0; i < HIDDEN; i++)
		sum[i] = a[i] + b[i] + c[i];
}

BODY void pool(const float *x, size_t rows, float *y)
{
	/* Aligned, unlike y may be: where a sum is split into vectors must not depend on that. */
	_Alignas(64) float mean[HIDDEN] = { 0 };
	float squares = 0, scale;

	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < HIDDEN; i++)
			mean[i] += x[r * HIDDEN + i];
	for (size_t i = 0; i < HIDDEN; i++)
		mean[i] /= (float)rows;
	for (size_t i = 0; i < HIDDEN; i++)
		squares += mean[i] * mean[i];
	scale = 1 / sqrtf(squares > EPSILON ? squares : EPSILON);
	for (size_t i = 0; i < HIDDEN; i++)
		y[i] = mean[i] * scale;
}

BODY void narrow(const float *x, size_t n, uint16_t *y)
{
	const uint32_t *bits = (const uint32_t *)(const void *)x;

	for (size_t i = 0; i < n; i++) {
		uint32_t u;
		memcpy(&u, bits + i, sizeof(u));
		y[i] = (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
	}
}

#define TARGET_avx512 \
	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")))
#define TARGET_avx2 __attribute__((target("avx2,fma")))
#define TARGET_plain

#define SET(isa)                                                                                             \
	TARGET_##isa static void attend_##isa(const float *qkv, size_t tokens, float *room, float *y)        \
	{                                                                                                    \
		attend(qkv, tokens, room, y);                                                                \
	}                                                                                                    \
	TARGET_##isa static void normalise_##isa(float *x, const float *add, size_t rows, const float *gain, \
						 const float *bias)                                          \
	{                                                                                                    \
		normalise(x, add, rows, gain, bias);                                                         \
	}                                                                                                    \
	TARGET_##isa static void add3_##isa(const float *a, const float *b, const float *c, float *sum)      \
	{                                                                                                    \
		add3(a, b, c, sum);                                                                          \
	}                                                                                                    \
	TARGET_##isa static void pool_##isa(const float *x, size_t rows, float *y)                           \
	{                                                                                                    \
		pool(x, rows, y);                                                                            \
	}                                                                                                    \
	TARGET_##isa static void narrow_##isa(const float *x, size_t n, uint16_t *y)                         \
	{                                                                                                    \
		narrow(x, n, y);                                                                             \
	}                                                                                                    \
	static const struct minilm_math set_##isa = {                                                        \
		#isa, attend_##isa, normalise_##isa, add3_##isa, pool_##isa, narrow_##isa,                   \
	};

SET(avx512)
SET(avx2)
SET(plain)

const struct minilm_math *minilm_math_at(size_t i)
{
	static const struct minilm_math *const sets[] = { &set_avx512, &set_avx2, &set_plain };

	return i < sizeof(sets) / sizeof(sets[0]) ? sets[i] : NULL;
}

int minilm_math_can_run(const struct minilm_math *m)
{
	if (m == &set_avx512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("fma");
	if (m == &set_avx2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	return 1;
}

const struct minilm_math *minilm_math(void)
{
	size_t i = 0;

	while (!minilm_math_can_run(minilm_math_at(i)))
		i++;
	return minilm_math_at(i);
}
