/*
 * signal.c: raw observations of use: what was shown, opened, copied, sent …
 *
 * One request is one event of a stream of its own ("signals/…"): signals do
 * not change a conversation, so they neither conflict with what does nor spoil
 * an If-Match. The same `identifier` for the same handoff or search, by the
 * same key, replaces (an upsert).
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "desk/evidence.h"
#include "desk/handoff.h"

#define MAX_SIGNALS 1000
#define MAX_TOKEN 65536

struct signal {
	struct text handoff, search, kind, id, signal, identifier;
	int64_t at;
};

static int read_signal(const struct call *c, json_t *obj, const char *path, struct signal *out)
{
	struct signal s = { 0 };
	struct text agent = { 0 };
	struct reader r;
	int given, rc;

	reader_init(&r, obj, path, c->err);
	reader_string(&r, "handoff_id", OPTIONAL, 512, &s.handoff);
	reader_string(&r, "search_id", OPTIONAL, MAX_TOKEN, &s.search);
	if (r.rc == 0 && !s.handoff.s == !s.search.s)
		reader_fail(&r, s.handoff.s ? ERR_BAD_VALUE : ERR_MISSING_FIELD, "handoff_id",
			    "give either handoff_id or search_id");
	reader_word(&r, "kind", REQUIRED, "document|case|conversation", &s.kind);
	reader_string(&r, "id", REQUIRED, 512, &s.id);
	reader_word(&r, "signal", REQUIRED, "shown|opened|copied|sent|edited|helpful|not_helpful", &s.signal);
	reader_string(&r, "agent", OPTIONAL, 512, &agent);
	reader_string(&r, "identifier", OPTIONAL, 256, &s.identifier);
	read_at(c, &r, &s.at, &given);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	if ((rc = call_check_agent(c, agent)) < 0) {
		if (c->err)
			error_prefix(c->err, path);
		return rc;
	}
	*out = s;
	return 0;
}

/* Was this shown by the search? Its token names the first hits only (search_id.c). */
static int in_search(const json_t *shown, const struct signal *s)
{
	const json_t *hits = json_object_get(shown, "hits");

	for (size_t i = 0; i < json_array_size(hits); i++) {
		const json_t *hit = json_array_get(hits, i);
		if (text_is(s->kind, json_string_value(json_array_get(hit, 0))) &&
		    text_is(s->id, json_string_value(json_array_get(hit, 1))))
			return 1;
	}
	return 0;
}

/* What a signal is about must have been shown, or be there for the caller to see. */
static int check_about(struct desk *d, const struct call *c, const struct signal *s, const char *path)
{
	static const struct {
		const char *kind;
		enum record_kind k;
	} kinds[] = { { "document", RECORD_DOCUMENT },
		      { "case", RECORD_CASE },
		      { "conversation", RECORD_CONVERSATION } };
	const char *id = text_copy(c->arena, s->id);
	struct record r;

	for (size_t i = 0; id && i < 3; i++) {
		if (!text_is(s->kind, kinds[i].kind))
			continue;
		int rc = engine_get(d->engine, kinds[i].k, id, c->arena, &r, c->err);
		if (rc == 0 && source_visible(d, c, kinds[i].kind, id, json_object_get(r.body, "acl")) == 1)
			return 0;
		if (rc < 0 && rc != ERR_NOT_FOUND)
			return rc;
	}
	return id ? error_set(c->err, ERR_NOT_FOUND, arena_printf(c->arena, "%s.id", path),
			      "%s.id: there is no such %.*s", path, (int)s->kind.n, s->kind.s)
		  : no_memory(c->err);
}

/* Is it an item of the handoff's evidence? Then it may be gone by now. 1, 0 or an error. */
static int in_evidence(struct desk *d, const struct call *c, const struct record *handoff,
		       const struct signal *s)
{
	struct record e;
	int rc = engine_get(d->engine, RECORD_EVIDENCE, body_string(handoff->body, "evidence"), c->arena, &e,
			    c->err);

	if (rc < 0)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	const json_t *items = json_object_get(e.body, "items");
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		if (text_is(s->id, body_string(item, "id")) && text_is(s->kind, body_string(item, "kind")))
			return source_visible(d, c, body_string(item, "kind"), body_string(item, "id"),
					      json_object_get(item, "acl"));
	}
	return 0;
}

