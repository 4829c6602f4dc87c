/* test_dataset_package.c: what stands beside the rows of an exported folder. tests/exports has it read by its tools. */
#include "dataset_fixture.h"

#define TAG_FILES 5

static void fill(struct fixture *f)
{
	import(f, "{'id':'c-1','turns':[{'role':'customer','text':'where is it? mail a@x.org'},"
		  "{'role':'agent','text':'in Tilburg'}],"
		  "'resolution':{'outcome':'resolved','intent':'lost','text':'told where'}}");
	import(f, "{'id':'c-2','turns':[{'role':'customer','text':'it is broken'},"
		  "{'role':'agent','text':'I send another'}],"
		  "'resolution':{'outcome':'resolved','intent':'fault | <b>','text':'sent one'}}");
}

/* Every line of a list of sums is true, and there are `n`. */
static void assert_sums(struct fixture *f, const char *folder, const char *list, int n)
{
	char *lines = arena_strdup(f->arena, content(f, folder, list)), *rest;

	for (char *p = strtok_r(lines, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest), n--) {
		char hash[SHA256_TEXT];
		const char *text = content(f, folder, p + 66);
		crypto_sha256_text(text, strlen(text), hash);
		assert_memory_equal(p, hash + 7, 64);
		assert_memory_equal(p + 64, "  ", 2);
	}
	assert_int_equal(n, 0);
}

static void test_package__is_a_bag(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	fill(f);
	o.split = SPLIT_TIME;
	export(f, &o);
	assert_string_equal(content(f, o.folder, "bagit.txt"),
			    "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
	size_t bytes = strlen(content(f, o.folder, "data/train.jsonl")) +
		       strlen(content(f, o.folder, "data/valid.jsonl")) +
		       strlen(content(f, o.folder, "data/test.jsonl"));
	assert_non_null(strstr(content(f, o.folder, "bag-info.txt"),
			       arena_printf(f->arena, "Payload-Oxum: %zu.3\n", bytes)));
	assert_sums(f, o.folder, "manifest-sha256.txt", 3);
	assert_sums(f, o.folder, "tagmanifest-sha256.txt", TAG_FILES);
}

static void test_package__provenance_knows_what_only_tokens_change(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "a");

	fill(f);
	o.pii = PII_REDACT;
	json_t *a = parsed(f, written(f, &o, "rows.provenance.jsonl"));
	o.folder = arena_printf(f->arena, "%s/b", f->folder);
	o.split = SPLIT_TIME; /* another request: other tokens */
	const char *lines = written(f, &o, "rows.provenance.jsonl");
	json_t *b = parsed(f, lines);
	if (strcmp(string_at(b, "row"), string_at(a, "row")) != 0)
		b = parsed(f, strchr(lines, '\n') + 1);
	assert_string_not_equal(string_at(a, "sha256"), string_at(b, "sha256"));
	assert_string_equal(string_at(a, "masked"), string_at(b, "masked"));
	assert_string_equal(string_at(a, "part"), "train");
	assert_true(int_at(a, "seq") > 0);
	/* The other row has no token. */
	assert_null(at(parsed(f, strchr(content(f, arena_printf(f->arena, "%s/a", f->folder),
						"rows.provenance.jsonl"),
					'\n') +
					 1),
		       "masked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_package__is_a_bag),
		TEST(test_package__provenance_knows_what_only_tokens_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
