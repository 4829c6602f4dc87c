#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "index/index_internal.h"
#include "index_fixture.h"

#define DIM 24
#define ENTRIES 300

struct world {
	struct model *model;
	char folder[256], file[300];
};

static struct index *open_index(const struct world *w, uint64_t embedder)
{
	struct index_options o = {
		.folder = w->folder, .dim = DIM, .words = model_words(w->model), .id = embedder
	};
	struct index *x = NULL;
	struct error e = { 0 };

	if (index_open(&o, &x, &e) < 0)
		fail_msg("%s", e.message);
	index_tuning(x)->exact_rows = 0;
	index_tuning(x)->growing_rows = 0;
	return x;
}

static void apply_one(struct index *x, const struct model_entry *e, enum index_op op)
{
	struct index_change c = model_change(e, op);

	assert_int_equal(index_apply(x, index_seq(x) + 1, &c, 1, NULL), 0);
}

static void add_all(struct index *x, const struct model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->entries[i].live)
			apply_one(x, &m->entries[i], INDEX_ADD);
	}
}

static void maintain(struct index *x)
{
	while (index_maintain(x, NULL) == 1)
		;
}

static struct index_stats stats(struct index *x)
{
	struct index_stats s;

	index_stats(x, &s);
	return s;
}

/* The best by the graph and by a scan are the same, and none is dead. */
static void check_answers(struct index *x, const struct model *m)
{
	struct rng r = { 3 };

	for (int i = 0; i < 20; i++) {
		struct arena *a = arena_new(4096);
		struct index_result walked = { 0 }, scanned = { 0 };
		float v[DIM];
		struct index_query q = { .vector = v, .k = 10, .all_groups = 1 };
		random_unit(&r, DIM, v);
		assert_int_equal(index_search(x, &q, a, &walked, NULL), 0);
		q.exact = 1;
		assert_int_equal(index_search(x, &q, a, &scanned, NULL), 0);
		assert_int_equal(walked.n, scanned.n);
		for (size_t j = 0; j < walked.n; j++) {
			assert_int_equal(walked.hits[j].entry, scanned.hits[j].entry);
			assert_true(m->entries[walked.hits[j].entry - 1].live);
		}
		arena_free(a);
	}
}

/* A saved graph of all entries of the model. */
static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");

	snprintf(w->folder, sizeof(w->folder), "%s/index-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(w->folder))
		return -1;
	snprintf(w->file, sizeof(w->file), "%s/documents.graph", w->folder);
	w->model = model_new(DIM, ENTRIES, 8);
	for (size_t i = 0; i < ENTRIES; i++)
		model_fill(w->model, &w->model->entries[i]);
	struct index *x = open_index(w, 1);
	add_all(x, w->model);
	maintain(x);
	struct error e = { 0 };
	if (index_save(x, &e) < 0)
		fail_msg("%s", e.message);
	index_close(x);
	*state = w;
	return file_exists(w->file) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char **names = NULL, path[600];
	size_t n = 0;

	folder_list(w->folder, &names, &n, NULL);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", w->folder, names[i]);
		unlink(path);
	}
	free(names);
	rmdir(w->folder);
	model_free(w->model);
	free(w);
	return 0;
}

static void test_files__a_saved_graph_is_taken_up_again(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w, 1);

	assert_int_equal(stats(x).graph_rows, 0);
	assert_int_equal(stats(x).dead_rows, 0); /* they are expected */
	add_all(x, w->model);
	assert_int_equal(stats(x).graph_rows, stats(x).rows);
	assert_int_equal(stats(x).broken_files, 0);
	assert_int_equal(index_maintain(x, NULL), 0); /* nothing to build */
	check_answers(x, w->model);
	index_close(x);
}

static void test_files__maintenance_before_the_adds_does_no_harm(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w, 1);

	maintain(x);
	add_all(x, w->model);
	assert_int_equal(stats(x).graph_rows, stats(x).rows);
	check_answers(x, w->model);
	index_close(x);
}

