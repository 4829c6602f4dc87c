#include "handoff_fixture.h"

#include "desk/compare.h"

/* The discrepancies of a read-back that must not be accepted. */
static json_t *refused(struct fixture *f, const char *handoff, const char *body)
{
	json_t *result = NULL, *out = NULL;
	int rc = readback_act(&f->desk, &f->call, handoff, J(f, body), &result);

	assert_int_equal(rc, ERR_READBACK_DISCREPANCIES);
	json_keep(f->arena, result);
	NO_ERROR(f, readback_show(&f->desk, &f->call, result, &out));
	json_keep(f->arena, out);
	assert_string_equal(string_at(shown(f, handoff), "state"), "offered");
	return at(out, "discrepancies");
}

static void is(const json_t *list, size_t i, const char *field, const char *kind, const char *expected,
	       const char *got)
{
	const json_t *d = json_array_get(list, i);

	assert_string_equal(string_at(d, "field"), field);
	assert_string_equal(string_at(d, "kind"), kind);
	if (expected)
		assert_string_equal(string_at(d, "expected"), expected);
	else
		assert_null(at(d, "expected"));
	if (got)
		assert_string_equal(string_at(d, "got"), got);
	else
		assert_null(at(d, "got"));
}

static void test_readback__accepted(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	json_t *result = ACT(f, readback_act, id, J(f, REFUND_READ)), *out = ACT(f, readback_show, result);

	assert_string_equal(string_at(out, "result"), "accepted");
	assert_string_equal(string_at(out, "state"), "accepted");
	assert_non_null(at(out, "read_back_at"));
	assert_true(number_at(out, "thresholds.words") == AGREE_WORDS);
	assert_true(number_at(out, "thresholds.cosine") == AGREE_COSINE);
	json_t *h = shown(f, id);
	assert_string_equal(string_at(h, "state"), "accepted");
	assert_true(json_is_true(at(h, "read_back")));
	assert_string_equal(string_at(h, "read_back_at"), string_at(out, "read_back_at"));
	struct error *e = FAILS(f, ERR_WRONG_STATE, readback_act, id, J(f, REFUND_READ));
	assert_string_equal(e->state, "accepted");
}

static void test_readback__nothing_read_back_is_missing(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	json_t *list = refused(f, id, "{}");

	assert_int_equal(json_array_size(list), 4);
	is(list, 0, "identity.customer_id", "missing", "cu-7", NULL);
	is(list, 1, "intent", "missing", "refund_status", NULL);
	is(list, 2, "unresolved_actions[0]", "missing", "send the refund reference", NULL);
	is(list, 3, "promises[0]", "missing", "refund of 149.00 EUR within 10 working days", NULL);
}

static void test_readback__different_missing_and_extra(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	const char *id = open_handoff(
		f, "{'conversation_id':'c-1','trigger':'policy','intent':{'label':'refund_status'},"
		   "'promises':['refund of 149 EUR on 5 June','a technician calls tomorrow'],"
		   "'unresolved_actions':[]}");
	json_t *list = refused(f, id,
			       "{'identity':{'customer_id':'cu-8','name':'Ana  LIMA','verified':false},"
			       "'intent':'cancel_order','unresolved_actions':['send flowers'],"
			       "'promises':['the invoice comes by mail','refund of 149 EUR on 6 June']}");
	assert_int_equal(json_array_size(list), 7);
	is(list, 0, "identity.customer_id", "different", "cu-7", "cu-8");
	assert_string_equal(string_at(json_array_get(list, 1), "field"), "identity.verified");
	is(list, 2, "intent", "different", "refund_status", "cancel_order");
	is(list, 3, "unresolved_actions[0]", "extra", NULL, "send flowers");
	is(list, 4, "promises[0]", "different", "refund of 149 EUR on 5 June", "refund of 149 EUR on 6 June");
	assert_string_equal(string_at(json_array_get(list, 4), "because"), "lacks \"5 June\"");
	is(list, 5, "promises[1]", "missing", "a technician calls tomorrow", NULL);
	is(list, 6, "promises[0]", "extra", NULL, "the invoice comes by mail");
}

static void test_readback__order_of_a_list_does_not_matter(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	const char *id = open_handoff(
		f, "{'conversation_id':'c-1','trigger':'policy','intent':{'label':'x'},'promises':"
		   "['refund of 10 EUR','refund of 20 EUR','refund of 30 EUR'],"
		   "'unresolved_actions':[]}");
	ACT(f, readback_act, id,
	    J(f, "{'identity':{'customer_id':'cu-7'},'intent':'x',"
		 "'promises':['refund of 30 EUR','refund of 10 EUR','refund of 20 EUR']}"));
	assert_string_equal(string_at(shown(f, id), "state"), "accepted");
}

