#include "learn/adapter_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/dice.h"

#define SURE 1.64     /* standard errors: wrong in one of twenty cases where it is of no use */
#define HIDE_ONE_IN 5 /* of documents, and of the pairs of the others */

/* Which pairs are taught, and which are to be ranked. */
struct halves {
	struct adapter_pair *taught, *seen, *unseen;
	size_t n_taught, n_seen, n_unseen;
};

static int split(struct arena *a, const struct adapter_lessons *l, uint64_t seed, struct halves *out)
{
	struct halves h = { .taught = arena_alloc(a, (l->n_pairs + 1) * sizeof(*h.taught)),
			    .seen = arena_alloc(a, (l->n_pairs + 1) * sizeof(*h.seen)),
			    .unseen = arena_alloc(a, (l->n_pairs + 1) * sizeof(*h.unseen)) };
	struct dice dice = { seed };
	unsigned char *hidden = arena_alloc(a, l->n_documents + 1);
	unsigned char *known = arena_alloc(a, l->n_documents + 1);

	if (!h.taught || !h.seen || !h.unseen || !hidden || !known)
		return -1;
	for (size_t i = 0; i < l->n_documents; i++)
		hidden[i] = dice_below(&dice, HIDE_ONE_IN) == 0;
	for (size_t i = 0; i < l->n_pairs; i++) {
		const struct adapter_pair *p = &l->pairs[i];
		if (hidden[p->document]) {
			h.unseen[h.n_unseen++] = *p;
		} else if (dice_below(&dice, HIDE_ONE_IN) == 0) {
			h.seen[h.n_seen++] = *p;
		} else {
			h.taught[h.n_taught++] = *p;
			known[p->document] = 1;
		}
	}
	/* Of a document that turned out to be taught by nobody. */
	size_t kept = 0;
	for (size_t i = 0; i < h.n_seen; i++) {
		if (known[h.seen[i].document])
			h.seen[kept++] = h.seen[i];
		else
			h.unseen[h.n_unseen++] = h.seen[i];
	}
	h.n_seen = kept;
	*out = h;
	return 0;
}

static int gain_of(struct arena *a, const struct adapter *adapter, const struct adapter_lessons *l,
		   const struct adapter_pair *pairs, size_t n, struct adapter_gain *out)
{
	size_t *before = arena_alloc(a, (n + 1) * sizeof(*before));
	size_t *after = arena_alloc(a, (n + 1) * sizeof(*after));
	struct adapter_gain g = { .n = n };
	double squares = 0;

	if (!before || !after || adapter_ranks(NULL, l, pairs, n, before) < 0 ||
	    adapter_ranks(adapter, l, pairs, n, after) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		double d = 1. / (double)after[i] - 1. / (double)before[i];
		g.before += 1. / (double)before[i] / (double)n;
		g.after += 1. / (double)after[i] / (double)n;
		squares += d * d;
	}
	double mean = g.after - g.before;
	/* Of gains that are all the same rounding may leave less than nothing. */
	double variance = fmax(0, squares / (double)n - mean * mean);
	g.error = n > 1 ? sqrt(variance / (double)(n - 1)) : 1;
	*out = g;
	return 0;
}

/* How often, of late, a case needs a document that none before it did. */
static double share_of_unseen(struct arena *a, const struct adapter_lessons *l)
{
	unsigned char *known = arena_alloc(a, l->n_documents + 1);
	size_t from = l->n_pairs - l->n_pairs / 4, fresh = 0;

	for (size_t i = 0; known && i < l->n_pairs; i++) {
		fresh += i >= from && !known[l->pairs[i].document];
		known[l->pairs[i].document] = 1;
	}
	return known && l->n_pairs > from ? (double)fresh / (double)(l->n_pairs - from) : 1;
}

static void weigh(struct adapter_report *r)
{
	double u = r->unseen.n ? r->unseen_share : 0, s = 1 - u;
	double seen = r->seen.after - r->seen.before, unseen = r->unseen.after - r->unseen.before;

	r->gain = s * seen + u * unseen;
	r->gain_error = sqrt(s * s * r->seen.error * r->seen.error +
			     u * u * r->unseen.error * r->unseen.error);
	r->worth = r->seen.n > 0 && r->gain > SURE * r->gain_error;
}

static int try_out(struct arena *a, const struct adapter_lessons *l, const struct adapter_options *o,
		   uint64_t seed, struct adapter_report *r, struct error *e)
{
	struct adapter_lessons taught = *l;
	struct adapter *trial = NULL;
	struct halves h = { 0 };
	int rc = split(a, l, seed, &h) < 0 ? no_memory(e) : 0;

	if (rc < 0 || h.n_taught == 0)
		return rc;
	taught.pairs = h.taught;
	taught.n_pairs = h.n_taught;
	rc = adapter_train(&taught, o, &trial, e);
	if (rc == 0 && (gain_of(a, trial, l, h.seen, h.n_seen, &r->seen) < 0 ||
			gain_of(a, trial, l, h.unseen, h.n_unseen, &r->unseen) < 0))
		rc = no_memory(e);
	adapter_free(trial);
	r->unseen_share = share_of_unseen(a, l);
	weigh(r);
	return rc;
}

int adapter_fit(const struct adapter_lessons *l, const struct adapter_options *o, uint64_t seed,
		struct adapter **out, struct adapter_report *report, struct error *e)
{
	struct adapter_report r = { .pairs = l->n_pairs, .documents = l->n_documents };
	struct adapter *made = NULL;

	if (l->n_pairs < ADAPTER_LEAST_PAIRS || l->n_documents < 2)
		return error_set(e, ERR_NOT_READY, NULL,
				 "%zu resolved cases that name the article they used are too few to learn "
				 "from: %d are wanted, and two articles",
				 l->n_pairs, ADAPTER_LEAST_PAIRS);
	struct arena *a = arena_new(1 << 16);
	int rc = a ? try_out(a, l, o, seed, &r, e) : no_memory(e);
	if (rc == 0 && r.worth)
		rc = adapter_train(l, o, &made, e);
	arena_free(a);
	if (rc < 0)
		return rc;
	*out = made;
	*report = r;
	return 0;
}
