#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "desk/evidence.h"
#include "desk/package.h"
#include "text/fold.h"

#define VERSIONS_AT_ONCE 4
#define VERSIONS_READ 20

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
 * Is the quote in one of the newest stored versions? *any tells whether there
 * is one at all. A few at a time, because a version's text comes with it.
 */
static int quote_in_versions(struct desk *d, const struct call *c, const char *document, struct text quote,
			     int *any)
{
	struct scan s = { .kind = RECORD_VERSION,
			  .field = { "document" },
			  .value = { document },
			  .limit = VERSIONS_AT_ONCE,
			  .newest_first = 1 };
	struct record *page;
	size_t n, seen = 0;

	*any = 0;
	do {
		int rc = engine_scan(d->engine, &s, c->arena, &page, &n, c->err);
		if (rc < 0)
			return rc;
		*any |= n > 0;
		for (size_t i = 0; i < n && quote.s; i++) {
			int in = quote_in(quote, page[i].text);
			if (in != 0)
				return in < 0 ? no_memory(c->err) : 1;
		}
		if (n > 0) {
			s.after = page[n - 1].created;
			s.after_id = page[n - 1].id;
		}
		seen += n;
	} while (n == s.limit && quote.s && seen < VERSIONS_READ);
	return 0;
}

/* By the version that the bot names. */
static int status_by_version(struct desk *d, const struct call *c, struct citation *x, const char *id)
{
	const char *version = text_copy(c->arena, x->version);
	struct record r;

	if (!version)
		return no_memory(c->err);
	if (x->record.id && strcmp(body_string(x->record.body, "version"), version) == 0) {
		x->status = "current";
		return 0;
	}
	int rc = engine_get(d->engine, RECORD_VERSION, version_id(c->arena, id, version), c->arena, &r,
			    c->err);
	if (rc == ERR_NOT_FOUND)
		x->status = "unknown";
	else if (rc < 0)
		return rc;
	else
		x->status = x->record.id ? "changed_since" : "deleted";
	return 0;
}

/* By what it quotes, or by nothing but the document's id. */
static int status_by_quote(struct desk *d, const struct call *c, struct citation *x, const char *id)
{
	int any, in = x->record.id ? x->quote.s ? quote_in(x->quote, x->record.text) : 1 : 0;

	if (in < 0)
		return no_memory(c->err);
	if (in) {
		x->status = "current";
		return 0;
	}
	int rc = quote_in_versions(d, c, id, x->quote, &any);
	if (rc < 0)
		return rc;
	if (x->record.id)
		x->status = rc ? "changed_since" : "unknown";
	else
		x->status = any ? "deleted" : "unknown";
	return 0;
}

/* The document as it is now, id NULL if there is none; one that was cited before is not read again. */
static int get_document(struct desk *d, const struct call *c, const char *id, const struct citation *before,
			size_t n, struct record *out)
{
	for (size_t i = 0; i < n; i++)
		if (text_is(before[i].document, id)) {
			*out = before[i].record;
			return 0;
		}
	int rc = engine_get(d->engine, RECORD_DOCUMENT, id, c->arena, out, c->err);
	if (rc == ERR_NOT_FOUND)
		*out = (struct record){ 0 };
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* The citation behind the n of `before`. */
static int resolve(struct desk *d, const struct call *c, const struct rights *queue, const json_t *item,
		   const struct citation *before, size_t n, struct citation *out)
{
	struct citation x = { .document = body_text(item, "document_id"),
			      .version = body_text(item, "version"),
			      .quote = body_text(item, "quote") };
	const char *id = text_copy(c->arena, x.document);

	if (!id)
		return no_memory(c->err);
	int rc = get_document(d, c, id, before, n, &x.record);
	if (rc < 0)
		return rc;
	x.queue_may = !x.record.id || rights_see(queue, json_object_get(x.record.body, "acl"));
	rc = x.version.s ? status_by_version(d, c, &x, id) : status_by_quote(d, c, &x, id);
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
		int rc = resolve(d, c, queue, json_array_get(cited, i), list, i, &list[i]);
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
	    (x->record.id && (body_set_copy(j, "acl", json_object_get(x->record.body, "acl")) < 0 ||
			      body_set(j, "title", body_string(x->record.body, "title")) < 0 ||
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
