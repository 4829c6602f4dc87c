/* suite_records.c: records as they are read, deletion, rows, status. */
#include "suite.h"

#include "base/clock.h"

static void test_record__fields(void **state)
{
	struct fixture *f = *state;
	struct change ch = { .kind = RECORD_CASE,
			     .id = "c-1/case",
			     .subject = "customer 17",
			     .body = json_of(f, "{\"intent\":\"refund\"}"),
			     .text = text_from("The text.") };
	struct event ev = { .stream = "conversation/c-1", .at = 1700000000123, .changes = &ch, .n = 1 };
	struct commit one = commit_ok(f, &ev);
	struct record r = get_ok(f, RECORD_CASE, "c-1/case");

	assert_int_equal(r.revision, 1);
	assert_int_equal(r.created, one.seq);
	assert_int_equal(r.changed, one.seq);
	assert_int_equal(r.created_at, 1700000000123);
	assert_int_equal(r.changed_at, 1700000000123);
	assert_string_equal(r.subject, "customer 17");
	assert_int_equal(r.text.n, 9);
	assert_string_equal(r.text.s, "The text.");

	ch.subject = NULL;
	ch.body = json_of(f, "{\"intent\":\"return\"}");
	ch.text = text_from(NULL);
	ev = (struct event){
		.stream = "conversation/c-1", .expect = 1, .at = 1600000000000, .changes = &ch, .n = 1
	};
	struct commit two = commit_ok(f, &ev);
	r = get_ok(f, RECORD_CASE, "c-1/case");
	assert_int_equal(r.revision, 2);
	assert_int_equal(r.created, one.seq);
	assert_int_equal(r.changed, two.seq);
	assert_int_equal(r.created_at, 1700000000123);
	assert_int_equal(r.changed_at, 1600000000000);
	assert_string_equal(r.subject, "");
	assert_null(r.text.s);
	assert_int_equal(r.text.n, 0);
	assert_body(r.body, "{\"intent\":\"return\"}");
}

static void test_record__time_0_is_now(void **state)
{
	struct fixture *f = *state;
	int64_t before = clock_wall_ms();

	put_record(f, RECORD_JOB, "j", 0, "{}");
	struct record r = get_ok(f, RECORD_JOB, "j");
	assert_in_range(r.created_at, before, clock_wall_ms());
}

static void test_record__a_record_of_anothers_stream_keeps_the_revision_of_its_last_put(void **state)
{
	struct fixture *f = *state;
	struct change ch[2] = {
		{ .kind = RECORD_TURN, .id = "c/1", .body = json_of(f, "{\"conversation\":\"c\"}") },
		{ .kind = RECORD_CONVERSATION, .id = "c", .body = json_of(f, "{}") },
	};
	struct event ev = { .stream = "conversation/c", .changes = ch, .n = 2 };

	commit_ok(f, &ev);
	put_record(f, RECORD_CONVERSATION, "c", 1, "{}");
	assert_int_equal(get_ok(f, RECORD_TURN, "c/1").revision, 1);
	assert_int_equal(get_ok(f, RECORD_CONVERSATION, "c").revision, 2);
	assert_int_equal(revision_of(f, "conversation/c"), 2);
}

static void test_record__body_is_deep_equal(void **state)
{
	struct fixture *f = *state;
	const char *body =
		"{\"s\":\"caf\\u00e9 \\ud83d\\ude42 \\\"q\\\" \\\\ \\n\\t\\u0001\",\"i\":9007199254740993,"
		"\"neg\":-1,\"r\":0.1,\"big\":1e300,\"t\":true,\"f\":false,\"null\":null,\"e\":{},\"a\":[],"
		"\"deep\":[[[{\"x\":[1,2,{\"y\":\"z\"}]}]]],\"\":\"empty key\",\"k/ey\":1}";

	put_record(f, RECORD_DATASET, "d", 0, body);
	assert_body(get_ok(f, RECORD_DATASET, "d").body, body);
}

