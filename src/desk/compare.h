/*
 * compare.h: do two texts say the same? For the read-back, and for finding
 * what contradicts what the bot said.
 *
 * Two texts agree only if their facts (facts.h), their negations and what
 * stands in contrast (refund or replacement, before or after, …) are the same,
 * and if enough words overlap or, with an embedder, the vectors are close.
 * The thresholds were chosen on tests/unit/data/readback_pairs.ndjson; figures in
 * tests/unit/test_compare.c.
 *
 * Words: Dice's coefficient 2|A∩B|/(|A|+|B|) over distinct stems without stop
 * words and facts. Any thread; memory is the arena's.
 */
#ifndef READBACK_DESK_COMPARE_H
#define READBACK_DESK_COMPARE_H

#include "desk/bodies.h"
#include "desk/facts.h"

#define AGREE_WORDS 0.55
#define AGREE_COSINE 0.65
/* Below both of these two texts are about different things: "missing" and "extra", not "different". */
#define RELATED_WORDS 0.25
#define RELATED_COSINE 0.40

#define COMPARE_MAX 100 /* elements of a list */

#define COMPARE_QUESTIONS 24 /* at least as many as compare.c asks */
#define COMPARE_NEGATED 8

/* A text made ready for many comparisons, each of which is then about linear. */
struct compared {
	struct text text;
	const struct fact *facts; /* in order of appearance */
	long n_facts;
	const char **values; /* of the facts, sorted */
	const struct lexeme *lexemes;
	long n_lexemes;
	const char **stems; /* distinct, sorted */
	size_t n_stems;
	unsigned answers[COMPARE_QUESTIONS]; /* see compare.c: a bit for each answer that the text gives */
	long negations;
	const struct lexeme *negated[COMPARE_NEGATED]; /* what the first ones are about */
	size_t n_negated;
	const float *vector; /* NULL without embedder */
	size_t dim;
};

/* `d` NULL: words only. */
int compare_prepare(struct desk *d, struct arena *a, const struct text *texts, size_t n,
		    struct compared **out, struct error *e);

struct likeness {
	int agree, related;
	double words, cosine; /* cosine is 0 without embedder */
	const char *because;  /* why they do not agree: one clause; NULL if they do */
};

/* -1 without memory. */
int compare_two(struct arena *a, const struct compared *x, const struct compared *y, struct likeness *out);

/*
 * One-to-one assignment of `left` to `right` (at most COMPARE_MAX each) that
 * has the most agreeing pairs and, among these, the greatest likeness:
 * to[i] is the partner of left[i], or -1. likeness[i] is that of the pair.
 * Kuhn 1955, in the form with potentials (Jonker and Volgenant 1987), O(n^3).
 */
int compare_assign(struct arena *a, const struct compared *left, size_t n_left, const struct compared *right,
		   size_t n_right, long *to, struct likeness *likeness);

/* The assignment alone, over gains[n_left][n_right] >= 0; a gain of 0 is no pair. */
int assign_pairs(struct arena *a, const double *gains, size_t n_left, size_t n_right, long *to);

#endif
