/* test_consent.c: what customers say about training, and what that does to training sets. */
#include "dataset_fixture.h"

#include "datasets/dataset_diff.h"
#include "datasets/withdrawn.h"

static void say(struct fixture *f, const char *customer, const char *training)
{
	ACT(f, consent_act, customer, J(f, arena_printf(f->arena, "{'training':'%s'}", training)));
}

static json_t *told(struct fixture *f, const char *customer)
{
	return ACT(f, consent_get, customer);
}

/* A resolved conversation; customer "" for none. */
static void add(struct fixture *f, const char *id, const char *customer, const char *asked,
		const char *intent)
{
	const char *who = *customer ? arena_printf(f->arena, "'customer':{'id':'%s'},", customer) : "";

	import(f,
	       arena_printf(
		       f->arena,
		       "{'id':'%s',%s'turns':[{'role':'customer','text':'%s'},{'role':'agent','text':'done'}],"
		       "'resolution':{'outcome':'resolved','intent':'%s','text':'x'}}",
		       id, who, asked, intent));
}

/* --- what was said ------------------------------------------------------------------------------------------- */

static void test_consent__the_last_word_counts(void **state)
{
	struct fixture *f = *state;

	FAILS(f, ERR_NOT_FOUND, consent_get, "cu-1");
	say(f, "cu-1", "granted");
	assert_string_equal(string_at(told(f, "cu-1"), "training"), "granted");
	assert_string_equal(string_at(told(f, "cu-1"), "datasets"), "settled");
	assert_string_equal(string_at(told(f, "cu-1"), "agent"), "k-all");
	say(f, "cu-1", "denied");
	assert_string_equal(string_at(told(f, "cu-1"), "training"), "denied");
	assert_string_equal(string_at(told(f, "cu-1"), "datasets"), "pending");
}

static void test_consent__a_grant_does_not_undo_what_a_denial_before_it_waits_for(void **state)
{
	struct fixture *f = *state;

	say(f, "cu-1", "denied");
	say(f, "cu-1", "granted");
	assert_string_equal(string_at(told(f, "cu-1"), "training"), "granted");
	assert_string_equal(string_at(told(f, "cu-1"), "datasets"), "pending");
}

static void test_consent__every_word_is_kept_as_an_event(void **state)
{
	struct fixture *f = *state;
	int64_t revision;

	say(f, "cu/1", "denied");
	say(f, "cu/1", "denied");
	say(f, "cu/1", "granted");
	NO_ERROR(f, engine_revision(f->desk.engine, "subject/cu/1", &revision, &f->err));
	assert_int_equal(revision, 3);
}

static void test_consent__what_is_not_well_formed_is_refused(void **state)
{
	struct fixture *f = *state;
	char longest[514];

	assert_string_equal(
		FAILS(f, ERR_BAD_VALUE, consent_act, "cu-1", J(f, "{'training':'perhaps'}"))->param,
		"training");
	FAILS(f, ERR_MISSING_FIELD, consent_act, "cu-1", J(f, "{}"));
	FAILS(f, ERR_WRONG_TYPE, consent_act, "cu-1", J(f, "{'training':true}"));
	FAILS(f, ERR_UNKNOWN_FIELD, consent_act, "cu-1", J(f, "{'training':'denied','why':'x'}"));
	memset(longest, 'x', sizeof(longest));
	longest[513] = '\0';
	assert_string_equal(FAILS(f, ERR_BAD_ID, consent_act, longest, J(f, "{'training':'denied'}"))->param,
			    "customer");
	FAILS(f, ERR_BAD_ID, consent_act, "", J(f, "{'training':'denied'}"));
	FAILS(f, ERR_BAD_ID, consent_act, "a\nb", J(f, "{'training':'denied'}"));
	longest[512] = '\0';
	say(f, longest, "denied"); /* just not too long */
}

/* --- datasets -------------------------------------------------------------------------------------------------- */

/* Makes the folder anew. */
static struct dataset_summary again(struct fixture *f, const struct dataset_options *o)
{
	NO_ERROR(f, folder_remove(o->folder, &f->err));
	return export(f, o);
}

