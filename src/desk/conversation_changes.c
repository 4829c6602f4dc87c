#include "desk/conversation.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/utf8.h"

/* Words of a conversation that are indexed; it can be found by what was said up to there. */
#define INDEXED_BYTES ((size_t)1 << 20)

/* The customer's turns as one text with a row for each. */
struct spoken {
	char *s;
	size_t n, n_rows;
	struct entry_row *rows;
};

static int speak(struct arena *a, const struct conversation *v, struct spoken *out)
{
	size_t total = 0, turns = conversation_count(v, "customer");
	struct spoken sp = { 0 };

	for (size_t i = 0; i < v->n_turns; i++)
		total += turn_is(&v->turns[i], "customer") ? v->turns[i].text.n + 1 : 0;
	sp.s = arena_alloc(a, total + 1);
	sp.rows = arena_alloc(a, (turns + 1) * sizeof(*sp.rows));
	if (!sp.s || !sp.rows)
		return -1;
	for (size_t i = 0; i < v->n_turns; i++) {
		const struct turn *t = &v->turns[i];
		if (!turn_is(t, "customer"))
			continue;
		if (sp.n_rows > 0)
			sp.s[sp.n++] = '\n';
		sp.rows[sp.n_rows++] = (struct entry_row){ .field = ROW_TURN,
							   .n = t->n,
							   .start = sp.n,
							   .end = sp.n + t->text.n,
							   .vector = t->vector };
		memcpy(sp.s + sp.n, t->text.s, t->text.n);
		sp.n += t->text.n;
	}
	*out = sp;
	return 0;
}

/* Its tags and ACL, and with `whole` what it is found by. NULL without memory. */
static const struct entry *entry_of(struct arena *a, const struct conversation *v, int whole)
{
	struct entry *en = arena_alloc(a, sizeof(*en));
	struct tags tags = { .arena = a };
	struct spoken sp = { 0 };

	tags_string(&tags, "queue", body_string(v->body, "queue"));
	tags_string(&tags, "channel", body_string(v->body, "channel"));
	tags_string(&tags, "state", body_string(v->body, "state"));
	tags_string(&tags, "customer", body_string(v->body, "customer"));
	tags_object(&tags, json_object_get(v->body, "attributes"));
	if (!en || tags.failed || (whole && speak(a, v, &sp) < 0))
		return NULL;
	*en = (struct entry){ .acl = json_object_get(v->body, "acl"), .tags = tags.list, .n_tags = tags.n };
	en->keep_rows = !whole;
	if (whole) {
		en->text.s = sp.s;
		en->text.n = utf8_floor(sp.s, sp.n, sp.n < INDEXED_BYTES ? sp.n : INDEXED_BYTES);
		en->rows = sp.rows;
		en->n_rows = sp.n_rows;
	}
	return en;
}

static json_t *turn_body(struct arena *a, const struct conversation *v, const struct turn *t)
{
	json_t *b = body_new(a);

	if (!b || body_set(b, "conversation", v->id) < 0 || body_set_int(b, "n", t->n) < 0 ||
	    body_set(b, "role", t->role) < 0 || body_set_text(b, "text", t->text) < 0 ||
	    body_set_time(b, "at", t->at) < 0 || body_set(b, "id", t->id) < 0 ||
	    body_set(b, "author", t->author) < 0)
		return NULL;
	return b;
}

int conversation_changes(const struct conversation *v, struct changes *cs, struct error *e)
{
	int whole = v->fresh;

	for (size_t i = 0; i < v->n_turns; i++)
		whole |= v->turns[i].fresh;
	struct change *put = changes_put(cs, RECORD_CONVERSATION, v->id, v->subject, v->body);
	put->entry = entry_of(cs->arena, v, whole);
	if (!put->entry)
		return no_memory(e);
	for (size_t i = 0; i < v->n_turns; i++)
		if (v->turns[i].fresh)
			changes_put(cs, RECORD_TURN, turn_id(cs->arena, v->id, v->turns[i].n), v->subject,
				    turn_body(cs->arena, v, &v->turns[i]));
	return changes_done(cs, e);
}

int conversation_commit(struct desk *d, const struct call *c, const struct conversation *v,
			const struct changes *cs, const char *kind, int64_t at, int status,
			const json_t *result, struct commit *out)
{
	struct event ev = { .stream = v->stream,
			    .expect = v->revision,
			    .kind = kind,
			    .at = at,
			    .changes = cs->list,
			    .n = cs->n };
	int rc = changes_done(cs, c->err);

	return rc < 0 ? rc : call_commit(c, d->engine, &ev, status, result, out);
}

static json_t *turn_json(const struct turn *t)
{
	json_t *j = json_object();

	if (!j || body_set_int(j, "n", t->n) < 0 || body_set(j, "id", t->id) < 0 ||
	    body_set(j, "role", t->role) < 0 || body_set_text(j, "text", t->text) < 0 ||
	    body_set_time(j, "at", t->at) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* The field of a body, or null, or `otherwise` (taken) when given. */
static int show_field(json_t *out, const json_t *body, const char *from, const char *name, json_t *otherwise)
{
	json_t *value = json_object_get(body, from);

	if (!value)
		return body_set_take(out, name, otherwise ? otherwise : json_null());
	json_decref(otherwise);
	return body_set_copy(out, name, value);
}

static int show_customer(json_t *out, const json_t *body)
{
	if (!json_object_get(body, "customer"))
		return body_set_take(out, "customer", json_null());
	json_t *j = json_object();
	if (!j || show_field(j, body, "customer", "id", NULL) < 0 ||
	    show_field(j, body, "customer_name", "name", NULL) < 0 ||
	    show_field(j, body, "customer_verified", "verified", NULL) < 0) {
		json_decref(j);
		return -1;
	}
	return body_set_take(out, "customer", j);
}

json_t *conversation_head_json(const char *id, int64_t revision, const json_t *body)
{
	json_t *j = json_object();

	if (!j || body_set(j, "id", id) < 0 || show_field(j, body, "channel", "channel", NULL) < 0 ||
	    show_field(j, body, "queue", "queue", NULL) < 0 || show_customer(j, body) < 0 ||
	    show_field(j, body, "acl", "acl", NULL) < 0 ||
	    show_field(j, body, "attributes", "attributes", json_object()) < 0 ||
	    show_field(j, body, "state", "state", NULL) < 0 ||
	    show_field(j, body, "started_at", "started_at", NULL) < 0 ||
	    show_field(j, body, "handoff", "handoff", NULL) < 0 ||
	    show_field(j, body, "handoffs", "handoffs", json_array()) < 0 ||
	    body_set_int(j, "turn_count", body_int(body, "turns")) < 0 ||
	    body_set_int(j, "revision", revision) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

json_t *conversation_json(const struct conversation *v)
{
	json_t *j = conversation_head_json(v->id, v->revision, v->body), *turns = json_array();
	int bad = !j || !turns;

	for (size_t i = 0; i < v->n_turns && !bad; i++)
		bad = json_array_append_new(turns, turn_json(&v->turns[i])) < 0;
	if (bad) {
		json_decref(j);
		json_decref(turns);
		return NULL;
	}
	if (body_set_take(j, "turns", turns) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}
