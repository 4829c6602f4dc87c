/*
 * test_store_faults.c: the engine while writes, syncs and allocations fail,
 * each of them in turn. What was acknowledged is there afterwards; what was
 * refused is not, or its outcome was said to be unknown; the database is whole;
 * and sending everything again brings everything in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/file.h"
#include "embed/embed.h"
#include "engine/embedded.h"
#include "fault_vfs.h"

#define EVENTS 12
#define DIM 8

struct run {
	char base[256], folder[300];
	struct arena *a;
	struct embedder_info embedder;
	struct embedded_options options;
	struct engine *g;
	struct error e;
	struct event ev[EVENTS];
	struct commit out[EVENTS];
	int opened, unknown; /* the first event whose outcome was not known, -1: none */
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static struct change *make_change(struct arena *a, int i)
{
	struct change *c = arena_alloc(a, sizeof(*c));
	struct entry *en = arena_alloc(a, sizeof(*en));
	struct entry_row *row = arena_alloc(a, sizeof(*row));
	float *v = arena_alloc(a, DIM * sizeof(*v));
	char *text = arena_alloc(a, 20001);

	/* Some are larger than a page, so that there are overflow pages and spills. */
	for (int n = 0; n < (i % 4 == 3 ? 20000 : 60); n++)
		text[n] = n % 6 == 5 ? ' ' : (char)('a' + (n * 31 + i * 7 + n / 26) % 26);
	v[i % DIM] = 1;
	*row = (struct entry_row){ .field = ROW_WHOLE, .end = strlen(text), .vector = v };
	*en = (struct entry){
		.title = { "a title", 7 }, .text = { text, strlen(text) }, .rows = row, .n_rows = 1
	};
	*c = (struct change){ .kind = RECORD_DOCUMENT,
			      .id = arena_printf(a, "d%d", i % 8), /* the last four replace the first */
			      .body = json_keep(a, json_pack("{siss}", "i", i, "source", "s")),
			      .text = en->text,
			      .entry = en };
	return c;
}

