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

	return json_array_size(at(ACT(f, search_act, b), "data"));
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

/* --- conversations ------------------------------------------------------------------------------ */

static void test_list__after_what_is_hidden_is_after_nothing(void **state)
{
	struct fixture *f = *state;
	struct error hidden;

	begin(f, "h", "hidden", "['tier2']");
	be(f, "k", AGENT, tier1);
	hidden = *FAILS(f, ERR_NOT_FOUND, conversation_list, text_of(NULL), text_of("h"), 10);
	struct error *unknown = FAILS(f, ERR_NOT_FOUND, conversation_list, text_of(NULL), text_of("u"), 10);
	assert_string_equal(unknown->message, hidden.message);
	assert_string_equal(unknown->param, hidden.param);
}

static void test_bot__sees_what_it_has_begun(void **state)
{
	struct fixture *f = *state;
	const struct text none = { 0 };

	begin(f, "other", "where is my parcel", NULL);
	const char *h = hand_off(f, "other", NULL);
	be(f, "k-2", SCOPE_BOT, no_groups);
	begin(f, "second", "where is my parcel", NULL);
	be(f, "k-1", SCOPE_BOT, no_groups);
	begin(f, "own-1", "where is my parcel", NULL);
	begin(f, "own-2", "where is my parcel", NULL);
	const char *own = hand_off(f, "own-1", NULL);
	json_t *named = J(f, "{'conversation':'other'}");
	FAILS(f, ERR_NOT_FOUND, conversation_show, named);
	FAILS(f, ERR_NOT_FOUND, turn_act, "other", J(f, "{'role':'customer','text':'hello?'}"));
	FAILS(f, ERR_NOT_FOUND, turn_act, "second", J(f, "{'role':'customer','text':'hello?'}"));
	FAILS(f, ERR_NOT_FOUND, handoff_act, J(f, "{'conversation_id':'second','trigger':'other'}"));
	FAILS(f, ERR_NOT_FOUND, predict_show, J(f, "{'conversation_id':'other'}"));
	FAILS(f, ERR_NOT_FOUND, search_act, J(f, "{'conversation_id':'other'}"));
	FAILS(f, ERR_NOT_FOUND, handoff_show, h);
	FAILS(f, ERR_NOT_FOUND, brief_show, h, BRIEF_JSON);
	FAILS(f, ERR_NOT_FOUND, evidence_show, h, NULL, 0);
	json_t *list = ACT(f, conversation_list, none, none, 1);
	assert_string_equal(string_at(list, "data.0.id"), "own-1");
	assert_true(json_is_true(at(list, "has_more")));
	list = ACT(f, conversation_list, none, text_of(string_at(list, "last_id")), 1);
	assert_string_equal(string_at(list, "data.0.id"), "own-2");
	assert_true(json_is_false(at(list, "has_more")));
	list = ACT(f, handoff_list, none, none, none, 10);
	assert_int_equal(json_array_size(at(list, "data")), 1);
	assert_string_equal(string_at(list, "data.0.id"), own);
	FAILS(f, ERR_NOT_FOUND, conversation_list, none, text_of("second"), 10);
	ACT(f, turn_act, "own-1", J(f, "{'role':'customer','text':'hello?'}"));
	be(f, "k-3", AGENT, no_groups);
	assert_int_equal(json_array_size(at(ACT(f, conversation_list, none, none, 10), "data")), 4);
}

static void test_bot__does_not_see_history_that_was_imported(void **state)
{
	struct fixture *f = *state;
	int status;

	fixture_caller(f, fixture_rights("cli", SCOPE_ADMIN, NULL, 0));
	NO_ERROR(f,
		 conversation_import(&f->desk, &f->call,
				     J(f, "{'id':'i','turns':[{'role':'customer','text':'x'}]}"), &status));
	be(f, "k-1", SCOPE_BOT, no_groups);
	FAILS(f, ERR_NOT_FOUND, conversation_show, J(f, "{'conversation':'i'}"));
}

/* Whoever claims to talk with a customer does not get to read what the customer said before. */
static void test_bot__learns_nothing_of_earlier_conversations(void **state)
{
	struct fixture *f = *state;

	ACT(f, conversation_act, J(f, REFUND));
	solve(f, "c-1", NULL, "refund", "sent the reference", NULL);
	be(f, "k-1", SCOPE_BOT, no_groups);
	json_t *r = ACT(f, handoff_act,
			J(f,
			  "{'trigger':'other','conversation':{'id':'mine','customer':{'id':'cu-7'},"
			  "'turns':[{'role':'customer','text':'where is my refund for order VK-20418'}]}}"));
	const char *h = string_at(r, "handoff");
	char *text = json_dumps(shown(f, h), 0);
	assert_null(strstr(text, "\"c-1")); /* with the quote: a UUID may have c-1 in it */
	assert_null(strstr(text, "sent the reference"));
	free(text);
	be(f, "k-2", AGENT, no_groups);
	text = json_dumps(shown(f, h), 0);
	assert_non_null(strstr(text, "\"c-1"));
	free(text);
}

