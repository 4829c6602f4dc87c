/* What helped with an intent comes first the next time, and why is said. */
#include "desk_fixture.h"

#include "learn/intent.h"
#include "learn/learner.h"

static int set_up(void **state)
{
	struct learner_options o = { .seed = 1 };
	struct fixture *f = fixture_open("none");

	*state = f;
	if (!f)
		return -1;
	NO_ERROR(f, learner_open(f->desk.engine, &o, &f->desk.learner, &f->err));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	learner_close(f->desk.learner);
	fixture_close(f);
	return 0;
}

/* A resolved conversation; `used` and `acl` are JSON lists, NULL: none. */
static void solved(struct fixture *f, const char *id, const char *at, const char *said, const char *intent,
		   const char *used, const char *acl)
{
	struct rights before = f->rights;
	int status;
	const char *line = arena_printf(
		f->arena,
		"{'id':'%s','customer':{'id':'cu-%s'},'turns':[{'role':'customer','text':'%s'}]%s%s,"
		"'resolution':{'outcome':'resolved','intent':'%s','text':'done','at':'%s','evidence_used':%s}}",
		id, id, said, acl ? ",'acl':" : "", acl ? acl : "", intent, at, used ? used : "[]");

	fixture_caller(f, fixture_rights("cli", SCOPE_ADMIN, NULL, 0));
	NO_ERROR(f, conversation_import(&f->desk, &f->call, J(f, line), &status));
	fixture_caller(f, before);
}

#define DAY "2026-06-01T00:00:00Z"

/* Four parcels of which three used "depot", two refunds that used "money". */
static void history(struct fixture *f)
{
	fixture_caller(f, fixture_rights("k", SCOPE_AGENT, NULL, 0));
	put_document(f, "depot", "Opening hours", "The depot keeps what could not be delivered.", NULL);
	put_document(f, "money", "Accounts", "When a credit is booked.", NULL);
	put_document(f, "parcel", "Where is my parcel", "How to wrap a parcel that is yours.", NULL);
	solved(f, "p1", DAY, "where is my parcel", "parcel", "['depot']", NULL);
	solved(f, "p2", DAY, "my parcel is not here", "parcel", "['depot']", NULL);
	solved(f, "p3", DAY, "parcel still missing", "parcel", "['depot']", NULL);
	solved(f, "p4", DAY, "no parcel yet", "parcel", "['parcel']", NULL);
	solved(f, "r1", DAY, "give me a refund", "refund", "['money']", NULL);
	solved(f, "r2", DAY, "refund the order", "refund", "['money']", NULL);
}

static void train(struct fixture *f)
{
	int rc = learner_train(f->desk.learner, 0, &f->err);

	NO_ERROR(f, rc);
}

static json_t *predict(struct fixture *f, const char *text)
{
	json_t *body = json_keep(f->arena, json_pack("{s:s}", "text", text));

	return ACT(f, predict_show, body);
}

static const json_t *suggestion(const json_t *p, const char *id)
{
	const json_t *list = at(p, "suggestions");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(string_at(json_array_get(list, i), "id"), id) == 0)
			return json_array_get(list, i);
	return NULL;
}

static void test_usefulness__what_helped_comes_first_and_says_why(void **state)
{
	struct fixture *f = *state;

	history(f);
	json_t *p = predict(f, "where is the parcel");
	assert_string_equal(string_at(p, "suggestions.0.id"), "parcel");
	assert_null(suggestion(p, "depot")); /* no word of it was said */
	assert_true(json_is_null(at(p, "models.usefulness")));
	train(f);
	p = predict(f, "where is the parcel");
	const json_t *h = suggestion(p, "depot");
	assert_non_null(h);
	assert_string_equal(string_at(h, "boosts.0.name"), "usefulness");
	assert_string_equal(string_at(h, "boosts.0.because"), "helped in 3 of 4 resolved parcel cases");
	double other = number_at(suggestion(p, "parcel"), "boosts.0.contribution");
	assert_true(number_at(h, "boosts.0.contribution") > other);
	assert_float_equal(number_at(h, "score"), number_at(h, "boosts.0.contribution"), 1e-6);
	assert_true(string_at(p, "models.usefulness")[0] == 'u');
	assert_null(suggestion(p, "money"));
	json_t *facts = json_keep(f->arena, learner_facts(f->desk.learner));
	assert_int_equal(int_at(facts, "usefulness.cases"), 6);
	assert_int_equal(int_at(facts, "usefulness.labels"), 2);
	assert_int_equal(int_at(facts, "usefulness.documents"), 3);
}