static void test_files__what_was_deleted_since_stays_dead(void **state)
{
	struct world *w = *state;
	struct index *x;

	for (size_t i = 0; i < ENTRIES; i += 3)
		w->model->entries[i].live = 0;
	for (size_t i = 1; i < ENTRIES; i += 3)
		model_fill(w->model, &w->model->entries[i]); /* new rows in place of the old */
	for (int round = 0; round < 3; round++) {
		x = open_index(w, 1);
		add_all(x, w->model);
		check_answers(x, w->model);
		maintain(x);
		check_answers(x, w->model);
		assert_int_equal(stats(x).graph_rows, stats(x).rows);
		assert_int_equal(index_save(x, NULL), 0);
		index_close(x);
	}
	x = open_index(w, 1);
	add_all(x, w->model);
	maintain(x);
	assert_int_equal(stats(x).dead_rows, 0); /* was more than half: made anew */
	index_close(x);
}

static void test_files__tombstones_are_given_up_at_the_next_save(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < 40; i++)
		w->model->entries[i].live = 0;
	struct index *x = open_index(w, 1);
	add_all(x, w->model);
	assert_int_equal(stats(x).dead_rows, 0);
	apply_one(x, &w->model->entries[50], INDEX_DELETE); /* so that there is something to save */
	assert_int_equal(index_save(x, NULL), 0);
	assert_true(stats(x).dead_rows > 0);
	size_t dead = stats(x).dead_rows;
	index_close(x);
	w->model->entries[50].live = 0;
	x = open_index(w, 1);
	add_all(x, w->model);
	assert_int_equal(stats(x).dead_rows, dead);
	check_answers(x, w->model);
	index_close(x);
}

static void test_files__of_another_embedder_are_not_used(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w, 2);

	add_all(x, w->model);
	assert_int_equal(stats(x).graph_rows, 0);
	assert_int_equal(stats(x).broken_files, 0);
	maintain(x);
	assert_int_equal(index_save(x, NULL), 0);
	index_close(x);
	x = open_index(w, 2);
	add_all(x, w->model);
	assert_int_equal(stats(x).graph_rows, stats(x).rows);
	index_close(x);
}

/* Opens with this in place of the file: it must be found broken, removed, and do without. */
static void check_broken(const struct world *w, const char *bytes, size_t n, const char *what, size_t at)
{
	assert_int_equal(file_write(w->file, bytes, n, NULL), 0);
	struct index *x = open_index(w, 1);
	if (stats(x).broken_files != 1 || file_exists(w->file))
		fail_msg("%s %zu went unnoticed", what, at);
	index_close(x);
}

static void test_files__every_flipped_byte_is_noticed(void **state)
{
	struct world *w = *state;
	struct rng r = { 4711 };
	char *bytes;
	size_t n;

	assert_int_equal(file_read(w->file, &bytes, &n, NULL), 0);
	for (int i = 0; i < 280; i++) {
		size_t at = i < 80 ? (size_t)i : rng_below(&r, n); /* all of the header, then anywhere */
		char flip = (char)(1 << rng_below(&r, 8));
		bytes[at] ^= flip;
		/* The embedder's id is the only part of which another value is no damage, but the checksum knows. */
		check_broken(w, bytes, n, "the flip of byte", at);
		bytes[at] ^= flip;
	}
	free(bytes);
}

static void test_files__every_cut_is_noticed(void **state)
{
	struct world *w = *state;
	struct rng r = { 4711 };
	char *bytes;
	size_t n;

	assert_int_equal(file_read(w->file, &bytes, &n, NULL), 0);
	for (size_t i = 0; i < 120; i++) {
		size_t at = i < 90 ? i : rng_below(&r, n);
		check_broken(w, bytes, at, "the cut at", at);
	}
	char *longer = calloc(1, n + 1);
	memcpy(longer, bytes, n);
	check_broken(w, longer, n + 1, "a byte more at", n);
	free(longer);
	free(bytes);
}

