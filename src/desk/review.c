/*
 * review.c: labels that somebody is to look at. A review is made with the case
 * whose label is contested or disputed (case.c), or with a turn that would be
 * answered, or that is clarified for want of confidence (audit.h); it changes in
 * its conversation's stream like all else of it, and is decided once, unless
 * somebody contradicts. The label that is decided becomes that of the case and
 * of its examples, with a vote of its own; of an audit it tells whether the
 * answer would have been right, which is what the threshold is learned from; of
 * a text that nobody has labelled yet it makes an example.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/case.h"
#include "desk/example.h"
#include "desk/query.h"
#include "engine/each.h"

#define MAX_LABEL 256
#define MAX_NOTE 2000
#define EXAMPLES 2 /* of a conversation: the opening and the problem */

struct review {
	struct record record;
	struct conversation conversation;
	json_t *body; /* a copy */
};

/* --- showing ---------------------------------------------------------------------------------------------- */

static int may_see(const struct call *c, const struct record *r)
{
	return rights_see(c->rights, json_object_get(r->body, "acl"));
}

/* What is to be judged: the customer's words. NULL without an example. */
static const char *text_of_example(struct desk *d, const struct call *c, const char *conversation)
{
	const char *id = example_id(c->arena, conversation, 1);
	struct record r;
	struct error e;

	if (!id || engine_get(d->engine, RECORD_EXAMPLE, id, c->arena, &r, &e) < 0)
		return NULL;
	return body_string(r.body, "text");
}

static int has_reason(const json_t *body, const char *reason)
{
	return strcmp(body_string(body, "reason"), reason) == 0;
}

/* Drawn by chance: nobody but the bot has said something. */
static int is_drawn(const json_t *body)
{
	return has_reason(body, "audit") || has_reason(body, "low_confidence");
}

static json_t *review_json(struct desk *d, const struct call *c, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	json_t *j = json_pack("{s:s, s:s}", "id", r->id, "conversation_id", conversation);

	if (!j || json_object_update(j, r->body) < 0 ||
	    (!json_object_get(j, "text") && body_set(j, "text", text_of_example(d, c, conversation)) < 0)) {
		json_decref(j);
		return NULL;
	}
	json_object_del(j, "conversation");
	json_object_del(j, "acl");
	json_object_del(j, "principal");
	json_object_del(j, "seen");
	/* Who judges is not told what to say, nor what examples tell that he may not see. */
	if (is_drawn(r->body) && strcmp(body_string(r->body, "state"), "decided") != 0)
		json_object_del(j, "label");
	return j;
}

static int not_there(const struct call *c, const char *param)
{
	return error_set(c->err, ERR_NOT_FOUND, param, "there is no such review");
}

static int find(struct desk *d, const struct call *c, const char *id, struct record *out)
{
	int rc = engine_find(d->engine, RECORD_REVIEW, id, c->arena, out, c->err);

	if (rc == 0 || (rc > 0 && !may_see(c, out)))
		return not_there(c, NULL);
	return rc < 0 ? rc : 0;
}

int review_get(struct desk *d, const struct call *c, const char *id, json_t **out)
{
	struct record r;
	int rc = find(d, c, id, &r);

	if (rc < 0)
		return rc;
	*out = review_json(d, c, &r);
	return *out ? 0 : no_memory(c->err);
}

/* A page of the list under way. */
struct list {
	struct desk *desk;
	const struct call *call;
	json_t *data;
	size_t limit;
	int more; /* there are others that the caller may see */
};

/* 1: there is one more than the page has room for. */
static int add_to_list(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct list *l = arg;

	(void)a;
	if (!may_see(l->call, r))
		return 0;
	l->more = json_array_size(l->data) == l->limit;
	if (l->more)
		return 1;
	return json_array_append_new(l->data, review_json(l->desk, l->call, r)) < 0 ? no_memory(e) : 0;
}

int review_list(struct desk *d, const struct call *c, struct text state, struct text after, size_t limit,
		json_t **out)
{
	struct scan s = { .kind = RECORD_REVIEW };
	JSON_AUTO *data = json_array();
	struct list list = { .desk = d, .call = c, .data = data, .limit = limit };
	int rc = data ? 0 : no_memory(c->err);

	if (rc == 0 && state.s) {
		s.field[0] = "state";
		s.value[0] = text_copy(c->arena, state);
		rc = s.value[0] ? 0 : no_memory(c->err);
	}
	if (rc == 0 && after.s) {
		const char *id = text_copy(c->arena, after);
		struct record last;
		rc = id ? find(d, c, id, &last) : no_memory(c->err);
		if (rc == ERR_NOT_FOUND)
			return not_there(c, "after");
		s.after = rc == 0 ? last.created : 0;
		s.after_id = rc == 0 ? last.id : NULL;
	}
	if (rc < 0 || (rc = engine_each(d->engine, &s, add_to_list, &list, c->err)) < 0)
		return rc;
	const json_t *last = json_array_get(data, json_array_size(data) - 1);
	*out = json_pack("{s:s, s:O, s:b, s:s?}", "object", "list", "data", data, "has_more", list.more,
			 "last_id", json_string_value(json_object_get(last, "id")));
	return *out ? 0 : no_memory(c->err);
}

