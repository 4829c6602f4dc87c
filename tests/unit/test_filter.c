#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "index/filter.h"
#include "index/tags.h"
#include "index_fixture.h"

#define ENTRIES 300

static void check_all(struct model *m, const struct tags *t, const roaring_bitmap_t *live, struct rng *r,
		      uint64_t seed)
{
	for (int round = 0; round < 40; round++) {
		struct filter_pool pool = { 0 };
		const struct index_filter *f = random_filter(r, &pool, (int)rng_below(r, 3));
		roaring_bitmap_t *got = filter_slots(f, t, live);
		roaring_bitmap_and_inplace(got, live); /* OR of nothing and the like may not add */
		for (uint32_t i = 0; i < ENTRIES; i++) {
			int want = m->entries[i].live && model_filter(&m->entries[i], f);
			if (want != (int)roaring_bitmap_contains(got, i))
				fail_msg("seed %d, round %d, entry %u, operator %d: wanted %d", (int)seed,
					 round, i, f->op, want);
		}
		roaring_bitmap_free(got);
	}
}

static void test_filter__equals_a_look_at_every_entry(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct model *m = model_new(0, ENTRIES, seed);
		struct tags *t = tags_new();
		roaring_bitmap_t *live = roaring_bitmap_create();
		struct rng r = { seed + 1000 };
		/* Entries come, change and go, and slots are used again. */
		for (int step = 0; step < 3000; step++) {
			uint32_t i = (uint32_t)rng_below(&r, ENTRIES);
			struct model_entry *e = &m->entries[i];
			if (rng_below(&r, 3)) {
				model_fill(m, e);
				struct index_change c = model_change(e, INDEX_ADD);
				assert_int_equal(tags_set(t, i, &c.entry), 0);
				roaring_bitmap_add(live, i);
			} else {
				e->live = 0;
				tags_clear(t, i);
				roaring_bitmap_remove(live, i);
			}
			if (step % 500 == 499)
				check_all(m, t, live, &r, seed);
		}
		roaring_bitmap_free(live);
		tags_free(t);
		model_free(m);
	}
}

static struct tags *with_tag(struct index_tag *tags, size_t n)
{
	struct tags *t = tags_new();
	struct index_entry e = { .everyone = 1, .tags = tags, .n_tags = n };

	assert_int_equal(tags_set(t, 0, &e), 0);
	return t;
}

static int holds(const struct tags *t, enum filter_op op, const char *key, struct index_value v)
{
	struct index_filter f = { .op = op, .key = key, .values = &v, .n_values = 1 };
	roaring_bitmap_t *live = roaring_bitmap_from_range(0, 1, 1);
	roaring_bitmap_t *got = filter_slots(&f, t, live);
	int yes = roaring_bitmap_contains(got, 0);

	roaring_bitmap_free(got);
	roaring_bitmap_free(live);
	return yes;
}

static void test_filter__a_missing_key_never_matches(void **state)
{
	struct index_tag tag = { "lang", { VALUE_STRING, { "en", 2 }, 0 } };
	struct tags *t = with_tag(&tag, 1);

	(void)state;
	for (enum filter_op op = FILTER_EQ; op <= FILTER_NIN; op++)
		assert_false(holds(t, op, "product", (struct index_value){ VALUE_STRING, { "en", 2 }, 0 }));
	assert_true(holds(t, FILTER_EQ, "lang", (struct index_value){ VALUE_STRING, { "en", 2 }, 0 }));
	assert_true(holds(t, FILTER_NE, "lang", (struct index_value){ VALUE_STRING, { "de", 2 }, 0 }));
	tags_free(t);
}

static void test_filter__types_are_told_apart(void **state)
{
	struct index_tag tag[] = { { "v", { VALUE_NUMBER, { 0 }, 1 } } };
	struct tags *t = with_tag(tag, 1);

	(void)state;
	assert_true(holds(t, FILTER_EQ, "v", (struct index_value){ VALUE_NUMBER, { 0 }, 1 }));
	assert_false(holds(t, FILTER_EQ, "v", (struct index_value){ VALUE_BOOL, { 0 }, 1 }));
	assert_false(holds(t, FILTER_EQ, "v", (struct index_value){ VALUE_STRING, { "1", 1 }, 0 }));
	assert_true(holds(t, FILTER_NE, "v", (struct index_value){ VALUE_STRING, { "1", 1 }, 0 }));
	assert_false(holds(t, FILTER_GTE, "v", (struct index_value){ VALUE_NUMBER, { 0 }, NAN }));
	assert_false(holds(t, FILTER_LTE, "v", (struct index_value){ VALUE_NUMBER, { 0 }, NAN }));
	tags_free(t);
}