static void test_record__a_text_may_be_empty_and_that_is_not_none(void **state)
{
	struct fixture *f = *state;
	struct change ch = {
		.kind = RECORD_VERSION, .id = "v", .body = json_of(f, "{}"), .text = text_from("")
	};
	struct event ev = { .stream = "document/d", .changes = &ch, .n = 1 };

	commit_ok(f, &ev);
	struct record r = get_ok(f, RECORD_VERSION, "v");
	assert_non_null(r.text.s);
	assert_int_equal(r.text.n, 0);
}

static void test_record__text_of_10_mb(void **state)
{
	struct fixture *f = *state;
	size_t n = 10u << 20;
	char *text = text_long(f, n);
	struct index_query q = query_all(f);

	memcpy(text + n - 12, " lastneedle", 11);
	put_doc(f, (struct doc){ .id = "long", .title = "Long", .text = text, .vector = vector_first(f) });
	struct record r = get_ok(f, RECORD_DOCUMENT, "long");
	assert_int_equal(r.text.n, strlen(text));
	assert_memory_equal(r.text.s, text, r.text.n + 1);
	query_words(f, &q, "lastneedle");
	assert_finds(f, &q, "long");
}

static void test_record__kinds_do_not_share_ids(void **state)
{
	struct fixture *f = *state;

	for (int k = 0; k < RECORD_KINDS; k++) {
		char body[32];
		snprintf(body, sizeof(body), "{\"kind\":%d}", k);
		put_record(f, (enum record_kind)k, "same", 0, body);
	}
	for (int k = 0; k < RECORD_KINDS; k++)
		assert_int_equal(json_integer_value(json_object_get(
					 get_ok(f, (enum record_kind)k, "same").body, "kind")),
				 k);
	delete_record(f, RECORD_CASE, "same");
	for (int k = 0; k < RECORD_KINDS; k++)
		assert_int_equal(is_there(f, (enum record_kind)k, "same"), k != RECORD_CASE);
}

static void test_record__any_id_of_up_to_512_bytes(void **state)
{
	struct fixture *f = *state;
	char longest[513];
	memset(longest, 'x', 512);
	longest[512] = '\0';
	const char *ids[] = { "a",        "a/b/c", "/",      "//",     "..",  "help-12@sha256:ab",
			      "日本語/é", "🙂",  "%2F",    "a'b\"c", "a b", "A",
			      "*",        "NULL",  "x;DROP", "%",      "_",   longest };
	size_t n = sizeof(ids) / sizeof(ids[0]);
	struct index_query q = query_all(f);

	for (size_t i = 0; i < n; i++)
		put_doc(f, (struct doc){ .id = ids[i], .text = ids[i], .vector = vector_first(f) });
	for (size_t i = 0; i < n; i++) {
		struct record r = get_ok(f, RECORD_DOCUMENT, ids[i]);
		assert_string_equal(r.text.s, ids[i]);
		assert_int_equal(r.revision, 1);
		assert_int_equal(revision_of(f, stream_name(f->a, RECORD_DOCUMENT, ids[i])), 1);
	}
	struct index_result found = search_ok(f, &q);
	assert_int_equal(found.n, n);
	for (size_t i = 0; i < n; i++)
		hit_of(f, &found, ids[i]);
}

static void test_record__what_is_not_there_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct record r = { .id = "untouched" };

	for (int k = 0; k < RECORD_KINDS; k++)
		assert_int_equal(engine_get(f->g, (enum record_kind)k, "no", f->a, &r, &f->e), ERR_NOT_FOUND);
	assert_string_equal(r.id, "untouched");
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
}

/* --- deletion -------------------------------------------------------------------------------------------- */

