#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "desk/handoff.h"
#include "desk/package.h"

struct request {
	json_t *package;           /* as the bot gave it; NULL without memory only */
	const char *conversation;  /* id; NULL: inline */
	struct conversation fresh; /* the inline one */
	int64_t at;
	int at_given;
};

static int read_inline(struct desk *d, const struct call *c, json_t *obj, struct request *out)
{
	struct reader r;
	int rc;

	reader_init(&r, obj, "conversation", c->err);
	if ((rc = conversation_read(c, &r, &out->fresh)) < 0 || (rc = reader_done(&r)) < 0)
		return rc;
	return conversation_embed(d, c->arena, &out->fresh, c->err);
}

static int read_request(struct desk *d, const struct call *c, json_t *body, struct request *out)
{
	struct request q = { 0 };
	struct text id = { 0 };
	json_t *obj = NULL;
	struct reader r;
	int rc;

	reader_init(&r, body, NULL, c->err);
	reader_string(&r, "conversation_id", OPTIONAL, 512, &id);
	reader_object(&r, "conversation", OPTIONAL, &obj);
	if (r.rc == 0 && !id.s && !obj)
		reader_fail(&r, ERR_MISSING_FIELD, "conversation_id",
			    "is required (or a whole \"conversation\")");
	if (r.rc == 0 && id.s && obj)
		reader_fail(&r, ERR_BAD_VALUE, "conversation", "give either conversation_id or conversation");
	read_at(c, &r, &q.at, &q.at_given);
	q.package = package_read(c, &r);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	q.conversation = id.s ? text_copy(c->arena, id) : NULL;
	if (id.s && !q.conversation)
		return no_memory(c->err);
	if (obj && (rc = read_inline(d, c, obj, &q)) < 0)
		return rc;
	*out = q;
	return 0;
}

/* ERR_HANDOFF_OPEN, with its id, when the conversation has one that nobody has ended. */
static int check_none_open(struct desk *d, const struct call *c, const struct conversation *v)
{
	const char *id = body_string(v->body, "handoff");
	struct record h;

	if (!*id)
		return 0;
	int rc = engine_get(d->engine, RECORD_HANDOFF, id, c->arena, &h, c->err);
	if (rc < 0 || !state_in(handoff_state(h.body), "offered|accepted"))
		return rc == ERR_NOT_FOUND ? 0 : rc;
	rc = error_set(c->err, ERR_HANDOFF_OPEN, "conversation_id", "this conversation has an open handoff");
	if (c->err)
		snprintf(c->err->state, sizeof(c->err->state), "%s", id);
	return rc;
}

static int load(struct desk *d, const struct call *c, const struct request *q, struct conversation *out)
{
	int rc;

	if (!q->conversation) {
		*out = q->fresh;
		out->body = body_copy(c->arena, q->fresh.body);
		return out->body ? conversation_check_new(d, c, out) : no_memory(c->err);
	}
	if ((rc = conversation_load(d, c, q->conversation, out)) == ERR_NOT_FOUND)
		return error_set(c->err, rc, "conversation_id", "there is no such conversation");
	if (rc < 0 || (rc = conversation_embed(d, c->arena, out, c->err)) < 0)
		return rc;
	return check_none_open(d, c, out);
}

static int open_one(struct desk *d, const struct call *c, const struct request *q, json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct handoff_built built;
	struct conversation v;
	int rc = load(d, c, q, &v);

	if (rc < 0 || (rc = call_check_match(c, v.revision)) < 0)
		return rc;
	json_t *package = body_copy(c->arena, q->package);
	if (!package)
		return no_memory(c->err);
	if ((rc = handoff_offer(d, c, &v, package, NULL, q->at_given ? q->at : 0, &cs, &built)) < 0)
		return rc;
	JSON_AUTO *res = json_pack("{s:s}", "handoff", built.handoff.id);
	if (!res)
		return no_memory(c->err);
	if ((rc = handoff_commit(d, c, &v, &cs, "handoff.opened", q->at_given ? q->at : 0, 201, res)) < 0)
		return rc;
	*result = json_incref(res);
	return 0;
}

int handoff_act(struct desk *d, const struct call *c, json_t *body, json_t **result)
{
	struct request q = { 0 };
	int rc = read_request(d, c, body, &q);

	if (rc < 0)
		return rc;
	struct retries y = retries_of(d->engine, q.conversation);
	while (retry(&y, rc))
		rc = open_one(d, c, &q, result);
	return rc;
}
