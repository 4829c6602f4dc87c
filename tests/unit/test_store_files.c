/* test_store_files.c: the embedded engine and its folder: disks, damage, formats, embedders, other processes. */
#include "store_fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

/* --- disks ------------------------------------------------------------------------------------------------ */

static void test_store__a_full_disk_refuses_what_does_not_fit_and_goes_on(void **state)
{
	struct store_fixture *f = *state;
	char *big = arena_alloc(f->a, 400001);
	struct store_doc huge = { .id = "huge", .text = big, .no_entry = 1 };
	struct commit c;
	int written = 0, rc;

	for (int i = 0; i < 400000; i++)
		big[i] = (char)('a' + (i * 7 + i / 31) % 26);
	f->options.max_bytes = 1110000;
	store_open(f);
	do {
		struct store_doc d = { .id = arena_printf(f->a, "d%d", written),
				       .text = arena_printf(f->a, "%d %.5000s", written, big) };
		rc = store_try(f, &d, 0, &c);
		written += rc == 0;
		assert_true(written < 1000);
	} while (rc == 0 && written < 20);
	assert_int_equal(store_try(f, &huge, 0, &c), ERR_DISK_FULL);
	assert_false(store_has(f, "huge"));
	/* many at once: only those that do not fit fail */
	struct store_doc docs[3] = { { .id = "x" },
				     { .id = "y", .text = big, .no_entry = 1 },
				     { .id = "z" } };
	struct event ev[3];
	struct commit out[3];
	for (int i = 0; i < 3; i++)
		ev[i] = (struct event){ .stream = docs[i].id,
					.expect = 0,
					.kind = "put",
					.changes = store_change(f->a, &docs[i]),
					.n = 1 };
	assert_int_equal(engine_commit_many(f->g, ev, 3, out, &f->e), 0);
	assert_int_equal(out[0].code, 0);
	assert_int_equal(out[1].code, ERR_DISK_FULL);
	assert_int_equal(out[2].code, 0);
	struct engine_status s;
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_false(s.read_only);
	store_reopen(f);
	assert_true(store_has(f, "x") && store_has(f, "z") && !store_has(f, "y"));
	assert_true(store_has(f, arena_printf(f->a, "d%d", written - 1)));
	store_close(f);
	assert_int_equal(store_verify(f), 0);
}

/* --- files and formats ---------------------------------------------------------------------------------- */

static void test_store__what_was_written_is_there_after_a_new_start(void **state)
{
	struct store_fixture *f = *state;
	const char *ids[4];
	struct entry_row *rows;
	size_t n;

	store_history(f);
	struct commit c = store_put(
		f, (struct store_doc){ .id = "e", .text = "zebra", .lang = "de", .group = "tier1" });
	store_reopen(f);
	assert_int_equal(store_find(f, "zebra", ids, 4), 1);
	assert_string_equal(ids[0], "e");
	assert_int_equal(store_find(f, "order", ids, 4), 1); /* the text of `a` before has gone */
	assert_string_equal(ids[0], "b");
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "e", f->a, &rows, &n, &f->e), 0);
	assert_int_equal(n, 2);
	assert_non_null(rows[1].vector);
	assert_int_equal(rows[1].end, 5);
	int64_t revision;
	assert_int_equal(engine_revision(f->g, "document/a", &revision, &f->e), 0);
	assert_int_equal(revision, 2);
	struct commit next = store_put(f, (struct store_doc){ .id = "f" });
	assert_int_equal(next.seq, c.seq + 1);
}

