/* test_dataset_diff.c: two exported folders and what differs, with the reason. */
#include "dataset_fixture.h"

#include "datasets/dataset_diff.h"

static void add(struct fixture *f, const char *id, const char *asked, const char *at)
{
	import(f,
	       arena_printf(
		       f->arena,
		       "{'id':'%s','turns':[{'role':'customer','text':'%s'},{'role':'agent','text':'done'}],"
		       "'resolution':{'outcome':'resolved','intent':'a','text':'x','at':'%s'}}",
		       id, asked, at));
}

static void example(struct fixture *f, const char *text, const char *label)
{
	int status;

	NO_ERROR(f, example_import(&f->desk, &f->call,
				   J(f, arena_printf(f->arena, "{'text':'%s','label':'%s'}", text, label)),
				   &status));
}

/* "+c-1 recorded_later;" and so on, one behind the other. */
static int note(void *arg, enum diff_what what, const json_t *row, struct error *e)
{
	const json_t *reasons = json_object_get(row, "reasons");

	(void)e;
	strbuf_printf(arg, "%c%s", "+-~"[what], body_string(row, "conversation"));
	for (size_t i = 0; i < json_array_size(reasons); i++)
		strbuf_printf(arg, " %s", body_string(json_array_get(reasons, i), "why"));
	strbuf_puts(arg, ";");
	return 0;
}

static const char *diff(struct fixture *f, const char *a, const char *b, struct dataset_diff *out)
{
	STRBUF_AUTO said = STRBUF_INIT;

	NO_ERROR(f, dataset_diff(a, b, note, &said, out, &f->err));
	json_keep(f->arena, out->request);
	json_keep(f->arena, out->files);
	return arena_strdup(f->arena, said.p ? said.p : "");
}

static void test_diff__of_equal_exports_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct dataset_options a = options_of(f, DATASET_ANSWERS, "a"),
			       b = options_of(f, DATASET_ANSWERS, "b");
	struct dataset_diff d;

	add(f, "c-1", "where", "2026-06-01T08:00:00Z");
	export(f, &a);
	export(f, &b);
	assert_string_equal(diff(f, a.folder, b.folder, &d), "");
	assert_int_equal(d.equal, 1);
	assert_int_equal(json_object_size(d.request), 0);
	assert_int_equal(json_array_size(d.files), 0);
}

static void test_diff__rows_of_later_marks_and_other_times(void **state)
{
	struct fixture *f = *state;
	struct dataset_options a = options_of(f, DATASET_ANSWERS, "a"),
			       b = options_of(f, DATASET_ANSWERS, "b");
	struct dataset_diff d;

	add(f, "c-1", "where", "2026-06-01T08:00:00Z");
	add(f, "c-2", "what", "2026-07-01T08:00:00Z");
	struct dataset_summary first = export(f, &a);
	add(f, "c-3", "when", "2026-07-02T08:00:00Z");
	b.since = body_time(J(f, "{'t':'2026-06-15T00:00:00Z'}"), "t");
	export(f, &b);
	assert_string_equal(diff(f, a.folder, b.folder, &d), "+c-3 recorded_later;-c-1 out_of_time;");
	assert_int_equal(d.equal, 1);
	assert_int_equal(int_at(d.request, "mark.from"), first.mark);
	assert_string_equal(string_at(d.request, "since.to"), "2026-06-15T00:00:00Z");
	assert_string_equal(json_string_value(json_array_get(d.files, 0)), "data/train.jsonl");
	assert_string_equal(diff(f, b.folder, a.folder, &d), "+c-1 out_of_time;-c-3 recorded_later;");
}

static void test_diff__tokens_are_told_from_texts(void **state)
{
	struct fixture *f = *state;
	struct dataset_options a = options_of(f, DATASET_ANSWERS, "a"),
			       b = options_of(f, DATASET_ANSWERS, "b");
	struct dataset_diff d;

	add(f, "c-1", "mail a@x.org", "2026-06-01T08:00:00Z");
	add(f, "c-2", "no token", "2026-06-01T08:00:00Z");
	a.pii = b.pii = PII_REDACT;
	export(f, &a);
	add(f, "c-3", "later", "2026-06-01T08:00:00Z");
	export(f, &b);
	assert_string_equal(diff(f, a.folder, b.folder, &d), "~c-1 tokens;+c-3 recorded_later;");
	b.folder = arena_printf(f->arena, "%s/split", f->folder);
	b.pii = PII_KEEP;
	b.split = SPLIT_HASH;
	b.seed = 5;
	export(f, &b);
	const char *said = diff(f, a.folder, b.folder, &d);
	assert_null(
		strstr(said, "text")); /* of another redaction all texts may differ: the request says so */
	assert_string_equal(string_at(d.request, "pii.to"), "keep");
	assert_string_equal(string_at(d.request, "split.to"), "hash");
	assert_int_equal(int_at(d.request, "seed.to"), 5);
}

