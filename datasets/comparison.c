#include "datasets/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "datasets/labels.h"
#include "datasets/qrels.h"
#include "datasets/run.h"

#define SAME 1e-9 /* scores that differ by less differ by rounding */

enum metric { NDCG10, RECALL1, RECALL5, RECALL10, MRR10, MAP, ACCURACY, METRICS };

static const char *const names[METRICS] = { METRIC_SEARCH, "recall@1", "recall@5",   "recall@10",
					    "mrr@10",      "map",      METRIC_INTENT };

struct comparison {
	struct arena *arena;
	size_t n;
	const char **items; /* [n]: the query, or the true label */
	double *scores[2];
	struct told told[2];
	/* what names are borrowed from */
	struct qrels *qrels;
	struct run *runs[2];
	struct labels *labels;
};

const char *metric_name(size_t i)
{
	return i < METRICS ? names[i] : NULL;
}

const char *metric_find(const char *name)
{
	for (size_t i = 0; i < METRICS; i++)
		if (strcmp(names[i], name) == 0)
			return names[i];
	return NULL;
}

void comparison_free(struct comparison *c)
{
	if (!c)
		return;
	qrels_free(c->qrels);
	run_free(c->runs[0]);
	run_free(c->runs[1]);
	labels_free(c->labels);
	arena_free(c->arena);
	free(c);
}

static struct comparison *comparison_new(void)
{
	struct comparison *c = calloc(1, sizeof(*c));

	if (c && !(c->arena = arena_new(64 << 10))) {
		free(c);
		return NULL;
	}
	return c;
}

static int make_room(struct comparison *c, size_t n, struct error *e)
{
	c->n = n;
	c->items = arena_alloc(c->arena, (n + 1) * sizeof(*c->items));
	for (int side = 0; side < 2; side++)
		c->scores[side] = arena_alloc(c->arena, (n + 1) * sizeof(double));
	return c->items && c->scores[0] && c->scores[1] ? 0 : no_memory(e);
}

/* A file that fits nowhere is another dataset's: figures of it would mislead. */
static int check_fit(const struct comparison *c, int side, const char *file, const char *dataset,
		     struct error *e)
{
	if (c->told[side].missing.n < c->n)
		return 0;
	return error_set(e, ERR_BAD_VALUE, NULL, "%s: has nothing of what is in %s", file, dataset);
}

/* --- searches --------------------------------------------------------------------------------------------- */

static double score_of(enum metric m, const char *const *ranked, size_t n, const struct judged *judged,
		       size_t n_judged)
{
	struct ranking_scores s;

	if (m == MAP)
		return ranking_average_precision(ranked, n, judged, n_judged);
	ranking_score(ranked, n, judged, n_judged, &s);
	switch (m) {
	case RECALL1:
		return s.recall1;
	case RECALL5:
		return s.recall5;
	case RECALL10:
		return s.recall10;
	case MRR10:
		return s.mrr10;
	default:
		return s.ndcg10;
	}
}

static enum metric number_of(const char *metric)
{
	for (int m = 0; m < METRICS; m++)
		if (strcmp(names[m], metric) == 0)
			return (enum metric)m;
	return NDCG10;
}

static void score_run(struct comparison *c, int side, enum metric m)
{
	const struct run *run = c->runs[side];
	struct told *told = &c->told[side];
	const char *query;
	size_t at = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct judged *judged = NULL;
		const char *const *ranked = NULL;
		size_t n_judged = qrels_of(c->qrels, c->items[i], &judged);
		size_t n = run_of(run, c->items[i], &ranked);
		c->scores[side][i] = score_of(m, ranked, n, judged, n_judged);
		if (!run_has(run, c->items[i]))
			told_add(&told->missing, c->items[i]);
	}
	while ((query = run_each(run, &at)) != NULL) {
		const struct judged *judged;
		if (qrels_of(c->qrels, query, &judged) == 0)
			told_add(&told->unknown, query);
	}
}

static int compare_runs(struct comparison *c, const char *qrels, const char *const runs[2], enum metric m,
			struct error *e)
{
	size_t at = 0, n = 0;
	const char *query;
	int rc = qrels_read(qrels, &c->qrels, e);

