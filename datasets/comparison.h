/*
 * comparison.h: two systems on the same frozen dataset: a score of each for
 * every query or row, and what makes the difference between them. The figures
 * over all are paired_measure()'s.
 *
 *   searches   files of judgements (qrels.h) and of two runs (run.h); a score a query that has a judgement
 *   intents    rows with labels and two files of predictions (labels.h); 1 where the label is right, else 0
 *
 * What a system has not predicted scores 0. One thread at a time.
 */
#ifndef READBACK_DATASETS_COMPARISON_H
#define READBACK_DATASETS_COMPARISON_H

#include <stddef.h>

#include "base/error.h"
#include "datasets/told.h"

struct comparison;

/* "ndcg@10", …, in this order; NULL behind the last. The last one is that of intents. */
#define METRIC_SEARCH "ndcg@10"
#define METRIC_INTENT "accuracy"
const char *metric_name(size_t i);
/* The one spelled like this, as metric_name() has it; NULL if there is none. */
const char *metric_find(const char *name);

/* `metric`: of metric_name(), not METRIC_INTENT. ERR_BAD_VALUE for a run that has no query of the judgements. */
int comparison_of_runs(const char *qrels, const char *const runs[2], const char *metric,
		       struct comparison **out, struct error *e);
/* ERR_BAD_VALUE for a file that predicts none of the rows. */
int comparison_of_labels(const char *test, const char *const predictions[2], struct comparison **out,
			 struct error *e);
void comparison_free(struct comparison *c); /* NULL is fine */

size_t comparison_size(const struct comparison *c);                       /* queries or rows */
const double *comparison_scores(const struct comparison *c, int side);    /* [size]; side 0: A, 1: B */
const struct told *comparison_told(const struct comparison *c, int side); /* the comparison's own */

/* A query, or a label that is true of `n` rows. */
struct shift {
	const char *name; /* the comparison's own */
	size_t n;
	double a, b; /* means */
};

/*
 * What changed most: by the difference of the sums, the largest first, then in
 * the dataset's order; what is equal is left out. `out` has room for `max`;
 * *n is how many there are. ERR_NO_MEMORY.
 */
int comparison_shifts(const struct comparison *c, struct shift *out, size_t max, size_t *n, struct error *e);

#endif
