#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/evidence.h"
#include "desk/handoff.h"
#include "desk/package.h"

#define MAX_USED 100

struct resolution {
	struct text outcome, intent, text, problem, disposition;
	const char *agent;                    /* who resolved */
	json_t *steps, *used;                 /* NULL: none */
	int bot_was_right, escalation_needed; /* -1: not said */
	int64_t csat;                         /* 0: not said */
	int64_t at;
	int at_given;
};

static int read_resolution(const struct call *c, const struct resolution_input *in, struct resolution *out)
{
	struct resolution q = { .bot_was_right = -1, .escalation_needed = -1 };
	struct text agent = { 0 };
	struct reader r;
	int rc;

	reader_init(&r, in->body, in->path, c->err);
	reader_string(&r, "agent", OPTIONAL, 512, &agent);
	reader_word(&r, "outcome", REQUIRED, "resolved|unresolved|transferred|abandoned", &q.outcome);
	reader_string(&r, "intent", REQUIRED, 256, &q.intent);
	reader_string(&r, "text", REQUIRED, TURN_MAX_TEXT, &q.text);
	reader_string(&r, "problem", OPTIONAL, 16384, &q.problem);
	reader_strings(&r, "steps", OPTIONAL, PACKAGE_MAX_LIST, PACKAGE_MAX_TEXT, &q.steps);
	reader_strings(&r, "evidence_used", OPTIONAL, MAX_USED, 512, &q.used);
	reader_bool(&r, "bot_was_right", OPTIONAL, &q.bot_was_right);
	reader_bool(&r, "escalation_needed", OPTIONAL, &q.escalation_needed);
	reader_text(&r, "disposition", OPTIONAL, 256, &q.disposition);
	reader_int(&r, "csat", OPTIONAL, 1, 5, &q.csat);
	read_at(c, &r, &q.at, &q.at_given);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	if (!in->imported && (rc = call_check_agent(c, agent)) < 0)
		return rc;
	q.agent = in->imported && agent.s ? text_copy(c->arena, agent) : c->rights->agent;
	*out = q;
	return in->imported && agent.s && !q.agent ? no_memory(c->err) : 0;
}

static int is(const struct resolution *q, const char *outcome)
{
	return text_is(q->outcome, outcome);
}

/* May a handoff in this state have this resolution? See DESIGN, "states". */
static int check_state(struct desk *d, const struct call *c, const struct resolution_input *in,
		       const struct resolution *q)
{
	const char *state = in->handoff ? handoff_state(in->handoff->body) : "accepted";
	int rc;

	if (in->imported)
		return 0;
	if (!state_in(state, "offered|accepted|resolved|abandoned") ||
	    (strcmp(state, "offered") == 0 && is(q, "abandoned")))
		return wrong_state(c, state, is(q, "abandoned") ? "abandoned" : "resolved");
	if (strcmp(state, "offered") != 0 || !d->readback_required)
		return 0;
	rc = error_set(c->err, ERR_READBACK_REQUIRED, NULL, "read the handoff back before it is resolved");
	if (c->err)
		snprintf(c->err->state, sizeof(c->err->state), "%s", state);
	return rc;
}

/* An item of the evidence with this id; NULL if there is none. */
static const json_t *item_of(const struct record *evidence, const char *id)
{
	const json_t *items = evidence ? json_object_get(evidence->body, "items") : NULL;

	for (size_t i = 0; i < json_array_size(items); i++)
		if (strcmp(body_string(json_array_get(items, i), "id"), id) == 0)
			return json_array_get(items, i);
	return NULL;
}

/* 1 if the caller may have used this: he can see it, or could last, or it is of the evidence; else 0. */
static int may_use(struct desk *d, const struct call *c, const struct record *evidence, const char *id)
{
	const json_t *item = item_of(evidence, id), *acl = NULL;
	int rc = source_acl(d, c, "document", id, &acl);

	if (rc != 0)
		return rc < 0 ? rc : rights_see(c->rights, acl);
	return item ? source_visible(d, c, body_string(item, "kind"), id, json_object_get(item, "acl")) : 0;
}

static int check_used(struct desk *d, const struct call *c, const struct resolution_input *in,
		      const struct resolution *q)
{
	char path[160];

	for (size_t i = 0; i < json_array_size(q->used) && !in->imported; i++) {
		int rc = may_use(d, c, in->evidence, json_string_value(json_array_get(q->used, i)));
		if (rc == 1)
			continue;
		if (rc < 0)
			return rc;
		snprintf(path, sizeof(path), "%s%sevidence_used[%zu]", in->path ? in->path : "",
			 in->path ? "." : "", i);
		return error_set(c->err, ERR_BAD_VALUE, path, "%s: there is no such document", path);
	}
	return 0;
}

