#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "index/index_internal.h"
#include "index_fixture.h"

#define DIM 24
#define ENTRIES 400

static struct index *open_index(struct model *m, size_t dim)
{
	struct index_options o = { .dim = dim, .words = model_words(m), .id = 1 };
	struct index *x = NULL;

	assert_int_equal(index_open(&o, &x, NULL), 0);
	return x;
}

/* Small enough for graphs to matter. */
static void use_graphs(struct index *x)
{
	struct index_tuning *t = index_tuning(x);

	t->scan_rows = 0;
	t->links_rows = 30;
	t->large_rows = 60;
	t->small_docs = 8;
	t->merge_docs = 24;
	t->fan = 4;
}

static void maintain(struct index *x)
{
	int rc;

	while ((rc = index_maintain(x, 1, NULL)) == 1)
		;
	assert_int_equal(rc, 0);
}

static void apply_one(struct index *x, const struct model_entry *e, enum index_op op)
{
	struct index_change c = model_change(e, op);

	assert_int_equal(index_apply(x, index_seq(x) + 1, &c, 1, NULL), 0);
}

static void fill(struct index *x, struct model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		model_fill(m, &m->entries[i]);
		apply_one(x, &m->entries[i], INDEX_ADD);
	}
}

static void random_change(struct index *x, struct model *m, struct rng *r)
{
	struct model_entry *e = &m->entries[rng_below(r, m->n)];

	switch (rng_below(r, 4)) {
	case 0:
		e->live = 0;
		apply_one(x, e, INDEX_DELETE);
		break;
	case 1:
		if (e->live)
			model_retag(m, e);
		apply_one(x, e, INDEX_RETAG); /* of one that is gone: nothing happens */
		break;
	case 2:
		model_fill(m, e);
		apply_one(x, e, INDEX_ADD);
		break;
	default:
		if (e->live) /* the same again: rows keep their ids */
			apply_one(x, e, INDEX_ADD);
	}
}

struct question {
	struct index_query q;
	float vector[DIM];
	struct term terms[2];
	const char *groups[2];
	struct filter_pool pool;
};

static void random_question(struct rng *r, struct question *out)
{
	static const char *const words[] = { "w0", "w1", "w2", "w3" };
	static const char *const groups[] = { "tier1", "billing", "nobody" };
	struct index_query *q = &out->q;

	*out = (struct question){ .q = { .collection = COLLECTION_DOCUMENT, .k = 1 + rng_below(r, 30) } };
	random_unit(r, DIM, out->vector);
	if (rng_below(r, 4))
		q->vector = out->vector;
	if (rng_below(r, 3)) {
		q->n_terms = 1 + rng_below(r, 2);
		for (size_t i = 0; i < q->n_terms; i++) {
			const char *w = words[rng_below(r, 4)];
			out->terms[i] = (struct term){ w, w, (float)(1 + i) };
		}
		q->terms = out->terms;
	}
	if (rng_below(r, 4) == 0)
		q->match = words[rng_below(r, 4)];
	if (rng_below(r, 2))
		q->filter = random_filter(r, &out->pool, (int)rng_below(r, 3));
	q->all_groups = rng_below(r, 2) == 0;
	q->n_groups = rng_below(r, 3);
	q->groups = out->groups;
	for (size_t i = 0; i < q->n_groups; i++)
		out->groups[i] = groups[rng_below(r, 3)];
	q->exact = rng_below(r, 4) == 0;
	if (rng_below(r, 20) == 0)
		q->k = 100000;
}

#define SAME(a, b) ((isnan(a) && isnan(b)) || fabs((double)(a) - (b)) < 1e-5)

/* What is answered of one entry must be what the entry itself says. */
static void check_hit(const struct model *m, const struct index_query *q, const struct index_hit *h,
		      uint64_t seed)
{
	const struct model_entry *e = &m->entries[h->entry - 1];
	struct index_hit want = { .entry = e->id, .title = NAN, .whole = NAN, .chunk = NAN };
	int has = q->vector ? model_vector(m, e, q->vector, &want) : 0;
	float words = q->n_terms ? model_score(m, e, q) : 0;

	if (!model_allows(e, q))
		fail_msg("seed %d: entry %d is not allowed", (int)seed, (int)e->id);
	if (!SAME(h->vector, want.vector) || !SAME(h->title, want.title) || !SAME(h->whole, want.whole) ||
	    !SAME(h->chunk, want.chunk) || h->row != want.row)
		fail_msg("seed %d, entry %d: vector %g %g %g %g row %d, wanted %g %g %g %g row %d", (int)seed,
			 (int)e->id, h->vector, h->title, h->whole, h->chunk, (int)h->row, want.vector,
			 want.title, want.whole, want.chunk, (int)want.row);
	assert_true(SAME(h->words, words));
	assert_int_equal(h->vector_rank > 0, has);
	assert_int_equal(h->words_rank > 0, words > 0);
}

