#include "handoff_fixture.h"

#include <pthread.h>

static void test_handoff__opened_and_shown(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	json_t *h = shown(f, id);

	assert_string_equal(string_at(h, "id"), id);
	assert_string_equal(string_at(h, "state"), "offered");
	assert_string_equal(string_at(h, "conversation_id"), "c-1");
	assert_string_equal(string_at(h, "queue"), "tier1");
	assert_int_equal(int_at(h, "revision"), 2);
	assert_string_equal(string_at(h, "package.intent.value.label"), "refund_status");
	assert_string_equal(string_at(h, "package.intent.origin"), "bot");
	assert_int_equal(strncmp(string_at(h, "evidence.id"), "ev_", 3), 0);
	assert_int_equal(strncmp(string_at(h, "evidence.hash"), "sha256:", 7), 0);
	assert_true(json_is_array(at(h, "brief.situation")));
	assert_int_equal(int_at(h, "brief.withheld"), 0);
	assert_non_null(strstr(string_at(h, "links.evidence"), id));
	assert_true(json_is_false(at(h, "read_back")));
	struct record v = record_of(f, RECORD_CONVERSATION, "c-1");
	assert_string_equal(string_at(v.body, "state"), "handed_off");
	assert_string_equal(string_at(v.body, "handoff"), id);
	assert_string_equal(string_at(v.body, "handoffs.0"), id);
}

static void test_handoff__the_same_bytes_every_time(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	size_t n, m;
	char *one = json_text(shown(f, id), &n), *two = json_text(shown(f, id), &m);

	assert_int_equal(n, m);
	assert_memory_equal(one, two, n);
	free(one);
	free(two);
}

static void test_handoff__one_open_a_conversation(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	struct error *e = FAILS(f, ERR_HANDOFF_OPEN, handoff_act,
				J(f, "{'conversation_id':'c-1','trigger':'policy'}"));

	assert_string_equal(e->state, id);
	ACT(f, readback_act, id, J(f, REFUND_READ));
	FAILS(f, ERR_HANDOFF_OPEN, handoff_act, J(f, "{'conversation_id':'c-1','trigger':'policy'}"));
	ACT(f, return_act, id, J(f, "{'instructions':'say sorry'}"));
	assert_string_not_equal(open_handoff(f, "{'conversation_id':'c-1','trigger':'policy'}"), id);
	assert_int_equal(json_array_size(at(record_of(f, RECORD_CONVERSATION, "c-1").body, "handoffs")), 2);
}

static void test_handoff__inline_conversation(void **state)
{
	struct fixture *f = *state;
	const char *id = open_handoff(
		f, "{'conversation':{'id':'c-9','turns':[{'role':'customer','text':'help me'}]},"
		   "'trigger':'other'}");

	assert_string_equal(string_at(shown(f, id), "conversation_id"), "c-9");
	assert_int_equal(record_of(f, RECORD_CONVERSATION, "c-9").revision, 1);
	FAILS(f, ERR_EXISTS, handoff_act,
	      J(f,
		"{'conversation':{'id':'c-9','turns':[{'role':'customer','text':'x y'}]},'trigger':'other'}"));
	struct error *e = FAILS(
		f, ERR_WRONG_TYPE, handoff_act,
		J(f, "{'conversation':{'turns':[{'role':'customer','text':4}]},'trigger':'other'}"));
	assert_string_equal(e->param, "conversation.turns[0].text");
}

static void bad(struct fixture *f, int code, const char *param, const char *body)
{
	struct error *e = FAILS(f, code, handoff_act, J(f, body));

	assert_string_equal(e->param, param);
}