static int narrow(const struct call *c, const json_t **acl, const json_t *by)
{
	*acl = json_keep(c->arena, acl_intersect(*acl, by));
	return *acl ? 0 : no_memory(c->err);
}

/* Narrows by a source's present ACL; what is not known does not narrow. */
static int narrow_by_source(struct desk *d, const struct call *c, const char *kind, const char *id,
			    const json_t **acl)
{
	const json_t *own = NULL;
	int rc = source_acl(d, c, kind, id, &own);

	return rc == 1 ? narrow(c, acl, own) : rc;
}

/*
 * Who may see all that was used: whatever stood under an id, as evidence then,
 * or as a document now.
 */
static int used_acl(struct desk *d, const struct call *c, const struct resolution_input *in,
		    const struct resolution *q, const json_t **out)
{
	const json_t *items = in->evidence ? json_object_get(in->evidence->body, "items") : NULL, *acl = NULL;
	int rc;

	for (size_t i = 0; i < json_array_size(q->used); i++) {
		const char *id = json_string_value(json_array_get(q->used, i));
		if ((rc = narrow_by_source(d, c, "document", id, &acl)) < 0)
			return rc;
		for (size_t j = 0; j < json_array_size(items); j++) {
			const json_t *item = json_array_get(items, j);
			const char *kind = body_string(item, "kind");
			if (strcmp(body_string(item, "id"), id) != 0)
				continue;
			if ((rc = narrow(c, &acl, json_object_get(item, "acl"))) < 0 ||
			    (strcmp(kind, "document") != 0 &&
			     (rc = narrow_by_source(d, c, kind, id, &acl)) < 0))
				return rc;
		}
	}
	*out = acl;
	return 0;
}

static int is_used(const struct resolution *q, const char *id)
{
	for (size_t i = 0; i < json_array_size(q->used); i++)
		if (strcmp(json_string_value(json_array_get(q->used, i)), id) == 0)
			return 1;
	return 0;
}

/* Documents that were shown, then those that were used beside them. */
static int list_documents(const struct call *c, const struct resolution_input *in, const struct resolution *q,
			  struct case_document **out, size_t *n)
{
	const json_t *items = in->evidence ? json_object_get(in->evidence->body, "items") : NULL;
	struct case_document *list = arena_alloc(
		c->arena, (json_array_size(items) + json_array_size(q->used) + 1) * sizeof(*list));
	size_t have = 0;

	if (!list)
		return no_memory(c->err);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *id = body_string(item, "id");
		if (strcmp(body_string(item, "kind"), "document") != 0)
			continue;
		list[have] = (struct case_document){ .id = id, .used = is_used(q, id) };
		list[have].shown_rank = (int)have + 1;
		have++;
	}
	for (size_t i = 0; i < json_array_size(q->used); i++) {
		const char *id = json_string_value(json_array_get(q->used, i));
		const json_t *item = item_of(in->evidence, id);
		size_t j = 0;
		while (j < have && strcmp(list[j].id, id) != 0)
			j++;
		if (j == have && (!item || strcmp(body_string(item, "kind"), "document") == 0))
			list[have++] = (struct case_document){ .id = id, .used = 1 };
	}
	*out = list;
	*n = have;
	return 0;
}

static int make_case(struct desk *d, const struct call *c, const struct conversation *v,
		     const struct resolution_input *in, const struct resolution *q, const char *id,
		     struct changes *cs, struct case_made *made)
{
	struct case_document *documents = NULL;
	const json_t *acl = NULL;
	size_t n = 0;
	int rc = list_documents(c, in, q, &documents, &n);

	if (rc < 0 || (rc = used_acl(d, c, in, q, &acl)) < 0)
		return rc;
	struct case_input ci = {
		.conversation = v,
		.handoff = in->handoff ? in->handoff->id : NULL,
		.resolution = id,
		.intent = q->intent,
		.problem = q->problem,
		.text = q->text,
		.steps = q->steps,
		.outcome = text_copy(c->arena, q->outcome),
		.at = q->at,
		.origin = in->imported ? "import" : "agent",
		.principal = c->rights->key,
		.agent = q->agent,
		.backed = in->imported,
		.decided = rights_scope(c->rights, SCOPE_CURATOR) && !in->imported,
		.acl = acl,
		.documents = documents,
		.n_documents = n,
	};
	return ci.outcome ? case_changes(d, c->arena, &ci, cs, made, c->err) : no_memory(c->err);
}

