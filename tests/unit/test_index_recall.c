/*
 * Recall against exact search: 20,000 entries in clusters of several sizes or
 * without any structure, filters that let through from 0.1 % to all, drawn at
 * random or opposing the query: without the clusters that are nearest to it.
 */
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
#include "base/clock.h"
#include "index/index_internal.h"
#include "index_fixture.h"

#define ENTRIES 20000
#define CLUSTERS 1000 /* at most */
#define QUERIES 30
#define SEED 42
#define BEST 10 /* of which .99 must be found */
#define MIN_RECALL .99

struct corpus {
	size_t dim, n_rows; /* rows an entry */
	double apart;       /* how far its other rows are from its first */
	int clusters;
	struct index *index;
	struct rng rng;
	float *centres, *vectors;
	int *cluster, *lot; /* by entry; lot: a random place among all */
	double *score;      /* of the query at hand */
	float query[384];
	int order[CLUSTERS], place[CLUSTERS]; /* clusters from the nearest on; where each is in that order */
};

static void make_vectors(struct corpus *c)
{
	c->centres = calloc(CLUSTERS * c->dim, sizeof(*c->centres));
	c->vectors = calloc(ENTRIES * c->n_rows * c->dim, sizeof(*c->vectors));
	c->cluster = calloc(ENTRIES, sizeof(*c->cluster));
	c->lot = calloc(ENTRIES, sizeof(*c->lot));
	c->score = calloc(ENTRIES, sizeof(*c->score));
	for (int i = 0; i < c->clusters; i++)
		random_unit(&c->rng, c->dim, c->centres + (size_t)i * c->dim);
	for (int i = 0; i < ENTRIES; i++) {
		size_t j = rng_below(&c->rng, (size_t)i + 1); /* Fisher-Yates */
		c->lot[i] = c->lot[j];
		c->lot[j] = i;
		c->cluster[i] = i % c->clusters;
	}
	for (size_t i = 0; i < ENTRIES; i++) {
		float *whole = c->vectors + i * c->n_rows * c->dim;
		if (c->clusters > 1)
			random_near(&c->rng, c->dim, c->centres + (size_t)c->cluster[i] * c->dim, .8, whole);
		else
			random_unit(&c->rng, c->dim, whole);
		for (size_t j = 1; j < c->n_rows; j++)
			random_near(&c->rng, c->dim, whole, c->apart, whole + j * c->dim);
	}
}

static const enum row_field fields[] = { ROW_WHOLE, ROW_TITLE, ROW_CHUNK };

static void add_entry(struct corpus *c, size_t i)
{
	struct index_row rows[3];
	struct index_tag tags[] = {
		{ "lot", { .type = VALUE_NUMBER, .number = c->lot[i] } },
		{ "cluster", { .type = VALUE_NUMBER, .number = c->cluster[i] } },
	};
	struct index_change change = {
		INDEX_ADD,
		{ .id = i + 1, .rows = rows, .n_rows = c->n_rows, .everyone = 1, .tags = tags, .n_tags = 2 }
	};

	for (size_t j = 0; j < c->n_rows; j++)
		rows[j] = (struct index_row){ i * 3 + j + 1, fields[j], 0,
					      c->vectors + (i * c->n_rows + j) * c->dim };
	assert_int_equal(index_apply(c->index, i + 1, &change, 1, NULL), 0);
}

static struct corpus *corpus_new(size_t dim, size_t n_rows, double apart, int clusters)
{
	struct corpus *c = calloc(1, sizeof(*c));
	struct index_options o = { .dim = dim };
	int rc;

	*c = (struct corpus){
		.dim = dim, .n_rows = n_rows, .apart = apart, .clusters = clusters, .rng = { SEED }
	};
	assert_int_equal(index_open(&o, &c->index, NULL), 0);
	index_tuning(c->index)->scan_rows = 0;
	make_vectors(c);
	int64_t start = clock_mono_us();
	for (size_t i = 0; i < ENTRIES; i++)
		add_entry(c, i);
	printf("dim %zu, %zu rows an entry, %d clusters, seed %d: %d entries added in %.2f s", dim, n_rows,
	       clusters, SEED, ENTRIES, (double)(clock_mono_us() - start) / 1e6);
	while ((rc = index_maintain(c->index, 1, NULL)) == 1)
		;
	assert_int_equal(rc, 0);
	struct index_stats s;
	index_stats(c->index, &s);
	assert_true(s.graph_rows == s.rows);
	printf(", graph of %zu rows after %.2f s\n", s.graph_rows, (double)(clock_mono_us() - start) / 1e6);
	return c;
}

static void corpus_free(struct corpus *c)
{
	index_close(c->index);
	free(c->centres);
	free(c->vectors);
	free(c->cluster);
	free(c->lot);
	free(c->score);
	free(c);
}

/* An entry's score: .2 title, its second row, + .4 whole + .4 chunk; or its only row. */
static double weight_of(const struct corpus *c, size_t row)
{
	return c->n_rows == 1 ? 1 : row == 1 ? .2 : .4;
}

static void new_query(struct corpus *c)
{
	double near[CLUSTERS];

	random_near(&c->rng, c->dim, c->centres + rng_below(&c->rng, (size_t)c->clusters) * c->dim, .8,
		    c->query);
	for (size_t i = 0; i < ENTRIES; i++) {
		c->score[i] = 0;
		for (size_t j = 0; j < c->n_rows; j++)
			c->score[i] += weight_of(c, j) *
				       inner(c->vectors + (i * c->n_rows + j) * c->dim, c->query, c->dim);
	}
	for (int i = 0; i < c->clusters; i++)
		near[i] = inner(c->centres + (size_t)i * c->dim, c->query, c->dim);
	for (int i = 0; i < c->clusters; i++) {
		c->place[i] = 0;
		for (int j = 0; j < c->clusters; j++)
			c->place[i] += near[j] > near[i] || (near[j] == near[i] && j < i);
		c->order[c->place[i]] = i;
	}
}