static void test_delete__removes_record_and_entry_and_the_revision_goes_on(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f), w = query_all(f), m = query_all(f);
	struct entry_row *rows;
	size_t n = 7;

	query_words(f, &w, "words");
	m.match = "words";
	put_doc(f, (struct doc){ .id = "d", .text = "some words", .vector = vector_first(f) });
	uint64_t entry = search_ok(f, &q).hits[0].entry;
	assert_int_equal(delete_record(f, RECORD_DOCUMENT, "d").revision, 2);
	assert_false(is_there(f, RECORD_DOCUMENT, "d"));
	assert_int_equal(revision_of(f, "document/d"), 2);
	assert_finds(f, &q, "");
	assert_finds(f, &w, "");
	assert_finds(f, &m, "");
	assert_null(id_of_entry(f, RECORD_DOCUMENT, entry));
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "d", f->a, &rows, &n, &f->e), 0);
	assert_int_equal(n, 0);
	struct scan s = { .kind = RECORD_DOCUMENT, .limit = 10 };
	assert_string_equal(scan_ids(f, &s), "");
}

static void test_delete__of_what_is_not_there_is_no_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(delete_record(f, RECORD_CASE, "no").revision, 1);
	assert_int_equal(delete_record(f, RECORD_DOCUMENT, "no").revision, 1);
	assert_int_equal(delete_record(f, RECORD_DOCUMENT, "no").revision, 2);
}

static void test_delete__put_again_is_a_new_record_in_the_old_stream(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	struct commit first = put_doc(f,
				      (struct doc){ .id = "d", .text = "first", .vector = vector_first(f) });
	put_doc(f, (struct doc){ .id = "e", .text = "other", .vector = vector_first(f) });
	struct index_result before = search_ok(f, &q);
	uint64_t entry = hit_of(f, &before, "d")->entry;
	delete_record(f, RECORD_DOCUMENT, "d");
	struct commit c = put_doc(f, (struct doc){ .id = "d", .text = "second", .vector = vector_first(f) });
	assert_int_equal(c.revision, 3);
	struct record r = get_ok(f, RECORD_DOCUMENT, "d");
	assert_true(r.created == c.seq && r.created > first.seq);
	assert_int_equal(r.revision, 3);
	assert_string_equal(r.text.s, "second");
	assert_finds(f, &q, "d e");
	struct index_result after = search_ok(f, &q);
	assert_true(hit_of(f, &after, "d")->entry != entry);
	assert_null(id_of_entry(f, RECORD_DOCUMENT, entry));
	struct scan s = { .kind = RECORD_DOCUMENT, .limit = 10 };
	assert_string_equal(scan_ids(f, &s), "e d");
}

static void test_delete__and_put_again_without_entry_is_not_indexed(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "d", .text = "first", .vector = vector_first(f) });
	delete_record(f, RECORD_DOCUMENT, "d");
	put_record(f, RECORD_DOCUMENT, "d", 2, "{}");
	assert_finds(f, &q, "");
}

/* --- rows -------------------------------------------------------------------------------------------------- */

static void test_rows__come_in_order_with_their_vectors(void **state)
{
	struct fixture *f = *state;
	struct entry_row rows[5] = {
		{ ROW_TITLE, 0, 0, 0, vector_random(f) },    { ROW_WHOLE, 0, 0, 400, vector_random(f) },
		{ ROW_CHUNK, 0, 0, 250, vector_random(f) },  { ROW_CHUNK, 1, 200, 400, NULL },
		{ ROW_QUESTION, 7, 3, 9, vector_random(f) },
	};
	struct entry_row *out;
	size_t n;

	put_doc(f, (struct doc){ .id = "d", .title = "T", .text = "text", .rows = rows, .n_rows = 5 });
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "d", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(out[i].field, rows[i].field);
		assert_int_equal(out[i].n, rows[i].n);
		assert_int_equal(out[i].start, rows[i].start);
		assert_int_equal(out[i].end, rows[i].end);
		assert_int_equal(!out[i].vector, !rows[i].vector);
		if (rows[i].vector)
			assert_memory_equal(out[i].vector, rows[i].vector, SUITE_DIM * sizeof(float));
	}
}

static void test_rows__none_for_what_is_not_indexed(void **state)
{
	struct fixture *f = *state;
	struct entry_row *out;
	size_t n = 9;

	put_record(f, RECORD_DOCUMENT, "d", 0, "{}");
	put_record(f, RECORD_JOB, "j", 0, "{}");
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "d", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 0);
	n = 9;
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "nobody", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 0);
	n = 9;
	assert_int_equal(engine_rows(f->g, RECORD_JOB, "j", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 0);
}

