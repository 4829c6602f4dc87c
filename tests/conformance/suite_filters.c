/* suite_filters.c: who may see what, and attributes. */
#include "suite.h"

static struct index_value *string_value(struct fixture *f, const char *s)
{
	struct index_value *v = arena_alloc(f->a, sizeof(*v));

	*v = (struct index_value){ .type = VALUE_STRING, .s = text_from(s) };
	return v;
}

/* Values from a JSON array. */
static struct index_filter condition(struct fixture *f, enum filter_op op, const char *key,
				     const char *values)
{
	const json_t *list = json_of(f, values);
	size_t n = json_array_size(list);
	struct index_value *v = arena_alloc(f->a, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		const json_t *j = json_array_get(list, i);
		if (json_is_string(j))
			v[i] = *string_value(f, json_string_value(j));
		else
			v[i] = (struct index_value){ .type = json_is_boolean(j) ? VALUE_BOOL : VALUE_NUMBER,
						     .number = json_is_boolean(j) ? json_is_true(j)
										  : json_number_value(j) };
	}
	return (struct index_filter){ .op = op, .key = key, .values = v, .n_values = n };
}

static void put_tagged(struct fixture *f, const char *id, const char *tags)
{
	put_doc(f, (struct doc){ .id = id, .text = "apple", .vector = vector_random(f), .tags = tags });
}

static const char *filtered(struct fixture *f, struct index_filter filter)
{
	struct index_query q = query_all(f);

	q.filter = &filter;
	const char *by_vector = found_ids(f, &q);
	size_t allowed = search_ok(f, &q).allowed;
	query_words(f, &q, "apple");
	assert_string_equal(found_ids(f, &q), by_vector);
	assert_int_equal(search_ok(f, &q).n, allowed);
	return by_vector;
}

static void put_examples(struct fixture *f)
{
	put_tagged(f, "a", "{\"lang\":\"en\",\"n\":1,\"hot\":true,\"tags\":[\"x\",\"y\"]}");
	put_tagged(f, "b", "{\"lang\":\"de\",\"n\":2.5,\"hot\":false,\"tags\":[\"y\"]}");
	put_tagged(f, "c", "{\"lang\":\"EN\",\"n\":-3,\"tags\":[]}");
	put_tagged(f, "d", "{\"lang\":\"english\",\"n\":\"1\",\"hot\":\"true\"}");
	put_tagged(f, "e", NULL);
	put_tagged(f, "g", "{\"n\":[1,10],\"lang\":\"\",\"hot\":1}");
}

static void test_filter__operators(void **state)
{
	static const struct {
		enum filter_op op;
		const char *key, *values, *ids;
	} cases[] = {
		{ FILTER_EQ, "lang", "[\"en\"]", "a" },
		{ FILTER_EQ, "lang", "[\"\"]", "g" },
		{ FILTER_EQ, "lang", "[\"fr\"]", "" },
		{ FILTER_EQ, "n", "[1]", "a g" },
		{ FILTER_EQ, "n", "[1.0]", "a g" },
		{ FILTER_EQ, "n", "[\"1\"]", "d" },
		{ FILTER_EQ, "hot", "[true]", "a" },
		{ FILTER_EQ, "hot", "[false]", "b" },
		{ FILTER_EQ, "hot", "[1]", "g" },
		{ FILTER_EQ, "hot", "[\"true\"]", "d" },
		{ FILTER_EQ, "tags", "[\"y\"]", "a b" },
		{ FILTER_NE, "lang", "[\"en\"]", "b c d g" },
		{ FILTER_NE, "n", "[1]", "b c d" },
		{ FILTER_NE, "tags", "[\"x\"]", "b" },
		{ FILTER_NE, "hot", "[true]", "b d g" },
		{ FILTER_IN, "lang", "[\"en\",\"de\",\"fr\"]", "a b" },
		{ FILTER_IN, "n", "[10,\"1\",2.5]", "b d g" },
		{ FILTER_IN, "n", "[]", "" },
		{ FILTER_NIN, "lang", "[\"en\",\"de\"]", "c d g" },
		{ FILTER_NIN, "tags", "[\"x\",\"z\"]", "b" },
		{ FILTER_GT, "n", "[1]", "b g" },
		{ FILTER_GTE, "n", "[1]", "a b g" },
		{ FILTER_LT, "n", "[1]", "c" },
		{ FILTER_LTE, "n", "[1]", "a c g" },
		{ FILTER_GT, "n", "[9.99]", "g" },
		{ FILTER_LT, "n", "[-3]", "" },
		{ FILTER_GT, "lang", "[\"en\"]", "d" },
		{ FILTER_GTE, "lang", "[\"en\"]", "a d" },
		{ FILTER_LT, "lang", "[\"en\"]", "b c g" },
		{ FILTER_LTE, "lang", "[\"EN\"]", "c g" },
		{ FILTER_GT, "n", "[\"0\"]", "d" },
		{ FILTER_LT, "lang", "[5]", "" },
	};
	struct fixture *f = *state;

	put_examples(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *ids = filtered(f, condition(f, cases[i].op, cases[i].key, cases[i].values));
		if (strcmp(ids, cases[i].ids) != 0)
			fail_msg("case %zu, %s %s: \"%s\", not \"%s\"", i, cases[i].key, cases[i].values, ids,
				 cases[i].ids);
	}
}

