#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/dice.h"
#include "learn/adapter.h"
#include "learn/adapter_fit.h"

#define DIM 32
#define DOCUMENTS 40
#define PAIRS 600

static float gauss(struct dice *d)
{
	float s = 0;

	for (int i = 0; i < 12; i++)
		s += (float)(dice_next(d) >> 40) / (float)(1 << 24);
	return s - 6;
}

static void normalise(float *v)
{
	float n = 0;

	for (int i = 0; i < DIM; i++)
		n += v[i] * v[i];
	for (int i = 0; i < DIM; i++)
		v[i] /= sqrtf(n);
}

struct world {
	float vectors[DOCUMENTS][3][DIM], queries[PAIRS][DIM];
	struct entry_row rows[DOCUMENTS][3];
	struct adapter_document documents[DOCUMENTS];
	struct adapter_pair pairs[PAIRS];
	struct adapter_lessons lessons;
};

/*
 * Customers speak another dialect: a query is its document with the
 * coordinates swapped in pairs, and noise. `truth` 0: the document named is any.
 */
static struct world *make_world(uint64_t seed, int truth)
{
	static const enum row_field fields[] = { ROW_TITLE, ROW_WHOLE, ROW_CHUNK };
	struct world *w = calloc(1, sizeof(*w));
	struct dice d = { seed };

	assert_non_null(w);
	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		for (int j = 0; j < DIM; j++)
			w->vectors[i][0][j] = gauss(&d);
		for (int r = 0; r < 3; r++) {
			for (int j = 0; j < DIM && r > 0; j++)
				w->vectors[i][r][j] = w->vectors[i][0][j] + .5f * gauss(&d);
			w->rows[i][r] = (struct entry_row){ .field = fields[r], .vector = w->vectors[i][r] };
		}
		for (int r = 0; r < 3; r++)
			normalise(w->vectors[i][r]);
		w->documents[i] = (struct adapter_document){ w->rows[i], 3 };
	}
	for (uint32_t i = 0; i < PAIRS; i++) {
		uint32_t to = (uint32_t)dice_below(&d, DOCUMENTS);
		for (int j = 0; j < DIM; j++)
			w->queries[i][j] = w->vectors[to][1][j ^ 1] + .15f * gauss(&d);
		normalise(w->queries[i]);
		w->pairs[i] = (struct adapter_pair){ w->queries[i],
						     truth ? to : (uint32_t)dice_below(&d, DOCUMENTS), 1 };
	}
	w->lessons = (struct adapter_lessons){ w->documents, DOCUMENTS, w->pairs, PAIRS, DIM };
	return w;
}

static double reciprocal_rank(const struct adapter *a, const struct world *w, size_t from, size_t n)
{
	size_t ranks[PAIRS];
	double sum = 0;

	assert_int_equal(adapter_ranks(a, &w->lessons, w->pairs + from, n, ranks), 0);
	for (size_t i = 0; i < n; i++)
		sum += 1. / (double)ranks[i];
	return sum / (double)n;
}

static void test_adapter__learns_the_customers_dialect(void **state)
{
	struct world *w = make_world(1, 1);
	struct adapter_lessons half = w->lessons;
	struct adapter_options o = { 0 };
	struct adapter *a = NULL;
	struct error e;

	(void)state;
	half.n_pairs = PAIRS / 2;
	assert_int_equal(adapter_train(&half, &o, &a, &e), 0);
	double before = reciprocal_rank(NULL, w, PAIRS / 2, PAIRS / 2);
	double after = reciprocal_rank(a, w, PAIRS / 2, PAIRS / 2);
	assert_true(before < .3);
	assert_true(after > .8);
	adapter_free(a);
	free(w);
}

