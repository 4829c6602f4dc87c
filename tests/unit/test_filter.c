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
#include "index/bits.h"
#include "index/filter.h"
#include "index_fixture.h"

#define ENTRIES 300

/* A set of tags in memory of its own. */
struct made {
	struct strbuf bytes;
	struct tagset t;
};

static void open_made(struct tag_builder *b, uint32_t docs, struct made *out)
{
	struct error e = { 0 };

	*out = (struct made){ 0 };
	assert_int_equal(tag_builder_finish(b, docs, &out->bytes), 0);
	tag_builder_free(b);
	if (tagset_open(out->bytes.p, out->bytes.n, &out->t, &e) < 0)
		fail_msg("%s", e.message);
}

/* Document i is the model's entry i; those that are not live have no tags. */
static void of_model(const struct model *m, struct made *out)
{
	struct tag_builder *b = tag_builder_new();

	for (uint32_t i = 0; i < m->n; i++) {
		if (m->entries[i].live) {
			struct index_change c = model_change(&m->entries[i], INDEX_ADD);
			assert_int_equal(tag_builder_add(b, i, &c.entry), 0);
		}
	}
	open_made(b, (uint32_t)m->n, out);
}

static void check_all(const struct model *m, const struct tagset *t, struct rng *r, uint64_t seed)
{
	for (int round = 0; round < 60; round++) {
		struct filter_pool pool = { 0 };
		const struct index_filter *f = random_filter(r, &pool, (int)rng_below(r, 3));
		struct arena *a = arena_new(4096);
		uint64_t got[(ENTRIES + 63) / 64] = { 0 };

		assert_int_equal(filter_into(f, t, a, got), 0);
		for (uint32_t i = 0; i < m->n; i++) {
			if (!m->entries[i].live) /* a document without anything: an AND of nothing has it */
				continue;
			int want = model_filter(&m->entries[i], f);
			if (want != (int)bits_has(got, i))
				fail_msg("seed %d, round %d, entry %u, operator %d: wanted %d", (int)seed,
					 round, i, f->op, want);
		}
		arena_free(a);
	}
}

static void check_visible(const struct model *m, const struct tagset *t)
{
	const char *groups[] = { "tier1", "billing", "nobody" };

	for (size_t n = 0; n <= 3; n++) {
		uint64_t got[(ENTRIES + 63) / 64] = { 0 };
		struct index_query q = { .groups = groups, .n_groups = n };
		tagset_visible(t, groups, n, got);
		for (uint32_t i = 0; i < m->n; i++) {
			int want = m->entries[i].live && model_allows(&m->entries[i], &q);
			assert_int_equal(want, (int)bits_has(got, i));
		}
	}
}

static void test_filter__equals_a_look_at_every_entry(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		/* Few documents and many: names are lists and sets of bits. */
		struct model *m = model_new(0, seed % 2 ? ENTRIES : 7, seed);
		struct rng r = { seed + 1000 };
		struct made made;
		for (size_t i = 0; i < m->n; i++) {
			if (rng_below(&r, 4))
				model_fill(m, &m->entries[i]);
		}
		of_model(m, &made);
		check_all(m, &made.t, &r, seed);
		check_visible(m, &made.t);
		strbuf_release(&made.bytes);
		model_free(m);
	}
}