static void test_handoff__bad_requests(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	bad(f, ERR_MISSING_FIELD, "conversation_id", "{'trigger':'other'}");
	bad(f, ERR_BAD_VALUE, "conversation",
	    "{'conversation_id':'c-1','conversation':{},'trigger':'other'}");
	bad(f, ERR_MISSING_FIELD, "trigger", "{'conversation_id':'c-1'}");
	bad(f, ERR_BAD_VALUE, "trigger", "{'conversation_id':'c-1','trigger':'whim'}");
	bad(f, ERR_UNKNOWN_FIELD, "mood", "{'conversation_id':'c-1','trigger':'other','mood':1}");
	bad(f, ERR_NOT_FOUND, "conversation_id", "{'conversation_id':'c-2','trigger':'other'}");
	assert_string_equal(string_at(record_of(f, RECORD_CONVERSATION, "c-1").body, "state"), "open");
}

static void test_handoff__time_is_for_admins(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	bad(f, ERR_FORBIDDEN, "at",
	    "{'conversation_id':'c-1','trigger':'other','at':'2026-06-01T08:00:00Z'}");
	f->call.may_set_time = 1;
	const char *id = open_handoff(
		f, "{'conversation_id':'c-1','trigger':'other','at':'2026-06-01T08:00:00Z'}");
	assert_string_equal(string_at(shown(f, id), "created_at"), "2026-06-01T08:00:00Z");
}

static void test_handoff__hidden_with_its_conversation(void **state)
{
	struct fixture *f = *state;
	const char *tier1[] = { "tier1", NULL }, *both[] = { "tier1", "legal", NULL };

	conversation(f, "{'id':'c-1','acl':['legal'],'turns':[{'role':'customer','text':'my contract'}]}");
	const char *id = open_handoff(f, "{'conversation_id':'c-1','trigger':'policy','queue':'tier1'}");
	be(f, "k-1", AGENT, tier1);
	FAILS(f, ERR_NOT_FOUND, handoff_show, id);
	FAILS(f, ERR_NOT_FOUND, evidence_show, id, NULL, 0);
	FAILS(f, ERR_NOT_FOUND, brief_show, id, BRIEF_TEXT);
	FAILS(f, ERR_NOT_FOUND, readback_act, id, J(f, "{}"));
	FAILS(f, ERR_NOT_FOUND, resolution_act, id, J(f, "{'outcome':'resolved','intent':'x','text':'y'}"));
	FAILS(f, ERR_NOT_FOUND, return_act, id, J(f, "{'instructions':'x'}"));
	bad(f, ERR_NOT_FOUND, "conversation_id", "{'conversation_id':'c-1','trigger':'other'}");
	json_t *list = ACT(f, handoff_list, (struct text){ 0 }, (struct text){ 0 }, (struct text){ 0 }, 10);
	assert_int_equal(json_array_size(at(list, "data")), 0);
	assert_true(json_is_null(at(list, "last_id")));
	be(f, "k-2", AGENT, both);
	shown(f, id);
}

static void test_handoff__if_match(void **state)
{
	struct fixture *f = *state;

	conversation(f, REFUND);
	f->call.if_match = 7;
	FAILS(f, ERR_PRECONDITION, handoff_act, J(f, "{'conversation_id':'c-1','trigger':'other'}"));
	f->call.if_match = 1;
	const char *id = open_handoff(f, "{'conversation_id':'c-1','trigger':'other'}");
	FAILS(f, ERR_PRECONDITION, readback_act, id, J(f, "{}"));
	FAILS(f, ERR_PRECONDITION, return_act, id, J(f, "{'instructions':'x'}"));
	FAILS(f, ERR_PRECONDITION, resolution_act, id,
	      J(f, "{'outcome':'resolved','intent':'x','text':'y'}"));
}

static json_t *list(struct fixture *f, const char *state, const char *queue, const char *after, size_t limit)
{
	return ACT(f, handoff_list, text_of(state), text_of(queue), text_of(after), limit);
}

