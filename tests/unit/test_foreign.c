/* Files of other tools, as they write them, through `import --from`. */
#include "desk_fixture.h"

#include <zlib.h>

#include "base/file.h"
#include "ingest/import.h"
#include "ingest/values.h"

struct bench {
	struct fixture *f;
	struct strbuf said; /* "line:param:code\n" */
	struct error last;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->f = fixture_open("none");
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	fixture_close(b->f);
	strbuf_release(&b->said);
	free(b);
	return 0;
}

static const char *write_bytes(struct bench *b, const char *name, const char *s, size_t n)
{
	const char *path = arena_printf(b->f->arena, "%s/%s", b->f->folder, name);

	NO_ERROR(b->f, file_write(path, s, n, &b->f->err));
	return path;
}

static const char *write_file(struct bench *b, const char *name, const char *s)
{
	return write_bytes(b, name, s, strlen(s));
}

static void report(void *arg, const char *file, uint64_t line, const struct error *e,
		   const struct import_progress *p)
{
	struct bench *b = arg;

	(void)file;
	(void)p;
	if (!e)
		return;
	strbuf_printf(&b->said, "%d:%s:%s\n", (int)line, e->param, error_kind(e->code)->name);
	b->last = *e;
}

static const struct import_format *format(struct bench *b, enum import_what what, const char *name)
{
	const struct import_format *f;

	NO_ERROR(b->f, import_format_find(what, name, &f, &b->f->err));
	return f;
}

static int try_import(struct bench *b, enum import_what what, const char *from, const char *path,
		      struct import_progress *p)
{
	struct import_options o = { .what = what,
				    .rights = &b->f->rights,
				    .report = report,
				    .arg = b,
				    .from = from ? format(b, what, from) : NULL };

	strbuf_clear(&b->said);
	strbuf_puts(&b->said, "");
	return import_path(&b->f->desk, path, &o, p, &b->f->err);
}

#define COUNTS(p, i, s, x)                          \
	do {                                        \
		assert_int_equal((p).imported, i);  \
		assert_int_equal((p).unchanged, s); \
		assert_int_equal((p).failed, x);    \
	} while (0)

/* All goes in, and a second time all is there. */
static void import_twice(struct bench *b, enum import_what what, const char *from, const char *path, size_t n)
{
	struct import_progress p;

	NO_ERROR(b->f, try_import(b, what, from, path, &p));
	assert_string_equal(b->said.p, "");
	COUNTS(p, n, 0, 0);
	NO_ERROR(b->f, try_import(b, what, from, path, &p));
	COUNTS(p, 0, n, 0);
}

/* The label of the example with this text. */
static const char *label_of(struct bench *b, const char *text)
{
	struct scan s = { .kind = RECORD_EXAMPLE, .limit = 5000 };
	struct record *list;
	size_t n;

	NO_ERROR(b->f, engine_scan(b->f->desk.engine, &s, b->f->arena, &list, &n, &b->f->err));
	for (size_t i = 0; i < n; i++)
		if (strcmp(body_string(list[i].body, "text"), text) == 0) {
			assert_string_equal(body_string(list[i].body, "origin"), "import");
			return body_string(list[i].body, "label");
		}
	fail_msg("no example \"%s\"", text);
	return NULL;
}

static size_t count(struct bench *b, enum record_kind k)
{
	struct scan s = { .kind = k, .limit = 5000 };
	struct record *list;
	size_t n;

	NO_ERROR(b->f, engine_scan(b->f->desk.engine, &s, b->f->arena, &list, &n, &b->f->err));
	return n;
}

static json_t *show(struct bench *b, const char *id)
{
	struct fixture *f = b->f;
	json_t *named = json_keep(f->arena, json_pack("{s:s}", "conversation", id)), *out = NULL;

	NO_ERROR(f, conversation_show(&f->desk, &f->call, named, &out));
	return json_keep(f->arena, out);
}

struct bad {
	const char *content, *said;
	const char *message; /* a part of it; NULL: whatever */
};

