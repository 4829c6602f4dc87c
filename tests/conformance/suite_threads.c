/*
 * suite_threads.c: many at once. cmocka's assertions belong to the test's own
 * thread: others note the first thing that went wrong, which is asserted when
 * all are done.
 */
#include "suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct crew {
	struct fixture *f;
	struct engine *g;
	pthread_mutex_t lock;
	char wrong[200];
	atomic_int done; /* writers that are finished */
	atomic_int published[8];
	size_t n;
};

struct worker {
	struct crew *crew;
	size_t n;
	pthread_t thread;
};

static void __attribute__((format(printf, 2, 3))) wrong(struct crew *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pthread_mutex_lock(&c->lock);
	if (!c->wrong[0])
		vsnprintf(c->wrong, sizeof(c->wrong), fmt, args);
	pthread_mutex_unlock(&c->lock);
	va_end(args);
}

/* Runs `n` writers and `readers` of the others, and asserts that nothing was wrong. */
static void run_crew(struct fixture *f, void *(*write)(void *), size_t n, void *(*read)(void *),
		     size_t readers)
{
	struct crew crew = { .f = f, .g = f->g, .lock = PTHREAD_MUTEX_INITIALIZER, .n = n };
	struct worker w[16];

	for (size_t i = 0; i < n + readers; i++) {
		w[i] = (struct worker){ .crew = &crew, .n = i < n ? i : i - n };
		assert_int_equal(pthread_create(&w[i].thread, NULL, i < n ? write : read, &w[i]), 0);
	}
	for (size_t i = 0; i < n + readers; i++)
		pthread_join(w[i].thread, NULL);
	if (crew.wrong[0])
		fail_msg("%s", crew.wrong);
}

static int all_done(struct crew *c)
{
	return atomic_load(&c->done) == (int)c->n;
}

static json_t *body_of(struct arena *a, const char *name, int64_t n)
{
	return json_keep(a, json_pack("{s:I}", name, (json_int_t)n));
}

static int64_t number_of(const struct record *r, const char *name)
{
	return json_integer_value(json_object_get(r->body, name));
}

static int commit(struct crew *c, const char *stream, int64_t expect, const struct change *changes, size_t n,
		  struct commit *out)
{
	struct event ev = { .stream = stream,
			    .expect = expect,
			    .kind = "test.changed",
			    .principal = "k",
			    .agent = "k",
			    .changes = changes,
			    .n = n };
	struct error e = { 0 };
	int rc = commit_try(c->g, &ev, out, &e);

	if (rc < 0 && rc != ERR_CONFLICT)
		wrong(c, "commit: %s: %s", error_kind(rc)->name, e.message);
	return rc;
}

/* --- one record, many writers ------------------------------------------------------------------------------ */

#define INCREMENTS 15

/* 1: counted; 0: another was quicker; < 0: it failed. */
static int increment(struct worker *w, struct arena *a)
{
	struct crew *c = w->crew;
	struct change ch = { .kind = RECORD_DATASET, .id = "counter" };
	struct record r = { 0 };
	struct commit done;
	struct error e = { 0 };
	int rc = engine_get(c->g, RECORD_DATASET, "counter", a, &r, &e);

	if (rc < 0 && rc != ERR_NOT_FOUND) {
		wrong(c, "get: %s", e.message);
		return rc;
	}
	ch.body = body_of(a, "count", rc < 0 ? 1 : number_of(&r, "count") + 1);
	rc = commit(c, "dataset/counter", rc < 0 ? 0 : r.revision, &ch, 1, &done);
	return rc == ERR_CONFLICT ? 0 : rc < 0 ? rc : 1;
}

static void *increment_many(void *arg)
{
	struct worker *w = arg;

	for (int n = 0, rc; n < INCREMENTS; n += rc) {
		struct arena *a = arena_new(4096);
		rc = increment(w, a);
		arena_free(a);
		if (rc < 0)
			break;
	}
	return NULL;
}

static void test_threads__read_decide_commit_with_retries_loses_nothing(void **state)
{
	struct fixture *f = *state;

	run_crew(f, increment_many, 8, NULL, 0);
	struct record r = get_ok(f, RECORD_DATASET, "counter");
	assert_int_equal(number_of(&r, "count"), 8 * INCREMENTS);
	assert_int_equal(r.revision, 8 * INCREMENTS);
	assert_int_equal(revision_of(f, "dataset/counter"), 8 * INCREMENTS);
}

