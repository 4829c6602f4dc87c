/* Model folders that are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "embed/embed.h"
#include "unit/small_model.h"

#define QUERY "encoder.layer.2.attention.self.query.weight"

static void assert_refused(const struct small_model *model, const char *file, const char *why)
{
	char folder[SMALL_MODEL_PATH], path[SMALL_MODEL_PATH + 32];
	struct embedder_options o = {
		.model = folder
	}; /* a broken model is an error even if none is asked for */
	struct embedder *m = NULL;
	struct error e = { 0 };
	int rc;

	small_model_make(model, folder);
	rc = embedder_open(&o, &m, &e);
	small_model_remove(folder);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	assert_int_equal(rc, ERR_MODEL);
	assert_int_equal(e.code, ERR_MODEL);
	assert_null(m);
	if (!strstr(e.message, path) || !strstr(e.message, why))
		fail_msg("\"%s\" does not name %s and \"%s\"", e.message, path, why);
}

static void assert_weights_refused(struct small_model model, const char *why)
{
	model.empty_weights = 1;
	assert_refused(&model, "model.safetensors", why);
}

static void test_embed_files__a_whole_one_opens(void **state)
{
	char folder[SMALL_MODEL_PATH];
	struct embedder_options o = { .model = folder };
	struct embedder *m;

	(void)state;
	small_model_make(&(struct small_model){ .empty_weights = 1 }, folder);
	assert_int_equal(embedder_open(&o, &m, NULL), 0);
	assert_string_equal(embedder_info(m)->id, "minilm-l6-v2");
	embedder_close(m);
	small_model_remove(folder);
}

static void test_embed_files__cut_short(void **state)
{
	(void)state;
	assert_weights_refused((struct small_model){ .cut = 1 },
			       "ends before a tensor does; fetch it anew: pooler");
	assert_weights_refused((struct small_model){ .cut = 50000000 }, "ends before a tensor does");
	assert_weights_refused((struct small_model){ .keep = 1000 }, "header is longer than the file");
	assert_weights_refused((struct small_model){ .keep = 8 }, "header is longer than the file");
	assert_weights_refused((struct small_model){ .keep = 7 }, "too short");
}

static void test_embed_files__header_lies_about_itself(void **state)
{
	(void)state;
	assert_weights_refused((struct small_model){ .header_size = UINT64_MAX }, "header is longer");
	assert_weights_refused((struct small_model){ .header_size = UINT64_MAX - 7 }, "header is longer");
	assert_weights_refused((struct small_model){ .header_size = 1u << 25 }, "or than 16 MiB");
	assert_weights_refused((struct small_model){ .header_size = 100 }, "header is no JSON");
	assert_weights_refused((struct small_model){ .header = "[1, 2]  " }, "no JSON object");
	assert_weights_refused((struct small_model){ .header = "null    " }, "no JSON object");
	assert_weights_refused((struct small_model){ .header = "not JSON" }, "header is no JSON");
	assert_weights_refused((struct small_model){ .header = "{}      " },
			       "a tensor is missing: embeddings.word_embeddings.weight");
	assert_weights_refused((struct small_model){ .header = "{\"a\": 1}" }, "without valid offsets: a");
}

static void test_embed_files__header_lies_about_a_tensor(void **state)
{
	(void)state;
	assert_weights_refused((struct small_model){ .tensor = QUERY, .name = "query" },
			       "is missing: " QUERY);
	assert_weights_refused((struct small_model){ .tensor = QUERY, .dtype = "F16" },
			       "not of float32 (F32): " QUERY);
	assert_weights_refused((struct small_model){ .tensor = QUERY, .shape = "[384,385]" },
			       "another shape");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .shape = "[384]" }, "another shape");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .shape = "\"384\"" }, "another shape");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .offsets = "[0,4]" },
			       "do not fit its shape");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .offsets = "[1,589825]" },
			       "not aligned");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .offsets = "[4,0]" },
			       "without valid offsets");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .offsets = "[-4,4]" },
			       "without valid offsets");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .offsets = "[0]" },
			       "without valid offsets");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .offsets = "null" },
			       "without valid offsets");
	assert_weights_refused((struct small_model){ .tensor = QUERY, .offsets = "[0.5,4]" },
			       "without valid offsets");
	assert_weights_refused((struct small_model){ .tensor = QUERY,
						     .offsets = "[9223372036854185983,9223372036854775807]" },
			       "ends before a tensor does");
}

