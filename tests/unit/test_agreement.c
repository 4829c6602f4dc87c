/* Agreement between those who label: kappa by numbers that were worked out by hand, under the caller's rights. */
#include "insights_fixture.h"

static json_t *agreement(struct fixture *f, struct insight_query q)
{
	return ACT(f, insights_agreement, &q);
}

static json_t *named(const json_t *answer, const char *list, const char *field, const char *name)
{
	json_t *x;
	size_t i;

	json_array_foreach(at(answer, list), i, x)
		if (strcmp(body_string(x, field), name) == 0)
			return x;
	return NULL;
}

static json_t *annotator(const json_t *answer, const char *name)
{
	return named(answer, "annotators", "annotator", name);
}

static void kappa_is(const json_t *j, int n, double observed, double kappa)
{
	assert_int_equal(int_at(j, "n"), n);
	NEAR(number_at(j, "observed"), observed);
	NEAR(number_at(j, "kappa"), kappa);
}

static void kappa_unknown(const json_t *j, int n)
{
	assert_int_equal(int_at(j, "n"), n);
	assert_true(json_is_null(at(j, "kappa")));
}

/* A conversation of a history that a bot hands over as `bot` and an agent resolves as `label`, on a day of June. */
static void resolved(struct fixture *f, const char *bot, const char *agent, const char *label, int day)
{
	static int n;
	const char *at = arena_printf(f->arena, "2026-06-%02dT08:00:00Z", day);

	import(f,
	       arena_printf(
		       f->arena,
		       "{'id':'g-%d','started_at':'%s','turns':[{'role':'customer','text':'hello %d','at':'%s'}],"
		       "'handoff':{'trigger':'other','at':'%s','intent':{'label':'%s'}},'resolution':"
		       "{'outcome':'resolved','text':'x','at':'%s','intent':'%s','agent':'%s'}}",
		       n, at, n, at, at, bot, at, label, agent));
	n++;
}

static void many(struct fixture *f, const char *bot, const char *label, int n)
{
	for (int i = 0; i < n; i++)
		resolved(f, bot, "ann", label, 1);
}

static void agent(struct fixture *f, const char *name)
{
	fixture_caller(f, fixture_rights(name, SCOPE_AGENT | SCOPE_BOT, NULL, 0));
}

static const char *handed(struct fixture *f, const char *id, const char *bot)
{
	agent(f, "k-bot");
	return open_handoff(
		f, arena_printf(f->arena,
				"{'trigger':'other','intent':{'label':'%s'},'conversation':{'id':'%s',"
				"'turns':[{'role':'customer','text':'hello %s'}]}}",
				bot, id, id));
}

static void says(struct fixture *f, const char *name, const char *handoff, const char *label)
{
	agent(f, name);
	ACT(f, resolution_act, handoff,
	    J(f, arena_printf(f->arena, "{'outcome':'resolved','intent':'%s','text':'x'}", label)));
}

static void test_agreement__figures(void **state)
{
	struct fixture *f = *state;
	/* 20 both yes, 5 and 10 one alone, 15 both no: .7 observed, .5 expected */
	struct agreement x = agreement_of_one(20, 25, 30, 50);
	json_t *j = json_keep(f->arena, agreement_json(&x));

	kappa_is(j, 50, .7, .4);
	x = agreement_of_one(0, 1, 1, 2); /* never the same: -1 is the least there is */
	kappa_is(json_keep(f->arena, agreement_json(&x)), 2, 0, -1);
	x = agreement_of_one(3, 3, 3, 3); /* always the same one: chance alone would do it */
	j = json_keep(f->arena, agreement_json(&x));
	kappa_unknown(j, 3);
	NEAR(number_at(j, "observed"), 1);
	x = agreement_of_one(0, 0, 0, 0);
	j = json_keep(f->arena, agreement_json(&x));
	kappa_unknown(j, 0);
	assert_true(json_is_null(at(j, "observed")));
}

static void test_agreement__of_the_bot_with_people(void **state)
{
	struct fixture *f = *state;

	many(f, "refund", "refund", 20);
	many(f, "refund", "parcel", 5);
	many(f, "parcel", "refund", 10);
	many(f, "parcel", "parcel", 15);
	json_t *a = agreement(f, all);
	assert_int_equal(int_at(a, "conversations"), 50);
	kappa_is(annotator(a, "bot"), 50, .7, .4);
	assert_string_equal(string_at(annotator(a, "bot"), "kind"), "bot");
	/* Nobody but the bot has spoken beside her. */
	kappa_unknown(annotator(a, "ann"), 0);
	assert_string_equal(string_at(annotator(a, "ann"), "kind"), "agent");
	kappa_unknown(at(a, "agents"), 0);
	assert_string_equal(string_at(a, "intents.0.intent"), "refund");
	assert_int_equal(int_at(a, "intents.0.labelled"), 30);
	kappa_is(at(a, "intents.0.bot"), 50, .7, .4);
	kappa_is(at(a, "intents.1.bot"), 50, .7, .4);
	kappa_unknown(at(a, "intents.1.agents"), 0);
}