static void test_rows__are_replaced_and_kept(void **state)
{
	struct fixture *f = *state;
	const float *one = vector_random(f), *two = vector_random(f);
	struct entry_row *out;
	size_t n;

	put_doc(f, (struct doc){ .id = "d", .text = "t", .vector = one });
	put_record(f, RECORD_DOCUMENT, "d", 1, "{}"); /* no entry given: it stays */
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "d", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(out[0].vector, one, SUITE_DIM * sizeof(float));
	put_doc(f, (struct doc){ .id = "d", .keep_rows = 1, .vector = two, .groups = "a" });
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "d", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(out[0].vector, one, SUITE_DIM * sizeof(float));
	put_doc(f, (struct doc){ .id = "d", .text = "t", .vector = two });
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "d", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(out[0].vector, two, SUITE_DIM * sizeof(float));
}

/* --- status and parts ----------------------------------------------------------------------------------------- */

static void test_status__counts(void **state)
{
	struct fixture *f = *state;
	struct engine_status s;

	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_true(s.ready && !s.read_only);
	assert_string_equal(s.reason, "");
	assert_int_equal(s.dim, SUITE_DIM);
	assert_int_equal(s.records[RECORD_DOCUMENT], 0);
	for (int i = 0; i < 7; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d-%d", i),
					 .text = "t",
					 .vector = vector_random(f) });
	put_record(f, RECORD_DOCUMENT, "plain", 0, "{}");
	put_record(f, RECORD_HANDOFF, "h", 0, "{}");
	put_record(f, RECORD_HANDOFF, "h", 1, "{}");
	delete_record(f, RECORD_DOCUMENT, "d-3");
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_int_equal(s.records[RECORD_DOCUMENT], 7);
	assert_int_equal(s.records[RECORD_HANDOFF], 1);
	assert_int_equal(s.records[RECORD_CASE], 0);
	assert_int_equal(s.index.entries[COLLECTION_DOCUMENT], 6);
	assert_int_equal(s.index.entries[COLLECTION_CASE], 0);
}

static void test_ids__of_parts_derive_from_the_whole(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(version_id(f->a, "help-12", "sha256:ab"), "help-12@sha256:ab");
	assert_string_equal(turn_id(f->a, "c-1", 7), "c-1/000007");
	assert_string_equal(turn_id(f->a, "a/b", 1234567), "a/b/1234567");
}

const struct suite_test suite_records[] = {
	SUITE_TEST(test_record__fields),
	SUITE_TEST(test_record__time_0_is_now),
	SUITE_TEST(test_record__a_record_of_anothers_stream_keeps_the_revision_of_its_last_put),
	SUITE_TEST(test_record__body_is_deep_equal),
	SUITE_TEST(test_record__a_text_may_be_empty_and_that_is_not_none),
	SUITE_TEST(test_record__text_of_10_mb),
	SUITE_TEST(test_record__kinds_do_not_share_ids),
	SUITE_TEST(test_record__any_id_of_up_to_512_bytes),
	SUITE_TEST(test_record__what_is_not_there_is_not_found),
	SUITE_TEST(test_delete__removes_record_and_entry_and_the_revision_goes_on),
	SUITE_TEST(test_delete__of_what_is_not_there_is_no_error),
	SUITE_TEST(test_delete__put_again_is_a_new_record_in_the_old_stream),
	SUITE_TEST(test_delete__and_put_again_without_entry_is_not_indexed),
	SUITE_TEST(test_rows__come_in_order_with_their_vectors),
	SUITE_TEST(test_rows__none_for_what_is_not_indexed),
	SUITE_TEST(test_rows__are_replaced_and_kept),
	SUITE_TEST(test_status__counts),
	SUITE_TEST(test_ids__of_parts_derive_from_the_whole),
	{ NULL, NULL },
};
