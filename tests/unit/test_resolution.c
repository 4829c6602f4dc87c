#include "handoff_fixture.h"

#define RESOLVED "{'outcome':'resolved','intent':'refund_status','text':'Gave the reference.'}"

static json_t *resolve(struct fixture *f, const char *handoff, const char *body)
{
	json_t *result = ACT(f, resolution_act, handoff, J(f, body));

	return ACT(f, resolution_show, result);
}

static size_t count(struct fixture *f, enum record_kind k, const char *field, const char *value)
{
	struct scan s = { .kind = k, .field = { field }, .value = { value }, .limit = 100 };
	struct record *list;
	size_t n;

	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &list, &n, &f->err));
	return n;
}

static void test_resolution__one_call_makes_all(void **state)
{
	struct fixture *f = *state;

	document(f, "help-refund",
		 "{'title':'When a refund arrives','text':'A refund is on your bank account soon.'}");
	const char *id = refund_handoff(f);
	ACT(f, readback_act, id, J(f, REFUND_READ));
	json_t *out = resolve(
		f, id,
		"{'agent':'k-all','outcome':'resolved','intent':'refund_status','text':'Gave the "
		"reference.','problem':'Refund not there','steps':['Looked it up'],"
		"'evidence_used':['help-refund'],'bot_was_right':false,'escalation_needed':true,"
		"'disposition':'done','csat':5}");
	assert_string_equal(string_at(out, "state"), "resolved");
	assert_string_equal(string_at(out, "case_id"), "c-1/case");
	assert_int_equal(int_at(out, "examples"), 2);
	assert_true(int_at(out, "labels") >= 3);
	assert_null(at(out, "next"));
	struct record r = record_of(f, RECORD_RESOLUTION, string_at(out, "resolution_id"));
	assert_int_equal(int_at(out, "event.seq"), (long long)r.created);
	assert_true(json_is_true(at(r.body, "read_back")));
	assert_int_equal(int_at(r.body, "csat"), 5);
	assert_true(json_is_false(at(r.body, "bot_was_right")));
	assert_string_equal(string_at(r.body, "evidence_used.0"), "help-refund");
	json_t *h = shown(f, id);
	assert_string_equal(string_at(h, "state"), "resolved");
	assert_string_equal(string_at(h, "resolution"), r.id);
	struct record v = record_of(f, RECORD_CONVERSATION, "c-1");
	assert_string_equal(string_at(v.body, "state"), "resolved");
	assert_null(at(v.body, "handoff"));
	assert_string_equal(string_at(record_of(f, RECORD_CASE, "c-1/case").body, "problem"),
			    "Refund not there");
	assert_int_equal(count(f, RECORD_EXAMPLE, "conversation", "c-1"), 2);
	assert_int_equal(count(f, RECORD_RELEVANCE, "document", "help-refund"), 1);
	assert_int_equal(v.changed, r.created);
}

static void test_resolution__of_an_offered_handoff_is_not_read_back(void **state)
{
	struct fixture *f = *state;
	json_t *out = resolve(f, refund_handoff(f), RESOLVED);
	struct record r = record_of(f, RECORD_RESOLUTION, string_at(out, "resolution_id"));

	assert_true(json_is_false(at(r.body, "read_back")));
}

static void test_resolution__readback_required(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);

	f->desk.readback_required = 1;
	struct error *e = FAILS(f, ERR_READBACK_REQUIRED, resolution_act, id, J(f, RESOLVED));
	assert_string_equal(e->state, "offered");
	ACT(f, readback_act, id, J(f, REFUND_READ));
	resolve(f, id, RESOLVED);
}

static void test_resolution__a_second_supersedes_and_both_are_kept(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	const char *first = string_at(resolve(f, id, RESOLVED), "resolution_id");
	json_t *out = resolve(f, id,
			      "{'outcome':'unresolved','intent':'card_problem','text':'It was the card.'}");

	assert_string_equal(string_at(out, "supersedes"), first);
	assert_string_equal(string_at(out, "state"), "resolved");
	json_t *h = record_of(f, RECORD_HANDOFF, id).body;
	assert_string_equal(string_at(h, "resolutions.0"), first);
	assert_string_equal(string_at(h, "resolutions.1"), string_at(out, "resolution_id"));
	assert_int_equal(count(f, RECORD_RESOLUTION, "handoff", id), 2);
	struct record k = record_of(f, RECORD_CASE, "c-1/case");
	assert_string_equal(string_at(k.body, "intent"), "card_problem");
	assert_string_equal(string_at(k.body, "outcome"), "unresolved");
	assert_true(count(f, RECORD_VOTE, "conversation", "c-1") >= 2);
}

