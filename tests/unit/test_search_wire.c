/* What goes over the wire: hits as JSON, filters and vectors that are read, search ids. */
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
#include "base/crypto.h"
#include "engine/search.h"

#define DIM 3

struct bench {
	struct arena *arena;
	struct error err;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->arena = arena_new(1 << 16);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	arena_free(b->arena);
	free(b);
	return 0;
}

static struct text text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void check_json(const struct search_hit *h, int explain, const char *expected)
{
	JSON_AUTO *got = search_hit_json(h, explain);
	JSON_AUTO *want = json_loads(expected, 0, NULL);

	assert_non_null(want);
	if (!json_equal(got, want))
		fail_msg("%s", json_dumps(got, JSON_COMPACT | JSON_REAL_PRECISION(9)));
}

static const struct index_hit raw = { .vector_rank = 2,
				      .words_rank = 1,
				      .vector = 0.5f,
				      .words = 12.25f,
				      .title = NAN,
				      .whole = 0.25f,
				      .chunk = 0.75f };

static void test_json__of_a_document(void **state)
{
	struct bench *b = *state;
	json_t *body = json_pack("{s:s,s:n,s:s,s:[s],s:{s:s},s:I,s:s}", "title", "T", "url", "source", "kb",
				 "acl", "tier1", "attributes", "lang", "en", "updated_at", (json_int_t)1000,
				 "version", "sha256:x");
	struct span mark = { 0, 3 };
	struct search_boost boost = { "usefulness", "helped", 0.02 };
	struct search_hit h = { .kind = COLLECTION_DOCUMENT,
				.record = { .id = "d-1", .body = json_keep(b->arena, body) },
				.raw = raw,
				.vector = 0.6,
				.words = 0.1,
				.boosts = &boost,
				.n_boosts = 1,
				.part_n = 3,
				.part = { 18, 26 },
				.text = { "the text", 8 },
				.highlights = &mark,
				.n_highlights = 1,
				.sentence = { 0, 8 } };

	check_json(
		&h, 1,
		"{\"kind\":\"document\",\"id\":\"d-1\",\"title\":\"T\",\"url\":null,\"source\":\"kb\",\"version\":\"sha256:x\","
		"\"updated_at\":\"1970-01-01T00:00:01Z\",\"attributes\":{\"lang\":\"en\"},"
		"\"chunk\":{\"n\":3,\"start\":18,\"end\":26},\"text\":\"the text\","
		"\"highlights\":[{\"start\":0,\"end\":3}],\"sentence\":{\"start\":0,\"end\":8},\"score\":0.72,"
		"\"sources\":{\"words\":{\"rank\":1,\"score\":12.25,\"contribution\":0.1},"
		"\"vector\":{\"rank\":2,\"score\":0.5,\"contribution\":0.6,\"parts\":{\"whole\":0.25,\"chunk\":0.75}}},"
		"\"boosts\":[{\"name\":\"usefulness\",\"contribution\":0.02,\"because\":\"helped\"}]}");
	h.raw.words_rank = 0;
	h.n_boosts = 0;
	h.words = 0;
	JSON_AUTO *j = search_hit_json(&h, 0);
	assert_null(json_object_get(j, "boosts"));
	assert_null(json_object_get(json_object_get(j, "sources"), "words"));
	assert_null(json_object_get(json_object_get(json_object_get(j, "sources"), "vector"), "parts"));
}

