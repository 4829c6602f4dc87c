#include "ingest/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "desk/checks.h"
#include "embed/embed.h"

#define MAX_GROUPS 64
#define MAX_GROUP 64

/* Fields as they stand in the body. */
struct fields {
	struct text id, title, text, markdown, html, url, source;
	json_t *acl, *attributes, *metadata, *vector, *chunks;
};

static void read_fields(struct reader *r, int is_line, struct fields *f, struct document *doc)
{
	int64_t at = -1;

	if (is_line)
		reader_text(r, "_id", REQUIRED, DOCUMENT_MAX_TITLE, &f->id); /* id_check() has the limit */
	reader_text(r, "title", OPTIONAL, DOCUMENT_MAX_TITLE, &f->title);
	reader_text(r, "text", OPTIONAL, DOCUMENT_MAX_TEXT, &f->text);
	reader_text(r, "markdown", OPTIONAL, DOCUMENT_MAX_TEXT, &f->markdown);
	reader_text(r, "html", OPTIONAL, DOCUMENT_MAX_TEXT, &f->html);
	reader_text(r, "url", OPTIONAL, DOCUMENT_MAX_URL, &f->url);
	reader_text(r, "source", OPTIONAL, DOCUMENT_MAX_SOURCE, &f->source);
	reader_strings(r, "acl", OPTIONAL, MAX_GROUPS, MAX_GROUP, &f->acl);
	reader_object(r, "attributes", OPTIONAL, &f->attributes);
	if (is_line)
		reader_object(r, "metadata", OPTIONAL, &f->metadata);
	reader_time(r, "updated_at", OPTIONAL, &at);
	reader_any(r, "vector", OPTIONAL, &f->vector);
	reader_array(r, "chunks", OPTIONAL, DOCUMENT_MAX_CHUNKS, &f->chunks);
	doc->has_time = at != -1;
	doc->updated_at = doc->has_time ? at : clock_wall_ms();
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The groups sorted and without repetition, so that equal ACLs are equal JSON. NULL without memory. */
static json_t *sorted_acl(struct arena *a, json_t *acl)
{
	size_t n = json_array_size(acl);
	const char **groups = arena_alloc(a, n * sizeof(*groups));
	json_t *out = json_keep(a, json_array());

	if (!groups || !out)
		return NULL;
	for (size_t i = 0; i < n; i++)
		groups[i] = json_string_value(json_array_get(acl, i));
	qsort(groups, n, sizeof(*groups), by_bytes);
	for (size_t i = 0; i < n; i++)
		if ((i == 0 || strcmp(groups[i], groups[i - 1]) != 0) &&
		    json_array_append_new(out, json_string(groups[i])) < 0)
			return NULL;
	return out;
}

static int read_acl(const struct call *c, struct reader *r, json_t *acl, struct document *doc)
{
	if (!acl || check_acl(c, r, acl) < 0)
		return r->rc;
	doc->acl = sorted_acl(c->arena, acl);
	return doc->acl ? 0 : no_memory(c->err);
}

static int read_attributes(struct reader *r, const struct fields *f, struct document *doc)
{
	json_t *found = f->attributes ? f->attributes : f->metadata;

	if (f->attributes && f->metadata)
		reader_fail(r, ERR_BAD_VALUE, "metadata", "is another name of attributes: give one of them");
	check_attributes(r, f->attributes ? "attributes" : "metadata", found);
	doc->attributes = json_object_size(found) ? found : NULL;
	return r->rc;
}

static int is_blank(struct text t)
{
	return !t.s || strspn(t.s, " \t\r\n") == t.n;
}

/* Markdown or HTML: its plain text, and its heading where no title is given. */
static int read_markup(const struct call *c, const struct fields *f, struct document *doc)
{
	struct text heading = { NULL, 0 };
	int rc = 0;

	if (f->markdown.s)
		rc = markdown_text(c->arena, f->markdown.s, f->markdown.n, &doc->text, &heading, c->err);
	else if (f->html.s)
		rc = html_text(c->arena, f->html.s, f->html.n, &doc->text, &heading, c->err);
	if (rc == 0 && !doc->title.s && heading.s)
		doc->title = (struct text){
			heading.s, utf8_floor(heading.s, heading.n,
					      heading.n < DOCUMENT_MAX_TITLE ? heading.n : DOCUMENT_MAX_TITLE)
		};
	return rc;
}

static int read_texts(const struct call *c, struct reader *r, const struct fields *f, struct document *doc)
{
	int rc, given = (f->text.s != NULL) + (f->markdown.s != NULL) + (f->html.s != NULL);

	if (given == 0)
		reader_fail(r, ERR_MISSING_FIELD, "text", "is required (or markdown or html in its place)");
	else if (given > 1)
		reader_fail(r, ERR_BAD_VALUE, f->markdown.s ? "markdown" : "html",
			    "give one of text, markdown and html");
	if (r->rc < 0)
		return r->rc;
	doc->text = f->text;
	doc->title = f->title;
	if ((rc = read_markup(c, f, doc)) < 0)
		return rc;
	if (is_blank(doc->title))
		doc->title = (struct text){ "", 0 };
	if (is_blank(doc->text) && !doc->title.n)
		reader_fail(r, ERR_EMPTY_TEXT, "text", "a document needs a title or a text");
	return r->rc;
}

/* One chunk: offsets of the text, on character boundaries, and its vector. */
static int read_chunk(const struct call *c, json_t *item, const char *path, size_t dim,
		      const struct document *doc, struct document_chunk *out)
{
	struct reader r;
	int64_t start = 0, end = 0, n = (int64_t)doc->text.n;
	json_t *vector = NULL;
	char at[160];
	int rc;

	reader_init(&r, item, path, c->err);
	reader_int(&r, "start", REQUIRED, 0, n, &start);
	reader_int(&r, "end", REQUIRED, 0, n, &end);
	reader_any(&r, "vector", REQUIRED, &vector);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	if (end <= start)
		reader_fail(&r, ERR_BAD_VALUE, "end", "must be greater than start");
	if (utf8_floor(doc->text.s, doc->text.n, (size_t)start) != (size_t)start)
		reader_fail(&r, ERR_BAD_VALUE, "start", "is inside a character");
	if (utf8_floor(doc->text.s, doc->text.n, (size_t)end) != (size_t)end)
		reader_fail(&r, ERR_BAD_VALUE, "end", "is inside a character");
	if (r.rc < 0)
		return r.rc;
	out->span = (struct span){ (size_t)start, (size_t)end };
	reader_path(&r, "vector", -1, at, sizeof(at));
	return search_read_vector(c->arena, vector, at, dim, &out->vector, c->err);
}

static int read_chunks(const struct call *c, struct reader *r, json_t *chunks, size_t dim,
		       struct document *doc)
{
	struct document_chunk *list = arena_alloc(c->arena, json_array_size(chunks) * sizeof(*list));
	json_t *item;
	size_t i;

	if (!list)
		return no_memory(c->err);
	json_array_foreach(chunks, i, item) {
		char path[160];
		reader_path(r, "chunks", (long)i, path, sizeof(path));
		int rc = read_chunk(c, item, path, dim, doc, &list[i]);
		if (rc < 0)
			return rc;
	}
	doc->chunks = list;
	doc->n_chunks = json_array_size(chunks);
	return 0;
}

/* So that other vectors for the same text are a change. */
static void hash_vectors(struct document *doc, size_t dim)
{
	struct sha256 s;

	sha256_init(&s);
	if (doc->vector)
		sha256_add(&s, doc->vector, dim * sizeof(float));
	for (size_t i = 0; i < doc->n_chunks; i++) {
		uint64_t span[2] = { doc->chunks[i].span.start, doc->chunks[i].span.end };
		sha256_add(&s, span, sizeof(span));
		sha256_add(&s, doc->chunks[i].vector, dim * sizeof(float));
	}
	sha256_end_text(&s, doc->vectors);
}

static int read_vectors(struct desk *d, const struct call *c, struct reader *r, const struct fields *f,
			struct document *doc)
{
	const char *name = f->vector ? "vector" : "chunks";
	size_t dim = embedder_info(d->embedder)->dim;
	int rc;

	if (!f->vector && !json_array_size(f->chunks))
		return 0;
	if (f->vector && f->chunks)
		reader_fail(r, ERR_BAD_VALUE, "chunks", "give one of vector and chunks");
	else if (dim == 0)
		reader_fail(r, ERR_NO_EMBEDDER, name, "vectors are not kept here: the embedder is none");
	else if (f->chunks && !f->text.s)
		reader_fail(r, ERR_BAD_VALUE, "chunks",
			    "offsets count bytes of text: send text, not markdown or html");
	if (r->rc < 0)
		return r->rc;
	rc = f->vector ? search_read_vector(c->arena, f->vector, "vector", dim, &doc->vector, c->err)
		       : read_chunks(c, r, f->chunks, dim, doc);
	if (rc == 0)
		hash_vectors(doc, dim);
	return rc;
}

void document_version(struct text title, struct text text, char out[SHA256_TEXT])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, title.s, title.n);
	sha256_add(&s, "\n", 2); /* the newline and the NUL behind it */
	sha256_add(&s, text.s, text.n);
	sha256_end_text(&s, out);
}

int document_read(struct desk *d, const struct call *c, const char *id, json_t *body, struct document *out)
{
	struct document doc = { 0 };
	struct fields f = { .id = text_of(id), .url = { "", 0 }, .source = { "", 0 } };
	struct reader r;
	int rc;

	reader_init(&r, body, NULL, c->err);
	read_fields(&r, id == NULL, &f, &doc);
	if ((rc = reader_done(&r)) < 0 || (rc = id_check(f.id, id ? "id" : "_id", c->err)) < 0 ||
	    (rc = read_acl(c, &r, f.acl, &doc)) < 0 || (rc = read_attributes(&r, &f, &doc)) < 0 ||
	    (rc = read_texts(c, &r, &f, &doc)) < 0 || (rc = read_vectors(d, c, &r, &f, &doc)) < 0)
		return rc;
	doc.url = f.url;
	doc.source = f.source;
	doc.id = text_copy(c->arena, f.id);
	doc.stream = doc.id ? stream_of(c->arena, "document", doc.id) : NULL;
	if (!doc.stream)
		return no_memory(c->err);
	document_version(doc.title, doc.text, doc.version);
	*out = doc;
	return 0;
}