static void test_resolution__abandoned(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f),
		   *gone = "{'outcome':'abandoned','intent':'refund_status','text':'He left.'}";
	struct error *e = FAILS(f, ERR_WRONG_STATE, resolution_act, id, J(f, gone));

	assert_string_equal(e->state, "offered");
	ACT(f, readback_act, id, J(f, REFUND_READ));
	json_t *out = resolve(f, id, gone);
	assert_string_equal(string_at(out, "state"), "abandoned");
	assert_true(json_is_null(at(out, "case_id")));
	assert_string_equal(string_at(shown(f, id), "state"), "abandoned");
	assert_string_equal(string_at(record_of(f, RECORD_CONVERSATION, "c-1").body, "state"), "abandoned");
}

static void test_resolution__transferred_makes_a_new_handoff(void **state)
{
	struct fixture *f = *state;

	document(f, "help-refund",
		 "{'title':'When a refund arrives','text':'A refund is on your bank account soon.'}");
	const char *id = refund_handoff(f);
	ACT(f, readback_act, id, J(f, REFUND_READ));
	json_t *out = resolve(
		f, id,
		"{'outcome':'transferred','intent':'payment_failed','text':'The bank refused it.',"
		"'steps':['Called the bank']}");
	const char *next = string_at(out, "next");
	json_t *h = shown(f, id), *n = shown(f, next);
	assert_string_equal(string_at(h, "state"), "resolved");
	assert_string_equal(string_at(h, "next"), next);
	assert_string_equal(string_at(n, "state"), "offered");
	assert_string_equal(string_at(n, "previous"), id);
	assert_string_not_equal(string_at(n, "evidence.id"), string_at(h, "evidence.id"));
	assert_string_equal(string_at(n, "package.reason.value"), "The bank refused it.");
	assert_string_equal(string_at(n, "package.intent.value.label"), "payment_failed");
	assert_string_equal(string_at(n, "package.promises.value.0"),
			    "refund of 149.00 EUR within 10 working days");
	struct record v = record_of(f, RECORD_CONVERSATION, "c-1");
	assert_string_equal(string_at(v.body, "state"), "handed_off");
	assert_string_equal(string_at(v.body, "handoff"), next);
	/* a correction of the first one leaves the open one alone, and makes no third */
	out = resolve(f, id,
		      "{'outcome':'transferred','intent':'refund_status','text':'Sorry, wrong label.'}");
	assert_string_equal(string_at(out, "next"), next);
	assert_string_equal(string_at(record_of(f, RECORD_CONVERSATION, "c-1").body, "handoff"), next);
	assert_int_equal(count(f, RECORD_HANDOFF, "conversation", "c-1"), 2);
	resolve(f, next, RESOLVED);
	assert_string_equal(string_at(record_of(f, RECORD_CONVERSATION, "c-1").body, "state"), "resolved");
}

static void test_resolution__no_transfer_beside_another_open_handoff(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);

	resolve(f, id, RESOLVED);
	const char *other = open_handoff(f, "{'conversation_id':'c-1','trigger':'other'}");
	struct error *e = FAILS(f, ERR_HANDOFF_OPEN, resolution_act, id,
				J(f, "{'outcome':'transferred','intent':'x','text':'y'}"));
	assert_string_equal(e->state, other);
}

static void test_resolution__evidence_used_is_checked(void **state)
{
	struct fixture *f = *state;

	document(f, "help-refund",
		 "{'title':'When a refund arrives','text':'A refund is on your bank account soon.'}");
	document(f, "secret", "{'title':'Secret','text':'Nobody knows.','acl':['legal']}");
	document(f, "gone", "{'title':'Gone','text':'It is no more.'}");
	ACT(f, document_delete_act, "gone");
	const char *id = refund_handoff(f);
	be(f, "k-1", AGENT, NULL);
	struct error *e = FAILS(
		f, ERR_BAD_VALUE, resolution_act, id,
		J(f, "{'outcome':'resolved','intent':'x','text':'y','evidence_used':['help-refund','no']}"));
	assert_string_equal(e->param, "evidence_used[1]");
	e = FAILS(f, ERR_BAD_VALUE, resolution_act, id,
		  J(f, "{'outcome':'resolved','intent':'x','text':'y','evidence_used':['secret']}"));
	assert_string_equal(e->param, "evidence_used[0]");
	assert_string_equal(string_at(shown(f, id), "state"), "offered");
	json_t *out = resolve(
		f, id,
		"{'outcome':'resolved','intent':'x','text':'y','evidence_used':['gone','help-refund']}");
	struct record r = record_of(f, RECORD_RESOLUTION, string_at(out, "resolution_id"));
	assert_string_equal(string_at(r.body, "evidence_used.0"), "gone");
}

