/* test_dataset_package.c: what stands beside the rows of an exported folder. tests/exports has it read by its tools. */
#include "dataset_fixture.h"

#include <signal.h>
#include <sys/resource.h>

#define TAG_FILES 8

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

static int count(const char *s, const char *what)
{
	int n = 0;

	for (; (s = strstr(s, what)) != NULL; s++)
		n++;
	return n;
}

static void test_package__the_card_tells_labels_of_any_spelling(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");
	int status;

	for (int i = 0; i < 40; i++)
		NO_ERROR(f, example_import(&f->desk, &f->call,
					   J(f, arena_printf(f->arena, "{'text':'t%d','label':'l%02d'}", i,
							     i / 2 * 2)),
					   &status));
	for (int i = 0; i < 20; i++)
		NO_ERROR(f,
			 example_import(&f->desk, &f->call,
					J(f, arena_printf(f->arena, "{'text':'u%d','label':'m%02d'}", i, i)),
					&status));
	NO_ERROR(f, example_import(&f->desk, &f->call, J(f, "{'text':'x1','label':'a | <b>\\n&\\u0007'}"),
				   &status));
	NO_ERROR(f, example_import(&f->desk, &f->call, J(f, "{'text':'x2','label':'a | <b>\\n&\\u0007'}"),
				   &status));
	NO_ERROR(f, example_import(&f->desk, &f->call, J(f, "{'text':'x3','label':'a | <b>\\n&\\u0007'}"),
				   &status));
	o.split = SPLIT_HASH;
	o.seed = 3;
	const char *card = written(f, &o, "README.md"), *svg = content(f, o.folder, "card.svg");
	assert_non_null(strstr(card, "41 labels; the 30 with most rows"));
	assert_non_null(strstr(card, "| a \\| \\<b\\> \\& | 3 |\n"));
	assert_non_null(strstr(card, "--format fasttext --kind intents --at "));
	assert_non_null(strstr(card, " --pii keep --split hash --seed 3 --out"));
	assert_non_null(strstr(card, "all personal data is in the texts"));
	assert_non_null(strstr(svg, ">a | &lt;b> &amp; </text>"));
	assert_int_equal(count(svg, "fill=\"#1f5fa8\""), PARTS + 30);
	json_t *croissant;
	const char *text = content(f, o.folder, "croissant.json");
	NO_ERROR(f, json_parse_arena(f->arena, text, strlen(text), &f->err, &croissant));
	assert_int_equal(json_array_size(at(croissant, "distribution")), 3);
	assert_null(at(croissant, "recordSet"));
	assert_null(at(croissant, "license"));
}

static void test_package__the_same_request_gives_the_same_bytes_of_every_file(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "a");
	char **names;
	size_t n;

	fill(f);
	o.pii = PII_REDACT;
	o.split = SPLIT_TIME;
	const char *first = o.folder;
	export(f, &o);
	o.folder = arena_printf(f->arena, "%s/b", f->folder);
	export(f, &o);
	NO_ERROR(f, folder_list(first, &names, &n, &f->err));
	assert_int_equal(n, TAG_FILES + 2);
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], "data") != 0)
			assert_string_equal(content(f, first, names[i]), content(f, o.folder, names[i]));
	free(names);
}

/* The sums are written last; a folder that cannot have one has no name. */
static void test_package__nothing_remains_when_a_file_beside_the_rows_fails(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");
	struct rlimit before, low;
	char **names;
	size_t n;

	fill(f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	low = before;
	low.rlim_cur = 1200; /* rows and provenance fit, croissant.json and README.md do not */
	void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &low);
	struct dataset_summary s;
	int rc = dataset_write(f->desk.engine, &o, &s, &f->err);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, was);
	assert_int_equal(rc, ERR_IO);
	assert_non_null(strstr(f->err.message, "croissant.json"));
	NO_ERROR(f, folder_list(f->folder, &names, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		assert_null(strstr(names[i], "out"));
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_package__is_a_bag),
		TEST(test_package__the_card_tells_labels_of_any_spelling),
		TEST(test_package__the_same_request_gives_the_same_bytes_of_every_file),
		TEST(test_package__nothing_remains_when_a_file_beside_the_rows_fails),
		TEST(test_package__provenance_knows_what_only_tokens_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
