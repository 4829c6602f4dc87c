/* What a caller may not see it does not learn in a roundabout way: by labels, counts, errors or what was deleted. */
#include "handoff_fixture.h"

static const char *const no_groups[] = { NULL };
static const char *const tier1[] = { "tier1", NULL };
static const char *const both[] = { "tier1", "tier2", NULL };

static const char *predicted(struct fixture *f, const char *text)
{
	json_t *body = json_keep(f->arena, json_pack("{s:s}", "text", text));

	return json_string_value(at(ACT(f, predict_show, body), "intent.label"));
}

/* A conversation with one customer turn; `acl` as "['tier1']", NULL: everybody. */
static void begin(struct fixture *f, const char *id, const char *text, const char *acl)
{
	json_t *b = json_keep(f->arena, json_pack("{s:s, s:[{s:s, s:s}]}", "id", id, "turns", "role",
						  "customer", "text", text));

	if (acl)
		body_set_copy(b, "acl", J(f, acl));
	ACT(f, conversation_act, b);
}

static const char *hand_off(struct fixture *f, const char *conversation, const char *queue)
{
	json_t *b = json_keep(f->arena, json_pack("{s:s, s:s, s:s*}", "conversation_id", conversation,
						  "trigger", "other", "queue", queue));

	return arena_strdup(f->arena, string_at(ACT(f, handoff_act, b), "handoff"));
}

/* The body of a resolution; `used` as "['d']", NULL: nothing. */
static json_t *solution(struct fixture *f, const char *intent, const char *text, const char *used)
{
	json_t *b = json_keep(f->arena, json_pack("{s:s, s:s, s:s}", "outcome", "resolved", "intent", intent,
						  "text", text));

	if (used)
		body_set_copy(b, "evidence_used", J(f, used));
	return b;
}

static void solve(struct fixture *f, const char *conversation, const char *queue, const char *intent,
		  const char *text, const char *used)
{
	const char *h = hand_off(f, conversation, queue);

	ACT(f, resolution_act, h, solution(f, intent, text, used));
}

/* --- intents ------------------------------------------------------------------------------------ */

static void test_intent__votes_under_the_callers_rights(void **state)
{
	struct fixture *f = *state;

	begin(f, "h", "I want my refund from the fraud desk zebra", "['tier1']");
	solve(f, "h", NULL, "fraud_secret", "done", NULL);
	be(f, "k-1", AGENT, tier1);
	assert_string_equal(predicted(f, "refund from the fraud desk zebra"), "fraud_secret");
	be(f, "k-2", AGENT, no_groups);
	assert_null(predicted(f, "refund from the fraud desk zebra"));
	be(f, "k-3", SCOPE_BOT, no_groups);
	assert_null(predicted(f, "refund from the fraud desk zebra"));
}

static const char *inferred(struct fixture *f, const char *id, const char *acl)
{
	begin(f, id, "refund from the fraud desk zebra", acl);
	return json_string_value(at(shown(f, hand_off(f, id, NULL)), "package.intent.value.label"));
}

static void test_intent__of_a_package_is_for_all_who_may_see_it(void **state)
{
	struct fixture *f = *state;

	begin(f, "h", "I want my refund from the fraud desk zebra", "['tier1']");
	solve(f, "h", NULL, "fraud_secret", "done", NULL);
	/* whoever opens it: the admin sees the example, others who will see the handoff do not */
	assert_null(inferred(f, "c-1", NULL));
	assert_null(inferred(f, "c-2", "['tier1','tier2']"));
	assert_null(inferred(f, "c-3", "['tier2']"));
	assert_string_equal(inferred(f, "c-4", "['tier1']"), "fraud_secret");
}

/* --- cases -------------------------------------------------------------------------------------- */

static size_t found(struct fixture *f, const char *query, const char *kind)
{
	json_t *b = json_keep(f->arena, json_pack("{s:s, s:[s]}", "query", query, "kinds", kind));

	return json_array_size(at(ACT(f, desk_search, b), "data"));
}

static void put(struct fixture *f, const char *id, const char *text, const char *acl)
{
	json_t *b = json_keep(f->arena, json_pack("{s:s, s:s}", "title", id, "text", text));

	if (acl)
		body_set_copy(b, "acl", J(f, acl));
	ACT(f, document_act, id, b);
}

static size_t cases_seen(struct fixture *f, const char *const *groups, const char *query)
{
	be(f, "k", AGENT, groups);
	size_t n = found(f, query, "case");
	be_admin(f);
	return n;
}

