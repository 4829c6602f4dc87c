#include "datasets/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "datasets/rows.h"

#define COLUMNS 6

struct found {
	const char *document;
	double score;
};

struct query {
	struct found *list;
	size_t n, cap;
	const char **ranked; /* once all is read */
};

struct run {
	struct arena *arena;
	struct map *ids;   /* query -> its struct query */
	struct map *pairs; /* query, NUL, document -> line; NULL once all is read */
	enum { UNKNOWN, TREC, JSON } form;
};

void run_free(struct run *r)
{
	if (!r)
		return;
	map_free(r->ids);
	map_free(r->pairs);
	arena_free(r->arena);
	free(r);
}

/* The query's entry, made where there is none; NULL without memory. */
static struct query *query_of(struct run *r, const char *id)
{
	uint64_t *slot = map_put(r->ids, id, strlen(id), NULL);

	if (slot && !*slot)
		*slot = (uint64_t)(uintptr_t)arena_alloc(r->arena, sizeof(struct query));
	return slot ? (struct query *)(uintptr_t)*slot : NULL;
}

/* ERR_BAD_VALUE if the query has this document already. */
static int once(struct run *r, const char *query, const char *document, unsigned long number, struct error *e)
{
	size_t q = strlen(query), d = strlen(document);
	char *key = arena_alloc(r->arena, q + 1 + d + 1);

	if (!key)
		return no_memory(e);
	memcpy(key, query, q);
	memcpy(key + q + 1, document, d);
	uint64_t *line = map_put(r->pairs, key, q + 1 + d, NULL);
	if (!line)
		return no_memory(e);
	if (*line)
		return error_set(e, ERR_BAD_VALUE, NULL,
				 "document %.100s was found for query %.100s already, in line %llu", document,
				 query, (unsigned long long)*line);
	*line = number;
	return 0;
}

/* The strings are the arena's, or live as long. */
static int add(struct run *r, const char *query, struct found f, unsigned long number, struct error *e)
{
	struct query *q = query_of(r, query);
	int rc = q ? once(r, query, f.document, number, e) : no_memory(e);

	if (rc < 0)
		return rc;
	if (ARENA_GROW(r->arena, q->list, q->n, q->cap) < 0)
		return no_memory(e);
	q->list[q->n++] = f;
	return 0;
}

static int add_columns(struct run *r, const char *line, unsigned long number, struct error *e)
{
	const char *fields[COLUMNS + 1];
	long n = rows_split(r->arena, line, fields, COLUMNS + 1);
	char *end;

	if (n < 0)
		return no_memory(e);
	if (n != COLUMNS)
		return error_set(
			e, ERR_BAD_VALUE, NULL,
			"a run has six columns (query, Q0, document, rank, score, tag); here are %s%ld",
			n > COLUMNS ? "more than " : "", n > COLUMNS ? (long)COLUMNS : n);
	double score = strtod(fields[4], &end);
	if (end == fields[4] || *end || !isfinite(score))
		return error_set(e, ERR_BAD_VALUE, NULL, "the score (column 5) is no finite number");
	return add(r, fields[0], (struct found){ fields[2], score }, number, e);
}

static int add_object(struct run *r, const char *line, size_t n, unsigned long number, struct error *e)
{
	json_t *j;
	int rc = json_parse_arena(r->arena, line, n, e, &j);

	if (rc < 0)
		return rc;
	const char *query = json_string_value(json_object_get(j, "query"));
	const json_t *ranked = json_object_get(j, "ranked"), *id;
	size_t i;
	if (!query || !*query)
		return error_set(e, ERR_MISSING_FIELD, "query", "is required: the query's id");
	if (!json_is_array(ranked))
		return error_set(e, ERR_MISSING_FIELD, "ranked",
				 "is required: the documents' ids, the best first");
	if (map_get(r->ids, query, strlen(query)))
		return error_set(e, ERR_BAD_VALUE, "query", "%.100s has a line already", query);
	if (!query_of(r, query))
		return no_memory(e);
	json_array_foreach(ranked, i, id) {
		if (json_string_length(id) == 0)
			return error_set(e, ERR_WRONG_TYPE, "ranked", "element %zu is no id", i);
		const struct found f = { json_string_value(id), -(double)i };
		if ((rc = add(r, query, f, number, e)) < 0)
			return rc;
	}
	return 0;
}

static int read_line(void *arg, const char *line, size_t n, unsigned long number, struct error *e)
{
	struct run *r = arg;

	if (n == 0)
		return 0;
	if (r->form == UNKNOWN)
		r->form = line[strspn(line, " \t")] == '{' ? JSON : TREC;
	return r->form == JSON ? add_object(r, line, n, number, e) : add_columns(r, line, number, e);
}

static int by_score(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return strcmp(y->document, x->document);
}

static int rank_all(struct run *r, struct error *e)
{
	size_t i = 0, n;
	const char *id;
	uint64_t *value;

	while (map_each(r->ids, &i, &id, &n, &value)) {
		struct query *q = (struct query *)(uintptr_t)*value;
		q->ranked = arena_alloc(r->arena, (q->n + 1) * sizeof(*q->ranked));
		if (!q->ranked)
			return no_memory(e);
		if (q->n)
			qsort(q->list, q->n, sizeof(*q->list), by_score);
		for (size_t k = 0; k < q->n; k++)
			q->ranked[k] = q->list[k].document;
	}
	map_free(r->pairs);
	r->pairs = NULL;
	return 0;
}

int run_read(const char *path, struct run **out, struct error *e)
{
	struct run *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return no_memory(e);
	r->arena = arena_new(64 << 10);
	r->ids = map_new();
	r->pairs = map_new();
	rc = r->arena && r->ids && r->pairs ? rows_each(path, read_line, r, e) : no_memory(e);
	if (rc == 0)
		rc = rank_all(r, e);
	if (rc < 0) {
		run_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

size_t run_of(const struct run *r, const char *query, const char *const **out)
{
	const uint64_t *slot = map_get(r->ids, query, strlen(query));
	const struct query *q = slot ? (const struct query *)(uintptr_t)*slot : NULL;

	if (!q || q->n == 0)
		return 0;
	*out = q->ranked;
	return q->n;
}

const char *run_each(const struct run *r, size_t *i)
{
	const char *query;
	uint64_t *value;
	size_t n;

	return map_each(r->ids, i, &query, &n, &value) ? query : NULL;
}

int run_has(const struct run *r, const char *query)
{
	return map_get(r->ids, query, strlen(query)) != NULL;
}
