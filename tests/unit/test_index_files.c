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
	char folder[256], manifest[300];
	char **files; /* the names of the folder when it was made */
	size_t n_files;
};

static int open_with(const struct world *w, struct index_options o, struct index **x, struct error *e)
{
	o.folder = w->folder;
	o.dim = DIM;
	o.words = model_words(w->model);
	int rc = index_open(&o, x, e);
	if (rc < 0)
		return rc;
	index_tuning(*x)->scan_rows = 0;
	index_tuning(*x)->links_rows = 64;
	index_tuning(*x)->large_rows = 128;
	index_tuning(*x)->small_docs = 32;
	index_tuning(*x)->merge_docs = 32;
	return 0;
}

static struct index *open_index(const struct world *w)
{
	struct error e = { 0 };
	struct index *x = NULL;

	if (open_with(w, (struct index_options){ .id = 1 }, &x, &e) < 0)
		fail_msg("%s", e.message);
	return x;
}

static void apply_one(struct index *x, const struct model_entry *e, enum index_op op)
{
	struct index_change c = model_change(e, op);

	assert_int_equal(index_apply(x, index_seq(x) + 1, &c, 1, NULL), 0);
}

/* What whoever opens an index does: puts what it lacks. */
static size_t add_lacking(struct index *x, const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->entries[i].live && !index_has(x, COLLECTION_DOCUMENT, m->entries[i].id)) {
			apply_one(x, &m->entries[i], INDEX_ADD);
			n++;
		}
	}
	return n;
}

static int mark_of(void *arg, uint64_t seq, unsigned char mark[INDEX_MARK])
{
	(void)arg;
	memset(mark, (int)(seq & 0xff), INDEX_MARK);
	return 0;
}

static void save(struct index *x)
{
	struct error e = { 0 };
	uint64_t seq = 0;

	if (index_save(x, mark_of, NULL, &seq, &e) < 0)
		fail_msg("%s", e.message);
	assert_int_equal(seq, index_seq(x));
}

static void maintain(struct index *x)
{
	while (index_maintain(x, 1, NULL) == 1)
		;
}

static struct index_stats stats(struct index *x)
{
	struct index_stats s;

	index_stats(x, &s);
	return s;
}

/* Several segments on disk, one of them with a graph, some entries dead or moved. */
static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");

	snprintf(w->folder, sizeof(w->folder), "%s/index-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(w->folder))
		return -1;
	snprintf(w->manifest, sizeof(w->manifest), "%s/manifest", w->folder);
	w->model = model_new(DIM, ENTRIES, 8);
	struct index *x = open_index(w);
	for (size_t i = 0; i < ENTRIES; i++) {
		model_fill(w->model, &w->model->entries[i]);
		if (i < 200)
			apply_one(x, &w->model->entries[i], INDEX_ADD);
	}
	maintain(x);
	for (size_t i = 0; i < ENTRIES; i++) {
		struct model_entry *e = &w->model->entries[i];
		e->live = i % 9 != 0;
		if (!e->live && i < 200)
			apply_one(x, e, INDEX_DELETE);
		else if (e->live && i >= 200)
			apply_one(x, e, INDEX_ADD);
	}
	save(x);
	assert_true(stats(x).segments > 1);
	assert_true(stats(x).graph_rows > 0);
	assert_true(stats(x).dead_rows > 0);
	index_close(x);
	*state = w;
	return folder_list(w->folder, &w->files, &w->n_files, NULL);
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
	free(w->files);
	model_free(w->model);
	free(w);
	return 0;
}

static void test_files__what_was_saved_is_there_again(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w);
	struct index_stats before = stats(x);

	assert_int_equal(before.broken_files, 0);
	assert_true(before.segments > 1);
	assert_true(before.graph_rows > 0);
	assert_int_equal(index_mark(x)[0], index_seq(x) & 0xff);
	model_check(x, w->model);
	assert_int_equal(add_lacking(x, w->model), 0);
	save(x);
	index_close(x);
	x = open_index(w);
	assert_int_equal(stats(x).segments, before.segments);
	assert_int_equal(stats(x).dead_rows, before.dead_rows);
	index_close(x);
}

