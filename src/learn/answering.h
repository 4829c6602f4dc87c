/*
 * answering.h: when a prediction is sure enough to be answered: a confidence
 * that is learned from how earlier predictions came out, and a threshold that
 * holds a target precision.
 *
 * Confidence: logistic regression (odds.h) over what is seen of a prediction. Threshold:
 * the lowest at which, among the last ANSWERING_WINDOW outcomes, (errors + 1) /
 * (answers + 1) is at most 1 - target, as conformal prediction has it
 * (Angelopoulos and Bates 2023, arXiv 2107.07511); before there are as many,
 * the upper end of Wilson's interval (1927) at z = 1 is instead. Outcomes have
 * weights: one that was looked at with a propensity stands for its inverse
 * (Horvitz and Thompson 1952), and how many they are is Kish's effective number
 * (1965).
 *
 * Plain values; any thread.
 */
#ifndef READBACK_LEARN_ANSWERING_H
#define READBACK_LEARN_ANSWERING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "learn/odds.h"

struct arena;
struct intent;
struct packed;

#define ANSWERING_WINDOW 500
#define ANSWERING_MOST 2000 /* outcomes that the confidence is learned from: the latest */
#define ANSWERING_LEAST 50  /* fewer say nothing */
#define ANSWERING_TARGET .95

enum { SEEN_SURE, SEEN_MARGIN, SEEN_NEAREST, SEEN_IN_SCOPE, SEEN_AGREEMENT, SEEN };

/* What is seen of a prediction before it is known whether it is right. */
struct seen {
	float x[SEEN];
};
struct seen seen_of(const struct intent *in);

/* The same as JSON, to be kept until the outcome is known: {"sure", …}. New reference; NULL without memory. */
json_t *seen_json(const struct seen *s);
/* 0, or -1 for what seen_json() did not make. */
int seen_read(const json_t *j, struct seen *out);

/* A prediction whose truth has become known. */
struct outcome_seen {
	struct seen seen;
	int right;
	float weight; /* how many it stands for: 1, of an audit the inverse of its propensity */
};

struct answering {
	struct odds odds;        /* over struct seen */
	double threshold;        /* of answering_confidence(); above 1: nothing is answered */
	size_t outcomes;         /* learned from; 0: nothing is learned yet */
	double precision, share; /* of the window, at the threshold */
};

/* `list` is in the order of time. Fewer than ANSWERING_LEAST: *out says that nothing is learned. */
int answering_learn(const struct outcome_seen *list, size_t n, double target, struct answering *out,
		    struct error *e);

/* As the bytes of a file (packed.h). -1 without memory. */
int answering_pack(const struct answering *a, struct arena *arena, struct packed *out);
/* Malloc'ed. ERR_CORRUPT for what answering_pack() did not make. */
int answering_unpack(const struct packed *p, struct answering **out, struct error *e);

/* 0 … 1. Something must have been learned. */
double answering_confidence(const struct answering *a, const struct seen *s);

#endif
