/* test_dataset_pairs.c: what formats of conversations, preferences and retrieval write, to the byte. */
#include "dataset_fixture.h"

/* --- answers, preferences ---------------------------------------------------------------------------------- */

static void test_openai__chats_may_be_trained_on_their_last_answer_only(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_openai, DATASET_ANSWERS, "out");
	const char *last[] = { "train-on=last" };

	import(f, "{'id':'c-1','turns':[{'role':'customer','text':'a'},{'role':'agent','text':'b'},"
		  "{'role':'customer','text':'c'},{'role':'agent','text':'d'}],"
		  "'resolution':{'outcome':'resolved','intent':'x','text':'t'}}");
	assert_string_equal(
		written(f, &o, "data/train.jsonl"),
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},"
		"{\"role\":\"user\",\"content\":\"c\"},{\"role\":\"assistant\",\"content\":\"d\"}]}\n");
	assert_null(at(manifest_of(f, &o), "options"));
	o.folder = arena_printf(f->arena, "%s/last", f->folder);
	o.settings = last;
	o.n_settings = 1;
	assert_non_null(strstr(written(f, &o, "data/train.jsonl"),
			       "\"b\",\"weight\":0},{\"role\":\"user\",\"content\":\"c\"},"
			       "{\"role\":\"assistant\",\"content\":\"d\",\"weight\":1}]}\n"));
	assert_string_equal(string_at(manifest_of(f, &o), "options.train-on"), "last");
}

static void test_vcon__has_all_turns_and_the_same_uuid_each_time(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_vcon, DATASET_ANSWERS, "out");

	import(f,
	       "{'id':'c-1','turns':[{'role':'customer','text':'a, x@y.org','at':'2026-06-01T08:00:00Z'},"
	       "{'role':'bot','text':'b','at':'2026-06-01T08:00:01Z'},{'role':'agent','text':'c','at':'2026-06-01T08:02:00Z'}],"
	       "'resolution':{'outcome':'resolved','intent':'lost','text':'t','at':'2026-06-01T09:00:00Z'}}");
	o.pii = PII_REDACT;
	json_t *j = parsed(f, written(f, &o, "data/train.jsonl"));
	assert_string_equal(string_at(j, "vcon"), "0.4.0");
	assert_string_equal(string_at(j, "created_at"), "2026-06-01T09:00:00Z");
	assert_string_equal(string_at(j, "parties.1.role"), "bot");
	assert_memory_equal(string_at(j, "dialog.0.body"), "a, [EMAIL_", 10);
	assert_string_equal(string_at(j, "dialog.1.body"), "b");
	assert_int_equal(int_at(j, "dialog.1.originator"), 1);
	assert_string_equal(string_at(j, "dialog.2.start"), "2026-06-01T08:02:00Z");
	assert_string_equal(string_at(j, "analysis.0.body"), "lost");
	assert_int_equal(strlen(string_at(j, "uuid")), 36);
	assert_int_equal(string_at(j, "uuid")[14], '8');
	assert_int_equal(int_at(manifest_of(f, &o), "redaction.counts.email"), 1);
	o.folder = arena_printf(f->arena, "%s/again", f->folder);
	assert_string_equal(string_at(parsed(f, written(f, &o, "data/train.jsonl")), "uuid"),
			    string_at(j, "uuid"));
}

/* A handoff with a draft, and what the agent sends behind it. */
static const char *draft(struct fixture *f, const char *id, const char *bot, const char *const *turns)
{
	conversation(f,
		     arena_printf(f->arena,
				  "{'id':'%s','turns':[{'role':'customer','text':'where is it?'},"
				  "{'role':'bot','text':'please wait'},{'role':'customer','text':'I did'}]}",
				  id));
	const char *handoff = open_handoff(
		f, arena_printf(f->arena, "{'conversation_id':'%s','trigger':'low_confidence'%s}", id, bot));
	for (; *turns; turns++)
		ACT(f, turn_act, id, J(f, *turns));
	return handoff;
}

#define DRAFT ",'bot':{'name':'b','draft_answer':'It comes tomorrow.','cited':[]}"
#define SAYS(role, text) "{'role':'" role "','text':'" text "'}"

static const char *const answered[] = { SAYS("agent", "Hello."), SAYS("agent", "It is lost, I send another."),
					SAYS("customer", "thanks"), NULL };

