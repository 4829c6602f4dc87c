/* test_dataset_formats.c: what formats of intents write, to the byte, and options. tests/exports has it read by who it is for. */
#include "dataset_fixture.h"

static void example(struct fixture *f, const char *text, const char *label)
{
	int status;
	json_t *line = json_keep(f->arena, json_pack("{s:s, s:s}", "text", text, "label", label));

	NO_ERROR(f, example_import(&f->desk, &f->call, line, &status));
}

/* --- intents ------------------------------------------------------------------------------------------- */

static void fill_intents(struct fixture *f)
{
	example(f, "where is my  parcel\nplease", "lost parcel");
	example(f, "money back", "refund/late");
	example(f, "[it](x) is lost: \"help\"", "lost parcel");
}

static void test_fasttext__a_line_an_example(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");

	fill_intents(f);
	example(f, "__label__x ends </s> here", "a\tb");
	assert_string_equal(written(f, &o, "data/train.txt"),
			    "__label__lost_parcel where is my parcel please\n"
			    "__label__refund/late money back\n"
			    "__label__lost_parcel [it](x) is lost: \"help\"\n"
			    "__label__a_b _label_x ends <s> here\n");
	assert_string_equal(string_at(manifest_of(f, &o), "labels.1.label"), "lost parcel");
	assert_string_equal(string_at(manifest_of(f, &o), "labels.1.as"), "lost_parcel");
	assert_int_equal(int_at(manifest_of(f, &o), "labels.1.rows"), 2);
	assert_null(at(manifest_of(f, &o), "labels.2.as"));
}

static void test_rasa__examples_are_grouped_by_intent(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_rasa, DATASET_INTENTS, "out");

	fill_intents(f);
	assert_string_equal(written(f, &o, "data/train.yml"), "version: \"3.1\"\n"
							      "nlu:\n"
							      "- intent: \"lost parcel\"\n"
							      "  examples: |\n"
							      "    - where is my parcel please\n"
							      "    - [it] (x) is lost: \"help\"\n"
							      "- intent: \"refund_late\"\n"
							      "  examples: |\n"
							      "    - money back\n");
	/* Provenance knows the line of each. */
	const char *third = strchr(strchr(content(f, o.folder, "rows.provenance.jsonl"), '\n') + 1, '\n') + 1;
	assert_int_equal(int_at(parsed(f, third), "line"), 9);
	assert_string_equal(string_at(parsed(f, third), "label"), "refund/late");

	o.folder = arena_printf(f->arena, "%s/split", f->folder);
	o.split = SPLIT_TIME;
	struct dataset_summary s = export(f, &o);
	assert_int_equal(s.parts[PART_TRAIN] + s.parts[PART_VALID] + s.parts[PART_TEST], 3);
	assert_int_equal(s.parts[PART_TEST], 0);
	assert_string_equal(content(f, o.folder, "data/test.yml"), "version: \"3.1\"\nnlu: []\n");
}

/* U+FFFE and U+FFFF are no characters of YAML: a reader refuses the whole file for one of them. */
static void test_rasa__has_no_character_that_yaml_forbids(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_rasa, DATASET_INTENTS, "out");

	example(f, "one\xef\xbf\xbftwo",
		"a\xef\xbf\xbe"
		"b");
	assert_string_equal(written(f, &o, "data/train.yml"), "version: \"3.1\"\n"
							      "nlu:\n"
							      "- intent: \"a b\"\n"
							      "  examples: |\n"
							      "    - one two\n");
}

static void test_dialogflow_cx__an_intent_a_line(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_dialogflow_cx, DATASET_INTENTS, "out");

	fill_intents(f);
	assert_string_equal(written(f, &o, "data/train.jsonl"),
			    "{\"displayName\":\"lost parcel\",\"trainingPhrases\":["
			    "{\"parts\":[{\"text\":\"where is my parcel please\"}],\"repeatCount\":1},"
			    "{\"parts\":[{\"text\":\"[it](x) is lost: \\\"help\\\"\"}],\"repeatCount\":1}]}\n"
			    "{\"displayName\":\"refund/late\",\"trainingPhrases\":["
			    "{\"parts\":[{\"text\":\"money back\"}],\"repeatCount\":1}]}\n");
	assert_int_equal(int_at(manifest_of(f, &o), "files.0.rows"), 3);
}