static void test_adapter__gives_unit_vectors_and_the_same_bytes(void **state)
{
	struct world *w = make_world(2, 1);
	struct adapter_options o = { .steps = 20 };
	struct arena *arena = arena_new(4096);
	struct adapter *a = NULL, *b = NULL;
	struct error e;

	(void)state;
	assert_int_equal(adapter_train(&w->lessons, &o, &a, &e), 0);
	assert_int_equal(adapter_train(&w->lessons, &o, &b, &e), 0);
	assert_int_equal(adapter_dim(a), DIM);
	for (int i = 0; i < 50; i++) {
		const float *x = adapter_apply(a, arena, w->queries[i]);
		float n = 0;
		for (int j = 0; j < DIM; j++)
			n += x[j] * x[j];
		assert_true(fabsf(n - 1) < 1e-5f);
		assert_memory_equal(x, adapter_apply(b, arena, w->queries[i]), DIM * sizeof(*x));
	}
	adapter_free(a);
	adapter_free(b);
	arena_free(arena);
	free(w);
}

static void test_adapter__a_strong_penalty_leaves_queries_as_they_are(void **state)
{
	struct world *w = make_world(3, 1);
	struct adapter_options o = { .penalty = 1e4 };
	struct arena *arena = arena_new(4096);
	struct adapter *a = NULL;
	struct error e;

	(void)state;
	assert_int_equal(adapter_train(&w->lessons, &o, &a, &e), 0);
	const float *x = adapter_apply(a, arena, w->queries[0]);
	float cosine = 0;
	for (int j = 0; j < DIM; j++)
		cosine += x[j] * w->queries[0][j];
	assert_true(cosine > .99f);
	adapter_free(a);
	arena_free(arena);
	free(w);
}

static void test_adapter__is_worth_having_where_it_helps(void **state)
{
	struct world *w = make_world(4, 1);
	struct adapter_options o = { 0 };
	struct adapter_report r;
	struct adapter *a = NULL;
	struct error e;

	(void)state;
	assert_int_equal(adapter_fit(&w->lessons, &o, 5, &a, &r, &e), 0);
	assert_true(r.worth);
	assert_non_null(a);
	assert_true(r.seen.n > 50 && r.unseen.n > 20);
	assert_true(r.seen.after > r.seen.before + .3);
	assert_true(r.gain > 1.64 * r.gain_error);
	assert_int_equal(r.pairs, PAIRS);
	adapter_free(a);
	free(w);
}

/* Labels that say nothing teach nothing that another case would profit from. */
static void test_adapter__is_refused_on_shuffled_labels(void **state)
{
	for (uint64_t seed = 10; seed < 13; seed++) {
		struct world *w = make_world(seed, 0);
		struct adapter_options o = { 0 };
		struct adapter_report r;
		struct adapter *a = (struct adapter *)1;
		struct error e;

		(void)state;
		print_message("seed %llu\n", (unsigned long long)seed);
		assert_int_equal(adapter_fit(&w->lessons, &o, seed, &a, &r, &e), 0);
		assert_false(r.worth);
		assert_null(a);
		free(w);
	}
}

static void test_adapter__says_how_many_cases_are_missing(void **state)
{
	struct world *w = make_world(6, 1);
	struct adapter_options o = { 0 };
	struct adapter_report r;
	struct adapter *a;
	struct error e;

	(void)state;
	w->lessons.n_pairs = 12;
	assert_int_equal(adapter_fit(&w->lessons, &o, 1, &a, &r, &e), ERR_NOT_READY);
	assert_non_null(strstr(e.message, "12"));
	assert_non_null(strstr(e.message, "30"));
	free(w);
}

static void test_adapter__stops_when_it_is_told_to(void **state)
{
	struct world *w = make_world(7, 1);
	volatile int stop = 1;
	struct adapter_options o = { .stop = &stop };
	struct adapter *a;
	struct error e;

	(void)state;
	assert_int_equal(adapter_train(&w->lessons, &o, &a, &e), ERR_INTERRUPTED);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adapter__learns_the_customers_dialect),
		cmocka_unit_test(test_adapter__gives_unit_vectors_and_the_same_bytes),
		cmocka_unit_test(test_adapter__a_strong_penalty_leaves_queries_as_they_are),
		cmocka_unit_test(test_adapter__is_worth_having_where_it_helps),
		cmocka_unit_test(test_adapter__is_refused_on_shuffled_labels),
		cmocka_unit_test(test_adapter__says_how_many_cases_are_missing),
		cmocka_unit_test(test_adapter__stops_when_it_is_told_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
