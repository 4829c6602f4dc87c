#include "index/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "index/tags.h"

static const struct slotset *set_of(uint64_t v)
{
	return (const struct slotset *)(uintptr_t)v;
}

/* Does a value that compares with the given as `order` (< 0, 0, > 0) meet the condition? */
static int meets(enum filter_op op, int order)
{
	switch (op) {
	case FILTER_GT:
		return order > 0;
	case FILTER_GTE:
		return order >= 0;
	case FILTER_LT:
		return order < 0;
	case FILTER_LTE:
		return order <= 0;
	default:
		return order == 0;
	}
}

static int compare_bytes(const char *a, size_t an, const char *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int order = n ? memcmp(a, b, n) : 0;

	return order ? order : (an > bn) - (an < bn);
}

static void add_strings(const struct tag_key *k, enum filter_op op, const struct text *s,
			roaring_bitmap_t *to)
{
	const char *value;
	uint64_t *p;

	if (!k->strings.sets)
		return;
	if (op == FILTER_EQ) {
		if ((p = map_get(k->strings.sets, s->s, s->n)) && *p)
			slotset_into(set_of(*p), to);
		return;
	}
	for (size_t i = 0, n; map_each(k->strings.sets, &i, &value, &n, &p);) {
		if (*p && meets(op, compare_bytes(value, n, s->s, s->n)))
			slotset_into(set_of(*p), to);
	}
}

static void add_numbers(const struct tag_numbers *c, enum filter_op op, double x, roaring_bitmap_t *to)
{
	uint32_t found[256];
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		double v = c->value[i];
		if (!isnan(v) && !isnan(x) && meets(op, (v > x) - (v < x)))
			found[n++] = c->slot[i];
		if (n == 256 || (n && i + 1 == c->n)) {
			roaring_bitmap_add_many(to, n, found);
			n = 0;
		}
	}
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One pass for all numbers of a list. -1: no memory. */
static int add_any_number(const struct tag_numbers *c, const struct index_filter *f, roaring_bitmap_t *to)
{
	double *want = malloc((f->n_values + 1) * sizeof(*want));
	size_t n = 0;

	if (!want)
		return -1;
	for (size_t i = 0; i < f->n_values; i++) {
		if (f->values[i].type == VALUE_NUMBER && !isnan(f->values[i].number))
			want[n++] = f->values[i].number;
	}
	qsort(want, n, sizeof(*want), by_number);
	for (size_t i = 0; n && i < c->n; i++) {
		if (!isnan(c->value[i]) && bsearch(&c->value[i], want, n, sizeof(*want), by_number))
			roaring_bitmap_add(to, c->slot[i]);
	}
	free(want);
	return 0;
}

static void add_value(const struct tag_key *k, enum filter_op op, const struct index_value *v,
		      roaring_bitmap_t *to)
{
	switch (v->type) {
	case VALUE_STRING:
		add_strings(k, op, &v->s, to);
		break;
	case VALUE_NUMBER:
		if (op != FILTER_EQ)
			add_numbers(&k->numbers, op, v->number, to);
		break;
	case VALUE_BOOL:
		for (int b = 0; b < 2; b++) {
			if (meets(op, b - (v->number != 0)))
				slotset_into(&k->flag[b], to);
		}
		break;
	}
}

static roaring_bitmap_t *condition_slots(const struct index_filter *f, const struct tags *t)
{
	roaring_bitmap_t *r = roaring_bitmap_create();
	const struct tag_key *k = tags_key(t, f->key);
	int negative = f->op == FILTER_NE || f->op == FILTER_NIN;
	int equal = negative || f->op == FILTER_EQ || f->op == FILTER_IN;

	if (!r || !k)
		return r;
	/* An ordering takes one value: the first. */
	for (size_t i = 0; i < f->n_values && (equal || i == 0); i++)
		add_value(k, equal ? FILTER_EQ : f->op, &f->values[i], r);
	if (equal && add_any_number(&k->numbers, f, r) < 0) {
		roaring_bitmap_free(r);
		return NULL;
	}
	if (!negative)
		return r;
	roaring_bitmap_t *rest = roaring_bitmap_create();
	if (rest) {
		slotset_into(&k->present, rest);
		roaring_bitmap_andnot_inplace(rest, r);
	}
	roaring_bitmap_free(r);
	return rest;
}

roaring_bitmap_t *filter_slots(const struct index_filter *f, const struct tags *t,
			       const roaring_bitmap_t *live)
{
	if (f->op != FILTER_AND && f->op != FILTER_OR)
		return condition_slots(f, t);
	roaring_bitmap_t *r = f->op == FILTER_AND ? roaring_bitmap_copy(live) : roaring_bitmap_create();
	for (size_t i = 0; r && i < f->n_children; i++) {
		ROARING_AUTO *child = filter_slots(&f->children[i], t, live);
		if (!child) {
			roaring_bitmap_free(r);
			return NULL;
		}
		if (f->op == FILTER_AND)
			roaring_bitmap_and_inplace(r, child);
		else
			roaring_bitmap_or_inplace(r, child);
	}
	return r;
}

const char *filter_unknown_key(const struct index_filter *f, const struct tags *t,
			       const roaring_bitmap_t *visible)
{
	if (f->op != FILTER_AND && f->op != FILTER_OR) {
		const struct tag_key *k = tags_key(t, f->key);
		int known = k && (visible ? slotset_meets(&k->present, visible) : k->present.n > 0);
		return known ? NULL : f->key;
	}
	for (size_t i = 0; i < f->n_children; i++) {
		const char *key = filter_unknown_key(&f->children[i], t, visible);
		if (key)
			return key;
	}
	return NULL;
}