struct selection {
	int lots;    /* entries with a lot below this */
	int nearest; /* not of that many nearest clusters */
};

static int selected(const struct corpus *c, struct selection s, size_t i)
{
	return c->lot[i] < s.lots && c->place[c->cluster[i]] >= s.nearest;
}

static int by_score(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* The share of the true best that was answered, among however many more. */
static double recall_of(const struct corpus *c, struct selection s, size_t k, const struct index_result *r)
{
	double *all = malloc(ENTRIES * sizeof(*all));
	size_t n = 0, found = 0;

	for (size_t i = 0; i < ENTRIES; i++) {
		if (selected(c, s, i))
			all[n++] = c->score[i];
	}
	qsort(all, n, sizeof(*all), by_score);
	size_t want = n < BEST ? n : BEST;
	assert_int_equal(r->allowed, n);
	assert_int_equal(r->n, n < k ? n : k); /* never fewer than k while k exist */
	for (size_t i = 0; i < r->n; i++) {
		assert_true(selected(c, s, r->hits[i].entry - 1));
		found += c->score[r->hits[i].entry - 1] >= all[want - 1] - 1e-6;
	}
	free(all);
	return found < want ? (double)found / (double)want : 1;
}

static void search(const struct corpus *c, struct selection s, size_t k, struct arena *a,
		   struct index_result *out)
{
	struct index_value lots = { .type = VALUE_NUMBER, .number = s.lots },
			   *not = calloc(CLUSTERS, sizeof(*not ));
	struct index_filter leaves[2] = {
		{ .op = FILTER_LT, .key = "lot", .values = &lots, .n_values = 1 },
		{ .op = FILTER_NIN, .key = "cluster", .values = not, .n_values = (size_t)s.nearest },
	};
	struct index_filter f = { .op = FILTER_AND, .children = leaves, .n_children = 2 };
	struct index_query q = { .vector = c->query, .k = k, .all_groups = 1 };

	for (int i = 0; i < s.nearest; i++)
		not [i] = (struct index_value){ .type = VALUE_NUMBER, .number = c->order[i] };
	if (s.lots < ENTRIES || s.nearest)
		q.filter = &f;
	assert_int_equal(index_search(c->index, &q, a, out, NULL), 0);
	free(not );
}

static void check_selections(struct corpus *c, size_t k)
{
	const int all = c->clusters;
	const struct selection selections[] = {
		{ ENTRIES, 0 },
		{ ENTRIES / 2, 0 },
		{ ENTRIES / 5, 0 },
		{ ENTRIES / 10, 0 },
		{ ENTRIES / 100, 0 },
		{ ENTRIES / 1000, 0 },
		/* Filters that oppose the query: all but the nearest, a half, a tenth, the farthest. */
		{ ENTRIES, 1 },
		{ ENTRIES, 2 },
		{ ENTRIES, 5 },
		{ ENTRIES, all / 10 },
		{ ENTRIES, all / 2 },
		{ ENTRIES, all * 9 / 10 },
		{ ENTRIES, all - 1 },
		{ ENTRIES / 10, all - 1 },
		{ ENTRIES / 2, 1 },
		{ ENTRIES / 2, 2 },
		{ ENTRIES / 2, 5 },
	};
	enum { N = sizeof(selections) / sizeof(selections[0]) };
	double sum[N] = { 0 };
	int64_t us[N] = { 0 };
	int failed = 0;

	for (int i = 0; i < QUERIES; i++) {
		new_query(c);
		for (size_t j = 0; j < N && selections[j].nearest <= all; j++) {
			struct arena *a = arena_new(1 << 14);
			struct index_result r = { 0 };
			int64_t start = clock_mono_us();
			search(c, selections[j], k, a, &r);
			us[j] += clock_mono_us() - start;
			sum[j] += recall_of(c, selections[j], k, &r);
			arena_free(a);
		}
	}
	for (size_t j = 0; j < N && selections[j].nearest <= all; j++) {
		double recall = sum[j] / QUERIES;
		printf("  k %3zu, %5.1f %%, not the %3d nearest clusters: recall@%d %.4f, %4d us\n", k,
		       100. * selections[j].lots / ENTRIES, selections[j].nearest, BEST, recall,
		       (int)(us[j] / QUERIES));
		failed += recall < MIN_RECALL;
	}
	assert_int_equal(failed, 0);
}

static void check_corpus(size_t dim, size_t n_rows, double apart, int clusters)
{
	struct corpus *c = corpus_new(dim, n_rows, apart, clusters);

	check_selections(c, 10);
	check_selections(c, 100);
	corpus_free(c);
}

static void test_recall__large_clusters(void **state)
{
	(void)state;
	check_corpus(64, 1, 0, 100);
}

static void test_recall__small_clusters(void **state)
{
	(void)state;
	check_corpus(64, 1, 0, 1000);
}

static void test_recall__dimension_384(void **state)
{
	(void)state;
	check_corpus(384, 1, 0, 100);
}

static void test_recall__entries_of_three_rows(void **state)
{
	(void)state;
	check_corpus(64, 3, .7, 100);
	check_corpus(32, 3, 2, 1000);
}

static void test_recall__no_structure_at_all(void **state)
{
	(void)state;
	check_corpus(64, 1, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recall__large_clusters),
		cmocka_unit_test(test_recall__small_clusters),
		cmocka_unit_test(test_recall__dimension_384),
		cmocka_unit_test(test_recall__entries_of_three_rows),
		cmocka_unit_test(test_recall__no_structure_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
