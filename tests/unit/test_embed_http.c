#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "embed/embed.h"
#include "embed/estimate.h"
#include "embed/http_wire.h"

#define DIM 2

static void test_wire__a_request_holds_the_texts_in_order(void **state)
{
	const struct text texts[] = { { "one", 3 }, { "\"two\"\n", 6 } };
	char *body = wire_request("m/1", texts, 2);

	(void)state;
	assert_string_equal(
		body,
		"{\"encoding_format\":\"float\",\"input\":[\"one\",\"\\\"two\\\"\\n\"],\"model\":\"m/1\"}");
	free(body);
}

static void test_wire__vectors_come_in_the_order_of_index_and_of_unit_length(void **state)
{
	static const char answer[] =
		"{\"data\":[{\"index\":1,\"embedding\":[0,-2]},{\"index\":0,\"embedding\":"
		"[3,4.0],\"object\":\"embedding\"}],\"usage\":{}}";
	float out[2 * DIM];
	struct error e = { 0 };

	(void)state;
	assert_int_equal(wire_vectors(answer, strlen(answer), 2, DIM, out, &e), 0);
	assert_true(fabsf(out[0] - .6f) < 1e-6f && fabsf(out[1] - .8f) < 1e-6f);
	assert_true(out[2] == 0 && out[3] == -1);
}

static void test_wire__tiny_and_huge_vectors_are_brought_to_unit_length(void **state)
{
	static const char *const answers[] = {
		"{\"data\":[{\"index\":0,\"embedding\":[3e-30,4e-30]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[3e37,4e37]}]}",
	};
	float out[DIM];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(wire_vectors(answers[i], strlen(answers[i]), 1, DIM, out, NULL), 0);
		assert_true(fabsf(out[0] - .6f) < 1e-6f && fabsf(out[1] - .8f) < 1e-6f);
	}
}

static void test_wire__what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *answer, *message;
	} bad[] = {
		{ "", "not JSON" },
		{ "{\"data\":[", "not JSON" },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1,NaN]}]}", "not JSON" },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1,1e999]}]}", "not JSON" },
		{ "[]", "no list \"data\"" },
		{ "{\"data\":{}}", "no list \"data\"" },
		{ "{\"data\":[]}", "0 vectors for 1 texts" },
		{ "{\"data\":[1]}", "\"index\"" },
		{ "{\"data\":[{\"embedding\":[1,2]}]}", "\"index\"" },
		{ "{\"data\":[{\"index\":-1,\"embedding\":[1,2]}]}", "\"index\"" },
		{ "{\"data\":[{\"index\":1,\"embedding\":[1,2]}]}", "\"index\"" },
		{ "{\"data\":[{\"index\":0}]}", "\"embedding\"" },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1]}]}", "1 dimensions where 2 are expected" },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}]}", "3 dimensions where 2 are expected" },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1,true]}]}", "finite numbers" },
		{ "{\"data\":[{\"index\":0,\"embedding\":[1,1e39]}]}", "finite numbers" },
		{ "{\"data\":[{\"index\":0,\"embedding\":[0,-0.0]}]}", "length 0" },
	};
	float out[DIM];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error e = { 0 };
		assert_int_equal(wire_vectors(bad[i].answer, strlen(bad[i].answer), 1, DIM, out, &e),
				 ERR_MODEL);
		if (!strstr(e.message, bad[i].message))
			fail_msg("%s: %s", bad[i].answer, e.message);
	}
}

static void test_wire__an_index_twice_is_refused(void **state)
{
	static const char answer[] =
		"{\"data\":[{\"index\":0,\"embedding\":[1,2]},{\"index\":0,\"embedding\":[1,2]}]}";
	float out[2 * DIM];

	(void)state;
	assert_int_equal(wire_vectors(answer, strlen(answer), 2, DIM, out, NULL), ERR_MODEL);
}

static void test_wire__dimensions_are_those_of_the_answer(void **state)
{
	static const char three[] = "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}]}";
	static const char none[] = "{\"data\":[{\"index\":0,\"embedding\":[]}]}";
	struct error e = { 0 };
	size_t dim = 0;

	(void)state;
	assert_int_equal(wire_dimensions(three, strlen(three), &dim, &e), 0);
	assert_int_equal(dim, 3);
	assert_int_equal(wire_dimensions(none, strlen(none), &dim, &e), ERR_MODEL);
	assert_non_null(strstr(e.message, "0 dimensions"));
}

static void test_estimate__stops_between_characters(void **state)
{
	static const char text[] = "authentication \xe4\xb8\xad\xe6\x96\x87";
	size_t bytes;

	(void)state;
	assert_int_equal(estimate_tokens(text, strlen(text), SIZE_MAX, &bytes), 4);
	assert_int_equal(bytes, strlen(text));
	assert_int_equal(estimate_tokens(text, strlen(text), 3, &bytes), 3);
	assert_int_equal(bytes, strlen("authentication ") + 3);
	assert_int_equal(estimate_tokens(text, strlen(text), 1, &bytes), 1);
	assert_int_equal(bytes, 9);
	assert_int_equal(estimate_tokens("", 0, 5, &bytes), 0);
	assert_int_equal(bytes, 0);
}

/* With `dimensions` given nothing is asked, so no server is needed to open. */
static void test_http__opens_without_a_server_when_dimensions_are_given(void **state)
{
	struct embedder_options o = {
		.kind = "http", .url = "https://host.example:8443/v1//", .remote_model = "m", .dimensions = 7
	};
	struct embedder *m;
	struct error e = { 0 };

	(void)state;
	assert_int_equal(embedder_open(&o, &m, &e), 0);
	assert_string_equal(embedder_info(m)->id, "http:m");
	assert_int_equal(embedder_info(m)->dim, 7);
	assert_string_equal(embedder_info(m)->weights, "");
	assert_string_equal(embedder_info(m)->precision, "float32");
	assert_int_equal(embedder_count(m, "How do I reset it?", 18), 6);
	assert_int_equal(embedder_embed(m, NULL, 0, NULL, &e), 0);
	embedder_close(m);
}

static void test_http__a_url_without_the_kind_is_no_silent_choice(void **state)
{
	struct embedder_options o = { .url = "http://127.0.0.1/v1", .remote_model = "m", .dimensions = 7 };
	struct embedder *m;
	struct error e = { 0 };

	(void)state;
	assert_int_equal(embedder_open(&o, &m, &e), ERR_CONFIG);
	assert_non_null(strstr(e.message, "--embedder http"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire__a_request_holds_the_texts_in_order),
		cmocka_unit_test(test_wire__vectors_come_in_the_order_of_index_and_of_unit_length),
		cmocka_unit_test(test_wire__tiny_and_huge_vectors_are_brought_to_unit_length),
		cmocka_unit_test(test_wire__what_is_wrong_is_said),
		cmocka_unit_test(test_wire__an_index_twice_is_refused),
		cmocka_unit_test(test_wire__dimensions_are_those_of_the_answer),
		cmocka_unit_test(test_estimate__stops_between_characters),
		cmocka_unit_test(test_http__opens_without_a_server_when_dimensions_are_given),
		cmocka_unit_test(test_http__a_url_without_the_kind_is_no_silent_choice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
