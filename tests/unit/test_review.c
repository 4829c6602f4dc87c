/* Labels that go against all that was learned: they wait for a look, and teach nothing meanwhile. */
#include "review_fixture.h"

#include "learn/votes.h"

static void test_review__a_label_against_all_that_was_learned_waits(void **state)
{
	struct fixture *f = *state;

	solved(f, "early", "is anybody there", "refund", "a-1");
	assert_int_equal(json_array_size(reviews(f, NULL)), 0); /* nothing is known that speaks against it */
	history(f);
	long long before = lessons(f);
	solved(f, "right", "where is my parcel, number 900", "parcel", "a-1");
	solved(f, "new", "the lamp of my bike is broken", "bike", "a-1");
	solved(f, "wrong", "where is my parcel, number 901", "refund", "a-1");
	json_t *list = reviews(f, "open");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(string_at(list, "0.id"), "wrong/review");
	assert_string_equal(string_at(list, "0.conversation_id"), "wrong");
	assert_string_equal(string_at(list, "0.label"), "refund");
	assert_string_equal(string_at(list, "0.reason"), "contested");
	assert_string_equal(string_at(list, "0.agent"), "a-1");
	assert_string_equal(string_at(list, "0.text"), "where is my parcel, number 901");
	assert_true(number_at(list, "0.doubt") < INTENT_CONTESTED);
	assert_true(is_contested(f, RECORD_EXAMPLE, "wrong/example/1"));
	assert_true(is_contested(f, RECORD_CASE, "wrong/case"));
	assert_false(is_contested(f, RECORD_EXAMPLE, "new/example/1"));
	train(f);
	assert_int_equal(lessons(f), before + 2);
}

/* Where the article stood that resolved it; NULL: nothing is kept. */
static json_t *ranks_of(struct fixture *f, const char *id, const char *intent)
{
	const struct scan s = {
		.kind = RECORD_RESOLUTION, .field = { "conversation" }, .value = { id }, .limit = 1
	};
	const char *line = arena_printf(
		f->arena,
		"{'id':'%s','turns':[{'role':'customer','text':'where is my parcel, number 900%s'}],'resolution':"
		"{'outcome':'resolved','intent':'%s','text':'done','evidence_used':['depot']}}",
		id, id, intent);
	struct record *found;
	size_t n;
	int status;

	NO_ERROR(f, conversation_import(&f->desk, &f->call, J(f, line), &status));
	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &found, &n, &f->err));
	assert_int_equal(n, 1);
	assert_non_null(at(found[0].body, "expected.seen"));
	return at(found[0].body, "expected.documents");
}

/* Who is not believed does not weigh words either (learn/fusion.h). */
static void test_review__what_is_contested_tells_nothing_of_articles(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	put_document(f, "depot", "Depot", "The depot keeps the parcel that could not be delivered.", NULL);
	history(f);
	assert_non_null(ranks_of(f, "right", "parcel"));
	assert_null(ranks_of(f, "wrong", "refund"));
	assert_true(is_contested(f, RECORD_CASE, "wrong/case"));
}