/* Each file has one thing that is not taken. */
static void check_bad(struct bench *b, enum import_what what, const char *from, const struct bad *list,
		      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct import_progress p;
		NO_ERROR(b->f, try_import(b, what, from, write_file(b, "bad", list[i].content), &p));
		if (strcmp(b->said.p, list[i].said) != 0)
			fail_msg("%s\nsaid: %s (%s)", list[i].content, b->said.p, b->last.message);
		if (list[i].message && !strstr(b->last.message, list[i].message))
			fail_msg("%s\nsaid: %s", list[i].content, b->last.message);
		assert_int_equal(p.failed, 1);
		assert_int_equal(p.imported, 0);
	}
	assert_int_equal(count(b, RECORD_EXAMPLE) + count(b, RECORD_CONVERSATION), 0);
}

#define CHECK_BAD(b, what, from, list) check_bad(b, what, from, list, sizeof(list) / sizeof((list)[0]))

/* --- values -------------------------------------------------------------------------------------------- */

/* "number:value|" of each, with "!" of a cut one. */
static const char *values_of(struct bench *b, const char *content, size_t max)
{
	STRBUF_AUTO out = STRBUF_INIT;
	struct lines *l;
	struct values *v;
	struct value x;
	int rc;

	NO_ERROR(b->f, lines_open(write_file(b, "values", content), &l, &b->f->err));
	NO_ERROR(b->f, values_open(l, &v, &b->f->err));
	while ((rc = values_next(v, max, &x, &b->f->err)) > 0)
		strbuf_printf(&out, "%d:%.*s%s|", (int)x.number, (int)(x.n > max ? max : x.n), x.s,
			      x.cut       ? "!"
			      : x.n > max ? "…"
					  : "");
	NO_ERROR(b->f, rc);
	values_close(v);
	lines_close(l);
	return arena_strdup(b->f->arena, out.n ? out.p : "");
}