/* Three labels: 7 of 9 the same, by chance (4*3 + 3*3 + 2*3) / 81 = 1/3: (7/9 - 1/3) / (2/3) = 2/3. */
static void test_agreement__of_three_intents(void **state)
{
	struct fixture *f = *state;

	many(f, "a", "a", 3);
	many(f, "a", "b", 1);
	many(f, "b", "b", 2);
	many(f, "b", "c", 1);
	many(f, "c", "c", 2);
	json_t *x = agreement(f, all);
	kappa_is(annotator(x, "bot"), 9, 7. / 9, 2. / 3);
	/* a against the rest: 3 both, 1 the bot alone, 5 neither */
	kappa_is(at(named(x, "intents", "intent", "a"), "bot"), 9, 8. / 9,
		 (9 * 8. - (4 * 3 + 5 * 6)) / (81 - (4 * 3 + 5 * 6)));
}

static void test_agreement__of_agents_among_each_other_and_with_qa(void **state)
{
	static const char *const said[][3] = {
		/* ann, then ben, then QA */
		{ "refund", "refund", NULL }, { "refund", "parcel", "refund" },
		{ "parcel", "parcel", NULL }, { "parcel", "parcel", "lost" },
		{ "refund", NULL, NULL },
	};
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		const char *h = handed(f, arena_printf(f->arena, "c-%d", i), "refund");
		says(f, "ann", h, said[i][0]);
		if (said[i][1])
			says(f, "ben", h, said[i][1]);
		be_admin(f);
		f->rights.agent = "qa-1";
		if (said[i][2])
			ACT(f, resolution_act, h,
			    J(f, arena_printf(f->arena, "{'outcome':'resolved','intent':'%s','text':'x'}",
					      said[i][2])));
	}
	be_admin(f);
	json_t *a = agreement(f, all);
	assert_int_equal(int_at(a, "conversations"), 5);
	/* ann: refund refund parcel parcel, against refund refund parcel lost */
	kappa_is(annotator(a, "ann"), 4, .75, (4 * 3. - (2 * 2 + 2 * 1)) / (16 - 6));
	/* ben: refund parcel parcel parcel, against the same */
	kappa_is(annotator(a, "ben"), 4, .5, (4 * 2. - (1 * 2 + 3 * 1)) / (16 - 5));
	/* QA: refund lost, against the latest agent's: parcel parcel */
	kappa_is(annotator(a, "qa-1"), 2, 0, 0);
	/* among agents, QA aside: ann against ben */
	kappa_is(at(a, "agents"), 4, .75, (4 * 3. - (2 * 1 + 2 * 3)) / (16 - 8));
	/* the bot's refund against refund refund parcel lost refund */
	kappa_is(annotator(a, "bot"), 5, .6, 0);
	json_t *lost = named(a, "intents", "intent", "lost");
	assert_int_equal(int_at(lost, "labelled"), 1);
	kappa_is(at(lost, "bot"), 5, .8, 0);
	kappa_unknown(at(lost, "agents"), 4); /* neither ever said it */
}

/* Of one who says something else later the later word counts. */
static void test_agreement__the_last_word_of_each_counts(void **state)
{
	struct fixture *f = *state;
	const char *h = handed(f, "c-1", "refund");

	says(f, "ann", h, "refund");
	says(f, "ben", h, "parcel");
	says(f, "ann", h, "parcel");
	be_admin(f);
	json_t *a = agreement(f, all);
	assert_int_equal(int_at(annotator(a, "ann"), "n"), 1);
	NEAR(number_at(annotator(a, "ann"), "observed"), 1);
	assert_int_equal(int_at(named(a, "intents", "intent", "refund"), "labelled"), 0);
}

/* An agent who speaks after QA does not change what is in force. */
static void test_agreement__qa_goes_before_a_later_agent(void **state)
{
	struct fixture *f = *state;
	const char *h = handed(f, "c-1", "refund");

	says(f, "ann", h, "parcel");
	be_admin(f);
	ACT(f, resolution_act, h, J(f, "{'outcome':'resolved','intent':'refund','text':'x'}"));
	says(f, "ben", h, "parcel");
	be_admin(f);
	json_t *a = agreement(f, all);
	NEAR(number_at(annotator(a, "bot"), "observed"), 1);
	NEAR(number_at(annotator(a, "ann"), "observed"), 0);
	NEAR(number_at(annotator(a, "ben"), "observed"), 0);
	assert_int_equal(int_at(named(a, "intents", "intent", "refund"), "labelled"), 1);
}

