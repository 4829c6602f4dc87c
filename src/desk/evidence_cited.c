#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "desk/evidence.h"
#include "desk/package.h"
#include "base/utf8.h"
#include "text/fold.h"

#define VERSIONS_READ 20
#define LOOKED_THROUGH ((size_t)32 << 20) /* bytes of text for all citations of a request, in equal shares */

/* What is left of a text when its markup, case, accents and white space do not matter. */
static void plain(struct text t, struct strbuf *out)
{
	STRBUF_AUTO folded = STRBUF_INIT;
	int gap = 0;

	fold_text(t.s, t.n, &folded);
	for (size_t i = 0; i < folded.n; i++) {
		char c = folded.p[i];
		if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '|' || c == '>' || c == '#') {
			gap = 1;
		} else if (c != '*' && c != '_' && c != '`' && c != '\\') {
			if (gap && out->n)
				strbuf_putc(out, ' ');
			strbuf_putc(out, c);
			gap = 0;
		}
	}
	out->failed |= folded.failed;
}

int quote_in(struct text quote, struct text text)
{
	STRBUF_AUTO q = STRBUF_INIT;
	STRBUF_AUTO t = STRBUF_INIT;

	if (!quote.s || !text.s)
		return 0;
	plain(quote, &q);
	plain(text, &t);
	if (q.failed || t.failed)
		return -1;
	return q.n > 0 && t.n >= q.n && memmem(t.p, t.n, q.p, q.n) != NULL;
}

/*
 * One citation under resolution. Texts of documents and versions are long, so
 * they live in an arena of their own and go with it. The share of text to look
 * through depends on no other citation's document, which may be a hidden one.
 */
struct lookup {
	struct desk *desk;
	const struct call *call;
	struct arena *arena;
	struct record document; /* id NULL: there is none (any more) */
	const char *id;
	size_t left; /* bytes that may be looked through */
};

/* 1 or 0, or an error; x->unchecked where the text is too long to be looked through. */
static int look_through(struct lookup *l, struct citation *x, struct text text)
{
	if (text.n > l->left) {
		l->left = 0;
		x->unchecked = 1;
		return 0;
	}
	l->left -= text.n;
	int in = quote_in(x->quote, text);
	return in < 0 ? no_memory(l->call->err) : in;
}

static int is_current(const struct lookup *l, const json_t *version)
{
	return l->document.id &&
	       strcmp(body_string(version, "version"), body_string(l->document.body, "version")) == 0;
}

/* Is the quote in one of the newest earlier versions? One at a time: each brings its text. */
static int quote_in_versions(struct lookup *l, struct citation *x)
{
	struct scan s = { .kind = RECORD_VERSION,
			  .field = { "document" },
			  .value = { l->id },
			  .limit = 1,
			  .newest_first = 1 };
	size_t n = 1;
	int rc = 0;

	for (size_t seen = 0; rc == 0 && n && l->left && seen < VERSIONS_READ; seen++) {
		struct arena *a = arena_new(1 << 16);
		struct record *r = NULL;
		rc = a ? engine_scan(l->desk->engine, &s, a, &r, &n, l->call->err) : no_memory(l->call->err);
		if (rc == 0 && n && r) {
			s.after = r->created;
			s.after_id = arena_strdup(l->arena, r->id);
			rc = !s.after_id                            ? no_memory(l->call->err)
			     : is_current(l, r->body) || !r->text.s ? 0
								    : look_through(l, x, r->text);
		}
		arena_free(a);
	}
	return rc;
}

/* By the version that the bot names. */
static int status_by_version(struct lookup *l, struct citation *x)
{
	const char *version = text_copy(l->arena, x->version);
	struct record r;

	if (!version)
		return no_memory(l->call->err);
	if (l->document.id && strcmp(body_string(l->document.body, "version"), version) == 0) {
		x->status = "current";
		return 0;
	}
	int rc = engine_get(l->desk->engine, RECORD_VERSION, version_id(l->arena, l->id, version), l->arena,
			    &r, l->call->err);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		return rc;
	if (rc == 0 && strcmp(body_string(r.body, "version"), version) == 0)
		x->status = l->document.id ? "changed_since" : x->known ? "deleted" : "unknown";
	return 0;
}

/* By what it quotes, or by nothing but the document's id. */
static int status_by_quote(struct lookup *l, struct citation *x)
{
	int rc = l->document.id && x->quote.s ? look_through(l, x, l->document.text) : 0;

	if (!l->document.id)
		x->status = x->known ? "deleted" : "unknown";
	else if (!x->quote.s || rc == 1)
		x->status = "current";
	else if (rc == 0 && (rc = quote_in_versions(l, x)) == 1)
		x->status = "changed_since";
	return rc < 0 ? rc : 0;
}

