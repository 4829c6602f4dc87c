/* test_supersede.c: datasets that were made already, when a customer denies training. */
#include "dataset_jobs_fixture.h"

static void say(struct fixture *f, const char *customer, const char *training)
{
	ACT(f, consent_act, customer, J(f, arena_printf(f->arena, "{'training':'%s'}", training)));
}

/* Says so, and waits until the datasets know. */
static void settled(struct fixture *f, struct dataset_jobs *j, const char *customer)
{
	int64_t until = clock_mono_us() + PATIENCE_US;

	dataset_consent_changed(j);
	while (strcmp(string_at(ACT(f, consent_get, customer), "datasets"), "settled") != 0) {
		if (clock_mono_us() > until)
			fail_msg("%s is still pending", customer);
		usleep(2000);
	}
}

static int set_up(void **state)
{
	struct fixture *f = fixture_open("none");

	for (int i = 1; i <= 4; i++)
		import(f, arena_printf(
				  f->arena,
				  "{'id':'c-%d','customer':{'id':'cu-%d'},'turns':[{'role':'customer','text':"
				  "'question %d'},{'role':'agent','text':'done'}],'resolution':{'outcome':"
				  "'resolved','intent':'a','text':'x'}}",
				  i, i == 4 ? 1 : i, i));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

#define DATASET "{'format':'openai','pii':'keep'}"

/* The list as it is served: its lines. */
static const char *deletions(struct fixture *f, struct dataset_jobs *j, const char *id)
{
	struct dataset_file file;
	char hash[SHA256_TEXT];

	NO_ERROR(f, dataset_file_open(j, &f->call, id, "deletions.jsonl", &file));
	char *text = arena_alloc(f->arena, file.bytes + 1);
	assert_int_equal(pread(file.fd, text, file.bytes, 0), file.bytes);
	text[file.bytes] = '\0';
	crypto_sha256_text(text, file.bytes, hash);
	assert_string_equal(hash, file.sha256);
	close(file.fd);
	return text;
}

/* "1,4": the lines of data/train.jsonl that are to be deleted. */
static const char *lines_to_delete(struct fixture *f, struct dataset_jobs *j, const char *id)
{
	const char *text = deletions(f, j, id), *list = "";

	for (; *text; text += strcspn(text, "\n") + 1) {
		json_t *row = parsed(f, text);
		assert_string_equal(string_at(row, "dataset"), id);
		assert_string_equal(string_at(row, "file"), "data/train.jsonl");
		assert_memory_equal(string_at(row, "sha256"), "sha256:", 7);
		assert_memory_equal(string_at(row, "row"), "r_", 2);
		list = arena_printf(f->arena, "%s%s%lld", list, *list ? "," : "", int_at(row, "line"));
	}
	return list;
}

static void test_supersede__the_datasets_that_have_rows_of_the_customer_list_them(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *with = ask(f, j, DATASET),
		   *without = ask(
			   f, j,
			   "{'format':'openai','filter':{'type':'eq','key':'customer','value':'cu-2'}}");

	ended(f, j, with);
	ended(f, j, without);
	say(f, "cu-1", "denied");
	settled(f, j, "cu-1");
	json_t *d = told(f, j, with);
	assert_string_equal(string_at(d, "state"), "done");
	assert_string_equal(string_at(d, "superseded.reason"), "consent_withdrawn");
	assert_int_equal(int_at(d, "superseded.rows"), 2);
	assert_non_null(strstr(string_at(d, "superseded.url"), "/files/deletions.jsonl"));
	assert_string_equal(lines_to_delete(f, j, with), "1,4");
	assert_null(at(told(f, j, without), "superseded"));
	assert_int_equal(open_file(f, j, without, "train.jsonl"), 0);
	assert_int_equal(open_file(f, j, without, "deletions.jsonl"), ERR_NOT_FOUND);
	dataset_jobs_close(j);
}

static void test_supersede__its_files_are_gone_and_the_error_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, DATASET);

	ended(f, j, id);
	say(f, "cu-2", "denied");
	settled(f, j, "cu-2");
	assert_int_equal(open_file(f, j, id, "data/train.jsonl"), ERR_SUPERSEDED);
	assert_non_null(strstr(f->err.message, "deletions.jsonl"));
	assert_int_equal(open_file(f, j, id, "rows.provenance.jsonl"), ERR_SUPERSEDED);
	assert_int_equal(open_file(f, j, id, "not-there"), ERR_SUPERSEDED);
	dataset_jobs_close(j);
}

