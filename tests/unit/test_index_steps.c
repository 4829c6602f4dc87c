/*
 * What happens to an index between the steps of a merge and of a save: every
 * entry is deleted, replaced or retagged there, and the answers must be those
 * of an index that was made anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "index/index_internal.h"
#include "index_fixture.h"

#define DIM 16
#define ENTRIES 150

enum deed { DELETE_ALL, REPLACE_ALL, RETAG_ALL, SOME_OF_EACH, ALL_OF_THEM, DEEDS };

struct world {
	struct model *model;
	struct index *index;
	const char *step; /* where it is done */
	enum deed deed;
	int done;
	char folder[256];
};

static void apply_one(struct index *x, const struct model_entry *e, enum index_op op)
{
	struct index_change c = model_change(e, op);

	assert_int_equal(index_apply(x, index_seq(x) + 1, &c, 1, NULL), 0);
}

static void do_to(struct world *w, struct model_entry *e, enum deed deed)
{
	switch (deed) {
	case DELETE_ALL:
		e->live = 0;
		apply_one(w->index, e, INDEX_DELETE);
		break;
	case REPLACE_ALL:
		model_fill(w->model, e);
		apply_one(w->index, e, INDEX_ADD);
		break;
	case RETAG_ALL:
		model_retag(w->model, e);
		apply_one(w->index, e, INDEX_RETAG);
		break;
	default:
		do_to(w, e, DELETE_ALL);
		do_to(w, e, REPLACE_ALL);
		do_to(w, e, RETAG_ALL);
	}
}

static void at_step(void *arg, const char *name)
{
	struct world *w = arg;

	if (w->done || strcmp(name, w->step) != 0)
		return;
	w->done = 1;
	for (size_t i = 0; i < w->model->n; i++) {
		if (w->model->entries[i].live)
			do_to(w, &w->model->entries[i],
			      w->deed == SOME_OF_EACH ? (enum deed)(i % 3) : w->deed);
	}
	model_check(w->index, w->model);
}

static struct index *open_at(const struct world *w, int read_only)
{
	const struct index_options o = {
		.folder = w->folder, .dim = DIM, .words = model_words(w->model), .read_only = read_only
	};
	struct index *x;

	assert_int_equal(index_open(&o, &x, NULL), 0);
	index_tuning(x)->links_rows = 50;
	index_tuning(x)->large_rows = 100;
	index_tuning(x)->scan_rows = 0;
	index_tuning(x)->small_docs = 16;
	index_tuning(x)->merge_docs = 16;
	return x;
}

static void make(struct world *w, uint64_t seed)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(w->folder, sizeof(w->folder), "%s/index-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->folder));
	w->model = model_new(DIM, ENTRIES, seed);
	w->index = open_at(w, 0);
	for (size_t i = 0; i < ENTRIES; i++) {
		model_fill(w->model, &w->model->entries[i]);
		apply_one(w->index, &w->model->entries[i], INDEX_ADD);
	}
}

static void unmake(struct world *w)
{
	char command[300];

	index_close(w->index);
	model_free(w->model);
	snprintf(command, sizeof(command), "rm -rf '%s'", w->folder);
	assert_int_equal(system(command), 0);
}

static void save_and_open_again(struct world *w)
{
	struct index_stats s;

	assert_int_equal(index_save(w->index, NULL, NULL, NULL, NULL), 0);
	index_close(w->index);
	w->index = open_at(w, 0);
	index_stats(w->index, &s);
	assert_int_equal(s.broken_files, 0);
	model_check(w->index, w->model);
}

static void test_steps__what_is_done_meanwhile_is_not_undone(void **state)
{
	static const char *const steps[] = { "merge: chosen", "merge: built", "merge: published",
					     "save: segments", "save: manifest" };

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (int deed = 0; deed < DEEDS; deed++) {
			struct world w = { .step = steps[i], .deed = (enum deed)deed };
			make(&w, 100 * i + (size_t)deed + 1);
			index_tuning(w.index)->step = at_step;
			index_tuning(w.index)->step_arg = &w;
			assert_int_equal(index_maintain(w.index, 1, NULL), 1);
			assert_int_equal(index_save(w.index, NULL, NULL, NULL, NULL), 0);
			assert_true(w.done);
			model_check(w.index, w.model);
			while (index_maintain(w.index, 1, NULL) > 0)
				;
			model_check(w.index, w.model);
			save_and_open_again(&w);
			unmake(&w);
		}
	}
}

/* The folder as another process finds it between the steps of a save. */
static void look(void *arg, const char *name)
{
	struct world *w = arg;

	if (strncmp(name, "save", 4) != 0)
		return;
	struct index *reader = open_at(w, 1);
	struct index_stats s;
	index_stats(reader, &s);
	assert_int_equal(s.broken_files, 0);
	assert_int_equal(index_seq(reader),
			 strcmp(name, "save: manifest") == 0 ? index_seq(w->index) : ENTRIES);
	w->done++;
	index_close(reader);
}

static void test_steps__the_folder_is_whole_at_each_step_of_a_save(void **state)
{
	struct world w = { 0 };

	(void)state;
	make(&w, 77);
	assert_int_equal(index_save(w.index, NULL, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < ENTRIES; i++)
		do_to(&w, &w.model->entries[i], (enum deed)(i % 3));
	assert_int_equal(index_maintain(w.index, 1, NULL), 1);
	index_tuning(w.index)->step = look;
	index_tuning(w.index)->step_arg = &w;
	assert_int_equal(index_save(w.index, NULL, NULL, NULL, NULL), 0);
	assert_int_equal(w.done, 2);
	index_tuning(w.index)->step = NULL;
	save_and_open_again(&w);
	unmake(&w);
}

static void stop_it(void *arg, const char *name)
{
	struct world *w = arg;

	if (strcmp(name, "merge: chosen") == 0)
		index_stop(w->index);
}

static void test_steps__a_merge_that_is_stopped_leaves_what_was(void **state)
{
	struct world w = { 0 };
	struct index_stats before, after;
	struct error e = { 0 };

	(void)state;
	make(&w, 78);
	index_stats(w.index, &before);
	index_tuning(w.index)->step = stop_it;
	index_tuning(w.index)->step_arg = &w;
	assert_int_equal(index_maintain(w.index, 1, &e), ERR_INTERRUPTED);
	index_stats(w.index, &after);
	assert_int_equal(after.segments, before.segments);
	assert_int_equal(after.failed_merges, 0);
	model_check(w.index, w.model);
	save_and_open_again(&w);
	assert_int_equal(index_maintain(w.index, 1, NULL), 1);
	model_check(w.index, w.model);
	unmake(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps__what_is_done_meanwhile_is_not_undone),
		cmocka_unit_test(test_steps__the_folder_is_whole_at_each_step_of_a_save),
		cmocka_unit_test(test_steps__a_merge_that_is_stopped_leaves_what_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
