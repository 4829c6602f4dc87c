/* Which examples a dataset takes by who has labelled them and what became of the conversation, and what it tells of it. */
#include "dataset_fixture.h"

/* A conversation of a customer of its own that the agents k-1, k-2 … have resolved one behind the other with these intents, a letter each. */
static void labelled(struct fixture *f, const char *id, const char *intents)
{
	const char *handoff;

	be_admin(f);
	conversation(
		f,
		arena_printf(
			f->arena,
			"{'id':'%s','customer':{'id':'cu-%s'},'turns':[{'role':'customer','text':'about %s'}]}",
			id, id, id));
	handoff = open_handoff(f, arena_printf(f->arena, "{'conversation_id':'%s','trigger':'policy'}", id));
	for (int i = 0; intents[i]; i++) {
		be(f, arena_printf(f->arena, "k-%d", i + 1), AGENT, NULL);
		f->rights.all_groups = 1;
		ACT(f, resolution_act, handoff,
		    J(f,
		      arena_printf(f->arena, "{'outcome':'resolved','intent':'%c','text':'x'}", intents[i])));
	}
}

static void fill(struct fixture *f)
{
	labelled(f, "c-1", "a");
	labelled(f, "c-2", "aa");
	labelled(f, "c-3", "ab");
	labelled(f, "c-4", "bab");
	labelled(f, "c-5", "bb");
}

/* The conversations of the rows, "c-1 c-2". */
static const char *taken(struct fixture *f, struct dataset_options *o, const char *name)
{
	const char *out = "";
	char *lines, *rest;

	o->folder = arena_printf(f->arena, "%s/%s", f->folder, name);
	lines = arena_strdup(f->arena, written(f, o, "rows.provenance.jsonl"));
	for (char *p = strtok_r(lines, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest))
		out = arena_printf(f->arena, "%s%s%s", out, *out ? " " : "",
				   string_at(J(f, p), "conversation"));
	return out;
}

static void test_votes__only_what_enough_people_agree_on(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "");

	fill(f);
	assert_string_equal(taken(f, &o, "all"), "c-1 c-2 c-3 c-4 c-5");
	o.min_votes = 2;
	assert_string_equal(taken(f, &o, "two"), "c-2 c-3 c-4 c-5");
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.too_few_votes"), 1);
	o.agreement = .6;
	assert_string_equal(taken(f, &o, "most"), "c-2 c-4 c-5");
	assert_int_equal(int_at(manifest_of(f, &o), "skipped.disagreement"), 1);
	o.agreement = 1;
	assert_string_equal(taken(f, &o, "same"), "c-2 c-5");
	assert_int_equal(int_at(manifest_of(f, &o), "agreement.min_votes"), 2);
	o.min_votes = 4;
	o.folder = arena_printf(f->arena, "%s/none", f->folder);
	assert_non_null(strstr(EXPORT_FAILS(f, ERR_EMPTY_TEXT, &o), "too_few_votes 5"));
}

static void test_votes__one_who_says_it_twice_is_one(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "out");

	labelled(f, "c-1", "a");
	ACT(f, resolution_act, string_at(record_of(f, RECORD_CONVERSATION, "c-1").body, "handoffs.0"),
	    J(f, "{'outcome':'resolved','intent':'b','text':'x'}"));
	o.min_votes = 2;
	EXPORT_FAILS(f, ERR_EMPTY_TEXT, &o);
}

static void test_votes__the_manifest_tells_how_they_agree(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "out");

	fill(f);
	export(f, &o);
	json_t *votes = json_object_get(manifest_of(f, &o), "votes");
	/* The last two of each: aa, ab, ab, bb. Two of four, where chance has 2 of 4: 3 a and 1 b against 1 a and 3 b. */
	assert_int_equal(int_at(votes, "n"), 4);
	assert_int_equal(int_at(votes, "unanimous"), 2);
	assert_float_equal(json_number_value(json_object_get(votes, "observed")), .5, 1e-9);
	assert_float_equal(json_number_value(json_object_get(votes, "kappa")), (.5 - .375) / (1 - .375),
			   1e-9);
	assert_non_null(strstr(content(f, o.folder, "README.md"), "4 examples"));
}

