/* Values of JSON, and conversations of other tools, as they write them, through `import --from`. */
#include "foreign_fixture.h"

#include <zlib.h>

#include "ingest/values.h"

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

/* A bot's text makes no case, also where the conversation was resolved. */
static void test_vcon__what_only_a_bot_answered_is_no_case(void **state)
{
	struct bench *b = *state;
	const char *path = write_file(
		b, "train.jsonl",
		"{\"vcon\":\"0.4.0\",\"uuid\":\"u-1\"," PARTIES
		",\"dialog\":[" TURN("0", "My hub is offline") "," TURN(
			"1",
			"Restart it") "],\"analysis\":[{\"type\":\"intent\",\"vendor\":\"readback\",\"body\":\"x\"}]}\n");

	import_twice(b, IMPORT_CONVERSATIONS, "vcon", path, 1);
	assert_string_equal(string_at(show(b, "vcon:u-1"), "state"), "open");
	assert_int_equal(count(b, RECORD_EXAMPLE) + count(b, RECORD_CASE), 0);
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
		TEST(test_openai__chats_become_conversations),
		TEST(test_openai__bad_rows_name_the_message),
		TEST(test_vcon__a_row_of_ours_is_a_resolved_conversation),
		TEST(test_vcon__what_only_a_bot_answered_is_no_case),
		TEST(test_vcon__of_another_tool_is_a_conversation_without_a_label),
		TEST(test_vcon__bad_ones_name_the_field_and_newer_ones_the_version),
		TEST(test_beir__an_exported_corpus_is_documents),
		TEST(test_from__unknown_formats_and_folders_are_wrong_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