static void test_readback__identity_from_nowhere(void **state)
{
	struct fixture *f = *state;
	const char *id = open_handoff(f, "{'conversation':{'turns':[]},'trigger':'other'}");
	json_t *list = refused(f, id, "{'identity':{'customer_id':'cu-7'}}");

	is(list, 0, "identity.customer_id", "extra", NULL, "cu-7");
	ACT(f, readback_act, id, J(f, "{'intent':'anything'}"));
}

static void test_readback__override_is_recorded(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);

	assert_string_equal(FAILS(f, ERR_MISSING_FIELD, readback_act, id, J(f, "{'override':{}}"))->param,
			    "override.reason");
	assert_string_equal(
		FAILS(f, ERR_EMPTY_TEXT, readback_act, id, J(f, "{'override':{'reason':''}}"))->param,
		"override.reason");
	json_t *result = ACT(f, readback_act, id, J(f, "{'override':{'reason':'customer is on the line'}}"));
	json_t *out = ACT(f, readback_show, result);
	assert_string_equal(string_at(out, "result"), "accepted");
	assert_string_equal(string_at(out, "override.reason"), "customer is on the line");
	assert_int_equal(json_array_size(at(out, "discrepancies")), 4);
	json_t *h = shown(f, id);
	assert_string_equal(string_at(h, "override.reason"), "customer is on the line");
	assert_string_equal(string_at(h, "override.agent"), "k-all");
}

static void test_readback__every_attempt_is_an_event(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	int64_t before = record_of(f, RECORD_CONVERSATION, "c-1").revision;

	refused(f, id, "{}");
	refused(f, id, "{'intent':'refund_status'}");
	assert_int_equal(record_of(f, RECORD_CONVERSATION, "c-1").revision, before + 2);
	json_t *kept = at(record_of(f, RECORD_HANDOFF, id).body, "readbacks");
	assert_int_equal(json_array_size(kept), 2);
	assert_int_equal(json_array_size(at(kept, "0.discrepancies")), 4);
	assert_int_equal(json_array_size(at(kept, "1.discrepancies")), 3);
}

static void test_readback__only_the_latest_are_kept(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	json_t *first = NULL, *again;

	assert_int_equal(readback_act(&f->desk, &f->call, id, J(f, "{}"), &first),
			 ERR_READBACK_DISCREPANCIES);
	for (int i = 0; i < 33; i++) {
		assert_int_equal(readback_act(&f->desk, &f->call, id, J(f, "{}"), &again),
				 ERR_READBACK_DISCREPANCIES);
		json_decref(again);
	}
	json_t *kept = at(record_of(f, RECORD_HANDOFF, id).body, "readbacks");
	assert_int_equal(json_array_size(kept), 32);
	assert_int_equal(int_at(kept, "31.n"), 34);
	FAILS(f, ERR_NOT_FOUND, readback_show, first);
	json_decref(first);
}

static void test_readback__bad_requests(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);

	assert_string_equal(FAILS(f, ERR_UNKNOWN_FIELD, readback_act, id, J(f, "{'promise':[]}"))->param,
			    "promise");
	assert_string_equal(FAILS(f, ERR_WRONG_TYPE, readback_act, id, J(f, "{'intent':{}}"))->param,
			    "intent");
	assert_string_equal(FAILS(f, ERR_WRONG_TYPE, readback_act, id, J(f, "{'identity':[]}"))->param,
			    "identity");
	assert_string_equal(
		FAILS(f, ERR_UNKNOWN_FIELD, readback_act, id, J(f, "{'identity':{'id':'x'}}"))->param,
		"identity.id");
	assert_string_equal(FAILS(f, ERR_WRONG_TYPE, readback_act, id, J(f, "{'promises':[1]}"))->param,
			    "promises[0]");
	assert_string_equal(FAILS(f, ERR_AGENT_MISMATCH, readback_act, id, J(f, "{'agent':'a-2'}"))->param,
			    "agent");
	FAILS(f, ERR_NOT_FOUND, readback_act, "ho_no", J(f, "{}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_readback__accepted),
		TEST(test_readback__nothing_read_back_is_missing),
		TEST(test_readback__different_missing_and_extra),
		TEST(test_readback__order_of_a_list_does_not_matter),
		TEST(test_readback__identity_from_nowhere),
		TEST(test_readback__override_is_recorded),
		TEST(test_readback__every_attempt_is_an_event),
		TEST(test_readback__only_the_latest_are_kept),
		TEST(test_readback__bad_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
