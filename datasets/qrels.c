#include "datasets/qrels.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "datasets/rows.h"

#define MAX_FIELDS 5

struct query {
	struct judged *list;
	size_t n, cap;
};

struct qrels {
	struct arena *arena;
	struct map *ids; /* query -> its struct query */
};

void qrels_free(struct qrels *q)
{
	if (!q)
		return;
	map_free(q->ids);
	arena_free(q->arena);
	free(q);
}

/* `document` is the arena's. */
static int add(struct qrels *q, const char *query, const char *document, int gain)
{
	uint64_t *slot = map_put(q->ids, query, strlen(query), NULL);

	if (!slot)
		return -1;
	if (!*slot)
		*slot = (uint64_t)(uintptr_t)arena_alloc(q->arena, sizeof(struct query));
	struct query *one = (struct query *)(uintptr_t)*slot;
	if (!one)
		return -1;
	if (one->n == one->cap) {
		size_t cap = one->cap ? 2 * one->cap : 4;
		struct judged *list = arena_alloc(q->arena, cap * sizeof(*list));
		if (!list)
			return -1;
		if (one->n)
			memcpy(list, one->list, one->n * sizeof(*list));
		one->list = list;
		one->cap = cap;
	}
	one->list[one->n] = (struct judged){ document, gain };
	one->n++;
	return 0;
}

static int read_line(void *arg, const char *line, size_t n, unsigned long number, struct error *e)
{
	struct qrels *q = arg;
	const char *fields[MAX_FIELDS];
	char *end;
	long found = rows_split(q->arena, line, fields, MAX_FIELDS);

	(void)n;
	if (found <= 0)
		return found < 0 ? no_memory(e) : 0;
	if (found != 3 && found != 4)
		return error_set(e, ERR_BAD_VALUE, NULL, "a judgement is query, document and score");
	long gain = strtol(fields[found - 1], &end, 10);
	if (*end || end == fields[found - 1]) {
		if (number == 1)
			return 0; /* the header */
		return error_set(e, ERR_BAD_VALUE, NULL, "the score is no integer");
	}
	return add(q, fields[0], fields[found - 2], (int)gain) < 0 ? no_memory(e) : 0;
}

int qrels_read(const char *path, struct qrels **out, struct error *e)
{
	struct qrels *q = calloc(1, sizeof(*q));
	int rc;

	if (!q)
		return no_memory(e);
	q->arena = arena_new(64 << 10);
	q->ids = map_new();
	rc = q->arena && q->ids ? rows_each(path, read_line, q, e) : no_memory(e);
	if (rc < 0) {
		qrels_free(q);
		return rc;
	}
	*out = q;
	return 0;
}

size_t qrels_of(const struct qrels *q, const char *query, const struct judged **out)
{
	const uint64_t *slot = map_get(q->ids, query, strlen(query));
	const struct query *one = slot ? (const struct query *)(uintptr_t)*slot : NULL;

	if (!one)
		return 0;
	*out = one->list;
	return one->n;
}

size_t qrels_queries(const struct qrels *q)
{
	return map_count(q->ids);
}

const char *qrels_each(const struct qrels *q, size_t *i)
{
	const char *query;
	uint64_t *value;
	size_t n;

	return map_each(q->ids, i, &query, &n, &value) ? query : NULL;
}