/* --- acts ------------------------------------------------------------------------------------------------- */

static int load(struct desk *d, const struct call *c, const char *id, struct review *out)
{
	int rc = find(d, c, id, &out->record);

	if (rc == 0)
		rc = conversation_load(d, c, body_string(out->record.body, "conversation"),
				       &out->conversation);
	if (rc == ERR_NOT_FOUND)
		return not_there(c, NULL);
	if (rc < 0)
		return rc;
	/* The conversation was read first by name and counts: its revision is what the event expects. */
	if ((rc = find(d, c, id, &out->record)) < 0)
		return rc;
	out->body = body_copy(c->arena, out->record.body);
	if (!out->body)
		return no_memory(c->err);
	if (strcmp(body_string(out->body, "state"), "decided") != 0)
		return 0;
	rc = error_set(c->err, ERR_WRONG_STATE, NULL, "this review was decided already");
	if (c->err)
		snprintf(c->err->state, sizeof(c->err->state), "decided");
	return rc;
}

static int commit(struct desk *d, const struct call *c, struct review *r, struct changes *cs,
		  const char *kind, json_t **result)
{
	struct commit done;
	JSON_AUTO *res = json_pack("{s:s}", "review", r->record.id);
	int rc = res ? 0 : no_memory(c->err);

	changes_put(cs, RECORD_REVIEW, r->record.id, r->record.subject, r->body);
	if (rc == 0)
		rc = conversation_changes(&r->conversation, cs, c->err);
	if (rc == 0)
		rc = conversation_commit(d, c, &r->conversation, cs, kind, 0, 200, res, &done);
	if (rc == 0)
		*result = json_incref(res);
	return rc;
}

static int assign(struct desk *d, const struct call *c, const char *id, struct text to, json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct review r;
	int rc = load(d, c, id, &r);

	if (rc < 0)
		return rc;
	if (body_set_text(r.body, "assigned_to", to) < 0 || body_set(r.body, "state", "assigned") < 0)
		return no_memory(c->err);
	return commit(d, c, &r, &cs, "review.assigned", result);
}

int review_assign_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result)
{
	struct retries y = retries_of(d->engine, id);
	struct text to = { 0 };
	struct reader r;

	reader_init(&r, body, NULL, c->err);
	reader_string(&r, "agent", REQUIRED, 512, &to);
	int rc = reader_done(&r);
	if (rc < 0)
		return rc;
	while (retry(&y, rc))
		rc = assign(d, c, id, to, result);
	return rc;
}

struct verdict {
	struct text label, note;
};

/* A decision under way. */
struct deciding {
	struct desk *desk;
	const struct call *call;
	const struct verdict *verdict;
	struct changes *cs;
	struct review review;
	int64_t at;
	int votes;    /* that the review has, with those of this decision */
	int labelled; /* records that were there and have the label now */
};

/* The record with the label that was decided; its words and vectors stay. */
static int relabel(const struct deciding *x, const struct record *r, const char *field,
		   const json_t *old_tags)
{
	const struct call *c = x->call;
	json_t *body = body_copy(c->arena, r->body);
	struct entry *en = arena_alloc(c->arena, sizeof(*en));
	struct tags tags = { .arena = c->arena };
	int example = r->kind == RECORD_EXAMPLE;

	if (!body || !en || body_set_text(body, field, x->verdict->label) < 0 ||
	    (example && body_set(body, "origin", "qa") < 0) ||
	    (example && body_set_bool(body, "backed", 1) < 0))
		return no_memory(c->err);
	json_object_del(body, "contested");
	tags_string(&tags, field, body_string(body, field));
	tags_string(&tags, example ? "origin" : "outcome", body_string(body, example ? "origin" : "outcome"));
	if (!example)
		tags_string(&tags, "queue", body_string(body, "queue"));
	tags_object(&tags, old_tags);
	if (tags.failed)
		return no_memory(c->err);
	*en = (struct entry){
		.acl = json_object_get(body, "acl"), .tags = tags.list, .n_tags = tags.n, .keep_rows = 1
	};
	struct change *put = changes_put(x->cs, r->kind, r->id, r->subject, body);
	put->entry = en;
	if (r->text.s)
		put->text = r->text;
	return 0;
}

