#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "engine/call.h"

/* An engine that remembers the last event, and answers with `rc`. */
struct recorder {
	int rc;
	struct event last;
	struct change changes[4];
	json_t *request; /* body of the RECORD_REQUEST, ours */
};

static int record_commit(void *self, const struct event *ev, size_t n, struct commit *out)
{
	struct recorder *x = self;

	assert_int_equal(n, 1);
	x->last = *ev;
	if (ev->n)
		memcpy(x->changes, ev->changes, ev->n * sizeof(*ev->changes));
	for (size_t i = 0; i < ev->n; i++)
		if (ev->changes[i].kind == RECORD_REQUEST) {
			json_decref(x->request);
			x->request = json_deep_copy(ev->changes[i].body);
		}
	*out = (struct commit){ .seq = 7, .revision = 3, .code = x->rc };
	if (x->rc < 0)
		error_set(&out->error, x->rc, "stream", "said so");
	return 0;
}

static void record_close(void *self)
{
	struct recorder *x = self;

	json_decref(x->request);
}

static const struct engine_ops ops = { .commit = record_commit, .close = record_close };

struct bench {
	struct recorder recorder;
	struct engine *engine;
	struct error err;
	struct rights rights;
	struct call call;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->engine = engine_new(&ops, &b->recorder);
	b->rights = (struct rights){ .key = "key-1", .agent = "a-7", .scopes = SCOPE_AGENT };
	b->call = (struct call){
		.arena = arena_new(4096), .rights = &b->rights, .err = &b->err, .if_match = CALL_NO_MATCH
	};
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	engine_close(b->engine);
	arena_free(b->call.arena);
	free(b);
	return 0;
}

static void test_commit__says_who_calls(void **state)
{
	struct bench *b = *state;
	struct event ev = { .stream = "document/x", .kind = "document.put" };
	struct commit out;

	assert_int_equal(call_commit(&b->call, b->engine, &ev, 201, NULL, &out), 0);
	assert_int_equal(out.seq, 7);
	assert_string_equal(b->recorder.last.principal, "key-1");
	assert_string_equal(b->recorder.last.agent, "a-7");
	assert_int_equal(b->recorder.last.n, 0);
}

static void test_commit__keeps_the_answer_of_a_keyed_request(void **state)
{
	struct bench *b = *state;
	json_t *result = json_pack("{s:s}", "id", "x"), *kept;
	struct change change = { .kind = RECORD_DOCUMENT, .id = "x" };
	struct event ev = { .stream = "document/x", .kind = "document.put", .changes = &change, .n = 1 };
	struct commit out;
	int64_t before = clock_wall_ms();

	b->call.request = "r-1";
	b->call.request_hash = "h-1";
	/* twice, as after a conflict: the event is not to grow */
	for (int i = 0; i < 2; i++)
		assert_int_equal(call_commit(&b->call, b->engine, &ev, 201, result, &out), 0);
	assert_int_equal(ev.n, 1);
	assert_int_equal(b->recorder.last.n, 2);
	assert_string_equal(b->recorder.changes[0].id, "x");
	assert_int_equal(b->recorder.changes[1].kind, RECORD_REQUEST);
	assert_string_equal(b->recorder.changes[1].id, "r-1");
	assert_null(b->recorder.changes[1].entry);
	kept = b->recorder.request;
	assert_string_equal(json_string_value(json_object_get(kept, "body")), "h-1");
	assert_int_equal(json_integer_value(json_object_get(kept, "status")), 201);
	assert_true(json_equal(json_object_get(kept, "result"), result));
	assert_true(json_integer_value(json_object_get(kept, "at")) >= before);
	json_decref(result);
}

static void test_commit__hands_a_conflict_on(void **state)
{
	struct bench *b = *state;
	struct event ev = { .stream = "document/x", .kind = "document.put" };
	struct commit out = { .seq = 1 };

	b->recorder.rc = ERR_CONFLICT;
	assert_int_equal(call_commit(&b->call, b->engine, &ev, 201, NULL, &out), ERR_CONFLICT);
	assert_int_equal(b->err.code, ERR_CONFLICT);
	assert_int_equal(out.seq, 1);
}

static void test_match__is_on_the_revision_read(void **state)
{
	struct bench *b = *state;

	assert_int_equal(call_check_match(&b->call, 5), 0);
	b->call.if_match = 5;
	assert_int_equal(call_check_match(&b->call, 5), 0);
	assert_int_equal(call_check_match(&b->call, 6), ERR_PRECONDITION);
	assert_string_equal(b->err.param, "If-Match");
	assert_int_equal(call_check_match(&b->call, 0), ERR_PRECONDITION);
}

static void test_agent__is_the_caller_or_absent(void **state)
{
	struct bench *b = *state;

	assert_int_equal(call_check_agent(&b->call, (struct text){ NULL, 0 }), 0);
	assert_int_equal(call_check_agent(&b->call, (struct text){ "a-7", 3 }), 0);
	assert_int_equal(call_check_agent(&b->call, (struct text){ "a-71", 4 }), ERR_AGENT_MISMATCH);
	assert_int_equal(call_check_agent(&b->call, (struct text){ "key-1", 5 }), ERR_AGENT_MISMATCH);
	b->rights.agent = NULL;
	assert_int_equal(call_check_agent(&b->call, (struct text){ "key-1", 5 }), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commit__says_who_calls),
		TEST(test_commit__keeps_the_answer_of_a_keyed_request),
		TEST(test_commit__hands_a_conflict_on),
		TEST(test_match__is_on_the_revision_read),
		TEST(test_agent__is_the_caller_or_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
