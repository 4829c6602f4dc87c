#include "learn/adapter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "index/distance.h"
#include "index/parts.h"
#include "learn/linear_internal.h"
#include "learn/packed.h"

#define PENALTY .03
#define STEPS 150
#define TEMPERATURE .07
#define RATE .003 /* of Adam */
#define BETA1 .9
#define BETA2 .999
#define EPSILON 1e-8
#define NEGLIGIBLE 1e-5f /* of a probability: its document moves nothing */

struct adapter {
	size_t dim, stride;
	float *a; /* [dim][stride]: row i is what coordinate i of the query adds to the result */
};

static struct adapter *adapter_new(size_t dim)
{
	struct adapter *a = calloc(1, sizeof(*a));
	size_t stride = distance_stride(dim);

	if (!a)
		return NULL;
	*a = (struct adapter){ dim, stride, aligned_alloc(DISTANCE_ALIGN, dim * stride * sizeof(float)) };
	if (!a->a) {
		free(a);
		return NULL;
	}
	memset(a->a, 0, dim * stride * sizeof(float));
	return a;
}

void adapter_free(struct adapter *a)
{
	if (!a)
		return;
	free(a->a);
	free(a);
}

size_t adapter_dim(const struct adapter *a)
{
	return a->dim;
}

#define CHUNK 64

/* u += A q, in `u` of stride floats; returns |u|. */
static float turn(const struct adapter *a, const float *q, float *u)
{
	const struct linear_math *math = linear_math_best();
	const float *rows[CHUNK];
	float norm = 0;

	for (size_t i = 0; i < a->dim; i += CHUNK) {
		size_t n = a->dim - i < CHUNK ? a->dim - i : CHUNK;
		for (size_t k = 0; k < n; k++)
			rows[k] = a->a + (i + k) * a->stride;
		math->add_rows(u, rows, q + i, n, a->stride);
	}
	for (size_t i = 0; i < a->dim; i++)
		norm += u[i] * u[i];
	return sqrtf(norm);
}

/* out[stride] = q'. A query that A turns to nothing stays what it was. */
static float apply(const struct adapter *a, const float *q, float *out)
{
	memset(out, 0, a->stride * sizeof(*out));
	memcpy(out, q, a->dim * sizeof(*out));
	float norm = turn(a, q, out);
	if (!(norm > 1e-6f)) {
		memcpy(out, q, a->dim * sizeof(*out));
		return 1;
	}
	for (size_t i = 0; i < a->dim; i++)
		out[i] /= norm;
	return norm;
}

const float *adapter_apply(const struct adapter *a, struct arena *arena, const float *query)
{
	float *out = arena_alloc_aligned(arena, a->stride * sizeof(*out), DISTANCE_ALIGN);

	if (out)
		apply(a, query, out);
	return out;
}

/* --- documents as rows ----------------------------------------------------------------------------------- */

/* Its rows are [from, to); `weight`: what each part counts. */
struct scored_document {
	uint32_t from, to;
	float weight[PARTS];
};

struct rows {
	size_t stride, n, n_documents;
	float *vectors;          /* [n][stride] */
	const float **addresses; /* [n] */
	enum row_field *fields;  /* [n] */
	struct scored_document *documents;
};

static void parts_of(const struct rows *r, const struct scored_document *d, const float *dots,
		     struct parts *out)
{
	parts_clear(out);
	for (uint32_t i = d->from; i < d->to; i++)
		parts_add(out, r->fields[i], i, dots[i]);
}

/* The score is linear in its parts: what one counts is the score of that part alone. */
static void set_weights(const struct rows *r, struct scored_document *d)
{
	for (int i = 0; i < PARTS; i++) {
		struct parts p;
		parts_clear(&p);
		for (uint32_t k = d->from; k < d->to; k++)
			parts_add(&p, r->fields[k], k, 0);
		if (p.row[i] != ROW_NONE)
			p.score[i] = 1;
		if (p.row[i] == ROW_NONE || parts_score(&p, &d->weight[i]) < 0)
			d->weight[i] = 0;
	}
}

static void lay_document(struct rows *r, const struct adapter_document *x, size_t dim,
			 struct scored_document *d)
{
	d->from = (uint32_t)r->n;
	for (size_t i = 0; i < x->n_rows; i++) {
		float *to = r->vectors + r->n * r->stride;
		if (!x->rows[i].vector)
			continue;
		memcpy(to, x->rows[i].vector, dim * sizeof(*to));
		r->fields[r->n] = x->rows[i].field;
		r->addresses[r->n++] = to;
	}
	d->to = (uint32_t)r->n;
	set_weights(r, d);
}

