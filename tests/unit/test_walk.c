#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "index/bits.h"
#include "index/distance.h"
#include "index/faiss.h"
#include "index/walk.h"
#include "index_fixture.h"

#define DIM 16
#define STRIDE 16
#define BEAM 64

struct graph {
	size_t rows;
	float *vectors;
	uint8_t *upper, *lower; /* of codes */
	struct code_scale *scales;
	struct arena *arena; /* of queries */
	struct strbuf bytes;
	struct links links;
	struct walk_scratch *scratch;
};

/* `distinct` different vectors, over and over. */
static struct graph *graph_new(struct rng *r, size_t rows, size_t distinct)
{
	struct graph *g = calloc(1, sizeof(*g));
	const struct faiss_build_options o = { .threads = 1 };
	struct error e = { 0 };

	g->rows = rows;
	g->vectors = aligned_alloc(DISTANCE_ALIGN, rows * STRIDE * sizeof(float));
	g->upper = aligned_alloc(DISTANCE_ALIGN, rows * codes_half(DIM));
	g->lower = aligned_alloc(DISTANCE_ALIGN, rows * codes_half(DIM));
	g->scales = calloc(rows, sizeof(*g->scales));
	g->arena = arena_new(4096);
	for (size_t i = 0; i < rows; i++) {
		if (i < distinct)
			random_unit(r, DIM, g->vectors + i * STRIDE);
		else
			memcpy(g->vectors + i * STRIDE, g->vectors + i % distinct * STRIDE,
			       DIM * sizeof(float));
	}
	for (size_t i = 0; i < rows; i++)
		codes_make(g->vectors + i * STRIDE, DIM, g->upper + i * codes_half(DIM),
			   g->lower + i * codes_half(DIM), &g->scales[i]);
	if (faiss_build(g->vectors, rows, DIM, STRIDE, &o, &g->bytes, &e) < 0 ||
	    links_open(g->bytes.p, g->bytes.n, &g->links, &e) < 0)
		fail_msg("%s", e.message);
	g->scratch = walk_scratch_new();
	return g;
}

static void graph_free(struct graph *g)
{
	walk_scratch_free(g->scratch);
	strbuf_release(&g->bytes);
	free(g->vectors);
	free(g->upper);
	free(g->lower);
	free(g->scales);
	arena_free(g->arena);
	free(g);
}

static struct walk walk_of(const struct graph *g, const struct links *l, const float *query)
{
	struct code_query *q = arena_alloc(g->arena, sizeof(*q));

	assert_int_equal(code_query_make(query, DIM, g->arena, q), 0);
	return (struct walk){ .links = l,
			      .distance = distance_best(),
			      .codes = { g->upper, g->lower, codes_half(DIM), g->scales },
			      .query = q,
			      .beam = BEAM };
}

static float *any_query(struct rng *r)
{
	float *q = aligned_alloc(DISTANCE_ALIGN, STRIDE * sizeof(*q));

	memset(q, 0, STRIDE * sizeof(*q));
	random_unit(r, DIM, q);
	return q;
}

/* So few rows are all met: the answer is that of a scan. */
static void test_walk__small_graphs_are_walked_whole(void **state)
{
	(void)state;
	for (size_t rows = 1; rows <= 40; rows++) {
		struct rng r = { rows };
		struct graph *g = graph_new(&r, rows, rows);
		float *q = any_query(&r);
		struct walk w = walk_of(g, &g->links, q);
		struct walked out[BEAM];
		struct walk_report report;
		assert_int_equal(walk_run(&w, g->scratch, out, &report), rows);
		for (size_t i = 0; i < rows; i++) {
			double score = inner(q, g->vectors + out[i].row * STRIDE, DIM);
			float doubt = codes_doubt(&w.codes, w.query, out[i].row);
			assert_true(out[i].score > score - doubt && out[i].score < score + doubt);
			assert_true(i == 0 || out[i].score <= out[i - 1].score);
		}
		free(q);
		graph_free(g);
	}
}