static const char *vote_id(const struct deciding *x, int n)
{
	return arena_printf(x->call->arena, "%s/vote/%d", x->review.record.id, n);
}

/* Votes are added, never overwritten: a review that came up again has some. */
static int count_votes(struct deciding *x)
{
	const struct call *c = x->call;
	struct record r;
	int rc;

	do {
		const char *id = vote_id(x, x->votes + 1);
		rc = id ? engine_find(x->desk->engine, RECORD_VOTE, id, c->arena, &r, c->err)
			: no_memory(c->err);
		x->votes += rc > 0;
	} while (rc > 0);
	return rc;
}

/* `example` NULL: there is none. */
static struct example decided_example(const struct deciding *x, const char *example)
{
	return (struct example){
		.id = example,
		.conversation = x->review.conversation.id,
		.subject = x->review.record.subject,
		.text = body_text(x->review.body, "text"),
		.label = x->verdict->label,
		.origin = "qa",
		.principal = x->call->rights->key,
		.agent = x->call->rights->agent,
		.at = x->at,
		.acl = json_object_get(x->review.body, "acl"),
		.backed = 1,
	};
}

static void add_vote(struct deciding *x, const char *example)
{
	const struct example vote = decided_example(x, example);

	vote_put(x->cs, vote_id(x, ++x->votes), &vote);
}

/* Nothing for a record that is not there. */
static int relabel_one(struct deciding *x, enum record_kind kind, const char *id)
{
	const struct call *c = x->call;
	struct record r;
	int rc = id ? engine_find(x->desk->engine, kind, id, c->arena, &r, c->err) : no_memory(c->err);

	if (rc <= 0)
		return rc;
	x->labelled++;
	if (kind == RECORD_CASE)
		return relabel(x, &r, "intent", json_object_get(x->review.conversation.body, "attributes"));
	add_vote(x, id);
	return relabel(x, &r, "label", NULL);
}

/* Uncertainty sampling: what the bot was unsure of, and nobody has resolved yet, teaches it. */
static int make_example(struct deciding *x)
{
	const struct call *c = x->call;
	struct example made = decided_example(x, example_id(c->arena, x->review.conversation.id, 1));
	int rc = desk_embed(x->desk, c->arena, &made.text, 1, &made.vector, c->err);

	if (rc < 0)
		return rc;
	example_put(x->cs, &made);
	add_vote(x, made.id);
	return 0;
}

static int label_all(struct deciding *x)
{
	struct arena *a = x->call->arena;
	const char *conversation = x->review.conversation.id;
	int rc = count_votes(x), before = x->votes;

	if (rc == 0)
		rc = relabel_one(x, RECORD_CASE, case_id(a, conversation));
	for (int n = 1; rc == 0 && n <= EXAMPLES; n++)
		rc = relabel_one(x, RECORD_EXAMPLE, example_id(a, conversation, n));
	if (rc == 0 && x->labelled == 0 && has_reason(x->review.body, "low_confidence"))
		rc = make_example(x);
	if (rc == 0 && x->votes == before)
		add_vote(x, NULL);
	return rc;
}

static int decide_once(struct desk *d, const struct call *c, const char *id, const struct verdict *v,
		       json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct deciding x = { .desk = d, .call = c, .verdict = v, .cs = &cs, .at = clock_wall_ms() };
	json_t *body;
	int rc = load(d, c, id, &x.review);

	if (rc < 0 || (rc = label_all(&x)) < 0)
		return rc;
	body = x.review.body;
	if (has_reason(body, "audit") &&
	    body_set_bool(body, "right", text_is(v->label, body_string(body, "label"))) < 0)
		return no_memory(c->err);
	if (body_set(body, "state", "decided") < 0 || body_set_text(body, "decision", v->label) < 0 ||
	    body_set_text(body, "note", v->note) < 0 || body_set(body, "decided_by", c->rights->agent) < 0 ||
	    body_set_time(body, "decided_at", x.at) < 0)
		return no_memory(c->err);
	return commit(d, c, &x.review, &cs, "review.decided", result);
}

int review_decide_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result)
{
	struct retries y = retries_of(d->engine, id);
	struct verdict v = { 0 };
	struct reader r;

	reader_init(&r, body, NULL, c->err);
	reader_string(&r, "label", REQUIRED, MAX_LABEL, &v.label);
	reader_text(&r, "note", OPTIONAL, MAX_NOTE, &v.note);
	int rc = reader_done(&r);
	if (rc < 0)
		return rc;
	while (retry(&y, rc))
		rc = decide_once(d, c, id, &v, result);
	return rc;
}

int review_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	return review_get(d, c, body_string(result, "review"), out);
}
