/* suite_commits.c: what a commit promises. */
#include "suite.h"

#include "base/uuid.h"

static void test_commit__is_read_and_found_at_once(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	for (int i = 0; i < 20; i++) {
		const char *id = arena_printf(f->a, "d-%02d", i);
		struct commit c = put_doc(f,
					  (struct doc){ .id = id,
							.title = "One title",
							.text = arena_printf(f->a, "marker%d stands here", i),
							.vector = vector_random(f) });
		assert_int_equal(c.revision, 1);
		assert_int_equal(get_ok(f, RECORD_DOCUMENT, id).changed, c.seq);
		assert_int_equal(revision_of(f, stream_name(f->a, RECORD_DOCUMENT, id)), 1);
		struct index_result r = search_ok(f, &q);
		assert_int_equal(r.n, i + 1);
		assert_true(r.seq >= c.seq);
		struct index_query w = query_all(f);
		query_words(f, &w, arena_printf(f->a, "marker%d", i));
		assert_finds(f, &w, id);
		struct index_query m = query_all(f);
		m.match = arena_printf(f->a, "marker%d", i);
		assert_finds(f, &m, id);
	}
}

static void test_commit__seq_grows_and_is_told_by_status(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	struct engine_status s;

	for (int i = 0; i < 10; i++) {
		struct commit c = put_record(f, RECORD_JOB, arena_printf(f->a, "j-%d", i), 0,
					     "{\"state\":\"done\"}");
		assert_true(c.seq > last);
		last = c.seq;
		assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
		assert_int_equal(s.seq, last);
		assert_int_equal(s.index_seq, last);
	}
}

static void test_commit__expect_0_needs_a_stream_that_never_was(void **state)
{
	struct fixture *f = *state;
	struct change ch = { .kind = RECORD_DOCUMENT,
			     .id = "d",
			     .body = json_of(f, "{\"title\":\"second\"}") };
	struct event ev = { .stream = "document/d", .expect = 0, .changes = &ch, .n = 1 };

	put_record(f, RECORD_DOCUMENT, "d", 0, "{\"title\":\"first\"}");
	assert_int_equal(commit_code(f, &ev), ERR_CONFLICT);
	assert_body(get_ok(f, RECORD_DOCUMENT, "d").body, "{\"title\":\"first\"}");
	delete_record(f, RECORD_DOCUMENT, "d");
	assert_int_equal(commit_code(f, &ev), ERR_CONFLICT);
	assert_false(is_there(f, RECORD_DOCUMENT, "d"));
}

static void test_commit__expect_n_needs_that_revision(void **state)
{
	struct fixture *f = *state;
	struct change ch = { .kind = RECORD_DOCUMENT, .id = "d", .body = json_of(f, "{\"title\":\"x\"}") };
	struct event ev = { .stream = "document/d", .changes = &ch, .n = 1 };

	ev.expect = 1;
	assert_int_equal(commit_code(f, &ev), ERR_CONFLICT);
	assert_int_equal(put_record(f, RECORD_DOCUMENT, "d", 0, "{}").revision, 1);
	assert_int_equal(put_record(f, RECORD_DOCUMENT, "d", 1, "{}").revision, 2);
	assert_int_equal(put_record(f, RECORD_DOCUMENT, "d", 2, "{}").revision, 3);
	for (ev.expect = 0; ev.expect < 8; ev.expect++) {
		if (ev.expect != 3)
			assert_int_equal(commit_code(f, &ev), ERR_CONFLICT);
	}
	assert_int_equal(revision_of(f, "document/d"), 3);
	ev.expect = 3;
	assert_int_equal(commit_ok(f, &ev).revision, 4);
}

static void test_commit__expect_any_takes_what_is_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put_record(f, RECORD_JOB, "j", ENGINE_ANY, "{}").revision, 1);
	assert_int_equal(put_record(f, RECORD_JOB, "j", ENGINE_ANY, "{}").revision, 2);
	delete_record(f, RECORD_JOB, "j");
	assert_int_equal(put_record(f, RECORD_JOB, "j", ENGINE_ANY, "{}").revision, 4);
}