static long long skipped(struct fixture *f, const struct dataset_options *o, const char *why)
{
	return json_integer_value(json_object_get(at(manifest_of(f, o), "skipped"), why));
}

static void test_consent__who_denies_now_makes_no_row_also_at_an_earlier_mark(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	add(f, "c-1", "cu-1", "where is it", "a");
	add(f, "c-2", "cu-2", "what is it", "a");
	add(f, "c-3", "", "who is it", "a");
	o.mark = export(f, &o).mark;
	say(f, "cu-1", "denied");
	say(f, "cu-2", "granted");
	say(f, "nobody yet", "denied");
	assert_int_equal(again(f, &o).rows, 2);
	assert_null(strstr(content(f, o.folder, "data/train.jsonl"), "where"));
	assert_int_equal(skipped(f, &o, "consent_denied"), 1);
	assert_non_null(strstr(content(f, o.folder, "README.md"), "consent_denied: 1"));
	say(f, "cu-1", "granted");
	assert_int_equal(again(f, &o).rows, 3);
	assert_int_equal(skipped(f, &o, "consent_denied"), 0);
}

static void test_consent__examples_from_the_conversation_go_with_it(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");
	int status;

	add(f, "c-1", "cu-1", "where is it", "where");
	NO_ERROR(f,
		 example_import(&f->desk, &f->call, J(f, "{'text':'what is it','label':'what'}"), &status));
	assert_int_equal(export(f, &o).rows, 2);
	say(f, "cu-1", "denied");
	assert_int_equal(again(f, &o).rows, 1);
	assert_string_equal(content(f, o.folder, "data/train.txt"), "__label__what what is it\n");
	assert_int_equal(json_array_size(at(manifest_of(f, &o), "labels")), 1);
}

static void test_consent__a_filter_takes_those_who_granted_it(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");
	int status;

	add(f, "c-1", "cu-1", "one", "a");
	add(f, "c-2", "cu-2", "two", "a");
	add(f, "c-3", "cu-3", "three", "a");
	import(f, "{'id':'c-4','attributes':{'consent':'granted'},'customer':{'id':'cu-4'},"
		  "'turns':[{'role':'customer','text':'four'},{'role':'agent','text':'done'}],"
		  "'resolution':{'outcome':'resolved','intent':'a','text':'x'}}");
	NO_ERROR(f, example_import(&f->desk, &f->call, J(f, "{'text':'five','label':'a'}"), &status));
	say(f, "cu-1", "granted");
	say(f, "cu-2", "denied");
	o.filter = J(f, "{'type':'eq','key':'consent','value':'granted'}");
	assert_int_equal(export(f, &o).rows, 1);
	assert_string_equal(content(f, o.folder, "data/train.txt"), "__label__a one\n");
	assert_int_equal(skipped(f, &o, "filtered"),
			 4); /* an attribute of that name is not the customer's word */
	assert_int_equal(skipped(f, &o, "consent_denied"), 0);
}

static void test_consent__a_dataset_of_nothing_says_why(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	add(f, "c-1", "cu-1", "where is it", "a");
	say(f, "cu-1", "denied");
	assert_non_null(strstr(EXPORT_FAILS(f, ERR_EMPTY_TEXT, &o), "consent_denied 1"));
}

static void test_consent__nothing_of_a_withdrawn_row_is_told_by_the_manifest(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	o.pii = PII_REDACT;
	add(f, "c-1", "cu-1", "mail a@x.org, article 4711471147", "a");
	add(f, "c-2", "cu-2", "what is it", "a");
	say(f, "cu-1", "denied");
	export(f, &o);
	assert_int_equal(int_at(manifest_of(f, &o), "redaction.counts.email"), 0);
	assert_int_equal(int_at(manifest_of(f, &o), "redaction.kept.places"), 0);
	assert_null(strstr(content(f, o.folder, "manifest.json"), "4711471147"));
}

/* --- by those rows only ----------------------------------------------------------------------------------------- */

struct both {
	struct strbuf gone;
	size_t others;
};