static void test_preferences__are_the_draft_against_what_the_agent_sent(void **state)
{
	static const char *const same[] = { SAYS("agent", "  it COMES  tomorrow. "), NULL };
	static const char *const more[] = { SAYS("customer", "anybody?"), SAYS("agent", "yes"), NULL };
	static const char *const silent[] = { NULL };
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_trl_dpo, DATASET_PREFERENCES, "out");

	const char *first = draft(f, "c-1", DRAFT, answered);
	draft(f, "c-2", DRAFT, same);
	draft(f, "c-3", DRAFT, more);
	draft(f, "c-4", DRAFT, silent);
	draft(f, "c-5", "", answered);
	draft(f, "c-6", ",'bot':{'draft_answer':' '}", answered);
	/* A transfer carries the package on: the draft is of the first handoff. */
	ACT(f, resolution_act, first, J(f, "{'outcome':'transferred','intent':'lost','text':'to tier 2'}"));
	ACT(f, turn_act, "c-1", J(f, SAYS("agent", "Tier 2 here.")));
	assert_string_equal(
		written(f, &o, "data/train.jsonl"),
		"{\"prompt\":[{\"role\":\"user\",\"content\":\"where is it?\\nI did\"}],"
		"\"chosen\":[{\"role\":\"assistant\",\"content\":\"Hello.\\nIt is lost, I send another.\"}],"
		"\"rejected\":[{\"role\":\"assistant\",\"content\":\"It comes tomorrow.\"}]}\n");
	json_t *m = manifest_of(f, &o);
	assert_int_equal(int_at(m, "skipped.same_answer"), 1);
	assert_int_equal(int_at(m, "skipped.customer_said_more"), 1);
	assert_int_equal(int_at(m, "skipped.no_answer"), 1);
	assert_int_equal(int_at(m, "skipped.no_draft"), 2);
	assert_int_equal(int_at(m, "skipped.superseded"), 1);
	assert_string_equal(string_at(parsed(f, content(f, o.folder, "rows.provenance.jsonl")), "handoff"),
			    first);
}

static void test_preferences__in_the_other_formats(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_trl_kto, DATASET_PREFERENCES, "kto");

	draft(f, "c-1", DRAFT, answered);
	assert_string_equal(
		written(f, &o, "data/train.jsonl"),
		"{\"prompt\":[{\"role\":\"user\",\"content\":\"where is it?\\nI did\"}],"
		"\"completion\":[{\"role\":\"assistant\",\"content\":\"Hello.\\nIt is lost, I send another.\"}],\"label\":true}\n"
		"{\"prompt\":[{\"role\":\"user\",\"content\":\"where is it?\\nI did\"}],"
		"\"completion\":[{\"role\":\"assistant\",\"content\":\"It comes tomorrow.\"}],\"label\":false}\n");
	o = options_as(f, &dataset_openai, DATASET_PREFERENCES, "openai");
	assert_string_equal(
		written(f, &o, "data/train.jsonl"),
		"{\"input\":{\"messages\":[{\"role\":\"user\",\"content\":\"where is it?\\nI did\"}]},"
		"\"preferred_output\":[{\"role\":\"assistant\",\"content\":\"Hello.\\nIt is lost, I send another.\"}],"
		"\"non_preferred_output\":[{\"role\":\"assistant\",\"content\":\"It comes tomorrow.\"}]}\n");
}

static void test_preferences__of_imported_history_go_by_its_times(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_trl_dpo, DATASET_PREFERENCES, "out");

	import(f, "{'id':'c-1','turns':[{'role':'customer','text':'a','at':'2026-06-01T08:00:00Z'},"
		  "{'role':'agent','text':'b','at':'2026-06-01T08:05:00Z'}],'handoff':{'trigger':'other',"
		  "'at':'2026-06-01T08:01:00Z','bot':{'draft_answer':'c'}},"
		  "'resolution':{'outcome':'resolved','intent':'x','text':'t','at':'2026-06-01T09:00:00Z'}}");
	json_t *j = parsed(f, written(f, &o, "data/train.jsonl"));
	assert_string_equal(string_at(j, "prompt.0.content"), "a");
	assert_string_equal(string_at(j, "chosen.0.content"), "b");
	assert_string_equal(string_at(j, "rejected.0.content"), "c");
}

/* --- retrieval ------------------------------------------------------------------------------------------------ */

