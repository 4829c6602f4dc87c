#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "base/arena.h"
#include "index/topk.h"
#include "index_fixture.h"

static void test_topk__equals_a_full_sort(void **state)
{
	struct scored all[500];
	const struct scored *best;

	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct rng r = { seed };
		struct topk *t = topk_new(*state, 100);
		for (uint32_t i = 0; i < 500; i++) {
			/* few distinct scores, so that ties are common */
			all[i] = (struct scored){ .id = i, .score = (float)rng_below(&r, 40) };
			assert_int_equal(topk_push(t, all[i]), 0);
		}
		assert_int_equal(topk_finish(t, &best), 100);
		for (size_t i = 0; i < 100; i++) {
			size_t better = 0;
			for (size_t j = 0; j < 500; j++)
				better += all[j].score > best[i].score ||
					  (all[j].score == best[i].score && all[j].id < best[i].id);
			if (better != i)
				fail_msg("seed %d: place %zu holds an entry of rank %zu", (int)seed, i,
					 better);
		}
	}
}

static void test_topk__threshold_opens_until_k_are_held(void **state)
{
	struct topk *t = topk_new(*state, 2);

	topk_push(t, (struct scored){ 1, 0, 5 });
	assert_true(topk_threshold(t) == -INFINITY);
	topk_push(t, (struct scored){ 2, 0, 3 });
	assert_true(topk_threshold(t) == 3);
	topk_push(t, (struct scored){ 3, 0, 4 });
	assert_true(topk_threshold(t) == 4);
	assert_int_equal(topk_count(t), 2);
}

static void test_topk__fewer_than_k(void **state)
{
	struct topk *t = topk_new(*state, (size_t)1 << 40);
	const struct scored *best;

	topk_push(t, (struct scored){ 7, 3, 1 });
	assert_int_equal(topk_finish(t, &best), 1);
	assert_int_equal(best[0].id, 7);
	assert_int_equal(best[0].slot, 3);
}

static int set_up(void **state)
{
	return (*state = arena_new(1 << 16)) ? 0 : -1;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_topk__equals_a_full_sort, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_topk__threshold_opens_until_k_are_held, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_topk__fewer_than_k, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