static void test_filter__strings_are_ordered_by_bytes(void **state)
{
	struct index_tag tag = { "v", { VALUE_STRING, { "b\0c", 3 }, 0 } };
	struct tags *t = with_tag(&tag, 1);

	(void)state;
	assert_true(holds(t, FILTER_GT, "v", (struct index_value){ VALUE_STRING, { "b", 1 }, 0 }));
	assert_true(holds(t, FILTER_GT, "v", (struct index_value){ VALUE_STRING, { "Z", 1 }, 0 }));
	assert_true(holds(t, FILTER_LT, "v", (struct index_value){ VALUE_STRING, { "b\0d", 3 }, 0 }));
	assert_true(holds(t, FILTER_LT, "v", (struct index_value){ VALUE_STRING, { "\xc3\xa4", 2 }, 0 }));
	assert_true(holds(t, FILTER_LTE, "v", (struct index_value){ VALUE_STRING, { "b\0c", 3 }, 0 }));
	assert_false(holds(t, FILTER_GT, "v", (struct index_value){ VALUE_STRING, { "b\0c", 3 }, 0 }));
	tags_free(t);
}

static void test_filter__unknown_keys_are_named(void **state)
{
	struct index_tag tag = { "lang", { VALUE_STRING, { "en", 2 }, 0 } };
	struct tags *t = with_tag(&tag, 1);
	struct index_filter leaf[] = { { .op = FILTER_EQ, .key = "lang" },
				       { .op = FILTER_EQ, .key = "lnag" } };
	struct index_filter tree = { .op = FILTER_OR, .children = leaf, .n_children = 2 };

	(void)state;
	assert_string_equal(filter_unknown_key(&tree, t, NULL), "lnag");
	tree.n_children = 1;
	assert_null(filter_unknown_key(&tree, t, NULL));
	tags_clear(t, 0);
	assert_string_equal(filter_unknown_key(&tree, t, NULL), "lang");
	tags_free(t);
}

static void test_filter__keys_of_hidden_entries_are_unknown(void **state)
{
	struct index_tag tag = { "lang", { VALUE_STRING, { "en", 2 }, 0 } };
	struct index_entry e = { .everyone = 1, .tags = &tag, .n_tags = 1 };
	struct tags *t = with_tag(&tag, 1);
	struct index_filter leaf = { .op = FILTER_EQ, .key = "lang" };
	ROARING_AUTO *visible = roaring_bitmap_create();

	(void)state;
	roaring_bitmap_add(visible, 1);
	roaring_bitmap_add(visible, 7);
	assert_string_equal(filter_unknown_key(&leaf, t, visible), "lang");
	assert_int_equal(tags_set(t, 3, &e), 0);
	assert_string_equal(filter_unknown_key(&leaf, t, visible), "lang");
	assert_int_equal(tags_set(t, 7, &e), 0);
	assert_null(filter_unknown_key(&leaf, t, visible));
	tags_free(t);
}

static void test_filter__values_of_entries_that_are_gone_take_no_room(void **state)
{
	struct tags *t = tags_new();
	size_t most = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char order[32];
		int n = snprintf(order, sizeof(order), "order-%d", round);
		struct index_tag tag = { "order", { VALUE_STRING, { order, (size_t)n }, 0 } };
		struct index_entry e = { .everyone = 1, .tags = &tag, .n_tags = 1 };
		assert_int_equal(tags_set(t, (uint32_t)(round % 10), &e), 0);
		if (tags_bytes(t) > most)
			most = tags_bytes(t);
	}
	assert_true(most < 64 * 1024);
	assert_int_equal(tags_key(t, "order")->present.n, 10);
	tags_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter__equals_a_look_at_every_entry),
		cmocka_unit_test(test_filter__a_missing_key_never_matches),
		cmocka_unit_test(test_filter__types_are_told_apart),
		cmocka_unit_test(test_filter__strings_are_ordered_by_bytes),
		cmocka_unit_test(test_filter__unknown_keys_are_named),
		cmocka_unit_test(test_filter__keys_of_hidden_entries_are_unknown),
		cmocka_unit_test(test_filter__values_of_entries_that_are_gone_take_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