/* --- what the bot cited ------------------------------------------------------------------------- */

/* A handoff that cites `id`, as seen by an agent without groups, without what differs anyway. */
static json_t *citing(struct fixture *f, const char *id, const char *quote, const char *queue)
{
	static const char *const paths[] = { "evidence.bot_citations", "brief.assessment", "brief.withheld" };
	json_t *b = J(f, "{'conversation':{'turns':[{'role':'customer','text':'zebra'}]},'trigger':'other',"
			 "'bot':{'name':'b','cited':[]}}");
	json_t *cited = json_pack("{s:s, s:s*}", "document_id", id, "quote", quote);
	json_t *out = json_keep(f->arena, json_array());

	json_array_append_new(at(b, "bot.cited"), cited);
	body_set(b, "queue", queue);
	const char *h = string_at(ACT(f, handoff_act, b), "handoff");
	be(f, "k", AGENT, no_groups);
	json_t *seen = shown(f, h);
	be_admin(f);
	for (size_t i = 0; i < 3; i++)
		json_array_append(out, at(seen, paths[i]));
	return out;
}

static void test_citation__hidden_is_as_unknown(void **state)
{
	struct fixture *f = *state;
	const char *const queues[] = { NULL, "tier1" };
	const char *const quotes[] = { NULL, "button for ten seconds", "lever for two seconds",
				       "never said" };

	for (size_t q = 0; q < 2; q++)
		for (size_t i = 0; i < 4; i++) {
			put(f, "doc", "hold the lever for two seconds", "['tier1']");
			put(f, "doc", "hold the button for ten seconds", "['tier1']");
			put(f, "beside", "hold the button for nine seconds", "['tier1']");
			json_t *hidden = citing(f, "doc", quotes[i], queues[q]);
			ACT(f, document_delete_act, "doc");
			json_t *deleted = citing(f, "doc", quotes[i], queues[q]);
			ACT(f, document_delete_act, "beside");
			json_t *unknown = citing(f, "cod", quotes[i], queues[q]);
			char *u = json_dumps(unknown, JSON_SORT_KEYS);
			for (char *c = u; (c = strstr(c, "cod"));)
				memcpy(c, "doc", 3);
			char *h = json_dumps(hidden, JSON_SORT_KEYS),
			     *d = json_dumps(deleted, JSON_SORT_KEYS);
			assert_string_equal(h, u);
			assert_string_equal(d, u);
			free(u);
			free(h);
			free(d);
		}
}

static void test_citation__one_that_may_be_seen_is_told_of(void **state)
{
	struct fixture *f = *state;

	put(f, "doc", "hold the lever for two seconds", NULL);
	put(f, "doc", "hold the button for ten seconds", NULL);
	assert_string_equal(string_at(citing(f, "doc", "lever for two", NULL), "0.0.status"),
			    "changed_since");
	ACT(f, document_delete_act, "doc");
	assert_string_equal(string_at(citing(f, "doc", NULL, NULL), "0.0.status"), "deleted");
}

/* Many citations of a long document share what may be looked through. */
static void test_citation__long_documents_are_not_looked_through_for_ever(void **state)
{
	struct fixture *f = *state;
	size_t n = (size_t)5 << 20;
	char *text = arena_alloc(f->arena, n + 1);
	json_t *b = J(f, "{'conversation':{'turns':[{'role':'customer','text':'zebra'}]},'trigger':'other',"
			 "'bot':{'name':'b','cited':[]}}");

	for (size_t i = 0; i < n; i++)
		text[i] = i % 8 == 7 ? ' ' : 'a' + (char)(i * i % 23);
	text[n] = '\0';
	put(f, "long", text, NULL);
	json_t *one = J(f, "{'document_id':'long','quote':'it says nowhere'}");
	for (int i = 0; i < 8; i++)
		json_array_append(at(b, "bot.cited"), one);
	const char *h = string_at(ACT(f, handoff_act, b), "handoff");
	assert_string_equal(string_at(shown(f, h), "evidence.bot_citations.0.status"), "unknown");
	char *brief = json_dumps(at(shown(f, h), "brief.assessment"), 0);
	assert_non_null(strstr(brief, "too long to look for"));
	free(brief);
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
		TEST(test_list__after_what_is_hidden_is_after_nothing),
		TEST(test_bot__sees_what_it_has_begun),
		TEST(test_bot__does_not_see_history_that_was_imported),
		TEST(test_bot__learns_nothing_of_earlier_conversations),
		TEST(test_citation__hidden_is_as_unknown),
		TEST(test_citation__one_that_may_be_seen_is_told_of),
		TEST(test_citation__long_documents_are_not_looked_through_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