static void test_clu__one_project_with_train_and_test(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_clu, DATASET_INTENTS, "out");
	char long_text[520];
	json_t *j;

	fill_intents(f);
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	example(f, long_text, "long");
	for (int i = 0; i < 40; i++)
		example(f, arena_printf(f->arena, "how do I pay number %d", i), "pay");
	o.split = SPLIT_HASH;
	const char *text = written(f, &o, "data/project.json");
	NO_ERROR(f, json_parse_arena(f->arena, text, strlen(text), &f->err, &j));
	assert_string_equal(string_at(j, "stringIndexType"), "Utf16CodeUnit");
	assert_string_equal(string_at(j, "assets.intents.0.category"), "lost parcel");
	assert_string_equal(string_at(j, "assets.intents.2.category"), "refund_late");
	assert_null(at(j, "assets.intents.3"));
	int train = 0, test = 0;
	for (size_t i = 0; i < json_array_size(at(j, "assets.utterances")); i++) {
		const json_t *u = json_array_get(at(j, "assets.utterances"), i);
		train += strcmp(string_at(u, "dataset"), "Train") == 0;
		test += strcmp(string_at(u, "dataset"), "Test") == 0;
	}
	assert_int_equal(train + test, 43);
	assert_true(test > 0 && train > test);
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.too_long"), 1);

	/* A row is where the provenance says. */
	const char *row = content(f, o.folder, "rows.provenance.jsonl");
	for (int i = 0; i < 20; i++)
		row = strchr(row, '\n') + 1;
	const char *line = text;
	for (long long n = int_at(parsed(f, row), "line"); n > 1; n--)
		line = strchr(line, '\n') + 1;
	char hash[SHA256_TEXT];
	crypto_sha256_text(line, strcspn(line, "\n"), hash);
	assert_string_equal(string_at(parsed(f, row), "sha256"), hash);
}

static void test_lex__a_zip_with_a_folder_an_intent(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_lex, DATASET_INTENTS, "out");
	char *a, *b;
	size_t n, m;

	fill_intents(f);
	example(f, "{x} \xf0\x9f\x98\x80 don't", "\xf0\x9f\x98\x80");
	example(f, "?!", "nothing that Lex takes");
	export(f, &o);
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.nothing_to_learn"), 1);
	NO_ERROR(f, file_read(arena_printf(f->arena, "%s/data/train.zip", o.folder), &a, &n, &f->err));
	assert_memory_equal(a, "PK\3\4", 4);
	assert_memory_equal(a + n - 22, "PK\5\6", 4);
	static const char *const names[] = { "manifest.json",
					     "readback/Bot.json",
					     "readback/BotLocales/en_US/Intents/lost_parcel/Intent.json",
					     "readback/BotLocales/en_US/Intents/refund_late/Intent.json",
					     "readback/BotLocales/en_US/Intents/intent/Intent.json",
					     "{\"utterance\":\"x \xf0\x9f\x98\x80 don't\"}" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!memmem(a, n, names[i], strlen(names[i])))
			fail_msg("%s is missing", names[i]);
	o.folder = arena_printf(f->arena, "%s/again", f->folder);
	export(f, &o);
	NO_ERROR(f, file_read(arena_printf(f->arena, "%s/data/train.zip", o.folder), &b, &m, &f->err));
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n);
	free(a);
	free(b);
}

/* Each bot has an intent of that name: a second one would take its place. */
static void test_lex__the_bots_own_intent_is_not_written_twice(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_lex, DATASET_INTENTS, "out");
	const char *name = "readback/BotLocales/en_US/Intents/fallbackintent_label/Intent.json";
	char *s;
	size_t n;

	example(f, "what do you mean", "fallbackintent");
	export(f, &o);
	NO_ERROR(f, file_read(arena_printf(f->arena, "%s/data/train.zip", o.folder), &s, &n, &f->err));
	assert_non_null(memmem(s, n, name, strlen(name)));
	free(s);
}

static void test_zip__more_files_than_it_can_count_are_told(void **state)
{
	struct zip z = { 0 };
	STRBUF_AUTO out = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < UINT16_MAX; i++)
		zip_add(&z, "a", "", 0, &out);
	assert_false(z.too_large);
	zip_add(&z, "a", "", 0, &out);
	assert_true(z.too_large);
	zip_release(&z);
}