static void test_values__arrays_lines_and_objects_of_many_lines(void **state)
{
	static const struct {
		const char *content, *values;
	} cases[] = {
		{ "", "" },
		{ " \n\n", "" },
		{ "[]", "" },
		{ "[\n]\n", "" },
		{ "[{\"a\":1},{\"b\":[{}]}]", "1:{\"a\":1}|2:{\"b\":[{}]}|" },
		{ "\xEF\xBB\xBF[ {\"a\":1}\n ,\n7]\n", "1:{\"a\":1}\n |2:7|" },
		{ "[\"],\\\"\",{\"}\":\"{\"}]", "1:\"],\\\"\"|2:{\"}\":\"{\"}|" },
		{ "{\"a\":1}\n\n{\"b\":\"}\"}\r\n{\"c\":1}", "1:{\"a\":1}|3:{\"b\":\"}\"}|4:{\"c\":1}|" },
		{ "\xEF\xBB\xBF{\n \"a\": {\n }\n}\n{\n}\n", "1:{\n \"a\": {\n }\n}|5:{\n}|" },
		{ "{\"a\":{\"b\n{\"c\":1}\n", "1:{\"a\":{\"b\n|2:{\"c\":1}|" },
		{ "\"a\n{\"c\":1}\n", "1:\"a\n|2:{\"c\":1}|" },
		{ "no json\n{\"c\":1}}\n", "1:no json|2:{\"c\":1}|2:}|" },
		{ "[{\"a\":1},{\"b\":", "1:{\"a\":1}|2:{\"b\":!|" },
		{ "[{\"a\":1},\n", "1:{\"a\":1}|2:!|" },
		{ "[{\"a\":1}]\n[{\"b\":1}]", "1:{\"a\":1}|2:[{\"b\":1}]|" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(values_of(b, cases[i].content, 1000), cases[i].values);
	assert_string_equal(values_of(b, "[\"0123456789abcdef\",1]", 5), "1:\"0123…|2:1|");
}

/* An array of more than the reader has in memory at a time, on one line. */
static void test_values__a_long_array_is_read_piece_by_piece(void **state)
{
	struct bench *b = *state;
	STRBUF_AUTO s = STRBUF_INIT;
	struct import_progress p;

	for (int i = 0; i < 2000; i++)
		strbuf_printf(
			&s,
			"%c{\"id\":%d,\"data\":{\"text\":\"text number %d\"},\"annotations\":[{\"result\":"
			"[{\"type\":\"choices\",\"value\":{\"choices\":[\"x\"]}}]}]}",
			i ? ',' : '[', i, i);
	strbuf_puts(&s, ",{}]");
	NO_ERROR(b->f, try_import(b, IMPORT_EXAMPLES, "label-studio", write_file(b, "a.json", s.p), &p));
	COUNTS(p, 2000, 0, 1);
	assert_string_equal(b->said.p, "2001:data:missing_field\n");
	assert_string_equal(label_of(b, "text number 1999"), "x");
}

static void test_values__of_a_gzip_cut_short_the_beginning_goes_in(void **state)
{
	struct bench *b = *state;
	const char *path = arena_printf(b->f->arena, "%s/a.json.gz", b->f->folder);
	gzFile gz = gzopen(path, "wb");
	struct import_progress p;
	char *packed;
	size_t n;

	gzputc(gz, '[');
	for (unsigned i = 0; i < 50000; i++)
		gzprintf(
			gz,
			"%s{\"fields\":{\"text\":\"text %u\"},\"responses\":[{\"status\":\"submitted\",\"values\":"
			"{\"l\":{\"value\":\"label %u\"}}}]}",
			i ? "," : "", i * 2654435761u, i % 10);
	gzputs(gz, "]");
	gzclose(gz);
	NO_ERROR(b->f, file_read(path, &packed, &n, &b->f->err));
	path = write_bytes(b, "cut.json.gz", packed, n / 100);
	free(packed);
	assert_int_equal(try_import(b, IMPORT_EXAMPLES, "argilla", path, &p), ERR_CORRUPT);
	assert_true(p.imported > 0 && p.imported < 50000);
	assert_int_equal(p.failed, 0);
}

static void test_values__a_record_of_more_than_24_mib_is_refused_and_the_next_goes_in(void **state)
{
	struct bench *b = *state;
	STRBUF_AUTO s = STRBUF_INIT;
	struct import_progress p;

	strbuf_puts(&s, "[{\"fields\":{\"text\":\"");
	for (unsigned i = 0; i <= IMPORT_MAX_LINE; i++)
		strbuf_putc(&s, 'x');
	strbuf_puts(&s,
		    "\"}},{\"fields\":{\"text\":\"t\"},\"responses\":[{\"status\":\"submitted\",\"values\":"
		    "{\"l\":{\"value\":\"a\"}}}]}]");
	NO_ERROR(b->f, try_import(b, IMPORT_EXAMPLES, "argilla", write_file(b, "a.json", s.p), &p));
	COUNTS(p, 1, 0, 1);
	assert_string_equal(b->said.p, "1::too_large\n");
}

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

/* --- OpenAI --------------------------------------------------------------------------------------------- */

/* Rows as `export --format openai` writes them of answers; the same chat with weights is the same chat. */
static void test_openai__chats_become_conversations(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(
		b, "train.jsonl",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"where is my refund\"},{\"role\":\"assistant\",\"content\":"
		"\"Paid it \\\"today\\\".\\n\xF0\x9F\x93\xA6\"}]}\n"
		"{\"messages\":[{\"role\":\"system\",\"content\":\"Be kind.\"},{\"role\":\"user\",\"content\":\"hi\"}]}\n");
	struct import_progress p;

	import_twice(b, IMPORT_CONVERSATIONS, "openai", path, 2);
	assert_int_equal(count(b, RECORD_EXAMPLE) + count(b, RECORD_CASE), 0);
	NO_ERROR(
		b->f,
		try_import(
			b, IMPORT_CONVERSATIONS, "openai",
			write_file(
				b, "last.jsonl",
				"{\"messages\":[{\"content\":\"where is my refund\",\"role\":\"user\"},{\"role\":"
				"\"assistant\",\"content\":\"Paid it \\\"today\\\".\\n\xF0\x9F\x93\xA6\",\"weight\":1}]}\n"),
			&p));
	COUNTS(p, 0, 1, 0);
	struct scan s = { .kind = RECORD_CONVERSATION, .limit = 10 };
	struct record *list;
	size_t n;
	NO_ERROR(b->f, engine_scan(b->f->desk.engine, &s, b->f->arena, &list, &n, &b->f->err));
	assert_int_equal(n, 2);
	json_t *first = show(b, list[0].id), *second = show(b, list[1].id);
	if (json_array_size(at(first, "turns")) && strcmp(string_at(first, "turns.0.role"), "system") == 0) {
		json_t *other = first;
		first = second;
		second = other;
	}
	assert_memory_equal(string_at(first, "id"), "openai:", 7);
	assert_string_equal(string_at(first, "turns.0.role"), "customer");
	assert_string_equal(string_at(first, "turns.1.role"), "agent");
	assert_string_equal(string_at(first, "turns.1.text"), "Paid it \"today\".\n\xF0\x9F\x93\xA6");
	assert_string_equal(string_at(second, "turns.0.role"), "system");
	assert_string_equal(string_at(second, "state"), "open");
}

static void test_openai__bad_rows_name_the_message(void **state)
{
	static const struct bad list[] = {
		{ "{\"messages\":[{\"role\":\"user\",\"content\":\"a\n", "1::bad_json\n", NULL },
		{ "{\"messages\":[]}\n", "1:messages:bad_value\n", NULL },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"tool\",\"content\":\"b\"}]}\n",
		  "1:messages[1].role:bad_value\n", NULL },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}]}\n",
		  "1:messages[0].content:wrong_type\n", NULL },
		{ "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[],\"content\":\"b\"}]}\n",
		  "1:messages[0].tool_calls:unknown_field\n", NULL },
		{ "{\"input\":{\"messages\":[]},\"preferred_output\":[],\"non_preferred_output\":[]}\n",
		  "1:preferred_output:bad_value\n", "preference" },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[]}\n",
		  "1:tools:unknown_field\n", NULL },
		{ "{\"text\":\"a\"}\n", "1:messages:missing_field\n", NULL },
	};

	CHECK_BAD(*state, IMPORT_CONVERSATIONS, "openai", list);
}