static void test_diff__labels_that_were_corrected(void **state)
{
	struct fixture *f = *state;
	struct dataset_options a = options_of(f, DATASET_INTENTS, "a"),
			       b = options_of(f, DATASET_INTENTS, "b");
	struct dataset_diff d;

	ACT(f, conversation_act, J(f, "{'id':'c-9','turns':[{'role':'customer','text':'help'}]}"));
	const char *id = open_handoff(f, "{'conversation_id':'c-9','trigger':'policy'}");
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'a','text':'first'}"));
	export(f, &a);
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'b','text':'second'}"));
	export(f, &b);
	const char *said = diff(f, a.folder, b.folder, &d);
	assert_memory_equal(said, "~c-9 label", 10);
	assert_non_null(strstr(said, " text;")); /* the label is in the row, too */
}

static void test_diff__options_say_why_a_row_is_gone(void **state)
{
	struct fixture *f = *state;
	static const char *const cap[] = { "cap=1" };
	struct dataset_options a = options_of(f, DATASET_INTENTS, "a"),
			       b = options_of(f, DATASET_INTENTS, "b");
	struct dataset_diff d;

	example(f, "one", "a");
	example(f, "two", "a");
	export(f, &a);
	b.settings = cap;
	b.n_settings = 1;
	export(f, &b);
	assert_string_equal(diff(f, a.folder, b.folder, &d), "- options;");
	assert_int_equal(d.equal, 1);
}

static void test_diff__what_is_no_dataset_is_refused(void **state)
{
	struct fixture *f = *state;
	struct dataset_options a = options_of(f, DATASET_ANSWERS, "a"),
			       b = options_of(f, DATASET_INTENTS, "b");
	const char *manifest = arena_printf(f->arena, "%s/manifest.json", b.folder);
	const char *rows = arena_printf(f->arena, "%s/rows.provenance.jsonl", b.folder);
	struct dataset_diff d;

	add(f, "c-1", "where", "2026-06-01T08:00:00Z");
	export(f, &a);
	export(f, &b);
	assert_int_equal(dataset_diff(a.folder, f->folder, NULL, NULL, &d, &f->err), ERR_NOT_FOUND);
	assert_int_equal(dataset_diff(a.folder, b.folder, NULL, NULL, &d, &f->err), ERR_BAD_VALUE);
	NO_ERROR(f, file_write(rows, "{\"row\":\"r_1\"}\n{\"row\":\"r_1\"}\n", 28, &f->err));
	assert_int_equal(dataset_diff(b.folder, b.folder, NULL, NULL, &d, &f->err), ERR_CORRUPT);
	NO_ERROR(f, file_write(rows, "{\"row\":\"r_1\"}", 13, &f->err));
	assert_int_equal(dataset_diff(b.folder, b.folder, NULL, NULL, &d, &f->err), ERR_CORRUPT);
	NO_ERROR(f, file_write(manifest, "{}", 2, &f->err));
	assert_int_equal(dataset_diff(a.folder, b.folder, NULL, NULL, &d, &f->err), ERR_CORRUPT);
	NO_ERROR(f, file_write(manifest, "{\"readback_dataset\":2}", 22, &f->err));
	assert_int_equal(dataset_diff(a.folder, b.folder, NULL, NULL, &d, &f->err), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_diff__of_equal_exports_is_nothing),
		TEST(test_diff__rows_of_later_marks_and_other_times),
		TEST(test_diff__tokens_are_told_from_texts),
		TEST(test_diff__labels_that_were_corrected),
		TEST(test_diff__options_say_why_a_row_is_gone),
		TEST(test_diff__what_is_no_dataset_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
