#include "desk/audit.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/case.h"
#include "desk/draw.h"
#include "desk/example.h"
#include "desk/predict.h"

static json_t *body_of(struct desk *d, const struct call *c, const struct conversation *v, const char *reason,
		       const struct predicted *p)
{
	json_t *body = body_new(c->arena);
	struct text text = conversation_opening(c->arena, v);
	const json_t *acl = json_object_get(v->body, "acl");

	if (!body || !text.s || body_set(body, "conversation", v->id) < 0 ||
	    body_set(body, "state", "open") < 0 || body_set(body, "reason", reason) < 0 ||
	    body_set(body, "label", p->label) < 0 || body_set_text(body, "text", text) < 0 ||
	    body_set_take(body, "propensity", json_real(d->audit_share)) < 0 ||
	    body_set_take(body, "seen", seen_json(&p->seen)) < 0 ||
	    body_set_time(body, "at", clock_wall_ms()) < 0 ||
	    (acl && !json_is_null(acl) && body_set_copy(body, "acl", acl) < 0))
		return NULL;
	return body;
}

/* 1, 0 or an error. `id` NULL: there was no memory for it. */
static int is_there(struct desk *d, const struct call *c, enum record_kind kind, const char *id)
{
	return id ? engine_has(d->engine, kind, id, c->arena, c->err) : no_memory(c->err);
}

static const char *audit_id(struct arena *a, const char *conversation)
{
	return arena_printf(a, "%s/audit", conversation);
}

/* 1 if the conversation is drawn and was not before, 0 or an error. */
static int audit_is_due(struct desk *d, const struct call *c, const char *conversation)
{
	int rc;

	if (draw(d, "audit", conversation) >= d->audit_share)
		return 0;
	rc = is_there(d, c, RECORD_REVIEW, audit_id(c->arena, conversation));
	return rc < 0 ? rc : !rc;
}

/* The same, of a conversation that nobody has looked at or labelled. */
static int question_is_due(struct desk *d, const struct call *c, const char *conversation)
{
	int rc;

	if (draw(d, "low_confidence", conversation) >= d->audit_share)
		return 0;
	rc = is_there(d, c, RECORD_REVIEW, audit_id(c->arena, conversation));
	if (rc == 0)
		rc = is_there(d, c, RECORD_REVIEW, review_id(c->arena, conversation));
	if (rc == 0)
		rc = is_there(d, c, RECORD_EXAMPLE, example_id(c->arena, conversation, 1));
	return rc < 0 ? rc : !rc;
}

int audit_draw(struct desk *d, const struct call *c, const struct conversation *v, struct changes *cs)
{
	const struct turn *last = v->n_turns ? &v->turns[v->n_turns - 1] : NULL;
	struct predicted p;
	int audit, question, rc;

	if (!last || !turn_is(last, "customer") || !(d->audit_share > 0))
		return 0;
	if ((audit = audit_is_due(d, c, v->id)) < 0 || (question = question_is_due(d, c, v->id)) < 0)
		return audit < 0 ? audit : question;
	if (!audit && !question)
		return 0;
	if ((rc = predict_sample(d, c, v, &p)) < 0)
		return rc;
	if (audit && p.answered)
		changes_put(cs, RECORD_REVIEW, audit_id(c->arena, v->id), v->subject,
			    body_of(d, c, v, "audit", &p));
	else if (question && p.unsure)
		changes_put(cs, RECORD_REVIEW, review_id(c->arena, v->id), v->subject,
			    body_of(d, c, v, "low_confidence", &p));
	return changes_done(cs, c->err);
}
