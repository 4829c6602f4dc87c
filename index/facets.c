#include "index/facets.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"

/* All values of one key, those of one part behind those of another; the strings are the segments'. */
struct counted {
	struct index_facet_value *p; /* owned */
	size_t n, cap;
};

static int add(struct counted *c, struct index_value v, size_t count)
{
	if (count == 0)
		return 0;
	if (GROW(c->p, c->n, c->cap) < 0)
		return -1;
	c->p[c->n++] = (struct index_facet_value){ v, count };
	return 0;
}

/* The value behind the key in a name's text. */
static struct index_value value_of(char kind, struct text rest)
{
	if (kind == 's')
		return (struct index_value){ .type = VALUE_STRING, .s = rest };
	return (struct index_value){ .type = VALUE_BOOL, .number = rest.n && rest.s[0] == '1' };
}

/* Strings ('s') or booleans ('b'): names that begin with kind, key and a zero. */
static int count_names(const struct tagset *t, char kind, const char *key, const uint64_t *allowed,
		       struct arena *a, struct counted *c)
{
	size_t n = strlen(key) + 2;
	char *prefix = arena_alloc(a, n);

	if (!prefix)
		return -1;
	prefix[0] = kind;
	memcpy(prefix + 1, key, n - 1);
	for (uint32_t i = tagset_from(t, prefix, n); i < t->n; i++) {
		struct text s = tagset_text(t, &t->names[i]);
		if (s.n < n || memcmp(s.s, prefix, n) != 0)
			break;
		if (add(c, value_of(kind, (struct text){ s.s + n, s.n - n }),
			tagset_count(t, &t->names[i], allowed)) < 0)
			return -1;
	}
	return 0;
}

/* The column is by value, then document; a list may hold a number twice. */
static int count_numbers(const struct search *s, size_t part, const char *key, struct counted *c)
{
	const struct tagset *t = &s->list->parts[part].segment->tags;
	const struct tag_name *name = tagset_find(t, 'n', key, NULL);
	const double *v = name ? tagset_values(t, name) : NULL;
	const uint32_t *doc = name ? tagset_column(t, name) : NULL;
	int rc = 0;

	for (uint32_t i = 0, next; name && rc == 0 && i < name->count; i = next) {
		size_t count = 0;
		for (next = i; next < name->count && v[next] == v[i]; next++)
			count += (next == i || doc[next] != doc[next - 1]) &&
				 search_allows(s, part, doc[next]);
		next += next == i; /* not a number */
		rc = add(c, (struct index_value){ .type = VALUE_NUMBER, .number = v[i] }, count);
	}
	return rc;
}

static int compare(const struct index_value *x, const struct index_value *y)
{
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->type != VALUE_STRING)
		return (x->number > y->number) - (x->number < y->number);
	size_t n = x->s.n < y->s.n ? x->s.n : y->s.n;
	int order = n ? memcmp(x->s.s, y->s.s, n) : 0;
	return order ? order : (x->s.n > y->s.n) - (x->s.n < y->s.n);
}

static int by_value(const void *a, const void *b)
{
	const struct index_facet_value *x = a, *y = b;

	return compare(&x->value, &y->value);
}

static int by_count(const void *a, const void *b)
{
	const struct index_facet_value *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return compare(&x->value, &y->value);
}

/* An entry is alive in one part only, so what the parts say adds up. */
static void add_up(struct counted *c)
{
	size_t n = 0;

	if (c->n > 1)
		qsort(c->p, c->n, sizeof(*c->p), by_value);
	for (size_t i = 0; i < c->n; i++) {
		if (n && compare(&c->p[n - 1].value, &c->p[i].value) == 0)
			c->p[n - 1].count += c->p[i].count;
		else
			c->p[n++] = c->p[i];
	}
	c->n = n;
	if (c->n > 1)
		qsort(c->p, c->n, sizeof(*c->p), by_count);
}

/* The most frequent ones, copied: the segments may be gone after the search. */
static int keep_best(const struct counted *c, struct arena *a, struct index_facet *out)
{
	size_t n = c->n < INDEX_FACET_VALUES ? c->n : INDEX_FACET_VALUES;
	struct index_facet_value *best = arena_alloc(a, (n + 1) * sizeof(*best));

	if (!best)
		return -1;
	for (size_t i = 0; i < n; i++) {
		best[i] = c->p[i];
		if (best[i].value.type != VALUE_STRING)
			continue;
		best[i].value.s.s = arena_strndup(a, c->p[i].value.s.s, c->p[i].value.s.n);
		if (!best[i].value.s.s)
			return -1;
	}
	*out = (struct index_facet){ best, n };
	return 0;
}

static int count_key(const struct search *s, const char *key, struct counted *c)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->list->n; i++) {
		const struct tagset *t = &s->list->parts[i].segment->tags;
		const uint64_t *allowed = s->allowed[i].bits;
		if (s->allowed[i].n == 0)
			continue;
		rc = count_names(t, 's', key, allowed, s->arena, c);
		if (rc == 0)
			rc = count_names(t, 'b', key, allowed, s->arena, c);
		if (rc == 0)
			rc = count_numbers(s, i, key, c);
	}
	return rc;
}

int facets_count(const struct search *s, const struct index_facet **out)
{
	struct index_facet *list = arena_alloc(s->arena, (s->q->n_facets + 1) * sizeof(*list));
	int rc = list ? 0 : -1;

	for (size_t i = 0; i < s->q->n_facets && rc == 0; i++) {
		struct counted c = { 0 };
		rc = count_key(s, s->q->facets[i], &c);
		add_up(&c);
		if (rc == 0)
			rc = keep_best(&c, s->arena, &list[i]);
		free(c.p);
	}
	if (rc == 0)
		*out = list;
	return rc;
}