static void test_handoff__lists_by_state_and_queue_in_pages(void **state)
{
	struct fixture *f = *state;
	const char *ids[5];
	char body[300];

	for (int i = 0; i < 5; i++) {
		snprintf(body, sizeof(body),
			 "{'conversation':{'id':'c-%d','turns':[]},'trigger':'other','queue':'%s'}", i,
			 i % 2 ? "odd" : "even");
		ids[i] = open_handoff(f, body);
	}
	json_t *page = list(f, NULL, NULL, NULL, 2);
	assert_string_equal(string_at(page, "object"), "list");
	assert_string_equal(string_at(page, "data.1.id"), ids[1]);
	assert_string_equal(string_at(page, "last_id"), ids[1]);
	assert_true(json_is_true(at(page, "has_more")));
	page = list(f, NULL, NULL, ids[3], 2);
	assert_int_equal(json_array_size(at(page, "data")), 1);
	assert_true(json_is_false(at(page, "has_more")));
	assert_int_equal(json_array_size(at(list(f, NULL, "odd", NULL, 10), "data")), 2);
	ACT(f, readback_act, ids[1], J(f, "{}"));
	assert_int_equal(json_array_size(at(list(f, "offered", "odd", NULL, 10), "data")), 1);
	assert_string_equal(string_at(list(f, "accepted", NULL, NULL, 10), "data.0.id"), ids[1]);
	struct error *e = FAILS(f, ERR_NOT_FOUND, handoff_list, (struct text){ 0 }, (struct text){ 0 },
				text_of("ho_no"), 5);
	assert_string_equal(e->param, "after");
}

static void test_handoff__unknown(void **state)
{
	struct fixture *f = *state;

	FAILS(f, ERR_NOT_FOUND, handoff_show, "ho_no");
	FAILS(f, ERR_NOT_FOUND, brief_show, "ho_no", BRIEF_JSON);
	FAILS(f, ERR_NOT_FOUND, evidence_show, "ho_no", NULL, 1);
}

static void test_return__goes_back_with_instructions(void **state)
{
	struct fixture *f = *state;
	const char *id = refund_handoff(f);
	struct error *e = FAILS(f, ERR_WRONG_STATE, return_act, id, J(f, "{'instructions':'say sorry'}"));

	assert_string_equal(e->state, "offered");
	ACT(f, readback_act, id, J(f, REFUND_READ));
	FAILS(f, ERR_MISSING_FIELD, return_act, id, J(f, "{}"));
	FAILS(f, ERR_EMPTY_TEXT, return_act, id, J(f, "{'instructions':' '}"));
	FAILS(f, ERR_AGENT_MISMATCH, return_act, id, J(f, "{'agent':'a-9','instructions':'x'}"));
	json_t *result = ACT(f, return_act, id,
			     J(f, "{'agent':'k-all','instructions':'say sorry','answer':'It is RF-1.'}"));
	json_t *out = ACT(f, return_show, result);
	assert_string_equal(string_at(out, "state"), "returned");
	assert_string_equal(string_at(shown(f, id), "state"), "returned");
	struct record v = record_of(f, RECORD_CONVERSATION, "c-1");
	assert_string_equal(string_at(v.body, "state"), "open");
	assert_null(at(v.body, "handoff"));
	json_t *agent = record_of(f, RECORD_TURN, turn_id(f->arena, "c-1", 4)).body;
	assert_string_equal(string_at(agent, "role"), "agent");
	assert_string_equal(string_at(agent, "text"), "It is RF-1.");
	json_t *turn = record_of(f, RECORD_TURN, turn_id(f->arena, "c-1", 5)).body;
	assert_string_equal(string_at(turn, "role"), "system");
	assert_string_equal(string_at(turn, "text"), "say sorry");
	e = FAILS(f, ERR_WRONG_STATE, return_act, id, J(f, "{'instructions':'again'}"));
	assert_string_equal(e->state, "returned");
	FAILS(f, ERR_WRONG_STATE, resolution_act, id, J(f, "{'outcome':'resolved','intent':'x','text':'y'}"));
	FAILS(f, ERR_WRONG_STATE, readback_act, id, J(f, REFUND_READ));
}