static void test_supersede__later_withdrawals_join_earlier_ones(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, DATASET);

	ended(f, j, id);
	say(f, "cu-3", "denied");
	settled(f, j, "cu-3");
	assert_string_equal(lines_to_delete(f, j, id), "3");
	NO_ERROR(f, folder_remove(in_sets(f, arena_printf(f->arena, "%s/data", id)),
				  &f->err)); /* as operations.md says */
	say(f, "cu-1", "denied");
	settled(f, j, "cu-1");
	assert_string_equal(lines_to_delete(f, j, id), "1,3,4");
	assert_int_equal(int_at(told(f, j, id), "superseded.rows"), 3);
	dataset_jobs_close(j);
}

static void test_supersede__a_grant_does_not_bring_a_dataset_back_but_a_new_one_has_the_rows(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, DATASET);

	ended(f, j, id);
	say(f, "cu-1", "denied");
	settled(f, j, "cu-1");
	say(f, "cu-1", "granted");
	settled(f, j, "cu-1");
	assert_string_equal(lines_to_delete(f, j, id), "1,4");
	assert_int_equal(open_file(f, j, id, "train.jsonl"), ERR_SUPERSEDED);
	json_t *d = ended(f, j, ask(f, j, DATASET));
	assert_int_equal(int_at(d, "rows"), 4);
	assert_null(at(d, "superseded"));
	dataset_jobs_close(j);
}

static void test_supersede__a_denial_that_nobody_saw_is_found_at_the_next_start(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, DATASET);

	ended(f, j, id);
	dataset_jobs_close(j);
	say(f, "cu-1", "denied"); /* and the program is killed */
	say(f, "cu-1", "granted");
	j = open_sets(f);
	settled(f, j, "cu-1");
	assert_string_equal(lines_to_delete(f, j, id), "1,4");
	dataset_jobs_close(j);
}

/* Killed when the list was there and the record did not tell of it. */
static void test_supersede__a_list_that_no_record_tells_of_is_completed(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, DATASET), *other = ask(f, j, DATASET);

	ended(f, j, id);
	ended(f, j, other);
	say(f, "cu-1", "denied");
	settled(f, j, "cu-1");
	const char *list = deletions(f, j, id);
	put_file(f, arena_printf(f->arena, "%s/deletions.jsonl", other), list);
	dataset_jobs_close(j);
	struct record r;
	struct commit done;
	NO_ERROR(f, engine_get(f->desk.engine, RECORD_DATASET, id, f->arena, &r, &f->err));
	json_object_del(r.body, "superseded");
	struct change ch = { .kind = RECORD_DATASET, .id = id, .body = r.body };
	struct event ev = { .stream = stream_of(f->arena, "dataset", id),
			    .expect = ENGINE_ANY,
			    .kind = "dataset.made",
			    .principal = "k",
			    .changes = &ch,
			    .n = 1 };
	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
	say(f, "cu-1", "denied");
	j = open_sets(f);
	settled(f, j, "cu-1");
	assert_int_equal(int_at(told(f, j, id), "superseded.rows"), 2);
	assert_string_equal(deletions(f, j, id), list);
	dataset_jobs_close(j);
}

static void test_supersede__where_the_rows_are_gone_nobody_can_tell_and_that_is_said(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *gone = ask(f, j, DATASET), *cut = ask(f, j, DATASET);

	ended(f, j, gone);
	ended(f, j, cut);
	NO_ERROR(f, folder_remove(in_sets(f, gone), &f->err));
	const char *rows = content(f, in_sets(f, cut), "rows.provenance.jsonl");
	put_file(f, arena_printf(f->arena, "%s/rows.provenance.jsonl", cut),
		 arena_strndup(f->arena, rows, strcspn(rows, "\n") + 1));
	say(f, "cu-1", "denied");
	settled(f, j, "cu-1");
	assert_true(json_is_true(at(told(f, j, gone), "superseded.unchecked")));
	assert_null(at(told(f, j, gone), "superseded.url"));
	assert_true(json_is_true(at(told(f, j, cut), "superseded.unchecked")));
	assert_int_equal(open_file(f, j, gone, "deletions.jsonl"), ERR_NOT_FOUND);
	assert_int_equal(open_file(f, j, gone, "train.jsonl"), ERR_SUPERSEDED);
	dataset_jobs_close(j);
}

