#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "index/idmap.h"
#include "index_fixture.h"

#define KEYS 500

/* Keys near each other and far apart, put and taken out for long. */
static void test_idmap__equals_an_array(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct idmap m = { 0 };
		uint32_t want[KEYS];
		struct rng r = { seed };
		size_t n = 0;
		memset(want, 0xff, sizeof(want)); /* IDMAP_NONE */
		for (int step = 0; step < 20000; step++) {
			size_t i = rng_below(&r, KEYS);
			uint64_t key = i % 2 ? i : (uint64_t)i << 40;
			n -= want[i] != IDMAP_NONE;
			if (rng_below(&r, 2)) {
				want[i] = (uint32_t)rng_below(&r, 1000);
				assert_int_equal(idmap_put(&m, key, want[i]), 0);
			} else {
				want[i] = IDMAP_NONE;
				idmap_remove(&m, key);
			}
			n += want[i] != IDMAP_NONE;
			assert_int_equal(m.n, n);
			i = rng_below(&r, KEYS);
			key = i % 2 ? i : (uint64_t)i << 40;
			assert_int_equal(idmap_get(&m, key), want[i]);
		}
		idmap_release(&m);
		assert_int_equal(idmap_get(&m, 1), IDMAP_NONE);
	}
}

static void test_idmap__empty_has_nothing(void **state)
{
	struct idmap m = { 0 };

	(void)state;
	assert_int_equal(idmap_get(&m, 0), IDMAP_NONE);
	idmap_remove(&m, 0);
	assert_int_equal(idmap_bytes(&m), 0);
	idmap_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idmap__equals_an_array),
		cmocka_unit_test(test_idmap__empty_has_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
