#include "handoff_fixture.h"

#include "desk/package.h"

static json_t *package(struct fixture *f, const char *handoff)
{
	return at(shown(f, handoff), "package");
}

static void test_package__keeps_what_the_bot_says(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	json_t *p = package(
		f,
		open_handoff(f, "{'conversation_id':'c-1','trigger':'policy','reason':'a rule','queue':'q2',"
				"'identity':{'customer_id':'cu-9'},'intent':{'label':'x'},"
				"'sentiment':{'label':'negative','score':-0.5},'promises':[],"
				"'steps_tried':[{'action':'looked'},{'action':'asked','outcome':'done',"
				"'detail':'twice'}],'unresolved_actions':['a','b'],'priority':2,"
				"'entities':{'order_id':'VK-1','n':3},'bot':{'name':'b','model':'m',"
				"'draft_answer':'d','cited':[{'document_id':'help-1','quote':'q'}]}}"));
	const char *const fields[] = { "trigger",   "reason",      "identity", "intent",
				       "sentiment", "steps_tried", "promises", "unresolved_actions",
				       "entities",  "bot",         "queue",    "priority" };
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_string_equal(string_at(json_object_get(p, fields[i]), "origin"), "bot");
	assert_true(json_is_false(at(p, "identity.value.verified")));
	assert_string_equal(string_at(p, "steps_tried.value.0.outcome"), "unknown");
	assert_string_equal(string_at(p, "steps_tried.value.1.detail"), "twice");
	assert_int_equal(json_array_size(at(p, "promises.value")), 0);
	assert_int_equal(int_at(p, "entities.value.n"), 3);
	assert_int_equal(int_at(p, "priority.value"), 2);
	assert_null(at(p, "intent.confidence"));
}

static void test_package__fills_what_the_bot_leaves_out(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	json_t *p = package(f, open_handoff(f, "{'conversation_id':'c-1','trigger':'policy'}"));
	const char *const fields[] = {
		"reason",   "identity",           "intent",   "sentiment", "steps_tried",
		"promises", "unresolved_actions", "entities", "queue"
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const json_t *field = json_object_get(p, fields[i]);
		assert_string_equal(string_at(field, "origin"), "inferred");
		assert_true(number_at(field, "confidence") >= 0 && number_at(field, "confidence") <= 1);
	}
	assert_string_equal(string_at(p, "identity.value.customer_id"), "cu-7");
	assert_true(json_is_true(at(p, "identity.value.verified")));
	assert_true(json_is_null(at(p, "intent.value")));
	assert_string_equal(string_at(p, "steps_tried.value.0.action"), "Please check your bank account.");
	assert_string_equal(string_at(p, "steps_tried.value.0.outcome"), "failed");
	assert_string_equal(string_at(p, "promises.value.0"),
			    "We will refund 149.00 EUR within 10 working days.");
	assert_string_equal(string_at(p, "unresolved_actions.value.0"),
			    "Can you send me the refund reference?");
	assert_string_equal(string_at(p, "entities.value.order_id"), "VK-20418");
	assert_string_equal(string_at(p, "entities.value.amount"), "149.00 EUR");
	assert_string_equal(string_at(p, "queue.value"), "tier1");
	assert_null(at(p, "bot"));
}

static void test_package__identity_is_not_verified_unless_recorded(void **state)
{
	struct fixture *f = *state;
	json_t *p = package(
		f,
		open_handoff(f, "{'conversation':{'customer':{'id':'cu-1'},'turns':[]},'trigger':'other'}"));

	assert_true(json_is_false(at(p, "identity.value.verified")));
	p = package(f, open_handoff(f, "{'conversation':{'turns':[]},'trigger':'other'}"));
	assert_true(json_is_null(at(p, "identity.value")));
}

static void test_package__intent_from_examples(void **state)
{
	struct fixture *f = *state;
	int status;

	for (int i = 0; i < 4; i++) {
		char line[200];
		snprintf(line, sizeof(line), "{'text':'where is my refund money %d','label':'refund_status'}",
			 i);
		NO_ERROR(f, example_import(&f->desk, &f->call, J(f, line), &status));
	}
	conversation(f, REFUND);
	json_t *p = package(f, open_handoff(f, "{'conversation_id':'c-1','trigger':'policy'}"));
	assert_string_equal(string_at(p, "intent.value.label"), "refund_status");
	assert_string_equal(string_at(p, "intent.origin"), "inferred");
	assert_true(number_at(p, "intent.confidence") > 0);
}

