/*
 * test_races.c: what another request makes between "it is not there" and the
 * commit is not written over. The engine here lets a rival in right after it
 * has said that a record is not there.
 */
#include "desk_fixture.h"

#include "ingest/ingest.h"

struct race {
	struct fixture *f; /* over the real engine */
	struct desk desk;  /* over the one with a rival */
	enum record_kind kind;
	const char *rival; /* what it says; NULL: there is none any more */
	int rc;            /* how that went */
	json_t *result;    /* of the last that was said */
};

static int say(struct race *x, struct desk *d, const char *body)
{
	struct fixture *f = x->f;
	json_t *j = J(f, body), *result = NULL;
	int status, rc;

	switch (x->kind) {
	case RECORD_CONVERSATION:
		rc = conversation_act(d, &f->call, j, &result);
		break;
	case RECORD_DOCUMENT:
		rc = document_act(d, &f->call, "d-1", j, &result);
		break;
	default:
		rc = example_import(d, &f->call, j, &status);
	}
	x->result = json_keep(f->arena, result);
	return rc;
}

static int rival_commit(void *self, const struct event *ev, size_t n, struct commit *out)
{
	return engine_commit_many(((struct race *)self)->f->desk.engine, ev, n, out, NULL);
}

static int rival_get(void *self, enum record_kind k, const char *id, struct arena *a, struct record *out,
		     struct error *e)
{
	struct race *x = self;
	int rc = engine_get(x->f->desk.engine, k, id, a, out, e);

	if (rc == ERR_NOT_FOUND && k == x->kind && x->rival) {
		const char *body = x->rival;
		x->rival = NULL;
		x->rc = say(x, &x->f->desk, body);
	}
	return rc;
}

static int rival_revision(void *self, const char *stream, int64_t *out, struct error *e)
{
	return engine_revision(((struct race *)self)->f->desk.engine, stream, out, e);
}

static int rival_scan(void *self, const struct scan *s, struct arena *a, struct record **out, size_t *n,
		      struct error *e)
{
	return engine_scan(((struct race *)self)->f->desk.engine, s, a, out, n, e);
}

static int rival_frequencies(void *self, enum collection c, const struct term *terms, size_t n, uint64_t *out,
			     struct error *e)
{
	return engine_frequencies(((struct race *)self)->f->desk.engine, c, terms, n, out, e);
}

static int rival_rows(void *self, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
		      size_t *n, struct error *e)
{
	return engine_rows(((struct race *)self)->f->desk.engine, k, id, a, out, n, e);
}

static void rival_close(void *self)
{
	(void)self;
}

static const struct engine_ops rival_ops = {
	.commit = rival_commit,
	.get = rival_get,
	.revision = rival_revision,
	.scan = rival_scan,
	.frequencies = rival_frequencies,
	.rows = rival_rows,
	.close = rival_close,
};

/* The rival says its own first; what comes of saying `mine`, with its result. */
static int race(struct fixture *f, enum record_kind k, const char *rival, const char *mine, json_t **result)
{
	struct race x = { .f = f, .desk = f->desk, .kind = k, .rival = rival, .rc = 1 };

	x.desk.engine = engine_new(&rival_ops, &x);
	assert_non_null(x.desk.engine);
	int rc = say(&x, &x.desk, mine);
	assert_null(x.rival);
	assert_int_equal(x.rc, 0);
	engine_close(x.desk.engine);
	*result = x.result;
	return rc;
}

static json_t *body_now(struct fixture *f, enum record_kind k, const char *id)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, k, id, f->arena, &r, &f->err));
	return r.body;
}

static void one_conversation_of_two_is_made(void **state)
{
	struct fixture *f = *state;
	json_t *result;

	assert_int_equal(race(f, RECORD_CONVERSATION, "{'id':'c-1','customer':{'id':'u-1'}}",
			      "{'id':'c-1','customer':{'id':'u-2'}}", &result),
			 ERR_EXISTS);
	assert_string_equal(string_at(body_now(f, RECORD_CONVERSATION, "c-1"), "customer"), "u-1");
}

static void a_document_that_came_first_is_updated_not_made_again(void **state)
{
	struct fixture *f = *state;
	json_t *result;

	assert_int_equal(race(f, RECORD_DOCUMENT, "{'title':'One','text':'first'}",
			      "{'title':'Two','text':'second'}", &result),
			 0);
	assert_string_equal(string_at(result, "result"), "updated");
	assert_string_equal(string_at(body_now(f, RECORD_DOCUMENT, "d-1"), "title"), "Two");
}

static void an_example_of_other_content_is_refused(void **state)
{
	struct fixture *f = *state;
	json_t *result;

	assert_int_equal(race(f, RECORD_EXAMPLE,
			      "{'id':'x-1','text':'where is my parcel','label':'delivery'}",
			      "{'id':'x-1','text':'where is my money','label':'refund'}", &result),
			 ERR_EXISTS);
	assert_string_equal(string_at(body_now(f, RECORD_EXAMPLE, "x-1"), "label"), "delivery");
}

static int set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_conversation_of_two_is_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_document_that_came_first_is_updated_not_made_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_example_of_other_content_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
