/* Reading what a search request brings along: a filter and a vector. */
#include "engine/search.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

#define MAX_FILTER_DEPTH 8
#define MAX_FILTER_NODES 100
#define MAX_FILTER_VALUES 1000
#define MAX_KEY 200
#define MAX_STRING 4096

static const struct {
	const char *name;
	enum filter_op op;
} operators[] = {
	{ "and", FILTER_AND }, { "or", FILTER_OR },   { "eq", FILTER_EQ }, { "ne", FILTER_NE },
	{ "gt", FILTER_GT },   { "gte", FILTER_GTE }, { "lt", FILTER_LT }, { "lte", FILTER_LTE },
	{ "in", FILTER_IN },   { "nin", FILTER_NIN },
};

struct filter_reader {
	struct arena *arena;
	struct error *err;
	size_t nodes;
};

/* The path of element i; of the whole, should there be no memory. */
static const char *element(struct arena *a, const char *path, size_t i)
{
	const char *p = arena_printf(a, "%s[%zu]", path, i);

	return p ? p : path;
}

static int read_scalar(struct filter_reader *x, const json_t *v, const char *path, struct index_value *out)
{
	if (json_is_string(v)) {
		if (json_string_length(v) > MAX_STRING)
			return error_set(x->err, ERR_TOO_LARGE, path, "%s: is longer than %d bytes", path,
					 MAX_STRING);
		*out = (struct index_value){ .type = VALUE_STRING,
					     .s = { json_string_value(v), json_string_length(v) } };
	} else if (json_is_number(v)) {
		*out = (struct index_value){ .type = VALUE_NUMBER, .number = json_number_value(v) };
	} else if (json_is_boolean(v)) {
		*out = (struct index_value){ .type = VALUE_BOOL, .number = json_is_true(v) };
	} else {
		return error_set(x->err, ERR_WRONG_TYPE, path, "%s: must be a string, a number or a boolean",
				 path);
	}
	return 0;
}

/* The "value" of a comparison: one scalar; of "in" and "nin" an array of them. */
static int read_values(struct filter_reader *x, json_t *v, const char *path, struct index_filter *f)
{
	int list = f->op == FILTER_IN || f->op == FILTER_NIN;
	int ordered = f->op >= FILTER_GT && f->op <= FILTER_LTE;
	struct index_value *values;
	int rc = 0;

	if (list && !json_is_array(v))
		return error_set(x->err, ERR_WRONG_TYPE, path, "%s: must be an array", path);
	if (ordered && !json_is_string(v) && !json_is_number(v))
		return error_set(x->err, ERR_WRONG_TYPE, path, "%s: must be a number or a string", path);
	if (list && json_array_size(v) > MAX_FILTER_VALUES)
		return error_set(x->err, ERR_BAD_FILTER, path, "%s: at most %d values", path,
				 MAX_FILTER_VALUES);
	f->n_values = list ? json_array_size(v) : 1;
	f->values = values = arena_alloc(x->arena, f->n_values * sizeof(*values));
	if (!values)
		return no_memory(x->err);
	if (!list)
		return read_scalar(x, v, path, values);
	for (size_t i = 0; rc == 0 && i < f->n_values; i++)
		rc = read_scalar(x, json_array_get(v, i), element(x->arena, path, i), &values[i]);
	return rc;
}

static int read_node(struct filter_reader *x, json_t *j, const char *path, int depth,
		     struct index_filter *out);

static int read_children(struct filter_reader *x, json_t *list, const char *path, int depth,
			 struct index_filter *f)
{
	struct index_filter *children;
	int rc = 0;

	f->n_children = json_array_size(list);
	if (f->n_children == 0)
		return error_set(x->err, ERR_BAD_FILTER, path, "%s: must not be empty", path);
	if (f->n_children > MAX_FILTER_NODES)
		return error_set(x->err, ERR_BAD_FILTER, path, "%s: at most %d in all", path,
				 MAX_FILTER_NODES);
	f->children = children = arena_alloc(x->arena, f->n_children * sizeof(*children));
	if (!children)
		return no_memory(x->err);
	for (size_t i = 0; rc == 0 && i < f->n_children; i++)
		rc = read_node(x, json_array_get(list, i), element(x->arena, path, i), depth + 1,
			       &children[i]);
	return rc;
}

