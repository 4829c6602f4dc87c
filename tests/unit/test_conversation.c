#include "desk_fixture.h"

#include <pthread.h>

#include "desk/conversation.h"

static int set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static json_t *create(struct fixture *f, const char *body)
{
	return ACT(f, conversation_act, J(f, body));
}

static int create_fails(struct fixture *f, const char *body)
{
	json_t *result = NULL;
	int rc = conversation_act(&f->desk, &f->call, J(f, body), &result);

	assert_null(result);
	assert_int_equal(f->err.code, rc);
	return rc;
}

static json_t *show(struct fixture *f, const char *id)
{
	json_t *named = json_keep(f->arena, json_pack("{s:s}", "conversation", id)), *out = NULL;

	NO_ERROR(f, conversation_show(&f->desk, &f->call, named, &out));
	return json_keep(f->arena, out);
}

static int show_rc(struct fixture *f, const char *id)
{
	json_t *named = json_keep(f->arena, json_pack("{s:s}", "conversation", id)), *out = NULL;
	int rc = conversation_show(&f->desk, &f->call, named, &out);

	json_keep(f->arena, out);
	return rc;
}

static int say_rc(struct fixture *f, const char *id, const char *body, json_t **out)
{
	json_t *result = NULL;
	int rc = turn_act(&f->desk, &f->call, id, J(f, body), &result);

	json_keep(f->arena, result);
	if (out)
		*out = result;
	return rc;
}

static json_t *say(struct fixture *f, const char *id, const char *body)
{
	json_t *result = NULL, *out = NULL;

	NO_ERROR(f, say_rc(f, id, body, &result));
	NO_ERROR(f, turn_show(&f->desk, &f->call, result, &out));
	return json_keep(f->arena, out);
}

static void test_conversation__what_is_put_in_comes_out(void **state)
{
	struct fixture *f = *state;

	json_t *r = create(
		f, "{'id':'c-1','channel':'chat','queue':'tier1',"
		   "'customer':{'id':'cu-1','name':'Ann','verified':true},"
		   "'attributes':{'lang':'en','vip':true,'age':3,'tags':['a','b']},"
		   "'turns':[{'role':'customer','text':'Hello','id':'t-1'},{'role':'bot','text':'Hi'}]}");
	assert_string_equal(string_at(r, "conversation"), "c-1");
	json_t *c = show(f, "c-1");
	assert_string_equal(string_at(c, "channel"), "chat");
	assert_string_equal(string_at(c, "queue"), "tier1");
	assert_string_equal(string_at(c, "customer.id"), "cu-1");
	assert_true(json_is_true(at(c, "customer.verified")));
	assert_int_equal(int_at(c, "attributes.age"), 3);
	assert_string_equal(string_at(c, "attributes.tags.1"), "b");
	assert_string_equal(string_at(c, "state"), "open");
	assert_int_equal(json_array_size(at(c, "turns")), 2);
	assert_string_equal(string_at(c, "turns.0.id"), "t-1");
	assert_int_equal(int_at(c, "turns.1.n"), 2);
	assert_string_equal(string_at(c, "turns.1.text"), "Hi");
	assert_int_equal(json_array_size(at(c, "handoffs")), 0);
	assert_int_equal(int_at(c, "revision"), 1);
}

static void test_conversation__id_is_made_when_none_is_given(void **state)
{
	struct fixture *f = *state;
	json_t *r = create(f, "{}");

	json_t *c = show(f, string_at(r, "conversation"));
	assert_true(json_is_null(at(c, "customer")));
	assert_int_equal(json_array_size(at(c, "turns")), 0);
}

static void test_conversation__taken_id_is_an_error(void **state)
{
	struct fixture *f = *state;

	create(f, "{'id':'c-1'}");
	assert_int_equal(create_fails(f, "{'id':'c-1'}"), ERR_EXISTS);
}