/* Revisions are of streams, not of records or kinds. */
static void test_commit__streams_are_independent(void **state)
{
	struct fixture *f = *state;

	put_record(f, RECORD_DOCUMENT, "x", 0, "{}");
	put_record(f, RECORD_DOCUMENT, "x", 1, "{}");
	put_record(f, RECORD_CONVERSATION, "x", 0, "{}");
	assert_int_equal(revision_of(f, "document/x"), 2);
	assert_int_equal(revision_of(f, "conversation/x"), 1);
	assert_int_equal(revision_of(f, "document/"), 0);
	assert_int_equal(revision_of(f, "document/y"), 0);
}

static void test_commit__conflict_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);
	struct engine_status before, after;

	put_doc(f, (struct doc){ .id = "old", .text = "old words", .vector = vector_first(f) });
	put_record(f, RECORD_CONVERSATION, "c", 0, "{}");
	assert_int_equal(engine_status(f->g, f->a, &before, &f->e), 0);
	struct doc fresh = { .id = "new", .text = "fresh words", .vector = vector_first(f) };
	struct change ch[4] = {
		{ .kind = RECORD_TURN, .id = "c/1", .body = json_of(f, "{\"conversation\":\"c\"}") },
		*doc_change(f->a, &fresh),
		{ .kind = RECORD_DOCUMENT, .id = "old" },
		{ .kind = RECORD_CONVERSATION, .id = "c", .body = json_of(f, "{\"state\":\"new\"}") },
	};
	struct event ev = { .stream = "conversation/c", .expect = 7, .changes = ch, .n = 4 };
	assert_int_equal(commit_code(f, &ev), ERR_CONFLICT);
	assert_false(is_there(f, RECORD_TURN, "c/1"));
	assert_false(is_there(f, RECORD_DOCUMENT, "new"));
	assert_body(get_ok(f, RECORD_CONVERSATION, "c").body, "{}");
	assert_int_equal(revision_of(f, "conversation/c"), 1);
	assert_finds(f, &q, "old");
	query_words(f, &q, "words");
	assert_finds(f, &q, "old");
	assert_int_equal(engine_status(f->g, f->a, &after, &f->e), 0);
	assert_int_equal(after.seq, before.seq);
	assert_memory_equal(after.records, before.records, sizeof(after.records));
}

/* The id of an event that lost is free: nothing was committed under it. */
static void test_commit__a_lost_event_can_be_tried_again_under_its_id(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT];
	struct change ch = { .kind = RECORD_JOB, .id = "j", .body = json_of(f, "{\"state\":\"a\"}") };
	struct event ev = { .stream = "job/j", .expect = 1, .changes = &ch, .n = 1 };

	uuid_v7(id);
	ev.id = id;
	assert_int_equal(commit_code(f, &ev), ERR_CONFLICT);
	put_record(f, RECORD_JOB, "j", 0, "{}");
	assert_int_equal(commit_ok(f, &ev).revision, 2);
	assert_body(get_ok(f, RECORD_JOB, "j").body, "{\"state\":\"a\"}");
}

static void test_commit__an_event_is_there_whole(void **state)
{
	struct fixture *f = *state;
	struct change ch[8] = { 0 };

	for (uint32_t i = 0; i < 6; i++)
		ch[i] = (struct change){ .kind = RECORD_TURN,
					 .id = turn_id(f->a, "c", i + 1),
					 .body = json_of(f, "{\"conversation\":\"c\"}") };
	ch[6] = (struct change){ .kind = RECORD_HANDOFF,
				 .id = "h",
				 .body = json_of(f, "{\"conversation\":\"c\"}") };
	ch[7] = (struct change){ .kind = RECORD_CONVERSATION,
				 .id = "c",
				 .body = json_of(f, "{\"turns\":6}") };
	struct event ev = { .stream = "conversation/c", .changes = ch, .n = 8 };
	struct commit c = commit_ok(f, &ev);
	for (int i = 0; i < 8; i++) {
		struct record r = get_ok(f, ch[i].kind, ch[i].id);
		assert_int_equal(r.revision, 1);
		assert_int_equal(r.created, c.seq);
		assert_int_equal(r.changed, c.seq);
	}
}

static void test_commit__an_event_without_changes_moves_the_stream(void **state)
{
	struct fixture *f = *state;
	struct event ev = { .stream = "dataset/d", .expect = 0 };

	assert_int_equal(commit_ok(f, &ev).revision, 1);
	assert_int_equal(revision_of(f, "dataset/d"), 1);
	assert_int_equal(commit_code(f, &ev), ERR_CONFLICT);
}