static void test_filter__and_or_nest(void **state)
{
	struct fixture *f = *state;
	struct index_filter any[2], all[2], top;

	put_examples(f);
	any[0] = condition(f, FILTER_EQ, "lang", "[\"en\"]");
	any[1] = condition(f, FILTER_EQ, "lang", "[\"de\"]");
	top = (struct index_filter){ .op = FILTER_OR, .children = any, .n_children = 2 };
	assert_string_equal(filtered(f, top), "a b");
	all[0] = top;
	all[1] = condition(f, FILTER_GT, "n", "[1]");
	assert_string_equal(
		filtered(f, (struct index_filter){ .op = FILTER_AND, .children = all, .n_children = 2 }),
		"b");
	all[1] = condition(f, FILTER_EQ, "none", "[1]");
	assert_string_equal(
		filtered(f, (struct index_filter){ .op = FILTER_AND, .children = all, .n_children = 2 }), "");
	assert_string_equal(
		filtered(f, (struct index_filter){ .op = FILTER_OR, .children = all, .n_children = 2 }),
		"a b");
}

static void test_filter__tells_a_key_that_no_entry_of_the_collection_ever_had(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct index_filter children[3], filter;

	put_examples(f);
	filter = condition(f, FILTER_EQ, "lang", "[\"fr\"]");
	q.filter = &filter;
	assert_null(search_ok(f, &q).unknown_key);
	filter = condition(f, FILTER_NE, "langauge", "[\"fr\"]");
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 0);
	assert_string_equal(r.unknown_key, "langauge");
	children[0] = condition(f, FILTER_EQ, "lang", "[\"en\"]");
	children[1] = condition(f, FILTER_EQ, "no-such", "[\"en\"]");
	children[2] = condition(f, FILTER_EQ, "nor-this", "[\"en\"]");
	filter = (struct index_filter){ .op = FILTER_OR, .children = children, .n_children = 3 };
	r = search_ok(f, &q);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.unknown_key, "no-such");
	q.collection = COLLECTION_CASE;
	assert_string_equal(search_ok(f, &q).unknown_key, "lang");
}

static void test_filter__a_key_of_hidden_entries_is_as_one_that_none_has(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct index_filter filter = condition(f, FILTER_EQ, "secret", "[\"x\"]");
	const char *groups[] = { "tier1" };

	put_doc(f, (struct doc){ .id = "h",
				 .text = "apple",
				 .vector = vector_random(f),
				 .groups = "tier1",
				 .tags = "{\"secret\":\"x\"}" });
	q.filter = &filter;
	assert_null(search_ok(f, &q).unknown_key);
	q.all_groups = 0;
	assert_string_equal(search_ok(f, &q).unknown_key, "secret");
	q.groups = groups;
	q.n_groups = 1;
	assert_null(search_ok(f, &q).unknown_key);
}

