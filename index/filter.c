#include "index/filter.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "index/bits.h"

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

static int compare_bytes(struct text a, struct text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.s, b.s, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* All strings of the key stand together, in order: those that meet an ordering are a run of them. */
static int add_ordered_strings(const struct tagset *t, const char *key, enum filter_op op, struct text s,
			       struct arena *a, uint64_t *to)
{
	size_t n = strlen(key) + 2;
	char *head = arena_alloc(a, n);

	if (!head)
		return -1;
	head[0] = 's';
	memcpy(head + 1, key, n - 1); /* with its NUL */
	for (uint32_t i = tagset_from(t, head, n); i < t->n; i++) {
		struct text name = tagset_text(t, &t->names[i]);
		if (name.n < n || memcmp(name.s, head, n) != 0)
			break;
		if (meets(op, compare_bytes((struct text){ name.s + n, name.n - n }, s)))
			tagset_into(t, &t->names[i], to);
	}
	return 0;
}

static void add_numbers(const struct tagset *t, const char *key, enum filter_op op, double x, uint64_t *to)
{
	const struct tag_name *name = tagset_find(t, 'n', key, NULL);
	const double *values = name ? tagset_values(t, name) : NULL;
	uint32_t low = 0, high = name ? name->count : 0;

	if (isnan(x))
		return;
	/* The column is in order: the first that is not below x, then a run from there or up to there. */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (values[mid] < x)
			low = mid + 1;
		else
			high = mid;
	}
	uint32_t end = name ? name->count : 0;
	uint32_t i = op == FILTER_LT || op == FILTER_LTE ? 0 : low;
	for (; i < end; i++) {
		if (meets(op, (values[i] > x) - (values[i] < x)))
			bits_add(to, tagset_column(t, name)[i]);
		else if (op != FILTER_GT && values[i] > x)
			break;
		else if (op == FILTER_LT)
			break;
	}
}

static int add_value(const struct tagset *t, const char *key, enum filter_op op, const struct index_value *v,
		     struct arena *a, uint64_t *to)
{
	static const struct text flags[2] = { { "0", 1 }, { "1", 1 } };

	switch (v->type) {
	case VALUE_STRING:
		if (op != FILTER_EQ)
			return add_ordered_strings(t, key, op, v->s, a, to);
		tagset_into(t, tagset_find(t, 's', key, &v->s), to);
		break;
	case VALUE_NUMBER:
		add_numbers(t, key, op, v->number, to);
		break;
	case VALUE_BOOL:
		for (int b = 0; b < 2; b++)
			if (meets(op, b - (v->number != 0)))
				tagset_into(t, tagset_find(t, 'b', key, &flags[b]), to);
		break;
	}
	return 0;
}

static int condition_into(const struct index_filter *f, const struct tagset *t, struct arena *a, uint64_t *to)
{
	int negative = f->op == FILTER_NE || f->op == FILTER_NIN;
	int equal = negative || f->op == FILTER_EQ || f->op == FILTER_IN;
	const struct tag_name *present = tagset_find(t, 'k', f->key, NULL);
	size_t words = bits_words(t->docs);

	if (!present)
		return 0;
	uint64_t *found = negative ? arena_alloc(a, words * sizeof(*found)) : to;
	if (!found)
		return -1;
	/* An ordering takes one value: the first. */
	for (size_t i = 0; i < f->n_values && (equal || i == 0); i++)
		if (add_value(t, f->key, equal ? FILTER_EQ : f->op, &f->values[i], a, found) < 0)
			return -1;
	if (!negative)
		return 0;
	tagset_into(t, present, to);
	bits_without(to, found, t->docs);
	return 0;
}

int filter_into(const struct index_filter *f, const struct tagset *t, struct arena *a, uint64_t *to)
{
	if (f->op != FILTER_AND && f->op != FILTER_OR)
		return condition_into(f, t, a, to);
	if (f->op == FILTER_AND)
		bits_fill(to, t->docs);
	for (size_t i = 0; i < f->n_children; i++) {
		uint64_t *child = arena_alloc(a, (bits_words(t->docs) + 1) * sizeof(*child));
		if (!child || filter_into(&f->children[i], t, a, child) < 0)
			return -1;
		if (f->op == FILTER_AND)
			bits_and(to, child, t->docs);
		else
			bits_or(to, child, t->docs);
	}
	return 0;
}

int filter_knows(const struct tagset *t, const char *key, const uint64_t *visible)
{
	const struct tag_name *present = tagset_find(t, 'k', key, NULL);

	return present && (!visible || tagset_count(t, present, visible) > 0);
}

int filter_keys(const struct index_filter *f, int (*each)(void *arg, const char *key), void *arg)
{
	int rc = 0;

	if (f->op != FILTER_AND && f->op != FILTER_OR)
		return each(arg, f->key);
	for (size_t i = 0; rc == 0 && i < f->n_children; i++)
		rc = filter_keys(&f->children[i], each, arg);
	return rc;
}
