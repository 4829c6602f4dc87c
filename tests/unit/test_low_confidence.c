/* What the bot is unsure of: a drawn share of it is labelled by a person, and teaches. */
#include "review_fixture.h"

#define SAID "the lamp of my bike is broken"

/* Two intents with the same words: what is meant cannot be told. */
static void make_unsure(struct fixture *f)
{
	add_examples(f, "the lamp of my bike is broken %d", "repair", 0, 30);
	add_examples(f, "the lamp of my bike is broken %d", "exchange", 100, 30);
}

static json_t *ask(struct fixture *f, const char *id, const char *text)
{
	ACT(f, conversation_act, J(f, arena_printf(f->arena, "{'id':'%s'}", id)));
	return turn(f, id, text);
}

static int is_there(struct fixture *f, enum record_kind kind, const char *id)
{
	struct record r;
	int rc = engine_find(f->desk.engine, kind, id, f->arena, &r, &f->err);

	NO_ERROR(f, rc);
	return rc;
}

static const json_t *body(struct fixture *f, enum record_kind kind, const char *id)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, kind, id, f->arena, &r, &f->err));
	return r.body;
}

static void test_low_confidence__is_drawn_once_and_tells_nobody_what_to_say(void **state)
{
	struct fixture *f = *state;

	make_unsure(f);
	f->desk.audit_share = 1;
	json_t *p = ask(f, "a", SAID);
	assert_string_equal(string_at(p, "decision"), "clarify");
	assert_true(number_at(p, "out_of_scope") < .5);
	json_t *list = reviews(f, NULL);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(string_at(list, "0.id"), "a/review");
	assert_string_equal(string_at(list, "0.reason"), "low_confidence");
	assert_string_equal(string_at(list, "0.state"), "open");
	assert_string_equal(string_at(list, "0.text"), SAID);
	assert_float_equal(number_at(list, "0.propensity"), 1, 1e-9);
	assert_null(at(list, "0.label"));
	assert_null(at(list, "0.seen"));
	struct seen seen;
	assert_int_equal(seen_read(at(body(f, RECORD_REVIEW, "a/review"), "seen"), &seen), 0);
	turn(f, "a", "the lamp of my bike is broken, I said");
	assert_int_equal(json_array_size(reviews(f, NULL)), 1);
	assert_string_equal(string_at(ACT(f, review_get, "a/review"), "text"), SAID);
}

/* Where there is nothing to go by a label would not tell what the bot is unsure of. */
static void test_low_confidence__is_not_what_nothing_is_known_of(void **state)
{
	struct fixture *f = *state;

	f->desk.audit_share = 1;
	assert_string_equal(string_at(ask(f, "cold", SAID), "decision"), "clarify");
	make_unsure(f);
	json_t *p = ask(f, "unlike", "quarterly zebra taxation");
	assert_string_equal(string_at(p, "decision"), "clarify");
	ask(f, "person", "let me talk to a human");
	make_answerable(f);
	assert_string_equal(string_at(ask(f, "sure", "where is my parcel number 5"), "decision"), "answer");
	f->desk.audit_share = 0;
	ask(f, "none", SAID);
	json_t *list = reviews(f, NULL);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(string_at(list, "0.id"), "sure/audit");
}

/* Whether conversation tN is drawn, of 60, where all are told the same. */
static void drawn(struct fixture *f, const char *text, const char *id, int out[60])
{
	f->desk.audit_share = .5;
	for (int i = 0; i < 60; i++) {
		ask(f, arena_printf(f->arena, "t%d", i), text);
		out[i] = is_there(f, RECORD_REVIEW, arena_printf(f->arena, "t%d/%s", i, id));
	}
}

static void test_low_confidence__is_drawn_apart_from_audits(void **state)
{
	int audits[60], questions[60], either[2] = { 0, 0 }, n = 0;
	struct fixture *f = *state, *other;
	void *second;

	make_answerable(f);
	drawn(f, "where is my parcel number 5", "audit", audits);
	assert_int_equal(set_up(&second), 0); /* the same secret, the same ids */
	other = second;
	make_unsure(other);
	drawn(other, SAID, "review", questions);
	for (int i = 0; i < 60; i++) {
		n += questions[i];
		if (audits[i] != questions[i])
			either[audits[i]]++;
	}
	assert_true(n >= 15 && n <= 45);
	assert_true(either[0] >= 5 && either[1] >= 5);
	assert_int_equal(tear_down(&second), 0);
}

