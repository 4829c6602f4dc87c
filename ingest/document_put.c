#include "ingest/document.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

const char DOCUMENT_PUT_EVENT[] = "document.put";

/* The stored body says the same, whatever its rows. */
static int same_fields(const struct document *doc, const json_t *body)
{
	const json_t *acl = json_object_get(body, "acl"), *attributes = json_object_get(body, "attributes");
	int same_acl = doc->acl ? json_equal(doc->acl, acl) : !acl;
	int same_attributes = doc->attributes ? json_equal(doc->attributes, attributes) : !attributes;
	int same_time = !doc->has_time || doc->updated_at == body_time(body, "updated_at");

	return same_acl && same_attributes && same_time && text_is(doc->url, body_string(body, "url")) &&
	       text_is(doc->source, body_string(body, "source"));
}

int document_compare(struct desk *d, const struct call *c, const struct document *doc,
		     struct document_step *out)
{
	struct document_step step = { .status = PUT_CREATED };
	struct error missing;
	struct record r;
	/* First: what is made after it is a conflict. It is what a new one is upon, as a deleted one's stream goes on. */
	int rc = engine_revision(d->engine, doc->stream, &step.revision, c->err);

	if (rc < 0)
		return rc;
	rc = engine_get(d->engine, RECORD_DOCUMENT, doc->id, c->arena, &r, &missing);
	if (rc < 0 && rc != ERR_NOT_FOUND) {
		if (c->err)
			*c->err = missing;
		return rc;
	}
	if (rc == 0 && !rights_see(c->rights, json_object_get(r.body, "acl")))
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such document");
	if (rc == 0) {
		step.revision = r.revision;
		step.keep_rows = strcmp(body_string(r.body, "version"), doc->version) == 0 &&
				 strcmp(body_string(r.body, "vectors"), doc->vectors) == 0;
		step.status = step.keep_rows && same_fields(doc, r.body) ? PUT_UNCHANGED : PUT_UPDATED;
	}
	if ((rc = call_check_match(c, step.revision)) < 0)
		return rc;
	*out = step;
	return 0;
}

static json_t *document_body(struct arena *a, const struct document *doc)
{
	json_t *b = body_new(a);

	if (!b || body_set_text(b, "title", doc->title) < 0 ||
	    body_set_int(b, "bytes", (int64_t)doc->text.n) < 0 || body_set_copy(b, "acl", doc->acl) < 0 ||
	    body_set_copy(b, "attributes", doc->attributes) < 0 ||
	    body_set_time(b, "updated_at", doc->updated_at) < 0 || body_set(b, "version", doc->version) < 0 ||
	    body_set(b, "vectors", doc->vectors) < 0)
		return NULL;
	if ((doc->url.n && body_set_text(b, "url", doc->url) < 0) ||
	    (doc->source.n && body_set_text(b, "source", doc->source) < 0))
		return NULL;
	return b;
}

static json_t *version_body(struct arena *a, const struct document *doc)
{
	json_t *b = body_new(a);

	if (!b || body_set(b, "document", doc->id) < 0 || body_set(b, "version", doc->version) < 0 ||
	    body_set_text(b, "title", doc->title) < 0 || body_set_time(b, "at", doc->updated_at) < 0)
		return NULL;
	return b;
}

/* How it is found. Its source is a tag like an attribute. NULL without memory. */
static const struct entry *entry_of(struct arena *a, const struct document *doc,
				    const struct document_step *step, const struct document_rows *rows)
{
	struct entry *en = arena_alloc(a, sizeof(*en));
	struct tags tags = { .arena = a };

	tags_object(&tags, doc->attributes);
	if (doc->source.n)
		tags_string(&tags, "source", doc->source.s);
	if (!en || tags.failed)
		return NULL;
	*en = (struct entry){
		.acl = doc->acl, .tags = tags.list, .n_tags = tags.n, .keep_rows = step->keep_rows
	};
	if (!step->keep_rows) {
		en->title = doc->title;
		en->text = doc->text;
		en->rows = rows->rows;
		en->n_rows = rows->n;
	}
	return en;
}

int document_changes(struct arena *a, const struct document *doc, const struct document_step *step,
		     const struct document_rows *rows, struct changes *cs, struct error *e)
{
	struct change *put = changes_put(cs, RECORD_DOCUMENT, doc->id, NULL, document_body(a, doc));

	put->text = doc->text;
	put->entry = entry_of(a, doc, step, rows);
	if (!put->entry)
		return no_memory(e);
	if (!step->keep_rows) {
		put = changes_put(cs, RECORD_VERSION, version_id(a, doc->id, doc->version), NULL,
				  version_body(a, doc));
		put->text = doc->text;
	}
	return changes_done(cs, e);
}