static void test_files__the_dead_and_the_retagged_stay_so(void **state)
{
	struct world *w = *state;
	struct index *x;

	for (int round = 0; round < 4; round++) {
		x = open_index(w);
		model_check(x, w->model);
		for (size_t i = (size_t)round; i < ENTRIES; i += 7) {
			struct model_entry *e = &w->model->entries[i];
			if (e->live && i % 2) {
				e->live = 0;
				apply_one(x, e, INDEX_DELETE);
			} else if (e->live) {
				model_retag(w->model, e);
				apply_one(x, e, INDEX_RETAG);
			}
		}
		model_check(x, w->model);
		if (round % 2)
			maintain(x);
		save(x);
		model_check(x, w->model);
		index_close(x);
	}
	x = open_index(w);
	model_check(x, w->model);
	index_close(x);
}

static void test_files__what_was_not_saved_is_not_there(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w);
	uint64_t seq = index_seq(x);

	w->model->entries[9].live = 1; /* dead when saved */
	apply_one(x, &w->model->entries[9], INDEX_ADD);
	index_close(x);
	x = open_index(w);
	assert_int_equal(index_seq(x), seq);
	assert_int_equal(add_lacking(x, w->model), 1);
	model_check(x, w->model);
	index_close(x);
}

static void test_files__of_another_embedder_are_not_used(void **state)
{
	struct world *w = *state;
	struct index *x;

	assert_int_equal(open_with(w, (struct index_options){ .id = 2 }, &x, NULL), 0);
	assert_int_equal(index_seq(x), 0);
	assert_int_equal(stats(x).rows, 0);
	assert_int_equal(stats(x).broken_files, 0);
	add_lacking(x, w->model);
	maintain(x);
	save(x);
	index_close(x);
	assert_int_equal(open_with(w, (struct index_options){ .id = 2 }, &x, NULL), 0);
	assert_true(stats(x).graph_rows > 0);
	model_check(x, w->model);
	index_close(x);
}

static void test_files__fresh_begins_empty_and_replaces(void **state)
{
	struct world *w = *state;
	struct index *x;

	assert_int_equal(open_with(w, (struct index_options){ .id = 1, .fresh = 1 }, &x, NULL), 0);
	assert_int_equal(stats(x).rows, 0);
	add_lacking(x, w->model);
	save(x);
	index_close(x);
	x = open_index(w);
	assert_int_equal(stats(x).broken_files, 0);
	model_check(x, w->model);
	index_close(x);
}

static void path_of(const struct world *w, const char *name, char out[600])
{
	snprintf(out, 600, "%s/%s", w->folder, name);
}

/* The folder's files as they are on disk. */
struct copy {
	char *bytes[64];
	size_t sizes[64];
};

static void take_copy(const struct world *w, struct copy *c)
{
	char path[600];

	assert_true(w->n_files <= 64);
	for (size_t i = 0; i < w->n_files; i++) {
		path_of(w, w->files[i], path);
		assert_int_equal(file_read(path, &c->bytes[i], &c->sizes[i], NULL), 0);
	}
}

