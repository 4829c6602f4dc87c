/* The built-in embedder against an independent implementation: tests/quality/reference_embedder.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/file.h"
#include "embed/embed.h"
#include "embed/wordpiece.h"

#define DIM 384
#define WINDOW 256
#define VOCABULARY 30522
#define REFERENCE "tests/quality/embedder_reference.json"

/* In float32 all texts differ by less than 1e-6; bf16 keeps 8 bits of each factor. */
#define COSINE 0.9999

/* A text of the reference, its ids and its vector. */
static json_t *reference;

static struct text text_at(size_t i)
{
	const json_t *text = json_object_get(json_array_get(reference, i), "text");

	return (struct text){ json_string_value(text), json_string_length(text) };
}

static void vector_at(size_t i, float out[DIM])
{
	const json_t *v = json_object_get(json_array_get(reference, i), "vector");

	assert_int_equal(
		base64url_decode(json_string_value(v), json_string_length(v), out, DIM * sizeof(float)),
		DIM * sizeof(float));
}

/* Skips the test where no model is installed. */
static struct embedder *open_model(enum embed_precision p)
{
	struct embedder_options o = { .precision = p };
	struct embedder *m;
	struct error e = { 0 };
	int rc = embedder_open(&o, &m, &e);

	if (rc == ERR_CONFIG && p == PRECISION_BF16)
		skip(); /* no instructions for it here */
	if (rc < 0)
		fail_msg("%s", e.message);
	if (strcmp(embedder_info(m)->id, "none") == 0) {
		embedder_close(m);
		skip();
	}
	return m;
}

static void assert_parity(enum embed_precision p)
{
	struct embedder *m = open_model(p);
	size_t n = json_array_size(reference);
	float(*got)[DIM] = calloc(n, sizeof(*got)), want[DIM];
	struct text *texts = calloc(n, sizeof(*texts));
	double worst = 1;

	assert_true(got && texts);
	for (size_t i = 0; i < n; i++)
		texts[i] = text_at(i);
	assert_int_equal(embedder_embed(m, texts, n, got[0], NULL), 0);
	for (size_t i = 0; i < n; i++) {
		double cosine = 0;
		vector_at(i, want);
		for (size_t k = 0; k < DIM; k++)
			cosine += (double)got[i][k] * (double)want[k];
		if (cosine < COSINE)
			fail_msg("text %zu: cosine %.7f", i, cosine);
		worst = cosine < worst ? cosine : worst;
	}
	print_message("%s: %zu texts, smallest cosine %.7f\n", embedder_info(m)->precision, n, worst);
	free(texts);
	free(got);
	embedder_close(m);
}

static void test_embed_parity__float32(void **state)
{
	(void)state;
	assert_parity(PRECISION_FLOAT32);
}

static void test_embed_parity__bf16(void **state)
{
	(void)state;
	assert_parity(PRECISION_BF16);
}

static void vocabulary_path(char *out, size_t size)
{
	const char *model = getenv("READBACK_MODEL"), *cache = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");

	if (model && *model)
		snprintf(out, size, "%s/vocab.txt", model);
	else if (cache && *cache)
		snprintf(out, size, "%s/readback/model/vocab.txt", cache);
	else
		snprintf(out, size, "%s/.cache/readback/model/vocab.txt", home ? home : "");
}

static void test_embed_parity__token_ids_are_the_same(void **state)
{
	char path[4096];
	struct wordpiece *w;
	uint32_t ids[WINDOW];

	(void)state;
	vocabulary_path(path, sizeof(path));
	if (!file_exists(path))
		skip();
	assert_int_equal(wordpiece_open(path, VOCABULARY, &w, NULL), 0);
	for (size_t i = 0; i < json_array_size(reference); i++) {
		const json_t *want = json_object_get(json_array_get(reference, i), "ids");
		struct text t = text_at(i);
		size_t n = wordpiece_encode(w, t.s, t.n, ids + 1, WINDOW - 2) + 2;
		ids[0] = wordpiece_cls(w);
		ids[n - 1] = wordpiece_sep(w);
		if (n != json_array_size(want))
			fail_msg("text %zu: %zu tokens, not %zu", i, n, json_array_size(want));
		for (size_t k = 0; k < n; k++)
			if (ids[k] != json_integer_value(json_array_get(want, k)))
				fail_msg("text %zu: token %zu is %u", i, k, ids[k]);
	}
	wordpiece_close(w);
}

static int set_up(void **state)
{
	char *s;
	size_t n;
	int rc;

	(void)state;
	if (crypto_start() < 0 || file_read(REFERENCE, &s, &n, NULL) < 0)
		return -1;
	rc = json_parse(s, n, NULL, &reference);
	free(s);
	return rc < 0 || json_array_size(reference) < 50 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(reference);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed_parity__token_ids_are_the_same),
		cmocka_unit_test(test_embed_parity__float32),
		cmocka_unit_test(test_embed_parity__bf16),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