/* What the bot would have answered, QA has looked at: no handoff tells what it thought. */
static void test_agreement__of_the_bot_in_an_audit(void **state)
{
	struct fixture *f = *state;
	int status;

	for (int i = 0; i < 30; i++)
		NO_ERROR(f, example_import(
				    &f->desk, &f->call,
				    J(f, arena_printf(f->arena,
						      "{'text':'where is parcel %d','label':'parcel'}", i)),
				    &status));
	f->desk.audit_share = 1;
	for (int i = 0; i < 2; i++) {
		const char *id = arena_printf(f->arena, "c-%d", i);
		conversation(
			f,
			arena_printf(f->arena,
				     "{'id':'%s','turns':[{'role':'customer','text':'where is parcel 5'}]}",
				     id));
		assert_int_equal(int_at(agreement(f, all), "conversations"), i);
		ACT(f, review_decide_act, arena_printf(f->arena, "%s/audit", id),
		    J(f, i ? "{'label':'lost'}" : "{'label':'parcel'}"));
	}
	kappa_is(annotator(agreement(f, all), "bot"), 2, .5, 0);
}

/* A transfer's package is a person's word, not the bot's; and a key without an agent's name is one itself. */
static void test_agreement__who_is_who(void **state)
{
	struct fixture *f = *state;

	agent(f, "k-1");
	const char *h = open_handoff(
		f, "{'trigger':'other','intent':{'label':'refund'},'conversation':{'id':'c-1','turns':"
		   "[{'role':'customer','text':'hello'}]}}");
	ACT(f, resolution_act, h, J(f, "{'outcome':'transferred','intent':'parcel','text':'x'}"));
	be_admin(f);
	json_t *a = agreement(f, all);
	assert_string_equal(string_at(annotator(a, "k-1"), "kind"), "key");
	assert_int_equal(int_at(annotator(a, "bot"), "n"), 1);
	NEAR(number_at(annotator(a, "bot"), "observed"), 0);
}

static void test_agreement__in_a_window_and_of_what_the_caller_may_see(void **state)
{
	struct insight_query june = {
		.has_since = 1, .since = ms("2026-06-05"), .has_until = 1, .until = ms("2026-06-06")
	};
	struct fixture *f = *state;

	resolved(f, "refund", "ann", "refund", 1);
	resolved(f, "refund", "ann", "parcel", 5);
	resolved(f, "refund", "ben", "parcel", 6);
	import(f,
	       "{'id':'secret','acl':['tier2'],'started_at':'2026-06-05T08:00:00Z','turns':[{'role':'customer',"
	       "'text':'x','at':'2026-06-05T08:00:00Z'}],'handoff':{'trigger':'other','at':'2026-06-05T08:00:00Z',"
	       "'intent':{'label':'hidden'}},'resolution':{'outcome':'resolved','at':'2026-06-05T08:00:00Z',"
	       "'intent':'hidden','text':'y','agent':'eve'}}");
	json_t *a = agreement(f, june);
	assert_int_equal(int_at(a, "conversations"), 2);
	assert_non_null(annotator(a, "eve"));
	assert_null(annotator(a, "ben"));
	assert_string_equal(string_at(a, "since"), "2026-06-05T00:00:00Z");
	be(f, "k-cur", SCOPE_CURATOR, tier1);
	a = agreement(f, june);
	assert_int_equal(int_at(a, "conversations"), 1);
	assert_null(annotator(a, "eve"));
	assert_null(named(a, "intents", "intent", "hidden"));
	kappa_is(annotator(a, "bot"), 1, 0, 0);
}

static void test_agreement__of_nothing(void **state)
{
	struct fixture *f = *state;
	json_t *a = agreement(f, all);

	assert_int_equal(int_at(a, "conversations"), 0);
	assert_int_equal(json_array_size(at(a, "annotators")), 0);
	assert_int_equal(json_array_size(at(a, "intents")), 0);
	kappa_unknown(at(a, "agents"), 0);
	/* a vote of no conversation has nothing to be held against */
	int status;
	NO_ERROR(f, example_import(&f->desk, &f->call, J(f, "{'text':'hello','label':'greeting'}"), &status));
	assert_int_equal(json_array_size(at(agreement(f, all), "annotators")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_agreement__figures),
		TEST(test_agreement__of_the_bot_with_people),
		TEST(test_agreement__of_three_intents),
		TEST(test_agreement__of_agents_among_each_other_and_with_qa),
		TEST(test_agreement__the_last_word_of_each_counts),
		TEST(test_agreement__qa_goes_before_a_later_agent),
		TEST(test_agreement__of_the_bot_in_an_audit),
		TEST(test_agreement__who_is_who),
		TEST(test_agreement__in_a_window_and_of_what_the_caller_may_see),
		TEST(test_agreement__of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