static void test_review__is_decided_once(void **state)
{
	struct fixture *f = *state;
	struct record r;

	history(f);
	solved(f, "wrong", "where is my parcel, number 901", "refund", "a-1");
	long long before = lessons(f);
	json_t *done = ACT(f, review_assign_act, "wrong/review", J(f, "{'agent':'dana'}"));
	json_t *x = ACT(f, review_show, done);
	assert_string_equal(string_at(x, "state"), "assigned");
	assert_string_equal(string_at(x, "assigned_to"), "dana");
	assert_int_equal(json_array_size(reviews(f, "open")), 0);
	FAILS(f, ERR_MISSING_FIELD, review_decide_act, "wrong/review", J(f, "{}"));
	FAILS(f, ERR_UNKNOWN_FIELD, review_decide_act, "wrong/review", J(f, "{'label':'parcel','x':1}"));
	done = ACT(f, review_decide_act, "wrong/review", J(f, "{'label':'parcel','note':'mixed up'}"));
	x = ACT(f, review_show, done);
	assert_string_equal(string_at(x, "state"), "decided");
	assert_string_equal(string_at(x, "decision"), "parcel");
	assert_string_equal(string_at(x, "decided_by"), "cli");
	assert_string_equal(string_at(x, "note"), "mixed up");
	/* It is the case's and the example's label now, of whom it is found by, and a vote. */
	assert_false(is_contested(f, RECORD_CASE, "wrong/case"));
	NO_ERROR(f, engine_get(f->desk.engine, RECORD_EXAMPLE, "wrong/example/1", f->arena, &r, &f->err));
	assert_string_equal(string_at(r.body, "label"), "parcel");
	assert_string_equal(string_at(r.body, "origin"), "qa");
	NO_ERROR(f, engine_get(f->desk.engine, RECORD_VOTE, "wrong/review/vote/1", f->arena, &r, &f->err));
	assert_string_equal(string_at(r.body, "by"), "qa");
	json_t *s = ACT(f, search_act,
			J(f, "{'query':'where is my parcel','kinds':['case'],"
			     "'filter':{'type':'eq','key':'intent','value':'parcel'}}"));
	assert_string_equal(string_at(s, "data.0.id"), "wrong/case");
	assert_string_equal(string_at(s, "data.0.intent"), "parcel");
	train(f);
	assert_int_equal(lessons(f), before + 1);
	struct error *e = FAILS(f, ERR_WRONG_STATE, review_decide_act, "wrong/review",
				J(f, "{'label':'refund'}"));
	assert_string_equal(e->state, "decided");
	FAILS(f, ERR_WRONG_STATE, review_assign_act, "wrong/review", J(f, "{'agent':'x'}"));
	FAILS(f, ERR_NOT_FOUND, review_decide_act, "none/review", J(f, "{'label':'refund'}"));
	FAILS(f, ERR_NOT_FOUND, review_get, "none/review");
}

/* Whoever may not see the conversation does not see that its label is in doubt. */
static void test_review__under_the_callers_rights(void **state)
{
	static const char *const groups[] = { "tier1" };
	const struct text none = { 0 };
	struct fixture *f = *state;
	int status;

	history(f);
	NO_ERROR(f, conversation_import(
			    &f->desk, &f->call,
			    J(f, "{'id':'secret','acl':['board'],'turns':[{'role':'customer','text':"
				 "'where is my parcel, number 902'}],'resolution':{'outcome':'resolved',"
				 "'intent':'refund','text':'x'}}"),
			    &status));
	solved(f, "wrong", "where is my parcel, number 901", "refund", "a-1");
	assert_int_equal(json_array_size(reviews(f, NULL)), 2);
	fixture_caller(f, fixture_rights("k", SCOPE_CURATOR, groups, 1));
	json_t *list = reviews(f, NULL);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(string_at(list, "0.id"), "wrong/review");
	FAILS(f, ERR_NOT_FOUND, review_get, "secret/review");
	FAILS(f, ERR_NOT_FOUND, review_decide_act, "secret/review", J(f, "{'label':'parcel'}"));
	FAILS(f, ERR_NOT_FOUND, review_list, none, text_of("secret/review"), 20);
}

static void test_review__lists_go_by_pages(void **state)
{
	const struct text none = { 0 };
	struct fixture *f = *state;

	history(f);
	for (int i = 0; i < 5; i++)
		solved(f, arena_printf(f->arena, "w%d", i),
		       arena_printf(f->arena, "where is my parcel, number %d", 900 + i), "refund", "a-1");
	json_t *page = ACT(f, review_list, none, none, 2);
	assert_int_equal(json_array_size(at(page, "data")), 2);
	assert_true(json_is_true(at(page, "has_more")));
	page = ACT(f, review_list, none, text_of(string_at(page, "last_id")), 3);
	assert_string_equal(string_at(page, "data.0.id"), "w2/review");
	assert_int_equal(json_array_size(at(page, "data")), 3);
	assert_false(json_is_true(at(page, "has_more")));
}