static void test_commit__an_event_without_id_is_always_new(void **state)
{
	struct fixture *f = *state;
	struct change ch = { .kind = RECORD_JOB, .id = "j", .body = json_of(f, "{}") };
	struct event ev = { .stream = "job/j",
			    .expect = ENGINE_ANY,
			    .kind = "job.put",
			    .principal = "k",
			    .agent = "k",
			    .changes = &ch,
			    .n = 1 };
	struct commit c;
	int64_t last = 0;

	/* Without an id there is no asking again: an answer may be lost for good. */
	for (int i = 0; i < 5; i++) {
		if (engine_commit(f->g, &ev, &c, &f->e) < 0)
			continue;
		assert_true(c.revision > last);
		last = c.revision;
	}
	assert_true(last > 0);
}

/* --- redelivery ---------------------------------------------------------------------------------------- */

static void test_commit__redelivery_gives_the_first_seq_and_revision(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT];
	struct change ch = { .kind = RECORD_DOCUMENT,
			     .id = "d",
			     .body = json_of(f, "{\"title\":\"first\"}") };
	struct event ev = { .id = id, .stream = "document/d", .expect = 0, .changes = &ch, .n = 1 };

	uuid_v7(id);
	struct commit first = commit_ok(f, &ev);
	for (int i = 0; i < 5; i++) {
		struct commit again = commit_ok(f, &ev);
		assert_int_equal(again.seq, first.seq);
		assert_int_equal(again.revision, first.revision);
	}
	assert_int_equal(revision_of(f, "document/d"), 1);
	put_record(f, RECORD_DOCUMENT, "d", 1, "{\"title\":\"second\"}");
	struct commit late = commit_ok(f, &ev);
	assert_int_equal(late.seq, first.seq);
	assert_int_equal(late.revision, 1);
	assert_body(get_ok(f, RECORD_DOCUMENT, "d").body, "{\"title\":\"second\"}");
	delete_record(f, RECORD_DOCUMENT, "d");
	assert_int_equal(commit_ok(f, &ev).seq, first.seq);
	assert_false(is_there(f, RECORD_DOCUMENT, "d"));
	assert_int_equal(revision_of(f, "document/d"), 3);
}

static void test_commit__redelivery_does_not_look_at_what_is_in_it(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT];
	struct change ch = { .kind = RECORD_JOB, .id = "j", .body = json_of(f, "{\"state\":\"a\"}") };
	struct event ev = { .id = id, .stream = "job/j", .expect = 0, .changes = &ch, .n = 1 };

	uuid_v7(id);
	struct commit first = commit_ok(f, &ev);
	ch.body = json_of(f, "{\"state\":\"b\"}");
	ev.expect = 5;
	struct commit again = commit_ok(f, &ev);
	assert_int_equal(again.seq, first.seq);
	assert_int_equal(again.revision, 1);
	assert_body(get_ok(f, RECORD_JOB, "j").body, "{\"state\":\"a\"}");
}

static void test_commit__redelivery_indexes_once(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT];
	struct doc d = { .id = "d", .text = "some words", .vector = vector_first(f) };
	struct event ev = {
		.id = id, .stream = "document/d", .expect = 0, .changes = doc_change(f->a, &d), .n = 1
	};
	struct index_query q = query_all(f);
	struct engine_status s;

	uuid_v7(id);
	for (int i = 0; i < 4; i++)
		commit_ok(f, &ev);
	assert_finds(f, &q, "d");
	query_words(f, &q, "words");
	assert_finds(f, &q, "d");
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_int_equal(s.index.entries[COLLECTION_DOCUMENT], 1);
	assert_int_equal(s.records[RECORD_DOCUMENT], 1);
}

/* --- many ------------------------------------------------------------------------------------------------ */

/* All of them, each until its answer is not lost. */
static void commit_all(struct fixture *f, struct event *ev, size_t n, struct commit *out)
{
	for (size_t i = 0; i < n; i++) {
		ev[i].kind = "test.changed";
		ev[i].principal = ev[i].agent = "key-1";
		if (ev[i].id)
			continue;
		char *id = arena_alloc(f->a, UUID_TEXT);
		uuid_v7(id);
		ev[i].id = id;
	}
	assert_int_equal(engine_commit_many(f->g, ev, n, out, &f->e), 0);
	for (size_t i = 0; i < n; i++)
		if (out[i].code == ERR_REMOTE)
			out[i].code = commit_try(f->g, &ev[i], &out[i], &out[i].error);
}