static void test_labels__that_become_the_same_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");

	example(f, "one", "a b");
	example(f, "two", "a_b");
	example(f, "three", "a\nb");
	/* By the bytes of the labels: "a\nb", "a b", "a_b". */
	assert_string_equal(written(f, &o, "data/train.txt"),
			    "__label__a_b_2 one\n__label__a_b_3 two\n__label__a_b three\n");
	assert_string_equal(string_at(manifest_of(f, &o), "labels.1.label"), "a b");
	assert_string_equal(string_at(manifest_of(f, &o), "labels.1.as"), "a_b_2");
}

/* One row of one label as the format writes it, without a database around it. */
static const char *one_row(struct fixture *f, const struct dataset_format *format, struct text label)
{
	const long settings[DATASET_SETTINGS] = { 0 };
	struct strbuf name = STRBUF_INIT;
	struct dataset_writer w = { .kind = DATASET_INTENTS, .settings = settings };
	struct dataset_row row = { .kind = DATASET_INTENTS, .id = "r_1", .text = text_of("hello") };

	if (format->label)
		format->label(label, &name);
	else
		strbuf_add(&name, label.s, label.n);
	row.label = (struct text){ name.p, name.n };
	w.labels = &row.label;
	w.n_labels = 1;
	if (format->open)
		format->open(&w);
	if (format->label_begin)
		format->label_begin(&w, row.label);
	format->row(&w, &row);
	if (format->label_end)
		format->label_end(&w, row.label);
	if (format->close)
		format->close(&w);
	assert_false(w.out[0].failed);
	const char *out = arena_strndup(f->arena, w.out[0].p, w.out[0].n);
	strbuf_release(&w.out[0]);
	strbuf_release(&name);
	zip_release(&w.zip);
	return out;
}

static void test_labels__of_any_kind_keep_the_file_whole(void **state)
{
	static const char nasty[] = "a \"b\": 'c'\n__label__d \xf0\x9f\x98\x80\t- e / f\\ #";
	static const struct dataset_format *const json[] = { &dataset_trl_sft, &dataset_openai,
							     &dataset_dialogflow_cx };
	struct fixture *f = *state;
	STRBUF_AUTO label = STRBUF_INIT;

	while (label.n < 10000)
		strbuf_puts(&label, nasty);
	struct text t = { label.p, label.n };
	for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
		const char *row = one_row(f, json[i], t);
		assert_int_equal(strcspn(row, "\n"), strlen(row) - 1); /* one line, and it is JSON */
		parsed(f, row);
	}
	assert_string_equal(string_at(parsed(f, one_row(f, &dataset_trl_sft, t)), "messages.1.content"),
			    label.p);
	const char *row = one_row(f, &dataset_fasttext, t);
	assert_int_equal(strcspn(row, "\n"), strlen(row) - 1);
	assert_string_equal(strchr(row, ' '), " hello\n");
	row = one_row(f, &dataset_rasa, t);
	assert_memory_equal(row, "\n- intent: \"a \\\"b\\\": 'c' __label__d \xf0\x9f\x98\x80 - e _ f\\\\ #",
			    30);
	assert_int_equal(strcspn(row + 1, "\n") + 1 + strlen("\n  examples: |\n    - hello\n"), strlen(row));
	json_t *project;
	row = one_row(f, &dataset_clu, t);
	NO_ERROR(f, json_parse_arena(f->arena, row, strlen(row), &f->err, &project));
	assert_true(json_string_length(at(project, "assets.intents.0.category")) <= 50 * 4);
	assert_null(strpbrk(string_at(project, "assets.intents.0.category"), ":/#\n"));
	assert_memory_equal(one_row(f, &dataset_lex, t), "PK\3\4", 4);
	assert_string_equal(one_row(f, &dataset_fasttext, text_of(" ")), "__label___ hello\n");
}

static void test_dataset__a_text_that_is_only_personal_data_makes_no_row(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");

	example(f, "jane@x.org, +31 6 12345678!", "contact");
	example(f, "[EMAIL] is what I mean", "contact");
	o.pii = PII_REDACT;
	assert_string_equal(written(f, &o, "data/train.txt"), "__label__contact [EMAIL] is what I mean\n");
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.only_personal_data"), 1);
	o.pii = PII_KEEP;
	o.folder = arena_printf(f->arena, "%s/kept", f->folder);
	assert_int_equal(export(f, &o).rows, 2);
}

