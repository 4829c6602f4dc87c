/* test_store.c: what the embedded engine promises beyond what every engine does: groups, tables, ledger, words, rights. */
#include "store_fixture.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"

/* --- groups --------------------------------------------------------------------------------------- */

#define THREADS 8
#define EVENTS 40

struct worker {
	struct store_fixture *f;
	int n;
	int ok, conflicts, other;
	uint64_t last_seq;
};

/* Every fifth event of worker 3 expects a revision that its stream does not have. */
static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < EVENTS; i++) {
		struct arena *a = arena_new(8192);
		struct store_doc d = { .id = arena_printf(a, "w%d-%d", w->n, i), .seed = (unsigned)i };
		struct event ev = { .stream = arena_printf(a, "document/%s", d.id),
				    .expect = w->n == 3 && i % 5 == 0 ? 7 : 0,
				    .kind = "document.put",
				    .changes = store_change(a, &d),
				    .n = 1 };
		struct error e = { 0 };
		struct commit c = { 0 };
		int rc = engine_commit(w->f->g, &ev, &c, &e);
		w->ok += rc == 0;
		w->conflicts += rc == ERR_CONFLICT;
		w->other += rc != 0 && rc != ERR_CONFLICT;
		struct record r;
		int got = engine_get(w->f->g, RECORD_DOCUMENT, d.id, a, &r, &e);
		w->other += (rc == 0) != (got == 0); /* on disk when answered */
		w->other += rc == 0 && c.seq <= w->last_seq;
		w->last_seq = rc == 0 ? c.seq : w->last_seq;
		arena_free(a);
	}
	return NULL;
}

static void test_store__one_failing_event_does_not_take_its_group_with_it(void **state)
{
	struct store_fixture *f = *state;
	struct worker w[THREADS];
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .f = f, .n = i };
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(w[i].ok, i == 3 ? EVENTS - EVENTS / 5 : EVENTS);
		assert_int_equal(w[i].conflicts, i == 3 ? EVENTS / 5 : 0);
		assert_int_equal(w[i].other, 0);
	}
	struct engine_status s;
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_int_equal(s.records[RECORD_DOCUMENT], THREADS * EVENTS - EVENTS / 5);
	assert_int_equal(s.seq, THREADS * EVENTS - EVENTS / 5);
	assert_int_equal(s.index_seq, s.seq);
	assert_int_equal(s.index.rows, 2 * s.seq);
	store_close(f);
	assert_int_equal(store_verify(f), 0);
}

static void test_store__many_are_answered_one_by_one(void **state)
{
	struct store_fixture *f = *state;
	struct event ev[100];
	struct commit out[100];

	for (int i = 0; i < 100; i++) {
		struct store_doc d = { .id = arena_printf(f->a, "d%d", i) };
		ev[i] = (struct event){ .stream = d.id,
					.expect = i % 10 == 3 ? 5 : 0,
					.kind = "document.put",
					.changes = store_change(f->a, &d),
					.n = 1 };
	}
	json_t *bad = json_keep(f->a, json_pack("{ss}", "a", "b"));
	const struct entry no_such = { .keep_rows = 1 };
	const struct change retag = {
		.kind = RECORD_DOCUMENT, .id = "never", .body = bad, .entry = &no_such
	};
	ev[50].changes = &retag;
	assert_int_equal(engine_commit_many(f->g, ev, 100, out, &f->e), 0);
	for (int i = 0, seq = 0; i < 100; i++) {
		int want = i == 50 ? ERR_NOT_FOUND : i % 10 == 3 ? ERR_CONFLICT : 0;
		assert_int_equal(out[i].code, want);
		assert_int_equal(out[i].error.code, want);
		if (want == 0)
			assert_int_equal(out[i].seq, ++seq);
	}
}

/* --- the tables ------------------------------------------------------------------------------------- */

