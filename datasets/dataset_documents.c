/*
 * dataset_documents.c: the knowledge at the mark, from the recorded versions.
 *
 * Of a document it is the version that was recorded last up to the mark. By the
 * event that made it alone: what a later event changes of a version's record
 * must not change the dataset of an earlier mark. So a text that came back
 * after another one is not noticed.
 */
#include <stdlib.h>
#include <string.h>

#include "datasets/dataset_internal.h"

struct document {
	const char *id, *version;  /* version: id of its record; the arena's */
	uint64_t created, deleted; /* seq of that version, of the last deletion */
	int used;
	uint64_t at; /* in the spool, when it is loaded */
	size_t title_n, text_n;
	int loaded;
	struct document *next; /* the one that was noted before */
};

struct documents {
	struct arena *arena;
	struct map *by_id;             /* -> struct document * */
	struct document *last, **list; /* list: by id, when all are noted */
	size_t n, loaded;
	struct outfile *spool;
};

static struct document *find(const struct documents *d, const char *id)
{
	const uint64_t *slot = map_get(d->by_id, id, strlen(id));

	return slot ? (struct document *)(uintptr_t)*slot : NULL;
}

static struct document *find_or_make(struct documents *d, const char *id)
{
	struct document *x = find(d, id);

	if (x)
		return x;
	uint64_t *slot = map_put(d->by_id, id, strlen(id), NULL);
	x = slot ? arena_alloc(d->arena, sizeof(*x)) : NULL;
	if (!x)
		return NULL;
	x->id = arena_strdup(d->arena, id);
	x->next = d->last;
	*slot = (uint64_t)(uintptr_t)x;
	d->last = x;
	d->n++;
	return x->id ? x : NULL;
}

static int note_version(struct writing *w, struct arena *a, const struct record *r)
{
	struct document *x = find_or_make(w->documents, body_string(r->body, "document"));

	(void)a;
	if (!x)
		return no_memory(w->err);
	if (!*body_string(r->body, "version")) {
		x->deleted = r->created;
		return 0;
	}
	x->created = r->created;
	x->version = arena_strdup(w->documents->arena, r->id);
	return x->version ? 0 : no_memory(w->err);
}

static int by_id(const void *x, const void *y)
{
	return strcmp((*(struct document *const *)x)->id, (*(struct document *const *)y)->id);
}

static int sort(struct documents *d)
{
	struct document **to = arena_alloc(d->arena, (d->n + 1) * sizeof(struct document *));

	d->list = to;
	for (struct document *x = d->last; to && x; x = x->next)
		*to++ = x;
	if (d->list && d->n)
		qsort(d->list, d->n, sizeof(struct document *), by_id);
	return d->list ? 0 : -1;
}

int documents_open(struct writing *w, struct documents **out)
{
	struct documents *d = calloc(1, sizeof(*d));

	if (!d)
		return no_memory(w->err);
	*out = d; /* freed with the writing, whatever happens */
	d->arena = arena_new(64 << 10);
	d->by_id = map_new();
	if (!d->arena || !d->by_id)
		return no_memory(w->err);
	int rc = each_record(w, RECORD_VERSION, note_version);
	return rc == 0 && sort(d) < 0 ? no_memory(w->err) : rc;
}

void documents_free(struct documents *d)
{
	if (!d)
		return;
	outfile_drop(d->spool);
	map_free(d->by_id);
	arena_free(d->arena);
	free(d);
}

int documents_use(struct documents *d, const char *id)
{
	struct document *x = find(d, id);

	if (!x || !x->version)
		return 0;
	x->used = 1;
	return 1;
}

static int redact(struct writing *w, struct arena *a, struct text *title, struct text *text)
{
	const struct text nobody = { NULL, 0 };

	if (w->o->pii == PII_KEEP)
		return 0;
	if (redactor_begin(w->redactor, nobody) < 0 || redactor_text(w->redactor, a, *title, title) < 0 ||
	    redactor_text(w->redactor, a, *text, text) < 0)
		return no_memory(w->err);
	return 0;
}

static int load_one(struct writing *w, struct documents *d, struct document *x)
{
	struct arena *a = arena_new(64 << 10);
	struct record r;
	int rc = a ? engine_get(w->engine, RECORD_VERSION, x->version, a, &r, w->err) : no_memory(w->err);

	if (rc == 0) {
		struct text title = text_of(body_string(r.body, "title"));
		struct text text = r.text.s ? r.text : text_of("");
		rc = redact(w, a, &title, &text);
		x->at = outfile_bytes(d->spool);
		x->title_n = title.n;
		x->text_n = text.n;
		if (rc == 0) {
			outfile_add(d->spool, title.s, title.n);
			outfile_add(d->spool, text.s, text.n);
			x->loaded = 1;
			d->loaded++;
		}
	}
	arena_free(a);
	return rc;
}

int documents_load(struct writing *w, struct documents *d, int all)
{
	char path[DATASET_PATH + 160];
	size_t n = strlen(w->tmp);

	memcpy(path, w->tmp, n);
	memcpy(path + n, "/documents.spool", sizeof("/documents.spool"));
	int rc = outfile_open(path, OUTFILE_SPOOL, &d->spool, w->err);
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		struct document *x = d->list[i];
		if (!x->version || !(x->used || (all && x->created > x->deleted)))
			continue;
		if ((rc = check_stop(w)) == 0)
			rc = load_one(w, d, x);
	}
	return rc;
}

static int read_passage(struct writing *w, struct documents *d, struct arena *a, const struct document *x,
			struct passage *p)
{
	char *s = arena_alloc(a, x->title_n + x->text_n + 1);
	int rc = s ? outfile_read(d->spool, x->at, s, x->title_n + x->text_n, w->err) : no_memory(w->err);

	if (rc < 0)
		return rc;
	p->id = x->id;
	p->title = (struct text){ x->title_n ? s : NULL, x->title_n };
	p->text = (struct text){ s + x->title_n, x->text_n };
	return 0;
}

int documents_get(struct writing *w, struct documents *d, struct arena *a, struct passage *p)
{
	const struct document *x = find(d, p->id);

	if (!x || !x->loaded)
		return error_set(w->err, ERR_INTERNAL, NULL, "a document of a row was not loaded");
	return read_passage(w, d, a, x, p);
}

int documents_each(struct writing *w, struct documents *d, int (*each)(void *arg, const struct passage *p),
		   void *arg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		if (!d->list[i]->loaded)
			continue;
		struct arena *a = arena_new(64 << 10);
		struct passage p;
		rc = a ? read_passage(w, d, a, d->list[i], &p) : no_memory(w->err);
		if (rc == 0)
			rc = each(arg, &p);
		arena_free(a);
	}
	return rc;
}

size_t documents_count(const struct documents *d)
{
	return d->loaded;
}