/* All labels of an intent flipped by one agent: what was right stays right, and what is answered too. */
static void test_poison__one_agent_cannot_flip_an_intent(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	history(f);
	long long before = lessons(f);
	for (int i = 0; i < 50; i++)
		solved(f, arena_printf(f->arena, "flip%d", i),
		       arena_printf(f->arena, "where is my parcel, number %d", 300 + i), "refund", "mallory");
	train(f);
	assert_int_equal(lessons(f), before);
	for (int i = 0; i < 20; i++)
		assert_string_equal(
			predicted(f, arena_printf(f->arena, "where is my parcel number %d", 300 + i)),
			"parcel");
}

/* When others say so too it is the world that has changed. */
static void test_poison__what_two_agents_say_of_two_customers_is_learned(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	history(f);
	long long before = lessons(f);
	solved(f, "x1", "where is my parcel, number 801", "refund", "ann");
	solved(f, "x2", "where is my parcel, number 802", "refund", "ann");
	train(f);
	assert_int_equal(lessons(f), before);
	solved(f, "x3", "where is my parcel, number 803", "refund", "ben");
	assert_int_equal(json_array_size(reviews(f, "open")), 3);
	train(f);
	assert_int_equal(lessons(f), before + 3);
}

/* Whatever the outcome, and whichever of its two texts it is of that the label is wrong. */
static void test_review__no_outcome_and_no_text_goes_unlooked_at(void **state)
{
	struct fixture *f = *state;

	history(f);
	fixture_caller(f, fixture_rights("k-agent", SCOPE_AGENT | SCOPE_BOT, NULL, 0));
	const char *h = handed_off(f, "a", "where is my parcel, number 901");
	resolve(f, h, "resolved", "refund", NULL);
	assert_true(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
	resolve(f, h, "abandoned", "refund", NULL);
	assert_true(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
	resolve(f, handed_off(f, "b", "where is my parcel, number 902"), "transferred", "refund", NULL);
	assert_true(is_contested(f, RECORD_EXAMPLE, "b/example/1"));
	resolve(f, handed_off(f, "c", "refund the money of order 903"), "resolved", "refund",
		"where is my parcel, number 904");
	assert_true(is_contested(f, RECORD_EXAMPLE, "c/example/2"));
	fixture_caller(f, fixture_rights("cli", SCOPE_ADMIN | SCOPE_CURATOR, NULL, 0));
	assert_int_equal(json_array_size(reviews(f, "open")), 3);
}

/* What a curator has decided, an agent does not undo. */
static void test_review__what_was_decided_stands_against_agents(void **state)
{
	struct rights agent = fixture_rights("k-agent", SCOPE_AGENT | SCOPE_BOT, NULL, 0);
	struct fixture *f = *state;
	struct rights curator = f->rights;

	history(f);
	fixture_caller(f, agent);
	const char *h = handed_off(f, "a", "where is my parcel, number 901");
	resolve(f, h, "resolved", "refund", NULL);
	fixture_caller(f, curator);
	ACT(f, review_decide_act, "a/review", J(f, "{'label':'parcel'}"));
	assert_false(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
	fixture_caller(f, agent);
	resolve(f, h, "resolved", "parcel", NULL); /* as was decided */
	fixture_caller(f, curator);
	assert_string_equal(string_at(ACT(f, review_get, "a/review"), "state"), "decided");
	fixture_caller(f, agent);
	resolve(f, h, "resolved", "refund", NULL);
	assert_true(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
	fixture_caller(f, curator);
	assert_string_equal(string_at(ACT(f, review_get, "a/review"), "state"), "open");
}

/* A transfer leaves an example of the very words: the second resolution is not measured by it. */
static void test_review__an_outcome_counts_once_a_conversation(void **state)
{
	struct fixture *f = *state;
	struct outcome_seen *list;
	size_t n;

	history(f);
	const char *h = handed_off(f, "a", "where is my parcel, number 901");
	resolve(f, h, "transferred", "parcel", NULL);
	json_t *shown = ACT(f, handoff_list, text_of("offered"), (struct text){ 0 }, (struct text){ 0 }, 10);
	resolve(f, string_at(shown, "data.0.id"), "resolved", "parcel", NULL);
	NO_ERROR(f, outcomes_read(f->desk.engine, 100, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 0);
	resolve(f, handed_off(f, "b", "where is my parcel, number 902"), "resolved", "parcel", NULL);
	NO_ERROR(f, outcomes_read(f->desk.engine, 100, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 1);
}

/* By words alone too, what others say as well is believed. */
static void test_review__others_support_by_words(void **state)
{
	struct fixture *f = *state;

	history(f);
	long long before = lessons(f);
	solved(f, "x1", "where is my parcel, number 801", "refund", "ann");
	solved(f, "x2", "where is my parcel, number 802", "refund", "ben");
	train(f);
	assert_int_equal(lessons(f), before + 2);
}

/* Who looks at what the bot answers? A drawn share of it waits for a person, once a conversation. */
static void test_audit__a_share_of_would_be_answers_is_drawn(void **state)
{
	struct fixture *f = *state;
	int drawn = 0;

	make_answerable(f);
	f->desk.audit_share = .5;
	for (int i = 0; i < 40; i++) {
		const char *id = arena_printf(f->arena, "t%d", i);
		ACT(f, conversation_act, J(f, arena_printf(f->arena, "{'id':'%s'}", id)));
		assert_string_equal(string_at(turn(f, id, "where is my parcel number 5"), "decision"),
				    "answer");
		turn(f, id, "where is my parcel number 6");
	}
	json_t *list = reviews(f, "open");
	drawn = (int)json_array_size(list);
	print_message("%d of 40 are drawn\n", drawn);
	assert_true(drawn >= 8 && drawn <= 20); /* a page; the hash is keyed, so the count varies */
	assert_string_equal(string_at(list, "0.reason"), "audit");
	assert_null(at(list, "0.label")); /* nobody is told what to say */
	assert_float_equal(number_at(list, "0.propensity"), .5, 1e-9);
	assert_string_equal(string_at(list, "0.text"), "where is my parcel number 5");
	assert_null(at(list, "0.seen"));
	/* What is not answered is not drawn, and nothing is where the share is 0. */
	f->desk.audit_share = 1;
	ACT(f, conversation_act, J(f, "{'id':'human'}"));
	assert_string_equal(string_at(turn(f, "human", "let me talk to a human"), "decision"), "escalate");
	FAILS(f, ERR_NOT_FOUND, review_get, "human/audit");
	f->desk.audit_share = 0;
	ACT(f, conversation_act, J(f, "{'id':'none'}"));
	turn(f, "none", "where is my parcel number 5");
	FAILS(f, ERR_NOT_FOUND, review_get, "none/audit");
}

static void test_audit__tells_whether_the_answer_would_have_been_right(void **state)
{
	struct fixture *f = *state;
	struct outcome_seen *list;
	size_t n;

	make_answerable(f);
	f->desk.audit_share = .25;
	for (int i = 0; i < 60; i++) {
		const char *id = arena_printf(f->arena, "t%d", i);
		ACT(f, conversation_act, J(f, arena_printf(f->arena, "{'id':'%s'}", id)));
		turn(f, id, "where is my parcel number 5");
	}
	json_t *open = reviews(f, "open");
	assert_true(json_array_size(open) >= 2);
	NO_ERROR(f, outcomes_read(f->desk.engine, 100, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 0);
	for (int i = 0; i < 2; i++) {
		const char *id = string_at(json_array_get(open, (size_t)i), "id");
		json_t *done = ACT(f, review_decide_act, id,
				   J(f, i ? "{'label':'refund'}" : "{'label':'parcel'}"));
		json_t *x = ACT(f, review_show, done);
		assert_int_equal(json_is_true(at(x, "right")), i == 0);
	}
	NO_ERROR(f, outcomes_read(f->desk.engine, 100, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 2);
	assert_true(list[0].right && !list[1].right);
	assert_float_equal(list[0].weight, 4, 1e-6);
	NO_ERROR(f, outcomes_read(f->desk.engine, 1, f->arena, &list, &n, &f->err));
	assert_true(n == 1 && !list[0].right);
}

static double share_of(const struct votes *v, const char *label)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->list[i].label, label) == 0)
			return v->list[i].share;
	return 0;
}

/* One key under twenty names, or one customer, weighs at most as much as all others together. */
static void test_poison__nobody_outvotes_the_rest(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	struct voter all[10];
	struct votes v;

	(void)state;
	for (int who = 0; who < 2; who++) { /* the key, then the customer, that is the same */
		for (size_t i = 0; i < 10; i++)
			all[i] = (struct voter){
				.label = i < 8 ? "wrong" : "right",
				.score = .9,
				.hash = i,
				.key = i < 8 ? (who == 0 ? "k-evil" : names[i]) : "",
				.customer = i < 8 ? (who == 1 ? "cu-evil" : names[i]) : "",
			};
		votes_count(all, 10, 1, &v);
		assert_float_equal(share_of(&v, "wrong"), .5, 1e-9);
		/* Alone there is nobody to outvote. */
		votes_count(all, 8, 1, &v);
		assert_float_equal(share_of(&v, "wrong"), 1, 1e-9);
	}
	/* What is contested has a quarter of a vote. */
	for (size_t i = 0; i < 10; i++)
		all[i] = (struct voter){ .label = i < 8 ? "wrong" : "right",
					 .score = .9,
					 .hash = i,
					 .key = "",
					 .customer = "",
					 .contested = i < 8 };
	votes_count(all, 10, 1, &v);
	assert_float_equal(share_of(&v, "right"), 2. / (2 + 8 * VOTES_CONTESTED), 1e-9);
}

/* Twenty agents' names with one key are one principal; uncontested examples of two keys back an intent. */
static void test_poison__one_key_under_many_names_backs_nothing(void **state)
{
	struct fixture *f = *state;
	struct rights key = fixture_rights("k-desk", SCOPE_AGENT | SCOPE_BOT, NULL, 0);
	static const char *const agents[] = { "a-0", "a-1", "a-2", "a-3", "a-4", "a-5", "other" };
	struct intent in;

	for (int i = 0; i < 7; i++) {
		key.agent = agents[i];
		key.key = i < 6 ? "k-desk" : "k-2";
		fixture_caller(f, key);
		const char *body = arena_printf(
			f->arena,
			"{'trigger':'other','conversation':{'customer':{'id':'cu-%d'},'turns':[{'role':'customer',"
			"'text':'the lamp blinks %d'}]}}",
			i, i);
		const char *h = string_at(ACT(f, handoff_act, J(f, body)), "handoff");
		ACT(f, resolution_act, h, J(f, "{'outcome':'resolved','intent':'lamp','text':'x'}"));
		struct intent_query q = { .text = text_of("the lamp blinks") };
		long n = analyse_query(f->arena, q.text.s, q.text.n, 10, &q.terms);
		q.n_terms = (size_t)n;
		NO_ERROR(f, intent_predict(f->desk.engine, &q, NULL, f->arena, &in, &f->err));
		assert_int_equal(in.backed, i == 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_review__a_label_against_all_that_was_learned_waits),
		cmocka_unit_test_setup_teardown(test_review__what_is_contested_tells_nothing_of_articles,
						set_up_model, tear_down),
		TEST(test_review__is_decided_once),
		TEST(test_review__under_the_callers_rights),
		TEST(test_review__lists_go_by_pages),
		TEST(test_review__no_outcome_and_no_text_goes_unlooked_at),
		TEST(test_review__what_was_decided_stands_against_agents),
		TEST(test_review__an_outcome_counts_once_a_conversation),
		TEST(test_review__others_support_by_words),
		TEST(test_audit__a_share_of_would_be_answers_is_drawn),
		TEST(test_audit__tells_whether_the_answer_would_have_been_right),
		TEST(test_poison__nobody_outvotes_the_rest),
		TEST(test_poison__one_key_under_many_names_backs_nothing),
		TEST_MODEL(test_poison__one_agent_cannot_flip_an_intent),
		TEST_MODEL(test_poison__what_two_agents_say_of_two_customers_is_learned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
