/* Two people who say different things of one conversation: somebody looks; what QA has decided stands. */
#include "review_fixture.h"

static void be_agent(struct fixture *f, const char *name)
{
	fixture_caller(f, fixture_rights(name, SCOPE_AGENT | SCOPE_BOT, NULL, 0));
}

static void be_curator(struct fixture *f)
{
	fixture_caller(f, fixture_rights("cli", SCOPE_ADMIN | SCOPE_CURATOR, NULL, 0));
}

/* One key under which several agents work. */
static void be_named(struct fixture *f, const char *agent)
{
	struct rights r = fixture_rights("k-desk", SCOPE_AGENT | SCOPE_BOT, NULL, 0);

	r.agent = agent;
	fixture_caller(f, r);
}

static json_t *review(struct fixture *f, const char *id)
{
	be_curator(f);
	return ACT(f, review_get, id);
}

static void no_review(struct fixture *f, const char *id)
{
	be_curator(f);
	FAILS(f, ERR_NOT_FOUND, review_get, id);
}

static const char *label_of(struct fixture *f, enum record_kind kind, const char *id)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, kind, id, f->arena, &r, &f->err));
	return body_string(r.body, "label");
}

static const char *origin_of(struct fixture *f, const char *example)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, RECORD_EXAMPLE, example, f->arena, &r, &f->err));
	return body_string(r.body, "origin");
}

static const char *disputed(struct fixture *f, const char *id)
{
	be_agent(f, "ann");
	const char *h = handed_off(f, id, "where is my parcel");
	resolve(f, h, "resolved", "parcel", NULL);
	be_agent(f, "ben");
	resolve(f, h, "resolved", "refund", NULL);
	return h;
}