/* What is kept of the document: its head, and so much of its text as is quoted from. */
static int keep_document(const struct call *c, const struct record *from, struct citation *x)
{
	size_t n = utf8_floor(from->text.s, from->text.n,
			      from->text.n < CITED_TEXT ? from->text.n : CITED_TEXT);

	x->record = *from;
	x->record.subject = "";
	x->record.id = text_copy(c->arena, x->document);
	x->record.body = body_copy(c->arena, from->body);
	x->record.text = (struct text){ arena_strndup(c->arena, from->text.s ? from->text.s : "", n), n };
	if (!x->record.id || !x->record.body || !x->record.text.s)
		return no_memory(c->err);
	x->acl = json_object_get(x->record.body, "acl");
	x->known = 1;
	return 0;
}

static int resolve(struct lookup *l, const struct rights *queue, struct citation *x)
{
	const struct call *c = l->call;
	int rc = engine_get(l->desk->engine, RECORD_DOCUMENT, l->id, l->arena, &l->document, c->err);

	if (rc == 0) {
		rc = keep_document(c, &l->document, x);
	} else if (rc == ERR_NOT_FOUND) {
		l->document = (struct record){ 0 };
		rc = source_acl(l->desk, c, "document", l->id, &x->acl);
		x->known = rc == 1;
	}
	if (rc < 0)
		return rc;
	x->queue_may = !x->known || rights_see(queue, x->acl);
	return x->version.s ? status_by_version(l, x) : status_by_quote(l, x);
}

static int resolve_item(struct desk *d, const struct call *c, const struct rights *queue, const json_t *item,
			size_t share, struct citation *out)
{
	struct citation x = { .document = body_text(item, "document_id"),
			      .version = body_text(item, "version"),
			      .quote = body_text(item, "quote"),
			      .status = "unknown" };
	struct lookup l = { .desk = d,
			    .call = c,
			    .id = text_copy(c->arena, x.document),
			    .arena = arena_new(1 << 16),
			    .left = share };
	int rc = l.id && l.arena ? resolve(&l, queue, &x) : no_memory(c->err);

	arena_free(l.arena);
	if (rc == 0)
		*out = x;
	return rc;
}

int citations_resolve(struct desk *d, const struct call *c, const struct rights *queue, const json_t *package,
		      const struct citation **out, size_t *n)
{
	const json_t *cited = json_object_get(package_value(package, "bot"), "cited");
	struct citation *list = arena_alloc(c->arena, (json_array_size(cited) + 1) * sizeof(*list));

	if (!list)
		return no_memory(c->err);
	for (size_t i = 0; i < json_array_size(cited); i++) {
		int rc = resolve_item(d, c, queue, json_array_get(cited, i),
				      LOOKED_THROUGH / json_array_size(cited), &list[i]);
		if (rc < 0)
			return rc;
	}
	*out = list;
	*n = json_array_size(cited);
	return 0;
}

static json_t *citation_json(const struct citation *x)
{
	json_t *j = json_object();

	if (!j || body_set_text(j, "document_id", x->document) < 0 ||
	    body_set_text(j, "version", x->version) < 0 || body_set_text(j, "quote", x->quote) < 0 ||
	    body_set(j, "status", x->status) < 0 || body_set_bool(j, "queue_may", x->queue_may) < 0 ||
	    body_set_copy(j, "acl", x->acl) < 0 ||
	    (x->record.id && (body_set(j, "title", body_string(x->record.body, "title")) < 0 ||
			      body_set(j, "current_version", body_string(x->record.body, "version")) < 0))) {
		json_decref(j);
		return NULL;
	}
	return j;
}

json_t *citations_json(const struct citation *cited, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, citation_json(&cited[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* One citation as the caller may see it. What the bot itself said (id, version, quote) is the package's. */
static int view(struct desk *d, const struct call *c, const json_t *x, json_t *out)
{
	int may = body_bool(x, "queue_may") ? source_visible(d, c, "document", body_string(x, "document_id"),
							     json_object_get(x, "acl"))
					    : 0;

	if (may < 0)
		return may;
	const char *status = may                                    ? body_string(x, "status")
			     : rights_scope(c->rights, SCOPE_ADMIN) ? "not_permitted"
								    : "unknown";
	if (body_set_copy(out, "document_id", json_object_get(x, "document_id")) < 0 ||
	    body_set_copy(out, "version", json_object_get(x, "version")) < 0 ||
	    body_set_copy(out, "quote", json_object_get(x, "quote")) < 0 ||
	    body_set(out, "status", status) < 0 ||
	    (may && (body_set_copy(out, "title", json_object_get(x, "title")) < 0 ||
		     body_set_copy(out, "current_version", json_object_get(x, "current_version")) < 0)))
		return no_memory(c->err);
	return 0;
}

int citations_view(struct desk *d, const struct call *c, const json_t *stored, json_t **out)
{
	JSON_AUTO *list = json_array();
	size_t n = json_array_size(stored);

	for (size_t i = 0; list && i < n; i++) {
		json_t *item = json_object();
		if (!item || json_array_append_new(list, item) < 0)
			return no_memory(c->err);
		int rc = view(d, c, json_array_get(stored, i), item);
		if (rc < 0)
			return rc;
	}
	if (!list)
		return no_memory(c->err);
	*out = json_incref(list);
	return 0;
}