static int read_op(struct filter_reader *x, struct text type, const char *path, enum filter_op *op)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (type.n == strlen(operators[i].name) && memcmp(type.s, operators[i].name, type.n) == 0) {
			*op = operators[i].op;
			return 0;
		}
	return error_set(x->err, ERR_BAD_FILTER, path,
			 "%s: must be one of and, or, eq, ne, gt, gte, lt, lte, in, nin", path);
}

/* Recursion is bounded by MAX_FILTER_DEPTH. */
static int read_node(struct filter_reader *x, json_t *j, const char *path, int depth,
		     struct index_filter *out)
{
	struct text type = { NULL, 0 }, key = { NULL, 0 };
	json_t *list = NULL, *value = NULL;
	struct index_filter f = { 0 };
	struct reader r;
	const char *place;
	int rc, group;

	if (depth > MAX_FILTER_DEPTH)
		return error_set(x->err, ERR_BAD_FILTER, path, "%s: nested deeper than %d levels", path,
				 MAX_FILTER_DEPTH);
	if (++x->nodes > MAX_FILTER_NODES)
		return error_set(x->err, ERR_BAD_FILTER, path, "%s: more than %d conditions", path,
				 MAX_FILTER_NODES);
	reader_init(&r, j, path, x->err);
	reader_string(&r, "type", REQUIRED, 16, &type);
	if (r.rc < 0)
		return r.rc;
	place = arena_printf(x->arena, "%s.type", path);
	rc = read_op(x, type, place ? place : path, &f.op);
	if (rc < 0)
		return rc;
	group = f.op == FILTER_AND || f.op == FILTER_OR;
	if (group) {
		reader_array(&r, "filters", REQUIRED, MAX_FILTER_NODES, &list);
	} else {
		reader_string(&r, "key", REQUIRED, MAX_KEY, &key);
		reader_any(&r, "value", REQUIRED, &value);
	}
	rc = reader_done(&r);
	if (rc < 0)
		return rc;
	place = arena_printf(x->arena, "%s.%s", path, group ? "filters" : "value");
	if (!place)
		return no_memory(x->err);
	f.key = key.s;
	rc = group ? read_children(x, list, place, depth, &f) : read_values(x, value, place, &f);
	if (rc == 0)
		*out = f;
	return rc;
}

int search_read_filter(struct arena *a, json_t *filter, const char *path, const struct index_filter **out,
		       struct error *e)
{
	struct filter_reader x = { .arena = a, .err = e };
	struct index_filter *f;
	int rc;

	if (!filter || json_is_null(filter)) {
		*out = NULL;
		return 0;
	}
	f = arena_alloc(a, sizeof(*f));
	if (!f)
		return no_memory(e);
	rc = read_node(&x, filter, path, 1, f);
	if (rc == 0)
		*out = f;
	return rc;
}

int search_read_vector(struct arena *a, json_t *vector, const char *path, size_t dim, const float **out,
		       struct error *e)
{
	double sum = 0, length;
	float *v;

	size_t n = json_array_size(vector);
	const void *packed = json_is_packed(vector) ? json_packed(vector, &n) : NULL;

	if (!packed && !json_is_array(vector))
		return error_set(e, ERR_WRONG_TYPE, path, "%s: must be an array of numbers", path);
	if (n != dim || dim == 0)
		return error_set(e, ERR_WRONG_DIMENSION, path,
				 "%s: has %zu numbers, but vectors here have %zu", path, n, dim);
	v = arena_alloc(a, dim * sizeof(*v));
	if (!v)
		return no_memory(e);
	if (packed)
		memcpy(v, packed, dim * sizeof(*v));
	for (size_t i = 0; packed && i < dim; i++)
		sum += (double)v[i] * v[i];
	for (size_t i = 0; !packed && i < dim; i++) {
		const json_t *x = json_array_get(vector, i);
		double d = json_number_value(x);
		v[i] = (float)d;
		if (!json_is_number(x))
			return error_set(e, ERR_WRONG_TYPE, element(a, path, i), "%s[%zu]: must be a number",
					 path, i);
		if (!isfinite(v[i]))
			return error_set(e, ERR_BAD_VECTOR, element(a, path, i), "%s[%zu]: is too large",
					 path, i);
		sum += (double)v[i] * v[i];
	}
	length = sqrt(sum);
	if (!(length > 0))
		return error_set(e, ERR_BAD_VECTOR, path, "%s: must not be all zero", path);
	for (size_t i = 0; i < dim; i++)
		v[i] = (float)(v[i] / length);
	*out = v;
	return 0;
}
