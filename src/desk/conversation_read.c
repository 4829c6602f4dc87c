#include "desk/conversation.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/checks.h"

#define MAX_NAME 512
#define MAX_GROUPS 64

/*
 * A bot key writes what the customer and the bot say; an agent's desk relays
 * the customer, too, but says nothing in the bot's name.
 */
int conversation_check_role(const struct rights *r, const char *role, const char *param, struct error *e)
{
	unsigned need = strcmp(role, "agent") == 0 ? SCOPE_AGENT | SCOPE_CURATOR
			: strcmp(role, "bot") == 0 ? SCOPE_BOT | SCOPE_CURATOR
						   : SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR;

	if (rights_scope(r, need | SCOPE_ADMIN))
		return 0;
	return error_set(e, ERR_FORBIDDEN, param, "this key may not write a turn of role %s", role);
}

int turn_read(const struct call *c, struct reader *r, int64_t now, struct turn *out)
{
	struct text id = { 0 }, role = { 0 }, text = { 0 };
	int64_t at = now;
	char path[160];

	reader_word(r, "role", REQUIRED, "customer|bot|agent|system", &role);
	reader_string(r, "text", REQUIRED, TURN_MAX_TEXT, &text);
	reader_time(r, "at", OPTIONAL, &at);
	reader_text(r, "id", OPTIONAL, TURN_MAX_TEXT, &id);
	int rc = reader_done(r);
	if (rc < 0)
		return rc;
	struct turn t = { .role = text_copy(c->arena, role),
			  .text = text,
			  .at = c->may_set_time ? at : now,
			  .author = c->rights->key };
	reader_path(r, "id", -1, path, sizeof(path));
	if (id.s && (rc = id_check(id, path, c->err)) < 0)
		return rc;
	t.id = id.s ? text_copy(c->arena, id) : NULL;
	if (!t.role || (id.s && !t.id))
		return no_memory(c->err);
	reader_path(r, "role", -1, path, sizeof(path));
	rc = conversation_check_role(c->rights, t.role, path, c->err);
	if (rc == 0)
		*out = t;
	return rc;
}

/* Turns may not share an id: the client's retries are told apart by it. */
static int check_turn_id(const struct conversation *v, const struct turn *t, const char *path,
			 struct error *e)
{
	for (size_t i = 0; t->id && i < v->n_turns; i++)
		if (v->turns[i].id && strcmp(v->turns[i].id, t->id) == 0)
			return error_set(e, ERR_BAD_ID, path, "turn %u has the same id", v->turns[i].n);
	return 0;
}

static int read_turns(const struct call *c, struct reader *r, json_t *turns, int64_t at,
		      struct conversation *v)
{
	json_t *item;
	size_t i;
	int rc;

	json_array_foreach(turns, i, item) {
		struct reader one;
		struct turn t = { 0 };
		char path[160];
		reader_path(r, "turns", (long)i, path, sizeof(path));
		reader_init(&one, item, path, c->err);
		if ((rc = turn_read(c, &one, at, &t)) < 0)
			return rc;
		if ((rc = check_turn_id(v, &t, path, c->err)) < 0)
			return rc;
		if ((rc = conversation_add_turn(c, v, &t)) < 0)
			return rc;
		at = t.at; /* a turn without a time came right behind the one before it */
	}
	return 0;
}

static int read_customer(const struct call *c, struct reader *r, json_t *customer, json_t *body)
{
	struct text id = { 0 }, name = { 0 };
	int verified = -1, rc;
	struct reader sub;
	char path[160];

	reader_path(r, "customer", -1, path, sizeof(path));
	reader_init(&sub, customer, path, c->err);
	reader_text(&sub, "id", REQUIRED, TURN_MAX_TEXT, &id);
	reader_text(&sub, "name", OPTIONAL, MAX_NAME, &name);
	reader_bool(&sub, "verified", OPTIONAL, &verified);
	if ((rc = reader_done(&sub)) < 0)
		return rc;
	reader_path(&sub, "id", -1, path, sizeof(path));
	if ((rc = id_check(id, path, c->err)) < 0)
		return rc;
	if (body_set_text(body, "customer", id) < 0 || body_set_text(body, "customer_name", name) < 0 ||
	    (verified >= 0 && body_set_bool(body, "customer_verified", verified) < 0))
		return no_memory(c->err);
	return 0;
}