	if (rc == 0 && qrels_queries(c->qrels) == 0)
		rc = error_set(e, ERR_BAD_VALUE, NULL, "%s: no judgement", qrels);
	if (rc == 0)
		rc = make_room(c, qrels_queries(c->qrels), e);
	while (rc == 0 && (query = qrels_each(c->qrels, &at)) != NULL)
		c->items[n++] = query;
	for (int side = 0; rc == 0 && side < 2; side++) {
		if ((rc = run_read(runs[side], &c->runs[side], e)) < 0)
			break;
		score_run(c, side, m);
		rc = check_fit(c, side, runs[side], qrels, e);
	}
	return rc;
}

int comparison_of_runs(const char *qrels, const char *const runs[2], const char *metric,
		       struct comparison **out, struct error *e)
{
	struct comparison *c = comparison_new();
	int rc = c ? compare_runs(c, qrels, runs, number_of(metric), e) : no_memory(e);

	if (rc < 0)
		comparison_free(c);
	else
		*out = c;
	return rc;
}

/* --- intents ---------------------------------------------------------------------------------------------- */

static int compare_labels(struct comparison *c, const char *test, const char *const predictions[2],
			  struct error *e)
{
	int rc = labels_read(test, &c->labels, e);

	if (rc == 0)
		rc = make_room(c, labels_count(c->labels), e);
	const char **said = rc == 0 ? arena_alloc(c->arena, c->n * sizeof(*said)) : NULL;
	if (rc == 0 && !said)
		rc = no_memory(e);
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		c->items[i] = labels_true(c->labels, i);
	for (int side = 0; rc == 0 && side < 2; side++) {
		if ((rc = labels_predicted(c->labels, predictions[side], said, &c->told[side], e)) < 0)
			break;
		for (size_t i = 0; i < c->n; i++)
			c->scores[side][i] = said[i] && strcmp(said[i], c->items[i]) == 0;
		rc = check_fit(c, side, predictions[side], test, e);
	}
	return rc;
}

int comparison_of_labels(const char *test, const char *const predictions[2], struct comparison **out,
			 struct error *e)
{
	struct comparison *c = comparison_new();
	int rc = c ? compare_labels(c, test, predictions, e) : no_memory(e);

	if (rc < 0)
		comparison_free(c);
	else
		*out = c;
	return rc;
}

/* --- what is known of it ---------------------------------------------------------------------------------- */

size_t comparison_size(const struct comparison *c)
{
	return c->n;
}

const double *comparison_scores(const struct comparison *c, int side)
{
	return c->scores[side];
}

const struct told *comparison_told(const struct comparison *c, int side)
{
	return &c->told[side];
}

struct sum {
	struct shift shift; /* sums, not means, until it is handed out */
	size_t order;
};

static int by_difference(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;
	double dx = round(fabs(x->shift.b - x->shift.a) / SAME);
	double dy = round(fabs(y->shift.b - y->shift.a) / SAME);

	if (dx != dy)
		return dx > dy ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* A sum for each name; how many, or -1 without memory. */
static long add_up(const struct comparison *c, struct map *places, struct sum *sums)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		uint64_t *place = map_put(places, c->items[i], strlen(c->items[i]), NULL);
		if (!place)
			return -1;
		if (!*place) {
			sums[n] = (struct sum){ .shift = { .name = c->items[i] }, .order = n };
			*place = ++n;
		}
		struct shift *s = &sums[*place - 1].shift;
		s->n++;
		s->a += c->scores[0][i];
		s->b += c->scores[1][i];
	}
	return (long)n;
}

int comparison_shifts(const struct comparison *c, struct shift *out, size_t max, size_t *n, struct error *e)
{
	struct map *places = map_new();
	struct sum *sums = calloc(c->n + 1, sizeof(*sums));
	long all = places && sums ? add_up(c, places, sums) : -1;

	*n = 0;
	if (all > 0)
		qsort(sums, (size_t)all, sizeof(*sums), by_difference);
	for (long i = 0; i < all && *n < max; i++) {
		struct shift s = sums[i].shift;
		if (fabs(s.b - s.a) <= SAME)
			break;
		s.a /= (double)s.n;
		s.b /= (double)s.n;
		out[(*n)++] = s;
	}
	map_free(places);
	free(sums);
	return all < 0 ? no_memory(e) : 0;
}
