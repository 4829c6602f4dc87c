/*
 * votes.h: what the nearest examples say: kNN with k 10, weight exp(cos / .05),
 * a vote per distinct text and label; by words, weight by BM25 relative to the
 * best. Plain arithmetic; any thread.
 *
 * Nobody outvotes the rest: the votes of one key, and those of one customer,
 * together have no more weight than all others' together, if there are others,
 * or than its strongest alone: the others may be far off.
 * (Texts that a curator vouches for are nobody's.) A contested example, which
 * was labelled against what all others said, has VOTES_CONTESTED of a vote.
 */
#ifndef READBACK_LEARN_VOTES_H
#define READBACK_LEARN_VOTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct arena;

#define VOTES_MOST 10
#define VOTES_CONTESTED .25
#define VOTES_FETCHED 40 /* more than vote, for duplicates have one vote and back each other */

/* An example that was found. */
struct voter {
	const char *label;
	double score;               /* cosine, or BM25 */
	uint64_t hash;              /* votes_text_hash() */
	const char *key, *customer; /* "": nobody's */
	int contested;
};

struct vote_share {
	const char *label;
	double share; /* of all votes */
};

struct votes {
	struct vote_share list[VOTES_MOST]; /* most first; ties by label */
	size_t n, voters;
};

/* `voters`, nearest first, of which the first VOTES_MOST distinct ones vote; `vectors`: scores are cosines. */
void votes_count(const struct voter *voters, size_t n, int vectors, struct votes *out);

/* The same for texts that differ in case, accents, punctuation and space only. 0, or -1 without memory. */
int votes_text_hash(struct arena *a, struct text t, uint64_t *out);

#endif