static void test_store__files_are_for_the_owner_alone(void **state)
{
	struct store_fixture *f = *state;
	const char *names[] = { "readback.db", "readback.db-wal", "secret", "." };

	store_put(f, (struct store_doc){ .id = "a" });
	for (size_t i = 0; i < 4; i++) {
		struct stat st;
		char path[400];
		snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
}

static void test_store__one_folder_one_writer(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(store_open_fails(f), ERR_FOLDER_IN_USE);
	store_reopen(f);
}

/* Whoever only reads records need not hold an index in memory. */
static void test_store__records_are_read_without_an_index(void **state)
{
	struct store_fixture *f = *state;
	uint64_t frequency = 0;
	const struct term term = { .word = "refund", .stem = "refund", .weight = 1 };

	store_history(f);
	int there = store_has(f, "a");
	store_close(f);
	f->options.read_only = f->options.no_index = 1;
	store_open(f);
	assert_int_equal(store_has(f, "a"), there);
	assert_int_equal(engine_frequencies(f->g, COLLECTION_DOCUMENT, &term, 1, &frequency, &f->e),
			 ERR_NOT_READY);
}

static void test_store__a_newer_format_is_left_alone(void **state)
{
	struct store_fixture *f = *state;

	store_close(f);
	store_sql(f, "PRAGMA user_version = 1000");
	assert_int_equal(store_open_fails(f), ERR_NEWER_FORMAT);
	f->options.read_only = 1;
	assert_int_equal(store_open_fails(f), ERR_NEWER_FORMAT);
}

/* `as_before` makes the database one of an older format, without the kind's table. */
static void is_migrated(struct store_fixture *f, const char *as_before, enum record_kind kind)
{
	json_t *body = json_pack("{s:s}", "type", "any");
	struct change put = { .kind = kind, .id = "r", .body = body };
	struct event ev = { .stream = "one", .kind = "one.put", .changes = &put, .n = 1 };
	struct commit done;
	struct record r;

	store_history(f);
	int before = store_has(f, "a");
	store_close(f);
	store_sql(f, as_before);
	f->options.read_only = 1;
	assert_int_equal(store_open_fails(f), ERR_NOT_READY);
	f->options.read_only = 0;
	store_open(f);
	assert_int_equal(store_has(f, "a"), before);
	assert_int_equal(engine_commit(f->g, &ev, &done, &f->e), 0);
	assert_int_equal(engine_get(f->g, kind, "r", f->a, &r, &f->e), 0);
	json_decref(body);
	store_close(f);
	assert_int_equal(store_verify(f), 0);
	store_open(f);
}

static void test_store__format_1_gets_the_tables_of_newer_kinds(void **state)
{
	is_migrated(*state, "DROP TABLE rules; PRAGMA user_version = 1", RECORD_RULE);
}

static void test_store__format_3_gets_the_table_of_evals(void **state)
{
	is_migrated(*state, "DROP TABLE evals; PRAGMA user_version = 3", RECORD_EVAL);
}

static void test_store__format_4_gets_the_table_of_subjects(void **state)
{
	is_migrated(*state, "DROP TABLE subjects; PRAGMA user_version = 4", RECORD_SUBJECT);
}

static void test_store__a_database_of_others_is_not_taken(void **state)
{
	struct store_fixture *f = *state;

	store_close(f);
	store_sql(f, "PRAGMA application_id = 7");
	assert_int_equal(store_open_fails(f), ERR_CORRUPT);
}

static void test_store__damage_is_told_not_hidden(void **state)
{
	struct store_fixture *f = *state;
	char *whole;
	size_t n;

	for (int i = 0; i < 200; i++)
		store_put(f, (struct store_doc){ .id = arena_printf(f->a, "d%d", i),
						 .text = "some words",
						 .seed = (unsigned)i });
	store_close(f);
	assert_int_equal(file_read(f->database, &whole, &n, &f->e), 0);
	assert_int_equal(file_write(f->database, whole, n / 3 / 8192 * 8192, &f->e), 0); /* cut short */
	assert_int_equal(store_open_fails(f), ERR_CORRUPT);
	assert_int_equal(file_write(f->database, whole, 5000, &f->e), 0); /* within the first page */
	assert_int_equal(store_open_fails(f), ERR_CORRUPT);
	memset(whole, 'x', 4096); /* no header */
	assert_int_equal(file_write(f->database, whole, n, &f->e), 0);
	assert_int_equal(store_open_fails(f), ERR_CORRUPT);
	free(whole);
}

static void test_store__a_lost_secret_is_told(void **state)
{
	struct store_fixture *f = *state;
	char path[400];

	store_close(f);
	snprintf(path, sizeof(path), "%s/secret", f->folder);
	assert_int_equal(file_write(path, "short", 5, &f->e), 0);
	assert_int_equal(store_open_fails(f), ERR_CORRUPT);
	assert_int_equal(file_remove(path, &f->e), 0);
	assert_int_equal(store_open_fails(f), ERR_CORRUPT);
}

static void test_store__a_folder_that_is_none_is_told(void **state)
{
	struct store_fixture *f = *state;

	f->options.read_only = 1;
	assert_int_equal(store_open_fails(f), ERR_NOT_FOUND);
	f->options.read_only = 0;
	assert_int_equal(file_write(f->folder, "a file", 6, &f->e), 0);
	assert_int_equal(store_open_fails(f), ERR_FOLDER);
}

/* --- embedders -------------------------------------------------------------------------------------------- */

static void test_store__vectors_of_another_embedder_are_refused(void **state)
{
	struct store_fixture *f = *state;
	struct engine_status s;

	/* an empty database takes any */
	f->embedder.id = "other";
	store_reopen(f);
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_string_equal(s.embedder, "");
	f->embedder.id = "test";
	store_reopen(f);
	store_put(f, (struct store_doc){ .id = "a" });
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_string_equal(s.embedder, "test");
	store_close(f);
	f->embedder.precision = "bf16"; /* mixes */
	store_open(f);
	store_close(f);
	f->embedder.dim = 16;
	assert_int_equal(store_open_fails(f), ERR_WRONG_DIMENSION);
	f->embedder.dim = STORE_DIM;
	f->embedder.weights = "sha256:2";
	assert_int_equal(store_open_fails(f), ERR_WRONG_DIMENSION);
	f->embedder.weights = "sha256:1";
	f->embedder.id = "other";
	assert_int_equal(store_open_fails(f), ERR_WRONG_DIMENSION);
	/* words alone: what is there stays, and its vectors are of use to who brings some */
	f->embedder = (struct embedder_info){ "none", 0, "", "", 0 };
	store_open(f);
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_string_equal(s.embedder, "test");
	assert_int_equal(s.dim, STORE_DIM);
}

static void test_store__vectors_without_an_embedder_are_refused(void **state)
{
	struct store_fixture *f = *state;
	struct commit c;
	struct store_doc d = { .id = "a" };

	f->embedder = (struct embedder_info){ "none", 0, "", "", 0 };
	store_reopen(f);
	assert_int_equal(store_try(f, &d, 0, &c), ERR_WRONG_DIMENSION);
	d.no_entry = 1;
	assert_int_equal(store_try(f, &d, 0, &c), 0);
}

/* --- other processes ----------------------------------------------------------------------------------- */

/* Forks before this process has threads; the child waits until it is told to go. */
static pid_t fork_waiting(int pipe_fd[2])
{
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char c;
		close(pipe_fd[1]);
		if (read(pipe_fd[0], &c, 1) != 1)
			_exit(100);
	}
	return pid;
}