static void put_file(const struct world *w, size_t i, const char *bytes, size_t n)
{
	char path[600];

	path_of(w, w->files[i], path);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void put_copy(const struct world *w, const struct copy *c)
{
	for (size_t i = 0; i < w->n_files; i++)
		put_file(w, i, c->bytes[i], c->sizes[i]);
}

static void free_copy(const struct world *w, struct copy *c)
{
	for (size_t i = 0; i < w->n_files; i++)
		free(c->bytes[i]);
}

/* Opens: damage must be found; what remains, and what is put again, must be right. */
static void check_broken(const struct world *w, const char *what, size_t file, size_t at, int answers)
{
	struct index *x = open_index(w);

	if (stats(x).broken_files != 1)
		fail_msg("%s %zu of %s went unnoticed", what, at, w->files[file]);
	if (answers) {
		add_lacking(x, w->model);
		model_check(x, w->model);
	}
	index_close(x);
}

static void test_files__every_flipped_byte_is_noticed(void **state)
{
	struct world *w = *state;
	struct rng r = { 4711 };
	struct copy c = { 0 };

	take_copy(w, &c);
	for (size_t i = 0; i < 1000; i++) {
		size_t file = i % w->n_files, turn = i / w->n_files;
		size_t at = turn < 40 ? turn * 7 % c.sizes[file] : rng_below(&r, c.sizes[file]);
		char flip = (char)(1 << rng_below(&r, 8));
		c.bytes[file][at] ^= flip;
		put_copy(w, &c);
		check_broken(w, "the flip of byte", file, at, i % 20 == 0);
		c.bytes[file][at] ^= flip;
	}
	free_copy(w, &c);
}

static void test_files__every_cut_is_noticed(void **state)
{
	struct world *w = *state;
	struct rng r = { 4711 };
	struct copy c = { 0 };

	take_copy(w, &c);
	for (size_t i = 0; i < 200; i++) {
		size_t file = i % w->n_files, at = i < 60 ? i / w->n_files : rng_below(&r, c.sizes[file]);
		put_copy(w, &c);
		put_file(w, file, c.bytes[file], at);
		check_broken(w, "the cut at", file, at, i % 20 == 0);
	}
	for (size_t file = 0; file < w->n_files; file++) {
		char *longer = calloc(1, c.sizes[file] + 1);
		memcpy(longer, c.bytes[file], c.sizes[file]);
		put_copy(w, &c);
		put_file(w, file, longer, c.sizes[file] + 1);
		check_broken(w, "a byte more at", file, c.sizes[file], 1);
		free(longer);
	}
	free_copy(w, &c);
}

static void test_files__one_that_is_gone_is_noticed(void **state)
{
	struct world *w = *state;
	struct copy c = { 0 };
	char path[600];

	take_copy(w, &c);
	for (size_t file = 0; file < w->n_files; file++) {
		put_copy(w, &c);
		path_of(w, w->files[file], path);
		unlink(path);
		if (strcmp(w->files[file], "manifest") != 0) {
			check_broken(w, "the loss", file, 0, 1);
			continue;
		}
		/* Without a manifest there is no index; the segments are leftovers. */
		struct index *x = open_index(w);
		assert_int_equal(stats(x).rows, 0);
		index_close(x);
	}
	free_copy(w, &c);
}

static void test_files__after_damage_a_save_makes_them_whole(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->n_files; i++) {
		struct index *x = open_index(w);
		add_lacking(x, w->model);
		save(x);
		index_close(x);
		put_file(w, i, "rubbish", 7);
	}
	struct index *x = open_index(w);
	assert_true(stats(x).broken_files > 0);
	add_lacking(x, w->model);
	maintain(x);
	save(x);
	model_check(x, w->model);
	index_close(x);
	x = open_index(w);
	assert_int_equal(stats(x).broken_files, 0);
	model_check(x, w->model);
	assert_int_equal(add_lacking(x, w->model), 0);
	index_close(x);
}

static void test_files__damage_after_loading_is_found_and_mended(void **state)
{
	struct world *w = *state;
	struct rng r = { 4712 };
	struct copy c = { 0 };
	struct index *x = open_index(w);

	assert_int_equal(index_scrub(x), 0);
	take_copy(w, &c);
	for (size_t i = 0; i < 200; i++) {
		size_t file = i % w->n_files, at = rng_below(&r, c.sizes[file]);
		char flip = (char)(1 << rng_below(&r, 8));
		c.bytes[file][at] ^= flip;
		put_file(w, file, c.bytes[file], c.sizes[file]);
		c.bytes[file][at] ^= flip;
		if (index_scrub(x) != 1)
			fail_msg("the flip of byte %zu of %s went unnoticed", at, w->files[file]);
		save(x);
		if (index_scrub(x) != 0)
			fail_msg("%s was not written anew", w->files[file]);
	}
	assert_int_equal(stats(x).broken_files, 200);
	model_check(x, w->model);
	index_close(x);
	x = open_index(w);
	assert_int_equal(stats(x).broken_files, 0);
	model_check(x, w->model);
	index_close(x);
	free_copy(w, &c);
}

static void test_files__leftovers_of_a_crash_are_removed(void **state)
{
	struct world *w = *state;
	static const char *const left[] = { "manifest.tmp", "documents-000999.segment", "documents.graph" };
	char path[600];

	for (size_t i = 0; i < 3; i++) {
		path_of(w, left[i], path);
		assert_int_equal(file_write(path, "half", 4, NULL), 0);
	}
	struct index *x = open_index(w);
	assert_int_equal(stats(x).broken_files, 0);
	model_check(x, w->model);
	index_close(x);
	for (size_t i = 0; i < 3; i++) {
		path_of(w, left[i], path);
		assert_false(file_exists(path));
	}
}

