/* suite_reopen.c: closed and opened again, everything is as it was. */
#include "suite.h"

#include "base/uuid.h"

static void test_reopen__records_rows_and_streams_are_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct entry_row rows[2] = { { ROW_TITLE, 0, 0, 0, vector_random(f) },
				     { ROW_CHUNK, 1, 2, 3, vector_random(f) } };
	struct entry_row *out;
	size_t n;

	struct commit c = put_doc(
		f, (struct doc){ .id = "d/é", .title = "T", .text = "apple", .rows = rows, .n_rows = 2 });
	put_record(f, RECORD_JOB, "j", 0, "{\"state\":\"done\",\"n\":[1,{\"x\":null}]}");
	delete_record(f, RECORD_CASE, "gone");
	struct record before = get_ok(f, RECORD_DOCUMENT, "d/é");
	fixture_reopen(f);
	struct record r = get_ok(f, RECORD_DOCUMENT, "d/é");
	assert_true(json_equal(r.body, before.body));
	assert_string_equal(r.text.s, "apple");
	assert_int_equal(r.created, c.seq);
	assert_int_equal(r.revision, 1);
	assert_int_equal(r.created_at, before.created_at);
	assert_body(get_ok(f, RECORD_JOB, "j").body, "{\"state\":\"done\",\"n\":[1,{\"x\":null}]}");
	assert_int_equal(revision_of(f, "case/gone"), 1);
	assert_int_equal(engine_rows(f->g, RECORD_DOCUMENT, "d/é", f->a, &out, &n, &f->e), 0);
	assert_int_equal(n, 2);
	for (int i = 0; i < 2; i++)
		assert_memory_equal(out[i].vector, rows[i].vector, SUITE_DIM * sizeof(float));
	assert_int_equal(out[1].end, 3);
	struct scan s = { .kind = RECORD_JOB, .field = { "state" }, .value = { "done" }, .limit = 5 };
	assert_string_equal(scan_ids(f, &s), "j");
}

static void test_reopen__seq_goes_on_and_entries_are_not_numbered_again(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	put_doc(f, (struct doc){ .id = "a", .text = "apple", .vector = vector_first(f) });
	struct commit b = put_doc(f, (struct doc){ .id = "b", .text = "apple", .vector = vector_first(f) });
	struct index_result found = search_ok(f, &q);
	uint64_t a = hit_of(f, &found, "a")->entry, last = hit_of(f, &found, "b")->entry;
	uint64_t row = hit_of(f, &found, "b")->row;
	delete_record(f, RECORD_DOCUMENT, "b");
	fixture_reopen(f);
	struct commit c = put_doc(f, (struct doc){ .id = "c", .text = "apple", .vector = vector_first(f) });
	assert_true(c.seq > b.seq + 1);
	found = search_ok(f, &q);
	assert_finds(f, &q, "a c");
	assert_int_equal(hit_of(f, &found, "a")->entry, a);
	assert_true(hit_of(f, &found, "c")->entry != last && hit_of(f, &found, "c")->entry != a);
	assert_true(hit_of(f, &found, "c")->row != row);
	assert_null(id_of_entry(f, RECORD_DOCUMENT, last));
}

static void test_reopen__searches_filters_and_deletions_are_as_they_were(void **state)
{
	struct fixture *f = *state;
	const char *group[] = { "g" };
	struct index_value one = { .type = VALUE_NUMBER, .number = 1.5 },
			   yes = { .type = VALUE_BOOL, .number = 1 };
	struct index_filter is_one = { .op = FILTER_EQ, .key = "n", .values = &one, .n_values = 1 };
	struct index_filter is_hot = { .op = FILTER_EQ, .key = "hot", .values = &yes, .n_values = 1 };
	struct index_query q = query_all(f), w = query_all(f), n = query_all(f), h = query_all(f),
			   g = query_all(f);

	query_words(f, &w, "apple");
	n.filter = &is_one;
	h.filter = &is_hot;
	g.all_groups = 0;
	g.groups = group;
	g.n_groups = 1;
	for (int i = 0; i < 12; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "d%02d", i),
					 .title = i % 2 ? "apple" : NULL,
					 .text = i % 3 ? NULL : "apple pear",
					 .vector = i % 5 ? vector_random(f) : NULL,
					 .tags = i % 4 ? "{\"n\":1.5,\"l\":[\"x\",\"y\"]}" : "{\"hot\":true}",
					 .groups = i % 6 ? "g" : NULL });
	delete_record(f, RECORD_DOCUMENT, "d01");
	delete_record(f, RECORD_DOCUMENT, "d06");
	put_doc(f, (struct doc){ .id = "d02", .text = "pear", .vector = vector_random(f), .groups = "g" });
	put_doc(f, (struct doc){ .id = "d03", .keep_rows = 1, .groups = "", .tags = "{\"n\":1.5}" });
	put_doc(f, (struct doc){ .id = "d07", .keep_rows = 1, .tags = "{\"hot\":true}" });
	const struct index_query *all[] = { &q, &w, &n, &h, &g };
	const char *before[5];
	for (int i = 0; i < 5; i++)
		before[i] = found_ids(f, all[i]);
	assert_string_equal(before[1], "d00 d03 d05 d07 d09 d11");
	assert_string_equal(before[3], "d04 d07 d08"); /* d00 has no vector */
	for (int times = 0; times < 2; times++) {
		fixture_reopen(f);
		for (int i = 0; i < 5; i++)
			assert_string_equal(found_ids(f, all[i]), before[i]);
	}
	struct engine_status s;
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_int_equal(s.records[RECORD_DOCUMENT], 10);
	assert_int_equal(s.index.entries[COLLECTION_DOCUMENT], 10);
	assert_int_equal(s.seq, s.index_seq);
}

static void test_reopen__redelivery_is_still_known(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT];
	struct change ch = { .kind = RECORD_JOB, .id = "j", .body = json_of(f, "{}") };
	struct event ev = { .id = id, .stream = "job/j", .expect = 0, .changes = &ch, .n = 1 };

	uuid_v7(id);
	struct commit first = commit_ok(f, &ev);
	put_record(f, RECORD_JOB, "j", 1, "{\"state\":\"done\"}");
	fixture_reopen(f);
	struct commit again = commit_ok(f, &ev);
	assert_int_equal(again.seq, first.seq);
	assert_int_equal(again.revision, 1);
	assert_body(get_ok(f, RECORD_JOB, "j").body, "{\"state\":\"done\"}");
}

static void test_reopen__an_empty_store_is_empty(void **state)
{
	struct fixture *f = *state;
	struct engine_status s;

	fixture_reopen(f);
	assert_int_equal(engine_status(f->g, f->a, &s, &f->e), 0);
	assert_int_equal(s.seq, 0);
	assert_true(s.ready);
	put_record(f, RECORD_JOB, "j", 0, "{}");
}

const struct suite_test suite_reopen[] = {
	SUITE_TEST(test_reopen__records_rows_and_streams_are_as_they_were),
	SUITE_TEST(test_reopen__seq_goes_on_and_entries_are_not_numbered_again),
	SUITE_TEST(test_reopen__searches_filters_and_deletions_are_as_they_were),
	SUITE_TEST(test_reopen__redelivery_is_still_known),
	SUITE_TEST(test_reopen__an_empty_store_is_empty),
	{ NULL, NULL },
};
