/* lessons.h: what a tenant's records teach: labelled examples, and how predictions came out. */
#ifndef READBACK_LEARN_LESSONS_H
#define READBACK_LEARN_LESSONS_H

#include "engine/engine.h"
#include "learn/answering.h"
#include "learn/intent_model.h"

/*
 * The examples that were there at `mark` (a seq; 0: now) and are there still,
 * in the order in which they came. Those that only some groups may see are left
 * out, for everybody asks the model: they go on voting under the rights of who
 * asks (intent.h). An example without a vector is left out where others have
 * one. One that is contested (intent.h) is left out as well, until others say
 * the same of texts that are alike: two keys, two agents and two customers in
 * all. All is the arena's.
 */
int lessons_read(struct engine *g, uint64_t mark, struct arena *a, struct lessons *out, struct error *e);

/*
 * How the latest predictions came out, at most so many, in the order in which
 * it became known: "expected" of resolutions, and audits that were decided
 * (docs/learning.md).
 */
int outcomes_read(struct engine *g, size_t most, struct arena *a, struct outcome_seen **out, size_t *n,
		  struct error *e);

#endif