static void test_filter__merged_tags_are_those_of_the_parts(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct model *m = model_new(0, ENTRIES, seed);
		struct rng r = { seed + 2000 };
		struct tag_builder *parts[3], *b = tag_builder_new();
		struct made of[3], merged, whole;
		uint32_t to[3][ENTRIES], n[3] = { 0 }, docs = 0;

		for (int i = 0; i < 3; i++)
			parts[i] = tag_builder_new();
		for (size_t i = 0; i < m->n; i++) {
			struct model_entry *e = &m->entries[i];
			size_t at = i * 3 / m->n;
			model_fill(m, e);
			struct index_change c = model_change(e, INDEX_ADD);
			assert_int_equal(tag_builder_add(parts[at], n[at], &c.entry), 0);
			e->live = rng_below(&r, 3) != 0;
			to[at][n[at]++] = e->live ? docs++ : TAG_GONE;
		}
		struct tag_builder *again = tag_builder_new();
		for (size_t i = 0, d = 0; i < m->n; i++) {
			struct index_change c = model_change(&m->entries[i], INDEX_ADD);
			if (m->entries[i].live)
				assert_int_equal(tag_builder_add(again, (uint32_t)d++, &c.entry), 0);
		}
		open_made(again, docs, &whole);
		for (int i = 0; i < 3; i++) {
			open_made(parts[i], n[i], &of[i]);
			assert_int_equal(tag_builder_merge(b, &of[i].t, to[i]), 0);
		}
		open_made(b, docs, &merged);
		assert_int_equal(merged.bytes.n, whole.bytes.n);
		assert_memory_equal(merged.bytes.p, whole.bytes.p, whole.bytes.n);
		for (int i = 0; i < 3; i++)
			strbuf_release(&of[i].bytes);
		strbuf_release(&merged.bytes);
		strbuf_release(&whole.bytes);
		model_free(m);
	}
}

/* No byte of damaged tags makes a reader go outside: the sanitizers watch. */
static void test_filter__damaged_tags_are_refused_or_harmless(void **state)
{
	struct model *m = model_new(0, 100, 5);
	struct rng r = { 99 };
	struct made made;

	(void)state;
	for (size_t i = 0; i < m->n; i++)
		model_fill(m, &m->entries[i]);
	of_model(m, &made);
	for (int round = 0; round < 3000; round++) {
		size_t at = round < 2000 ? rng_below(&r, 2000) : rng_below(&r, made.bytes.n);
		char *copy = malloc(made.bytes.n);
		struct tagset t;
		memcpy(copy, made.bytes.p, made.bytes.n);
		copy[at % made.bytes.n] ^= (char)(1 << rng_below(&r, 8));
		if (tagset_open(copy, made.bytes.n, &t, NULL) == 0) {
			struct filter_pool pool = { 0 };
			struct arena *a = arena_new(4096);
			uint64_t *got = calloc((t.docs + 63) / 64 + 1, sizeof(*got));
			filter_into(random_filter(&r, &pool, 2), &t, a, got);
			free(got);
			arena_free(a);
		}
		free(copy);
	}
	for (size_t n = 0; n < 64; n++)
		assert_int_not_equal(tagset_open(made.bytes.p, n, &(struct tagset){ 0 }, NULL), 0);
	strbuf_release(&made.bytes);
	model_free(m);
}

static void with_tag(struct index_tag *tags, size_t n, struct made *out)
{
	struct tag_builder *b = tag_builder_new();
	struct index_entry e = { .everyone = 1, .tags = tags, .n_tags = n };

	assert_int_equal(tag_builder_add(b, 0, &e), 0);
	open_made(b, 1, out);
}

static int holds(const struct made *m, enum filter_op op, const char *key, struct index_value v)
{
	struct index_filter f = { .op = op, .key = key, .values = &v, .n_values = 1 };
	struct arena *a = arena_new(4096);
	uint64_t got[1] = { 0 };

	assert_int_equal(filter_into(&f, &m->t, a, got), 0);
	arena_free(a);
	return bits_has(got, 0);
}

static void test_filter__a_missing_key_never_matches(void **state)
{
	struct index_tag tag = { "lang", { VALUE_STRING, { "en", 2 }, 0 } };
	struct made m;

	(void)state;
	with_tag(&tag, 1, &m);
	for (enum filter_op op = FILTER_EQ; op <= FILTER_NIN; op++)
		assert_false(holds(&m, op, "product", (struct index_value){ VALUE_STRING, { "en", 2 }, 0 }));
	assert_true(holds(&m, FILTER_EQ, "lang", (struct index_value){ VALUE_STRING, { "en", 2 }, 0 }));
	assert_true(holds(&m, FILTER_NE, "lang", (struct index_value){ VALUE_STRING, { "de", 2 }, 0 }));
	strbuf_release(&m.bytes);
}

