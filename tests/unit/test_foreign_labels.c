/* Labels of other tools, as they write them, through `import --from`. */
#include "foreign_fixture.h"

/* --- fastText ------------------------------------------------------------------------------------------ */

static void test_fasttext__labels_stand_as_they_are(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(b, "train.txt",
				      "__label__refund_status where is my refund\n"
				      "\n"
				      "__label__\xF0\x9F\x93\xA6 \t where is \"my\" parcel \\ now  \r\n"
				      "__label__say_\"hi\" hello __label_ _label_x <s>");

	import_twice(b, IMPORT_EXAMPLES, "fasttext", path, 3);
	assert_string_equal(label_of(b, "where is my refund"), "refund_status");
	assert_string_equal(label_of(b, "where is \"my\" parcel \\ now"), "\xF0\x9F\x93\xA6");
	assert_string_equal(label_of(b, "hello __label_ _label_x <s>"), "say_\"hi\"");
}

static void test_fasttext__bad_lines_say_what_is_wrong(void **state)
{
	static const struct bad list[] = {
		{ "where is my refund\n", "1:label:missing_field\n", "__label__" },
		{ "\n__label__ where is my refund\n", "2:label:missing_field\n", NULL },
		{ "__label__a __label__b text\n", "1:label:bad_value\n", NULL },
		{ "__label__a text __label__b\n", "1:label:bad_value\n", NULL },
		{ "__label__a\n", "1:text:empty_text\n", NULL },
		{ "__label__a \t\r\n", "1:text:empty_text\n", NULL },
		{ "__label__a \xff\n", "1::bad_utf8\n", NULL },
	};

	CHECK_BAD(*state, IMPORT_EXAMPLES, "fasttext", list);
}

static void test_fasttext__a_long_label_is_refused(void **state)
{
	struct bench *b = *state;
	STRBUF_AUTO s = STRBUF_INIT;

	strbuf_puts(&s, "__label__");
	for (int i = 0; i < 10000; i++)
		strbuf_putc(&s, 'x');
	strbuf_puts(&s, " text\n");
	const struct bad list[] = { { s.p, "1:label:too_large\n", NULL } };
	CHECK_BAD(b, IMPORT_EXAMPLES, "fasttext", list);
}

static void test_fasttext__a_nul_is_refused(void **state)
{
	static const char line[] = "__label__a te\0xt\n__label__b text\n";
	struct bench *b = *state;
	struct import_progress p;

	NO_ERROR(b->f, try_import(b, IMPORT_EXAMPLES, "fasttext",
				  write_bytes(b, "a.txt", line, sizeof(line) - 1), &p));
	COUNTS(p, 1, 0, 1);
	assert_string_equal(b->said.p, "1::bad_utf8\n");
}

/* What `export --format fasttext` writes of these labels, with its manifest. */
static void test_fasttext__the_manifest_knows_what_labels_were(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(b, "train.txt",
				      "__label__refund_status where is my refund\n"
				      "__label__refund_status_2 where is my money\n"
				      "__label__two_lines a text\n");

	write_file(b, "manifest.json",
		   "{\"readback_dataset\":1,\"format\":\"fasttext\",\"kind\":\"intents\",\"labels\":["
		   "{\"label\":\"refund_status\",\"rows\":1},"
		   "{\"label\":\"refund status\",\"rows\":1,\"as\":\"refund_status_2\"},"
		   "{\"label\":\"two\\nlines\",\"rows\":1,\"as\":\"two_lines\"}]}");
	import_twice(b, IMPORT_EXAMPLES, "fasttext", path, 3);
	assert_string_equal(label_of(b, "where is my refund"), "refund_status");
	assert_string_equal(label_of(b, "where is my money"), "refund status");
	assert_string_equal(label_of(b, "a text"), "two\nlines");
}

static void test_fasttext__other_manifests_are_let_be_and_newer_ones_refused(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(b, "train.txt", "__label__a_b text\n");
	struct import_progress p;

	write_file(
		b, "manifest.json",
		"{\"readback_dataset\":2,\"format\":\"fasttext\",\"labels\":[{\"label\":\"a b\",\"as\":\"a_b\"}]}");
	assert_int_equal(try_import(b, IMPORT_EXAMPLES, "fasttext", path, &p), ERR_NEWER_FORMAT);
	assert_non_null(strstr(b->f->err.message, "version 2"));
	write_file(
		b, "manifest.json",
		"{\"readback_dataset\":1,\"format\":\"rasa\",\"labels\":[{\"label\":\"a b\",\"as\":\"a_b\"}]}");
	import_twice(b, IMPORT_EXAMPLES, "fasttext", path, 1);
	assert_string_equal(label_of(b, "text"), "a_b");
	write_file(b, "manifest.json", "not ours");
	NO_ERROR(b->f, try_import(b, IMPORT_EXAMPLES, "fasttext", path, &p));
	COUNTS(p, 0, 1, 0);
}

/* --- Label Studio --------------------------------------------------------------------------------------- */