static void test_conversation__bad_fields_are_named(void **state)
{
	static const struct {
		const char *body, *param;
		int code;
	} cases[] = {
		{ "{'idd':'c'}", "idd", ERR_UNKNOWN_FIELD },
		{ "{'id':''}", "id", ERR_BAD_ID },
		{ "{'id':'a\\u0001'}", "id", ERR_BAD_ID },
		{ "{'id':7}", "id", ERR_WRONG_TYPE },
		{ "{'customer':{'name':'x'}}", "customer.id", ERR_MISSING_FIELD },
		{ "{'customer':{'id':'x','vip':1}}", "customer.vip", ERR_UNKNOWN_FIELD },
		{ "{'turns':[{'role':'customer','text':'a'},{'role':'boss','text':'a'}]}", "turns[1].role",
		  ERR_BAD_VALUE },
		{ "{'turns':[{'role':'customer'}]}", "turns[0].text", ERR_MISSING_FIELD },
		{ "{'turns':[{'role':'customer','text':' '}]}", "turns[0].text", ERR_EMPTY_TEXT },
		{ "{'turns':[{'role':'customer','text':'a','id':'x'},{'role':'bot','text':'b','id':'x'}]}",
		  "turns[1]", ERR_BAD_ID },
		{ "{'attributes':{'a':{'b':1}}}", "attributes", ERR_WRONG_TYPE },
		{ "{'attributes':{'a':[1]}}", "attributes", ERR_WRONG_TYPE },
		{ "{'acl':[]}", "acl", ERR_BAD_VALUE },
		{ "{'acl':'tier1'}", "acl", ERR_WRONG_TYPE },
		{ "[]", "", ERR_WRONG_TYPE },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = create_fails(f, cases[i].body);
		if (rc != cases[i].code || strcmp(f->err.param, cases[i].param) != 0)
			fail_msg("%s: %s at %s", cases[i].body, error_kind(rc)->name, f->err.param);
	}
}

static void test_conversation__limits_are_told(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(TURN_MAX_TEXT + 2);

	memset(text, 'a', TURN_MAX_TEXT + 1);
	text[TURN_MAX_TEXT + 1] = '\0';
	json_t *body = json_keep(f->arena, json_pack("{s:s, s:s}", "role", "customer", "text", text)),
	       *result;
	create(f, "{'id':'c-1'}");
	assert_int_equal(turn_act(&f->desk, &f->call, "c-1", body, &result), ERR_TOO_LARGE);
	text[TURN_MAX_TEXT] = '\0';
	body = json_keep(f->arena, json_pack("{s:s, s:s}", "role", "customer", "text", text));
	json_t *ok = ACT(f, turn_act, "c-1", body);
	assert_int_equal(int_at(ok, "n"), 1);
	free(text);

	char id[600];
	memset(id, 'x', 513);
	id[513] = '\0';
	body = json_keep(f->arena, json_pack("{s:s}", "id", id));
	assert_int_equal(conversation_act(&f->desk, &f->call, body, &result), ERR_BAD_ID);
	id[512] = '\0';
	body = json_keep(f->arena, json_pack("{s:s}", "id", id));
	ACT(f, conversation_act, body);
}

static void test_turn__prediction_follows_what_a_customer_says(void **state)
{
	struct fixture *f = *state;

	create(f, "{'id':'c-1'}");
	json_t *out = say(f, "c-1", "{'role':'customer','text':'My parcel is late'}");
	assert_int_equal(int_at(out, "turn.n"), 1);
	assert_string_equal(string_at(out, "turn.id"), "c-1/000001");
	assert_true(json_is_null(at(out, "prediction.intent.label")));
	out = say(f, "c-1", "{'role':'bot','text':'Sorry to hear that','id':'b-1'}");
	assert_int_equal(int_at(out, "turn.n"), 2);
	assert_string_equal(string_at(out, "turn.id"), "b-1");
	assert_true(json_is_null(at(out, "prediction")));
	assert_int_equal(int_at(show(f, "c-1"), "revision"), 3);
}

static void test_turn__same_id_twice_is_one_turn(void **state)
{
	struct fixture *f = *state;
	json_t *result;

	create(f, "{'id':'c-1'}");
	say(f, "c-1", "{'role':'customer','text':'one','id':'t'}");
	json_t *again = say(f, "c-1", "{'role':'customer','text':'one','id':'t'}");
	assert_int_equal(int_at(again, "turn.n"), 1);
	assert_int_equal(json_array_size(at(show(f, "c-1"), "turns")), 1);
	assert_int_equal(say_rc(f, "c-1", "{'role':'customer','text':'two','id':'t'}", &result), ERR_EXISTS);
	assert_int_equal(say_rc(f, "c-1", "{'role':'bot','text':'one','id':'t'}", &result), ERR_EXISTS);
}

static void test_turn__if_match(void **state)
{
	struct fixture *f = *state;

	create(f, "{'id':'c-1'}");
	f->call.if_match = 2;
	assert_int_equal(say_rc(f, "c-1", "{'role':'customer','text':'x'}", NULL), ERR_PRECONDITION);
	f->call.if_match = 1;
	assert_int_equal(say_rc(f, "c-1", "{'role':'customer','text':'x'}", NULL), 0);
}

static void test_turn__time_is_the_servers_unless_allowed(void **state)
{
	struct fixture *f = *state;

	create(f, "{'id':'c-1'}");
	say(f, "c-1", "{'role':'customer','text':'x','at':'2020-01-01T00:00:00Z'}");
	f->call.may_set_time = 1;
	say(f, "c-1", "{'role':'customer','text':'y','at':'2020-01-01T00:00:00Z'}");
	json_t *c = show(f, "c-1");
	assert_string_not_equal(string_at(c, "turns.0.at"), "2020-01-01T00:00:00Z");
	assert_string_equal(string_at(c, "turns.1.at"), "2020-01-01T00:00:00Z");
}