/* What is not there, hidden or withheld is not brought back by having helped. */
static void test_usefulness__never_shows_what_may_not_be_seen(void **state)
{
	static const char *const groups[] = { "tier1" };
	struct fixture *f = *state;

	history(f);
	train(f);
	put_document(f, "depot", "Opening hours", "The depot.", "['tier2']");
	fixture_caller(f, fixture_rights("b", SCOPE_AGENT, groups, 1));
	json_t *p = predict(f, "where is the parcel");
	assert_null(suggestion(p, "depot"));
	assert_non_null(suggestion(p, "parcel"));
	fixture_caller(f, fixture_rights("k", SCOPE_AGENT, NULL, 0));
	assert_non_null(suggestion(predict(f, "where is the parcel"), "depot"));
}

/* How many cases there were is not for a bot. */
static void test_usefulness__a_bot_is_not_told_counts(void **state)
{
	struct fixture *f = *state;

	history(f);
	train(f);
	fixture_caller(f, fixture_rights("b", SCOPE_BOT, NULL, 0));
	const json_t *h = suggestion(predict(f, "where is the parcel"), "depot");
	assert_non_null(h);
	assert_string_equal(string_at(h, "boosts.0.because"), "helped with cases like this");
}

static const struct expected_document *expect(struct fixture *f, const char *label, const char *id)
{
	struct intent in = { .candidates = { { label, 1 } }, .n = 1 };
	struct expected_document *list;
	struct learned learned;
	size_t n;

	learner_take(f->desk.learner, &learned);
	assert_int_equal(usefulness_expect(learned.usefulness, f->arena, &in, &list, &n), 0);
	learner_give(f->desk.learner, &learned);
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].id, id) == 0)
			return &list[i];
	return NULL;
}

/* The formula of the header. */
static void test_usefulness__shares(void **state)
{
	struct fixture *f = *state;

	history(f);
	train(f);
	assert_float_equal(expect(f, "parcel", "depot")->share, (3 + 2 * 3. / 6) / (4 + 2), 1e-9);
	assert_float_equal(expect(f, "refund", "money")->share, (2 + 2 * 2. / 6) / (2 + 2), 1e-9);
	assert_null(expect(f, "refund", "depot"));
	assert_null(expect(f, "never seen", "depot"));
	/* Old cases count less. */
	solved(f, "p5", "2027-06-01T00:00:00Z", "parcel where", "parcel", "['parcel']", NULL);
	train(f);
	assert_float_equal(expect(f, "parcel", "depot")->share, (3 * .5 + 2 * 1.5 / 4) / (4 * .5 + 1 + 2),
			   1e-9);
	assert_int_equal(expect(f, "parcel", "parcel")->helped, 2);
	assert_int_equal(expect(f, "parcel", "parcel")->of, 5);
}

/* What only a group may see is not counted to others. */
static void test_usefulness__cases_with_an_acl_do_not_count(void **state)
{
	struct fixture *f = *state;

	history(f);
	solved(f, "s1", DAY, "parcel for the board", "parcel", "['money']", "['board']");
	train(f);
	assert_null(expect(f, "parcel", "money"));
	assert_int_equal(expect(f, "parcel", "depot")->of, 4);
}

static void test_usefulness__says_when_there_is_too_little(void **state)
{
	struct usefulness *u = NULL;
	struct fixture *f = *state;

	fixture_caller(f, fixture_rights("k", SCOPE_AGENT, NULL, 0));
	put_document(f, "depot", "Depot", "x", NULL);
	solved(f, "p1", DAY, "where is my parcel", "parcel", "['depot']", NULL);
	solved(f, "p2", DAY, "where is my parcel then", "parcel", NULL, NULL);
	assert_int_equal(usefulness_read(f->desk.engine, &u, &f->err), ERR_NOT_READY);
	assert_non_null(strstr(f->err.message, "1 resolved cases"));
	assert_null(u);
	usefulness_free(NULL);
}

/* Cases of the intent that a conversation has come before others that read alike. */
static void test_usefulness__similar_cases_are_of_the_same_intent(void **state)
{
	struct fixture *f = *state;

	history(f);
	solved(f, "odd", DAY, "where is my parcel refund", "wrapping", "['parcel']", NULL);
	ACT(f, conversation_act,
	    J(f, "{'id':'q','turns':[{'role':'customer','text':'where is my parcel not here missing'}]}"));
	json_t *s = ACT(f, search_act, J(f, "{'conversation_id':'q','kinds':['case'],'k':5}"));
	assert_string_equal(string_at(s, "data.0.intent"), "parcel");
	assert_string_equal(string_at(s, "data.0.boosts.0.name"), "intent");
	double sum = number_at(s, "data.0.boosts.0.contribution") +
		     number_at(s, "data.0.sources.words.contribution");
	assert_float_equal(number_at(s, "data.0.score"), sum, 1e-6);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_usefulness__what_helped_comes_first_and_says_why),
		TEST(test_usefulness__never_shows_what_may_not_be_seen),
		TEST(test_usefulness__a_bot_is_not_told_counts),
		TEST(test_usefulness__shares),
		TEST(test_usefulness__cases_with_an_acl_do_not_count),
		TEST(test_usefulness__says_when_there_is_too_little),
		TEST(test_usefulness__similar_cases_are_of_the_same_intent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