/*
 * The package for whom it is transferred to: as it was, with the resolution
 * as reason, its label as intent and its steps as tried.
 */
static json_t *transfer_package(const struct call *c, const struct record *handoff,
				const struct resolution *q)
{
	json_t *p = body_copy(c->arena, json_object_get(handoff->body, "package"));
	json_t *steps = p ? json_object_get(json_object_get(p, "steps_tried"), "value") : NULL;
	json_t *intent = json_pack("{s:s%, s:f}", "label", q->intent.s, q->intent.n, "confidence", 1.0);

	if (!p || package_set(p, "intent", json_incref(intent), "inferred", 1) < 0 ||
	    package_set(p, "reason", json_stringn(q->text.s, q->text.n), "inferred", 1) < 0) {
		json_decref(intent);
		return NULL;
	}
	json_decref(intent);
	for (size_t i = 0; i < json_array_size(q->steps) && json_array_size(steps) < PACKAGE_MAX_LIST; i++)
		if (json_array_append_new(steps, json_pack("{s:O, s:s}", "action",
							   json_array_get(q->steps, i), "outcome", "done")) <
		    0)
			return NULL;
	return p;
}

/* A new offered handoff, once. */
static int transfer(struct desk *d, const struct call *c, struct conversation *v,
		    const struct resolution_input *in, const struct resolution *q, struct changes *cs,
		    const char **next)
{
	const char *open = body_string(v->body, "handoff"), *before = body_string(in->handoff->body, "next");
	struct handoff_built built;
	int rc;

	if (*before) {
		*next = before;
		return 0;
	}
	if (*open && strcmp(open, in->handoff->id) != 0) {
		rc = error_set(c->err, ERR_HANDOFF_OPEN, NULL, "this conversation has another open handoff");
		if (c->err)
			snprintf(c->err->state, sizeof(c->err->state), "%s", open);
		return rc;
	}
	json_t *package = transfer_package(c, in->handoff, q);
	if (!package)
		return no_memory(c->err);
	if ((rc = handoff_offer(d, c, v, package, in->handoff->id, q->at_given ? q->at : 0, cs, &built)) < 0)
		return rc;
	*next = built.handoff.id;
	return 0;
}

static json_t *resolution_body(const struct call *c, const struct conversation *v,
			       const struct resolution_input *in, const struct resolution *q,
			       const struct resolution_built *built)
{
	json_t *b = body_new(c->arena);
	const json_t *h = in->handoff ? in->handoff->body : NULL;

	if (!b || body_set(b, "handoff", in->handoff ? in->handoff->id : NULL) < 0 ||
	    body_set(b, "conversation", v->id) < 0 || body_set_text(b, "outcome", q->outcome) < 0 ||
	    body_set_text(b, "intent", q->intent) < 0 || body_set_text(b, "text", q->text) < 0 ||
	    body_set_text(b, "problem", q->problem) < 0 || body_set_copy(b, "steps", q->steps) < 0 ||
	    body_set_copy(b, "evidence_used", q->used) < 0 ||
	    body_set_text(b, "disposition", q->disposition) < 0 ||
	    (q->bot_was_right >= 0 && body_set_bool(b, "bot_was_right", q->bot_was_right) < 0) ||
	    (q->escalation_needed >= 0 && body_set_bool(b, "escalation_needed", q->escalation_needed) < 0) ||
	    (q->csat && body_set_int(b, "csat", q->csat) < 0) ||
	    body_set(b, "supersedes", body_string(h, "resolution")) < 0 ||
	    body_set_copy(b, "expected", built->made.expected) < 0 ||
	    body_set(b, "case", built->made.case_id) < 0 || body_set(b, "next", built->next) < 0 ||
	    body_set_bool(b, "read_back", body_bool(h, "read_back")) < 0 ||
	    body_set_int(b, "examples", (int64_t)built->made.examples) < 0 ||
	    body_set_int(b, "labels", (int64_t)built->made.labels) < 0 || body_set_time(b, "at", q->at) < 0 ||
	    body_set(b, "principal", c->rights->key) < 0 || body_set(b, "agent", q->agent) < 0)
		return NULL;
	return b;
}

static json_t *resolved_handoff(const struct call *c, const struct resolution_input *in,
				const struct resolution_built *built)
{
	json_t *b = body_copy(c->arena, in->handoff->body);
	json_t *list = json_object_get(b, "resolutions");

	if (b && !list && body_set_take(b, "resolutions", list = json_array()) < 0)
		return NULL;
	if (!b || json_array_append_new(list, json_string(built->resolution)) < 0 ||
	    body_set(b, "state", built->state) < 0 || body_set(b, "resolution", built->resolution) < 0 ||
	    (built->next && body_set(b, "next", built->next) < 0))
		return NULL;
	return b;
}