/* It had rows that would be missing in the next one. */
static void damaged_list(struct fixture *f, const char *what)
{
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, DATASET);

	ended(f, j, id);
	say(f, "cu-3", "denied");
	settled(f, j, "cu-3");
	say(f, "cu-3", "granted");
	settled(f, j, "cu-3");
	put_file(f, arena_printf(f->arena, "%s/deletions.jsonl", id), what);
	say(f, "cu-1", "denied");
	settled(f, j, "cu-1");
	assert_true(json_is_true(at(told(f, j, id), "superseded.unchecked")));
	assert_int_equal(int_at(told(f, j, id), "superseded.rows"), 1);
	dataset_jobs_close(j);
}

static void test_supersede__a_damaged_list_is_not_gone_on_with(void **state)
{
	damaged_list(*state, "{\n");
}

static void test_supersede__a_list_that_was_emptied_is_not_gone_on_with(void **state)
{
	damaged_list(*state, "");
}

/* Asked to go through its datasets, what one that cannot be written comes to. */
static void test_supersede__what_cannot_be_written_stays_pending_and_is_done_later(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, DATASET), *other = ask(f, j, DATASET), *in_the_way;

	ended(f, j, id);
	ended(f, j, other);
	in_the_way = in_sets(f, arena_printf(f->arena, "%s/deletions.jsonl", id));
	NO_ERROR(f, folder_make(in_the_way, &f->err));
	say(f, "cu-1", "denied");
	dataset_consent_changed(j);
	/* The one behind it is superseded all the same. */
	int64_t until = clock_mono_us() + PATIENCE_US;
	while (!json_object_get(told(f, j, other), "superseded")) {
		if (clock_mono_us() > until)
			fail_msg("the other one is not superseded");
		usleep(2000);
	}
	assert_string_equal(lines_to_delete(f, j, other), "1,4");
	assert_string_equal(string_at(ACT(f, consent_get, "cu-1"), "datasets"), "pending");
	/* Nobody knows yet which of its rows are concerned: none is handed out, and nothing is made. */
	assert_int_equal(open_file(f, j, id, "data/train.jsonl"), ERR_NOT_READY);
	const char *blocked = ask(f, j, DATASET);
	assert_string_equal(string_at(told(f, j, blocked), "state"), "queued");
	NO_ERROR(f, folder_remove(in_the_way, &f->err));
	settled(f, j, "cu-1");
	assert_string_equal(lines_to_delete(f, j, id), "1,4");
	assert_int_equal(int_at(ended(f, j, blocked), "rows"), 2);
	assert_int_equal(open_file(f, j, blocked, "data/train.jsonl"), 0);
	dataset_jobs_close(j);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_supersede__the_datasets_that_have_rows_of_the_customer_list_them),
		TEST(test_supersede__its_files_are_gone_and_the_error_says_what_to_do),
		TEST(test_supersede__later_withdrawals_join_earlier_ones),
		TEST(test_supersede__a_grant_does_not_bring_a_dataset_back_but_a_new_one_has_the_rows),
		TEST(test_supersede__a_denial_that_nobody_saw_is_found_at_the_next_start),
		TEST(test_supersede__a_list_that_no_record_tells_of_is_completed),
		TEST(test_supersede__where_the_rows_are_gone_nobody_can_tell_and_that_is_said),
		TEST(test_supersede__a_damaged_list_is_not_gone_on_with),
		TEST(test_supersede__a_list_that_was_emptied_is_not_gone_on_with),
		TEST(test_supersede__what_cannot_be_written_stays_pending_and_is_done_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
