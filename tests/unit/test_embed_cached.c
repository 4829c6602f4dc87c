/* Vectors that are kept: the same as computed, in memory and in a file. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "embed/cached.h"
#include "unit/small_model.h"

#define DIM 384
#define ROW (SHA256_SIZE + DIM * sizeof(float))

static char folder[SMALL_MODEL_PATH], path[SMALL_MODEL_PATH + 16];
static struct embedder *model;

static const struct text texts[] = { { "a b c", 5 }, { "", 0 }, { "the hub", 7 }, { "a b c", 5 } };

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static struct embedder *open_cached(void)
{
	struct embedder *m;

	assert_int_equal(cached_open(model, &m, NULL), 0);
	return m;
}

static void test_cached__vectors_are_those_of_the_embedder(void **state)
{
	float own[TEXTS][DIM], first[TEXTS][DIM], again[TEXTS][DIM];
	struct embedder *m = open_cached();

	(void)state;
	assert_int_equal(embedder_info(m)->dim, DIM);
	assert_string_equal(embedder_info(m)->weights, embedder_info(model)->weights);
	assert_int_equal(embedder_count(m, "a b c", 5), embedder_count(model, "a b c", 5));
	assert_int_equal(embedder_embed(model, texts, TEXTS, own[0], NULL), 0);
	/* One of them is known when all are asked for. */
	assert_int_equal(embedder_embed(m, &texts[2], 1, first[0], NULL), 0);
	assert_memory_equal(first[0], own[2], sizeof(own[2]));
	assert_int_equal(embedder_embed(m, texts, TEXTS, first[0], NULL), 0);
	assert_int_equal(embedder_embed(m, texts, TEXTS, again[0], NULL), 0);
	assert_memory_equal(first, own, sizeof(own));
	assert_memory_equal(again, own, sizeof(own));
	embedder_close(m);
}

static void test_cached__the_same_texts_give_the_same_file(void **state)
{
	struct embedder *m = open_cached(), *backwards = open_cached(), *read = open_cached();
	float v[TEXTS][DIM];
	char hash[SHA256_TEXT], other[SHA256_TEXT], *s;
	size_t n;

	(void)state;
	assert_int_equal(cached_read(m, path, NULL), 0); /* there is none yet */
	embedder_embed(m, texts, TEXTS, v[0], NULL);
	for (size_t i = TEXTS; i-- > 0;)
		embedder_embed(backwards, &texts[i], 1, v[0], NULL);
	assert_int_equal(cached_hash(m, hash, NULL), 0);
	cached_hash(backwards, other, NULL);
	assert_string_equal(hash, other);
	assert_int_equal(cached_write(m, path, NULL), 0);
	assert_int_equal(file_read(path, &s, &n, NULL), 0);
	crypto_sha256_text(s, n, other);
	assert_string_equal(hash, other);
	free(s);
	assert_int_equal(cached_read(read, path, NULL), 0);
	cached_hash(read, other, NULL);
	assert_string_equal(hash, other);
	embedder_close(m);
	embedder_close(backwards);
	embedder_close(read);
}

static void assert_refused(const char *s, size_t n, int code, const char *why)
{
	struct embedder *m = open_cached();
	struct error e = { 0 };

	assert_int_equal(file_write(path, s, n, NULL), 0);
	assert_int_equal(cached_read(m, path, &e), code);
	assert_non_null(strstr(e.message, path));
	if (!strstr(e.message, why))
		fail_msg("\"%s\" does not say \"%s\"", e.message, why);
	embedder_close(m);
}

static void test_cached__a_damaged_file_is_refused(void **state)
{
	struct embedder *m = open_cached();
	float v[TEXTS][DIM], nan_ = (float)(0.0 / 0.0);
	char *s, was[ROW];
	size_t n;

	(void)state;
	embedder_embed(m, texts, TEXTS, v[0], NULL);
	assert_int_equal(cached_write(m, path, NULL), 0);
	embedder_close(m);
	assert_int_equal(file_read(path, &s, &n, NULL), 0);
	assert_refused(s, n - 1, ERR_CORRUPT, "cut short");
	assert_refused(s, n - ROW, ERR_CORRUPT, "cut short");
	assert_refused(s, 3, ERR_CORRUPT, "no file of vectors");
	assert_refused("nothing\n", 8, ERR_CORRUPT, "no file of vectors");
	char *row = s + n - ROW;
	memcpy(was, row, ROW);
	memcpy(row + SHA256_SIZE, &nan_, sizeof(nan_));
	assert_refused(s, n, ERR_CORRUPT, "a vector that is none");
	memcpy(row, was, ROW);
	memset(row + SHA256_SIZE, 0, ROW - SHA256_SIZE);
	assert_refused(s, n, ERR_CORRUPT, "a vector that is none");
	memcpy(row, row - ROW, ROW); /* twice the same */
	assert_refused(s, n, ERR_CORRUPT, "out of order");
	memcpy(row, was, ROW);
	memcpy(strstr(s, "minilm"), "maxilm", 6);
	assert_refused(s, n, ERR_CONFIG, "another embedder");
	free(s);
}

static void test_cached__without_vectors_it_passes_on(void **state)
{
	struct embedder_options o = { .kind = "none" };
	struct embedder *none, *m;
	float v;

	(void)state;
	assert_int_equal(embedder_open(&o, &none, NULL), 0);
	assert_int_equal(cached_open(none, &m, NULL), 0);
	assert_int_equal(embedder_embed(m, texts, 1, &v, NULL), ERR_NO_EMBEDDER);
	embedder_close(m);
	embedder_close(none);
}

static int setup(void **state)
{
	struct embedder_options o = { .model = folder };

	(void)state;
	if (crypto_start() < 0)
		return -1;
	small_model_make(&(struct small_model){ 0 }, folder);
	snprintf(path, sizeof(path), "%s/vectors", folder);
	return embedder_open(&o, &model, NULL);
}

static int teardown(void **state)
{
	(void)state;
	embedder_close(model);
	unlink(path);
	small_model_remove(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cached__vectors_are_those_of_the_embedder),
		cmocka_unit_test(test_cached__the_same_texts_give_the_same_file),
		cmocka_unit_test(test_cached__a_damaged_file_is_refused),
		cmocka_unit_test(test_cached__without_vectors_it_passes_on),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