static int answered(const struct index_result *r, uint64_t id)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->hits[i].entry == id)
			return 1;
	}
	return 0;
}

/*
 * Each entry that is not answered must be worse than k that are; ranks must
 * follow scores. Of a walk through the graph only the best quarter is promised.
 */
static void check_answer(const struct model *m, const struct index_query *q, const struct index_result *r,
			 int walked, uint64_t seed)
{
	size_t sure = !walked || q->exact || q->k <= 10 ? q->k : q->k <= 40 ? 10 : q->k / 4;
	size_t allowed = 0, can_match = 0;

	for (size_t i = 0; i < r->n; i++)
		check_hit(m, q, &r->hits[i], seed);
	for (size_t i = 0; i < m->n; i++) {
		const struct model_entry *e = &m->entries[i];
		struct index_hit want = { 0 };
		size_t better_v = 0, better_w = 0;
		if (!model_allows(e, q))
			continue;
		allowed++;
		int has = q->vector ? model_vector(m, e, q->vector, &want) : 0;
		float words = q->n_terms ? model_score(m, e, q) : 0;
		can_match += has || words > 0 || (!q->vector && !q->n_terms);
		for (size_t j = 0; j < r->n; j++) {
			const struct index_hit *h = &r->hits[j];
			better_v += h->vector_rank && (h->vector > want.vector - 1e-5f);
			better_w += h->words > words || (h->words == words && h->entry < e->id);
		}
		if (answered(r, e->id))
			continue;
		if ((has && better_v < sure) || (words > 0 && better_w < q->k))
			fail_msg("seed %d: entry %d is missing (%zu, %zu better; k %zu)", (int)seed,
				 (int)e->id, better_v, better_w, q->k);
	}
	assert_int_equal(r->allowed, allowed);
	assert_true(r->n >= (can_match < q->k ? can_match : q->k)); /* never fewer than k while k exist */
	if (r->exhausted)
		assert_int_equal(r->n, can_match);
	if (q->k >= allowed)
		assert_true(r->exhausted);
	for (size_t i = 0; i < r->n; i++) {
		size_t v = 1, w = 1;
		for (size_t j = 0; j < r->n; j++) {
			const struct index_hit *a = &r->hits[i], *b = &r->hits[j];
			v += b->vector_rank &&
			     (b->vector > a->vector || (b->vector == a->vector && b->entry < a->entry));
			w += b->words > a->words || (b->words == a->words && b->entry < a->entry);
		}
		assert_true(!r->hits[i].vector_rank || r->hits[i].vector_rank == v);
		assert_true(!r->hits[i].words_rank || r->hits[i].words_rank == w);
	}
}

struct fused_entry {
	double score;
	uint64_t entry;
};

static int by_fused(const void *a, const void *b)
{
	const struct fused_entry *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

/* The candidates by the sum of index.h, best first. */
static struct fused_entry *fuse_all(const struct index_query *q, const struct index_result *r)
{
	struct fused_entry *all = calloc(r->n + 1, sizeof(*all));
	double best_vector = -1, best_words = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->hits[i].vector_rank)
			best_vector = fmax(best_vector, r->hits[i].vector);
		best_words = fmax(best_words, r->hits[i].words);
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct index_hit *h = &r->hits[i];
		all[i].entry = h->entry;
		if (h->vector_rank)
			all[i].score = q->vector_weight * (h->vector + 1) / (best_vector + 1);
		if (h->words > 0)
			all[i].score += q->words_weight * h->words / best_words;
	}
	qsort(all, r->n, sizeof(*all), by_fused);
	return all;
}