static void test_files__after_damage_it_is_built_anew(void **state)
{
	struct world *w = *state;

	check_broken(w, "rubbish", 7, "rubbish", 0);
	struct index *x = open_index(w, 1);
	add_all(x, w->model);
	maintain(x);
	assert_int_equal(index_save(x, NULL), 0);
	check_answers(x, w->model);
	index_close(x);
	x = open_index(w, 1);
	add_all(x, w->model);
	assert_int_equal(stats(x).graph_rows, stats(x).rows);
	index_close(x);
}

static void test_files__leftovers_of_a_crash_are_removed(void **state)
{
	struct world *w = *state;
	char tmp[320];

	snprintf(tmp, sizeof(tmp), "%s.tmp", w->file);
	FILE *f = fopen(tmp, "wb");
	fputs("half", f);
	fclose(f);
	index_close(open_index(w, 1));
	assert_false(file_exists(tmp));
	assert_true(file_exists(w->file));
}

static void test_files__a_reader_beside_the_writer_touches_nothing(void **state)
{
	struct world *w = *state;
	struct index_options o = {
		.folder = w->folder, .dim = DIM, .words = model_words(w->model), .id = 1, .read_only = 1
	};
	struct index *x;
	struct error e;
	char tmp[320];

	snprintf(tmp, sizeof(tmp), "%s.tmp", w->file);
	assert_int_equal(file_write(w->file, "rubbish", 7, &e), 0);
	assert_int_equal(file_write(tmp, "half", 4, &e), 0);
	assert_int_equal(index_open(&o, &x, &e), 0);
	add_all(x, w->model);
	assert_int_equal(index_save(x, &e), 0);
	index_close(x);
	assert_true(file_exists(tmp));
	assert_int_equal(file_size(w->file), 7);
}

static void test_files__a_folder_that_cannot_be_made_is_an_error(void **state)
{
	struct world *w = *state;
	struct index_options o = { .folder = w->file, .dim = DIM };
	struct index *x = NULL;
	struct error e = { 0 };

	assert_int_equal(index_open(&o, &x, &e), ERR_FOLDER);
	assert_null(x);
	assert_int_equal(e.code, ERR_FOLDER);
}

static void test_files__a_failed_save_keeps_the_old_file(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w, 1);
	char tmp[320];
	struct error e = { 0 };

	add_all(x, w->model);
	apply_one(x, &w->model->entries[0], INDEX_DELETE);
	snprintf(tmp, sizeof(tmp), "%s.tmp", w->file);
	assert_int_equal(folder_make(tmp, NULL), 0); /* in the way of the temporary file */
	assert_int_equal(index_save(x, &e), ERR_IO);
	assert_true(file_exists(w->file));
	rmdir(tmp);
	/* A disk that fills up in mid-write. */
	struct rlimit old, small;
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ 20000, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	int rc = index_save(x, &e);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rc, ERR_IO);
	assert_false(file_exists(tmp));
	assert_true(file_size(w->file) > 20000);
	assert_int_equal(index_save(x, &e), 0); /* it is still to be saved */
	index_close(x);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files__a_saved_graph_is_taken_up_again),
		TEST(test_files__maintenance_before_the_adds_does_no_harm),
		TEST(test_files__what_was_deleted_since_stays_dead),
		TEST(test_files__tombstones_are_given_up_at_the_next_save),
		TEST(test_files__of_another_embedder_are_not_used),
		TEST(test_files__every_flipped_byte_is_noticed),
		TEST(test_files__every_cut_is_noticed),
		TEST(test_files__after_damage_it_is_built_anew),
		TEST(test_files__leftovers_of_a_crash_are_removed),
		TEST(test_files__a_reader_beside_the_writer_touches_nothing),
		TEST(test_files__a_folder_that_cannot_be_made_is_an_error),
		TEST(test_files__a_failed_save_keeps_the_old_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