static void test_resolution__a_case_is_as_hidden_as_what_it_used(void **state)
{
	struct fixture *f = *state;

	document(f, "secret",
		 "{'title':'Refund rules','text':'A refund for the bank account.','acl':['legal']}");
	const char *id = refund_handoff(f);
	resolve(f, id, "{'outcome':'resolved','intent':'x','text':'y','evidence_used':['secret']}");
	assert_string_equal(string_at(record_of(f, RECORD_CASE, "c-1/case").body, "acl.0"), "legal");
}

static void bad(struct fixture *f, const char *id, int code, const char *param, const char *body)
{
	assert_string_equal(FAILS(f, code, resolution_act, id, J(f, body))->param, param);
}

static void test_resolution__bad_requests(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);

	bad(f, id, ERR_MISSING_FIELD, "outcome", "{'intent':'x','text':'y'}");
	bad(f, id, ERR_BAD_VALUE, "outcome", "{'outcome':'won','intent':'x','text':'y'}");
	bad(f, id, ERR_MISSING_FIELD, "intent", "{'outcome':'resolved','text':'y'}");
	bad(f, id, ERR_EMPTY_TEXT, "text", "{'outcome':'resolved','intent':'x','text':' '}");
	bad(f, id, ERR_BAD_VALUE, "csat", "{'outcome':'resolved','intent':'x','text':'y','csat':6}");
	bad(f, id, ERR_WRONG_TYPE, "bot_was_right",
	    "{'outcome':'resolved','intent':'x','text':'y','bot_was_right':1}");
	bad(f, id, ERR_WRONG_TYPE, "steps[0]", "{'outcome':'resolved','intent':'x','text':'y','steps':[1]}");
	bad(f, id, ERR_UNKNOWN_FIELD, "outcomes",
	    "{'outcome':'resolved','intent':'x','text':'y','outcomes':1}");
	bad(f, id, ERR_AGENT_MISMATCH, "agent",
	    "{'outcome':'resolved','intent':'x','text':'y','agent':'a-9'}");
	bad(f, id, ERR_FORBIDDEN, "at",
	    "{'outcome':'resolved','intent':'x','text':'y','at':'2026-06-01T00:00:00Z'}");
	bad(f, "ho_no", ERR_NOT_FOUND, "", RESOLVED);
	assert_string_equal(string_at(shown(f, id), "state"), "offered");
	assert_int_equal(count(f, RECORD_RESOLUTION, "handoff", id), 0);
}

static void test_resolution__shown_only_with_its_conversation(void **state)
{
	struct fixture *f = *state;
	const char *id = open_handoff(
		f, "{'conversation':{'id':'c-5','acl':['legal'],'turns':[]},'trigger':'other'}");
	json_t *result = ACT(f, resolution_act, id, J(f, RESOLVED));

	be(f, "k-1", AGENT, NULL);
	FAILS(f, ERR_NOT_FOUND, resolution_show, result);
}

static void test_resolution__imported_without_a_handoff(void **state)
{
	struct fixture *f = *state;
	int status;

	NO_ERROR(f,
		 conversation_import(
			 &f->desk, &f->call,
			 J(f, "{'id':'h-1','turns':[{'role':'customer','text':'where is my parcel'}],"
			      "'resolution':{'outcome':'transferred','intent':'delivery','text':'to Cork'}}"),
			 &status));
	assert_string_equal(string_at(record_of(f, RECORD_CONVERSATION, "h-1").body, "state"), "resolved");
	assert_int_equal(count(f, RECORD_HANDOFF, "conversation", "h-1"), 0);
	assert_int_equal(count(f, RECORD_RESOLUTION, "conversation", "h-1"), 1);
	assert_true(count(f, RECORD_EXAMPLE, "conversation", "h-1") >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_resolution__one_call_makes_all),
		TEST(test_resolution__of_an_offered_handoff_is_not_read_back),
		TEST(test_resolution__readback_required),
		TEST(test_resolution__a_second_supersedes_and_both_are_kept),
		TEST(test_resolution__abandoned),
		TEST(test_resolution__transferred_makes_a_new_handoff),
		TEST(test_resolution__no_transfer_beside_another_open_handoff),
		TEST(test_resolution__evidence_used_is_checked),
		TEST(test_resolution__a_case_is_as_hidden_as_what_it_used),
		TEST(test_resolution__bad_requests),
		TEST(test_resolution__shown_only_with_its_conversation),
		TEST(test_resolution__imported_without_a_handoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
