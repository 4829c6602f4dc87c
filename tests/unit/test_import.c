#include "desk_fixture.h"

#include "base/file.h"
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

static int import_rc(struct fixture *f, const char *line, int *status)
{
	return conversation_import(&f->desk, &f->call, J(f, line), status);
}

static int import(struct fixture *f, const char *line)
{
	int status = -1;

	NO_ERROR(f, import_rc(f, line, &status));
	return status;
}

static json_t *show(struct fixture *f, const char *id)
{
	json_t *named = json_keep(f->arena, json_pack("{s:s}", "conversation", id)), *out = NULL;

	NO_ERROR(f, conversation_show(&f->desk, &f->call, named, &out));
	return json_keep(f->arena, out);
}

static size_t count(struct fixture *f, enum record_kind k)
{
	struct scan s = { .kind = k, .limit = 1000 };
	struct record *list;
	size_t n;

	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &list, &n, &f->err));
	return n;
}

static struct record record(struct fixture *f, enum record_kind k, const char *id)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, k, id, f->arena, &r, &f->err));
	return r;
}

#define TURNS                                                                                  \
	"'turns':[{'role':'customer','text':'My hub is offline','at':'2026-06-01T07:48:00Z'}," \
	"{'role':'bot','text':'Restart it'},{'role':'customer','text':'did that'}]"
#define HANDOFF "'handoff':{'trigger':'low_confidence','queue':'tier1'}"
#define RESOLUTION                                                                                 \
	"'resolution':{'outcome':'resolved','intent':'device_offline','text':'Changed the Wi-Fi'," \
	"'problem':'Hub offline after a new router','evidence_used':['help-1'],'agent':'a-4'}"

static void test_import__conversation_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(import(f, "{'id':'c-1','started_at':'2026-06-01T07:40:00Z'," TURNS "}"), 1);
	json_t *c = show(f, "c-1");
	assert_string_equal(string_at(c, "started_at"), "2026-06-01T07:40:00Z");
	assert_string_equal(string_at(c, "turns.0.at"), "2026-06-01T07:48:00Z");
	/* a turn without a time came right behind the one before it */
	assert_string_equal(string_at(c, "turns.2.at"), "2026-06-01T07:48:00Z");
	assert_string_equal(string_at(c, "state"), "open");
	assert_int_equal(int_at(c, "revision"), 1);
	assert_int_equal(count(f, RECORD_CASE), 0);
}

static void test_import__same_line_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	int status;

	assert_int_equal(import(f, "{'id':'c-1'," TURNS "}"), 1);
	assert_int_equal(import(f, "{" TURNS ",'id':'c-1'}"), 0); /* the order of fields means nothing */
	assert_int_equal(int_at(show(f, "c-1"), "revision"), 1);
	assert_int_equal(import_rc(f, "{'id':'c-1','queue':'tier2'," TURNS "}", &status), ERR_EXISTS);
	ACT(f, turn_act, "c-1", J(f, "{'role':'customer','text':'more'}"));
	assert_int_equal(import(f, "{'id':'c-1'," TURNS "}"), 0);
	ACT(f, conversation_act, J(f, "{'id':'c-2'}"));
	assert_int_equal(import_rc(f, "{'id':'c-2'}", &status), ERR_EXISTS);
}

static void test_import__resolution_without_handoff_makes_a_case(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(import(f, "{'id':'c-1'," TURNS "," RESOLUTION "}"), 1);
	struct record c = record(f, RECORD_CASE, "c-1/case");
	assert_string_equal(body_string(c.body, "intent"), "device_offline");
	assert_string_equal(body_string(c.body, "resolved_at"), "2026-06-01T07:48:00Z");
	struct record e = record(f, RECORD_EXAMPLE, "c-1/example/1");
	assert_string_equal(body_string(e.body, "text"), "My hub is offline\ndid that");
	assert_true(body_bool(e.body, "backed"));
	assert_string_equal(body_string(show(f, "c-1"), "state"), "resolved");
	assert_int_equal(count(f, RECORD_HANDOFF), 0);
	assert_int_equal(count(f, RECORD_RESOLUTION), 1);
	assert_int_equal(count(f, RECORD_RELEVANCE), 1);
	assert_int_equal(int_at(show(f, "c-1"), "revision"), 1); /* one event */
}

static void test_import__handoff_and_resolution(void **state)
{
	struct fixture *f = *state;

	put_document(f, "help-1", "Hub offline", "When the hub is offline, change the Wi-Fi.", NULL);
	assert_int_equal(import(f, "{'id':'c-1'," TURNS "," HANDOFF "," RESOLUTION "}"), 1);
	json_t *c = show(f, "c-1");
	assert_string_equal(string_at(c, "state"), "resolved");
	assert_int_equal(json_array_size(at(c, "handoffs")), 1);
	assert_true(json_is_null(at(c, "handoff")));
	struct record h = record(f, RECORD_HANDOFF, string_at(c, "handoffs.0"));
	assert_string_equal(body_string(h.body, "state"), "resolved");
	struct record ev = record(f, RECORD_EVIDENCE, body_string(h.body, "evidence"));
	assert_string_equal(body_string(ev.body, "handoff"), h.id);
	assert_true(json_array_size(json_object_get(ev.body, "items")) >= 1);
	assert_int_equal(count(f, RECORD_CASE), 1);
	assert_int_equal(int_at(c, "revision"), 1);
}