static void test_filter__opposing_the_query_still_gives_k(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct index_filter filter = condition(f, FILTER_EQ, "side", "[\"far\"]");

	for (int i = 0; i < 120; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%03d", i),
					 .text = "t",
					 .vector = vector_near(f, i < 100 ? 0.9f : -0.9f + 0.001f * (float)i),
					 .tags = i < 100 ? "{\"side\":\"near\"}" : "{\"side\":\"far\"}" });
	q.filter = &filter;
	q.k = 5;
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, 5);
	assert_int_equal(r.allowed, 20);
	assert_finds(f, &q, "d115 d116 d117 d118 d119");
}

/* --- facets ------------------------------------------------------------------------------------------------- */

/* "en 2, de 1": the values of the first key that q asks for, in their order. */
static const char *facet(struct fixture *f, const struct index_query *q)
{
	struct index_result r = search_ok(f, q);
	const char *all = "";

	assert_non_null(r.facets);
	for (size_t i = 0; i < r.facets[0].n; i++) {
		const struct index_facet_value *v = &r.facets[0].values[i];
		const char *text = v->value.type == VALUE_NUMBER ? arena_printf(f->a, "%g", v->value.number)
				   : v->value.type == VALUE_BOOL
					   ? (v->value.number != 0 ? "true" : "false")
					   : arena_printf(f->a, "\"%.*s\"", (int)v->value.s.n, v->value.s.s);
		all = arena_printf(f->a, "%s%s%s %zu", all, i ? ", " : "", text, v->count);
	}
	return all;
}

static const char *facet_of(struct fixture *f, struct index_query q, const char *key)
{
	q.facets = &key;
	q.n_facets = 1;
	const char *by_vector = facet(f, &q);
	q.k = 1; /* what is counted does not depend on what is answered */
	assert_string_equal(facet(f, &q), by_vector);
	query_words(f, &q, "banana");
	assert_string_equal(facet(f, &q), by_vector);
	return by_vector;
}

static void test_facets__count_values_of_every_type_over_what_is_allowed(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_examples(f);
	put_tagged(f, "h", "{\"lang\":\"en\",\"n\":1,\"hot\":true,\"tags\":[\"x\",\"x\"]}");
	assert_string_equal(facet_of(f, q, "lang"), "\"en\" 2, \"\" 1, \"EN\" 1, \"de\" 1, \"english\" 1");
	assert_string_equal(facet_of(f, q, "n"), "1 3, \"1\" 1, -3 1, 2.5 1, 10 1");
	assert_string_equal(facet_of(f, q, "hot"), "true 2, \"true\" 1, 1 1, false 1");
	assert_string_equal(facet_of(f, q, "tags"), "\"x\" 2, \"y\" 2");
	assert_string_equal(facet_of(f, q, "no-such"), "");
	q.collection = COLLECTION_CASE;
	assert_string_equal(facet_of(f, q, "lang"), "");
	q.n_facets = 0;
	assert_null(search_ok(f, &q).facets);
}

static void test_facets__obey_filter_match_and_groups(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct index_filter filter;
	const char *groups[] = { "tier1" };

	put_examples(f);
	put_doc(f, (struct doc){ .id = "secret",
				 .text = "pear",
				 .vector = vector_random(f),
				 .groups = "tier1",
				 .tags = "{\"lang\":\"en\",\"n\":7}" });
	filter = condition(f, FILTER_GTE, "n", "[1]");
	q.filter = &filter;
	assert_string_equal(facet_of(f, q, "lang"), "\"en\" 2, \"\" 1, \"de\" 1");
	q.all_groups = 0;
	assert_string_equal(facet_of(f, q, "lang"), "\"\" 1, \"de\" 1, \"en\" 1");
	q.groups = groups;
	q.n_groups = 1;
	assert_string_equal(facet_of(f, q, "lang"), "\"en\" 2, \"\" 1, \"de\" 1");
	q.match = "pear";
	assert_string_equal(facet_of(f, q, "lang"), "\"en\" 1");
	q.match = "plum";
	assert_string_equal(facet_of(f, q, "lang"), "");
}