static void test_disagreement__of_two_agents_comes_up_with_who_said_what(void **state)
{
	struct fixture *f = *state;

	be_agent(f, "ann");
	const char *h = handed_off(f, "a", "where is my parcel");
	resolve(f, h, "resolved", "parcel", NULL);
	no_review(f, "a/review");
	be_agent(f, "ben");
	resolve(f, h, "resolved", "refund", NULL);
	json_t *r = review(f, "a/review");
	assert_string_equal(string_at(r, "state"), "open");
	assert_string_equal(string_at(r, "reason"), "disagreement");
	assert_string_equal(string_at(r, "label"), "refund");
	assert_string_equal(string_at(r, "text"), "where is my parcel");
	assert_null(at(r, "doubt"));
	assert_int_equal(json_array_size(at(r, "labels")), 2);
	assert_string_equal(string_at(r, "labels.0.label"), "parcel");
	assert_string_equal(string_at(r, "labels.0.agent"), "ann");
	assert_string_equal(string_at(r, "labels.1.label"), "refund");
	assert_string_equal(string_at(r, "labels.1.agent"), "ben");
	assert_non_null(at(r, "labels.0.at"));
	/* Meanwhile the label that was given last stands, with its whole vote. */
	assert_string_equal(label_of(f, RECORD_EXAMPLE, "a/example/1"), "refund");
	assert_string_equal(origin_of(f, "a/example/1"), "agent");
	assert_false(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
	assert_int_equal(json_array_size(reviews(f, NULL)), 1);
}

static void test_disagreement__of_two_names_under_one_key(void **state)
{
	struct fixture *f = *state;

	be_named(f, "ann");
	const char *h = handed_off(f, "a", "where is my parcel");
	resolve(f, h, "resolved", "parcel", NULL);
	be_named(f, "ben");
	resolve(f, h, "resolved", "refund", NULL);
	assert_string_equal(string_at(review(f, "a/review"), "labels.1.agent"), "ben");
}

static void test_disagreement__is_none_where_nobody_contradicts_another(void **state)
{
	struct fixture *f = *state;

	be_agent(f, "ann");
	const char *h = handed_off(f, "self", "where is my parcel");
	resolve(f, h, "resolved", "parcel", NULL);
	resolve(f, h, "resolved", "refund", NULL); /* he corrects himself */
	no_review(f, "self/review");
	be_agent(f, "ben");
	resolve(f, h, "resolved", "refund", NULL); /* the other agrees */
	no_review(f, "self/review");
	be_agent(f, "ann");
	const char *bot = string_at(
		ACT(f, handoff_act,
		    J(f, "{'trigger':'other','intent':{'label':'refund','confidence':0.9},'conversation':"
			 "{'id':'bot','turns':[{'role':'customer','text':'where is my parcel'}]}}")),
		"handoff");
	resolve(f, bot, "resolved", "parcel", NULL); /* against the bot alone */
	no_review(f, "bot/review");
}

/* A transfer labels the same words: whoever it is given to may see it otherwise. */
static void test_disagreement__across_a_transfer(void **state)
{
	struct fixture *f = *state;

	be_agent(f, "ann");
	resolve(f, handed_off(f, "a", "where is my parcel"), "transferred", "parcel", NULL);
	be_agent(f, "ben");
	json_t *shown = ACT(f, handoff_list, text_of("offered"), (struct text){ 0 }, (struct text){ 0 }, 10);
	resolve(f, string_at(shown, "data.0.id"), "resolved", "refund", NULL);
	assert_string_equal(string_at(review(f, "a/review"), "reason"), "disagreement");
}

static void test_disagreement__stays_one_review_until_nobody_contradicts(void **state)
{
	struct fixture *f = *state;
	const char *h = disputed(f, "a");

	be_curator(f);
	ACT(f, review_assign_act, "a/review", J(f, "{'agent':'dana'}"));
	be_agent(f, "ben");
	resolve(f, h, "resolved", "refund", NULL);
	json_t *r = review(f, "a/review");
	assert_string_equal(string_at(r, "state"), "assigned");
	assert_string_equal(string_at(r, "assigned_to"), "dana");
	assert_int_equal(json_array_size(at(r, "labels")), 2);
	be_agent(f, "cleo");
	resolve(f, h, "resolved", "parcel", NULL);
	r = review(f, "a/review");
	assert_int_equal(json_array_size(at(r, "labels")), 3);
	assert_int_equal(json_array_size(reviews(f, NULL)), 1);
	be_agent(f, "ben");
	resolve(f, h, "resolved", "parcel", NULL);
	no_review(f, "a/review");
}

static void test_disagreement__is_settled_by_a_curator(void **state)
{
	struct fixture *f = *state;
	const char *h = disputed(f, "a"), *again = disputed(f, "b");

	be_curator(f);
	json_t *done = ACT(f, review_decide_act, "a/review", J(f, "{'label':'parcel'}"));
	assert_string_equal(string_at(ACT(f, review_show, done), "state"), "decided");
	assert_string_equal(label_of(f, RECORD_EXAMPLE, "a/example/1"), "parcel");
	assert_string_equal(label_of(f, RECORD_VOTE, "a/review/vote/1"), "parcel");
	/* What QA has decided is not in dispute: who goes against it is contested. */
	be_agent(f, "ben");
	resolve(f, h, "resolved", "refund", NULL);
	json_t *r = review(f, "a/review");
	assert_string_equal(string_at(r, "reason"), "contested");
	assert_null(at(r, "labels"));
	assert_true(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
	/* To resolve again is to decide as well. */
	be_curator(f);
	resolve(f, again, "resolved", "parcel", NULL);
	no_review(f, "b/review");
	assert_string_equal(origin_of(f, "b/example/1"), "qa");
	be_agent(f, "ann");
	resolve(f, again, "resolved", "refund", NULL);
	r = review(f, "b/review");
	assert_string_equal(string_at(r, "reason"), "contested");
	be_agent(f, "ann"); /* saying it twice does not help */
	resolve(f, again, "resolved", "refund", NULL);
	assert_string_equal(string_at(review(f, "b/review"), "state"), "open");
	assert_true(is_contested(f, RECORD_EXAMPLE, "b/example/1"));
	be_named(f, "cli"); /* nor does it to bear the curator's name */
	resolve(f, again, "resolved", "refund", NULL);
	resolve(f, again, "resolved", "refund", NULL);
	assert_string_equal(string_at(review(f, "b/review"), "reason"), "contested");
	assert_true(is_contested(f, RECORD_EXAMPLE, "b/example/1"));
}

/* Against what was learned, and against another agent: one review, with both. */
static void test_disagreement__that_is_contested_as_well(void **state)
{
	struct fixture *f = *state;

	be_curator(f);
	history(f);
	be_agent(f, "ann");
	const char *h = handed_off(f, "a", "where is my parcel, number 901");
	resolve(f, h, "resolved", "parcel", NULL);
	be_agent(f, "ben");
	resolve(f, h, "resolved", "refund", NULL);
	json_t *r = review(f, "a/review");
	assert_string_equal(string_at(r, "reason"), "contested");
	assert_true(number_at(r, "doubt") < INTENT_CONTESTED);
	assert_string_equal(string_at(r, "labels.0.label"), "parcel");
	assert_int_equal(json_array_size(reviews(f, NULL)), 1);
}

/* Votes are added, never overwritten: also those of a review that came up again. */
static void test_review__decided_again_keeps_its_first_vote(void **state)
{
	struct fixture *f = *state;

	be_curator(f);
	history(f);
	be_agent(f, "ann");
	const char *h = handed_off(f, "a", "where is my parcel, number 901");
	resolve(f, h, "resolved", "refund", "please refund the money of order 905");
	be_curator(f);
	ACT(f, review_decide_act, "a/review", J(f, "{'label':'parcel','note':'mixed up'}"));
	assert_string_equal(label_of(f, RECORD_VOTE, "a/review/vote/2"), "parcel"); /* of two texts */
	be_agent(f, "ann");
	resolve(f, h, "resolved", "refund", NULL);
	json_t *r = review(f, "a/review");
	assert_string_equal(string_at(r, "state"), "open");
	assert_string_equal(string_at(r, "decision"), "parcel"); /* what was decided is told */
	assert_string_equal(string_at(r, "decided_by"), "cli");
	ACT(f, review_decide_act, "a/review", J(f, "{'label':'refund'}"));
	assert_string_equal(label_of(f, RECORD_VOTE, "a/review/vote/1"), "parcel");
	assert_string_equal(label_of(f, RECORD_VOTE, "a/review/vote/2"), "parcel");
	assert_string_equal(label_of(f, RECORD_VOTE, "a/review/vote/3"), "refund");
	r = review(f, "a/review");
	assert_string_equal(string_at(r, "decision"), "refund");
	assert_null(at(r, "note"));
	/* The last decision is what counts from now on. */
	be_agent(f, "ann");
	resolve(f, h, "resolved", "refund", NULL);
	assert_string_equal(string_at(review(f, "a/review"), "state"), "decided");
}

/* Who contradicts a decision, and then does not any more. */
static void test_review__that_came_up_again_is_taken_back(void **state)
{
	struct fixture *f = *state;
	const char *h = disputed(f, "a");

	be_curator(f);
	ACT(f, review_decide_act, "a/review", J(f, "{'label':'parcel','note':'see the number'}"));
	be_agent(f, "ben");
	resolve(f, h, "resolved", "refund", NULL);
	assert_string_equal(string_at(review(f, "a/review"), "state"), "open");
	be_agent(f, "ben");
	resolve(f, h, "resolved", "parcel", NULL);
	json_t *r = review(f, "a/review");
	assert_string_equal(string_at(r, "state"), "decided");
	assert_string_equal(string_at(r, "decision"), "parcel");
	assert_string_equal(string_at(r, "note"), "see the number");
	assert_false(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
	/* A curator who resolves again has decided anew. */
	resolve(f, h, "resolved", "lost", NULL);
	r = review(f, "a/review");
	assert_string_equal(string_at(r, "state"), "decided");
	assert_string_equal(string_at(r, "decision"), "lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_disagreement__of_two_agents_comes_up_with_who_said_what),
		TEST(test_disagreement__of_two_names_under_one_key),
		TEST(test_disagreement__is_none_where_nobody_contradicts_another),
		TEST(test_disagreement__across_a_transfer),
		TEST(test_disagreement__stays_one_review_until_nobody_contradicts),
		TEST(test_disagreement__is_settled_by_a_curator),
		TEST(test_disagreement__that_is_contested_as_well),
		TEST(test_review__decided_again_keeps_its_first_vote),
		TEST(test_review__that_came_up_again_is_taken_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