static void test_walk__equal_vectors_are_all_there(void **state)
{
	struct rng r = { 5 };
	struct graph *g = graph_new(&r, 60, 1);
	float *q = any_query(&r);
	struct walk w = walk_of(g, &g->links, q);
	struct walked out[BEAM];
	struct walk_report report;
	char seen[60] = { 0 };

	(void)state;
	long n = walk_run(&w, g->scratch, out, &report);
	assert_int_equal(n, 60);
	for (long i = 0; i < n; i++) {
		assert_false(seen[out[i].row]);
		seen[out[i].row] = 1;
		assert_true(i == 0 || out[i].row > out[i - 1].row); /* ties by row */
	}
	free(q);
	graph_free(g);
}

static void test_walk__only_what_is_allowed_is_answered(void **state)
{
	struct rng r = { 6 };
	struct graph *g = graph_new(&r, 2000, 2000);
	float *q = any_query(&r);
	struct walk w = walk_of(g, &g->links, q);
	uint64_t allowed[(2000 + 63) / 64] = { 0 };
	struct walked out[BEAM];
	struct walk_report report;
	uint32_t doc[2000];

	(void)state;
	for (uint32_t i = 0; i < 2000; i++) /* two rows a document */
		doc[i] = i / 2;
	for (uint32_t i = 0; i < 1000; i += 5)
		bits_add(allowed, i);
	w.allowed = allowed;
	w.doc = doc;
	w.doc_step = 1;
	long n = walk_run(&w, g->scratch, out, &report);
	assert_int_equal(n, BEAM);
	for (long i = 0; i < n; i++)
		assert_int_equal(doc[out[i].row] % 5, 0);
	assert_true(report.allowed_steps < report.steps);
	memset(allowed, 0, sizeof(allowed));
	w.budget = 500;
	assert_int_equal(walk_run(&w, g->scratch, out, &report), WALK_GIVEN_UP);
	w.budget = 0;
	assert_int_equal(walk_run(&w, g->scratch, out, &report), 0);
	free(q);
	graph_free(g);
}

static void test_walk__damaged_links_are_refused_or_harmless(void **state)
{
	struct rng r = { 7 };
	struct graph *g = graph_new(&r, 300, 300);
	float *q = any_query(&r);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		size_t at = i % 3 ? rng_below(&r, g->bytes.n) : rng_below(&r, 32);
		char *copy = malloc(g->bytes.n);
		struct links l;
		memcpy(copy, g->bytes.p, g->bytes.n);
		copy[at] ^= (char)(1 << rng_below(&r, 8));
		if (links_open(copy, g->bytes.n, &l, NULL) == 0 && l.rows == g->rows) {
			struct walk w = walk_of(g, &l, q);
			struct walked out[BEAM];
			struct walk_report report;
			assert_true(walk_run(&w, g->scratch, out, &report) <= BEAM);
		}
		free(copy);
	}
	for (size_t n = 0; n < 100; n++)
		assert_int_equal(links_open(g->bytes.p, n, &(struct links){ 0 }, NULL), ERR_CORRUPT);
	free(q);
	graph_free(g);
}

static int never(void *arg)
{
	(void)arg;
	return 0;
}

static void test_walk__a_build_can_be_stopped(void **state)
{
	struct rng r = { 8 };
	struct graph *g = graph_new(&r, 10, 10);
	const struct faiss_build_options o = { .go_on = never, .threads = 1 };
	STRBUF_AUTO b = STRBUF_INIT;

	(void)state;
	assert_int_equal(faiss_build(g->vectors, 10, DIM, STRIDE, &o, &b, NULL), ERR_INTERRUPTED);
	graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk__small_graphs_are_walked_whole),
		cmocka_unit_test(test_walk__equal_vectors_are_all_there),
		cmocka_unit_test(test_walk__only_what_is_allowed_is_answered),
		cmocka_unit_test(test_walk__damaged_links_are_refused_or_harmless),
		cmocka_unit_test(test_walk__a_build_can_be_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