static void test_json__of_a_case_and_a_conversation(void **state)
{
	struct bench *b = *state;
	json_t *body = json_pack("{s:s,s:s,s:s,s:s,s:[s],s:s,s:s,s:[],s:[]}", "conversation", "c-1", "intent",
				 "i", "problem", "p", "resolution", "r", "steps", "s", "outcome", "resolved",
				 "resolved_at", "2026-06-01T08:00:00Z", "acl", "documents");
	struct search_hit h = { .kind = COLLECTION_CASE,
				.record = { .id = "x", .body = json_keep(b->arena, body) },
				.raw = { .words_rank = 1, .words = 2 },
				.words = 1,
				.text = { "p", 1 } };

	check_json(
		&h, 0,
		"{\"kind\":\"case\",\"id\":\"x\",\"intent\":\"i\",\"problem\":\"p\",\"resolution\":\"r\",\"steps\":[\"s\"],"
		"\"outcome\":\"resolved\",\"resolved_at\":\"2026-06-01T08:00:00Z\",\"conversation_id\":\"c-1\","
		"\"text\":\"p\",\"score\":1.0,\"sources\":{\"words\":{\"rank\":1,\"score\":2.0,\"contribution\":1.0}}}");
	h.kind = COLLECTION_CONVERSATION;
	h.part_n = 2;
	h.text = text_of("hi");
	h.record.body = json_keep(b->arena,
				  json_pack("{s:s,s:I,s:s,s:s}", "customer", "u-1", "started_at",
					    (json_int_t)0, "state", "open", "customer_name", "Ann"));
	check_json(
		&h, 0,
		"{\"kind\":\"conversation\",\"id\":\"x\",\"customer_id\":\"u-1\",\"state\":\"open\",\"attributes\":{},"
		"\"started_at\":\"1970-01-01T00:00:00Z\",\"turn\":{\"n\":2,\"text\":\"hi\"},\"text\":\"hi\","
		"\"score\":1.0,\"sources\":{\"words\":{\"rank\":1,\"score\":2.0,\"contribution\":1.0}}}");
}

/* --- reading ------------------------------------------------------------------------------------ */

static int read_filter(struct bench *b, const char *json, const struct index_filter **f)
{
	json_t *j = json_keep(b->arena, json_loads(json, JSON_DECODE_ANY, NULL));

	assert_non_null(j);
	return search_read_filter(b->arena, j, "filter", f, &b->err);
}

static void test_filter__is_read(void **state)
{
	struct bench *b = *state;
	const struct index_filter *f;

	assert_int_equal(search_read_filter(b->arena, NULL, "filter", &f, &b->err), 0);
	assert_null(f);
	assert_int_equal(
		read_filter(
			b,
			"{\"type\":\"and\",\"filters\":[{\"type\":\"in\",\"key\":\"lang\",\"value\":[\"en\",7,true]},"
			"{\"type\":\"gte\",\"key\":\"n\",\"value\":2.5},{\"type\":\"nin\",\"key\":\"x\",\"value\":[]}]}",
			&f),
		0);
	assert_int_equal(f->op, FILTER_AND);
	assert_int_equal(f->n_children, 3);
	assert_int_equal(f->children[0].op, FILTER_IN);
	assert_string_equal(f->children[0].key, "lang");
	assert_int_equal(f->children[0].n_values, 3);
	assert_memory_equal(f->children[0].values[0].s.s, "en", 3);
	assert_int_equal(f->children[0].values[1].type, VALUE_NUMBER);
	assert_int_equal(f->children[0].values[2].type, VALUE_BOOL);
	assert_true(f->children[1].values[0].number == 2.5);
	assert_int_equal(f->children[2].n_values, 0);
}