static void test_store__scan_is_in_order_of_commit_then_id(void **state)
{
	struct store_fixture *f = *state;
	const char *ids[] = { "c/000003", "c/000001", "c/000002" };
	struct change ch[3];
	struct record *r;
	size_t n;

	for (int i = 0; i < 3; i++)
		ch[i] = (struct change){ .kind = RECORD_TURN,
					 .id = ids[i],
					 .body = json_keep(f->a, json_pack("{ss}", "conversation", "c")) };
	struct event ev = { .stream = "conversation/c", .expect = 0, .kind = "turns", .changes = ch, .n = 3 };
	struct commit c;
	assert_int_equal(engine_commit(f->g, &ev, &c, &f->e), 0);
	ch[0].id = "a/000009";
	ev.expect = 1;
	ev.n = 1;
	assert_int_equal(engine_commit(f->g, &ev, &c, &f->e), 0);
	struct scan s = { .kind = RECORD_TURN, .field = { "conversation" }, .value = { "c" }, .limit = 10 };
	assert_int_equal(engine_scan(f->g, &s, f->a, &r, &n, &f->e), 0);
	assert_int_equal(n, 4);
	assert_string_equal(r[0].id, "c/000001");
	assert_string_equal(r[2].id, "c/000003");
	assert_string_equal(r[3].id, "a/000009");
	/* page by page, both ways */
	for (int newest = 0; newest < 2; newest++) {
		struct scan page = { .kind = RECORD_TURN, .limit = 1, .newest_first = newest };
		for (int i = 0; i < 4; i++) {
			struct record *one;
			assert_int_equal(engine_scan(f->g, &page, f->a, &one, &n, &f->e), 0);
			assert_int_equal(n, 1);
			assert_string_equal(one->id, r[newest ? 3 - i : i].id);
			page.after = one->created;
			page.after_id = one->id;
		}
		struct record *none;
		assert_int_equal(engine_scan(f->g, &page, f->a, &none, &n, &f->e), 0);
		assert_int_equal(n, 0);
	}
	struct scan early = { .kind = RECORD_TURN, .limit = 10, .at = 1 };
	assert_int_equal(engine_scan(f->g, &early, f->a, &r, &n, &f->e), 0);
	assert_int_equal(n, 3);
	struct scan wrong = { .kind = RECORD_TURN, .limit = 10, .field = { "text" }, .value = { "x" } };
	assert_int_equal(engine_scan(f->g, &wrong, f->a, &r, &n, &f->e), ERR_BAD_VALUE);
}

static void test_store__a_rebuild_from_the_events_gives_the_same_tables(void **state)
{
	struct store_fixture *f = *state;

	store_history(f);
	store_close(f);
	assert_int_equal(store_verify(f), 0);
	f->options.read_only = 1;
	assert_int_equal(store_verify(f), 0);
}

static void test_store__verify_finds_every_damage(void **state)
{
	static const char *const damage[] = {
		"UPDATE documents SET body = '{}' WHERE id = 'a'",
		"DELETE FROM documents WHERE id = 'b'",
		"UPDATE documents SET created_at = created_at + 1 WHERE id = 'a'",
		"UPDATE entries SET acl = NULL WHERE acl IS NOT NULL",
		"UPDATE rows SET field = 4 WHERE row = (SELECT max(row) FROM rows)",
		"INSERT INTO streams VALUES('x', 1)",
		"UPDATE texts SET body = 'refund today' WHERE body = 'refund later'",
		"UPDATE vectors SET data = zeroblob(32) WHERE id = 1",
		"UPDATE events SET payload = replace(payload, 'tier2', 'tier9') WHERE seq = 4",
		"UPDATE events SET principal = 'other' WHERE seq = 1",
		"UPDATE events SET at = at + 1 WHERE seq = 1",
		"UPDATE events SET leaf = zeroblob(32) WHERE seq = 2",
		"INSERT INTO words_0(words_0, rowid, title, text) VALUES('delete', 3, 'First', 'refund later')",
		"INSERT INTO words_0(rowid, title, text) VALUES(77, 'ghost', 'ghost')",
	};
	struct store_fixture *f = *state;

	store_history(f);
	store_close(f);
	char *whole = NULL;
	size_t n;
	assert_int_equal(file_read(f->database, &whole, &n, &f->e), 0);
	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		store_sql(f, damage[i]);
		if (store_verify(f) == 0)
			fail_msg("not found: %s", damage[i]);
		assert_int_equal(file_write(f->database, whole, n, &f->e), 0);
	}
	free(whole);
	assert_int_equal(store_verify(f), 0);
}

