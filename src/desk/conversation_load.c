#include "desk/conversation.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "desk/query.h"
#include "embed/embed.h"

#define PAGE 1000

int turn_is(const struct turn *t, const char *role)
{
	return t && strcmp(t->role, role) == 0;
}

const struct turn *conversation_last(const struct conversation *v, const char *role)
{
	for (size_t i = v->n_turns; i > 0; i--)
		if (turn_is(&v->turns[i - 1], role))
			return &v->turns[i - 1];
	return NULL;
}

size_t conversation_count(const struct conversation *v, const char *role)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_turns; i++)
		n += (size_t)turn_is(&v->turns[i], role);
	return n;
}

struct text conversation_opening(struct arena *a, const struct conversation *v)
{
	size_t turns = 0, n = 0;
	char *s = arena_alloc(a, OPENING_MAX_TEXT + 1);

	if (!s)
		return (struct text){ 0 };
	for (size_t i = 0; i < v->n_turns && turns < OPENING_TURNS && n < OPENING_MAX_TEXT; i++) {
		struct text t = v->turns[i].text;
		if (!turn_is(&v->turns[i], "customer"))
			continue;
		if (turns++ > 0)
			s[n++] = '\n';
		size_t len = utf8_floor(t.s, t.n, t.n < OPENING_MAX_TEXT - n ? t.n : OPENING_MAX_TEXT - n);
		memcpy(s + n, t.s, len);
		n += len;
	}
	return turns ? (struct text){ s, n } : (struct text){ 0 };
}

static struct turn *turn_room(struct arena *a, struct conversation *v)
{
	if (v->n_turns == v->cap) {
		size_t cap = v->cap ? 2 * v->cap : 16;
		struct turn *turns = arena_alloc(a, cap * sizeof(*turns));
		if (!turns)
			return NULL;
		if (v->n_turns)
			memcpy(turns, v->turns, v->n_turns * sizeof(*turns));
		v->turns = turns;
		v->cap = cap;
	}
	return &v->turns[v->n_turns++];
}

int conversation_add_turn(const struct call *c, struct conversation *v, const struct turn *t)
{
	int64_t bytes = body_int(v->body, "bytes") + (int64_t)t->text.n;

	if (t->text.n > TURN_MAX_TEXT)
		return error_set(c->err, ERR_TOO_LARGE, "text", "a turn has at most %u bytes of text",
				 TURN_MAX_TEXT);
	if (v->n_turns >= CONVERSATION_MAX_TURNS)
		return error_set(c->err, ERR_TOO_LARGE, NULL, "a conversation has at most %d turns",
				 CONVERSATION_MAX_TURNS);
	if (bytes > CONVERSATION_MAX_BYTES)
		return error_set(c->err, ERR_TOO_LARGE, "text", "a conversation has at most %u bytes of text",
				 CONVERSATION_MAX_BYTES);
	struct turn *to = turn_room(c->arena, v);
	if (!to)
		return no_memory(c->err);
	*to = *t;
	to->n = (uint32_t)v->n_turns;
	to->fresh = 1;
	if (body_set_int(v->body, "turns", to->n) < 0 || body_set_int(v->body, "bytes", bytes) < 0)
		return no_memory(c->err);
	return 0;
}

static struct turn turn_of(const struct record *r)
{
	const char *id = body_string(r->body, "id");

	return (struct turn){
		.n = (uint32_t)body_int(r->body, "n"),
		.id = *id ? id : NULL,
		.role = body_string(r->body, "role"),
		.text = body_text(r->body, "text"),
		.at = body_time(r->body, "at"),
		.author = body_string(r->body, "author"),
	};
}

/*
 * The turns that the record counts. One that was committed after the record was
 * read is left out: the two reads then show one state, and a write on it meets
 * ERR_CONFLICT.
 */
static int load_turns(struct desk *d, const struct call *c, struct conversation *v)
{
	struct scan s = {
		.kind = RECORD_TURN, .field = { "conversation" }, .value = { v->id }, .limit = PAGE
	};
	int64_t count = body_int(v->body, "turns");
	struct record *page;
	size_t n;

	do {
		int rc = engine_scan(d->engine, &s, c->arena, &page, &n, c->err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < n; i++) {
			struct turn t = turn_of(&page[i]);
			if (t.n > count || !t.text.s)
				continue;
			struct turn *to = turn_room(c->arena, v);
			if (!to)
				return no_memory(c->err);
			*to = t;
		}
		if (n > 0) {
			s.after = page[n - 1].created;
			s.after_id = page[n - 1].id;
		}
	} while (n == PAGE);
	return 0;
}

static size_t dim_of(const struct desk *d)
{
	return d->embedder ? embedder_info(d->embedder)->dim : 0;
}

/* Vectors that the index has of the turns, so that none is made twice. */
static int load_vectors(struct desk *d, const struct call *c, struct conversation *v)
{
	struct entry_row *rows;
	size_t n;

	if (dim_of(d) == 0)
		return 0;
	int rc = engine_rows(d->engine, RECORD_CONVERSATION, v->id, c->arena, &rows, &n, c->err);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0)
		return rc;
	for (size_t i = 0, t = 0; i < n; i++) {
		if (rows[i].field != ROW_TURN)
			continue;
		/* both are in order of n */
		while (t < v->n_turns && v->turns[t].n < rows[i].n)
			t++;
		if (t < v->n_turns && v->turns[t].n == rows[i].n)
			v->turns[t].vector = rows[i].vector;
	}
	return 0;
}

int conversation_visible(const struct rights *r, const json_t *body)
{
	const char *by = body_string(body, "principal");

	if (rights_bot_only(r) && (!*by || !r->key || strcmp(by, r->key) != 0))
		return 0;
	return rights_see(r, json_object_get(body, "acl"));
}

int conversation_load(struct desk *d, const struct call *c, const char *id, struct conversation *out)
{
	struct conversation v = { 0 };
	struct record r;
	int rc = engine_get(d->engine, RECORD_CONVERSATION, id, c->arena, &r, c->err);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !conversation_visible(c->rights, r.body)))
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such conversation");
	if (rc < 0)
		return rc;
	v.id = r.id;
	v.subject = r.subject;
	v.stream = stream_of(c->arena, "conversation", r.id);
	v.revision = r.revision;
	v.body = body_copy(c->arena, r.body);
	if (!v.stream || !v.body)
		return no_memory(c->err);
	if ((rc = load_turns(d, c, &v)) < 0 || (rc = load_vectors(d, c, &v)) < 0)
		return rc;
	*out = v;
	return 0;
}

int conversation_embed(struct desk *d, struct arena *a, struct conversation *v, struct error *e)
{
	size_t dim = dim_of(d), n = 0;
	const float *vectors = NULL;

	if (dim == 0 || v->n_turns == 0)
		return 0;
	struct text *texts = arena_alloc(a, v->n_turns * sizeof(*texts));
	if (!texts)
		return no_memory(e);
	for (size_t i = 0; i < v->n_turns; i++)
		if (turn_is(&v->turns[i], "customer") && !v->turns[i].vector)
			texts[n++] = v->turns[i].text;
	if (n == 0)
		return 0;
	int rc = desk_embed(d, a, texts, n, &vectors, e);
	if (rc < 0 || !vectors)
		return rc;
	for (size_t i = 0; i < v->n_turns; i++) {
		if (!turn_is(&v->turns[i], "customer") || v->turns[i].vector)
			continue;
		v->turns[i].vector = vectors;
		vectors += dim;
	}
	return 0;
}