static void test_case__of_evidence_that_was_deleted(void **state)
{
	struct fixture *f = *state;

	put(f, "sec", "hold the blue button for ten seconds", "['tier1']");
	begin(f, "c-1", "which button do I hold", NULL);
	const char *h = hand_off(f, "c-1", "tier1");
	assert_string_equal(string_at(shown(f, h), "evidence.data.0.id"), "sec");
	ACT(f, document_delete_act, "sec");
	ACT(f, resolution_act, h, solution(f, "button", "held the blue button", "['sec']"));
	assert_int_equal(cases_seen(f, no_groups, "blue button"), 0);
	assert_int_equal(cases_seen(f, tier1, "blue button"), 1);
	be(f, "k", AGENT, no_groups);
	assert_null(predicted(f, "which button do I hold"));
}

static void test_case__of_a_deleted_document_beside_the_evidence(void **state)
{
	struct fixture *f = *state;

	put(f, "sec", "hold the blue button for ten seconds", "['tier1']");
	ACT(f, document_delete_act, "sec");
	begin(f, "c-1", "which button do I hold", NULL);
	const char *h = hand_off(f, "c-1", NULL);
	be(f, "k", AGENT, no_groups);
	struct error *e = FAILS(f, ERR_BAD_VALUE, resolution_act, h,
				solution(f, "button", "held the blue button", "['sec']"));
	assert_string_equal(e->param, "evidence_used[0]");
	be(f, "k", AGENT, tier1);
	ACT(f, resolution_act, h, solution(f, "button", "held the blue button", "['sec']"));
	assert_int_equal(cases_seen(f, no_groups, "blue button"), 0);
	assert_int_equal(cases_seen(f, tier1, "blue button"), 1);
}

static void test_case__of_a_case(void **state)
{
	struct fixture *f = *state;

	begin(f, "c-1", "please reset the frobnicator", "['tier1']");
	solve(f, "c-1", NULL, "reset", "reset with code 99", NULL);
	begin(f, "c-2", "reset my frobnicator please", NULL);
	solve(f, "c-2", "tier1", "reset_again", "reset with code 99 as before", "['c-1/case']");
	assert_int_equal(cases_seen(f, no_groups, "code 99"), 0);
	assert_int_equal(cases_seen(f, tier1, "code 99"), 2);
}

static void test_case__of_what_was_hidden_when_it_was_shown(void **state)
{
	struct fixture *f = *state;

	put(f, "sec", "hold the blue button for ten seconds", "['tier1']");
	begin(f, "c-1", "which button do I hold", NULL);
	const char *h = hand_off(f, "c-1", "tier1");
	put(f, "sec", "hold the blue button for ten seconds", NULL);
	ACT(f, resolution_act, h, solution(f, "button", "held the blue button", "['sec']"));
	assert_int_equal(cases_seen(f, no_groups, "blue button"), 0);
	assert_int_equal(cases_seen(f, tier1, "blue button"), 1);
}

/* --- evidence ----------------------------------------------------------------------------------- */

static void test_evidence__of_a_document_that_was_hidden_and_then_deleted(void **state)
{
	struct fixture *f = *state;

	put(f, "d", "hold the blue button for ten seconds", NULL);
	begin(f, "c-1", "which button do I hold", NULL);
	const char *h = hand_off(f, "c-1", NULL);
	put(f, "d", "hold the blue button for ten seconds", "['tier2']");
	ACT(f, document_delete_act, "d");
	be(f, "k", AGENT, tier1);
	assert_string_equal(string_at(shown(f, h), "evidence.data.0.state"), "withheld");
	be(f, "k", AGENT, both);
	assert_string_equal(string_at(shown(f, h), "evidence.data.0.id"), "d");
}

static void test_document__hidden_is_as_unknown_when_it_is_deleted(void **state)
{
	struct fixture *f = *state;
	struct error hidden;

	put(f, "d", "hold the blue button", "['tier2']");
	be(f, "k", SCOPE_CURATOR, tier1);
	hidden = *FAILS(f, ERR_NOT_FOUND, document_delete_act, "d");
	assert_string_equal(FAILS(f, ERR_NOT_FOUND, document_delete_act, "e")->message, hidden.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_intent__votes_under_the_callers_rights),
		TEST(test_intent__of_a_package_is_for_all_who_may_see_it),
		TEST(test_case__of_evidence_that_was_deleted),
		TEST(test_case__of_a_deleted_document_beside_the_evidence),
		TEST(test_case__of_a_case),
		TEST(test_case__of_what_was_hidden_when_it_was_shown),
		TEST(test_evidence__of_a_document_that_was_hidden_and_then_deleted),
		TEST(test_document__hidden_is_as_unknown_when_it_is_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