static void test_handoff__an_import_is_one_event(void **state)
{
	struct fixture *f = *state;
	int status;

	NO_ERROR(f,
		 conversation_import(
			 &f->desk, &f->call,
			 J(f, "{'id':'h-1','queue':'tier1','turns':[{'role':'customer','text':'where is my "
			      "parcel','at':'2026-06-01T08:00:00Z'},{'role':'agent','text':'We will send it "
			      "today.','at':'2026-06-01T09:00:00Z'}],'handoff':{'trigger':'policy',"
			      "'at':'2026-06-01T08:30:00Z'},'resolution':{'agent':'a-4','outcome':'resolved',"
			      "'intent':'delivery','text':'sent it','evidence_used':['old-article']}}"),
			 &status));
	assert_int_equal(status, 1);
	struct record v = record_of(f, RECORD_CONVERSATION, "h-1");
	assert_int_equal(v.revision, 1);
	assert_string_equal(string_at(v.body, "state"), "resolved");
	assert_null(at(v.body, "handoff"));
	json_t *h = shown(f, string_at(v.body, "handoffs.0"));
	assert_string_equal(string_at(h, "state"), "resolved");
	assert_true(json_is_false(at(h, "read_back")));
	assert_string_equal(string_at(h, "created_at"), "2026-06-01T08:30:00Z");
	/* the agent's promise came after the handoff */
	assert_int_equal(json_array_size(at(h, "package.promises.value")), 0);
	struct record r = record_of(f, RECORD_RESOLUTION, string_at(h, "resolution"));
	assert_string_equal(string_at(r.body, "agent"), "a-4");
	assert_int_equal(r.created, v.created);
}

#define CALLERS 4

struct caller {
	struct fixture *f;
	int rc;
};

/* Opens a handoff of c-1 in a thread of its own. */
static void *opens(void *arg)
{
	struct caller *x = arg;
	struct arena *a = arena_new(1 << 16);
	struct error e = { 0 };
	struct call c = { .arena = a, .rights = &x->f->rights, .err = &e, .if_match = CALL_NO_MATCH };
	json_t *body = json_pack("{s:s, s:s}", "conversation_id", "c-1", "trigger", "policy"), *result = NULL;

	x->rc = handoff_act(&x->f->desk, &c, body, &result);
	json_decref(result);
	json_decref(body);
	arena_free(a);
	return NULL;
}

static void test_handoff__of_many_at_once_one_wins(void **state)
{
	struct fixture *f = *state;
	struct caller callers[CALLERS];
	pthread_t threads[CALLERS];
	int won = 0, refused = 0;

	conversation(f, REFUND);
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){ .f = f };
		assert_int_equal(pthread_create(&threads[i], NULL, opens, &callers[i]), 0);
	}
	for (int i = 0; i < CALLERS; i++) {
		pthread_join(threads[i], NULL);
		won += callers[i].rc == 0;
		refused += callers[i].rc == ERR_HANDOFF_OPEN;
	}
	assert_int_equal(won, 1);
	assert_int_equal(refused, CALLERS - 1);
	assert_int_equal(json_array_size(at(record_of(f, RECORD_CONVERSATION, "c-1").body, "handoffs")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_handoff__opened_and_shown),
		TEST(test_handoff__the_same_bytes_every_time),
		TEST(test_handoff__one_open_a_conversation),
		TEST(test_handoff__inline_conversation),
		TEST(test_handoff__bad_requests),
		TEST(test_handoff__time_is_for_admins),
		TEST(test_handoff__hidden_with_its_conversation),
		TEST(test_handoff__if_match),
		TEST(test_handoff__lists_by_state_and_queue_in_pages),
		TEST(test_handoff__unknown),
		TEST(test_return__goes_back_with_instructions),
		TEST(test_handoff__an_import_is_one_event),
		TEST(test_handoff__of_many_at_once_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