/* --- the ledger ---------------------------------------------------------------------------------------- */

static size_t put_number(unsigned char *out, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (unsigned char)v;
	return 8;
}

static void hmac_text(const unsigned char key[32], const char *s, unsigned char out[32])
{
	crypto_hmac(key, s, strlen(s), out);
}

struct ledger_row {
	int64_t seq, revision, at;
	const char *kind, *names[3], *payload;
	const unsigned char *nonce;
};

/* docs/formats.md, done again from its words. */
static void leaf_by_hand(const unsigned char secret[32], const struct ledger_row *ev, unsigned char out[32])
{
	static const char *const purposes[] = { "stream", "principal", "agent" };
	unsigned char bytes[1024], key[32];
	size_t n = 0;

	bytes[n++] = 0;
	n += put_number(bytes + n, (uint64_t)ev->seq);
	n += put_number(bytes + n, (uint64_t)ev->revision);
	n += put_number(bytes + n, (uint64_t)ev->at);
	n += put_number(bytes + n, strlen(ev->kind));
	memcpy(bytes + n, ev->kind, strlen(ev->kind));
	n += strlen(ev->kind);
	for (int i = 0; i < 3; i++, n += 32) {
		hmac_text(secret, purposes[i], key);
		hmac_text(key, ev->names[i], bytes + n);
	}
	hmac_text(ev->nonce, ev->payload, bytes + n);
	crypto_sha256(bytes, n + 32, out);
}

static void test_store__leaves_can_be_computed_again_by_others(void **state)
{
	struct store_fixture *f = *state;
	char path[400], *secret;
	size_t n;
	sqlite3 *h;
	sqlite3_stmt *s;
	int events = 0;

	store_history(f);
	store_close(f);
	snprintf(path, sizeof(path), "%s/secret", f->folder);
	assert_int_equal(file_read(path, &secret, &n, &f->e), 0);
	assert_int_equal(n, 32);
	assert_int_equal(sqlite3_open(f->database, &h), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(h,
				   "SELECT seq, revision, at, kind, stream, principal, agent, payload, nonce,"
				   " leaf FROM events ORDER BY seq",
				   -1, &s, NULL),
		SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		struct ledger_row ev;
		unsigned char leaf[32];
		ev.seq = sqlite3_column_int64(s, 0);
		ev.revision = sqlite3_column_int64(s, 1);
		ev.at = sqlite3_column_int64(s, 2);
		ev.kind = (const char *)sqlite3_column_text(s, 3);
		for (int i = 0; i < 3; i++)
			ev.names[i] = (const char *)sqlite3_column_text(s, 4 + i);
		ev.payload = (const char *)sqlite3_column_text(s, 7);
		ev.nonce = sqlite3_column_blob(s, 8);
		leaf_by_hand((unsigned char *)secret, &ev, leaf);
		assert_memory_equal(sqlite3_column_blob(s, 9), leaf, 32);
		assert_int_equal(ev.seq, ++events);
	}
	assert_int_equal(events, 10);
	sqlite3_finalize(s);
	sqlite3_close(h);
	free(secret);
}

/* --- words --------------------------------------------------------------------------------------------- */

static int match(struct store_fixture *f, const char *expr, size_t *n)
{
	const struct term term = { "refund", "refund", 1 };
	const struct index_query q = { .collection = COLLECTION_DOCUMENT,
				       .match = expr,
				       .terms = &term,
				       .n_terms = 1,
				       .all_groups = 1,
				       .k = 10 };
	struct index_result r;
	int rc = engine_search(f->g, &q, f->a, &r, &f->e);

	if (rc == 0)
		*n = r.n;
	return rc;
}

