#include "desk/handoff.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

static int not_found(const struct call *c)
{
	return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such handoff");
}

int handoff_get(struct desk *d, const struct call *c, const char *id, struct record *handoff,
		struct record *conversation)
{
	struct record h, v;
	int rc = engine_get(d->engine, RECORD_HANDOFF, id, c->arena, &h, c->err);

	if (rc < 0)
		return rc == ERR_NOT_FOUND ? not_found(c) : rc;
	rc = engine_get(d->engine, RECORD_CONVERSATION, body_string(h.body, "conversation"), c->arena, &v,
			c->err);
	if (rc == ERR_NOT_FOUND || (rc == 0 && !conversation_visible(c->rights, v.body)))
		return not_found(c);
	if (rc < 0)
		return rc;
	if (handoff)
		*handoff = h;
	if (conversation)
		*conversation = v;
	return 0;
}

/*
 * The conversation is read first, and the handoff again after it: an event
 * between the two would show a handoff that is newer than the revision which
 * the commit expects, and that commit then conflicts.
 */
int handoff_load(struct desk *d, const struct call *c, const char *id, struct handoff *out)
{
	struct handoff h;
	int rc = handoff_get(d, c, id, &h.record, NULL);

	if (rc < 0)
		return rc;
	rc = conversation_load(d, c, body_string(h.record.body, "conversation"), &h.conversation);
	if (rc < 0)
		return rc == ERR_NOT_FOUND ? not_found(c) : rc;
	if ((rc = engine_get(d->engine, RECORD_HANDOFF, id, c->arena, &h.record, c->err)) < 0)
		return rc == ERR_NOT_FOUND ? not_found(c) : rc;
	if ((rc = call_check_match(c, h.conversation.revision)) < 0)
		return rc;
	h.body = body_copy(c->arena, h.record.body);
	if (!h.body)
		return no_memory(c->err);
	*out = h;
	return 0;
}

const char *handoff_state(const json_t *body)
{
	return body_string(body, "state");
}

int state_in(const char *state, const char *states)
{
	size_t n = strlen(state);

	for (const char *p = states; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");
		if (len == n && memcmp(p, state, n) == 0)
			return 1;
		p += len;
	}
	return 0;
}

int wrong_state(const struct call *c, const char *state, const char *what)
{
	int rc = error_set(c->err, ERR_WRONG_STATE, NULL, "a handoff that is %s cannot be %s", state, what);

	if (c->err)
		strncpy(c->err->state, state, sizeof(c->err->state) - 1);
	return rc;
}

int read_at(const struct call *c, struct reader *r, int64_t *at, int *given)
{
	int64_t ms = 0;

	reader_time(r, "at", OPTIONAL, &ms);
	*given = json_object_get(r->obj, "at") && !json_is_null(json_object_get(r->obj, "at"));
	if (*given && !c->may_set_time)
		reader_fail(r, ERR_FORBIDDEN, "at", "may be set by an import or with the scope admin only");
	*at = *given ? ms : clock_wall_ms();
	return r->rc;
}

int conversation_set_handoff(struct conversation *v, const char *handoff, const char *state, int open)
{
	return body_set(v->body, "state", state) < 0 ||
			       body_set(v->body, "handoff", open ? handoff : NULL) < 0
		       ? -1
		       : 0;
}

int handoff_commit(struct desk *d, const struct call *c, struct conversation *v, struct changes *cs,
		   const char *kind, int64_t at, int status, const json_t *result)
{
	struct commit done;
	int rc = conversation_changes(v, cs, c->err);

	return rc < 0 ? rc : conversation_commit(d, c, v, cs, kind, at, status, result, &done);
}
