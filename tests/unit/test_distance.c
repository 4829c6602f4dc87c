#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "index/codes.h"
#include "index/distance.h"
#include "index_fixture.h"

static const char *const levels[] = { "plain", "avx2", "avx512" };

/* Every level against sums in double, for every count of rows that the loops treat differently. */
static void check_level(const struct distance *d, size_t dim, uint64_t seed)
{
	enum { ROWS = 11 };
	size_t stride = distance_stride(dim);
	float *v = aligned_alloc(DISTANCE_ALIGN, (ROWS + 1) * stride * sizeof(*v));
	const float *rows[ROWS];
	float out[ROWS + 1];
	struct rng r = { seed };

	memset(v, 0, (ROWS + 1) * stride * sizeof(*v));
	for (size_t i = 0; i <= ROWS; i++)
		random_unit(&r, dim, v + i * stride);
	for (size_t i = 0; i < ROWS; i++)
		rows[i] = v + (i + 1) * stride;
	for (size_t n = 0; n <= ROWS; n++) {
		out[n] = 77;
		d->dots(v, rows, n, stride, out);
		assert_true(out[n] == 77);
		for (size_t i = 0; i < n; i++) {
			double want = inner(v, rows[i], dim);
			if (fabs(out[i] - want) > 1e-5)
				fail_msg("%s, dim %zu, seed %d: %g is not %g", d->name, dim, (int)seed,
					 out[i], want);
		}
	}
	free(v);
}

/* Of each row the code says its inner product to within the doubt, and a look nearly; all levels the same, to the bit. */
static void check_codes(size_t dim, uint64_t seed)
{
	enum { ROWS = 50 };
	size_t half = codes_half(dim);
	uint8_t *upper = aligned_alloc(DISTANCE_ALIGN, ROWS * half);
	uint8_t *lower = aligned_alloc(DISTANCE_ALIGN, ROWS * half);
	struct code_scale scales[ROWS];
	float *v = calloc((ROWS + 1) * dim, sizeof(*v)), look[3][ROWS], score[3][ROWS];
	struct arena *a = arena_new(4096);
	const struct codes c = { upper, lower, half, scales };
	struct code_query q;
	uint32_t rows[ROWS];
	struct rng r = { seed };
	double doubts = 0, off = 0;

	for (uint32_t i = 0; i <= ROWS; i++) {
		float *x = v + i * dim;
		random_unit(&r, dim, x);
		if (i % 10 == 3) { /* one large number, the rest small; nothing; next to nothing */
			memset(x, 0, dim * sizeof(*x));
			x[dim / 2] = i % 20 == 3 ? 1 : 0;
			x[0] += i % 20 == 3 ? 1e-3f : 1e-42f;
		}
	}
	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i] = ROWS - 1 - i;
		codes_make(v + i * dim, dim, upper + i * half, lower + i * half, &scales[i]);
	}
	assert_int_equal(code_query_make(v + ROWS * dim, dim, a, &q), 0);
	for (size_t l = 0; l < 3; l++) {
		const struct distance *d = distance_level(levels[l]) ? distance_level(levels[l])
								     : distance_level("plain");
		codes_look(d, &c, &q, rows, ROWS, look[l]);
		assert_memory_equal(look[l], look[0], sizeof(look[0]));
		codes_score(d, &c, &q, rows, ROWS, score[l]);
		assert_memory_equal(score[l], score[0], sizeof(score[0]));
	}
	for (size_t i = 0; i < ROWS; i++) {
		double want = inner(v + ROWS * dim, v + rows[i] * dim, dim);
		float doubt = codes_doubt(&c, &q, rows[i]);
		doubts += doubt;
		off += fabs((double)look[0][i] - want);
		if (fabs((double)score[0][i] - want) > doubt)
			fail_msg("dim %zu, seed %d: %g is further than %g from %g", dim, (int)seed,
				 (double)score[0][i], (double)doubt, want);
	}
	assert_true(doubts / ROWS < .02);
	assert_true(off / ROWS < (dim < 100 ? .1 : .02));
	arena_free(a);
	free(upper);
	free(lower);
	free(v);
}

static void test_codes__are_as_near_as_they_say(void **state)
{
	const size_t dims[] = { 1, 7, 64, 65, 100, 384, 768, 1024, 4096 };

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		for (size_t j = 0; j < sizeof(dims) / sizeof(dims[0]); j++)
			check_codes(dims[j], seed);
}

static void test_distance__every_level_agrees(void **state)
{
	const size_t dims[] = { 1, 7, 16, 17, 64, 100, 384, 768, 1024 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct distance *d = distance_level(levels[i]);
		if (!d)
			printf("this CPU has no %s\n", levels[i]);
		for (size_t j = 0; d && j < sizeof(dims) / sizeof(dims[0]); j++)
			check_level(d, dims[j], 20 + j);
	}
}

static void test_distance__levels_are_known_by_name(void **state)
{
	(void)state;
	assert_string_equal(distance_level("plain")->name, "plain");
	assert_null(distance_level("mmx"));
	assert_null(distance_level(""));
	assert_ptr_equal(distance_level(distance_best()->name), distance_best());
}

static void test_distance__stride_is_padded(void **state)
{
	(void)state;
	assert_int_equal(distance_stride(1), 16);
	assert_int_equal(distance_stride(384), 384);
	assert_int_equal(distance_stride(385), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes__are_as_near_as_they_say),
		cmocka_unit_test(test_distance__every_level_agrees),
		cmocka_unit_test(test_distance__levels_are_known_by_name),
		cmocka_unit_test(test_distance__stride_is_padded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
