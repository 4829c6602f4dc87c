/* handoff_fixture.h: documents, conversations and handoffs for the tests of the desk's second half. */
#ifndef READBACK_TESTS_HANDOFF_FIXTURE_H
#define READBACK_TESTS_HANDOFF_FIXTURE_H

#include "desk_fixture.h"

#include "ingest/ingest.h"

#define AGENT (SCOPE_AGENT)

static inline int none_set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static inline int fixture_tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, none_set_up, fixture_tear_down)

/* Everything that the caller may do, with the groups of a list that ends in NULL; agent is its id. */
static inline void be(struct fixture *f, const char *key, unsigned scopes, const char *const *groups)
{
	size_t n = 0;
	static const char *const none[] = { NULL };

	groups = groups ? groups : none;
	while (groups[n])
		n++;
	fixture_caller(f, fixture_rights(key, scopes, groups, n));
}

static inline void be_admin(struct fixture *f)
{
	fixture_caller(f, fixture_rights("k-all", SCOPE_ADMIN, NULL, 0));
}

/* As PUT /v1/documents/{id}: a version is kept of every text. */
static inline void document(struct fixture *f, const char *id, const char *body)
{
	ACT(f, document_act, id, J(f, body));
}

static inline void conversation(struct fixture *f, const char *body)
{
	ACT(f, conversation_act, J(f, body));
}

static inline const char *open_handoff(struct fixture *f, const char *body)
{
	return arena_strdup(f->arena, string_at(ACT(f, handoff_act, J(f, body)), "handoff"));
}

static inline json_t *shown(struct fixture *f, const char *handoff)
{
	return ACT(f, handoff_show, handoff);
}

static inline struct record record_of(struct fixture *f, enum record_kind k, const char *id)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, k, id, f->arena, &r, &f->err));
	return r;
}

/* A customer who waits for money, a bot that promised it. */
#define REFUND                                                                                                       \
	"{'id':'c-1','queue':'tier1','channel':'chat','customer':{'id':'cu-7','name':'Ana Lima','verified':true},"   \
	"'turns':[{'role':'customer','text':'Hello. Where is my refund for order VK-20418?'},"                       \
	"{'role':'bot','text':'Please check your bank account. We will refund 149.00 EUR within 10 working days.'}," \
	"{'role':'customer','text':'I did, it still is not there. Can you send me the refund reference?'}]}"

static inline const char *refund_handoff(struct fixture *f)
{
	conversation(f, REFUND);
	return open_handoff(
		f, "{'conversation_id':'c-1','trigger':'customer_request','reason':'wants the reference',"
		   "'identity':{'customer_id':'cu-7','name':'Ana Lima','verified':true,'method':'otp'},"
		   "'intent':{'label':'refund_status','confidence':0.9},"
		   "'unresolved_actions':['send the refund reference'],"
		   "'promises':['refund of 149.00 EUR within 10 working days']}");
}

#define REFUND_READ                                                    \
	"{'identity':{'customer_id':'CU-7'},'intent':'Refund status'," \
	"'unresolved_actions':['send reference of the refund'],"       \
	"'promises':['refund of 149 euros in 10 business days']}"

#endif