static struct conversation said(struct fixture *f, const char *turns)
{
	char body[2000];
	struct conversation v;

	snprintf(body, sizeof(body), "{'turns':%s}", turns);
	json_t *result = ACT(f, conversation_act, J(f, body));
	const char *id = json_string_value(json_object_iter_value(json_object_iter(result)));
	const char *named = json_string_value(json_object_get(result, "conversation"));
	NO_ERROR(f, conversation_load(&f->desk, &f->call, named ? named : id, &v));
	return v;
}

static void test_infer__promises_are_not_courtesies(void **state)
{
	struct fixture *f = *state;
	struct conversation v = said(
		f, "[{'role':'bot','text':'I will be happy to help. If you cancel, we will refund it. "
		   "A colleague will call you tomorrow. Will we see you? You can return it.'},"
		   "{'role':'agent','text':'We\\u2019ll send a new one today. Your refund of 5 EUR "
		   "arrives by Friday.'},{'role':'customer','text':'I will sue you.'},"
		   "{'role':'bot','text':'A colleague will call you tomorrow.'}]");
	json_t *list = json_keep(f->arena, infer_promises(f->arena, &v));

	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(string_at(list, "0"), "A colleague will call you tomorrow.");
	assert_string_equal(string_at(list, "2"), "Your refund of 5 EUR arrives by Friday.");
}

