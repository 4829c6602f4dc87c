#include "desk_fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "ingest/ingest.h"

#define PATIENCE_US 20000000

static int set_up(void **state)
{
	*state = fixture_open("none");
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static const char *inputs(struct fixture *f)
{
	return arena_printf(f->arena, "%s/jobs", f->folder);
}

static size_t count_inputs(struct fixture *f)
{
	char **names;
	size_t n;

	NO_ERROR(f, folder_list(inputs(f), &names, &n, &f->err));
	free(names);
	return n;
}

static struct jobs *open_jobs(struct fixture *f)
{
	struct jobs *j;

	NO_ERROR(f, jobs_open(&f->desk, inputs(f), &j, &f->err));
	return j;
}

static json_t *queue(struct fixture *f, struct jobs *j, const char *ndjson, size_t n)
{
	json_t *r = NULL;

	NO_ERROR(f, job_documents_act(j, &f->call, ndjson, n, &r));
	return json_keep(f->arena, r);
}

static json_t *show(struct fixture *f, json_t *result)
{
	return at(ACT(f, job_show, result), "job");
}

/* Waits until the job's state is this one. */
static json_t *wait_for(struct fixture *f, json_t *result, const char *state)
{
	int64_t until = clock_mono_us() + PATIENCE_US;
	json_t *job;

	while (strcmp(string_at(job = show(f, result), "state"), state) != 0) {
		if (clock_mono_us() > until)
			fail_msg("the job is still %s", string_at(job, "state"));
		usleep(2000);
	}
	return job;
}

static const char *many(struct fixture *f, int n, size_t *len)
{
	STRBUF_AUTO s = STRBUF_INIT;

	for (int i = 0; i < n; i++)
		strbuf_printf(&s, "{\"_id\":\"d%d\",\"text\":\"text of document %d\"}\n", i, i);
	*len = s.n;
	return arena_strndup(f->arena, s.p, s.n);
}

static uint64_t documents(struct fixture *f)
{
	struct engine_status s;

	NO_ERROR(f, engine_status(f->desk.engine, f->arena, &s, &f->err));
	return s.records[RECORD_DOCUMENT];
}

static void test_jobs__a_batch_is_imported_and_its_errors_are_told(void **state)
{
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	const char *lines =
		"{\"_id\":\"a\",\"text\":\"x\"}\n\n{\"_id\":\"b\"}\n\xff\n{\"_id\":\"c\",\"text\":\"y\"}\r\n{}";
	json_t *r = queue(f, j, lines, strlen(lines));
	json_t *job = wait_for(f, r, "done");

	assert_int_equal(int_at(job, "total"), 5);
	assert_int_equal(int_at(job, "done"), 5);
	assert_int_equal(int_at(job, "imported"), 2);
	assert_int_equal(int_at(job, "failed"), 3);
	assert_int_equal(json_array_size(at(job, "errors")), 3);
	assert_int_equal(int_at(job, "errors.0.line"), 3);
	assert_string_equal(string_at(job, "errors.0.param"), "text");
	assert_int_equal(int_at(job, "errors.1.line"), 4);
	assert_string_equal(string_at(job, "errors.1.code"), "bad_utf8");
	assert_true(json_is_null(at(job, "errors.1.param")));
	assert_string_equal(string_at(job, "errors.2.param"), "_id");
	assert_null(at(job, "rights"));
	jobs_close(j);
	assert_int_equal(documents(f), 2);
	assert_int_equal(count_inputs(f), 0);
}

static void test_jobs__only_the_first_hundred_errors_are_kept(void **state)
{
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	STRBUF_AUTO s = STRBUF_INIT;

	for (int i = 0; i < 150; i++)
		strbuf_puts(&s, "nonsense\n");
	json_t *job = wait_for(f, queue(f, j, s.p, s.n), "done");
	assert_int_equal(json_array_size(at(job, "errors")), 100);
	assert_int_equal(int_at(job, "failed"), 150);
	jobs_close(j);
}

static void test_jobs__an_empty_batch_is_refused(void **state)
{
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	json_t *r = NULL;

	assert_int_equal(job_documents_act(j, &f->call, "", 0, &r), ERR_EMPTY_TEXT);
	assert_int_equal(job_documents_act(j, &f->call, " \n\r\n", 4, &r), ERR_EMPTY_TEXT);
	jobs_close(j);
}

static void test_jobs__close_in_the_middle_and_go_on_later(void **state)
{
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	size_t n;
	const char *lines = many(f, 5000, &n);
	json_t *r = queue(f, j, lines, n);
	int starts = 1;

	/* Closed again and again while it runs. */
	while (strcmp(string_at(show(f, r), "state"), "done") != 0) {
		usleep(20000);
		jobs_close(j);
		j = open_jobs(f);
		assert_true(starts++ < 1000);
	}
	json_t *job = show(f, r);
	assert_int_equal(int_at(job, "done"), 5000);
	assert_int_equal(int_at(job, "failed"), 0);
	assert_int_equal(int_at(job, "imported") + int_at(job, "unchanged"), 5000);
	assert_int_equal(documents(f), 5000);
	jobs_close(j);
}

static void test_jobs__what_was_queued_before_the_start_is_done_in_order(void **state)
{
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	const char *one = "{\"_id\":\"a\",\"text\":\"one\"}", *two = "{\"_id\":\"a\",\"text\":\"two\"}";
	json_t *first = queue(f, j, one, strlen(one)), *second = queue(f, j, two, strlen(two));

	jobs_close(j);
	j = open_jobs(f);
	wait_for(f, first, "done");
	wait_for(f, second, "done");
	assert_string_equal(string_at(ACT(f, document_get, "a"), "text"), "two");
	jobs_close(j);
}

static void test_jobs__a_job_runs_under_the_rights_of_who_asked(void **state)
{
	static const char *const groups[] = { "tier1" };
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	const char *lines = "{\"_id\":\"a\",\"text\":\"x\",\"acl\":[\"billing\"]}\n"
			    "{\"_id\":\"b\",\"text\":\"x\",\"acl\":[\"tier1\"]}\n";

	fixture_caller(f, fixture_rights("k-1", SCOPE_CURATOR, groups, 1));
	json_t *r = queue(f, j, lines, strlen(lines));
	json_t *job = wait_for(f, r, "done");
	assert_int_equal(int_at(job, "imported"), 1);
	assert_string_equal(string_at(job, "errors.0.code"), "forbidden");
	jobs_close(j);

	json_t *out;
	fixture_caller(f, fixture_rights("k-2", SCOPE_CURATOR, groups, 1));
	assert_int_equal(job_show(&f->desk, &f->call, r, &out), ERR_NOT_FOUND);
	fixture_caller(f, fixture_rights("k-all", SCOPE_ADMIN, NULL, 0));
	assert_string_equal(string_at(show(f, r), "state"), "done");
}

static void test_jobs__an_input_that_cannot_be_written_queues_nothing(void **state)
{
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	const char *line = "{\"_id\":\"a\",\"text\":\"x\"}";
	struct engine_status s;
	json_t *r = NULL;

	assert_int_equal(rmdir(inputs(f)), 0);
	assert_int_equal(job_documents_act(j, &f->call, line, strlen(line), &r), ERR_IO);
	jobs_close(j);
	NO_ERROR(f, engine_status(f->desk.engine, f->arena, &s, &f->err));
	assert_int_equal(s.records[RECORD_JOB], 0);
}

static void test_jobs__inputs_that_a_crash_left_are_removed_at_the_start(void **state)
{
	struct fixture *f = *state;
	struct jobs *j = open_jobs(f);
	const char *line = "{\"_id\":\"a\",\"text\":\"x\"}";
	json_t *job = wait_for(f, queue(f, j, line, strlen(line)), "done");

	jobs_close(j);
	const char *names[] = { string_at(job, "id"), "job_never_queued" };
	for (int i = 0; i < 2; i++) {
		const char *path = arena_printf(f->arena, "%s/%s.ndjson", inputs(f), names[i]);
		NO_ERROR(f, file_write(path, line, strlen(line), &f->err));
	}
	NO_ERROR(f, file_write(arena_printf(f->arena, "%s/job_x.ndjson.tmp", inputs(f)), "{", 1, &f->err));
	assert_int_equal(count_inputs(f), 3);
	jobs_close(open_jobs(f));
	assert_int_equal(count_inputs(f), 0);
}

static void test_jobs__a_lost_input_fails_the_job_and_not_the_next(void **state)
{
	struct fixture *f = *state;
	struct changes cs = CHANGES_INIT(f->arena);
	json_t *body = J(
		f, "{'state':'queued','what':'documents','done':0,'total':1,'refused':0,'errors':[],"
		   "'rights':{'key':'k-all','agent':'k-all','scopes':16,'all_groups':true,'groups':[]}}");
	struct commit done;

	changes_put(&cs, RECORD_JOB, "job_x", NULL, body);
	struct event ev = {
		.stream = "job/job_x", .kind = "job.queued", .principal = "k", .changes = cs.list, .n = 1
	};
	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
	struct jobs *j = open_jobs(f);
	json_t *job = wait_for(f, J(f, "{'job':'job_x'}"), "failed");
	assert_string_equal(string_at(job, "error.code"), "not_found");
	const char *line = "{\"_id\":\"a\",\"text\":\"x\"}";
	wait_for(f, queue(f, j, line, strlen(line)), "done");
	jobs_close(j);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_jobs__a_batch_is_imported_and_its_errors_are_told),
		TEST(test_jobs__only_the_first_hundred_errors_are_kept),
		TEST(test_jobs__an_empty_batch_is_refused),
		TEST(test_jobs__close_in_the_middle_and_go_on_later),
		TEST(test_jobs__what_was_queued_before_the_start_is_done_in_order),
		TEST(test_jobs__a_job_runs_under_the_rights_of_who_asked),
		TEST(test_jobs__an_input_that_cannot_be_written_queues_nothing),
		TEST(test_jobs__inputs_that_a_crash_left_are_removed_at_the_start),
		TEST(test_jobs__a_lost_input_fails_the_job_and_not_the_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