static int note(void *arg, enum diff_what what, const json_t *row, struct error *e)
{
	struct both *b = arg;
	const json_t *reasons = json_object_get(row, "reasons");

	(void)e;
	if (what != DIFF_GONE || json_array_size(reasons) != 1 ||
	    strcmp(body_string(json_array_get(reasons, 0), "why"), "consent_denied") != 0)
		b->others++;
	else
		strbuf_printf(&b->gone, "%s;", body_string(row, "conversation"));
	return 0;
}

/* `a` without the lines that `gone` has words of. */
static const char *without(struct fixture *f, const char *a, const char *gone)
{
	STRBUF_AUTO left = STRBUF_INIT;

	for (const char *end; (end = strchr(a, '\n')); a = end + 1) {
		const char *line = arena_strndup(f->arena, a, (size_t)(end - a));
		if (!strstr(line, gone))
			strbuf_printf(&left, "%s\n", line);
	}
	return arena_strdup(f->arena, left.p ? left.p : "");
}

/* Exports, has cu-x deny, exports at the same mark: but for the rows of c-x, whose texts say `gone`, nothing differs. */
static void differs_by_those_rows_only(struct fixture *f, struct dataset_options o, const char *gone,
				       const char *file)
{
	const char *first = o.folder;
	struct both b = { .gone = STRBUF_INIT };
	struct dataset_diff d;
	static const char *const parts[] = { "train", "valid", "test" };

	o.mark = export(f, &o).mark;
	say(f, "cu-x", "denied");
	o.folder = arena_printf(f->arena, "%s-again", first);
	export(f, &o);
	NO_ERROR(f, dataset_diff(first, o.folder, note, &b, &d, &f->err));
	json_decref(d.request);
	json_decref(d.files);
	assert_int_equal(b.others, 0);
	assert_string_equal(b.gone.p, "c-x;");
	strbuf_release(&b.gone);
	for (size_t p = 0; p < (o.split == SPLIT_NONE ? 1 : 3); p++) {
		const char *name = arena_printf(f->arena, "data/%s.%s", parts[p], file);
		assert_string_equal(content(f, o.folder, name), without(f, content(f, first, name), gone));
	}
	say(f, "cu-x", "granted");
	NO_ERROR(f, folder_remove(first, &f->err));
	NO_ERROR(f, folder_remove(o.folder, &f->err));
}

/* Twenty customers, of which c-x, the eldest, asks nearly what c-a does: they are one component, by its name. */
static void add_twenty(struct fixture *f)
{
	static const char half[] =
		"my parcel with the blue chair was left at the wrong door of our house on monday";
	static const char other[] =
		"and the invoice for it names a sum that is twice of what the shop had told us";

	add(f, "c-x", "cu-x", arena_printf(f->arena, "%s %s", half, other), "lost");
	add(f, "c-a", "cu-x-not", arena_printf(f->arena, "%s %s ok", half, other), "lost");
	for (int i = 0; i < 18; i++)
		add(f, arena_printf(f->arena, "c-%d", i), arena_printf(f->arena, "cu-%d", i),
		    arena_printf(f->arena, "question %d of %d words about %c%c%c", i * 7919, i, 'a' + i,
				 'b' + i, 'c' + i),
		    i % 3 ? "lost" : "found");
}

static void test_consent__a_rebuilt_dataset_differs_by_those_rows_only(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	add_twenty(f);
	differs_by_those_rows_only(f, o, "told us\"", "jsonl");
	o.pii = PII_REDACT;
	differs_by_those_rows_only(f, o, "told us\"", "jsonl");
	o.split = SPLIT_TIME;
	differs_by_those_rows_only(f, o, "told us\"", "jsonl");
	o.split = SPLIT_HASH;
	for (o.seed = 0; o.seed < 16; o.seed++)
		differs_by_those_rows_only(f, o, "told us\"", "jsonl");
}

static void test_consent__under_caps_no_other_row_comes_in(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");
	static const char *const settings[] = { "balance=smallest", "min-examples=2" };

	add(f, "c-x", "cu-x", "told us", "a");
	add(f, "c-1", "cu-1", "one", "a");
	for (int i = 0; i < 6; i++)
		add(f, arena_printf(f->arena, "c-b%d", i), "cu-2", arena_printf(f->arena, "b %d", i), "b");
	o.settings = settings;
	o.n_settings = 2;
	differs_by_those_rows_only(f, o, "told us", "txt");
}