static int lay_all(struct arena *a, const struct adapter_lessons *l, struct rows *out)
{
	struct rows r = { .stride = distance_stride(l->dim), .n_documents = l->n_documents };
	size_t n = 0;

	for (size_t i = 0; i < l->n_documents; i++)
		n += l->documents[i].n_rows;
	r.vectors = arena_alloc_aligned(a, (n + 1) * r.stride * sizeof(float), DISTANCE_ALIGN);
	r.addresses = arena_alloc(a, (n + 1) * sizeof(*r.addresses));
	r.fields = arena_alloc(a, (n + 1) * sizeof(*r.fields));
	r.documents = arena_alloc(a, (l->n_documents + 1) * sizeof(*r.documents));
	if (!r.vectors || !r.addresses || !r.fields || !r.documents)
		return -1;
	for (size_t i = 0; i < l->n_documents; i++)
		lay_document(&r, &l->documents[i], l->dim, &r.documents[i]);
	*out = r;
	return 0;
}

/* Below every other for a document without a vector. */
static float score_of(const struct rows *r, const struct scored_document *d, const float *dots)
{
	struct parts p;
	float s;

	parts_of(r, d, dots, &p);
	return parts_score(&p, &s) < 0 ? -2 : s;
}

/* --- training ---------------------------------------------------------------------------------------------- */

struct training {
	const struct adapter_lessons *l;
	const struct distance *distance;
	const struct linear_math *math;
	struct rows rows;
	struct adapter *adapter;
	float *query, *turned, *pull;    /* [stride] */
	float *dots, *p;                 /* [rows], [documents] */
	float *gradient, *mean, *square; /* [dim][stride] */
};

/* Adds a document's rows that its score rests on to the pull. */
static void add_document(struct training *t, const struct scored_document *d, float by)
{
	struct parts p;

	parts_of(&t->rows, d, t->dots, &p);
	for (int i = 0; i < PARTS; i++) {
		float weight = by * d->weight[i];
		if (p.row[i] != ROW_NONE)
			t->math->add_rows(t->pull, &t->rows.addresses[p.row[i]], &weight, 1, t->rows.stride);
	}
}

/* t->pull = the gradient of the loss by q'. */
static void pull_of(struct training *t, uint32_t truth, float weight)
{
	float best = -INFINITY, sum = 0;

	t->distance->dots(t->turned, t->rows.addresses, t->rows.n, t->rows.stride, t->dots);
	for (size_t i = 0; i < t->rows.n_documents; i++) {
		t->p[i] = (float)(score_of(&t->rows, &t->rows.documents[i], t->dots) / TEMPERATURE);
		best = t->p[i] > best ? t->p[i] : best;
	}
	for (size_t i = 0; i < t->rows.n_documents; i++)
		sum += t->p[i] = expf(t->p[i] - best);
	memset(t->pull, 0, t->rows.stride * sizeof(*t->pull));
	for (size_t i = 0; i < t->rows.n_documents; i++) {
		float by = t->p[i] / sum - (i == truth);
		if (fabsf(by) >= NEGLIGIBLE)
			add_document(t, &t->rows.documents[i], by * (float)(weight / TEMPERATURE));
	}
}

/* Adds a pair's gradient by A: through the normalisation, then times the query. */
static void add_pair(struct training *t, const struct adapter_pair *pair, float weight)
{
	struct adapter *a = t->adapter;
	float *rows[CHUNK], along = 0;

	memcpy(t->query, pair->query, a->dim * sizeof(*t->query));
	float norm = apply(a, t->query, t->turned);
	pull_of(t, pair->document, weight);
	for (size_t i = 0; i < a->dim; i++)
		along += t->pull[i] * t->turned[i];
	for (size_t i = 0; i < a->dim; i++)
		t->pull[i] = (t->pull[i] - along * t->turned[i]) / norm;
	for (size_t i = 0; i < a->dim; i += CHUNK) {
		size_t n = a->dim - i < CHUNK ? a->dim - i : CHUNK;
		for (size_t k = 0; k < n; k++)
			rows[k] = t->gradient + (i + k) * a->stride;
		t->math->add_to_rows(rows, t->query + i, n, t->pull, a->stride);
	}
}

static void adam(struct training *t, double penalty, unsigned step)
{
	size_t n = t->adapter->dim * t->adapter->stride;
	float c1 = (float)(1 / (1 - pow(BETA1, step))), c2 = (float)(1 / (1 - pow(BETA2, step)));
	float shrink = (float)(2 * penalty);

	for (size_t i = 0; i < n; i++) {
		float g = t->gradient[i] + shrink * t->adapter->a[i];
		t->mean[i] = (float)(BETA1 * t->mean[i] + (1 - BETA1) * g);
		t->square[i] = (float)(BETA2 * t->square[i] + (1 - BETA2) * g * g);
		t->adapter->a[i] -= (float)(RATE * t->mean[i] * c1 / (sqrtf(t->square[i] * c2) + EPSILON));
	}
}