static int check_source(struct desk *d, const struct call *c, const struct signal *s, const char *path)
{
	const char *id = text_copy(c->arena, s->handoff);
	json_t *shown = NULL;
	struct record h;
	int rc;

	if (s->search.s) {
		if ((rc = search_id_read(c->arena, d->secret, s->search, &shown, c->err)) < 0)
			return error_set(c->err, rc, arena_printf(c->arena, "%s.search_id", path),
					 "%s.search_id: is not one of this server's", path);
		return in_search(shown, s) ? 0 : check_about(d, c, s, path);
	}
	if (!id)
		return no_memory(c->err);
	if ((rc = handoff_get(d, c, id, &h, NULL)) < 0)
		return rc == ERR_NOT_FOUND
			       ? error_set(c->err, rc, arena_printf(c->arena, "%s.handoff_id", path),
					   "%s.handoff_id: there is no such handoff", path)
			       : rc;
	rc = in_evidence(d, c, &h, s);
	return rc == 1 ? 0 : rc < 0 ? rc : check_about(d, c, s, path);
}

/* From the identifier, so that the same is put again; else a new one. */
static const char *signal_id(const struct call *c, const struct signal *s)
{
	struct text of = s->handoff.s ? s->handoff : s->search;
	unsigned char hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	struct sha256 h;

	if (!s->identifier.s)
		return id_make(c->arena, "sg_");
	sha256_init(&h);
	sha256_add(&h, c->rights->key ? c->rights->key : "",
		   strlen(c->rights->key ? c->rights->key : "") + 1);
	sha256_add(&h, of.s, of.n);
	sha256_add(&h, "", 1);
	sha256_add(&h, s->identifier.s, s->identifier.n);
	sha256_end(&h, hash);
	hex_encode(hash, sizeof(hash), hex);
	return arena_printf(c->arena, "sg_%.32s", hex);
}

static int add_signal(const struct call *c, const struct signal *s, struct changes *cs)
{
	json_t *b = body_new(c->arena);

	if (!b || body_set_text(b, "handoff", s->handoff) < 0 || body_set_text(b, "search", s->search) < 0 ||
	    (text_is(s->kind, "document") && body_set_text(b, "document", s->id) < 0) ||
	    body_set_text(b, "kind", s->kind) < 0 || body_set_text(b, "id", s->id) < 0 ||
	    body_set_text(b, "signal", s->signal) < 0 || body_set_time(b, "at", s->at) < 0 ||
	    body_set(b, "principal", c->rights->key) < 0 || body_set(b, "agent", c->rights->agent) < 0 ||
	    body_set_text(b, "identifier", s->identifier) < 0)
		return no_memory(c->err);
	const char *id = signal_id(c, s);
	/* the same twice in one request: the later one counts */
	for (size_t i = 0; id && i < cs->n; i++)
		if (strcmp(cs->list[i].id, id) == 0) {
			cs->list[i].body = b;
			return 0;
		}
	changes_put(cs, RECORD_SIGNAL, id, NULL, b);
	return changes_done(cs, c->err);
}

int signals_act(struct desk *d, const struct call *c, json_t *body, json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	json_t *list = NULL;
	struct reader r;
	struct commit done;
	int rc;

	reader_init(&r, body, NULL, c->err);
	reader_array(&r, "signals", REQUIRED, MAX_SIGNALS, &list);
	if (r.rc == 0 && json_array_size(list) == 0)
		reader_fail(&r, ERR_BAD_VALUE, "signals", "must not be empty");
	if ((rc = reader_done(&r)) < 0)
		return rc;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct signal s = { 0 };
		const char *path = arena_printf(c->arena, "signals[%zu]", i);
		if (!path)
			return no_memory(c->err);
		if ((rc = read_signal(c, json_array_get(list, i), path, &s)) < 0 ||
		    (rc = check_source(d, c, &s, path)) < 0 || (rc = add_signal(c, &s, &cs)) < 0)
			return rc;
	}
	JSON_AUTO *res = json_pack("{s:I}", "recorded", (json_int_t)json_array_size(list));
	struct event ev = { .stream = id_make(c->arena, "signals/"),
			    .expect = ENGINE_ANY,
			    .kind = "signals.recorded",
			    .changes = cs.list,
			    .n = cs.n };
	if (!res || !ev.stream)
		return no_memory(c->err);
	if ((rc = call_commit(c, d->engine, &ev, 200, res, &done)) < 0)
		return rc;
	*result = json_incref(res);
	return 0;
}

int signals_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	json_t *j = json_pack("{s:I}", "recorded", (json_int_t)body_int(result, "recorded"));

	(void)d;
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
