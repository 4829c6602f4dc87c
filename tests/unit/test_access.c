/* What a caller may not see it does not learn in a roundabout way: by labels, counts, errors or what was deleted. */
#include "handoff_fixture.h"

static const char *const no_groups[] = { NULL };
static const char *const tier1[] = { "tier1", NULL };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_intent__votes_under_the_callers_rights),
		TEST(test_intent__of_a_package_is_for_all_who_may_see_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