/* --- vCon ----------------------------------------------------------------------------------------------- */

#define PARTIES \
	"\"parties\":[{\"role\":\"customer\"},{\"role\":\"bot\"},{\"role\":\"agent\"},{\"role\":\"system\"}]"
#define TURN(party, text)                                                           \
	"{\"type\":\"text\",\"start\":\"2026-06-01T07:48:00Z\",\"parties\":[" party \
	"],\"originator\":" party ",\"mediatype\":\"text/plain\",\"body\":\"" text  \
	"\",\"encoding\":\"none\"}"
#define VCON(version, dialog)                                                                         \
	"{\"vcon\":\"" version "\",\"uuid\":\"0b1c2d3e-0000-8000-8000-000000000001\",\"created_at\":" \
	"\"2026-06-01T08:00:00Z\"," PARTIES ",\"dialog\":[" dialog "],\"analysis\":[],\"attachments\":[]}"

/* A row as `export --format vcon` writes it. */
static void test_vcon__a_row_of_ours_is_a_resolved_conversation(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(
		b, "train.jsonl",
		"{\"vcon\":\"0.4.0\",\"uuid\":\"0b1c2d3e-0000-8000-8000-000000000001\",\"created_at\":\"2026-06-01T08:00:00Z\"," PARTIES
		",\"dialog\":[" TURN("0", "My hub is offline") "," TURN("1", "Restart it") "," TURN(
			"2",
			"Change the \\\"Wi-Fi\\\".\\n\xF0\x9F\x93\xA6") "," TURN("0",
										 "thanks") "],\"analysis\":[{\"type\":\"intent\","
											   "\"dialog\":[0,1,2,3],\"vendor\":\"readback\",\"mediatype\":\"text/plain\",\"body\":\"device \\\"offline\\\"\","
											   "\"encoding\":\"none\"}],\"attachments\":[]}\n");

	import_twice(b, IMPORT_CONVERSATIONS, "vcon", path, 1);
	json_t *c = show(b, "vcon:0b1c2d3e-0000-8000-8000-000000000001");
	assert_string_equal(string_at(c, "state"), "resolved");
	assert_string_equal(string_at(c, "started_at"), "2026-06-01T07:48:00Z");
	assert_string_equal(string_at(c, "turns.0.role"), "customer");
	assert_string_equal(string_at(c, "turns.1.role"), "bot");
	assert_string_equal(string_at(c, "turns.2.role"), "agent");
	assert_string_equal(string_at(c, "turns.2.text"), "Change the \"Wi-Fi\".\n\xF0\x9F\x93\xA6");
	struct record r;
	NO_ERROR(b->f,
		 engine_get(b->f->desk.engine, RECORD_CASE, "vcon:0b1c2d3e-0000-8000-8000-000000000001/case",
			    b->f->arena, &r, &b->f->err));
	assert_string_equal(body_string(r.body, "intent"), "device \"offline\"");
	assert_string_equal(body_string(r.body, "resolved_at"), "2026-06-01T08:00:00Z");
}