static int read_beside(struct store_fixture *f)
{
	struct embedded_options o = f->options;
	struct engine *g;
	struct record r;
	const struct event ev = { .stream = "x", .expect = ENGINE_ANY, .kind = "x" };
	struct commit c;

	o.read_only = 1;
	if (embedded_open(&o, &g, &f->e) < 0)
		return 1;
	if (engine_get(g, RECORD_DOCUMENT, "a", f->a, &r, &f->e) < 0)
		return 2;
	if (engine_commit(g, &ev, &c, &f->e) != ERR_READ_ONLY)
		return 3;
	f->g = g;
	if (store_find(f, "zebra", NULL, 0) != 1)
		return 4;
	engine_close(g);
	return 0;
}

static void test_store__another_process_reads_beside_the_writer(void **state)
{
	struct store_fixture *f = *state;
	int fd[2], status;
	pid_t pid = fork_waiting(fd);

	if (pid == 0)
		_exit(read_beside(f));
	store_open(f);
	store_put(f, (struct store_doc){ .id = "a", .text = "zebra" });
	assert_int_equal(write(fd[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* and the writer has not noticed */
	store_put(f, (struct store_doc){ .id = "b", .text = "zebra" });
	assert_int_equal(store_find(f, "zebra", NULL, 0), 2);
	store_reopen(f);
	assert_int_equal(store_find(f, "zebra", NULL, 0), 2);
	close(fd[0]);
	close(fd[1]);
}

/* Writes documents for ever, and tells the number of each once it was acknowledged. */
static void write_for_ever(struct store_fixture *f, int out)
{
	f->options.no_background = 0;
	if (embedded_open(&f->options, &f->g, &f->e) < 0)
		_exit(1);
	for (uint32_t i = 0;; i++) {
		struct store_doc d = { .id = arena_printf(f->a, "d%u", i), .text = "kept words", .seed = i };
		struct commit c;
		if (store_try(f, &d, 0, &c) < 0 || write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void test_store__what_was_acknowledged_survives_kill_9(void **state)
{
	struct store_fixture *f = *state;

	for (int round = 0; round < 5; round++) {
		int fd[2];
		uint32_t last = 0, i, seen = 0;
		snprintf(f->folder, sizeof(f->folder), "%s/tenant%d", f->base, round);
		assert_int_equal(pipe(fd), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			write_for_ever(f, fd[1]);
		close(fd[1]);
		while (seen < 40u + 60u * (unsigned)round && read(fd[0], &i, sizeof(i)) == sizeof(i)) {
			last = i;
			seen++;
		}
		assert_int_equal(kill(pid, SIGKILL), 0);
		while (read(fd[0], &i, sizeof(i)) == sizeof(i))
			last = i;
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		close(fd[0]);
		store_open(f);
		struct engine_status s;
		assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
		assert_in_range(s.records[RECORD_DOCUMENT], last + 1,
				last + 2); /* the last may not have been told */
		for (i = 0; i <= last; i++)
			assert_true(store_has(f, arena_printf(f->a, "d%u", i)));
		assert_int_equal(s.index.entries[COLLECTION_DOCUMENT], s.records[RECORD_DOCUMENT]);
		store_close(f);
		assert_int_equal(store_verify(f), 0);
	}
}

/* --- upkeep ----------------------------------------------------------------------------------------------- */

static void note_progress(void *arg, size_t done, size_t total)
{
	(void)total;
	*(size_t *)arg = done;
}

static void test_store__reindex_makes_the_files_again(void **state)
{
	struct store_fixture *f = *state;
	size_t done = 0;

	for (int i = 0; i < 300; i++)
		store_put(f, (struct store_doc){ .id = arena_printf(f->a, "d%d", i),
						 .text = "words",
						 .seed = (unsigned)i });
	assert_int_equal(embedded_reindex(&f->options, note_progress, &done, &f->e), ERR_FOLDER_IN_USE);
	store_close(f);
	assert_int_equal(embedded_reindex(&f->options, note_progress, &done, &f->e), 0);
	assert_int_equal(done, 600);
	f->options.read_only = 1;
	assert_int_equal(embedded_reindex(&f->options, NULL, NULL, &f->e), ERR_READ_ONLY);
	f->options.read_only = 0;
	store_open(f);
	assert_int_equal(store_find(f, "words", NULL, 0), 100);
}

/* The write-ahead log and the change log do not grow for ever. */
static void test_store__logs_are_cut(void **state)
{
	struct store_fixture *f = *state;
	char *text = arena_alloc(f->a, 200001), wal[400];

	memset(text, 'x', 200000);
	for (int i = 0; i < 400; i++) {
		memcpy(text, arena_printf(f->a, "%06d", i), 6);
		store_put(f, (struct store_doc){ .id = "a", .text = text, .seed = (unsigned)i });
	}
	snprintf(wal, sizeof(wal), "%s-wal", f->database);
	assert_in_range(file_size(wal), 0, 60 << 20); /* 160 MB went through it */
	store_close(f);
	assert_int_equal(file_size(wal) > 0, 0);
	sqlite3 *h;
	sqlite3_stmt *s;
	assert_int_equal(sqlite3_open(f->database, &h), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(h, "SELECT count(*) FROM changes", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(s, 0), 0);
	sqlite3_finalize(s);
	sqlite3_close(h);
}

#define OPEN(t) cmocka_unit_test_setup_teardown(t, store_set_up, store_tear_down)
#define CLOSED(t) cmocka_unit_test_setup_teardown(t, store_set_up_closed, store_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* these fork, and must come before the process has threads */
		CLOSED(test_store__what_was_acknowledged_survives_kill_9),
		CLOSED(test_store__another_process_reads_beside_the_writer),
		CLOSED(test_store__a_full_disk_refuses_what_does_not_fit_and_goes_on),
		OPEN(test_store__what_was_written_is_there_after_a_new_start),
		OPEN(test_store__files_are_for_the_owner_alone),
		OPEN(test_store__one_folder_one_writer),
		OPEN(test_store__records_are_read_without_an_index),
		OPEN(test_store__a_newer_format_is_left_alone),
		OPEN(test_store__format_1_gets_the_tables_of_newer_kinds),
		OPEN(test_store__format_3_gets_the_table_of_evals),
		OPEN(test_store__format_4_gets_the_table_of_subjects),
		OPEN(test_store__a_database_of_others_is_not_taken),
		OPEN(test_store__damage_is_told_not_hidden),
		OPEN(test_store__a_lost_secret_is_told),
		CLOSED(test_store__a_folder_that_is_none_is_told),
		OPEN(test_store__vectors_of_another_embedder_are_refused),
		OPEN(test_store__vectors_without_an_embedder_are_refused),
		OPEN(test_store__reindex_makes_the_files_again),
		OPEN(test_store__logs_are_cut),
	};

	return cmocka_run_group_tests_name("store files", tests, NULL, NULL);
}