/* What may be left out is never among the best. */
static size_t check_right(struct index *x, struct arena *a, struct rng *r, struct index_query q,
			  const struct index_result *all, uint64_t seed)
{
	struct index_result some = { 0 };

	q.right = 1 + rng_below(r, q.k);
	q.vector_weight = .1 + .8 * rng_real(r);
	q.words_weight = 1 - q.vector_weight;
	assert_int_equal(index_search(x, &q, a, &some, NULL), 0);
	assert_true(some.n <= all->n);
	assert_int_equal(some.exhausted, all->exhausted);
	struct fused_entry *want = fuse_all(&q, all), *got = fuse_all(&q, &some);
	for (size_t i = 0; i < q.right && i < all->n; i++)
		if (i >= some.n || got[i].entry != want[i].entry)
			fail_msg("seed %d: of the best %zu, number %zu is missing", (int)seed, q.right, i);
	free(want);
	free(got);
	return all->n - some.n;
}

static void ask_all(struct index *x, struct model *m, struct rng *r, uint64_t seed)
{
	int walked = index_tuning(x)->scan_rows == 0;
	size_t left_out = 0;

	for (int i = 0; i < 60; i++) {
		struct arena *a = arena_new(4096);
		struct question question;
		struct index_result out = { 0 };
		random_question(r, &question);
		assert_int_equal(index_search(x, &question.q, a, &out, NULL), 0);
		assert_int_equal(out.seq, index_seq(x));
		check_answer(m, &question.q, &out, walked, seed);
		if (question.q.vector && question.q.n_terms)
			left_out += check_right(x, a, r, question.q, &out, seed);
		arena_free(a);
	}
	assert_true(left_out > 0);
}

static void random_life(uint64_t seed, int graphs)
{
	struct model *m = model_new(DIM, ENTRIES, seed);
	struct index *x = open_index(m, DIM);
	struct rng r = { seed + 77 };

	if (graphs)
		use_graphs(x);
	fill(x, m);
	ask_all(x, m, &r, seed);
	for (int round = 0; round < 6; round++) {
		if (graphs && round % 2)
			maintain(x);
		for (int i = 0; i < 150; i++) {
			random_change(x, m, &r);
			if (graphs && i % 10 == 0)
				assert_true(index_maintain(x, 0, NULL) >= 0);
		}
		ask_all(x, m, &r, seed);
	}
	index_close(x);
	model_free(m);
}

static void test_index__equals_a_look_at_every_entry(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		random_life(seed, 0);
}

static void test_index__graphs_answer_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 11; seed <= 14; seed++)
		random_life(seed, 1);
}

static void test_index__every_distance_level_answers_the_same(void **state)
{
	static const char *const levels[] = { "plain", "avx2", "avx512" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct model *m = model_new(DIM, 100, 5);
		struct index *x = open_index(m, DIM);
		struct rng r = { 6 };
		if (distance_level(levels[i]))
			index_tuning(x)->distance = distance_level(levels[i]);
		fill(x, m);
		ask_all(x, m, &r, 5);
		index_close(x);
		model_free(m);
	}
}

static struct index_result ask(struct index *x, struct arena *a, const struct index_query *q)
{
	struct index_result out = { 0 };

	assert_int_equal(index_search(x, q, a, &out, NULL), 0);
	return out;
}

static void test_index__empty_answers_nothing(void **state)
{
	struct model *m = model_new(DIM, 1, 1);
	struct index *x = open_index(m, DIM);
	float v[DIM] = { 1 };
	struct term term = { "w0", "w0", 1 };
	struct index_query q = { .vector = v, .terms = &term, .n_terms = 1, .k = 10, .all_groups = 1 };
	struct index_result r = ask(x, *state, &q);

	assert_int_equal(r.n, 0);
	assert_int_equal(r.allowed, 0);
	assert_int_equal(r.exhausted, 1);
	assert_int_equal(r.seq, 0);
	assert_null(r.unknown_key);
	assert_int_equal(index_maintain(x, 0, NULL), 0);
	assert_int_equal(index_save(x, NULL, NULL, NULL, NULL), 0); /* without a folder */
	index_close(x);
	model_free(m);
}

static void test_index__without_any_source_gives_what_is_allowed(void **state)
{
	struct model *m = model_new(DIM, 20, 3);
	struct index *x = open_index(m, DIM);

	fill(x, m);
	struct index_query q = { .k = 5, .all_groups = 1 };
	struct index_result r = ask(x, *state, &q);
	assert_int_equal(r.n, 5);
	assert_false(r.exhausted);
	q.k = 20;
	r = ask(x, *state, &q);
	assert_int_equal(r.n, 20);
	assert_true(r.exhausted);
	index_close(x);
	model_free(m);
}