static void test_facets__follow_updates_deletes_and_retags(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_examples(f);
	put_doc(f, (struct doc){ .id = "a", .keep_rows = 1, .tags = "{\"lang\":\"de\",\"n\":2.5}" });
	assert_string_equal(facet_of(f, q, "lang"), "\"de\" 2, \"\" 1, \"EN\" 1, \"english\" 1");
	assert_string_equal(facet_of(f, q, "n"), "2.5 2, \"1\" 1, -3 1, 1 1, 10 1");
	delete_record(f, RECORD_DOCUMENT, "b");
	put_tagged(f, "c", "{\"lang\":\"english\"}");
	assert_string_equal(facet_of(f, q, "lang"), "\"english\" 2, \"\" 1, \"de\" 1");
	assert_string_equal(facet_of(f, q, "n"), "\"1\" 1, 1 1, 2.5 1, 10 1");
}

static void test_facets__give_the_most_frequent_hundred_and_keys_as_asked(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	const char *keys[] = { "many", "none", "side" };

	for (int i = 0; i < 120; i++)
		put_tagged(f, arena_printf(f->a, "d%03d", i),
			   arena_printf(f->a, "{\"many\":\"v%03d\",\"side\":%d}", i < 5 ? 119 : i, i % 2));
	q.facets = keys;
	q.n_facets = 3;
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.facets[0].n, INDEX_FACET_VALUES);
	assert_int_equal(r.facets[0].values[0].count, 6);
	assert_string_equal(r.facets[0].values[0].value.s.s, "v119");
	assert_string_equal(r.facets[0].values[1].value.s.s, "v005");
	assert_string_equal(r.facets[0].values[99].value.s.s, "v103");
	assert_int_equal(r.facets[1].n, 0);
	assert_int_equal(r.facets[2].n, 2);
	assert_int_equal(r.facets[2].values[0].count, 60);
}

/* --- groups ------------------------------------------------------------------------------------------------- */

static const char *seen_by(struct fixture *f, const char *const *groups, size_t n)
{
	struct index_query q = query_all(f);

	q.all_groups = 0;
	q.groups = groups;
	q.n_groups = n;
	const char *by_vector = found_ids(f, &q);
	query_words(f, &q, "apple");
	assert_string_equal(found_ids(f, &q), by_vector);
	q.match = "apple";
	assert_string_equal(found_ids(f, &q), by_vector);
	return by_vector;
}

static void put_for(struct fixture *f, const char *id, const char *groups)
{
	put_doc(f, (struct doc){ .id = id, .text = "apple", .vector = vector_random(f), .groups = groups });
}

static void test_acl__everyone_groups_nobody_and_all_groups(void **state)
{
	struct fixture *f = *state;
	const char *one[] = { "tier1" }, *two[] = { "billing", "tier1" },
		   *other[] = { "Tier1", "tier", "tier11", "" };
	struct index_query q = query_all(f);

	put_for(f, "everyone", NULL);
	put_for(f, "tier1", "tier1");
	put_for(f, "billing", "billing");
	put_for(f, "either", "tier1 billing");
	put_for(f, "nobody", "");
	assert_string_equal(seen_by(f, NULL, 0), "everyone");
	assert_string_equal(seen_by(f, one, 1), "either everyone tier1");
	assert_string_equal(seen_by(f, two, 2), "billing either everyone tier1");
	assert_string_equal(seen_by(f, other, 4), "everyone");
	assert_finds(f, &q, "billing either everyone nobody tier1");
}