static void test_import__open_handoff_can_be_taken(void **state)
{
	struct fixture *f = *state;

	put_document(f, "help-1", "Hub offline", "When the hub is offline, change the Wi-Fi.", NULL);
	assert_int_equal(import(f, "{'id':'c-1'," TURNS "," HANDOFF "}"), 1);
	json_t *c = show(f, "c-1");
	assert_string_equal(string_at(c, "state"), "handed_off");
	assert_string_equal(string_at(c, "handoff"), string_at(c, "handoffs.0"));
	assert_int_equal(count(f, RECORD_CASE), 0);
	json_t *out = NULL;
	NO_ERROR(f, handoff_show(&f->desk, &f->call, string_at(c, "handoff"), &out));
	json_keep(f->arena, out);
	assert_string_equal(string_at(out, "state"), "offered");
	assert_string_equal(string_at(out, "evidence.data.0.id"), "help-1");
}

static void test_import__bad_lines_name_the_field(void **state)
{
	static const struct {
		const char *line, *param;
		int code;
	} cases[] = {
		{ "{" TURNS "}", "id", ERR_MISSING_FIELD },
		{ "{'id':'c','turn':[]}", "turn", ERR_UNKNOWN_FIELD },
		{ "{'id':'c','turns':[{'role':'customer','text':'a'},{'role':'customer','txt':'a'}]}",
		  "turns[1].text", ERR_MISSING_FIELD },
		{ "{'id':'c','turns':[{'role':'customer','text':'a','at':'yesterday'}]}", "turns[0].at",
		  ERR_BAD_VALUE },
		{ "{'id':'c','handoff':{'trigger':'boredom'}}", "handoff.trigger", ERR_BAD_VALUE },
		{ "{'id':'c','resolution':{'outcome':'resolved','intent':'x','text':'y','color':1}}",
		  "resolution.color", ERR_UNKNOWN_FIELD },
		{ "{'id':'c','resolution':7}", "resolution", ERR_WRONG_TYPE },
	};
	struct fixture *f = *state;
	int status;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = import_rc(f, cases[i].line, &status);
		if (rc != cases[i].code || strcmp(f->err.param, cases[i].param) != 0)
			fail_msg("%s: %d at %s (%s)", cases[i].line, rc, f->err.param, f->err.message);
	}
	assert_int_equal(count(f, RECORD_CONVERSATION), 0);
}

static void import_file(struct fixture *f, const char *path, size_t *imported, size_t *unchanged)
{
	struct lines *l;
	const char *s;
	size_t n;
	int rc;

	NO_ERROR(f, lines_open(path, &l, &f->err));
	while ((rc = lines_next(l, 1 << 20, &s, &n, &f->err)) > 0) {
		struct call call = f->call;
		struct arena *a = arena_new(1 << 16);
		json_t *line;
		int status;
		call.arena = a;
		NO_ERROR(f, json_parse_arena(a, s, n, &f->err, &line));
		NO_ERROR(f, conversation_import(&f->desk, &call, line, &status));
		*(status ? imported : unchanged) += 1;
		arena_free(a);
	}
	NO_ERROR(f, rc);
	lines_close(l);
}

/* The demo's history goes in whole, and is known from then on. */
static void test_import__demo(void **state)
{
	struct fixture *f = *state;
	size_t imported = 0, unchanged = 0;
	json_t *out = NULL;

	import_file(f, "datasets/demo/conversations.ndjson", &imported, &unchanged);
	assert_true(imported > 10 && unchanged == 0);
	assert_int_equal(count(f, RECORD_CONVERSATION), imported);
	assert_true(count(f, RECORD_CASE) > 10);
	import_file(f, "datasets/demo/conversations.ndjson", &imported, &unchanged);
	assert_int_equal(unchanged, imported);
	NO_ERROR(f, predict_show(&f->desk, &f->call,
				 J(f, "{'text':'The hub is offline since I have a new router'}"), &out));
	json_keep(f->arena, out);
	assert_string_equal(string_at(out, "intent.label"), "device_offline");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_import__conversation_alone),
		TEST(test_import__same_line_again_changes_nothing),
		TEST(test_import__resolution_without_handoff_makes_a_case),
		TEST(test_import__handoff_and_resolution),
		TEST(test_import__open_handoff_can_be_taken),
		TEST(test_import__bad_lines_name_the_field),
		TEST(test_import__demo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