/* Of those who deny training nothing is told, not even that they were many. */
static void test_votes__of_withdrawn_rows_are_not_told(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "out");

	fill(f);
	be_admin(f);
	ACT(f, consent_act, "cu-c-2", J(f, "{'training':'denied'}"));
	ACT(f, consent_act, "cu-c-3", J(f, "{'training':'denied'}"));
	export(f, &o);
	json_t *votes = json_object_get(manifest_of(f, &o), "votes");
	assert_int_equal(int_at(votes, "n"), 2);
	assert_int_equal(int_at(votes, "unanimous"), 1);
	assert_non_null(strstr(content(f, o.folder, "README.md"), "2 examples"));
}

/* In doubles .56 times 25 is a little more than 14. */
static void test_votes__a_share_that_is_met_exactly_is_met(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "");

	labelled(f, "c-1", "bbbbbbbbbbbaaaaaaaaaaaaaa");
	o.min_votes = 25;
	o.agreement = .56;
	assert_string_equal(taken(f, &o, "met"), "c-1");
	o.agreement = .57;
	o.folder = arena_printf(f->arena, "%s/missed", f->folder);
	EXPORT_FAILS(f, ERR_EMPTY_TEXT, &o);
}

static void test_votes__at_an_earlier_mark_are_those_of_then(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "out");

	labelled(f, "c-1", "aa");
	o.min_votes = 2;
	struct dataset_summary before = export(f, &o);
	be(f, "k-9", AGENT, NULL);
	f->rights.all_groups = 1;
	ACT(f, resolution_act, string_at(record_of(f, RECORD_CONVERSATION, "c-1").body, "handoffs.0"),
	    J(f, "{'outcome':'resolved','intent':'b','text':'x'}"));
	o.mark = before.mark;
	o.folder = arena_printf(f->arena, "%s/then", f->folder);
	assert_string_equal(export(f, &o).sha256, before.sha256);
}

static void test_votes__are_of_intents_alone(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	fill(f);
	o.min_votes = 2;
	assert_non_null(strstr(EXPORT_FAILS(f, ERR_BAD_VALUE, &o), "kind intents"));
	o.kind = DATASET_INTENTS;
	o.agreement = 1.5;
	EXPORT_FAILS(f, ERR_BAD_VALUE, &o);
}

/* Of the resolution in force: what was not resolved has an example as well. */
static void test_votes__outcome_is_that_of_the_resolution_in_force(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "");

	import(f,
	       "{'id':'c-1','turns':[{'role':'customer','text':'one'}],'resolution':{'outcome':'resolved','intent':'a','text':'x'}}");
	import(f,
	       "{'id':'c-2','turns':[{'role':'customer','text':'two'}],'resolution':{'outcome':'unresolved','intent':'a','text':'x'}}");
	labelled(f, "c-3", "a");
	struct dataset_summary before = export(
		f, &(struct dataset_options){ .format = &dataset_trl_sft,
					      .kind = DATASET_INTENTS,
					      .pii = PII_KEEP,
					      .folder = arena_printf(f->arena, "%s/mark", f->folder) });
	ACT(f, resolution_act, string_at(record_of(f, RECORD_CONVERSATION, "c-3").body, "handoffs.0"),
	    J(f, "{'outcome':'unresolved','intent':'a','text':'x'}"));
	o.filter = J(f, "{'type':'eq','key':'outcome','value':'resolved'}");
	assert_string_equal(taken(f, &o, "now"), "c-1");
	o.filter = J(f, "{'type':'eq','key':'outcome','value':'unresolved'}");
	assert_string_equal(taken(f, &o, "open"), "c-2 c-3");
	o.filter = J(f, "{'type':'eq','key':'outcome','value':'resolved'}");
	o.mark = before.mark;
	assert_string_equal(taken(f, &o, "then"), "c-1 c-3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_votes__only_what_enough_people_agree_on),
		TEST(test_votes__one_who_says_it_twice_is_one),
		TEST(test_votes__the_manifest_tells_how_they_agree),
		TEST(test_votes__of_withdrawn_rows_are_not_told),
		TEST(test_votes__a_share_that_is_met_exactly_is_met),
		TEST(test_votes__at_an_earlier_mark_are_those_of_then),
		TEST(test_votes__are_of_intents_alone),
		TEST(test_votes__outcome_is_that_of_the_resolution_in_force),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
