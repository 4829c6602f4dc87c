#include "datasets/qrels.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"

#define MAX_LINE 65536
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
	one->list[one->n] = (struct judged){ arena_strdup(q->arena, document), gain };
	return one->list[one->n++].document ? 0 : -1;
}

/* Cuts a line into fields in place. By tabs if it has any, so that ids may hold spaces. */
static size_t split(char *line, char *fields[MAX_FIELDS])
{
	const char *between = strchr(line, '\t') ? "\t" : " ";
	char *rest;
	size_t n = 0;

	for (char *p = strtok_r(line, between, &rest); p && n < MAX_FIELDS;
	     p = strtok_r(NULL, between, &rest))
		fields[n++] = p;
	return n;
}

static int read_line(struct qrels *q, char *line, const char *path, unsigned long number, struct error *e)
{
	char *fields[MAX_FIELDS], *end;
	size_t n = split(line, fields);

	if (n == 0)
		return 0;
	if (n != 3 && n != 4)
		return error_set(e, ERR_BAD_VALUE, NULL, "%s:%lu: a judgement is query, document and score",
				 path, number);
	long gain = strtol(fields[n - 1], &end, 10);
	if (*end || end == fields[n - 1]) {
		if (number == 1)
			return 0; /* the header */
		return error_set(e, ERR_BAD_VALUE, NULL, "%s:%lu: the score is no integer", path, number);
	}
	return add(q, fields[0], fields[n - 2], (int)gain) < 0 ? no_memory(e) : 0;
}

static int read_all(struct qrels *q, struct lines *lines, const char *path, struct error *e)
{
	char copy[MAX_LINE + 1];
	const char *s;
	size_t n;
	unsigned long number = 0;
	int rc;

	while ((rc = lines_next(lines, MAX_LINE, &s, &n, e)) > 0) {
		number++;
		if (n > MAX_LINE)
			return error_set(e, ERR_TOO_LARGE, NULL, "%s:%lu: the line is too long", path,
					 number);
		while (n && (s[n - 1] == '\r' || s[n - 1] == ' '))
			n--;
		memcpy(copy, s, n);
		copy[n] = '\0';
		if ((rc = read_line(q, copy, path, number, e)) < 0)
			return rc;
	}
	return rc;
}

int qrels_read(const char *path, struct qrels **out, struct error *e)
{
	struct qrels *q = calloc(1, sizeof(*q));
	struct lines *lines = NULL;
	int rc;

	if (!q)
		return no_memory(e);
	q->arena = arena_new(64 << 10);
	q->ids = map_new();
	rc = q->arena && q->ids ? lines_open(path, &lines, e) : no_memory(e);
	if (rc == 0)
		rc = read_all(q, lines, path, e);
	lines_close(lines);
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
