#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "text/bag.h"

static struct text text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

static uint32_t count(const struct bag *b, const char *stem)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->terms[i].n == strlen(stem) && memcmp(b->terms[i].s, stem, b->terms[i].n) == 0)
			return b->terms[i].tf;
	return 0;
}

static void test_bag__counts_stems_of_title_and_text(void **state)
{
	struct arena *a = arena_new(4096);
	struct bag b;

	(void)state;
	assert_int_equal(bag_of_texts(a, text_of("Refunds"), text_of("The refund is refunded, Größe!"), &b),
			 0);
	assert_int_equal(count(&b, "refund"), 3);
	assert_int_equal(count(&b, "the"), 1); /* stop words are in it */
	assert_int_equal(b.length, 6);
	for (size_t i = 1; i < b.n; i++) {
		size_t n = b.terms[i - 1].n < b.terms[i].n ? b.terms[i - 1].n : b.terms[i].n;
		int order = memcmp(b.terms[i - 1].s, b.terms[i].s, n);
		assert_true(order < 0 || (order == 0 && b.terms[i - 1].n < b.terms[i].n));
	}
	arena_free(a);
}

static void test_bag__of_nothing_is_empty(void **state)
{
	struct arena *a = arena_new(4096);
	struct bag b;

	(void)state;
	assert_int_equal(bag_of_texts(a, (struct text){ NULL, 0 }, text_of(" \xf0\x9f\xa6\xa6 … "), &b), 0);
	assert_int_equal(b.n, b.length);
	assert_int_equal(bag_of_texts(a, (struct text){ NULL, 0 }, (struct text){ NULL, 0 }, &b), 0);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.length, 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bag__counts_stems_of_title_and_text),
		cmocka_unit_test(test_bag__of_nothing_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