static void test_filter__errors_name_the_place(void **state)
{
	static const struct {
		const char *json;
		int code;
		const char *param;
	} wrong[] = {
		{ "7", ERR_WRONG_TYPE, "filter" },
		{ "{}", ERR_MISSING_FIELD, "filter.type" },
		{ "{\"type\":\"is\",\"key\":\"a\",\"value\":1}", ERR_BAD_FILTER, "filter.type" },
		{ "{\"type\":\"eq\",\"value\":1}", ERR_MISSING_FIELD, "filter.key" },
		{ "{\"type\":\"eq\",\"key\":\"a\"}", ERR_MISSING_FIELD, "filter.value" },
		{ "{\"type\":\"eq\",\"key\":\"a\",\"value\":{}}", ERR_WRONG_TYPE, "filter.value" },
		{ "{\"type\":\"eq\",\"key\":\"a\",\"value\":1,\"kye\":2}", ERR_UNKNOWN_FIELD, "filter.kye" },
		{ "{\"type\":\"gt\",\"key\":\"a\",\"value\":true}", ERR_WRONG_TYPE, "filter.value" },
		{ "{\"type\":\"in\",\"key\":\"a\",\"value\":1}", ERR_WRONG_TYPE, "filter.value" },
		{ "{\"type\":\"in\",\"key\":\"a\",\"value\":[1,[]]}", ERR_WRONG_TYPE, "filter.value[1]" },
		{ "{\"type\":\"or\",\"filters\":[]}", ERR_BAD_FILTER, "filter.filters" },
		{ "{\"type\":\"or\",\"filters\":{}}", ERR_WRONG_TYPE, "filter.filters" },
		{ "{\"type\":\"or\",\"filters\":[{\"type\":\"eq\",\"key\":\"a\",\"value\":1},{\"type\":\"lt\",\"key\":\"a\","
		  "\"value\":[]}]}",
		  ERR_WRONG_TYPE, "filter.filters[1].value" },
	};
	struct bench *b = *state;
	const struct index_filter *f = NULL;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int rc = read_filter(b, wrong[i].json, &f);
		if (rc != wrong[i].code || strcmp(b->err.param, wrong[i].param) != 0)
			fail_msg("%s: %d at '%s'", wrong[i].json, rc, b->err.param);
	}
	assert_null(f);
}

static const char *nested(struct arena *a, int depth)
{
	const char *s = "{\"type\":\"eq\",\"key\":\"a\",\"value\":1}";

	for (int i = 1; i < depth; i++)
		s = arena_printf(a, "{\"type\":\"and\",\"filters\":[%s]}", s);
	return s;
}

static void test_filter__is_bounded(void **state)
{
	struct bench *b = *state;
	const struct index_filter *f;
	char *many = arena_strdup(b->arena, nested(b->arena, 1));

	assert_int_equal(read_filter(b, nested(b->arena, 8), &f), 0);
	assert_int_equal(read_filter(b, nested(b->arena, 9), &f), ERR_BAD_FILTER);
	for (int i = 1; i < 99; i++)
		many = arena_printf(b->arena, "%s,%s", many, nested(b->arena, 1));
	assert_int_equal(
		read_filter(b, arena_printf(b->arena, "{\"type\":\"or\",\"filters\":[%s]}", many), &f), 0);
	many = arena_printf(b->arena, "%s,%s", many, nested(b->arena, 1));
	assert_int_equal(
		read_filter(b, arena_printf(b->arena, "{\"type\":\"or\",\"filters\":[%s]}", many), &f),
		ERR_BAD_FILTER);
}

static int read_vector(struct bench *b, const char *json, size_t dim, const float **v)
{
	json_t *j = json_keep(b->arena, json_loads(json, JSON_DECODE_ANY, NULL));

	return search_read_vector(b->arena, j, "vector", dim, v, &b->err);
}

static void test_vector__is_made_of_unit_length(void **state)
{
	struct bench *b = *state;
	const float *v;

	assert_int_equal(read_vector(b, "[3, 0, 4.0]", 3, &v), 0);
	assert_true(fabs(v[0] - 0.6) < 1e-6 && v[1] == 0 && fabs(v[2] - 0.8) < 1e-6);
	assert_int_equal(read_vector(b, "[1e-30, 0, 0]", 3, &v), 0);
	assert_true(v[0] == 1);
	assert_int_equal(read_vector(b, "[1, 2]", 3, &v), ERR_WRONG_DIMENSION);
	assert_int_equal(read_vector(b, "[]", 0, &v), ERR_WRONG_DIMENSION);
	assert_int_equal(read_vector(b, "[0, 0, 0]", 3, &v), ERR_BAD_VECTOR);
	assert_int_equal(read_vector(b, "[1e39, 0, 0]", 3, &v), ERR_BAD_VECTOR);
	assert_string_equal(b->err.param, "vector[0]");
	assert_int_equal(read_vector(b, "[1, \"a\", 0]", 3, &v), ERR_WRONG_TYPE);
	assert_string_equal(b->err.param, "vector[1]");
	assert_int_equal(read_vector(b, "7", 3, &v), ERR_WRONG_TYPE);
}

