/* suite_scans.c: records in creation order, by equality, in pages. */
#include "suite.h"

/* One record of a kind in its own stream, at a time. */
static struct commit put_at(struct fixture *f, enum record_kind k, const char *id, int64_t at,
			    const char *body)
{
	struct change ch = { .kind = k, .id = id, .body = json_of(f, body) };
	struct event ev = {
		.stream = stream_name(f->a, k, id), .expect = ENGINE_ANY, .at = at, .changes = &ch, .n = 1
	};

	return commit_ok(f, &ev);
}

static void test_scan__is_in_creation_order_whatever_the_id_and_the_clock(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_JOB, .limit = 10 };

	put_at(f, RECORD_JOB, "c", 5000, "{}");
	put_at(f, RECORD_JOB, "a", 4000, "{}");
	put_at(f, RECORD_JOB, "b", 3000, "{}");
	assert_string_equal(scan_ids(f, &s), "c a b");
	put_at(f, RECORD_JOB, "c", 9000, "{}"); /* a change does not move it */
	assert_string_equal(scan_ids(f, &s), "c a b");
	s.newest_first = 1;
	assert_string_equal(scan_ids(f, &s), "b a c");
	s.kind = RECORD_DATASET;
	assert_string_equal(scan_ids(f, &s), "");
}

static void test_scan__records_of_one_event_are_in_order_of_their_ids(void **state)
{
	struct fixture *f = *state;
	const char *ids[] = { "t/3", "t/10", "t/1", "t/2", "é", "Z" };
	struct change ch[6];

	for (int i = 0; i < 6; i++)
		ch[i] = (struct change){ .kind = RECORD_TURN, .id = ids[i], .body = json_of(f, "{}") };
	struct event ev = { .stream = "conversation/t", .changes = ch, .n = 6 };
	commit_ok(f, &ev);
	struct scan s = { .kind = RECORD_TURN, .limit = 10 };
	assert_string_equal(scan_ids(f, &s), "Z t/1 t/10 t/2 t/3 é");
	s.newest_first = 1;
	assert_string_equal(scan_ids(f, &s), "é t/3 t/2 t/10 t/1 Z");
}

static void test_scan__limit_cuts_and_fewer_come_only_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_JOB };

	for (int i = 0; i < 5; i++)
		put_at(f, RECORD_JOB, arena_printf(f->a, "j%d", i), 0, "{}");
	s.limit = 2;
	assert_string_equal(scan_ids(f, &s), "j0 j1");
	s.limit = 5;
	assert_string_equal(scan_ids(f, &s), "j0 j1 j2 j3 j4");
	s.limit = 6;
	assert_string_equal(scan_ids(f, &s), "j0 j1 j2 j3 j4");
}

static void test_scan__equality_fields(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_HANDOFF, .limit = 10 };

	put_at(f, RECORD_HANDOFF, "h1", 0, "{\"conversation\":\"c1\",\"state\":\"offered\",\"queue\":\"a\"}");
	put_at(f, RECORD_HANDOFF, "h2", 0,
	       "{\"conversation\":\"c2\",\"state\":\"accepted\",\"queue\":\"a\"}");
	put_at(f, RECORD_HANDOFF, "h3", 0, "{\"conversation\":\"c1\",\"state\":\"offered\",\"queue\":\"b\"}");
	put_at(f, RECORD_HANDOFF, "h4", 0, "{\"conversation\":\"c1\",\"state\":\"offered\"}");
	put_at(f, RECORD_HANDOFF, "h5", 0, "{\"conversation\":\"c1\",\"state\":7,\"queue\":\"\"}");
	s.field[0] = "state";
	s.value[0] = "offered";
	assert_string_equal(scan_ids(f, &s), "h1 h3 h4");
	s.field[1] = "queue";
	s.value[1] = "a";
	assert_string_equal(scan_ids(f, &s), "h1");
	s.value[1] = "";
	assert_string_equal(scan_ids(f, &s), "");
	s.field[0] = NULL;
	assert_string_equal(scan_ids(f, &s), "h5");
	s = (struct scan){ .kind = RECORD_HANDOFF, .limit = 10, .field = { "state" }, .value = { "7" } };
	assert_string_equal(scan_ids(f, &s), "");
	s.value[0] = "Offered";
	assert_string_equal(scan_ids(f, &s), "");
}

