/* each.h: every record of a kind, for whoever goes through all of them. Any thread. */
#ifndef READBACK_ENGINE_EACH_H
#define READBACK_ENGINE_EACH_H

#include "engine/engine.h"

/*
 * Calls each() with every record that the scan asks for, in its order; the limit
 * is not the caller's. The record lives in `a`, which is
 * gone when each() has seen a few hundred. Whatever is not 0 ends it and is the
 * result.
 */
int engine_each(struct engine *g, const struct scan *what,
		int (*each)(void *arg, struct arena *a, const struct record *r, struct error *e), void *arg,
		struct error *e);

#endif