static void test_filter__types_are_told_apart(void **state)
{
	struct index_tag tag[] = { { "v", { VALUE_NUMBER, { 0 }, 1 } } };
	struct made m;

	(void)state;
	with_tag(tag, 1, &m);
	assert_true(holds(&m, FILTER_EQ, "v", (struct index_value){ VALUE_NUMBER, { 0 }, 1 }));
	assert_false(holds(&m, FILTER_EQ, "v", (struct index_value){ VALUE_BOOL, { 0 }, 1 }));
	assert_false(holds(&m, FILTER_EQ, "v", (struct index_value){ VALUE_STRING, { "1", 1 }, 0 }));
	assert_true(holds(&m, FILTER_NE, "v", (struct index_value){ VALUE_STRING, { "1", 1 }, 0 }));
	assert_false(holds(&m, FILTER_GTE, "v", (struct index_value){ VALUE_NUMBER, { 0 }, NAN }));
	assert_false(holds(&m, FILTER_LTE, "v", (struct index_value){ VALUE_NUMBER, { 0 }, NAN }));
	strbuf_release(&m.bytes);
}

static void test_filter__strings_are_ordered_by_bytes(void **state)
{
	struct index_tag tag = { "v", { VALUE_STRING, { "b\0c", 3 }, 0 } };
	struct made m;

	(void)state;
	with_tag(&tag, 1, &m);
	assert_true(holds(&m, FILTER_GT, "v", (struct index_value){ VALUE_STRING, { "b", 1 }, 0 }));
	assert_true(holds(&m, FILTER_GT, "v", (struct index_value){ VALUE_STRING, { "Z", 1 }, 0 }));
	assert_true(holds(&m, FILTER_LT, "v", (struct index_value){ VALUE_STRING, { "b\0d", 3 }, 0 }));
	assert_true(holds(&m, FILTER_LT, "v", (struct index_value){ VALUE_STRING, { "\xc3\xa4", 2 }, 0 }));
	assert_true(holds(&m, FILTER_LTE, "v", (struct index_value){ VALUE_STRING, { "b\0c", 3 }, 0 }));
	assert_false(holds(&m, FILTER_GT, "v", (struct index_value){ VALUE_STRING, { "b\0c", 3 }, 0 }));
	strbuf_release(&m.bytes);
}

static void test_filter__keys_are_known_by_what_may_be_seen(void **state)
{
	struct index_tag tag = { "lang", { VALUE_STRING, { "en", 2 }, 0 } };
	struct tag_builder *b = tag_builder_new();
	struct index_entry e = { .everyone = 1, .tags = &tag, .n_tags = 1 };
	uint64_t visible[1] = { 0 };
	struct made m;

	(void)state;
	assert_int_equal(tag_builder_add(b, 3, &e), 0);
	open_made(b, 8, &m);
	assert_true(filter_knows(&m.t, "lang", NULL));
	assert_false(filter_knows(&m.t, "lnag", NULL));
	bits_add(visible, 7);
	assert_false(filter_knows(&m.t, "lang", visible));
	bits_add(visible, 3);
	assert_true(filter_knows(&m.t, "lang", visible));
	strbuf_release(&m.bytes);
}

static int find_key(void *arg, const char *key)
{
	return strcmp(key, arg) == 0;
}

static void test_filter__keys_are_those_of_the_whole_tree(void **state)
{
	struct index_filter leaf[] = { { .op = FILTER_EQ, .key = "lang" },
				       { .op = FILTER_EQ, .key = "lnag" } };
	struct index_filter inner = { .op = FILTER_OR, .children = leaf, .n_children = 2 };
	struct index_filter tree = { .op = FILTER_AND, .children = &inner, .n_children = 1 };
	char lnag[] = "lnag", other[] = "other";

	(void)state;
	assert_int_equal(filter_keys(&tree, find_key, lnag), 1);
	assert_int_equal(filter_keys(&tree, find_key, other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter__equals_a_look_at_every_entry),
		cmocka_unit_test(test_filter__merged_tags_are_those_of_the_parts),
		cmocka_unit_test(test_filter__damaged_tags_are_refused_or_harmless),
		cmocka_unit_test(test_filter__a_missing_key_never_matches),
		cmocka_unit_test(test_filter__types_are_told_apart),
		cmocka_unit_test(test_filter__strings_are_ordered_by_bytes),
		cmocka_unit_test(test_filter__keys_are_known_by_what_may_be_seen),
		cmocka_unit_test(test_filter__keys_are_those_of_the_whole_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
