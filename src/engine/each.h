/* each.h: every record of a kind, for whoever goes through all of them. Any thread. */
#ifndef READBACK_ENGINE_EACH_H
#define READBACK_ENGINE_EACH_H

#include "engine/engine.h"

/*
 * Calls each() with every record of a kind that was there at `at` (0: now), in
 * the order in which they came. The record lives in `a`, which is gone when
 * each() has seen a few hundred. Whatever is not 0 ends it and is the result.
 */
int engine_each(struct engine *g, enum record_kind kind, uint64_t at,
		int (*each)(void *arg, struct arena *a, const struct record *r, struct error *e), void *arg,
		struct error *e);

#endif
