#include "unit/unit.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/strbuf.h"

static int parse(const char *s, size_t n, struct error *e)
{
	JSON_AUTO *j = NULL;

	return json_parse(s, n, e, &j);
}

static void test_json_parse__tells_what_is_wrong(void **state)
{
	static const struct {
		const char *s;
		size_t n;
		int code;
	} cases[] = {
		{ "", 0, ERR_BAD_JSON },
		{ "{\"a\":1", 6, ERR_BAD_JSON },
		{ "{\"a\":1}x", 8, ERR_BAD_JSON },
		{ "{\"a\":1,\"a\":2}", 13, ERR_BAD_JSON },
		{ "{\"a\":NaN}", 9, ERR_BAD_JSON },
		{ "\"\xff\"", 3, ERR_BAD_UTF8 },
		{ "\"\xed\xa0\x80\"", 5, ERR_BAD_UTF8 },
		{ "\"\0\"", 3, ERR_BAD_UTF8 },
		{ "\"\\u0000\"", 8, ERR_BAD_UTF8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error e = { 0 };
		if (parse(cases[i].s, cases[i].n, &e) != cases[i].code)
			fail_msg("case %zu: code %d, \"%s\"", i, e.code, e.message);
		assert_int_equal(e.code, cases[i].code);
	}
}

static void test_json_parse__refuses_deep_nesting_but_not_brackets_in_strings(void **state)
{
	char deep[2 * (JSON_MAX_DEPTH + 1) + 1], flat[512];
	struct error e;

	(void)state;
	memset(deep, '[', JSON_MAX_DEPTH + 1);
	memset(deep + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	assert_int_equal(parse(deep, sizeof(deep) - 1, &e), ERR_TOO_LARGE);
	assert_int_equal(parse(deep + 1, sizeof(deep) - 3, &e), OK);
	memset(flat, '[', sizeof(flat));
	flat[0] = flat[sizeof(flat) - 1] = '"';
	assert_int_equal(parse(flat, sizeof(flat), &e), OK);
}

static struct reader reader_of(const char *s, json_t **j, struct error *e)
{
	struct reader r;

	assert_int_equal(json_parse(s, strlen(s), e, j), OK);
	reader_init(&r, *j, NULL, e);
	return r;
}

static void test_reader__an_unknown_field_is_an_error_that_names_it(void **state)
{
	struct error e;
	JSON_AUTO *j = NULL;
	struct text t = { 0 };
	struct reader r = reader_of("{\"text\":\"x\",\"txet\":1}", &j, &e);

	(void)state;
	reader_string(&r, "text", REQUIRED, 10, &t);
	assert_int_equal(reader_done(&r), ERR_UNKNOWN_FIELD);
	assert_string_equal(e.param, "txet");
}

static void test_reader__keeps_the_first_error_and_its_path(void **state)
{
	struct error e;
	JSON_AUTO *j = NULL;
	struct text t = { 0 };
	int64_t n = 7;

	(void)state;
	assert_int_equal(json_parse("{\"a\":5,\"n\":\"x\"}", 15, &e, &j), OK);
	struct reader r;
	reader_init(&r, j, "turns[3]", &e);
	reader_string(&r, "a", REQUIRED, 10, &t);
	reader_int(&r, "n", REQUIRED, 0, 9, &n);
	assert_int_equal(reader_done(&r), ERR_WRONG_TYPE);
	assert_string_equal(e.param, "turns[3].a");
	assert_null(t.s);
	assert_int_equal(n, 7);
}

static void test_reader__checks_each_type_and_range(void **state)
{
	static const struct {
		const char *body;
		int code;
	} cases[] = {
		{ "{}", ERR_MISSING_FIELD },
		{ "{\"v\":null}", ERR_MISSING_FIELD },
		{ "{\"v\":1.5}", ERR_WRONG_TYPE },
		{ "{\"v\":\"1\"}", ERR_WRONG_TYPE },
		{ "{\"v\":10}", ERR_BAD_VALUE },
		{ "{\"v\":-1}", ERR_BAD_VALUE },
		{ "{\"v\":9}", OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error e = { 0 };
		JSON_AUTO *j = NULL;
		int64_t v = 0;
		struct reader r = reader_of(cases[i].body, &j, &e);
		reader_int(&r, "v", REQUIRED, 0, 9, &v);
		assert_int_equal(reader_done(&r), cases[i].code);
	}
}

static void test_reader__texts_words_and_lists(void **state)
{
	struct error e;
	JSON_AUTO *j = NULL;
	struct text t = { 0 };
	json_t *list = NULL;
	struct reader r = reader_of(
		"{\"w\":\"maybe\",\"l\":[\"a\",\"\"],\"blank\":\" \\n\",\"long\":\"abcdef\"}", &j, &e);

	(void)state;
	struct reader w = r, l = r, b = r, g = r;
	reader_word(&w, "w", REQUIRED, "yes|no|may", &t);
	assert_int_equal(w.rc, ERR_BAD_VALUE);
	reader_strings(&l, "l", REQUIRED, 5, 5, &list);
	assert_int_equal(l.rc, ERR_EMPTY_TEXT);
	assert_string_equal(e.param, "l[1]");
	reader_string(&b, "blank", REQUIRED, 5, &t);
	assert_int_equal(b.rc, ERR_EMPTY_TEXT);
	reader_text(&g, "long", REQUIRED, 5, &t);
	assert_int_equal(g.rc, ERR_TOO_LARGE);
	assert_null(t.s);
	assert_null(list);
}

static void test_reader__refuses_what_is_not_an_object(void **state)
{
	struct error e;
	JSON_AUTO *j = NULL;
	struct reader r = reader_of("[1]", &j, &e);

	(void)state;
	assert_int_equal(reader_done(&r), ERR_WRONG_TYPE);
}

/* A vector of these numbers, by the parser and packed: the same floats. */
static void same_as_parsed(struct arena *a, const char *numbers, int packed)
{
	char *text = arena_printf(
		a, "{\"a\": {\"vector\": [1]}, \"s\": \"[\\\"vector\\\":[\", \"vector\" : [%s] , \"k\": 3}",
		numbers);
	json_t *plain, *body;
	size_t n;

	assert_int_equal(json_parse_arena(a, text, strlen(text), NULL, &plain), 0);
	assert_int_equal(json_parse_packed(a, text, strlen(text), NULL, &body), 0);
	const json_t *want = json_object_get(plain, "vector"), *got = json_object_get(body, "vector");
	assert_int_equal(json_is_packed(got), packed);
	assert_int_equal(json_integer_value(json_object_get(body, "k")), 3);
	if (!packed) {
		assert_true(json_equal(plain, body));
		return;
	}
	const char *floats = json_packed(got, &n);
	assert_int_equal(n, json_array_size(want));
	for (size_t i = 0; i < n; i++) {
		float f, w = (float)json_number_value(json_array_get(want, i));
		memcpy(&f, floats + i * sizeof(f), sizeof(f));
		assert_true(f == w);
	}
	assert_int_equal(json_unpack_all(body), 0);
	assert_int_equal(json_array_size(json_object_get(body, "vector")), n);
}

static void test_json_packed__vectors_are_those_of_the_parser(void **state)
{
	struct arena *a = arena_new(4096);
	unsigned seed = 7;

	(void)state;
	same_as_parsed(
		a,
		"0, -0.0, 1, -1, 0.1, 1e-3, 1E+2, -2.5e-7, 123456789, 0.03125, 9.9e22, 1e-22, -3.896341e-33, 1.0e-44, 12345678901234567e-30, 3.14159265, 5, 6, 7",
		1);
	for (int round = 0; round < 200; round++) {
		STRBUF_AUTO b = STRBUF_INIT;
		for (int i = 0; i < 40; i++) {
			seed = seed * 1664525u + 1013904223u;
			double x = ((double)seed / 4294967296. - .5) * (round % 3 ? 1 : 1e-4);
			strbuf_printf(&b, round % 2 ? "%s%.9g" : "%s%.7f", i ? "," : "", x);
		}
		strbuf_add(&b, "", 1);
		same_as_parsed(a, b.p, 1);
	}
	/* Short ones, and what is not plain, are left to the parser. */
	same_as_parsed(a, "1, 2, 3", 0);
	same_as_parsed(a, "", 0);
	same_as_parsed(a, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,\"a\"", 0);
	same_as_parsed(a, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,[17]", 0);
	same_as_parsed(a, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,0.12345678901234567890123", 0);
	arena_free(a);
}

static void test_json_packed__what_is_wrong_is_told_as_ever(void **state)
{
	static const char *const bad[] = { "01",  "1.",  "+1", ".5", "1e", "-",
					   "1 2", "nan", "1,", ",1", "1]", "0x1" };
	struct arena *a = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = arena_printf(a, "{\"vector\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,%s]}",
					  bad[i]);
		struct error e = { 0 }, f = { 0 };
		json_t *j;
		assert_int_equal(json_parse_packed(a, text, strlen(text), &e, &j), ERR_BAD_JSON);
		assert_int_equal(json_parse_arena(a, text, strlen(text), &f, &j), ERR_BAD_JSON);
		assert_string_equal(e.message, f.message);
	}
	static const char twice[] = "{\"vector\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16], \"vector\": 1}";
	json_t *j;
	assert_int_equal(json_parse_packed(a, twice, strlen(twice), NULL, &j), ERR_BAD_JSON);
	for (size_t n = 0; n + 1 < sizeof(twice); n++)
		assert_int_equal(json_parse_packed(a, twice, n, NULL, &j), ERR_BAD_JSON);
	/* No string of a request is taken for one. */
	static const char text[] = "{\"vector\": \"\\u00fff32abcd\"}";
	assert_int_equal(json_parse_packed(a, text, strlen(text), NULL, &j), 0);
	assert_false(json_is_packed(json_object_get(j, "vector")));
	arena_free(a);
}

static void test_json_text__is_the_same_for_equal_values(void **state)
{
	struct error e;
	JSON_AUTO *a = NULL, *b = NULL;
	char *ta, *tb;

	(void)state;
	assert_int_equal(json_parse("{\"b\":1,\"a\":[true, 2.5]}", 23, &e, &a), OK);
	assert_int_equal(json_parse("{\"a\":[true,2.5],\"b\":1}", 22, &e, &b), OK);
	ta = json_text(a, NULL);
	tb = json_text(b, NULL);
	assert_string_equal(ta, tb);
	free(ta);
	free(tb);
}

static void test_jsonw__reads_back_as_what_was_written(void **state)
{
	static const char odd[] = "a\"b\\c\n\t\x01\x1f/\xc3\xa9{[:";
	STRBUF_AUTO b = STRBUF_INIT;
	JSON_AUTO *tree = json_pack("{s:[i,i],s:n}", "list", 1, 2, "nothing");

	(void)state;
	jsonw_open(&b, '{');
	jsonw_key(&b, "odd\"");
	jsonw_string(&b, odd, sizeof(odd) - 1);
	jsonw_key(&b, "list");
	jsonw_open(&b, '[');
	jsonw_int(&b, INT64_MIN);
	jsonw_int(&b, 0);
	jsonw_open(&b, '{');
	jsonw_close(&b, '}');
	jsonw_string(&b, "", 0);
	jsonw_value(&b, tree);
	jsonw_value(&b, NULL);
	jsonw_open(&b, '[');
	jsonw_close(&b, ']');
	jsonw_close(&b, ']');
	jsonw_close(&b, '}');
	JSON_AUTO *want = json_pack("{s:s%, s:[I,i,{},s,O,n,[]]}", "odd\"", odd, sizeof(odd) - 1, "list",
				    (json_int_t)INT64_MIN, 0, "", tree);
	JSON_AUTO *got = json_loadb(b.p, b.n, 0, NULL);
	assert_non_null(want);
	if (!json_equal(got, want))
		fail_msg("%s", b.p);
}

static void test_jsonw__decimals(void **state)
{
	static const struct {
		double x;
		const char *text;
	} cases[] = {
		{ 0, "0.0" },
		{ 1, "1.0" },
		{ -1.5, "-1.5" },
		{ -0.0, "0.0" },
		{ 0.72, "0.72" },
		{ 12.25, "12.25" },
		{ 1e-6, "0.000001" },
		{ 4e-7, "0.0" },
		{ -0.0000005, "-0.000001" },
		{ 0.9999999, "1.0" },
		{ 123456.654321, "123456.654321" },
		{ 1e12, "1000000000000.0" },
		{ (double)INFINITY, "null" },
		{ (double)NAN, "null" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		STRBUF_AUTO b = STRBUF_INIT;
		jsonw_decimal(&b, cases[i].x);
		assert_string_equal(b.p, cases[i].text);
	}
}

static void test_error_prefix__puts_the_outer_path_in_front(void **state)
{
	struct error e;

	(void)state;
	error_set(&e, ERR_BAD_VALUE, "role", "x");
	error_prefix(&e, "turns[3]");
	assert_string_equal(e.param, "turns[3].role");
	error_set(&e, ERR_BAD_VALUE, NULL, "x");
	error_prefix(&e, "turns");
	assert_string_equal(e.param, "turns");
}

static void test_error_kind__every_row_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; error_kind_at(i); i++)
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(error_kind_at(i)->code, error_kind_at(j)->code);
			assert_string_not_equal(error_kind_at(i)->name, error_kind_at(j)->name);
		}
	assert_string_equal(error_kind(-1)->name, "internal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_parse__tells_what_is_wrong),
		cmocka_unit_test(test_json_parse__refuses_deep_nesting_but_not_brackets_in_strings),
		cmocka_unit_test(test_reader__an_unknown_field_is_an_error_that_names_it),
		cmocka_unit_test(test_reader__keeps_the_first_error_and_its_path),
		cmocka_unit_test(test_reader__checks_each_type_and_range),
		cmocka_unit_test(test_reader__texts_words_and_lists),
		cmocka_unit_test(test_reader__refuses_what_is_not_an_object),
		cmocka_unit_test(test_json_packed__vectors_are_those_of_the_parser),
		cmocka_unit_test(test_json_packed__what_is_wrong_is_told_as_ever),
		cmocka_unit_test(test_json_text__is_the_same_for_equal_values),
		cmocka_unit_test(test_jsonw__reads_back_as_what_was_written),
		cmocka_unit_test(test_jsonw__decimals),
		cmocka_unit_test(test_error_prefix__puts_the_outer_path_in_front),
		cmocka_unit_test(test_error_kind__every_row_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