/* A file of one object over many lines, of an older draft, from elsewhere: what its analysis says is no label. */
static void test_vcon__of_another_tool_is_a_conversation_without_a_label(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(
		b, "one.vcon",
		"{\n  \"vcon\": \"0.0.1\",\n  \"uuid\": \"u-1\",\n"
		"  \"parties\": [\n    {\"name\": \"Ann\", \"role\": \"agent\"},\n"
		"    {\"tel\": \"+15550100\", \"role\": \"customer\"}\n  ],\n"
		"  \"dialog\": [\n    {\"type\": \"text\", \"parties\": 1, \"mimetype\": \"text/plain\","
		" \"body\": \"hello\"},\n"
		"    {\"type\": \"text\", \"parties\": [0, 1], \"body\": \"good morning\"}\n  ],\n"
		"  \"analysis\": [{\"type\": \"intent\", \"vendor\": \"x\", \"body\": \"greeting\"}]\n}\n");

	import_twice(b, IMPORT_CONVERSATIONS, "vcon", path, 1);
	json_t *c = show(b, "vcon:u-1");
	assert_string_equal(string_at(c, "state"), "open");
	assert_string_equal(string_at(c, "turns.0.role"), "customer");
	assert_string_equal(string_at(c, "turns.1.role"), "agent");
	assert_int_equal(count(b, RECORD_EXAMPLE) + count(b, RECORD_CASE), 0);
}

static void test_vcon__bad_ones_name_the_field_and_newer_ones_the_version(void **state)
{
	static const struct bad list[] = {
		{ VCON("0.5.0", ""), "1:vcon:bad_value\n", "0.5.0" },
		{ VCON("1.0.0", ""), "1:vcon:bad_value\n", "1.0.0" },
		{ VCON("new", ""), "1:vcon:bad_value\n", NULL },
		{ VCON("99999999999999999999.0", ""), "1:vcon:bad_value\n", "newer" },
		{ "{\"uuid\":\"u\",\"critical\":[\"video\"],\"parties\":[],\"dialog\":[]}",
		  "1:critical:bad_value\n", "video" },
		{ "{\"vcon\":\"0.4.0\",\"uuid\":", "1::bad_json\n", NULL },
		{ "{\"vcon\":\"0.4.0\",\"parties\":[],\"dialog\":[]}", "1:uuid:missing_field\n", NULL },
		{ "{\"payload\":\"x\",\"signatures\":[]}", "1:uuid:missing_field\n", NULL },
		{ "{\"vcon\":\"0.4.0\",\"uuid\":\"u\",\"dialog\":[]}", "1:parties:missing_field\n", NULL },
		{ VCON("0.4.0", TURN("4", "a")), "1:parties[4]:bad_value\n", NULL },
		{ VCON("0.4.0", TURN("-1", "a")), "1:dialog[0].originator:bad_value\n", NULL },
		{ VCON("0.4.0", TURN("0", "a") ",{\"type\":\"recording\",\"parties\":[0],\"url\":\"x\"}"),
		  "1:dialog[1].type:bad_value\n", "recording" },
		{ VCON("0.4.0", "{\"type\":\"text\",\"parties\":[0]}"), "1:dialog[0].body:missing_field\n",
		  NULL },
		{ VCON("0.4.0", "{\"type\":\"text\",\"body\":\"a\"}"), "1:dialog[0].parties:bad_value\n",
		  NULL },
		{ VCON("0.4.0",
		       "{\"type\":\"text\",\"parties\":[0],\"body\":\"a\",\"encoding\":\"base64url\"}"),
		  "1:dialog[0].encoding:bad_value\n", NULL },
		{ VCON("0.4.0",
		       "{\"type\":\"text\",\"parties\":[0],\"body\":\"a\",\"mediatype\":\"text/html\"}"),
		  "1:dialog[0].mediatype:bad_value\n", NULL },
		{ VCON("0.4.0", "{\"type\":\"text\",\"parties\":[0],\"body\":\"a\",\"start\":\"today\"}"),
		  "1:dialog[0].start:bad_value\n", NULL },
		{ "{\"uuid\":\"u\",\"parties\":[{\"name\":\"Ann\"}],\"dialog\":[" TURN("0", "a") "]}",
		  "1:parties[0].role:missing_field\n", NULL },
		{ "{\"uuid\":\"u\",\"parties\":[{\"role\":\"supervisor\"}],\"dialog\":[" TURN("0", "a") "]}",
		  "1:parties[0].role:bad_value\n", NULL },
	};

	CHECK_BAD(*state, IMPORT_CONVERSATIONS, "vcon", list);
}

