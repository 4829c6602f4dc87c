/*
 * shadow.h: how a candidate does beside the model in force. Each resolution
 * keeps what both would have said of its conversation just before it was
 * learned from ("expected": desk/expectation.h), whichever of them spoke in it,
 * so the two are compared pair by pair.
 *
 * Any thread.
 */
#ifndef READBACK_LEARN_SHADOW_H
#define READBACK_LEARN_SHADOW_H

#include "engine/engine.h"

#define SHADOW_LEAST 30   /* pairs: fewer judge nothing */
#define SHADOW_SURELY 3.0 /* standard errors: it is looked at again and again */

struct shadow_tally {
	size_t n, active_right, shadow_right;
	double difference; /* of the shares, the candidate's minus the other's; 0 while n is 0 */
	double error;      /* its standard error; 0 while n < 2 */
};

/* What has come out since the event `since`. `model`: the candidate's id. */
int shadow_count(struct engine *g, const char *model, uint64_t since, struct shadow_tally *out,
		 struct error *e);

/* 1: the candidate is worse, by SHADOW_SURELY standard errors. */
int shadow_is_worse(const struct shadow_tally *t);

#endif