static void test_turn__keys_write_their_roles_only(void **state)
{
	struct fixture *f = *state;
	static const struct {
		unsigned scope;
		const char *role;
		int rc;
	} cases[] = {
		{ SCOPE_BOT, "customer", 0 },
		{ SCOPE_BOT, "bot", 0 },
		{ SCOPE_BOT, "system", 0 },
		{ SCOPE_BOT, "agent", ERR_FORBIDDEN },
		{ SCOPE_AGENT, "agent", 0 },
		{ SCOPE_AGENT, "customer", 0 },
		{ SCOPE_AGENT, "bot", ERR_FORBIDDEN },
		{ SCOPE_ADMIN, "agent", 0 },
		{ SCOPE_ADMIN, "bot", 0 },
	};

	fixture_caller(f, fixture_rights("k", SCOPE_ADMIN, NULL, 0));
	create(f, "{'id':'c-1'}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[100];
		snprintf(body, sizeof(body), "{'role':'%s','text':'x'}", cases[i].role);
		fixture_caller(f, fixture_rights("k", cases[i].scope, NULL, 0));
		int rc = say_rc(f, "c-1", body, NULL);
		if (rc != cases[i].rc)
			fail_msg("scope %u, role %s: %d", cases[i].scope, cases[i].role, rc);
	}
}

static void test_turn__customer_reopens(void **state)
{
	struct fixture *f = *state;
	struct changes cs = CHANGES_INIT(f->arena);
	struct conversation v;
	struct commit done;

	create(f, "{'id':'c-1','turns':[{'role':'customer','text':'x'}]}");
	NO_ERROR(f, conversation_load(&f->desk, &f->call, "c-1", &v));
	body_set(v.body, "state", "resolved");
	NO_ERROR(f, conversation_changes(&v, &cs, &f->err));
	NO_ERROR(f, conversation_commit(&f->desk, &f->call, &v, &cs, "test", 0, 200, NULL, &done));
	say(f, "c-1", "{'role':'agent','text':'Goodbye'}");
	assert_string_equal(string_at(show(f, "c-1"), "state"), "resolved");
	say(f, "c-1", "{'role':'customer','text':'It is broken again'}");
	assert_string_equal(string_at(show(f, "c-1"), "state"), "open");
}

static void test_conversation__acl_hides_and_names_own_groups_only(void **state)
{
	struct fixture *f = *state;
	const char *tier1[] = { "tier1" }, *tier2[] = { "tier2" };

	fixture_caller(f, fixture_rights("k1", SCOPE_AGENT, tier1, 1));
	create(f, "{'id':'c-1','acl':['tier1']}");
	create(f, "{'id':'c-2'}");
	assert_int_equal(create_fails(f, "{'acl':['tier1','tier2']}"), ERR_FORBIDDEN);
	fixture_caller(f, fixture_rights("k2", SCOPE_AGENT, tier2, 1));
	assert_int_equal(show_rc(f, "c-1"), ERR_NOT_FOUND);
	assert_int_equal(show_rc(f, "c-0"), ERR_NOT_FOUND);
	assert_int_equal(show_rc(f, "c-2"), 0);
	assert_int_equal(say_rc(f, "c-1", "{'role':'agent','text':'x'}", NULL), ERR_NOT_FOUND);
}

static json_t *list(struct fixture *f, const char *customer, const char *after, size_t limit)
{
	json_t *out = NULL;

	NO_ERROR(f, conversation_list(&f->desk, &f->call, text_of(customer), text_of(after), limit, &out));
	return json_keep(f->arena, out);
}

static void test_conversation_list__pages_of_what_may_be_seen(void **state)
{
	struct fixture *f = *state;
	const char *tier2[] = { "tier2" };

	for (int i = 0; i < 7; i++) {
		char body[120];
		snprintf(body, sizeof(body), "{'id':'c-%d','customer':{'id':'cu-%d'}%s}", i, i % 2,
			 i == 2 ? ",'acl':['tier1']" : "");
		create(f, body);
	}
	json_t *l = list(f, NULL, NULL, 3);
	assert_int_equal(json_array_size(at(l, "data")), 3);
	assert_true(json_is_true(at(l, "has_more")));
	assert_string_equal(string_at(l, "last_id"), "c-2");
	l = list(f, NULL, "c-2", 4);
	assert_int_equal(json_array_size(at(l, "data")), 4);
	assert_true(json_is_false(at(l, "has_more")));
	l = list(f, "cu-0", NULL, 0);
	assert_int_equal(json_array_size(at(l, "data")), 4);
	assert_string_equal(string_at(l, "data.1.id"), "c-2");
	fixture_caller(f, fixture_rights("k2", SCOPE_AGENT, tier2, 1));
	l = list(f, "cu-0", NULL, 0);
	assert_int_equal(json_array_size(at(l, "data")), 3);
	l = list(f, "nobody", NULL, 0);
	assert_true(json_is_null(at(l, "last_id")));
	json_t *out;
	assert_int_equal(conversation_list(&f->desk, &f->call, text_of(NULL), text_of("zzz"), 1, &out),
			 ERR_NOT_FOUND);
}