/* --- options ------------------------------------------------------------------------------------------------ */

static void test_options__a_wrong_one_is_told_what_there_is(void **state)
{
	static const char *const wrong[][2] = {
		{ "no-such=1", "there is negatives" },
		{ "negatives=9", "from 0 to 8" },
		{ "negatives=-1", "from 0 to 8" },
		{ "negatives=x", "from 0 to 8" },
		{ "negatives", "from 0 to 8" },
		{ "negative=1", "no option negative=1" },
		{ "balance=smallest", "no option balance" },
	};
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_sentence_transformers, DATASET_RETRIEVAL, "out");

	o.n_settings = 1;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const setting[] = { wrong[i][0] };
		o.settings = setting;
		assert_non_null(strstr(EXPORT_FAILS(f, ERR_BAD_VALUE, &o), wrong[i][1]));
		assert_string_equal(f->err.param, "options");
	}
	const char *const word[] = { "train-on=first" };
	o = options_as(f, &dataset_openai, DATASET_INTENTS, "out");
	o.settings = word;
	o.n_settings = 1;
	assert_non_null(strstr(EXPORT_FAILS(f, ERR_BAD_VALUE, &o), "all|last"));
	o = options_as(f, &dataset_trl_dpo, DATASET_ANSWERS, "out");
	assert_non_null(strstr(EXPORT_FAILS(f, ERR_BAD_VALUE, &o), "it has preferences"));
}

static size_t count(const char *in, const char *what)
{
	size_t n = 0;

	while ((in = strstr(in, what))) {
		n++;
		in++;
	}
	return n;
}

static void test_options__classes_are_capped_balanced_or_left_out(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "cap");
	const char *cap[] = { "cap=4" }, *min[] = { "min-examples=3", "balance=smallest" };

	for (int i = 0; i < 9; i++)
		example(f, arena_printf(f->arena, "first %d", i), "a");
	for (int i = 0; i < 3; i++)
		example(f, arena_printf(f->arena, "second %d", i), "b");
	example(f, "third", "c");
	o.settings = cap;
	o.n_settings = 1;
	const char *rows = written(f, &o, "data/train.txt");
	assert_int_equal(count(rows, "__label__a "), 4);
	assert_int_equal(count(rows, "__label__b "), 3);
	assert_int_equal(count(rows, "__label__c "), 1);
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.capped"), 5);
	assert_int_equal(int_at(manifest_of(f, &o), "labels.0.rows"), 4);
	assert_int_equal(int_at(manifest_of(f, &o), "rows"), 8);

	o.folder = arena_printf(f->arena, "%s/balanced", f->folder);
	o.settings = min;
	o.n_settings = 2;
	rows = written(f, &o, "data/train.txt");
	assert_int_equal(count(rows, "__label__a "), 3);
	assert_int_equal(count(rows, "__label__b "), 3);
	assert_int_equal(count(rows, "__label__c "), 0);
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.too_few_examples"), 1);
	assert_string_equal(string_at(manifest_of(f, &o), "options.balance"), "smallest");
	assert_null(at(manifest_of(f, &o), "labels.2"));
	/* What stays does so in the order it was recorded in. */
	int last = -1;
	for (const char *p = rows; (p = strstr(p, "first ")); p++) {
		assert_true(atoi(p + 6) > last);
		last = atoi(p + 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fasttext__a_line_an_example),
		TEST(test_rasa__examples_are_grouped_by_intent),
		TEST(test_dialogflow_cx__an_intent_a_line),
		TEST(test_clu__one_project_with_train_and_test),
		TEST(test_lex__a_zip_with_a_folder_an_intent),
		TEST(test_lex__the_bots_own_intent_is_not_written_twice),
		TEST(test_rasa__has_no_character_that_yaml_forbids),
		TEST(test_zip__more_files_than_it_can_count_are_told),
		TEST(test_labels__that_become_the_same_are_told_apart),
		TEST(test_labels__of_any_kind_keep_the_file_whole),
		TEST(test_dataset__a_text_that_is_only_personal_data_makes_no_row),
		TEST(test_options__a_wrong_one_is_told_what_there_is),
		TEST(test_options__classes_are_capped_balanced_or_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