static void test_scan__equality_follows_the_last_put(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_HANDOFF, .field = { "state" }, .value = { "offered" }, .limit = 10 };

	put_at(f, RECORD_HANDOFF, "h1", 0, "{\"state\":\"offered\"}");
	put_at(f, RECORD_HANDOFF, "h2", 0, "{\"state\":\"offered\"}");
	put_at(f, RECORD_HANDOFF, "h1", 0, "{\"state\":\"accepted\"}");
	assert_string_equal(scan_ids(f, &s), "h2");
	s.value[0] = "accepted";
	assert_string_equal(scan_ids(f, &s), "h1");
	delete_record(f, RECORD_HANDOFF, "h1");
	assert_string_equal(scan_ids(f, &s), "");
}

static void test_scan__of_a_field_that_the_kind_does_not_have_is_a_bad_value(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_HANDOFF, .field = { "customer" }, .value = { "x" }, .limit = 10 };
	struct record *r;
	size_t n;

	put_at(f, RECORD_HANDOFF, "h1", 0, "{\"customer\":\"x\"}");
	assert_int_equal(engine_scan(f->g, &s, f->a, &r, &n, &f->e), ERR_BAD_VALUE);
}

/* Every field that the table of kinds lists can be asked for. */
static void test_scan__every_field_of_every_kind(void **state)
{
	struct fixture *f = *state;

	for (int k = 0; k < RECORD_KINDS; k++) {
		const struct record_schema *schema = record_schema((enum record_kind)k);
		for (int i = 0; i < 4 && schema->fields[i]; i++) {
			put_at(f, (enum record_kind)k, "one", 0,
			       arena_printf(f->a, "{\"%s\":\"v'1\"}", schema->fields[i]));
			put_at(f, (enum record_kind)k, "two", 0, "{}");
			struct scan s = { .kind = (enum record_kind)k,
					  .field = { schema->fields[i] },
					  .value = { "v'1" },
					  .limit = 10 };
			assert_string_equal(scan_ids(f, &s), "one");
		}
	}
}

static void test_scan__created_range_is_from_and_before_to(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_JOB, .limit = 10 };

	for (int i = 1; i <= 5; i++)
		put_at(f, RECORD_JOB, arena_printf(f->a, "j%d", i), i * 1000, "{}");
	s.created_from = 2000;
	assert_string_equal(scan_ids(f, &s), "j2 j3 j4 j5");
	s.created_to = 4000;
	assert_string_equal(scan_ids(f, &s), "j2 j3");
	s.created_from = 0;
	assert_string_equal(scan_ids(f, &s), "j1 j2 j3");
	s.created_from = 2001;
	s.newest_first = 1;
	assert_string_equal(scan_ids(f, &s), "j3");
	put_at(f, RECORD_JOB, "j3", 9000, "{}"); /* when it was made, not when it was changed */
	assert_string_equal(scan_ids(f, &s), "j3");
}

static void test_scan__at_a_mark_shows_what_was_made_until_then(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_VOTE, .limit = 10 };
	uint64_t mark[4];

	for (int i = 0; i < 4; i++)
		mark[i] = put_at(f, RECORD_VOTE, arena_printf(f->a, "v%d", i), 0, "{\"example\":\"e\"}").seq;
	s.at = mark[1];
	assert_string_equal(scan_ids(f, &s), "v0 v1");
	s.field[0] = "example";
	s.value[0] = "e";
	assert_string_equal(scan_ids(f, &s), "v0 v1");
	s.newest_first = 1;
	assert_string_equal(scan_ids(f, &s), "v1 v0");
	s.after = mark[1];
	s.after_id = "v1";
	assert_string_equal(scan_ids(f, &s), "v0");
	s = (struct scan){
		.kind = RECORD_VOTE, .at = mark[2], .after = mark[0], .after_id = "v0", .limit = 10
	};
	assert_string_equal(scan_ids(f, &s), "v1 v2");
	s.at = mark[3] + 1000;
	assert_string_equal(scan_ids(f, &s), "v1 v2 v3");
}