static void test_store__match_takes_expressions_and_tells_bad_ones(void **state)
{
	struct store_fixture *f = *state;
	static const char *const bad[] = { "\"open", "AND", "nosuchcolumn: x", "*reads", " *",
					   "",       "(a",  "NEAR(",           "a OR" };
	size_t n;

	store_put(f, (struct store_doc){ .id = "a", .title = "Refunds", .text = "refund error 4021 now" });
	store_put(f, (struct store_doc){ .id = "b", .title = "Other", .text = "refunded 4021 error" });
	assert_int_equal(match(f, "\"error 4021\"", &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(match(f, "refund*", &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(match(f, "title : refund", &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(match(f, "error AND NOT now OR x", &n) == 0 || f->e.code == ERR_BAD_MATCH, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (match(f, bad[i], &n) != ERR_BAD_MATCH)
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(f->e.param, "match");
	}
	/* and the connections are well afterwards */
	for (int i = 0; i < 20; i++)
		assert_int_equal(match(f, "refund", &n), 0);
}

static float score_of(struct store_fixture *f, const struct term *terms, size_t n_terms)
{
	const struct index_query q = { .collection = COLLECTION_DOCUMENT,
				       .terms = terms,
				       .n_terms = n_terms,
				       .all_groups = 1,
				       .k = 10 };
	struct index_result r;

	assert_int_equal(engine_search(f->g, &q, f->a, &r, &f->e), 0);
	assert_int_equal(r.n, 1);
	return r.hits[0].words;
}

static void test_store__weights_of_terms_weigh(void **state)
{
	struct store_fixture *f = *state;
	const struct term order = { "order", "order", 1 }, late = { "late", "late", 1 };

	store_put(f, (struct store_doc){ .id = "a", .text = "order late" });
	for (int i = 0; i < 5; i++)
		store_put(f,
			  (struct store_doc){ .id = arena_printf(f->a, "x%d", i), .text = "something else" });
	float a = score_of(f, &order, 1), b = score_of(f, &late, 1);
	assert_true(a > 0 && b > 0);
	struct term both[2] = { order, late };
	assert_float_equal(score_of(f, both, 2), a + b, 1e-4);
	both[1].weight = .25f;
	assert_float_equal(score_of(f, both, 2), a + b / 4, 1e-4);
}

/* A number that has no short decimal form is found by the same number, also after a new start. */
static void test_store__numbers_of_tags_are_exact(void **state)
{
	struct store_fixture *f = *state;
	const double numbers[] = { 0.1 + 0.2, 5, -0.0, 1e300, 9007199254740993.0, 1.0 / 3 };
	struct index_tag tags[6];

	for (int i = 0; i < 6; i++)
		tags[i] = (struct index_tag){ arena_printf(f->a, "n%d", i),
					      { .type = VALUE_NUMBER, .number = numbers[i] } };
	const struct entry en = { .title = { "x", 1 }, .tags = tags, .n_tags = 6 };
	const struct change ch = {
		.kind = RECORD_DOCUMENT, .id = "a", .body = json_keep(f->a, json_object()), .entry = &en
	};
	const struct event ev = { .stream = "document/a", .kind = "put", .changes = &ch, .n = 1 };
	struct commit c;
	assert_int_equal(engine_commit(f->g, &ev, &c, &f->e), 0);
	for (int round = 0; round < 2; round++, store_reopen(f)) {
		for (int i = 0; i < 6; i++) {
			const struct term word = { "x", "x", 1 };
			const struct index_filter is = {
				.op = FILTER_EQ, .key = tags[i].key, .values = &tags[i].value, .n_values = 1
			};
			const struct index_query q = { .collection = COLLECTION_DOCUMENT,
						       .terms = &word,
						       .n_terms = 1,
						       .filter = &is,
						       .all_groups = 1,
						       .k = 1 };
			struct index_result r;
			assert_int_equal(engine_search(f->g, &q, f->a, &r, &f->e), 0);
			assert_int_equal(r.n, 1);
		}
	}
	store_close(f);
	assert_int_equal(store_verify(f), 0);
}

/* --- rights -------------------------------------------------------------------------------------------- */

static void test_store__load_leaves_out_what_is_dead_or_forbidden(void **state)
{
	struct store_fixture *f = *state;
	const char *const tier1[] = { "tier1" };
	const struct rights agent = { .groups = tier1, .n_groups = 1 }, nobody = { 0 },
			    all = { .all_groups = 1 };
	const uint64_t entries[] = { 1, 2, 3, 4, 99 };
	struct record *r;

	store_put(f, (struct store_doc){ .id = "open" });
	store_put(f, (struct store_doc){ .id = "mine", .group = "tier1" });
	store_put(f, (struct store_doc){ .id = "theirs", .group = "tier2" });
	store_put(f, (struct store_doc){ .id = "dead" });
	store_delete(f, "dead");
	const struct {
		const struct rights *r;
		const char *want;
	} cases[] = {
		{ &agent, "110" },
		{ &nobody, "100" },
		{ &all, "111" },
		{ NULL, "111" },
	};
	for (size_t c = 0; c < 4; c++) {
		assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, cases[c].r, entries, 5, f->a, &r, &f->e),
				 0);
		for (int i = 0; i < 3; i++)
			assert_int_equal(r[i].id != NULL, cases[c].want[i] == '1');
		assert_null(r[3].id);
		assert_null(r[4].id);
	}
	store_put(f, (struct store_doc){ .id = "theirs", .group = "tier1", .keep_rows = 1 });
	assert_int_equal(engine_load(f->g, RECORD_DOCUMENT, &agent, entries, 5, f->a, &r, &f->e), 0);
	assert_string_equal(r[2].id, "theirs");
	assert_int_equal(engine_load(f->g, RECORD_CASE, NULL, entries, 5, f->a, &r, &f->e), 0);
	assert_null(r[0].id); /* an entry of another kind */
}

static void test_store__a_bad_event_is_told_before_it_is_queued(void **state)
{
	struct store_fixture *f = *state;
	json_t *body = json_keep(f->a, json_object());
	const struct entry en = { .acl = body };
	const struct {
		struct change ch;
		const char *stream;
		int code;
	} cases[] = {
		{ { .kind = RECORD_JOB, .id = "", .body = body }, "s", ERR_BAD_ID },
		{ { .kind = RECORD_JOB, .id = "\xff", .body = body }, "s", ERR_BAD_UTF8 },
		{ { .kind = RECORD_JOB, .id = "x", .subject = "\xc3", .body = body }, "s", ERR_BAD_UTF8 },
		{ { .kind = RECORD_JOB, .id = "x", .body = body }, "", ERR_BAD_ID },
		{ { .kind = RECORD_JOB, .id = "x", .body = body, .entry = &en }, "s", ERR_INTERNAL },
		{ { .kind = RECORD_CASE, .id = "x", .body = body, .entry = &en }, "s", ERR_WRONG_TYPE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct event ev = {
			.stream = cases[i].stream, .kind = "x", .changes = &cases[i].ch, .n = 1
		};
		struct commit c;
		assert_int_equal(engine_commit(f->g, &ev, &c, &f->e), cases[i].code);
	}
}

#define OPEN(t) cmocka_unit_test_setup_teardown(t, store_set_up, store_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(test_store__one_failing_event_does_not_take_its_group_with_it),
		OPEN(test_store__many_are_answered_one_by_one),
		OPEN(test_store__scan_is_in_order_of_commit_then_id),
		OPEN(test_store__a_rebuild_from_the_events_gives_the_same_tables),
		OPEN(test_store__verify_finds_every_damage),
		OPEN(test_store__leaves_can_be_computed_again_by_others),
		OPEN(test_store__match_takes_expressions_and_tells_bad_ones),
		OPEN(test_store__weights_of_terms_weigh),
		OPEN(test_store__numbers_of_tags_are_exact),
		OPEN(test_store__load_leaves_out_what_is_dead_or_forbidden),
		OPEN(test_store__a_bad_event_is_told_before_it_is_queued),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
