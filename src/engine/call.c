#include "engine/call.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

/* The record that answers the same request again: see call.h. */
static json_t *request_body(const struct call *c, int status, const json_t *result)
{
	json_t *copy = result ? json_deep_copy(result) : json_null();

	return json_pack("{s:s,s:i,s:o,s:I}", "body", c->request_hash, "status", status, "result", copy, "at",
			 (json_int_t)clock_wall_ms());
}

int call_commit(const struct call *c, struct engine *g, struct event *ev, int status, const json_t *result,
		struct commit *out)
{
	struct event whole;
	struct change *changes;
	JSON_AUTO *body = NULL;

	ev->principal = c->rights->key;
	ev->agent = c->rights->agent;
	if (!c->request)
		return engine_commit(g, ev, out, c->err);
	/* `ev` itself stays as it was: after a conflict it is committed again */
	whole = *ev;
	changes = arena_alloc(c->arena, (ev->n + 1) * sizeof(*changes));
	body = request_body(c, status, result);
	if (!changes || !body)
		return no_memory(c->err);
	if (ev->n)
		memcpy(changes, ev->changes, ev->n * sizeof(*changes));
	changes[ev->n] = (struct change){ .kind = RECORD_REQUEST, .id = c->request, .body = body };
	whole.changes = changes;
	whole.n = ev->n + 1;
	return engine_commit(g, &whole, out, c->err);
}

int call_check_match(const struct call *c, int64_t revision)
{
	if (c->if_match == CALL_NO_MATCH || c->if_match == revision)
		return 0;
	return error_set(c->err, ERR_PRECONDITION, "If-Match",
			 "If-Match: revision %lld was given, but it is at %lld; read it again",
			 (long long)c->if_match, (long long)revision);
}

int call_check_agent(const struct call *c, struct text agent)
{
	const char *own = c->rights->agent ? c->rights->agent : c->rights->key;

	if (!agent.s || (own && agent.n == strlen(own) && memcmp(agent.s, own, agent.n) == 0))
		return 0;
	return error_set(c->err, ERR_AGENT_MISMATCH, "agent",
			 "agent: must be the caller; leave it out, or name it in Readback-Agent");
}

struct retries retries_of(struct engine *g, const char *name)
{
	return (struct retries){ .engine = g, .name = name ? name : "" };
}

int retry(struct retries *y, int rc)
{
	if (y->attempts == 0 || (rc == ERR_CONFLICT && y->attempts < CALL_RETRIES)) {
		if (y->attempts == 1) {
			engine_lock(y->engine, y->name);
			y->locked = 1;
		}
		y->attempts++;
		return 1;
	}
	if (y->locked)
		engine_unlock(y->engine, y->name);
	y->locked = 0;
	return 0;
}