static void test_index__without_dimension_words_alone_answer(void **state)
{
	struct model *m = model_new(0, 50, 3);
	struct index *x = open_index(m, 0);
	struct term term = { "w1", "w1", 1 };

	fill(x, m);
	struct index_query q = { .terms = &term, .n_terms = 1, .k = 50, .all_groups = 1 };
	struct index_result r = ask(x, *state, &q);
	assert_true(r.n > 0);
	assert_true(r.exhausted);
	for (size_t i = 0; i < r.n; i++) {
		assert_true(r.hits[i].words > 0 && r.hits[i].words_rank >= 1);
		assert_int_equal(r.hits[i].vector_rank, 0);
		assert_true(r.hits[i].vector == 0 && isnan(r.hits[i].whole) && r.hits[i].row == 0);
	}
	assert_int_equal(index_maintain(x, 0, NULL), 0);
	index_close(x);
	model_free(m);
}

static void test_index__who_is_in_no_group_sees_what_everyone_sees(void **state)
{
	struct model *m = model_new(DIM, 60, 4);
	struct index *x = open_index(m, DIM);
	size_t everyone = 0;

	fill(x, m);
	for (size_t i = 0; i < m->n; i++)
		everyone += (size_t)m->entries[i].everyone;
	struct index_query q = { .k = 100 };
	assert_int_equal(ask(x, *state, &q).allowed, everyone);
	q.all_groups = 1;
	assert_int_equal(ask(x, *state, &q).allowed, 60);
	index_close(x);
	model_free(m);
}

static void test_index__collections_do_not_mix(void **state)
{
	struct model *m = model_new(DIM, 10, 4);
	struct index *x = open_index(m, DIM);

	fill(x, m);
	struct index_change c = model_change(&m->entries[0], INDEX_ADD);
	c.entry.collection = COLLECTION_CASE;
	assert_int_equal(index_apply(x, 99, &c, 1, NULL), 0);
	struct index_query q = { .collection = COLLECTION_CASE, .k = 100, .all_groups = 1 };
	struct index_result r = ask(x, *state, &q);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.seq, 99);
	c.op = INDEX_DELETE;
	assert_int_equal(index_apply(x, 100, &c, 1, NULL), 0);
	assert_int_equal(ask(x, *state, &q).n, 0);
	q.collection = COLLECTION_DOCUMENT;
	assert_int_equal(ask(x, *state, &q).n, 10);
	index_close(x);
	model_free(m);
}

static void test_index__changes_apply_in_order_and_again(void **state)
{
	struct model *m = model_new(DIM, 3, 4);
	struct index *x = open_index(m, DIM);
	struct index_change c[4];

	for (int i = 0; i < 3; i++)
		model_fill(m, &m->entries[i]);
	c[0] = model_change(&m->entries[0], INDEX_ADD);
	c[1] = model_change(&m->entries[1], INDEX_ADD);
	c[2] = model_change(&m->entries[0], INDEX_DELETE);
	c[3] = model_change(&m->entries[2], INDEX_ADD);
	for (int again = 0; again < 3; again++) {
		assert_int_equal(index_apply(x, 7, c, 4, NULL), 0);
		struct index_query q = { .k = 10, .all_groups = 1 };
		struct index_result r = ask(x, *state, &q);
		assert_int_equal(r.n, 2);
		assert_true(answered(&r, 2) && answered(&r, 3));
		assert_int_equal(index_seq(x), 7);
	}
	index_close(x);
	model_free(m);
}

static void test_index__unknown_key_is_named(void **state)
{
	struct model *m = model_new(DIM, 50, 4);
	struct index *x = open_index(m, DIM);
	struct index_value v = { .type = VALUE_NUMBER, .number = 1 };
	struct index_filter f = { .op = FILTER_EQ, .key = "sise", .values = &v, .n_values = 1 };
	struct index_query q = { .filter = &f, .k = 10, .all_groups = 1 };

	fill(x, m);
	struct index_result r = ask(x, *state, &q);
	assert_string_equal(r.unknown_key, "sise");
	assert_int_equal(r.n, 0);
	f.key = "size";
	assert_null(ask(x, *state, &q).unknown_key);
	index_close(x);
	model_free(m);
}