#define DOCUMENT(title, text) "{'title':'" title "','text':'" text "'}"

/* Two resolved handoffs with three documents that have words in common with them, and a fourth that has not. */
static void fill_retrieval(struct fixture *f)
{
	document(f, "help/1", DOCUMENT("Refunds", "A refund is paid in five days, write to a@x.org"));
	document(f, "help 2", DOCUMENT("Refund reference", "The refund reference is in the mail"));
	document(f, "help-3", DOCUMENT("Late", "A late refund is looked for"));
	document(f, "other", DOCUMENT("Hub", "Unplug the hub"));
	conversation(f, "{'id':'c-1','turns':[{'role':'customer','text':'my refund reference please'}]}");
	const char *h = open_handoff(f, "{'conversation_id':'c-1','trigger':'other'}");
	ACT(f, turn_act, "c-1", J(f, SAYS("agent", "here")));
	ACT(f, resolution_act, h,
	    J(f, "{'outcome':'resolved','intent':'refund','text':'sent it','evidence_used':['help 2']}"));
	import(f,
	       "{'id':'c-2','turns':[{'role':'customer','text':'blinking'},{'role':'agent','text':'ok'}],"
	       "'resolution':{'outcome':'resolved','intent':'hub','text':'unplugged','evidence_used':['other','gone']}}");
	import(f, "{'id':'c-3','turns':[{'role':'customer','text':'x'},{'role':'agent','text':'ok'}],"
		  "'resolution':{'outcome':'resolved','intent':'hub','text':'y'}}");
}

static void test_beir__queries_qrels_and_all_of_the_knowledge(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_beir, DATASET_RETRIEVAL, "out");

	fill_retrieval(f);
	struct dataset_summary s = export(f, &o);
	assert_int_equal(s.rows, 2);
	assert_int_equal(s.parts[PART_TEST], 2);
	assert_string_equal(
		content(f, o.folder, "data/corpus.jsonl"),
		"{\"_id\":\"help 2\",\"title\":\"Refund reference\",\"text\":\"The refund reference is in the mail\"}\n"
		"{\"_id\":\"help-3\",\"title\":\"Late\",\"text\":\"A late refund is looked for\"}\n"
		"{\"_id\":\"help/1\",\"title\":\"Refunds\",\"text\":\"A refund is paid in five days, write to a@x.org\"}\n"
		"{\"_id\":\"other\",\"title\":\"Hub\",\"text\":\"Unplug the hub\"}\n");
	const char *queries = content(f, o.folder, "data/queries.jsonl");
	const char *id = string_at(parsed(f, queries), "_id");
	assert_string_equal(string_at(parsed(f, queries), "text"), "my refund reference please");
	assert_memory_equal(id, "r_", 2);
	assert_int_equal(strlen(id), 18);
	const char *qrels = content(f, o.folder, "data/qrels/test.tsv");
	assert_memory_equal(qrels, "query-id\tcorpus-id\tscore\n", 25);
	assert_non_null(strstr(qrels, arena_printf(f->arena, "\n%s\thelp 2\t1\n", id)));
	assert_non_null(strstr(qrels, arena_printf(f->arena, "\n%s\thelp/1\t0\n", id)));
	assert_non_null(strstr(qrels, "\tother\t1\n"));
	assert_null(strstr(qrels, "gone"));
	json_t *m = manifest_of(f, &o);
	assert_int_equal(int_at(m, "documents"), 4);
	assert_int_equal(int_at(m, "skipped.no_evidence_used"), 1);
	assert_string_equal(string_at(m, "files.0.name"), "data/qrels/test.tsv");
	json_t *from = parsed(f, content(f, o.folder, "rows.provenance.jsonl"));
	assert_string_equal(string_at(from, "file"), "data/queries.jsonl");
	assert_string_equal(string_at(from, "row"), id);
	assert_memory_equal(string_at(from, "evidence"), "ev_", 3);

	o.folder = arena_printf(f->arena, "%s/split", f->folder);
	o.split = SPLIT_TIME;
	export(f, &o);
	assert_string_equal(content(f, o.folder, "data/qrels/dev.tsv"), "query-id\tcorpus-id\tscore\n");
	o.folder = arena_printf(f->arena, "%s/redacted", f->folder);
	o.pii = PII_REDACT;
	assert_non_null(strstr(written(f, &o, "data/corpus.jsonl"), "write to [EMAIL_"));
}

