/*
 * usefulness.h: which documents help with which intent, counted over resolved
 * cases.
 *
 * helped(d, l): cases of intent l that used document d, each at a weight that
 * halves every USEFULNESS_HALF_LIFE_DAYS of age, and times the inverse of how
 * readily a document is looked at where it was shown (rank^-1/2, at most twice;
 * Joachims et al. 2017, arXiv 1608.04468): who used the tenth of a list went to
 * look for it. Share of d among the cases of l = (helped + κ · share of d among
 * all) / (cases + κ), κ = USEFULNESS_PRIOR, at most 1: of few cases little is
 * believed.
 *
 * Cases that only some groups may see are left out, for counts are told to
 * everybody. The same cases give the same shares: age is counted from the
 * newest one. Never changed once it is made: any thread may ask it.
 */
#ifndef READBACK_LEARN_USEFULNESS_H
#define READBACK_LEARN_USEFULNESS_H

#include "engine/engine.h"

struct arena;
struct intent;
struct packed;
struct usefulness;

#define USEFULNESS_LEAST 5 /* cases */
#define USEFULNESS_PRIOR 2.0
#define USEFULNESS_HALF_LIFE_DAYS 365.0
#define USEFULNESS_MOST 10 /* documents that are expected of one text */

struct expected_document {
	const char *id;
	double share;      /* how likely it helps, 0 … 1 */
	const char *label; /* the intent that speaks most for it */
	size_t helped, of; /* of that intent's cases */
};

/* Reads the latest cases. ERR_NOT_READY: fewer than USEFULNESS_LEAST that name a document they used. */
int usefulness_read(struct engine *g, struct usefulness **out, struct error *e);
void usefulness_free(struct usefulness *u); /* NULL is fine */

/*
 * What helps with a text: Σ over its candidate intents of confidence · share,
 * best first, at most USEFULNESS_MOST. The arena's, strings too. -1 without
 * memory.
 */
int usefulness_expect(const struct usefulness *u, struct arena *a, const struct intent *in,
		      struct expected_document **out, size_t *n);

/* As the bytes of a file (packed.h). -1 without memory. */
int usefulness_pack(const struct usefulness *u, struct arena *a, struct packed *out);
/* ERR_CORRUPT for what usefulness_pack() did not make. */
int usefulness_unpack(const struct packed *p, struct usefulness **out, struct error *e);

/* {"cases","labels","documents"}; NULL without memory. */
json_t *usefulness_facts(const struct usefulness *u);

#endif
