#include "ingest/document.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"

#define PAGE 256

/* The record, if the caller may see it. */
static int load(struct desk *d, const struct call *c, const char *id, struct record *out)
{
	int rc = engine_get(d->engine, RECORD_DOCUMENT, id, c->arena, out, c->err);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !rights_see(c->rights, json_object_get(out->body, "acl"))))
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such document");
	return rc;
}

int document_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	struct record r;
	int rc = load(d, c, body_string(result, "document"), &r);

	if (rc < 0)
		return rc;
	json_t *j = json_pack("{s:O, s:O, s:O, s:s, s:O}", "id", json_object_get(result, "document"),
			      "version", json_object_get(result, "version"), "revision",
			      json_object_get(result, "revision"), "state", "findable", "result",
			      json_object_get(result, "result"));
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}

/* A document without its text, as lists have it. Groups are told to those who set them. NULL without memory. */
static json_t *head_json(const struct call *c, const struct record *r)
{
	static const char *const fields[] = { "url", "source", "attributes", "updated_at", "version" };
	json_t *j = json_object();
	int bad = !j || body_set_take(j, "id", json_string(r->id)) < 0 ||
		  body_set_take(j, "title", json_string(body_string(r->body, "title"))) < 0 ||
		  body_set_int(j, "revision", r->revision) < 0 || body_set(j, "state", "findable") < 0;

	for (size_t i = 0; !bad && i < sizeof(fields) / sizeof(fields[0]); i++) {
		json_t *v = json_object_get(r->body, fields[i]);
		if (v)
			bad = body_set_copy(j, fields[i], v) < 0;
		else
			bad = body_set_take(j, fields[i], i == 2 ? json_object() : json_null()) < 0;
	}
	if (!bad && rights_scope(c->rights, SCOPE_CURATOR)) {
		json_t *acl = json_object_get(r->body, "acl");
		bad = body_set_take(j, "acl", acl ? json_deep_copy(acl) : json_null()) < 0;
	}
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

int document_get(struct desk *d, const struct call *c, const char *id, json_t **out)
{
	struct record r;
	int rc = load(d, c, id, &r);

	if (rc < 0)
		return rc;
	json_t *j = head_json(c, &r);
	struct text text = r.text.s ? r.text : (struct text){ "", 0 };
	if (!j || body_set_text(j, "text", text) < 0) {
		json_decref(j);
		return no_memory(c->err);
	}
	*out = j;
	return 0;
}

/*
 * Walks the documents that the caller may see in the order they were made;
 * each page has an arena of its own. `each` returns 1 to stop.
 */
struct walk {
	const char *source; /* NULL: of all sources */
	uint64_t after;
	const char *after_id;
	size_t page;
	int (*each)(void *arg, const struct call *c, const struct record *r);
	void *arg;
};

static int walk_page(struct desk *d, const struct call *c, struct walk *w, struct arena *a,
		     struct arena *next)
{
	struct scan s = {
		.kind = RECORD_DOCUMENT, .after = w->after, .after_id = w->after_id, .limit = w->page
	};
	struct record *page;
	size_t n;

	if (w->source) {
		s.field[0] = "source";
		s.value[0] = w->source;
	}
	int rc = engine_scan(d->engine, &s, a, &page, &n, c->err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (rights_see(c->rights, json_object_get(page[i].body, "acl")))
			rc = w->each(w->arg, c, &page[i]);
	if (rc != 0)
		return rc;
	if (n < w->page)
		return 1;
	w->after = page[n - 1].created;
	w->after_id = arena_strdup(next, page[n - 1].id);
	return w->after_id ? 0 : no_memory(c->err);
}

static int walk(struct desk *d, const struct call *c, struct walk *w)
{
	struct arena *a = arena_new(1 << 16), *next = NULL;
	int rc = a ? 0 : no_memory(c->err);

	while (rc == 0) {
		next = arena_new(1 << 16);
		rc = next ? walk_page(d, c, w, a, next) : no_memory(c->err);
		arena_free(a);
		a = next;
	}
	arena_free(a);
	return rc < 0 ? rc : 0;
}

struct listing {
	json_t *data;
	size_t limit;
	int has_more;
};

static int list_one(void *arg, const struct call *c, const struct record *r)
{
	struct listing *l = arg;

	if (json_array_size(l->data) == l->limit) {
		l->has_more = 1;
		return 1;
	}
	return json_array_append_new(l->data, head_json(c, r)) < 0 ? no_memory(c->err) : 0;
}

int document_list(struct desk *d, const struct call *c, struct text source, struct text after, size_t limit,
		  json_t **out)
{
	struct listing l = { .data = json_keep(c->arena, json_array()), .limit = limit };
	struct walk w = { .each = list_one, .arg = &l, .page = limit + 1 < PAGE ? limit + 1 : PAGE };
	struct record last = { 0 };
	int rc;

	if (!l.data)
		return no_memory(c->err);
	if (source.s && !(w.source = text_copy(c->arena, source)))
		return no_memory(c->err);
	if (after.s) {
		const char *id = text_copy(c->arena, after);
		rc = id ? load(d, c, id, &last) : no_memory(c->err);
		if (rc == ERR_NOT_FOUND)
			return error_set(c->err, ERR_NOT_FOUND, "after",
					 "there is no such document: start the list again");
		if (rc < 0)
			return rc;
		w.after = last.created;
		w.after_id = last.id;
	}
	if ((rc = walk(d, c, &w)) < 0)
		return rc;
	size_t n = json_array_size(l.data);
	json_t *id = n ? json_incref(json_object_get(json_array_get(l.data, n - 1), "id")) : json_null();
	json_t *j = json_pack("{s:s, s:O, s:b, s:o}", "object", "list", "data", l.data, "has_more",
			      l.has_more, "last_id", id);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}

static int count_one(void *arg, const struct call *c, const struct record *r)
{
	struct text source = body_text(r->body, "source");
	uint64_t *n = map_put(arg, source.s ? source.s : "", source.n, NULL);

	if (!n)
		return no_memory(c->err);
	++*n;
	return 0;
}

/* In order of first use; documents without a source count under "". */
int source_list(struct desk *d, const struct call *c, json_t **out)
{
	struct map *counts = map_new();
	json_t *data = json_keep(c->arena, json_array());
	struct walk w = { .each = count_one, .arg = counts, .page = PAGE };
	int rc = counts && data ? walk(d, c, &w) : no_memory(c->err);
	const char *key;
	uint64_t *count;
	size_t i = 0, n;

	while (rc == 0 && map_each(counts, &i, &key, &n, &count))
		if (json_array_append_new(data, json_pack("{s:s%, s:I}", "source", key, n, "documents",
							  (json_int_t)*count)) < 0)
			rc = no_memory(c->err);
	map_free(counts);
	if (rc < 0)
		return rc;
	json_t *j = json_pack("{s:s, s:O}", "object", "list", "data", data);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