/* --- search ids --------------------------------------------------------------------------------- */

static const unsigned char secret[32] = { 1, 2, 3 }, other[32] = { 9 };

static void test_id__names_what_was_shown(void **state)
{
	struct bench *b = *state;
	struct search_hit hits[] = { { .kind = COLLECTION_DOCUMENT, .record = { .id = "help-12" } },
				     { .kind = COLLECTION_CASE, .record = { .id = "\xc3\xa9 \"x\"" } } };
	struct search_result r = { .hits = hits, .n = 2 };
	const char *id = search_id_make(b->arena, secret, &r);
	json_t *shown;

	assert_memory_equal(id, "s_", 2);
	assert_int_equal(search_id_read(b->arena, secret, text_of(id), &shown, &b->err), 0);
	JSON_AUTO *hits_json = json_pack("[[s,s],[s,s]]", "document", "help-12", "case", "\xc3\xa9 \"x\"");
	assert_true(json_equal(json_object_get(shown, "hits"), hits_json));
	assert_true(json_integer_value(json_object_get(shown, "at")) > 0);
}

static void test_id__is_refused_unless_genuine(void **state)
{
	struct bench *b = *state;
	struct search_hit hit = { .kind = COLLECTION_DOCUMENT, .record = { .id = "help-12" } };
	struct search_result r = { .hits = &hit, .n = 1 };
	const char *id = search_id_make(b->arena, secret, &r);
	json_t *shown = NULL;

	assert_int_equal(search_id_read(b->arena, other, text_of(id), &shown, &b->err), ERR_BAD_ID);
	for (size_t i = 0; i < strlen(id); i++) {
		char *bent = arena_strdup(b->arena, id);
		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		assert_int_equal(search_id_read(b->arena, secret, text_of(bent), &shown, &b->err),
				 ERR_BAD_ID);
		bent[i] = '\0';
		assert_int_equal(search_id_read(b->arena, secret, text_of(bent), &shown, &b->err),
				 ERR_BAD_ID);
	}
	assert_null(shown);
}

static void test_id__is_bounded(void **state)
{
	struct bench *b = *state;
	static struct search_hit hits[300];
	struct search_result r = { .hits = hits, .n = 300 };
	char long_id[513];
	json_t *shown;

	memset(long_id, '"', 512);
	long_id[512] = '\0';
	for (int i = 0; i < 300; i++)
		hits[i].record.id = i == 0 ? "a" : long_id;
	const char *id = search_id_make(b->arena, secret, &r);
	assert_true(strlen(id) < 14000);
	assert_int_equal(search_id_read(b->arena, secret, text_of(id), &shown, &b->err), 0);
	assert_int_equal(json_array_size(json_object_get(shown, "hits")), 8);
	for (int i = 0; i < 300; i++)
		hits[i].record.id = "a";
	id = search_id_make(b->arena, secret, &r);
	assert_int_equal(search_id_read(b->arena, secret, text_of(id), &shown, &b->err), 0);
	assert_int_equal(json_array_size(json_object_get(shown, "hits")), 50);
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_json__of_a_document),      TEST(test_json__of_a_case_and_a_conversation),
		TEST(test_filter__is_read),          TEST(test_filter__errors_name_the_place),
		TEST(test_filter__is_bounded),       TEST(test_vector__is_made_of_unit_length),
		TEST(test_id__names_what_was_shown), TEST(test_id__is_refused_unless_genuine),
		TEST(test_id__is_bounded),
	};

	crypto_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
