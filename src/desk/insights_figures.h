/*
 * insights_figures.h: shares with their intervals, medians, ISO weeks: the
 * arithmetic of insights. Internal to desk/insights*.c. Values are plain; JSON
 * results are new references, NULL without memory.
 */
#ifndef READBACK_DESK_INSIGHTS_FIGURES_H
#define READBACK_DESK_INSIGHTS_FIGURES_H

#include "desk/insights.h"

/* Is a time in the window that was asked for? */
int insight_within(const struct insight_query *q, int64_t ms);
/* Sets "since" and "until" as far as they were given; -1 without memory. */
int insight_set_window(json_t *out, const struct insight_query *q);

struct share {
	uint64_t n, yes;
};
void share_add(struct share *s, int yes);
/* Wilson's interval at 95 %; n is not 0. */
void share_interval(const struct share *s, double *low, double *high);
/* {"n","share","interval":[low,high]}; the last two are null when n is 0. */
json_t *share_json(const struct share *s);

/* Two who label the same things. */
struct agreement {
	uint64_t n, agreed;
	double chance; /* pairs of labels, one of each, that are the same: n * n times what they would agree by chance */
};
/*
 * {"n","observed","kappa"}: Cohen's kappa (1960), (observed - expected) / (1 - expected).
 * Null where n is 0; kappa also where both always say the same one label.
 */
json_t *agreement_json(const struct agreement *x);
/* Of a yes or no: how many said it both, the first, the second, of all. */
struct agreement agreement_of_one(uint64_t both, uint64_t first, uint64_t second, uint64_t n);

/* Numbers of which median and mean are wanted. */
struct sample {
	double *list; /* malloc'ed */
	size_t n, cap;
};
int sample_add(struct sample *s, double x); /* -1 without memory */
void sample_release(struct sample *s);
/* {"n","median","mean"}; the last two are null when n is 0. Sorts. */
json_t *sample_json(struct sample *s);
/* Quantile p of sorted numbers, between two of them in proportion; n is not 0. */
double quantile(const double *sorted, size_t n, double p);
int by_value(const void *a, const void *b); /* qsort of doubles */

#define WEEK_TEXT 32
/* ISO weeks (Monday to Sunday, UTC) are numbered on; that of 1970-01-01 is 0. */
int64_t week_of(int64_t ms);
void week_name(int64_t week, char out[WEEK_TEXT]); /* "2026-W23" */

#endif