/* --- what there is -------------------------------------------------------------------------------------- */

/* A corpus as `export --format beir` writes it: without a title it is empty there. */
static void test_beir__an_exported_corpus_is_documents(void **state)
{
	struct bench *b = *state;
	struct fixture *f = b->f;
	const char *path = write_file(
		b, "corpus.jsonl",
		"{\"_id\":\"help-1\",\"title\":\"Hub \\\"offline\\\"\",\"text\":\"Change the\\nWi-Fi. \xF0\x9F\x93\xA6\"}\n"
		"{\"_id\":\"help-2\",\"title\":\"\",\"text\":\"No title\"}\n");

	import_twice(b, IMPORT_DOCUMENTS, NULL, path, 2);
	assert_string_equal(string_at(ACT(f, document_get, "help-1"), "text"),
			    "Change the\nWi-Fi. \xF0\x9F\x93\xA6");
	assert_string_equal(string_at(ACT(f, document_get, "help-2"), "text"), "No title");
}

static void test_from__unknown_formats_and_folders_are_wrong_use(void **state)
{
	struct bench *b = *state;
	const struct import_format *f;
	struct import_progress p;

	assert_int_equal(import_format_find(IMPORT_EXAMPLES, "rasa", &f, &b->f->err), ERR_USAGE);
	assert_non_null(strstr(b->f->err.message, "fasttext, label-studio, argilla"));
	assert_int_equal(import_format_find(IMPORT_CONVERSATIONS, "fasttext", &f, &b->f->err), ERR_USAGE);
	assert_non_null(strstr(b->f->err.message, "openai, vcon"));
	assert_int_equal(import_format_find(IMPORT_DOCUMENTS, "beir", &f, &b->f->err), ERR_USAGE);
	assert_non_null(strstr(b->f->err.message, "BEIR"));
	assert_int_equal(try_import(b, IMPORT_EXAMPLES, "fasttext", b->f->folder, &p), ERR_USAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_values__arrays_lines_and_objects_of_many_lines),
		TEST(test_values__a_long_array_is_read_piece_by_piece),
		TEST(test_values__of_a_gzip_cut_short_the_beginning_goes_in),
		TEST(test_values__a_record_of_more_than_24_mib_is_refused_and_the_next_goes_in),
		TEST(test_fasttext__labels_stand_as_they_are),
		TEST(test_fasttext__a_nul_is_refused),
		TEST(test_fasttext__bad_lines_say_what_is_wrong),
		TEST(test_fasttext__a_long_label_is_refused),
		TEST(test_fasttext__the_manifest_knows_what_labels_were),
		TEST(test_fasttext__other_manifests_are_let_be_and_newer_ones_refused),
		TEST(test_label_studio__an_export_is_taken),
		TEST(test_label_studio__the_latest_annotation_that_was_not_cancelled_counts),
		TEST(test_label_studio__what_has_no_choice_says_so),
		TEST(test_argilla__submitted_responses_are_labels),
		TEST(test_argilla__a_suggestion_is_no_label),
		TEST(test_openai__chats_become_conversations),
		TEST(test_openai__bad_rows_name_the_message),
		TEST(test_vcon__a_row_of_ours_is_a_resolved_conversation),
		TEST(test_vcon__of_another_tool_is_a_conversation_without_a_label),
		TEST(test_vcon__bad_ones_name_the_field_and_newer_ones_the_version),
		TEST(test_beir__an_exported_corpus_is_documents),
		TEST(test_from__unknown_formats_and_folders_are_wrong_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
