#include "desk/audit.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "desk/predict.h"

const char *audit_id(struct arena *a, const char *conversation)
{
	return arena_printf(a, "%s/audit", conversation);
}

/* Uniform in [0, 1), the same for the same conversation. */
static double draw_of(const struct desk *d, const char *conversation)
{
	unsigned char hash[SHA256_SIZE];
	uint64_t x;

	crypto_hmac(d->secret, conversation, strlen(conversation), hash);
	memcpy(&x, hash, sizeof(x));
	return (double)(x >> 11) / (double)(1ull << 53);
}

static int is_audited(struct desk *d, const struct call *c, const char *id)
{
	struct record r;
	struct error why = { 0 };
	int rc = engine_get(d->engine, RECORD_REVIEW, id, c->arena, &r, &why);

	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0 && c->err)
		*c->err = why;
	return rc < 0 ? rc : 1;
}

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
	const char *id, *label = NULL;
	struct seen seen;
	int rc;

	if (!(d->audit_share > 0) || draw_of(d, v->id) >= d->audit_share)
		return 0;
	if (!(id = audit_id(c->arena, v->id)))
		return no_memory(c->err);
	if ((rc = is_audited(d, c, id)) != 0)
		return rc < 0 ? rc : 0;
	if ((rc = predict_answer(d, c, v, &label, &seen)) < 0 || !label)
		return rc;
	changes_put(cs, RECORD_REVIEW, id, v->subject, body_of(d, c, v, label, &seen));
	return 0;
}