/* An import opens the handoff in the same event: then that change is made another. */
static void put_handoff(struct changes *cs, const char *id, const char *subject, json_t *body)
{
	for (size_t i = 0; i < cs->n; i++)
		if (cs->list[i].kind == RECORD_HANDOFF && strcmp(cs->list[i].id, id) == 0) {
			cs->list[i].body = body;
			cs->failed |= !body;
			return;
		}
	changes_put(cs, RECORD_HANDOFF, id, subject, body);
}

int resolution_build(struct desk *d, const struct call *c, struct conversation *v,
		     const struct resolution_input *in, struct changes *cs, struct resolution_built *out)
{
	struct resolution_built built = { .resolution = id_make(c->arena, "re_") };
	const char *open = body_string(v->body, "handoff");
	int ours = !*open || !in->handoff || strcmp(open, in->handoff->id) == 0;
	struct resolution q = { 0 };
	int rc = read_resolution(c, in, &q);

	if (rc < 0 || (rc = check_state(d, c, in, &q)) < 0 || (rc = check_used(d, c, in, &q)) < 0)
		return rc;
	if (!built.resolution)
		return no_memory(c->err);
	built.state = is(&q, "abandoned") ? "abandoned" : "resolved";
	if ((rc = make_case(d, c, v, in, &q, built.resolution, cs, &built.made)) < 0)
		return rc;
	if (ours && conversation_set_handoff(v, NULL, built.state, 0) < 0)
		return no_memory(c->err);
	if (is(&q, "transferred") && in->handoff && (rc = transfer(d, c, v, in, &q, cs, &built.next)) < 0)
		return rc;
	changes_put(cs, RECORD_RESOLUTION, built.resolution, v->subject,
		    resolution_body(c, v, in, &q, &built));
	if (in->handoff)
		put_handoff(cs, in->handoff->id, v->subject, resolved_handoff(c, in, &built));
	if ((rc = changes_done(cs, c->err)) < 0)
		return rc;
	*out = built;
	return 0;
}

static int resolve(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct resolution_built built;
	struct record evidence;
	struct handoff h;
	int rc = handoff_load(d, c, id, &h);

	if (rc < 0 || (rc = conversation_embed(d, c->arena, &h.conversation, c->err)) < 0 ||
	    (rc = engine_get(d->engine, RECORD_EVIDENCE, body_string(h.body, "evidence"), c->arena, &evidence,
			     c->err)) < 0)
		return rc;
	struct resolution_input in = { .handoff = &h.record, .evidence = &evidence, .body = body };
	if ((rc = resolution_build(d, c, &h.conversation, &in, &cs, &built)) < 0)
		return rc;
	JSON_AUTO *res = json_pack("{s:s, s:s}", "handoff", id, "resolution", built.resolution);
	if (!res)
		return no_memory(c->err);
	if ((rc = handoff_commit(d, c, &h.conversation, &cs, "handoff.resolved",
				 c->may_set_time ? body_time(body, "at") : 0, 200, res)) < 0)
		return rc;
	*result = json_incref(res);
	return 0;
}

int resolution_act(struct desk *d, const struct call *c, const char *handoff, json_t *body, json_t **result)
{
	struct retries y = retries_of(d->engine, handoff);
	int rc = 0;

	while (retry(&y, rc))
		rc = resolve(d, c, handoff, body, result);
	return rc;
}

int resolution_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	const char *id = body_string(result, "resolution");
	struct record r;
	int rc = handoff_get(d, c, body_string(result, "handoff"), NULL, NULL);

	if (rc < 0 || (rc = engine_get(d->engine, RECORD_RESOLUTION, id, c->arena, &r, c->err)) < 0)
		return rc;
	const char *outcome = body_string(r.body, "outcome"), *made = body_string(r.body, "case");
	const char *next = body_string(r.body, "next"), *before = body_string(r.body, "supersedes");
	json_t *j = json_pack("{s:s, s:s?, s:I, s:I, s:s*, s:s*, s:s, s:s, s:{s:I}}", "state",
			      strcmp(outcome, "abandoned") == 0 ? "abandoned" : "resolved", "case_id",
			      *made ? made : NULL, "examples", (json_int_t)body_int(r.body, "examples"),
			      "labels", (json_int_t)body_int(r.body, "labels"), "next", *next ? next : NULL,
			      "supersedes", *before ? before : NULL, "resolution_id", r.id, "outcome",
			      outcome, "event", "seq", (json_int_t)r.created);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