static int descend(struct training *t, const struct adapter_options *o, struct error *e)
{
	const struct adapter_lessons *l = t->l;
	size_t n = t->adapter->dim * t->adapter->stride;
	unsigned steps = o->steps ? o->steps : STEPS;
	float total = 0;

	for (size_t i = 0; i < l->n_pairs; i++)
		total += l->pairs[i].weight;
	for (unsigned s = 1; s <= steps; s++) {
		if (o->stop && __atomic_load_n(o->stop, __ATOMIC_RELAXED))
			return error_set(e, ERR_INTERRUPTED, NULL, "the training was stopped");
		memset(t->gradient, 0, n * sizeof(*t->gradient));
		for (size_t i = 0; i < l->n_pairs; i++)
			add_pair(t, &l->pairs[i], l->pairs[i].weight / total);
		adam(t, o->penalty > 0 ? o->penalty : PENALTY, s);
	}
	return 0;
}

static float *zeros(struct arena *a, size_t n)
{
	return arena_alloc_aligned(a, n * sizeof(float), DISTANCE_ALIGN);
}

int adapter_train(const struct adapter_lessons *l, const struct adapter_options *o, struct adapter **out,
		  struct error *e)
{
	struct arena *a = arena_new(1 << 20);
	struct training t = { .l = l,
			      .distance = distance_best(),
			      .math = linear_math_best(),
			      .adapter = adapter_new(l->dim) };
	int rc = 0;

	if (!a || !t.adapter || lay_all(a, l, &t.rows) < 0) {
		rc = no_memory(e);
	} else {
		size_t stride = t.adapter->stride, n = l->dim * stride;
		t.query = zeros(a, stride);
		t.turned = zeros(a, stride);
		t.pull = zeros(a, stride);
		t.dots = zeros(a, t.rows.n + 1);
		t.p = zeros(a, l->n_documents + 1);
		t.gradient = zeros(a, n);
		t.mean = zeros(a, n);
		t.square = zeros(a, n);
		rc = t.query && t.turned && t.pull && t.dots && t.p && t.gradient && t.mean && t.square
			     ? descend(&t, o, e)
			     : no_memory(e);
	}
	arena_free(a);
	if (rc < 0) {
		adapter_free(t.adapter);
		return rc;
	}
	*out = t.adapter;
	return 0;
}

int adapter_ranks(const struct adapter *a, const struct adapter_lessons *l, const struct adapter_pair *pairs,
		  size_t n, size_t *out)
{
	struct arena *arena = arena_new(1 << 16);
	size_t stride = distance_stride(l->dim);
	float *q = arena ? zeros(arena, stride) : NULL, *dots = NULL;
	struct rows r;
	int rc = q && lay_all(arena, l, &r) == 0 && (dots = zeros(arena, r.n + 1)) ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		memcpy(q, pairs[i].query, l->dim * sizeof(*q));
		if (a)
			apply(a, pairs[i].query, q);
		distance_best()->dots(q, r.addresses, r.n, stride, dots);
		float truth = score_of(&r, &r.documents[pairs[i].document], dots);
		out[i] = 1;
		for (size_t k = 0; k < l->n_documents; k++)
			out[i] += score_of(&r, &r.documents[k], dots) > truth;
	}
	arena_free(arena);
	return rc;
}

/* --- as bytes ------------------------------------------------------------------------------------------ */

/* One part: [dim][dim] floats. */
int adapter_pack(const struct adapter *a, struct arena *arena, struct packed *out)
{
	size_t row = a->dim * sizeof(float);
	char *p = arena_alloc(arena, a->dim * row);
	struct packed x = { .head = json_keep(arena, json_pack("{s:I}", "dim", (json_int_t)a->dim)), .n = 1 };

	if (!p || !x.head)
		return -1;
	for (size_t i = 0; i < a->dim; i++)
		memcpy(p + i * row, a->a + i * a->stride, row);
	x.parts[0] = (struct file_part){ p, a->dim * row };
	*out = x;
	return 0;
}

int adapter_unpack(const struct packed *p, struct adapter **out, struct error *e)
{
	size_t dim = (size_t)json_integer_value(json_object_get(p->head, "dim")), row = dim * sizeof(float);
	const void *from;
	int rc = packed_part(p, 0, dim * row, &from, e);
	struct adapter *a = rc == 0 ? adapter_new(dim) : NULL;

	if (rc < 0 || !a)
		return rc < 0 ? rc : no_memory(e);
	for (size_t i = 0; i < dim; i++)
		memcpy(a->a + i * a->stride, (const char *)from + i * row, row);
	*out = a;
	return 0;
}