static void *put_any_many(void *arg)
{
	struct worker *w = arg;
	int64_t last = 0;

	for (int n = 0; n < INCREMENTS; n++) {
		struct arena *a = arena_new(4096);
		json_t *body = body_of(a, "by", (int64_t)w->n);
		const struct change ch[4] = {
			{ .kind = RECORD_EVIDENCE, .id = "any/0", .body = body },
			{ .kind = RECORD_EVIDENCE, .id = "any/1", .body = body },
			{ .kind = RECORD_EVIDENCE, .id = "any/2", .body = body },
			{ .kind = RECORD_DATASET, .id = "any", .body = body },
		};
		struct commit done = { 0 };
		if (commit(w->crew, "dataset/any", ENGINE_ANY, ch, 4, &done) < 0)
			wrong(w->crew, "a conflict although any revision will do");
		if (done.revision <= last)
			wrong(w->crew, "revision %ld after %ld", (long)done.revision, (long)last);
		last = done.revision;
		arena_free(a);
	}
	return NULL;
}

static void test_threads__the_last_of_many_with_expect_any_stays(void **state)
{
	struct fixture *f = *state;

	for (int64_t times = 1; times <= 3; times++) {
		run_crew(f, put_any_many, 8, NULL, 0);
		struct record r = get_ok(f, RECORD_DATASET, "any");
		assert_int_equal(r.revision, times * 8 * INCREMENTS);
		assert_int_equal(revision_of(f, "dataset/any"), r.revision);
		for (int i = 0; i < 3; i++) {
			struct record part = get_ok(f, RECORD_EVIDENCE, arena_printf(f->a, "any/%d", i));
			assert_int_equal(part.revision, r.revision);
			assert_true(json_equal(part.body, r.body));
		}
	}
}

/* --- events are whole ---------------------------------------------------------------------------------------- */

#define PARTS 5
#define EVENTS 25

/* Event k puts the same parts again, a new turn, and the conversation, all with k in them. */
static int put_whole(struct worker *w, struct arena *a, int k)
{
	const char *id = arena_printf(a, "c%zu", w->n);
	struct change ch[PARTS + 2];
	struct commit done;

	for (int i = 0; i < PARTS; i++)
		ch[i] = (struct change){ .kind = RECORD_EVIDENCE,
					 .id = arena_printf(a, "%s/%d", id, i),
					 .body = body_of(a, "k", k) };
	ch[PARTS] = (struct change){ .kind = RECORD_TURN,
				     .id = turn_id(a, id, (uint32_t)k),
				     .body = json_keep(a, json_pack("{s:s}", "conversation", id)) };
	ch[PARTS + 1] = (struct change){ .kind = RECORD_CONVERSATION, .id = id, .body = body_of(a, "k", k) };
	return commit(w->crew, stream_name(a, RECORD_CONVERSATION, id), k - 1, ch, PARTS + 2, &done);
}

static void *write_whole(void *arg)
{
	struct worker *w = arg;

	for (int k = 1; k <= EVENTS; k++) {
		struct arena *a = arena_new(4096);
		int rc = put_whole(w, a, k);
		arena_free(a);
		if (rc < 0) {
			wrong(w->crew, "conflict in a stream of one writer");
			break;
		}
		atomic_store(&w->crew->published[w->n], k);
	}
	atomic_fetch_add(&w->crew->done, 1);
	return NULL;
}

/* All parts must be at least as new as `k`. */
static void check_parts(struct crew *c, struct arena *a, const char *id, int64_t k, const char *why)
{
	struct scan s = { .kind = RECORD_TURN, .field = { "conversation" }, .value = { id }, .limit = 1000 };
	struct record r = { 0 }, *turns;
	struct error e = { 0 };
	size_t n = 0;

	for (int i = 0; i < PARTS; i++) {
		if (engine_get(c->g, RECORD_EVIDENCE, arena_printf(a, "%s/%d", id, i), a, &r, &e) < 0 ||
		    number_of(&r, "k") < k)
			wrong(c, "%s %ld: part %d is missing or older", why, (long)k, i);
	}
	if (engine_scan(c->g, &s, a, &turns, &n, &e) < 0 || n < (size_t)k)
		wrong(c, "%s %ld: a scan finds %zu turns", why, (long)k, n);
}

