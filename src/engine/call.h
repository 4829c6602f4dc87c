/*
 * call.h: one request on its way through the layers, and how its write is
 * committed exactly once.
 *
 * A call is made by the HTTP edge or the command line and borrowed by all
 * below. `request` names an Idempotency-Key's scope (a hash over tenant, key,
 * method, path and value); the event that the call commits then also puts a
 * RECORD_REQUEST with the hash of the body and the *result*: a small JSON
 * object of ids and counts, without texts, from which the answer is rendered,
 * now and again for a repeated request, under the caller's rights of then.
 */
#ifndef READBACK_ENGINE_CALL_H
#define READBACK_ENGINE_CALL_H

#include <stdint.h>

#include "engine/engine.h"
#include "engine/rights.h"

#define CALL_NO_MATCH (-1)

struct call {
	struct arena *arena;
	const struct rights *rights;
	struct error *err;
	const char *request;      /* NULL: no Idempotency-Key */
	const char *request_hash; /* of the raw body */
	int64_t if_match;         /* revision, or CALL_NO_MATCH */
	int may_set_time;         /* `at` from the body counts: import files and scope admin */
};

/*
 * Fills in principal and agent, adds the RECORD_REQUEST (status, result) when
 * there is a key, and commits. ERR_CONFLICT comes back as it is: the caller
 * reads again and decides again, in a loop of retries.
 */
int call_commit(const struct call *c, struct engine *g, struct event *ev, int status, const json_t *result,
		struct commit *out);

/*
 * An act is tried until it does not lose its revision:
 *
 *	struct retries y = retries_of(engine, conversation);
 *	while (retry(&y, rc))
 *		rc = attempt(…);
 *
 * From the second attempt on, the threads of this process that want the same
 * thing take turns, so that a burst of turns to one conversation gets in, one
 * after the other. ERR_CONFLICT after CALL_RETRIES attempts is the answer.
 */
#define CALL_RETRIES 64

struct retries {
	struct engine *engine;
	const char *name; /* borrowed */
	int attempts, locked;
};

struct retries retries_of(struct engine *g, const char *name);
/* 1: try (again); 0: `rc` of the last attempt stands. */
int retry(struct retries *y, int rc);

/* If-Match against the revision that was read: ERR_PRECONDITION when they differ. */
int call_check_match(const struct call *c, int64_t revision);

/* `agent` of a body must be absent or the caller's: ERR_AGENT_MISMATCH. */
int call_check_agent(const struct call *c, struct text agent);

#endif