static void test_index__a_bad_match_is_the_sources_error(void **state)
{
	struct model *m = model_new(DIM, 1, 4);
	struct index *x = open_index(m, DIM);
	struct index_query q = { .match = "(", .k = 10, .all_groups = 1 };
	struct index_result r = { .n = 1234 };
	struct error e = { 0 };

	assert_int_equal(index_search(x, &q, *state, &r, &e), ERR_BAD_MATCH);
	assert_int_equal(e.code, ERR_BAD_MATCH);
	assert_int_equal(r.n, 1234); /* untouched */
	index_close(x);
	model_free(m);
}

static void test_index__scores_are_never_nan(void **state)
{
	struct model *m = model_new(DIM, 3, 4);
	struct index *x = open_index(m, DIM);
	float bad[DIM] = { NAN };

	for (int i = 0; i < 3; i++) {
		model_fill(m, &m->entries[i]);
		m->entries[i].n_rows = 1;
		m->entries[i].rows[0] = (struct index_row){ 1000 + (uint64_t)i, ROW_WHOLE, 0, bad };
		apply_one(x, &m->entries[i], INDEX_ADD);
	}
	struct index_query q = { .vector = bad, .k = 2, .all_groups = 1 };
	struct index_result r = ask(x, *state, &q);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.hits[i].vector == 0 && r.hits[i].vector_rank == 0);
	index_close(x);
	model_free(m);
}

static size_t rows_of(const struct model *m)
{
	size_t rows = 0;

	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; m->entries[i].live && j < m->entries[i].n_rows; j++)
			rows += m->entries[i].rows[j].vector != NULL;
	return rows;
}

static void test_index__stats_count(void **state)
{
	struct model *m = model_new(DIM, 200, 4);
	struct index *x = open_index(m, DIM);
	struct index_stats s;

	(void)state;
	use_graphs(x);
	fill(x, m);
	index_stats(x, &s);
	assert_int_equal(s.entries[COLLECTION_DOCUMENT], 200);
	assert_int_equal(s.entries[COLLECTION_CASE], 0);
	assert_int_equal(s.rows, rows_of(m));
	assert_int_equal(s.graph_rows, 0);
	maintain(x);
	index_stats(x, &s);
	assert_int_equal(s.segments, 1);
	assert_int_equal(s.graph_rows, rows_of(m));
	assert_int_equal(s.dead_rows, 0);
	assert_true(s.bytes > s.rows * DIM * sizeof(float));
	for (size_t i = 0; i < 100; i++) {
		m->entries[i].live = 0;
		apply_one(x, &m->entries[i], INDEX_DELETE);
	}
	index_stats(x, &s);
	assert_int_equal(s.rows, rows_of(m));
	assert_true(s.dead_rows > 0);
	maintain(x); /* more than a quarter is dead: made anew */
	index_stats(x, &s);
	assert_int_equal(s.dead_rows, 0);
	assert_int_equal(s.graph_rows, rows_of(m));
	index_close(x);
	model_free(m);
}

/* An index that changes for long does not grow, and has few segments. */
static void test_index__does_not_grow_by_changing(void **state)
{
	struct model *m = model_new(DIM, 100, 4);
	struct index *x = open_index(m, DIM);
	struct index_stats early = { 0 }, late;
	struct rng r = { 9 };

	(void)state;
	use_graphs(x);
	fill(x, m);
	for (int i = 0; i < 6000; i++) {
		random_change(x, m, &r);
		if (i % 20 == 0)
			assert_true(index_maintain(x, 0, NULL) >= 0);
		if (i == 2000)
			index_stats(x, &early);
	}
	index_stats(x, &late);
	assert_true(late.bytes < early.bytes * 2);
	assert_true(late.segments < 40);
	index_close(x);
	model_free(m);
}

static int set_up(void **state)
{
	return (*state = arena_new(1 << 16)) ? 0 : -1;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_index__equals_a_look_at_every_entry),
		TEST(test_index__graphs_answer_the_same),
		TEST(test_index__every_distance_level_answers_the_same),
		TEST(test_index__empty_answers_nothing),
		TEST(test_index__without_any_source_gives_what_is_allowed),
		TEST(test_index__without_dimension_words_alone_answer),
		TEST(test_index__who_is_in_no_group_sees_what_everyone_sees),
		TEST(test_index__collections_do_not_mix),
		TEST(test_index__changes_apply_in_order_and_again),
		TEST(test_index__unknown_key_is_named),
		TEST(test_index__a_bad_match_is_the_sources_error),
		TEST(test_index__scores_are_never_nan),
		TEST(test_index__stats_count),
		TEST(test_index__does_not_grow_by_changing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