static void test_retrieval__documents_are_as_they_were_at_the_mark(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_beir, DATASET_RETRIEVAL, "before");

	fill_retrieval(f);
	struct dataset_summary before = export(f, &o);
	document(f, "help 2", DOCUMENT("New", "Changed"));
	ACT(f, document_delete_act, "help/1");
	ACT(f, document_delete_act, "other");
	o.folder = arena_printf(f->arena, "%s/again", f->folder);
	o.mark = before.mark;
	assert_string_equal(export(f, &o).sha256, before.sha256);
	o.folder = arena_printf(f->arena, "%s/now", f->folder);
	o.mark = 0;
	const char *corpus = written(f, &o, "data/corpus.jsonl");
	assert_non_null(strstr(corpus, "Changed"));
	/* Both were deleted; but rows name them, one as shown, one as used. */
	assert_non_null(strstr(corpus, "\"help/1\""));
	assert_non_null(strstr(corpus, "\"other\""));
}

static void test_trec__four_columns(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_trec, DATASET_RETRIEVAL, "out");

	fill_retrieval(f);
	const char *qrels = written(f, &o, "data/test.qrels");
	assert_non_null(strstr(qrels, " 0 help%202 1\n"));
	assert_non_null(strstr(qrels, " 0 help/1 0\n"));
	assert_non_null(strstr(content(f, o.folder, "data/topics.tsv"), "\tmy refund reference please\n"));
}

static void test_ragas__contexts_as_they_were_shown(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_ragas, DATASET_RETRIEVAL, "out");

	fill_retrieval(f);
	json_t *j = parsed(f, written(f, &o, "data/test.jsonl"));
	assert_int_equal(json_object_size(j), 4);
	assert_string_equal(string_at(j, "user_input"), "my refund reference please");
	assert_string_equal(string_at(j, "reference"), "sent it");
	assert_string_equal(string_at(j, "reference_contexts.0"), "The refund reference is in the mail");
	assert_true(json_array_size(at(j, "retrieved_contexts")) >= 2);
}

static void test_sentence_transformers__every_row_has_as_many_negatives(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_as(f, &dataset_sentence_transformers, DATASET_RETRIEVAL, "pairs");
	const char *one[] = { "negatives=1" }, *two[] = { "negatives=2" }, *many[] = { "negatives=8" };

	fill_retrieval(f);
	assert_string_equal(
		written(f, &o, "data/train.jsonl"),
		"{\"anchor\":\"my refund reference please\",\"positive\":\"Refund reference\\nThe "
		"refund reference is in the mail\"}\n"
		"{\"anchor\":\"blinking\",\"positive\":\"Hub\\nUnplug the hub\"}\n");
	o.n_settings = 1;
	o.settings = one;
	o.folder = arena_printf(f->arena, "%s/one", f->folder);
	json_t *j = parsed(f, written(f, &o, "data/train.jsonl"));
	assert_int_equal(json_object_size(j), 3);
	string_at(j, "negative");
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.too_few_negatives"), 1);
	assert_int_equal(int_at(manifest_of(f, &o), "options.negatives"), 1);
	o.settings = two;
	o.folder = arena_printf(f->arena, "%s/two", f->folder);
	j = parsed(f, written(f, &o, "data/train.jsonl"));
	string_at(j, "negative_1");
	string_at(j, "negative_2");
	o.settings = many;
	o.folder = arena_printf(f->arena, "%s/many", f->folder);
	assert_non_null(strstr(EXPORT_FAILS(f, ERR_EMPTY_TEXT, &o),
			       "(made no row: no_evidence_used 1, too_few_negatives 2)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_openai__chats_may_be_trained_on_their_last_answer_only),
		TEST(test_vcon__has_all_turns_and_the_same_uuid_each_time),
		TEST(test_preferences__are_the_draft_against_what_the_agent_sent),
		TEST(test_preferences__in_the_other_formats),
		TEST(test_preferences__of_imported_history_go_by_its_times),
		TEST(test_beir__queries_qrels_and_all_of_the_knowledge),
		TEST(test_retrieval__documents_are_as_they_were_at_the_mark),
		TEST(test_trec__four_columns),
		TEST(test_ragas__contexts_as_they_were_shown),
		TEST(test_sentence_transformers__every_row_has_as_many_negatives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
