#include "handoff_fixture.h"

static size_t count(struct fixture *f, const char *field, const char *value)
{
	struct scan s = { .kind = RECORD_SIGNAL, .field = { field }, .value = { value }, .limit = 100 };
	struct record *list;
	size_t n;

	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &list, &n, &f->err));
	return n;
}

static const char *prepared(struct fixture *f)
{
	document(f, "help-refund",
		 "{'title':'When a refund arrives','text':'A refund is on your bank account soon.'}");
	document(f, "help-hub", "{'title':'Hub','text':'Restart it.'}");
	document(f, "secret", "{'title':'Secret','text':'Nobody knows.','acl':['legal']}");
	return refund_handoff(f);
}

/* A request of one signal. */
static json_t *signal(struct fixture *f, const char *fields)
{
	return J(f, arena_printf(f->arena, "{'signals':[{%s}]}", fields));
}

static const char *with(struct fixture *f, const char *handoff, const char *rest)
{
	return arena_printf(f->arena, "'handoff_id':'%s',%s", handoff, rest);
}

static void test_signals__of_a_handoff(void **state)
{
	struct fixture *f = *state;
	const char *id = prepared(f);
	int64_t before = record_of(f, RECORD_CONVERSATION, "c-1").revision;
	json_t *result = ACT(
		f, signals_act,
		J(f,
		  arena_printf(
			  f->arena, "{'signals':[{%s},{%s}]}",
			  with(f, id, "'kind':'document','id':'help-refund','signal':'shown'"),
			  with(f, id,
			       "'kind':'document','id':'help-refund','signal':'opened','agent':'k-all'"))));

	assert_int_equal(int_at(ACT(f, signals_show, result), "recorded"), 2);
	assert_int_equal(count(f, "handoff", id), 2);
	assert_int_equal(count(f, "document", "help-refund"), 2);
	/* signals neither change nor conflict with the conversation */
	assert_int_equal(record_of(f, RECORD_CONVERSATION, "c-1").revision, before);
}

static void test_signals__of_a_search(void **state)
{
	struct fixture *f = *state;

	prepared(f);
	json_t *out = ACT(f, search_act, J(f, "{'query':'refund'}"));
	const char *token = string_at(out, "search_id");
	ACT(f, signals_act,
	    signal(f, arena_printf(f->arena,
				   "'search_id':'%s','kind':'document','id':'help-refund',"
				   "'signal':'helpful'",
				   token)));
	assert_int_equal(count(f, "document", "help-refund"), 1);
	char *forged = arena_strdup(f->arena, token);
	forged[10] = forged[10] == 'A' ? 'B' : 'A';
	struct error *e = FAILS(
		f, ERR_BAD_ID, signals_act,
		signal(f, arena_printf(f->arena,
				       "'search_id':'%s','kind':'document','id':'help-refund',"
				       "'signal':'helpful'",
				       forged)));
	assert_string_equal(e->param, "signals[0].search_id");
	e = FAILS(
		f, ERR_NOT_FOUND, signals_act,
		signal(f, arena_printf(f->arena,
				       "'search_id':'%s','kind':'document','id':'nowhere','signal':'helpful'",
				       token)));
	assert_string_equal(e->param, "signals[0].id");
}

static void test_signals__the_same_identifier_replaces(void **state)
{
	struct fixture *f = *state;
	const char *id = prepared(f);
	const char *one = with(
		f, id, "'kind':'document','id':'help-refund','signal':'helpful','identifier':'thumb'");
	const char *two = with(
		f, id, "'kind':'document','id':'help-refund','signal':'not_helpful','identifier':'thumb'");
	struct scan s = { .kind = RECORD_SIGNAL, .limit = 10 };
	struct record *list;
	size_t n;

	ACT(f, signals_act, signal(f, one));
	ACT(f, signals_act, signal(f, two));
	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 1);
	assert_string_equal(string_at(list[0].body, "signal"), "not_helpful");
	ACT(f, signals_act, J(f, arena_printf(f->arena, "{'signals':[{%s},{%s}]}", two, one)));
	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 1);
	assert_string_equal(string_at(list[0].body, "signal"), "helpful");
	/* another key's is its own */
	fixture_caller(f, fixture_rights("k-2", SCOPE_AGENT, NULL, 0));
	ACT(f, signals_act, signal(f, one));
	assert_int_equal(count(f, "handoff", id), 2);
}

static void test_signals__about_what_is_gone(void **state)
{
	struct fixture *f = *state;
	const char *id = prepared(f);

	ACT(f, document_delete_act, "help-refund");
	ACT(f, document_delete_act, "help-hub");
	ACT(f, signals_act, signal(f, with(f, id, "'kind':'document','id':'help-refund','signal':'opened'")));
	FAILS(f, ERR_NOT_FOUND, signals_act,
	      signal(f, with(f, id, "'kind':'document','id':'help-hub','signal':'opened'")));
}

static void bad(struct fixture *f, int code, const char *param, const char *fields)
{
	assert_string_equal(FAILS(f, code, signals_act, signal(f, fields))->param, param);
}

static void test_signals__bad_requests(void **state)
{
	struct fixture *f = *state;
	const char *id = prepared(f);

	bad(f, ERR_MISSING_FIELD, "signals[0].handoff_id", "'kind':'document','id':'x','signal':'shown'");
	bad(f, ERR_BAD_VALUE, "signals[0].handoff_id",
	    with(f, id, "'search_id':'s_x','kind':'document','id':'x','signal':'shown'"));
	bad(f, ERR_BAD_VALUE, "signals[0].kind", with(f, id, "'kind':'turn','id':'x','signal':'shown'"));
	bad(f, ERR_BAD_VALUE, "signals[0].signal",
	    with(f, id, "'kind':'document','id':'x','signal':'liked'"));
	bad(f, ERR_MISSING_FIELD, "signals[0].id", with(f, id, "'kind':'document','signal':'shown'"));
	bad(f, ERR_UNKNOWN_FIELD, "signals[0].rank",
	    with(f, id, "'kind':'document','id':'x','signal':'shown','rank':1"));
	bad(f, ERR_AGENT_MISMATCH, "signals[0].agent",
	    with(f, id, "'kind':'document','id':'help-hub','signal':'shown','agent':'a-9'"));
	bad(f, ERR_FORBIDDEN, "signals[0].at",
	    with(f, id, "'kind':'document','id':'help-hub','signal':'shown','at':'2026-06-01T00:00:00Z'"));
	bad(f, ERR_NOT_FOUND, "signals[0].handoff_id",
	    with(f, "ho_no", "'kind':'document','id':'x','signal':'shown'"));
	bad(f, ERR_NOT_FOUND, "signals[0].id",
	    with(f, id, "'kind':'document','id':'nowhere','signal':'shown'"));
	assert_string_equal(FAILS(f, ERR_BAD_VALUE, signals_act, J(f, "{'signals':[]}"))->param, "signals");
	assert_string_equal(FAILS(f, ERR_MISSING_FIELD, signals_act, J(f, "{}"))->param, "signals");
	be(f, "k-1", AGENT, NULL);
	bad(f, ERR_NOT_FOUND, "signals[0].id",
	    with(f, id, "'kind':'document','id':'secret','signal':'shown'"));
	assert_int_equal(count(f, "handoff", id), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_signals__of_a_handoff),
		TEST(test_signals__of_a_search),
		TEST(test_signals__the_same_identifier_replaces),
		TEST(test_signals__about_what_is_gone),
		TEST(test_signals__bad_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