static void test_files__a_reader_beside_the_writer_touches_nothing(void **state)
{
	struct world *w = *state;
	struct index *x;
	char tmp[600];

	path_of(w, "manifest.tmp", tmp);
	assert_int_equal(file_write(w->manifest, "rubbish", 7, NULL), 0);
	assert_int_equal(file_write(tmp, "half", 4, NULL), 0);
	assert_int_equal(open_with(w, (struct index_options){ .id = 1, .read_only = 1 }, &x, NULL), 0);
	add_lacking(x, w->model);
	model_check(x, w->model);
	assert_int_equal(index_save(x, mark_of, NULL, NULL, NULL), 0);
	index_close(x);
	assert_true(file_exists(tmp));
	assert_int_equal(file_size(w->manifest), 7);
}

static void test_files__a_folder_that_cannot_be_made_is_an_error(void **state)
{
	struct world *w = *state;
	struct index_options o = { .folder = w->manifest, .dim = DIM };
	struct index *x = NULL;
	struct error e = { 0 };

	assert_int_equal(index_open(&o, &x, &e), ERR_FOLDER);
	assert_null(x);
	assert_int_equal(e.code, ERR_FOLDER);
}

/* A disk on which no file gets larger than this. */
static int save_on_a_full_disk(struct index *x, size_t most, struct error *e)
{
	struct rlimit old, small;

	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ most, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	int rc = index_save(x, mark_of, NULL, NULL, e);
	setrlimit(RLIMIT_FSIZE, &old);
	return rc;
}

static void test_files__a_failed_save_keeps_what_was_saved(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w);
	uint64_t seq = index_seq(x);
	struct error e = { 0 };

	for (size_t i = 0; i < ENTRIES; i += 2) {
		if (w->model->entries[i].live)
			apply_one(x, &w->model->entries[i], INDEX_RETAG);
	}
	maintain(x);
	assert_int_equal(save_on_a_full_disk(x, 5000, &e), ERR_IO);
	assert_string_not_equal(e.message, "");
	model_check(x, w->model);
	struct index *reader;
	assert_int_equal(open_with(w, (struct index_options){ .id = 1, .read_only = 1 }, &reader, &e), 0);
	assert_int_equal(stats(reader).broken_files, 0);
	assert_int_equal(index_seq(reader), seq);
	model_check(reader, w->model);
	index_close(reader);
	save(x); /* there is room again */
	index_close(x);
	x = open_index(w);
	assert_true(index_seq(x) > seq);
	model_check(x, w->model);
	index_close(x);
}

static int no_mark(void *arg, uint64_t seq, unsigned char mark[INDEX_MARK])
{
	(void)arg, (void)seq, (void)mark;
	return -1;
}

static void test_files__without_a_mark_nothing_is_saved(void **state)
{
	struct world *w = *state;
	struct index *x = open_index(w);
	uint64_t seq = index_seq(x);

	apply_one(x, &w->model->entries[1], INDEX_RETAG);
	assert_int_equal(index_save(x, no_mark, NULL, NULL, NULL), ERR_IO);
	index_close(x);
	x = open_index(w);
	assert_int_equal(index_seq(x), seq);
	index_close(x);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files__what_was_saved_is_there_again),
		TEST(test_files__the_dead_and_the_retagged_stay_so),
		TEST(test_files__what_was_not_saved_is_not_there),
		TEST(test_files__of_another_embedder_are_not_used),
		TEST(test_files__fresh_begins_empty_and_replaces),
		TEST(test_files__every_flipped_byte_is_noticed),
		TEST(test_files__every_cut_is_noticed),
		TEST(test_files__one_that_is_gone_is_noticed),
		TEST(test_files__after_damage_a_save_makes_them_whole),
		TEST(test_files__damage_after_loading_is_found_and_mended),
		TEST(test_files__leftovers_of_a_crash_are_removed),
		TEST(test_files__a_reader_beside_the_writer_touches_nothing),
		TEST(test_files__a_folder_that_cannot_be_made_is_an_error),
		TEST(test_files__a_failed_save_keeps_what_was_saved),
		TEST(test_files__without_a_mark_nothing_is_saved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
