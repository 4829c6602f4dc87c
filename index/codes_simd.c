/* codes_simd.c: plain loops, made for the compiler to vectorise (no NaN or infinity in here). */
#include "index/codes.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

#define MOST 127

/* What rounding to float adds to sums of these sizes, on vectors of unit length. */
#define ROUNDING 4e-6f

/* Rows that are scored in one call of the loop over codes. */
#define GROUP 8

size_t codes_stride(size_t dim)
{
	return (dim + CODE_PAD - 1) / CODE_PAD * CODE_PAD;
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
	return (int)(x + (x < 0 ? -.5f : .5f));
}

void codes_make(const float *v, size_t dim, int8_t *code, struct code_scale *out)
{
	float scale = largest(v, dim) / MOST, per = per_of(scale), residual = 0;

	memset(code + dim, 0, codes_stride(dim) - dim);
	for (size_t i = 0; i < dim; i++) {
		int c = nearest(v[i] * per);
		c = c > MOST ? MOST : c < -MOST ? -MOST : c;
		float off = v[i] - scale * (float)c;
		code[i] = (int8_t)c;
		residual += off * off;
	}
	/* In float, each difference is off by a ten-thousandth of itself at most. */
	*out = (struct code_scale){ scale, sqrtf(residual) * 1.001f };
}

/* The sum of products has to fit in 32 bits. */
static float most_of_query(size_t dim)
{
	double most = 2147483647.0 / MOST / (double)(dim ? dim : 1);

	return most < 32767 ? floorf((float)most) : 32767;
}

int code_query_make(const float *v, size_t dim, struct arena *a, struct code_query *out)
{
	size_t stride = codes_stride(dim);
	int16_t *q = arena_alloc_aligned(a, stride * sizeof(*q), DISTANCE_ALIGN);
	float scale = largest(v, dim) / most_of_query(dim), per = per_of(scale);
	double norm = 0, residual = 0;

	if (!q)
		return -1;
	memset(q + dim, 0, (stride - dim) * sizeof(*q));
	for (size_t i = 0; i < dim; i++) {
		q[i] = (int16_t)nearest(v[i] * per);
		double off = (double)v[i] - (double)scale * q[i];
		residual += off * off;
		norm += (double)v[i] * v[i];
	}
	/* The rows are of unit length, and their codes not much longer. */
	*out = (struct code_query){ q, scale, (float)sqrt(norm), (float)(sqrt(residual) * 1.1) + ROUNDING };
	return 0;
}

void codes_score(const struct distance *d, const struct codes *c, const struct code_query *q,
		 const uint32_t *rows, size_t n, float *score)
{
	const int8_t *p[GROUP];
	int32_t sum[GROUP];

	for (size_t at = 0; at < n; at += GROUP) {
		size_t m = n - at < GROUP ? n - at : GROUP;
		for (size_t i = 0; i < m; i++)
			p[i] = c->codes + (size_t)rows[at + i] * c->stride;
		d->code_dots(q->q, p, m, c->stride, sum);
		for (size_t i = 0; i < m; i++)
			score[at + i] = (float)sum[i] * (q->scale * c->scales[rows[at + i]].scale);
	}
}