static void test_scan__without_after_id_goes_on_within_that_event(void **state)
{
	struct fixture *f = *state;
	struct change ch[2] = {
		{ .kind = RECORD_TURN, .id = "b", .body = json_of(f, "{}") },
		{ .kind = RECORD_TURN, .id = "a", .body = json_of(f, "{}") },
	};
	struct event ev = { .stream = "conversation/t", .changes = ch, .n = 2 };

	put_at(f, RECORD_TURN, "first", 0, "{}");
	struct commit c = commit_ok(f, &ev);
	put_at(f, RECORD_TURN, "last", 0, "{}");
	struct scan s = { .kind = RECORD_TURN, .after = c.seq, .limit = 10 };
	assert_string_equal(scan_ids(f, &s), "a b last");
	s.newest_first = 1;
	assert_string_equal(scan_ids(f, &s), "first");
}

/* Pages of `limit`, up to the end, as one list. */
static const char *all_pages(struct fixture *f, struct scan s)
{
	const char *all = "";
	struct record *r;
	size_t n;

	for (int pages = 0; pages < 1000; pages++) {
		assert_int_equal(engine_scan(f->g, &s, f->a, &r, &n, &f->e), 0);
		assert_true(n <= s.limit);
		for (size_t i = 0; i < n; i++)
			all = arena_printf(f->a, "%s%s ", all, r[i].id);
		if (n < s.limit)
			return all;
		s.after = r[n - 1].created;
		s.after_id = r[n - 1].id;
	}
	fail();
	return all;
}

static void test_scan__pages_of_any_size_make_the_whole(void **state)
{
	struct fixture *f = *state;
	const char *up = "", *down = "";
	struct change ch[4];

	for (int i = 0; i < 10; i++) {
		for (int j = 0; j < 4; j++) {
			const char *id = arena_printf(f->a, "t%d-%d", 9 - i, j);
			ch[3 - j] = (struct change){ .kind = RECORD_TURN,
						     .id = id,
						     .body = json_of(f, i % 2 ? "{\"conversation\":\"odd\"}"
									      : "{}") };
			up = arena_printf(f->a, "%s%s ", up, id);
		}
		for (int j = 0; j < 4; j++)
			down = arena_printf(f->a, "%s %s", ch[3 - j].id, down);
		struct event ev = { .stream = arena_printf(f->a, "conversation/%d", i),
				    .changes = ch,
				    .n = 4 };
		commit_ok(f, &ev);
	}
	for (size_t limit = 1; limit < 45; limit += 1 + limit / 7) {
		struct scan s = { .kind = RECORD_TURN, .limit = limit };
		assert_string_equal(all_pages(f, s), up);
		s.newest_first = 1;
		assert_string_equal(all_pages(f, s), down);
		s = (struct scan){
			.kind = RECORD_TURN, .field = { "conversation" }, .value = { "odd" }, .limit = limit
		};
		assert_int_equal(strlen(all_pages(f, s)), strlen(up) / 2);
	}
}

static void test_scan__goes_on_behind_a_record_that_was_deleted(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_JOB, .limit = 2 };
	struct record *r;
	size_t n;

	for (int i = 0; i < 5; i++)
		put_at(f, RECORD_JOB, arena_printf(f->a, "j%d", i), 0, "{}");
	assert_int_equal(engine_scan(f->g, &s, f->a, &r, &n, &f->e), 0);
	delete_record(f, RECORD_JOB, "j1");
	delete_record(f, RECORD_JOB, "j3");
	s.after = r[1].created;
	s.after_id = r[1].id;
	assert_string_equal(scan_ids(f, &s), "j2 j4");
}

const struct suite_test suite_scans[] = {
	SUITE_TEST(test_scan__is_in_creation_order_whatever_the_id_and_the_clock),
	SUITE_TEST(test_scan__records_of_one_event_are_in_order_of_their_ids),
	SUITE_TEST(test_scan__limit_cuts_and_fewer_come_only_at_the_end),
	SUITE_TEST(test_scan__equality_fields),
	SUITE_TEST(test_scan__equality_follows_the_last_put),
	SUITE_TEST(test_scan__of_a_field_that_the_kind_does_not_have_is_a_bad_value),
	SUITE_TEST(test_scan__every_field_of_every_kind),
	SUITE_TEST(test_scan__created_range_is_from_and_before_to),
	SUITE_TEST(test_scan__at_a_mark_shows_what_was_made_until_then),
	SUITE_TEST(test_scan__without_after_id_goes_on_within_that_event),
	SUITE_TEST(test_scan__pages_of_any_size_make_the_whole),
	SUITE_TEST(test_scan__goes_on_behind_a_record_that_was_deleted),
	{ NULL, NULL },
};