#define CHOICE(label)                                                                                              \
	"{\"from_name\":\"intent\",\"id\":\"q1\",\"origin\":\"manual\",\"to_name\":\"text\",\"type\":\"choices\"," \
	"\"value\":{\"choices\":[" label "]}}"
#define TASK(text, annotations) \
	"{\"id\":7,\"data\":{\"text\":" text "},\"annotations\":[" annotations "],\"predictions\":[]}"
#define ANNOTATION(results) "{\"completed_by\":1,\"was_cancelled\":false,\"result\":[" results "]}"

static void test_label_studio__an_export_is_taken(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(
		b, "export.json",
		"[\n" TASK("\"where is my refund\"", ANNOTATION(CHOICE("\"refund status\""))) ",\n" TASK(
			"\"two\\nlines and \\\"quotes\\\"\"",
			ANNOTATION(CHOICE("\"\xF0\x9F\x93\xA6 \\\"a\\\"\\nb\""))) "]\n");

	import_twice(b, IMPORT_EXAMPLES, "label-studio", path, 2);
	assert_string_equal(label_of(b, "where is my refund"), "refund status");
	assert_string_equal(label_of(b, "two\nlines and \"quotes\""), "\xF0\x9F\x93\xA6 \"a\"\nb");
}

static void test_label_studio__the_latest_annotation_that_was_not_cancelled_counts(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(
		b, "export.json",
		"[{\"data\":{\"text\":\"t\"},\"predictions\":[{\"result\":[" CHOICE(
			"\"of a model\"") "]}],\"annotations\":["
					  "{\"updated_at\":\"2026-03-09T22:16:08.728378Z\",\"result\":[" CHOICE(
						  "\"second\"") "]},"
								"{\"updated_at\":\"2026-03-09T22:16:08Z\",\"result\":[" CHOICE(
									"\"first\"") "]},"
										     "{\"was_cancelled\":true,\"updated_at\":\"2026-03-10T00:00:00Z\",\"result\":[" CHOICE(
											     "\"cancelled\"") "]}"
													      "]}]");

	import_twice(b, IMPORT_EXAMPLES, "label-studio", path, 1);
	assert_string_equal(label_of(b, "t"), "second");
	struct scan s = { .kind = RECORD_EXAMPLE, .limit = 10 };
	struct record *list;
	size_t n;
	NO_ERROR(b->f, engine_scan(b->f->desk.engine, &s, b->f->arena, &list, &n, &b->f->err));
	assert_string_equal(body_string(list[0].body, "at"), "2026-03-09T22:16:08.728Z");
}

static void test_label_studio__what_has_no_choice_says_so(void **state)
{
	static const struct bad list[] = {
		{ "{\"data\":", "1::bad_json\n", NULL },
		{ "[{\"data\":", "1::bad_json\n", "ends within its array" },
		{ "[7]", "1::wrong_type\n", NULL },
		{ "[" TASK("\"t\"", "") "]", "1:annotations:missing_field\n", "not cancelled" },
		{ "[" TASK("\"t\"", "{\"was_cancelled\":true,\"result\":[" CHOICE("\"x\"") "]}") "]",
		  "1:annotations:missing_field\n", "not cancelled" },
		{ "[" TASK("\"t\"", ANNOTATION("")) "]", "1:annotations[0].result:missing_field\n",
		  "no choice" },
		{ "[" TASK("\"t\"", ANNOTATION("{\"type\":\"labels\",\"value\":{\"labels\":[\"x\"]}}")) "]",
		  "1:annotations[0].result:missing_field\n", NULL },
		{ "[" TASK("\"t\"", ANNOTATION(CHOICE("\"x\",\"y\""))) "]",
		  "1:annotations[0].result[0].value.choices:bad_value\n", "2 choices" },
		{ "[" TASK("\"t\"", ANNOTATION(CHOICE("\"x\"") "," CHOICE("\"y\""))) "]",
		  "1:annotations[0].result:bad_value\n", "several controls" },
		{ "[" TASK("\"t\"", ANNOTATION(CHOICE("{\"label\":\"x\"}"))) "]",
		  "1:annotations[0].result[0].value.choices:wrong_type\n", "Label Studio 1" },
		{ "[" TASK("\"t\"", ANNOTATION(CHOICE("\"\""))) "]", "1:label:empty_text\n", NULL },
		{ "[" TASK("\"\"", ANNOTATION(CHOICE("\"x\""))) "]", "1:data.text:empty_text\n", NULL },
		{ "[{\"data\":{\"image\":\"a.jpg\"},\"annotations\":[]}]", "1:data.text:missing_field\n",
		  NULL },
		{ "[{\"data\":{\"text\":\"t\"},\"completions\":[]}]", "1:completions:bad_value\n", "1.0" },
		{ "[{\"text\":\"t\",\"intent\":\"x\"}]", "1:data:missing_field\n", NULL },
	};

	CHECK_BAD(*state, IMPORT_EXAMPLES, "label-studio", list);
}