static void *read_whole(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;

	for (int last = 0, i = 0; !last && i < 100000; i++) {
		last = all_done(c);
		struct arena *a = arena_new(4096);
		size_t which = (size_t)i % c->n;
		const char *id = arena_printf(a, "c%zu", which);
		struct record r = { 0 };
		struct error e = { 0 };
		int k = atomic_load(&c->published[which]);
		if (k > 0) {
			check_parts(c, a, id, k, "after the commit of");
			if (engine_get(c->g, RECORD_CONVERSATION, id, a, &r, &e) < 0 ||
			    number_of(&r, "k") < k || r.revision != number_of(&r, "k"))
				wrong(c, "after the commit of %d: the conversation is older", k);
			else
				check_parts(c, a, id, r.revision, "with the conversation at");
		}
		arena_free(a);
	}
	return NULL;
}

static void test_threads__an_event_is_whole_once_committed_or_once_its_streams_record_shows(void **state)
{
	run_crew(*state, write_whole, 3, read_whole, 3);
}

/* --- pages ------------------------------------------------------------------------------------------------------ */

#define BATCHES 12
#define BATCH 10

static void *write_votes(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;

	for (int b = 0; b < BATCHES; b++) {
		struct arena *a = arena_new(4096);
		struct change ch[BATCH];
		struct commit done;
		/* The later the smaller: order of ids must not matter. */
		for (int i = 0; i < BATCH; i++)
			ch[i] = (struct change){ .kind = RECORD_VOTE,
						 .id = arena_printf(a, "v%02d-%zu-%d", 99 - b, w->n, i),
						 .body = body_of(a, "b", b) };
		commit(c, arena_printf(a, "conversation/%zu", w->n), b, ch, BATCH, &done);
		arena_free(a);
	}
	atomic_fetch_add(&c->done, 1);
	return NULL;
}

struct place {
	uint64_t created;
	char id[32];
};

static int is_before(const struct place *p, const struct record *r)
{
	return p->created < r->created || (p->created == r->created && strcmp(p->id, r->id) < 0);
}

/* One page behind `p`, which it moves; how many records it had. */
static size_t next_page(struct crew *c, struct place *p)
{
	struct arena *a = arena_new(4096);
	struct scan s = { .kind = RECORD_VOTE, .after = p->created, .after_id = p->id, .limit = 7 };
	struct record *r = NULL;
	struct error e = { 0 };
	size_t n = 0;

	if (engine_scan(c->g, &s, a, &r, &n, &e) < 0)
		wrong(c, "scan: %s", e.message);
	for (size_t i = 0; i < n; i++) {
		if (!is_before(p, &r[i]))
			wrong(c, "%s comes behind %s", r[i].id, p->id);
		p->created = r[i].created;
		snprintf(p->id, sizeof(p->id), "%s", r[i].id);
	}
	arena_free(a);
	return n;
}

/* Reads on at the end, as who follows what happens does. */
static void *follow_votes(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;
	struct place p = { 0 };
	size_t seen = 0, n;

	for (int last = 0; !last;) {
		last = all_done(c);
		while ((n = next_page(c, &p)) > 0)
			seen += n;
	}
	if (seen != c->n * BATCHES * BATCH)
		wrong(c, "%zu of %zu records were met", seen, c->n * BATCHES * BATCH);
	return NULL;
}

static size_t count_at(struct crew *c, uint64_t mark)
{
	struct arena *a = arena_new(4096);
	struct scan s = { .kind = RECORD_VOTE, .at = mark, .limit = 10000 };
	struct record *r;
	struct error e = { 0 };
	size_t n = 0;

	if (engine_scan(c->g, &s, a, &r, &n, &e) < 0)
		wrong(c, "scan: %s", e.message);
	arena_free(a);
	return n;
}

/* What was there at a mark does not grow afterwards. */
static void *count_at_marks(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;
	uint64_t mark[64];
	size_t count[64], n = 0;

	while (!all_done(c)) {
		struct arena *a = arena_new(4096);
		struct engine_status s = { 0 };
		struct error e = { 0 };
		if (engine_status(c->g, a, &s, &e) < 0)
			wrong(c, "status: %s", e.message);
		if (s.seq && n < 64) {
			mark[n] = s.seq;
			count[n++] = count_at(c, s.seq);
		}
		arena_free(a);
	}
	for (size_t i = 0; i < n; i++)
		if (count_at(c, mark[i]) != count[i])
			wrong(c, "at mark %lu there were %zu records, now %zu", (unsigned long)mark[i],
			      count[i], count_at(c, mark[i]));
	return NULL;
}

