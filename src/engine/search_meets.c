/* A filter on one document, by its body: what index/filter.c does with sets of entries (same meaning; see index.h). */
#include "engine/search.h"

#include <string.h>

/* < 0, 0, > 0; 2 where the two are of different types. */
static int compare(const json_t *have, const struct index_value *want)
{
	if (json_is_string(have) && want->type == VALUE_STRING) {
		size_t n = json_string_length(have), least = n < want->s.n ? n : want->s.n;
		int order = least ? memcmp(json_string_value(have), want->s.s, least) : 0;
		if (order == 0)
			order = (n > want->s.n) - (n < want->s.n);
		return order < 0 ? -1 : order > 0;
	}
	if (json_is_number(have) && want->type == VALUE_NUMBER) {
		double x = json_number_value(have);
		return (x > want->number) - (x < want->number);
	}
	if (json_is_boolean(have) && want->type == VALUE_BOOL)
		return json_is_true(have) == (want->number != 0) ? 0 : 2;
	return 2;
}

static int orders(enum filter_op op, const json_t *have, const struct index_value *want)
{
	int c = json_is_boolean(have) ? 2 : compare(have, want);

	switch (op) {
	case FILTER_GT:
		return c == 1;
	case FILTER_GTE:
		return c == 0 || c == 1;
	case FILTER_LT:
		return c == -1;
	default:
		return c == -1 || c == 0;
	}
}

/* What the values of a key come to. */
struct seen {
	int there, among, ordered;
};

static void see(const struct index_filter *f, const json_t *value, struct seen *s)
{
	json_t *item;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, item)
			see(f, item, s);
		return;
	}
	if (!value || json_is_null(value))
		return;
	s->there = 1;
	for (i = 0; i < f->n_values; i++)
		s->among |= compare(value, &f->values[i]) == 0;
	if (f->n_values)
		s->ordered |= orders(f->op, value, &f->values[0]);
}

static int condition_meets(const struct index_filter *f, const json_t *body)
{
	struct seen s = { 0 };

	see(f, json_object_get(json_object_get(body, "attributes"), f->key), &s);
	if (strcmp(f->key, "source") == 0 && json_string_length(json_object_get(body, "source")))
		see(f, json_object_get(body, "source"), &s);
	switch (f->op) {
	case FILTER_EQ:
	case FILTER_IN:
		return s.among;
	case FILTER_NE:
	case FILTER_NIN:
		return s.there && !s.among;
	default:
		return s.ordered;
	}
}

int search_meets(const struct index_filter *f, const json_t *body)
{
	if (!f)
		return 1;
	if (f->op != FILTER_AND && f->op != FILTER_OR)
		return condition_meets(f, body);
	for (size_t i = 0; i < f->n_children; i++)
		if (search_meets(&f->children[i], body) != (f->op == FILTER_AND))
			return f->op == FILTER_OR;
	return f->op == FILTER_AND;
}