static void test_commit_many__a_failed_event_does_not_take_its_neighbours(void **state)
{
	struct fixture *f = *state;
	struct doc docs[5];
	struct event ev[5];
	struct commit c[5];
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "d-2", .text = "older words", .vector = vector_first(f) });
	for (int i = 0; i < 5; i++) {
		docs[i] = (struct doc){ .id = arena_printf(f->a, "d-%d", i),
					.text = "new words",
					.vector = vector_first(f) };
		ev[i] = (struct event){ .stream = stream_name(f->a, RECORD_DOCUMENT, docs[i].id),
					.changes = doc_change(f->a, &docs[i]),
					.n = 1 };
	}
	commit_all(f, ev, 5, c);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(c[i].code, i == 2 ? ERR_CONFLICT : 0);
		if (i == 2) {
			assert_int_equal(c[i].error.code, ERR_CONFLICT);
			assert_true(c[i].error.message[0] != '\0');
			continue;
		}
		assert_int_equal(c[i].revision, 1);
		assert_int_equal(get_ok(f, RECORD_DOCUMENT, docs[i].id).created, c[i].seq);
	}
	assert_finds(f, &q, "d-0 d-1 d-2 d-3 d-4");
	query_words(f, &q, "new");
	assert_finds(f, &q, "d-0 d-1 d-3 d-4");
	query_words(f, &q, "older");
	assert_finds(f, &q, "d-2");
}

/* In order: each stands on those before it. With lost answers a later event may find its ground missing. */
static void test_commit_many__is_in_order(void **state)
{
	struct fixture *f = *state;
	struct change ch[6];
	struct event ev[6];
	struct commit c[6];

	for (int i = 0; i < 6; i++) {
		ch[i] = (struct change){ .kind = RECORD_JOB,
					 .id = "j",
					 .body = json_keep(f->a, json_pack("{s:i}", "i", i)) };
		ev[i] = (struct event){ .stream = "job/j", .expect = i, .changes = &ch[i], .n = 1 };
	}
	commit_all(f, ev, 6, c);
	for (int i = 0; i < 6; i++) {
		if (c[i].code == ERR_CONFLICT)
			c[i].code = commit_try(f->g, &ev[i], &c[i], &c[i].error);
		assert_int_equal(c[i].code, 0);
		assert_int_equal(c[i].revision, i + 1);
		assert_true(i == 0 || c[i].seq > c[i - 1].seq);
	}
	assert_body(get_ok(f, RECORD_JOB, "j").body, "{\"i\":5}");
}

static void test_commit_many__the_same_event_twice_counts_once(void **state)
{
	struct fixture *f = *state;
	struct change ch = { .kind = RECORD_JOB, .id = "j", .body = json_of(f, "{}") };
	struct event one = { .stream = "job/j", .expect = ENGINE_ANY, .changes = &ch, .n = 1 };
	char id[UUID_TEXT];
	struct commit c[3];

	uuid_v7(id);
	one.id = id;
	struct event ev[3] = { one, one, one };
	commit_all(f, ev, 3, c);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(c[i].code, 0);
		assert_int_equal(c[i].seq, c[0].seq);
		assert_int_equal(c[i].revision, 1);
	}
	assert_int_equal(revision_of(f, "job/j"), 1);
}

static void test_commit_many__2000_events(void **state)
{
	struct fixture *f = *state;
	enum { N = 2000 };
	struct event *ev = arena_alloc(f->a, N * sizeof(*ev));
	struct commit *c = arena_alloc(f->a, N * sizeof(*c));
	struct index_query q = query_all(f);

	for (size_t i = 0; i < N; i++) {
		struct doc d = { .id = arena_printf(f->a, "d-%04zu", i),
				 .title = "A title",
				 .text = arena_printf(f->a, "word%zu in bucket%zu", i, i % 10),
				 .vector = vector_random(f) };
		ev[i] = (struct event){ .stream = stream_name(f->a, RECORD_DOCUMENT, d.id),
					.changes = doc_change(f->a, &d),
					.n = 1 };
	}
	commit_all(f, ev, N, c);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(c[i].code, 0);
	struct engine_status s;
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_int_equal(s.records[RECORD_DOCUMENT], N);
	assert_int_equal(s.index.entries[COLLECTION_DOCUMENT], N);
	q.k = N;
	struct index_result r = search_ok(f, &q);
	assert_int_equal(r.n, N);
	assert_true(r.exhausted);
	query_words(f, &q, "bucket3");
	assert_int_equal(search_ok(f, &q).n, N / 10);
	query_words(f, &q, "word1234");
	assert_finds(f, &q, "d-1234");
}

