/*
 * odds.h: how likely something is, from a few numbers that are seen of it: a
 * logistic regression of yes against no (linear.h with two labels).
 *
 * Plain values; any thread.
 */
#ifndef READBACK_LEARN_ODDS_H
#define READBACK_LEARN_ODDS_H

#include <stddef.h>

#include "base/error.h"

#define ODDS_MOST 12 /* numbers */

struct odds {
	double weight[ODDS_MOST], bias;
};

struct odds_sample {
	const float *x; /* [dim] */
	int yes;
	float weight; /* 1: counts once */
};

/* dim <= ODDS_MOST; n >= 1. The same samples in the same order give the same weights on the same instruction set. */
int odds_fit(const struct odds_sample *list, size_t n, size_t dim, struct odds *out, struct error *e);

/* 0 … 1 */
double odds_of(const struct odds *o, const float *x, size_t dim);

/* ln(p / (1 - p)), within ±8: what is certain is not infinitely so. */
double odds_log(double p);

#endif