/* What is promised is open until the customer says that he has it; thanks are no such thing. */
static void test_infer__a_promise_is_open_until_the_customer_has_it(void **state)
{
	static const struct {
		const char *turns;
		int open;
	} cases[] = {
		{ "{'role':'customer','text':'I will sue you.'}", 0 },
		{ "{'role':'bot','text':'Hello. We will send a new one today.'}", 1 },
		{ "{'role':'agent','text':'We will send it.'},{'role':'customer','text':'Thanks, great'}",
		  1 },
		{ "{'role':'bot','text':'We will send it.'},{'role':'customer','text':'It has arrived'}", 0 },
		{ "{'role':'bot','text':'We will send it.'},{'role':'customer','text':'Nothing has arrived'}",
		  1 },
		{ "{'role':'bot','text':'We will fix it.'},{'role':'customer','text':'It is not fixed'}", 1 },
		{ "{'role':'bot','text':'We will fix it.'},{'role':'customer','text':'It works now'},"
		  "{'role':'bot','text':'A colleague will call you.'}",
		  1 },
		{ "{'role':'bot','text':'Restart it.'},{'role':'system','text':'we will see'}", 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conversation v = said(f, arena_printf(f->arena, "[%s]", cases[i].turns));
		if (infer_promise_open(f->arena, &v) != cases[i].open)
			fail_msg("%s: not %d", cases[i].turns, cases[i].open);
	}
}

static void test_infer__steps_have_the_outcome_that_the_customer_tells(void **state)
{
	struct fixture *f = *state;
	struct conversation v = said(
		f, "[{'role':'bot','text':'Please restart the router.'},"
		   "{'role':'customer','text':'Still the same.'},"
		   "{'role':'bot','text':'Hold the button for 10 seconds. What colour is it?'},"
		   "{'role':'customer','text':'That worked, thanks!'},"
		   "{'role':'agent','text':'I have checked your line.'}]");
	json_t *list = json_keep(f->arena, infer_steps(f->arena, &v));

	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(string_at(list, "0.outcome"), "failed");
	assert_string_equal(string_at(list, "1.outcome"), "done");
	assert_string_equal(string_at(list, "2.action"), "I have checked your line.");
	assert_string_equal(string_at(list, "2.outcome"), "unknown");
}

static void test_infer__only_what_nobody_answered_is_unresolved(void **state)
{
	struct fixture *f = *state;
	struct conversation v = said(
		f, "[{'role':'customer','text':'Where is my parcel?'},"
		   "{'role':'bot','text':'In Cork.'},{'role':'customer','text':'I want it today. "
		   "It rains. Can I talk to a human?'}]");
	json_t *list = json_keep(f->arena, infer_unresolved(f->arena, &v));

	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(string_at(list, "0"), "I want it today.");
	v.n_turns = 2;
	assert_int_equal(json_array_size(json_keep(f->arena, infer_unresolved(f->arena, &v))), 0);
}

static void test_infer__entities(void **state)
{
	struct fixture *f = *state;
	struct conversation v = said(
		f, "[{'role':'customer','text':'Orders VK-20418 and #12345, error 4021 and E-4007, mail "
		   "ana@example.com, on 5 June'},{'role':'agent','text':'RF-5519207 for VK-20418'}]");
	json_t *e = json_keep(f->arena, infer_entities(f->arena, &v));

	assert_string_equal(string_at(e, "order_id.0"), "VK-20418");
	assert_string_equal(string_at(e, "order_id.1"), "#12345");
	assert_int_equal(json_array_size(at(e, "order_id")), 2);
	assert_string_equal(string_at(e, "error_code.0"), "4021");
	assert_string_equal(string_at(e, "error_code.1"), "E-4007");
	assert_string_equal(string_at(e, "email"), "ana@example.com");
	assert_string_equal(string_at(e, "date"), "5 June");
	assert_string_equal(string_at(e, "reference"), "RF-5519207");
}

static void bad(struct fixture *f, int code, const char *param, const char *field)
{
	char body[400];

	snprintf(body, sizeof(body), "{'conversation_id':'c-1','trigger':'other',%s}", field);
	assert_string_equal(FAILS(f, code, handoff_act, J(f, body))->param, param);
}

static void test_package__bad_fields(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	bad(f, ERR_WRONG_TYPE, "reason", "'reason':1");
	bad(f, ERR_MISSING_FIELD, "identity.customer_id", "'identity':{'name':'x'}");
	bad(f, ERR_UNKNOWN_FIELD, "identity.age", "'identity':{'customer_id':'x','age':5}");
	bad(f, ERR_WRONG_TYPE, "identity.verified", "'identity':{'customer_id':'x','verified':'yes'}");
	bad(f, ERR_WRONG_TYPE, "intent", "'intent':'refund'");
	bad(f, ERR_MISSING_FIELD, "intent.label", "'intent':{'confidence':0.5}");
	bad(f, ERR_BAD_VALUE, "intent.confidence", "'intent':{'label':'x','confidence':1.5}");
	bad(f, ERR_BAD_VALUE, "sentiment.label", "'sentiment':{'label':'cross'}");
	bad(f, ERR_BAD_VALUE, "sentiment.score", "'sentiment':{'label':'negative','score':-2}");
	bad(f, ERR_WRONG_TYPE, "steps_tried", "'steps_tried':{}");
	bad(f, ERR_MISSING_FIELD, "steps_tried[1].action", "'steps_tried':[{'action':'a'},{}]");
	bad(f, ERR_BAD_VALUE, "steps_tried[0].outcome", "'steps_tried':[{'action':'a','outcome':'maybe'}]");
	bad(f, ERR_UNKNOWN_FIELD, "steps_tried[0].why", "'steps_tried':[{'action':'a','why':'b'}]");
	bad(f, ERR_EMPTY_TEXT, "promises[1]", "'promises':['a','']");
	bad(f, ERR_WRONG_TYPE, "unresolved_actions[0]", "'unresolved_actions':[3]");
	bad(f, ERR_WRONG_TYPE, "entities", "'entities':{'a':[1]}");
	bad(f, ERR_MISSING_FIELD, "bot.cited[0].document_id", "'bot':{'name':'b','cited':[{'quote':'q'}]}");
	bad(f, ERR_UNKNOWN_FIELD, "bot.cited[0].page", "'bot':{'cited':[{'document_id':'d','page':1}]}");
	bad(f, ERR_UNKNOWN_FIELD, "bot.age", "'bot':{'age':1}");
	bad(f, ERR_EMPTY_TEXT, "queue", "'queue':' '");
	bad(f, ERR_WRONG_TYPE, "priority", "'priority':{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_package__keeps_what_the_bot_says),
		TEST(test_package__fills_what_the_bot_leaves_out),
		TEST(test_package__identity_is_not_verified_unless_recorded),
		TEST(test_package__intent_from_examples),
		TEST(test_infer__promises_are_not_courtesies),
		TEST(test_infer__a_promise_is_open_until_the_customer_has_it),
		TEST(test_infer__steps_have_the_outcome_that_the_customer_tells),
		TEST(test_infer__only_what_nobody_answered_is_unresolved),
		TEST(test_infer__entities),
		TEST(test_package__bad_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