static void test_consent__labels_keep_the_names_that_the_format_gave_them(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_fasttext, DATASET_INTENTS, "out");

	add(f, "c-x", "cu-x", "told us", "a b");
	add(f, "c-1", "cu-1", "one", "a_b"); /* which is a_b_2 there */
	add(f, "c-2", "cu-1", "two", "c");
	differs_by_those_rows_only(f, o, "told us", "txt");
}

/* --- folders that are somewhere --------------------------------------------------------------------------------- */

static int list(void *arg, const json_t *row, struct error *e)
{
	(void)e;
	strbuf_printf(arg, "%s:%lld %s;", body_string(row, "file"), (long long)body_int(row, "line"),
		      body_string(row, "conversation"));
	return 0;
}

static void test_withdrawn__lists_the_rows_of_a_folder_that_have_to_go(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");
	STRBUF_AUTO said = STRBUF_INIT;
	struct withdrawn w;

	add(f, "c-1", "cu-1", "one", "a");
	add(f, "c-2", "cu-2", "two", "a");
	add(f, "c-3", "cu-1", "three", "a");
	export(f, &o);
	NO_ERROR(f, dataset_withdrawn(f->desk.engine, o.folder, list, &said, &w, &f->err));
	assert_int_equal(w.rows, 3);
	assert_int_equal(w.withdrawn + w.unknown, 0);
	say(f, "cu-1", "denied");
	NO_ERROR(f, dataset_withdrawn(f->desk.engine, o.folder, list, &said, &w, &f->err));
	assert_int_equal(w.withdrawn, 2);
	assert_string_equal(said.p, "data/train.jsonl:1 c-1;data/train.jsonl:3 c-3;");
}

static void test_withdrawn__rows_of_another_data_folder_are_not_taken_for_clean(void **state)
{
	struct fixture *f = *state, *other = fixture_open("none");
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");
	struct withdrawn w;

	add(f, "c-1", "cu-1", "one", "a");
	export(f, &o);
	NO_ERROR(f, dataset_withdrawn(other->desk.engine, o.folder, list, NULL, &w, &f->err));
	assert_int_equal(w.unknown, 1);
	fixture_close(other);
}

static void test_withdrawn__a_folder_that_is_no_dataset_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct withdrawn w;

	assert_int_equal(dataset_withdrawn(f->desk.engine, f->folder, list, NULL, &w, &f->err),
			 ERR_NOT_FOUND);
	NO_ERROR(f, file_write(arena_printf(f->arena, "%s/rows.provenance.jsonl", f->folder), "{}\n", 3,
			       &f->err));
	assert_int_equal(dataset_withdrawn(f->desk.engine, f->folder, list, NULL, &w, &f->err), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_consent__the_last_word_counts),
		TEST(test_consent__a_grant_does_not_undo_what_a_denial_before_it_waits_for),
		TEST(test_consent__every_word_is_kept_as_an_event),
		TEST(test_consent__what_is_not_well_formed_is_refused),
		TEST(test_consent__who_denies_now_makes_no_row_also_at_an_earlier_mark),
		TEST(test_consent__examples_from_the_conversation_go_with_it),
		TEST(test_consent__a_filter_takes_those_who_granted_it),
		TEST(test_consent__a_dataset_of_nothing_says_why),
		TEST(test_consent__nothing_of_a_withdrawn_row_is_told_by_the_manifest),
		TEST(test_consent__a_rebuilt_dataset_differs_by_those_rows_only),
		TEST(test_consent__under_caps_no_other_row_comes_in),
		TEST(test_consent__labels_keep_the_names_that_the_format_gave_them),
		TEST(test_withdrawn__lists_the_rows_of_a_folder_that_have_to_go),
		TEST(test_withdrawn__rows_of_another_data_folder_are_not_taken_for_clean),
		TEST(test_withdrawn__a_folder_that_is_no_dataset_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