static void test_conversation__long_one_is_read_whole(void **state)
{
	struct fixture *f = *state;
	json_t *turns = json_array();

	for (int i = 0; i < 2500; i++)
		json_array_append_new(
			turns, json_pack("{s:s, s:s}", "role", i % 2 ? "bot" : "customer", "text", "x"));
	json_t *body = json_keep(f->arena, json_pack("{s:s, s:o}", "id", "long", "turns", turns));
	ACT(f, conversation_act, body);
	json_t *c = show(f, "long");
	assert_int_equal(json_array_size(at(c, "turns")), 2500);
	assert_int_equal(int_at(c, "turns.2499.n"), 2500);
}

#define WRITERS 4
#define TURNS_EACH 10

/* Says ten turns of its own id; a conflict past all retries is tried again, as a client would. */
static void *writer(void *arg)
{
	struct fixture *f = arg;
	static const char letters[] = "abcdefgh";
	static _Atomic int next;
	char who = letters[next++ % 8];

	for (int i = 0; i < TURNS_EACH; i++) {
		struct arena *a = arena_new(1 << 14);
		struct error err;
		struct call call = {
			.arena = a, .rights = &f->rights, .err = &err, .if_match = CALL_NO_MATCH
		};
		json_t *body = json_pack("{s:s, s:s, s:o}", "role", "customer", "text", "x", "id",
					 json_sprintf("%c-%d", who, i)),
		       *result = NULL;
		int rc;
		do
			rc = turn_act(&f->desk, &call, "c-1", body, &result);
		while (rc == ERR_CONFLICT);
		json_decref(body);
		json_decref(result);
		arena_free(a);
		if (rc < 0)
			return "failed";
	}
	return NULL;
}

static void test_turn__many_writers_lose_nothing(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[WRITERS];
	char *seen[WRITERS * TURNS_EACH];

	create(f, "{'id':'c-1'}");
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, writer, f), 0);
	for (int i = 0; i < WRITERS; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	json_t *c = show(f, "c-1");
	assert_int_equal(json_array_size(at(c, "turns")), WRITERS * TURNS_EACH);
	for (size_t i = 0; i < WRITERS * TURNS_EACH; i++) {
		json_t *turn = json_array_get(at(c, "turns"), i);
		assert_int_equal(int_at(turn, "n"), i + 1);
		seen[i] = (char *)string_at(turn, "id");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
	}
}

static void test_conversation_opening__first_three_customer_turns(void **state)
{
	struct fixture *f = *state;
	struct conversation v;

	create(f,
	       "{'id':'c-1','turns':[{'role':'bot','text':'b'},{'role':'customer','text':'one'},"
	       "{'role':'customer','text':'two'},{'role':'agent','text':'a'},{'role':'customer','text':'three'},"
	       "{'role':'customer','text':'four'}]}");
	NO_ERROR(f, conversation_load(&f->desk, &f->call, "c-1", &v));
	struct text t = conversation_opening(f->arena, &v);
	assert_true(text_is(t, "one\ntwo\nthree"));
	create(f, "{'id':'c-2','turns':[{'role':'bot','text':'b'}]}");
	NO_ERROR(f, conversation_load(&f->desk, &f->call, "c-2", &v));
	assert_null(conversation_opening(f->arena, &v).s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_conversation__what_is_put_in_comes_out),
		TEST(test_conversation__id_is_made_when_none_is_given),
		TEST(test_conversation__taken_id_is_an_error),
		TEST(test_conversation__bad_fields_are_named),
		TEST(test_conversation__limits_are_told),
		TEST(test_turn__prediction_follows_what_a_customer_says),
		TEST(test_turn__same_id_twice_is_one_turn),
		TEST(test_turn__if_match),
		TEST(test_turn__time_is_the_servers_unless_allowed),
		TEST(test_turn__keys_write_their_roles_only),
		TEST(test_turn__customer_reopens),
		TEST(test_conversation__acl_hides_and_names_own_groups_only),
		TEST(test_conversation_list__pages_of_what_may_be_seen),
		TEST(test_conversation__long_one_is_read_whole),
		TEST(test_turn__many_writers_lose_nothing),
		TEST(test_conversation_opening__first_three_customer_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
