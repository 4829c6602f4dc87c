/* adapter_lessons.c: what an adapter learns from, out of the records of cases and documents. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"
#include "engine/each.h"
#include "learn/adapter_fit.h"

#define MOST_ROWS 4096  /* of documents */
#define MOST_PAIRS 4000 /* the latest */

struct reading {
	struct engine *engine;
	struct arena *arena;
	size_t dim, rows;
	struct map *numbers; /* document -> number + 1; NOT_THERE: it has no rows */
	struct adapter_document *documents;
	size_t n_documents, cap_documents;
	struct adapter_pair *pairs;
	size_t n_pairs, cap_pairs;
};

#define NOT_THERE UINT64_MAX

static const char *string_of(const json_t *body, const char *name)
{
	const char *s = json_string_value(json_object_get(body, name));

	return s ? s : "";
}

/* *out: its number, or NOT_THERE for one that is gone or has no vector. */
static int document_number(struct reading *r, const char *id, uint64_t *out, struct error *e)
{
	uint64_t *known = map_put(r->numbers, id, strlen(id), NULL);
	struct entry_row *rows;
	size_t n, with_vector = 0;

	if (!known)
		return no_memory(e);
	if (*known) {
		*out = *known == NOT_THERE ? NOT_THERE : *known - 1;
		return 0;
	}
	int rc = engine_rows(r->engine, RECORD_DOCUMENT, id, r->arena, &rows, &n, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		with_vector += rows[i].vector != NULL;
	if (with_vector == 0) {
		*known = *out = NOT_THERE;
		return 0;
	}
	if (GROW(r->documents, r->n_documents, r->cap_documents) < 0)
		return no_memory(e);
	*out = r->n_documents;
	*known = r->n_documents + 1;
	r->documents[r->n_documents++] = (struct adapter_document){ rows, n };
	r->rows += with_vector;
	return 0;
}

/* The opening, in the customer's words; it is the last question of its case. */
static const float *opening_of(const struct entry_row *rows, size_t n)
{
	const float *v = NULL;

	for (size_t i = 0; i < n; i++)
		if (rows[i].field == ROW_QUESTION && rows[i].vector)
			v = rows[i].vector;
	return v;
}

static int read_case(void *arg, struct arena *a, const struct record *x, struct error *e)
{
	struct reading *r = arg;
	const json_t *used = json_object_get(x->body, "documents");
	size_t n_used = json_array_size(used), n;
	struct entry_row *rows;

	(void)a;
	if (n_used == 0 || strcmp(string_of(x->body, "outcome"), "resolved") != 0 ||
	    json_is_true(json_object_get(x->body, "contested")))
		return 0;
	int rc = engine_rows(r->engine, RECORD_CASE, x->id, r->arena, &rows, &n, e);
	const float *query = rc < 0 ? NULL : opening_of(rows, n);
	for (size_t i = 0; rc == 0 && query && i < n_used; i++) {
		const char *id = json_string_value(json_array_get(used, i));
		uint64_t number = NOT_THERE;
		if (id)
			rc = document_number(r, id, &number, e);
		if (rc < 0 || number == NOT_THERE)
			continue;
		if (GROW(r->pairs, r->n_pairs, r->cap_pairs) < 0)
			return no_memory(e);
		r->pairs[r->n_pairs++] = (struct adapter_pair){ query, (uint32_t)number, 1 / (float)n_used };
	}
	return rc;
}

/* 1 when there are enough. */
static int read_other(void *arg, struct arena *a, const struct record *x, struct error *e)
{
	struct reading *r = arg;
	uint64_t number;
	int rc = document_number(r, x->id, &number, e);

	(void)a;
	return rc < 0 ? rc : r->rows >= MOST_ROWS;
}

static int copy_out(struct reading *r, struct adapter_lessons *out)
{
	size_t skip = r->n_pairs > MOST_PAIRS ? r->n_pairs - MOST_PAIRS : 0, n = r->n_pairs - skip;
	struct adapter_document *d = arena_alloc(r->arena, (r->n_documents + 1) * sizeof(*d));
	struct adapter_pair *p = arena_alloc(r->arena, (n + 1) * sizeof(*p));

	if (!d || !p)
		return -1;
	if (r->n_documents)
		memcpy(d, r->documents, r->n_documents * sizeof(*d));
	if (n)
		memcpy(p, r->pairs + skip, n * sizeof(*p));
	*out = (struct adapter_lessons){
		.documents = d, .n_documents = r->n_documents, .pairs = p, .n_pairs = n, .dim = r->dim
	};
	return 0;
}

int adapter_lessons_read(struct engine *g, struct arena *a, struct adapter_lessons *out, struct error *e)
{
	struct reading r = { .engine = g, .arena = a, .numbers = map_new() };
	struct engine_status s;
	int rc = r.numbers ? engine_status(g, a, &s, e) : no_memory(e);

	if (rc == 0) {
		r.dim = s.dim;
		rc = r.dim ? engine_each(g, &(struct scan){ .kind = RECORD_CASE }, read_case, &r, e) : 0;
	}
	if (rc == 0 && r.n_pairs > 0 && r.rows < MOST_ROWS)
		rc = engine_each(g, &(struct scan){ .kind = RECORD_DOCUMENT }, read_other, &r, e);
	if (rc >= 0 && (rc = copy_out(&r, out)) < 0)
		rc = no_memory(e);
	free(r.documents);
	free(r.pairs);
	map_free(r.numbers);
	return rc;
}