static void test_embed_files__vocabulary(void **state)
{
	(void)state;
	assert_refused(&(struct small_model){ .empty_weights = 1, .tokens = 30521 }, "vocab.txt",
		       "30521 tokens where the weights have 30522");
	assert_refused(&(struct small_model){ .empty_weights = 1, .no_token = "[SEP]" }, "vocab.txt",
		       "the token [SEP] is missing");
}

static void remove_file(const char *folder, const char *name)
{
	char path[SMALL_MODEL_PATH + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(remove(path), 0);
}

static void test_embed_files__a_file_is_missing(void **state)
{
	static const char *const names[] = { "model.safetensors", "vocab.txt" };
	char folder[SMALL_MODEL_PATH];
	struct embedder_options o = { .model = folder };
	struct error e = { 0 };
	struct embedder *m;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		small_model_make(&(struct small_model){ .empty_weights = 1 }, folder);
		remove_file(folder, names[i]);
		assert_int_equal(embedder_open(&o, &m, &e), ERR_MODEL);
		assert_int_equal(e.code, ERR_MODEL);
		assert_non_null(strstr(e.message, names[i]));
		small_model_remove(folder);
	}
}

static void test_embed_files__a_missing_folder(void **state)
{
	struct embedder_options o = { .kind = "minilm", .model = "/nowhere/model" };
	struct embedder *m = NULL;
	struct error e = { 0 };

	(void)state;
	assert_int_equal(embedder_open(&o, &m, &e), ERR_MODEL);
	assert_non_null(strstr(e.message, "/nowhere/model"));
	o.kind = NULL; /* words only will do */
	assert_int_equal(embedder_open(&o, &m, &e), 0);
	assert_string_equal(embedder_info(m)->id, "none");
	embedder_close(m);
	o.kind = "word2vec";
	assert_int_equal(embedder_open(&o, &m, &e), ERR_CONFIG);
	assert_non_null(strstr(e.message, "word2vec"));
}

static void test_embed_files__the_folder_of_the_environment(void **state)
{
	static const char *const names[] = { "READBACK_MODEL", "XDG_CACHE_HOME", "HOME" };
	struct embedder_options o = { .kind = "minilm" };
	char *saved[3];
	struct embedder *m;
	struct error e = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *now = getenv(names[i]);
		saved[i] = now ? strdup(now) : NULL;
	}
	setenv("HOME", "/nowhere/home", 1);
	setenv("XDG_CACHE_HOME", "/nowhere/cache", 1);
	setenv("READBACK_MODEL", "/nowhere/model", 1);
	embedder_open(&o, &m, &e);
	assert_non_null(strstr(e.message, "/nowhere/model:"));
	setenv("READBACK_MODEL", "", 1);
	embedder_open(&o, &m, &e);
	assert_non_null(strstr(e.message, "/nowhere/cache/readback/model:"));
	unsetenv("XDG_CACHE_HOME");
	embedder_open(&o, &m, &e);
	assert_non_null(strstr(e.message, "/nowhere/home/.cache/readback/model:"));
	unsetenv("HOME");
	assert_int_equal(embedder_open(&o, &m, &e), ERR_MODEL);
	for (size_t i = 0; i < 3; i++) {
		if (saved[i])
			setenv(names[i], saved[i], 1);
		else
			unsetenv(names[i]);
		free(saved[i]);
	}
}

static int set_up(void **state)
{
	(void)state;
	return crypto_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed_files__a_whole_one_opens),
		cmocka_unit_test(test_embed_files__cut_short),
		cmocka_unit_test(test_embed_files__header_lies_about_itself),
		cmocka_unit_test(test_embed_files__header_lies_about_a_tensor),
		cmocka_unit_test(test_embed_files__vocabulary),
		cmocka_unit_test(test_embed_files__a_file_is_missing),
		cmocka_unit_test(test_embed_files__a_missing_folder),
		cmocka_unit_test(test_embed_files__the_folder_of_the_environment),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
