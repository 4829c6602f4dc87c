#include "desk/handoff_build.h"

#include "base/arena.h"
#include "base/clock.h"
#include "desk/brief.h"
#include "desk/evidence.h"
#include "desk/handoff.h"
#include "desk/package.h"

/* The conversation up to a time; all of it for turns without times. */
static struct conversation up_to(const struct conversation *v, int64_t at)
{
	struct conversation part = *v;

	for (size_t i = 0; at && i < v->n_turns; i++)
		if (v->turns[i].at > at) {
			part.n_turns = i;
			break;
		}
	return part;
}

struct offer {
	const struct conversation *conversation; /* as far as it is read */
	json_t *package;
	const char *queue, *id, *evidence, *previous;
	int64_t at;
};

static json_t *handoff_body(const struct call *c, const struct offer *o)
{
	json_t *b = body_new(c->arena);

	if (!b || body_set(b, "conversation", o->conversation->id) < 0 ||
	    body_set(b, "state", "offered") < 0 || body_set(b, "queue", o->queue) < 0 ||
	    body_set_copy(b, "package", o->package) < 0 ||
	    body_set_copy(b, "priority", package_value(o->package, "priority")) < 0 ||
	    body_set(b, "evidence", o->evidence) < 0 || body_set(b, "previous", o->previous) < 0 ||
	    body_set_time(b, "created_at", o->at) < 0 || body_set_bool(b, "read_back", 0) < 0 ||
	    body_set(b, "principal", c->rights->key) < 0 || body_set(b, "agent", c->rights->agent) < 0)
		return NULL;
	return b;
}

static int evidence_body(struct desk *d, const struct call *c, const struct offer *o, json_t **out)
{
	struct evidence_input in = { o->conversation, o->package, o->queue };
	struct evidence_found found;
	json_t *brief = NULL, *b;
	int rc = evidence_find(d, c, &in, &found);

	if (rc < 0 || (rc = evidence_freeze(c, &in, &found, &b)) < 0)
		return rc;
	struct brief_input bi = { o->conversation, o->package, o->queue, &found };
	if ((rc = brief_build(d, c, &bi, &brief)) < 0)
		return rc;
	if (body_set_take(b, "brief", brief) < 0 || body_set(b, "handoff", o->id) < 0 ||
	    body_set_time(b, "created_at", o->at) < 0)
		return no_memory(c->err);
	*out = b;
	return 0;
}

/* Names the new handoff in the conversation's list. */
static int enlist(struct conversation *v, const char *id)
{
	json_t *list = json_object_get(v->body, "handoffs");

	if (!list) {
		list = json_array();
		if (body_set_take(v->body, "handoffs", list) < 0)
			return -1;
	}
	return json_array_append_new(list, json_string(id)) < 0 ||
			       conversation_set_handoff(v, id, "handed_off", 1) < 0
		       ? -1
		       : 0;
}

int handoff_offer(struct desk *d, const struct call *c, struct conversation *v, json_t *package,
		  const char *previous, int64_t at, struct changes *cs, struct handoff_built *out)
{
	struct conversation part = up_to(v, at);
	struct offer o = { .conversation = &part,
			   .package = package,
			   .previous = previous,
			   .id = id_make(c->arena, "ho_"),
			   .evidence = id_make(c->arena, "ev_"),
			   .at = at ? at : clock_wall_ms() };
	json_t *evidence = NULL, *handoff;
	int rc = package_fill(d, c, &part, package);

	if (rc < 0)
		return rc;
	const char *queue = json_string_value(package_value(package, "queue"));
	o.queue = queue ? queue : "";
	if (!o.id || !o.evidence)
		return no_memory(c->err);
	if ((rc = evidence_body(d, c, &o, &evidence)) < 0)
		return rc;
	handoff = handoff_body(c, &o);
	if (!handoff || enlist(v, o.id) < 0)
		return no_memory(c->err);
	changes_put(cs, RECORD_HANDOFF, o.id, v->subject, handoff);
	changes_put(cs, RECORD_EVIDENCE, o.evidence, v->subject, evidence);
	*out = (struct handoff_built){
		.handoff = { .kind = RECORD_HANDOFF, .id = o.id, .subject = v->subject, .body = handoff },
		.evidence = { .kind = RECORD_EVIDENCE,
			      .id = o.evidence,
			      .subject = v->subject,
			      .body = evidence },
	};
	return changes_done(cs, c->err);
}

int handoff_build(struct desk *d, const struct call *c, struct conversation *v, json_t *body,
		  const char *path, struct changes *cs, struct handoff_built *out)
{
	struct reader r;
	int64_t at;
	int given;

	reader_init(&r, body, path, c->err);
	read_at(c, &r, &at, &given);
	json_t *package = package_read(c, &r);
	int rc = reader_done(&r);
	if (rc < 0)
		return rc;
	return handoff_offer(d, c, v, package, NULL, given ? at : 0, cs, out);
}
