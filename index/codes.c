#include "index/codes.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

#define MOST 127
#define NOUGHT 128

/* The middle of the sixteen numbers that share an upper half, less its first. */
#define MIDDLE 7.5f

/* Rows that are looked at in one call of the loop over codes. */
#define GROUP 8

size_t codes_half(size_t dim)
{
	return (dim + 2 * CODE_PAD - 1) / (2 * CODE_PAD) * CODE_PAD;
}

static float largest(const float *v, size_t dim)
{
	float most = 0;

	for (size_t i = 0; i < dim; i++)
		most = fmaxf(most, fabsf(v[i]));
	return most;
}

/* By how much a number is multiplied to become an integer; 0 for next to nothing: all of it is residual. */
static float per_of(float scale)
{
	return scale > 1e-30f ? 1 / scale : 0;
}

static int nearest(float x)
{
	int n = (int)(x + (x < 0 ? -.5f : .5f));

	return n > MOST ? MOST : n < -MOST ? -MOST : n;
}

void codes_make(const float *v, size_t dim, uint8_t *upper, uint8_t *lower, struct code_scale *out)
{
	float scale = largest(v, dim) / MOST, per = per_of(scale), residual = 0;
	size_t half = codes_half(dim);

	memset(upper, 0, half);
	memset(lower, 0, half);
	for (size_t i = 0; i < 2 * half; i++) {
		int c = i < dim ? nearest(v[i] * per) : 0;
		unsigned code = (unsigned)(c + NOUGHT), shift = i < half ? 0 : 4;
		float off = (i < dim ? v[i] : 0) - scale * (float)c;
		size_t at = i < half ? i : i - half;
		upper[at] |= (uint8_t)((code >> 4) << shift);
		lower[at] |= (uint8_t)((code & 15) << shift);
		residual += off * off;
	}
	/* In float, each difference is off by a ten-thousandth of itself at most. */
	*out = (struct code_scale){ scale, sqrtf(residual) * 1.001f };
}

int code_query_make(const float *v, size_t dim, struct arena *a, struct code_query *out)
{
	size_t all = 2 * codes_half(dim);
	int8_t *q = arena_alloc_aligned(a, all, DISTANCE_ALIGN);
	float scale = largest(v, dim) / MOST, per = per_of(scale);
	double norm = 0, residual = 0;
	int32_t sum = 0;

	if (!q)
		return -1;
	memset(q + dim, 0, all - dim);
	for (size_t i = 0; i < dim; i++) {
		q[i] = (int8_t)nearest(v[i] * per);
		sum += q[i];
		double off = (double)v[i] - (double)scale * q[i];
		residual += off * off;
		norm += (double)v[i] * v[i];
	}
	*out = (struct code_query){ q, scale, (float)sqrt(norm), (float)(sqrt(residual) * 1.001), sum };
	return 0;
}

static void dots_of(const struct distance *d, const uint8_t *halves, size_t half, const struct code_query *q,
		    const uint32_t *rows, size_t n, int32_t *sum)
{
	const uint8_t *p[GROUP];

	for (size_t i = 0; i < n; i++)
		p[i] = halves + (size_t)rows[i] * half;
	d->half_dots(q->q, p, n, half, sum);
}

void codes_look(const struct distance *d, const struct codes *c, const struct code_query *q,
		const uint32_t *rows, size_t n, float *score)
{
	const float nought = (MIDDLE - NOUGHT) * (float)q->sum;
	int32_t sum[GROUP];

	for (size_t at = 0; at < n; at += GROUP) {
		size_t m = n - at < GROUP ? n - at : GROUP;
		dots_of(d, c->upper, c->half, q, rows + at, m, sum);
		for (size_t i = 0; i < m; i++)
			score[at + i] = ((float)(16 * sum[i]) + nought) *
					(q->scale * c->scales[rows[at + i]].scale);
	}
}

void codes_score(const struct distance *d, const struct codes *c, const struct code_query *q,
		 const uint32_t *rows, size_t n, float *score)
{
	int32_t upper[GROUP], lower[GROUP];

	for (size_t at = 0; at < n; at += GROUP) {
		size_t m = n - at < GROUP ? n - at : GROUP;
		dots_of(d, c->upper, c->half, q, rows + at, m, upper);
		dots_of(d, c->lower, c->half, q, rows + at, m, lower);
		for (size_t i = 0; i < m; i++) {
			int32_t sum = 16 * upper[i] + lower[i] - NOUGHT * q->sum;
			score[at + i] = (float)sum * (q->scale * c->scales[rows[at + i]].scale);
		}
	}
}