/* Fields of a conversation as they stand in the request. */
struct fields {
	struct text id, channel, queue;
	json_t *customer, *acl, *attributes, *turns;
	int64_t started_at;
};

static int read_fields(const struct call *c, struct reader *r, struct fields *f)
{
	char path[160];

	reader_text(r, "id", OPTIONAL, TURN_MAX_TEXT, &f->id);
	reader_string(r, "channel", OPTIONAL, MAX_NAME, &f->channel);
	reader_string(r, "queue", OPTIONAL, MAX_NAME, &f->queue);
	reader_object(r, "customer", OPTIONAL, &f->customer);
	reader_strings(r, "acl", OPTIONAL, MAX_GROUPS, 128, &f->acl);
	reader_object(r, "attributes", OPTIONAL, &f->attributes);
	reader_time(r, "started_at", OPTIONAL, &f->started_at);
	reader_array(r, "turns", OPTIONAL, CONVERSATION_MAX_TURNS, &f->turns);
	if (r->rc < 0 || check_acl(c, r, f->acl) < 0 || check_attributes(r, "attributes", f->attributes) < 0)
		return r->rc;
	reader_path(r, "id", -1, path, sizeof(path));
	return f->id.s ? id_check(f->id, path, c->err) : 0;
}

/* A history that does not say when it started did so with its first turn that has a time. */
static int64_t first_time(const json_t *turns, int64_t otherwise)
{
	for (size_t i = 0; i < json_array_size(turns); i++) {
		int64_t at = body_time(json_array_get(turns, i), "at");
		if (at)
			return at;
	}
	return otherwise;
}

static int new_body(const struct call *c, const struct fields *f, struct conversation *v)
{
	v->body = body_new(c->arena);
	if (!v->body || body_set_text(v->body, "channel", f->channel) < 0 ||
	    body_set_text(v->body, "queue", f->queue) < 0 || body_set_copy(v->body, "acl", f->acl) < 0 ||
	    body_set_copy(v->body, "attributes", f->attributes) < 0 ||
	    body_set_time(v->body, "started_at", f->started_at) < 0 ||
	    body_set(v->body, "principal", c->rights->key) < 0 || body_set(v->body, "state", "open") < 0 ||
	    body_set_int(v->body, "turns", 0) < 0 || body_set_int(v->body, "bytes", 0) < 0 ||
	    body_set_take(v->body, "handoffs", json_array()) < 0)
		return no_memory(c->err);
	return 0;
}

int conversation_read(const struct call *c, struct reader *r, struct conversation *out)
{
	int64_t now = clock_wall_ms();
	struct fields f = { 0 };
	struct conversation v = { .fresh = 1 };
	int rc = read_fields(c, r, &f);

	if (rc < 0)
		return rc;
	if (!c->may_set_time)
		f.started_at = now;
	else if (!f.started_at)
		f.started_at = first_time(f.turns, now);
	if ((rc = new_body(c, &f, &v)) < 0)
		return rc;
	if (f.customer && (rc = read_customer(c, r, f.customer, v.body)) < 0)
		return rc;
	v.id = f.id.s ? text_copy(c->arena, f.id) : id_make(c->arena, "c_");
	if (!v.id)
		return no_memory(c->err);
	v.stream = stream_of(c->arena, "conversation", v.id);
	v.subject = subject_of(c->arena, body_string(v.body, "customer"), v.id);
	if (!v.stream || !v.subject)
		return no_memory(c->err);
	if ((rc = read_turns(c, r, f.turns, f.started_at, &v)) < 0)
		return rc;
	*out = v;
	return 0;
}

int conversation_check_new(struct desk *d, const struct call *c, struct conversation *v)
{
	struct record r;
	struct error ignored;
	int rc = engine_revision(d->engine, v->stream, &v->revision, c->err);

	if (rc < 0)
		return rc;
	rc = engine_get(d->engine, RECORD_CONVERSATION, v->id, c->arena, &r, &ignored);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc == 0)
		return error_set(c->err, ERR_EXISTS, "id", "a conversation with this id exists");
	if (c->err)
		*c->err = ignored;
	return rc;
}
