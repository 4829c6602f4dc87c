#include "desk/audit.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/draw.h"
#include "desk/predict.h"

static json_t *body_of(struct desk *d, const struct call *c, const struct conversation *v, const char *label,
		       const struct seen *seen)
{
	json_t *body = body_new(c->arena);
	struct text text = conversation_opening(c->arena, v);
	const json_t *acl = json_object_get(v->body, "acl");

	if (!body || !text.s || body_set(body, "conversation", v->id) < 0 ||
	    body_set(body, "state", "open") < 0 || body_set(body, "reason", "audit") < 0 ||
	    body_set(body, "label", label) < 0 || body_set_text(body, "text", text) < 0 ||
	    body_set_take(body, "propensity", json_real(d->audit_share)) < 0 ||
	    body_set_take(body, "seen", seen_json(seen)) < 0 ||
	    body_set_time(body, "at", clock_wall_ms()) < 0 ||
	    (acl && !json_is_null(acl) && body_set_copy(body, "acl", acl) < 0))
		return NULL;
	return body;
}

int audit_draw(struct desk *d, const struct call *c, const struct conversation *v, struct changes *cs)
{
	const struct turn *last = v->n_turns ? &v->turns[v->n_turns - 1] : NULL;
	const char *id, *label = NULL;
	struct record before;
	struct seen seen;
	int rc;

	if (!last || !turn_is(last, "customer") || !(d->audit_share > 0) ||
	    draw(d, "audit", v->id) >= d->audit_share)
		return 0;
	id = arena_printf(c->arena, "%s/audit", v->id);
	if (!id)
		return no_memory(c->err);
	if ((rc = engine_find(d->engine, RECORD_REVIEW, id, c->arena, &before, c->err)) != 0)
		return rc < 0 ? rc : 0;
	if ((rc = predict_answer(d, c, v, &label, &seen)) < 0 || !label)
		return rc;
	changes_put(cs, RECORD_REVIEW, id, v->subject, body_of(d, c, v, label, &seen));
	return changes_done(cs, c->err);
}