static void test_commit_many__of_nothing_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct event ev = { 0 };
	struct commit c;

	assert_int_equal(engine_commit_many(f->g, &ev, 0, &c, &f->e), 0);
}

/* --- what was borrowed ------------------------------------------------------------------------------------- */

static void test_commit__takes_copies_and_hands_out_copies(void **state)
{
	struct fixture *f = *state;
	json_t *body = json_of(f, "{\"list\":[1,2]}");
	char text[] = "the text";
	struct change ch = { .kind = RECORD_CASE, .id = "c", .body = body, .text = text_from(text) };
	struct event ev = { .stream = "case/c", .changes = &ch, .n = 1 };

	commit_ok(f, &ev);
	json_array_append_new(json_object_get(body, "list"), json_integer(3));
	memset(text, 'x', strlen(text));
	struct record r = get_ok(f, RECORD_CASE, "c");
	assert_body(r.body, "{\"list\":[1,2]}");
	assert_string_equal(r.text.s, "the text");
	json_object_clear(r.body);
	assert_body(get_ok(f, RECORD_CASE, "c").body, "{\"list\":[1,2]}");
}

static void test_commit__keep_rows_of_what_is_not_indexed_is_not_found_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct doc d = { .id = "d", .keep_rows = 1 };
	struct event ev = {
		.stream = "document/d", .expect = ENGINE_ANY, .changes = doc_change(f->a, &d), .n = 1
	};
	struct index_query q = query_all(f);

	assert_int_equal(commit_code(f, &ev), ERR_NOT_FOUND);
	assert_false(is_there(f, RECORD_DOCUMENT, "d"));
	assert_int_equal(revision_of(f, "document/d"), 0);
	put_record(f, RECORD_DOCUMENT, "d", 0, "{\"title\":\"plain\"}");
	assert_int_equal(commit_code(f, &ev), ERR_NOT_FOUND);
	assert_body(get_ok(f, RECORD_DOCUMENT, "d").body, "{\"title\":\"plain\"}");
	assert_finds(f, &q, "");
}

const struct suite_test suite_commits[] = {
	SUITE_TEST(test_commit__is_read_and_found_at_once),
	SUITE_TEST(test_commit__seq_grows_and_is_told_by_status),
	SUITE_TEST(test_commit__expect_0_needs_a_stream_that_never_was),
	SUITE_TEST(test_commit__expect_n_needs_that_revision),
	SUITE_TEST(test_commit__expect_any_takes_what_is_there),
	SUITE_TEST(test_commit__streams_are_independent),
	SUITE_TEST(test_commit__conflict_leaves_nothing_behind),
	SUITE_TEST(test_commit__a_lost_event_can_be_tried_again_under_its_id),
	SUITE_TEST(test_commit__an_event_is_there_whole),
	SUITE_TEST(test_commit__an_event_without_changes_moves_the_stream),
	SUITE_TEST(test_commit__an_event_without_id_is_always_new),
	SUITE_TEST(test_commit__redelivery_gives_the_first_seq_and_revision),
	SUITE_TEST(test_commit__redelivery_does_not_look_at_what_is_in_it),
	SUITE_TEST(test_commit__redelivery_indexes_once),
	SUITE_TEST(test_commit_many__a_failed_event_does_not_take_its_neighbours),
	SUITE_TEST(test_commit_many__is_in_order),
	SUITE_TEST(test_commit_many__the_same_event_twice_counts_once),
	SUITE_TEST(test_commit_many__2000_events),
	SUITE_TEST(test_commit_many__of_nothing_is_nothing),
	SUITE_TEST(test_commit__takes_copies_and_hands_out_copies),
	SUITE_TEST(test_commit__keep_rows_of_what_is_not_indexed_is_not_found_and_leaves_nothing),
	{ NULL, NULL },
};
