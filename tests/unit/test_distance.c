#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

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
		cmocka_unit_test(test_distance__every_level_agrees),
		cmocka_unit_test(test_distance__levels_are_known_by_name),
		cmocka_unit_test(test_distance__stride_is_padded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