static void test_acl__json_null_is_everyone(void **state)
{
	struct fixture *f = *state;
	struct doc d = { .id = "d", .text = "apple", .vector = vector_random(f) };
	struct change ch = *doc_change(f->a, &d);
	struct entry en = *ch.entry;
	struct event ev = { .stream = "document/d", .changes = &ch, .n = 1 };

	en.acl = json_null();
	ch.entry = &en;
	commit_ok(f, &ev);
	assert_string_equal(seen_by(f, NULL, 0), "d");
}

static void test_acl__a_retag_changes_visibility_at_once_both_ways(void **state)
{
	struct fixture *f = *state;
	const char *group[] = { "tier1" };
	struct rights rights = { .groups = group, .n_groups = 1 };
	struct index_query q = query_all(f);
	struct record *r;

	put_for(f, "a", "tier1");
	put_for(f, "b", "tier2");
	uint64_t entry[2];
	struct index_result found = search_ok(f, &q);
	entry[0] = hit_of(f, &found, "a")->entry;
	entry[1] = hit_of(f, &found, "b")->entry;
	for (int i = 0; i < 10; i++) {
		put_doc(f, (struct doc){ .id = "a", .keep_rows = 1, .groups = i % 2 ? "tier1" : "tier2" });
		put_doc(f, (struct doc){ .id = "b", .keep_rows = 1, .groups = i % 2 ? "" : NULL });
		assert_string_equal(seen_by(f, group, 1), i % 2 ? "a" : "b");
		assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, &rights, entry, 2, f->a, &r, &f->e), 0);
		assert_int_equal(r[0].id != NULL, i % 2 == 1);
		assert_int_equal(r[1].id != NULL, i % 2 == 0);
	}
	assert_int_equal(get_ok(f, RECORD_DOCUMENT, "a").revision, 11);
}

static void test_acl__and_filter_both_count(void **state)
{
	struct fixture *f = *state;
	const char *group[] = { "tier1" };
	struct index_filter filter = condition(f, FILTER_EQ, "lang", "[\"en\"]");
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "a",
				 .vector = vector_random(f),
				 .groups = "tier1",
				 .tags = "{\"lang\":\"en\"}" });
	put_doc(f, (struct doc){ .id = "b",
				 .vector = vector_random(f),
				 .groups = "tier2",
				 .tags = "{\"lang\":\"en\"}" });
	put_doc(f, (struct doc){ .id = "c",
				 .vector = vector_random(f),
				 .groups = "tier1",
				 .tags = "{\"lang\":\"de\"}" });
	q.filter = &filter;
	assert_finds(f, &q, "a b");
	q.all_groups = 0;
	q.groups = group;
	q.n_groups = 1;
	assert_finds(f, &q, "a");
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.allowed, 1);
	assert_true(r.exhausted);
}

const struct suite_test suite_filters[] = {
	SUITE_TEST(test_filter__operators),
	SUITE_TEST(test_filter__and_or_nest),
	SUITE_TEST(test_filter__tells_a_key_that_no_entry_of_the_collection_ever_had),
	SUITE_TEST(test_filter__a_key_of_hidden_entries_is_as_one_that_none_has),
	SUITE_TEST(test_filter__opposing_the_query_still_gives_k),
	SUITE_TEST(test_facets__count_values_of_every_type_over_what_is_allowed),
	SUITE_TEST(test_facets__obey_filter_match_and_groups),
	SUITE_TEST(test_facets__follow_updates_deletes_and_retags),
	SUITE_TEST(test_facets__give_the_most_frequent_hundred_and_keys_as_asked),
	SUITE_TEST(test_acl__everyone_groups_nobody_and_all_groups),
	SUITE_TEST(test_acl__json_null_is_everyone),
	SUITE_TEST(test_acl__a_retag_changes_visibility_at_once_both_ways),
	SUITE_TEST(test_acl__and_filter_both_count),
	{ NULL, NULL },
};
