#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "engine/fuse.h"

#define EPSILON 1e-9

static const struct search_weights usual = { 0.9, 0.1 };

static struct index_hit hit(uint64_t entry, double vector, double words)
{
	return (struct index_hit){ .entry = entry,
				   .vector = (float)vector,
				   .words = (float)words,
				   .vector_rank = !isnan(vector),
				   .words_rank = !isnan(words) };
}

static double random_between(double lo, double hi)
{
	return lo + (hi - lo) * rand() / RAND_MAX;
}

static size_t random_hits(struct index_hit *hits, size_t max)
{
	size_t n = (size_t)rand() % (max + 1);
	int kind = rand() % 4; /* both, vectors alone, words alone, a mixture */

	for (size_t i = 0; i < n; i++) {
		int lacks = kind == 3 ? rand() % 3 : 3 - kind;
		hits[i] = hit(i + 1, lacks == 1 ? NAN : random_between(-1, 1),
			      lacks == 2 ? NAN : random_between(0.01, 30));
	}
	return n;
}

static void test_fuse__is_the_formula(void **state)
{
	struct index_hit hits[] = { hit(1, 0.6, 5), hit(2, 0.2, 10), hit(3, -1, NAN) };
	struct fused f[3];
	struct search_weights w = fuse(hits, 3, usual, f);

	(void)state;
	assert_true(w.vector == 0.9 && w.words == 0.1);
	assert_true(fabs(f[0].vector - 0.9) < EPSILON && fabs(f[0].words - 0.05) < EPSILON);
	assert_true(fabs(f[1].vector - 0.9 * 1.2 / 1.6) < 1e-6 && fabs(f[1].words - 0.1) < EPSILON);
	assert_true(f[2].vector == 0 && f[2].words == 0 && f[2].score == 0);
}

static void test_fuse__scores_are_sums_between_0_and_1(void **state)
{
	struct index_hit hits[50];
	struct fused f[50];

	(void)state;
	srand(11);
	for (int round = 0; round < 3000; round++) {
		size_t n = random_hits(hits, 50);
		double v = random_between(0, 1);
		struct search_weights w = fuse(hits, n, (struct search_weights){ v, 1 - v }, f);
		assert_true(fabs(w.vector + w.words - 1) < EPSILON);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(f[i].hit, i);
			assert_true(f[i].vector >= 0 && f[i].vector <= w.vector + EPSILON);
			assert_true(f[i].words >= 0 && f[i].words <= w.words + EPSILON);
			assert_true(f[i].score == f[i].vector + f[i].words);
			assert_true(f[i].score <= 1 + EPSILON);
		}
	}
}

/* Who is no worse in either source, and better in one that counts, is not ranked lower. */
static void test_fuse__keeps_the_order_that_sources_agree_on(void **state)
{
	struct index_hit hits[20];
	struct fused f[20];

	(void)state;
	srand(12);
	for (int round = 0; round < 2000; round++) {
		size_t n = 20;
		for (size_t i = 0; i < n; i++)
			hits[i] = hit(i, random_between(-1, 1), random_between(0.01, 9));
		fuse(hits, n, usual, f);
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				if (hits[i].vector >= hits[j].vector && hits[i].words >= hits[j].words)
					assert_true(f[i].score >= f[j].score);
	}
}

static void test_fuse__a_silent_source_gives_its_weight_away(void **state)
{
	struct index_hit words[] = { hit(1, NAN, 8), hit(2, NAN, 2) };
	struct index_hit vectors[] = { hit(1, 0.5, NAN), hit(2, 0.2, NAN) };
	struct fused f[2];
	struct search_weights w = fuse(words, 2, usual, f);

	(void)state;
	assert_true(w.vector == 0 && w.words == 1 && f[0].score == 1 && fabs(f[1].score - 0.25) < EPSILON);
	w = fuse(vectors, 2, usual, f);
	assert_true(w.vector == 1 && w.words == 0 && f[0].score == 1 && fabs(f[1].score - 0.8) < 1e-6);
	w = fuse(words, 0, usual, f);
	assert_true(w.vector == 0.9 && w.words == 0.1);
}

static void test_fuse__survives_the_ends_of_the_scale(void **state)
{
	struct index_hit hits[] = { hit(1, -1, NAN), hit(2, -1.0000001, NAN) };
	struct index_hit above[] = { hit(1, 1.0000002, 1e30), hit(2, 1, 1e-30) };
	struct fused f[2];

	(void)state;
	fuse(hits, 2, usual, f);
	for (int i = 0; i < 2; i++)
		assert_true(f[i].score >= 0 && f[i].score <= 1);
	fuse(above, 2, usual, f);
	for (int i = 0; i < 2; i++)
		assert_true(f[i].score >= 0 && f[i].score <= 1);
}

static void test_normalise__makes_the_sum_1(void **state)
{
	struct search_weights w = fuse_normalise((struct search_weights){ 3, 1 }, usual);

	(void)state;
	assert_true(w.vector == 0.75 && w.words == 0.25);
	w = fuse_normalise((struct search_weights){ 0, 0 }, usual);
	assert_true(w.vector == 0.9 && w.words == 0.1);
	w = fuse_normalise((struct search_weights){ 0, 7 }, usual);
	assert_true(w.vector == 0 && w.words == 1);
	w = fuse_normalise((struct search_weights){ 1.7e308, 1.7e308 }, usual);
	assert_true(w.vector == 0.5 && w.words == 0.5);
}

static void test_sort__is_by_score_then_entry(void **state)
{
	struct index_hit hits[40];
	struct fused f[40];

	(void)state;
	srand(13);
	for (int round = 0; round < 500; round++) {
		for (size_t i = 0; i < 40; i++)
			hits[i] = hit(1000 - i, (double)(rand() % 5) / 5, 1 + rand() % 2);
		fuse(hits, 40, usual, f);
		fuse_sort(hits, f, 40);
		for (size_t i = 1; i < 40; i++)
			assert_true(f[i - 1].score > f[i].score ||
				    (f[i - 1].score == f[i].score &&
				     hits[f[i - 1].hit].entry < hits[f[i].hit].entry));
	}
	fuse_sort(hits, f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fuse__is_the_formula),
		cmocka_unit_test(test_fuse__scores_are_sums_between_0_and_1),
		cmocka_unit_test(test_fuse__keeps_the_order_that_sources_agree_on),
		cmocka_unit_test(test_fuse__a_silent_source_gives_its_weight_away),
		cmocka_unit_test(test_fuse__survives_the_ends_of_the_scale),
		cmocka_unit_test(test_normalise__makes_the_sum_1),
		cmocka_unit_test(test_sort__is_by_score_then_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