static void run_start(struct run *r)
{
	const char *tmp = getenv("TMPDIR");

	*r = (struct run){ .unknown = -1 };
	snprintf(r->base, sizeof(r->base), "%s/readback-faults-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(r->base));
	snprintf(r->folder, sizeof(r->folder), "%s/tenant", r->base);
	r->a = arena_new(65536);
	r->embedder = (struct embedder_info){ "test", DIM, "", "float32", 256 };
	r->options = (struct embedded_options){ .folder = r->folder, .no_background = 1 };
	for (int i = 0; i < EVENTS; i++) {
		const struct change *c = make_change(r->a, i);
		r->ev[i] = (struct event){ .id = arena_printf(r->a, "event-%d", i),
					   .stream = arena_printf(r->a, "document/%s", c->id),
					   .expect = ENGINE_ANY,
					   .kind = "document.put",
					   .changes = c,
					   .n = 1 };
	}
}

/* A new database in the folder, so that faults meet the events and not its making. */
static void run_prepare(struct run *r)
{
	r->options.embedder = &r->embedder;
	assert_int_equal(embedded_open(&r->options, &r->g, &r->e), 0);
	engine_close(r->g);
}

static void run_end(struct run *r)
{
	nftw(r->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(r->a);
}

/* Opens, writes (the middle ones as one batch), closes; all of it may fail. */
static void run_faulty(struct run *r)
{
	struct engine_status s;

	r->options.embedder = &r->embedder;
	r->unknown = -1;
	r->opened = embedded_open(&r->options, &r->g, &r->e) == 0;
	for (int i = 0; i < EVENTS; i++)
		r->out[i].code = ERR_NOT_READY;
	if (!r->opened)
		return;
	for (int i = 0; i < EVENTS;) {
		size_t n = i == 4 ? 4 : 1;
		assert_int_equal(engine_commit_many(r->g, &r->ev[i], n, &r->out[i], &r->e), 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(r->out[i + (int)k].code, r->out[i + (int)k].error.code);
		if (r->unknown < 0 && r->out[i + (int)n - 1].code < 0 &&
		    engine_status(r->g, r->a, &s, &r->e) == 0 && s.read_only)
			r->unknown = i;
		i += (int)n;
	}
	engine_close(r->g);
}

static int64_t revision_of(struct run *r, int i)
{
	int64_t revision = 0;

	assert_int_equal(engine_revision(r->g, r->ev[i].stream, &revision, &r->e), 0);
	return revision;
}

/* Without faults: what is there, is it whole, and does sending again bring in the rest. */
static void run_check(struct run *r)
{
	size_t differences = 1;
	uint64_t committed = 0;
	struct engine_status s;

	if (embedded_open(&r->options, &r->g, &r->e) < 0)
		fail_msg("open afterwards: %s", r->e.message);
	assert_int_equal(engine_status(r->g, r->a, &s, &r->e), 0);
	for (int i = 0; i < EVENTS; i++)
		committed += r->out[i].code == 0;
	/* One batch at most is unknown, and the largest has four events. */
	assert_in_range(s.seq, committed, committed + (r->unknown < 0 ? 0 : 4));
	for (int i = 0; i < EVENTS; i++) {
		if (r->out[i].code == 0)
			assert_true(revision_of(r, i) >= r->out[i].revision);
	}
	for (int i = 0; i < EVENTS; i++) {
		struct commit again = { 0 };
		assert_int_equal(engine_commit(r->g, &r->ev[i], &again, &r->e), 0);
		if (r->out[i].code == 0) {
			assert_int_equal(again.seq, r->out[i].seq);
			assert_int_equal(again.revision, r->out[i].revision);
		}
	}
	assert_int_equal(engine_status(r->g, r->a, &s, &r->e), 0);
	assert_int_equal(s.seq, EVENTS);
	assert_int_equal(s.index.entries[COLLECTION_DOCUMENT], 8);
	engine_close(r->g);
	if (embedded_verify(&r->options, &differences, &r->e) < 0)
		fail_msg("verify: %s", r->e.message);
	assert_int_equal(differences, 0);
}

/*
 * Every `step`th operation of the kind fails, until a run meets none; each of
 * them with FAULTS=all in the environment (minutes). `made`: the database is
 * there before the first of them.
 */
static void fail_each(enum fault_kind kind, int code, int lasting, long step, int made)
{
	const char *all = getenv("FAULTS");
	long hits = 1, runs = 0;

	if (all && strcmp(all, "all") == 0)
		step = 1;

	for (long nth = 1; hits > 0; nth += step, runs++) {
		struct run r;
		run_start(&r);
		if (made)
			run_prepare(&r);
		fault_set(kind, nth, code, lasting);
		run_faulty(&r);
		hits = fault_hits();
		fault_set(FAULT_NONE, 0, 0, 0);
		run_check(&r);
		run_end(&r);
	}
	assert_true(runs > 5);
}

static void test_store_faults__a_write_without_room(void **state)
{
	(void)state;
	fail_each(FAULT_WRITE, SQLITE_FULL, 0, 13, 1);
}

static void test_store_faults__no_room_from_some_write_on(void **state)
{
	(void)state;
	fail_each(FAULT_WRITE, SQLITE_FULL, 1, 41, 1);
}

static void test_store_faults__a_write_that_fails(void **state)
{
	(void)state;
	fail_each(FAULT_WRITE, SQLITE_IOERR_WRITE, 0, 17, 1);
}

static void test_store_faults__a_sync_that_fails(void **state)
{
	(void)state;
	fail_each(FAULT_SYNC, SQLITE_IOERR_FSYNC, 0, 1, 1);
}

static void test_store_faults__while_the_database_is_made(void **state)
{
	(void)state;
	fail_each(FAULT_WRITE, SQLITE_FULL, 0, 61, 0);
	fail_each(FAULT_WRITE, SQLITE_IOERR_WRITE, 0, 67, 0);
	fail_each(FAULT_SYNC, SQLITE_IOERR_FSYNC, 0, 1, 0);
	fail_each(FAULT_MEMORY, SQLITE_NOMEM, 0, 1997, 0);
}

static void test_store_faults__memory_that_fails(void **state)
{
	(void)state;
	fail_each(FAULT_MEMORY, SQLITE_NOMEM, 0, 397, 1);
}

static void test_store_faults__no_memory_from_some_time_on(void **state)
{
	(void)state;
	fail_each(FAULT_MEMORY, SQLITE_NOMEM, 1, 797, 1);
}

/* A failed sync: nobody knows what the disk holds. Nothing more is written, reads go on. */
static void test_store_faults__after_a_failed_sync_only_reads(void **state)
{
	struct run r;
	struct engine_status s;
	struct record rec;
	(void)state;

	run_start(&r);
	r.options.embedder = &r.embedder;
	assert_int_equal(embedded_open(&r.options, &r.g, &r.e), 0);
	assert_int_equal(engine_commit(r.g, &r.ev[0], &r.out[0], &r.e), 0);
	fault_set(FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
	assert_int_equal(engine_commit(r.g, &r.ev[1], &r.out[1], &r.e), ERR_IO);
	assert_int_equal(fault_hits(), 1);
	fault_set(FAULT_NONE, 0, 0, 0);
	assert_int_equal(engine_commit(r.g, &r.ev[2], &r.out[2], &r.e), ERR_READ_ONLY);
	assert_int_equal(engine_status(r.g, r.a, &s, &r.e), 0);
	assert_true(s.read_only && s.ready);
	assert_true(strlen(s.reason) > 10);
	assert_int_equal(engine_get(r.g, RECORD_DOCUMENT, "d0", r.a, &rec, &r.e), 0);
	engine_close(r.g);
	assert_int_equal(embedded_open(&r.options, &r.g, &r.e), 0);
	assert_int_equal(engine_commit(r.g, &r.ev[1], &r.out[1], &r.e),
			 0); /* the same id: whatever it was, it is now */
	assert_int_equal(r.out[1].revision, 1);
	engine_close(r.g);
	run_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_faults__after_a_failed_sync_only_reads),
		cmocka_unit_test(test_store_faults__a_write_without_room),
		cmocka_unit_test(test_store_faults__no_room_from_some_write_on),
		cmocka_unit_test(test_store_faults__a_write_that_fails),
		cmocka_unit_test(test_store_faults__a_sync_that_fails),
		cmocka_unit_test(test_store_faults__while_the_database_is_made),
		cmocka_unit_test(test_store_faults__memory_that_fails),
		cmocka_unit_test(test_store_faults__no_memory_from_some_time_on),
	};

	if (crypto_start() < 0 || fault_install() < 0)
		return 1;
	return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