static void test_low_confidence__decided_teaches(void **state)
{
	struct outcome_seen *list;
	struct fixture *f = *state;
	size_t n;

	make_unsure(f);
	f->desk.audit_share = 1;
	ask(f, "a", SAID);
	train(f);
	long long before = lessons(f);
	json_t *done = ACT(f, review_decide_act, "a/review", J(f, "{'label':'repair'}"));
	json_t *r = ACT(f, review_show, done);
	assert_string_equal(string_at(r, "decision"), "repair");
	assert_non_null(at(r, "label")); /* now it is told */
	assert_null(at(r, "right"));
	const json_t *x = body(f, RECORD_EXAMPLE, "a/example/1");
	assert_string_equal(body_string(x, "label"), "repair");
	assert_string_equal(body_string(x, "text"), SAID);
	assert_string_equal(body_string(x, "origin"), "qa");
	assert_string_equal(body_string(x, "conversation"), "a");
	assert_true(body_bool(x, "backed"));
	const json_t *vote = body(f, RECORD_VOTE, "a/review/vote/1");
	assert_string_equal(body_string(vote, "by"), "qa");
	assert_string_equal(body_string(vote, "example"), "a/example/1");
	assert_string_equal(body_string(vote, "conversation"), "a");
	assert_false(is_there(f, RECORD_CASE, "a/case"));
	train(f);
	assert_int_equal(lessons(f), before + 1);
	/* It would not have been answered: it says nothing of when to answer. */
	NO_ERROR(f, outcomes_read(f->desk.engine, 100, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 0);
	/* It has been looked at: it is not drawn again. */
	turn(f, "a", "the lamp of my bike is broken, I said");
	assert_string_equal(string_at(ACT(f, review_get, "a/review"), "state"), "decided");
	/* QA has decided: an agent who resolves it otherwise is contested. */
	fixture_caller(f, fixture_rights("k-agent", SCOPE_AGENT | SCOPE_BOT, NULL, 0));
	const char *h = string_at(ACT(f, handoff_act, J(f, "{'trigger':'other','conversation_id':'a'}")),
				  "handoff");
	resolve(f, h, "resolved", "exchange", NULL);
	assert_true(is_contested(f, RECORD_EXAMPLE, "a/example/1"));
}

/* The example of a conversation that only some may see is theirs alone. */
static void test_low_confidence__teaches_those_who_may_see_it(void **state)
{
	struct fixture *f = *state;

	make_unsure(f);
	f->desk.audit_share = 1;
	ACT(f, conversation_act,
	    J(f, "{'id':'a','acl':['board'],'turns':[{'role':'customer','text':'" SAID "'}]}"));
	ACT(f, review_decide_act, "a/review", J(f, "{'label':'repair'}"));
	assert_string_equal(string_at(body(f, RECORD_EXAMPLE, "a/example/1"), "acl.0"), "board");
}

/* An agent's word is a label as well: nobody has to look any more. */
static void test_low_confidence__is_answered_by_a_resolution(void **state)
{
	struct fixture *f = *state;

	make_unsure(f);
	f->desk.audit_share = 1;
	ask(f, "a", SAID);
	const char *h = string_at(ACT(f, handoff_act, J(f, "{'trigger':'other','conversation_id':'a'}")),
				  "handoff");
	assert_true(is_there(f, RECORD_REVIEW, "a/review"));
	resolve(f, h, "resolved", "repair", NULL);
	assert_false(is_there(f, RECORD_REVIEW, "a/review"));
	turn(f, "a", SAID); /* it is labelled: it is not drawn again */
	assert_false(is_there(f, RECORD_REVIEW, "a/review"));
}

/* Each decision is a vote, also of a conversation that nobody has resolved; an audit teaches when to answer, no more. */
static void test_audit__decided_leaves_a_vote_and_no_example(void **state)
{
	struct fixture *f = *state;

	make_answerable(f);
	f->desk.audit_share = 1;
	ask(f, "a", "where is my parcel number 5");
	ACT(f, review_decide_act, "a/audit", J(f, "{'label':'parcel'}"));
	const json_t *vote = body(f, RECORD_VOTE, "a/audit/vote/1");
	assert_string_equal(body_string(vote, "label"), "parcel");
	assert_string_equal(body_string(vote, "conversation"), "a");
	assert_string_equal(body_string(vote, "example"), "");
	assert_false(is_there(f, RECORD_EXAMPLE, "a/example/1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_low_confidence__is_drawn_once_and_tells_nobody_what_to_say),
		TEST(test_low_confidence__is_not_what_nothing_is_known_of),
		TEST(test_low_confidence__is_drawn_apart_from_audits),
		TEST(test_low_confidence__decided_teaches),
		TEST(test_low_confidence__teaches_those_who_may_see_it),
		TEST(test_low_confidence__is_answered_by_a_resolution),
		TEST(test_audit__decided_leaves_a_vote_and_no_example),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
