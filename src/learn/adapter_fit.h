/* adapter_fit.h: an adapter from a tenant's resolved cases, and whether it is worth having. */
#ifndef READBACK_LEARN_ADAPTER_FIT_H
#define READBACK_LEARN_ADAPTER_FIT_H

#include "learn/adapter.h"

#define ADAPTER_LEAST_PAIRS 30

/*
 * Pairs of the opening of a resolved case and each document that it used, in
 * the order of the cases, the last few thousand of them; and the documents:
 * those that were used, and the oldest others until there are enough rows. All
 * is the arena's. Without vectors there is no pair.
 */
int adapter_lessons_read(struct engine *g, struct arena *a, struct adapter_lessons *out, struct error *e);

/* What an adapter that has not seen them does for pairs: means of 1/rank. */
struct adapter_gain {
	size_t n;
	double before, after, error; /* error: standard error of the mean difference */
};

struct adapter_report {
	size_t pairs, documents;
	/*
	 * Of pairs whose document was taught by others, and of documents of which no
	 * pair was taught; and how often a case uses one that no earlier one did, of
	 * the last quarter of the cases.
	 */
	struct adapter_gain seen, unseen;
	double unseen_share;
	double gain, gain_error; /* expected, of the two at that share */
	int worth;               /* the gain is above 0 at 95 % */
};

/*
 * Trains one that does not see a fifth of the documents and a fifth of the
 * other pairs, looks what it does for these, and, when that is worth it, one on
 * everything: *out; else *out is NULL. ERR_NOT_READY: fewer than
 * ADAPTER_LEAST_PAIRS pairs, and the message says how many are missing.
 */
int adapter_fit(const struct adapter_lessons *l, const struct adapter_options *o, uint64_t seed,
		struct adapter **out, struct adapter_report *report, struct error *e);

#endif