/* --- Argilla -------------------------------------------------------------------------------------------- */

static void test_argilla__submitted_responses_are_labels(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(
		b, "records.json",
		"[{\"id\":\"1\",\"fields\":{\"text\":\"one\"},\"metadata\":{},\"vectors\":{},\"status\":\"completed\","
		"\"suggestions\":{\"label\":{\"value\":\"bot\",\"score\":0.9,\"agent\":\"m\"}},"
		"\"responses\":{\"label\":[{\"value\":\"first\",\"user_id\":\"u1\"},{\"value\":\"a \\\"b\\\"\\n\xF0\x9F\x93\xA6\",\"user_id\":\"u2\"}]}},"
		"{\"fields\":{\"text\":\"two\"},\"suggestions\":[{\"question_name\":\"label\",\"value\":\"bot\"}],"
		"\"responses\":[{\"values\":{\"label\":{\"value\":\"x\"}},\"status\":\"submitted\"},"
		"{\"values\":{\"label\":{\"value\":\"y\"}},\"status\":\"draft\"},{\"values\":{},\"status\":\"discarded\"}]},"
		"{\"fields\":{\"text\":\"three\"},\"responses\":{\"label\":[{\"value\":[\"z\"],\"status\":\"submitted\"},"
		"{\"value\":\"no\",\"status\":\"draft\"}]}}]");

	import_twice(b, IMPORT_EXAMPLES, "argilla", path, 3);
	assert_string_equal(label_of(b, "one"), "a \"b\"\n\xF0\x9F\x93\xA6");
	assert_string_equal(label_of(b, "two"), "x");
	assert_string_equal(label_of(b, "three"), "z");
}

static void test_argilla__a_suggestion_is_no_label(void **state)
{
	static const struct bad list[] = {
		{ "{\"fields\":{\"text\":\"t\"},\"status\":\"completed\",\"responses\":{},\"suggestions\":{\"label\":"
		  "{\"value\":\"x\"}}}",
		  "1:responses:missing_field\n", "submitted" },
		{ "{\"fields\":{\"text\":\"t\"},\"suggestions\":{\"label\":{\"value\":\"x\"}}}",
		  "1:responses:missing_field\n", NULL },
		{ "{\"fields\":{\"text\":\"t\"},\"status\":\"pending\",\"responses\":{\"label\":[{\"value\":\"x\"}]}}",
		  "1:responses:missing_field\n", "submitted" },
		{ "{\"fields\":{\"text\":\"t\"},\"responses\":[{\"values\":{\"label\":{\"value\":\"x\"}},\"status\":\"draft\"}]}",
		  "1:responses:missing_field\n", "submitted" },
		{ "{\"fields\":{\"text\":\"t\"},\"responses\":{\"label\":[{\"value\":\"x\"}]}}",
		  "1:status:missing_field\n", "draft" },
		{ "{\"fields\":{\"text\":\"t\"},\"status\":\"completed\",\"responses\":{\"a\":[{\"value\":\"x\"}],\"b\":[]}}",
		  "1:responses:bad_value\n", "several questions" },
		{ "{\"fields\":{\"text\":\"t\"},\"status\":\"completed\",\"responses\":{\"a\":[{\"value\":[\"x\",\"y\"]}]}}",
		  "1:responses:bad_value\n", "2 labels" },
		{ "{\"fields\":{\"text\":\"t\"},\"status\":\"completed\",\"responses\":{\"a\":[{\"value\":{\"x\":1}}]}}",
		  "1:responses:wrong_type\n", "newer" },
		{ "{\"fields\":{\"text\":\"t\"},\"status\":\"completed\",\"responses\":{\"a\":\"x\"}}",
		  "1:responses:wrong_type\n", "newer" },
		{ "{\"fields\":{\"text\":\"t\"},\"responses\":\"x\"}", "1:responses:wrong_type\n",
		  "Argilla 2" },
		{ "{\"fields\":{\"prompt\":\"t\"},\"responses\":{}}", "1:fields.text:missing_field\n", NULL },
		{ "\n{\"fields\":\n", "2::bad_json\n", NULL },
	};

	CHECK_BAD(*state, IMPORT_EXAMPLES, "argilla", list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fasttext__labels_stand_as_they_are),
		TEST(test_fasttext__bad_lines_say_what_is_wrong),
		TEST(test_fasttext__a_long_label_is_refused),
		TEST(test_fasttext__a_nul_is_refused),
		TEST(test_fasttext__the_manifest_knows_what_labels_were),
		TEST(test_fasttext__other_manifests_are_let_be_and_newer_ones_refused),
		TEST(test_label_studio__an_export_is_taken),
		TEST(test_label_studio__the_latest_annotation_that_was_not_cancelled_counts),
		TEST(test_label_studio__what_has_no_choice_says_so),
		TEST(test_argilla__submitted_responses_are_labels),
		TEST(test_argilla__a_suggestion_is_no_label),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
