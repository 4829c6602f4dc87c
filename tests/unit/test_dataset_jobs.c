#include "dataset_jobs_fixture.h"

#include <sys/stat.h>

static int set_up(void **state)
{
	*state = fixture_open("none");
	import(*state,
	       "{'id':'c-1','turns':[{'role':'customer','text':'where is it'},{'role':'agent','text':'here'}],"
	       "'resolution':{'outcome':'resolved','intent':'where','text':'x'}}");
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static void test_dataset_jobs__what_was_asked_for_is_made_at_its_mark_after_the_next_start(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *ids[20];

	for (int i = 0; i < 20; i++)
		ids[i] = ask(f, j, "{'format':'trl-sft','pii':'keep'}");
	dataset_jobs_close(j); /* in the middle of them */
	import(f, "{'id':'c-2','turns':[{'role':'customer','text':'late'},{'role':'agent','text':'soon'}],"
		  "'resolution':{'outcome':'resolved','intent':'late','text':'x'}}");
	j = open_sets(f);
	for (int i = 0; i < 20; i++) {
		json_t *d = ended(f, j, ids[i]);
		assert_string_equal(string_at(d, "state"), "done");
		assert_int_equal(int_at(d, "rows"), 1);
	}
	dataset_jobs_close(j);
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "by-hand");
	j = open_sets(f);
	memcpy(o.secret, f->desk.secret, sizeof(o.secret));
	o.mark = (uint64_t)int_at(told(f, j, ids[19]), "mark");
	assert_string_equal(export(f, &o).sha256, string_at(told(f, j, ids[19]), "sha256"));
	dataset_jobs_close(j);
}

static void test_dataset_jobs__what_a_crash_left_is_removed_and_what_is_done_stays(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, "{'format':'openai'}");

	assert_string_equal(string_at(ended(f, j, id), "state"), "done");
	dataset_jobs_close(j);
	const char *half = arena_printf(f->arena, "%s.tmp-7", id);
	NO_ERROR(f, folder_make(in_sets(f, arena_printf(f->arena, "%s/data/deep", half)), &f->err));
	put_file(f, arena_printf(f->arena, "%s/data/deep/rows", half), "x");
	NO_ERROR(f, folder_make(in_sets(f, "ds_nobodys"), &f->err));
	j = open_sets(f);
	assert_false(file_exists(in_sets(f, half)));
	assert_false(file_exists(in_sets(f, "ds_nobodys")));
	assert_true(file_is_folder(in_sets(f, id)));
	dataset_jobs_close(j);
}

static void test_dataset_jobs__files_that_are_gone_or_cut_short_are_told(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, "{'format':'openai'}");

	ended(f, j, id);
	assert_int_equal(open_file(f, j, id, "data/train.jsonl"), 0);
	assert_int_equal(open_file(f, j, id, "train.jsonl"), 0); /* the rows, for short */
	put_file(f, arena_printf(f->arena, "%s/data/train.jsonl", id), "x");
	assert_int_equal(open_file(f, j, id, "train.jsonl"), ERR_CORRUPT);
	put_file(f, arena_printf(f->arena, "%s/not-listed", id), "x");
	assert_int_equal(open_file(f, j, id, "not-listed"), ERR_NOT_FOUND);
	NO_ERROR(f, folder_remove(in_sets(f, id), &f->err));
	assert_int_equal(open_file(f, j, id, "train.jsonl"), ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.message, "same mark"));
	dataset_jobs_close(j);
}

static void test_dataset_jobs__a_file_in_the_place_of_the_folder_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct dataset_jobs *j;

	NO_ERROR(f, file_write(arena_printf(f->arena, "%s/datasets", f->folder), "x", 1, &f->err));
	assert_int_equal(
		dataset_jobs_open(&f->desk, arena_printf(f->arena, "%s/datasets", f->folder), &j, &f->err),
		ERR_FOLDER);
}

/* A record as a newer version may have written it. */
static void put_record(struct fixture *f, const char *id, const char *body)
{
	struct changes cs = CHANGES_INIT(f->arena);
	struct commit done;

	changes_put(&cs, RECORD_DATASET, id, NULL, J(f, body));
	struct event ev = { .stream = stream_of(f->arena, "dataset", id),
			    .kind = "dataset.requested",
			    .principal = "k",
			    .changes = cs.list,
			    .n = cs.n };
	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
}

static void test_dataset_jobs__a_request_in_unknown_terms_fails_and_the_next_one_is_made(void **state)
{
	struct fixture *f = *state;

	put_record(f, "ds_newer",
		   "{'state':'queued','key':'k','request':{'format':'tomorrow','kind':'answers'}}");
	struct dataset_jobs *j = open_sets(f);
	const char *id = ask(f, j, "{'format':'openai'}");
	assert_string_equal(string_at(ended(f, j, id), "state"), "done");
	json_t *d = ended(f, j, "ds_newer");
	assert_string_equal(string_at(d, "state"), "failed");
	assert_string_equal(string_at(d, "error.code"), "corrupt");
	dataset_jobs_close(j);
}

static void test_folder_remove__takes_all_below_and_follows_no_link(void **state)
{
	struct fixture *f = *state;

	NO_ERROR(f, folder_make(in_sets(f, "gone/deep"), &f->err));
	NO_ERROR(f, folder_make(in_sets(f, "kept"), &f->err));
	put_file(f, "kept/file", "x");
	put_file(f, "gone/deep/file", "x");
	assert_int_equal(symlink(in_sets(f, "kept"), in_sets(f, "gone/link")), 0);
	NO_ERROR(f, folder_remove(in_sets(f, "gone"), &f->err));
	assert_false(file_exists(in_sets(f, "gone")));
	assert_true(file_exists(in_sets(f, "kept/file")));
	NO_ERROR(f, folder_remove(in_sets(f, "gone"), &f->err));
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dataset_jobs__what_was_asked_for_is_made_at_its_mark_after_the_next_start),
		TEST(test_dataset_jobs__what_a_crash_left_is_removed_and_what_is_done_stays),
		TEST(test_dataset_jobs__files_that_are_gone_or_cut_short_are_told),
		TEST(test_dataset_jobs__a_file_in_the_place_of_the_folder_is_an_error),
		TEST(test_dataset_jobs__a_request_in_unknown_terms_fails_and_the_next_one_is_made),
		TEST(test_folder_remove__takes_all_below_and_follows_no_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