static void test_threads__pages_have_no_gaps_and_no_repeats_under_writers(void **state)
{
	run_crew(*state, write_votes, 4, follow_votes, 2);
}

static void test_threads__what_was_made_up_to_a_mark_of_status_stays_the_same(void **state)
{
	run_crew(*state, write_votes, 4, count_at_marks, 2);
}

/* --- searches ---------------------------------------------------------------------------------------------------- */

/* How many documents this thread's own word finds for members of `group` (NULL: all groups). */
static size_t count_found(struct crew *c, struct arena *a, const char *word, const char *group,
			  const float *vector)
{
	struct index_query q = { .collection = COLLECTION_DOCUMENT,
				 .all_groups = !group,
				 .groups = &group,
				 .n_groups = group != NULL,
				 .match = word,
				 .vector = vector,
				 .k = 10 };
	struct index_result r = { 0 };
	struct error e = { 0 };

	q.n_terms = (size_t)analyse_query(a, word, strlen(word), 8, &q.terms);
	if (engine_search(c->g, &q, a, &r, &e) < 0)
		wrong(c, "search: %s", e.message);
	return r.n;
}

static void put_and_look(struct worker *w, struct arena *a, int round)
{
	struct crew *c = w->crew;
	uint64_t random = w->n * 1000 + (uint64_t)round;
	float *v = arena_alloc(a, SUITE_DIM * sizeof(*v));
	const char *word = arena_printf(a, "marker%zux%d", w->n, round);
	struct doc d = { .id = arena_printf(a, "d%zu", w->n), .text = word, .vector = v, .groups = "in" };
	const char *stream = stream_name(a, RECORD_DOCUMENT, d.id);
	struct change gone = { .kind = RECORD_DOCUMENT, .id = d.id };
	struct commit done;

	vector_fill(&random, v, SUITE_DIM);
	commit(c, stream, 3 * round, doc_change(a, &d), 1, &done);
	if (count_found(c, a, word, NULL, v) != 1 || count_found(c, a, word, "in", v) != 1 ||
	    count_found(c, a, word, "out", v) != 0)
		wrong(c, "round %d: not found as it was put", round);
	d.keep_rows = 1;
	d.groups = "out";
	commit(c, stream, 3 * round + 1, doc_change(a, &d), 1, &done);
	if (count_found(c, a, word, "in", v) != 0 || count_found(c, a, word, "out", v) != 1)
		wrong(c, "round %d: not found as it was retagged", round);
	commit(c, stream, 3 * round + 2, &gone, 1, &done);
	if (count_found(c, a, word, NULL, v) != 0)
		wrong(c, "round %d: found although it was deleted", round);
}

static void *put_and_look_many(void *arg)
{
	struct worker *w = arg;

	for (int round = 0; round < 10; round++) {
		struct arena *a = arena_new(4096);
		put_and_look(w, a, round);
		arena_free(a);
	}
	return NULL;
}

static void test_threads__put_retag_and_delete_are_effective_at_once_for_each_writer(void **state)
{
	struct fixture *f = *state;
	struct index_query q = query_all(f);

	for (int i = 0; i < 20; i++)
		put_doc(f, (struct doc){ .id = arena_printf(f->a, "other%d", i),
					 .text = "t",
					 .vector = vector_random(f) });
	run_crew(f, put_and_look_many, 6, NULL, 0);
	assert_int_equal(search_ok(f, &q).n, 20);
}

const struct suite_test suite_threads[] = {
	SUITE_TEST(test_threads__read_decide_commit_with_retries_loses_nothing),
	SUITE_TEST(test_threads__the_last_of_many_with_expect_any_stays),
	SUITE_TEST(test_threads__an_event_is_whole_once_committed_or_once_its_streams_record_shows),
	SUITE_TEST(test_threads__pages_have_no_gaps_and_no_repeats_under_writers),
	SUITE_TEST(test_threads__what_was_made_up_to_a_mark_of_status_stays_the_same),
	SUITE_TEST(test_threads__put_retag_and_delete_are_effective_at_once_for_each_writer),
	{ NULL, NULL },
};