static json_t *put_result(const struct document *doc, const struct document_step *step, int64_t revision)
{
	static const char *const names[] = { "created", "updated", "unchanged" };

	return json_pack("{s:s, s:s, s:I, s:s, s:b}", "document", doc->id, "version", doc->version,
			 "revision", (json_int_t)revision, "result", names[step->status], "created",
			 step->status == PUT_CREATED);
}

/* Nothing changes; but a request with an Idempotency-Key leaves its answer. */
static int commit_nothing(struct desk *d, const struct call *c, const json_t *result)
{
	const char *stream = c->request ? stream_of(c->arena, "request", c->request) : NULL;
	struct event ev = { .stream = stream, .expect = ENGINE_ANY, .kind = "document.unchanged" };
	struct commit done;

	if (!c->request)
		return 0;
	return stream ? call_commit(c, d->engine, &ev, 200, result, &done) : no_memory(c->err);
}

static int commit_put(struct desk *d, const struct call *c, const struct document *doc,
		      const struct document_step *step, const struct document_rows *rows,
		      const json_t *result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct commit done;
	int rc = document_changes(c->arena, doc, step, rows, &cs, c->err);
	struct event ev = { .stream = doc->stream,
			    .expect = step->revision,
			    .kind = DOCUMENT_PUT_EVENT,
			    .changes = cs.list,
			    .n = cs.n };

	return rc < 0 ? rc
		      : call_commit(c, d->engine, &ev, step->status == PUT_CREATED ? 201 : 200, result,
				    &done);
}

/* One attempt. `rows` are planned and embedded once, whatever the number of attempts. */
static int put_once(struct desk *d, const struct call *c, const struct document *doc,
		    struct document_rows *rows, int *planned, struct document_step *now, json_t **result)
{
	int rc = document_compare(d, c, doc, now);

	if (rc == 0 && now->status != PUT_UNCHANGED && !now->keep_rows && !*planned) {
		*planned = 1;
		if ((rc = document_plan(d, c->arena, doc, rows, c->err)) == 0)
			rc = document_embed(d, c->arena, rows, 1, NULL, c->err);
	}
	if (rc < 0)
		return rc;
	int changes = now->status != PUT_UNCHANGED;
	JSON_AUTO *res = put_result(doc, now, now->revision + changes);
	if (!res)
		return no_memory(c->err);
	rc = changes ? commit_put(d, c, doc, now, rows, res) : commit_nothing(d, c, res);
	if (rc == 0 && result)
		*result = json_incref(res);
	return rc;
}

int document_put(struct desk *d, const struct call *c, const struct document *doc, struct document_step *step,
		 json_t **result)
{
	struct document_rows rows = { 0 };
	struct document_step now = { 0 };
	struct retries y = retries_of(d->engine, doc->id);
	int planned = 0, rc = 0;

	while (retry(&y, rc))
		rc = put_once(d, c, doc, &rows, &planned, &now, result);
	if (rc == 0 && step)
		*step = now;
	return rc;
}

int document_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result)
{
	struct document doc;
	int rc = document_read(d, c, id, body, &doc);

	return rc < 0 ? rc : document_put(d, c, &doc, NULL, result);
}

/* Taken away; who might see it last is kept for what is left of it in evidence and cases. */
static int delete_once(struct desk *d, const struct call *c, const char *id, const json_t *result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct event ev = { .stream = stream_of(c->arena, "document", id), .kind = "document.deleted" };
	json_t *last = body_new(c->arena);
	struct record r = { 0 };
	struct commit done;
	int rc = engine_get(d->engine, RECORD_DOCUMENT, id, c->arena, &r, c->err);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !rights_see(c->rights, json_object_get(r.body, "acl"))))
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such document");
	if (rc < 0 || (rc = call_check_match(c, r.revision)) < 0)
		return rc;
	if (!ev.stream || !last || body_set(last, "document", id) < 0 ||
	    body_set_copy(last, "acl", json_object_get(r.body, "acl")) < 0 ||
	    body_set_time(last, "at", clock_wall_ms()) < 0)
		return no_memory(c->err);
	changes_delete(&cs, RECORD_DOCUMENT, id);
	changes_put(&cs, RECORD_VERSION, version_id(c->arena, id, LAST_VERSION), NULL, last);
	if ((rc = changes_done(&cs, c->err)) < 0)
		return rc;
	ev.expect = r.revision;
	ev.changes = cs.list;
	ev.n = cs.n;
	return call_commit(c, d->engine, &ev, 200, result, &done);
}

int document_delete_act(struct desk *d, const struct call *c, const char *id, json_t **result)
{
	struct retries y = retries_of(d->engine, id);
	JSON_AUTO *res = json_pack("{s:s}", "id", id);
	int rc = 0;

	if (!res)
		return no_memory(c->err);
	while (retry(&y, rc))
		rc = delete_once(d, c, id, res);
	if (rc == 0)
		*result = json_incref(res);
	return rc;
}
