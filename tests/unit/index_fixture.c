#include "index_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

uint64_t rng_next(struct rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1du;
}

size_t rng_below(struct rng *r, size_t n)
{
	return (size_t)((rng_next(r) >> 11) % n);
}

double rng_real(struct rng *r)
{
	return (double)(rng_next(r) >> 11) / 9007199254740992.0;
}

static double gauss(struct rng *r)
{
	double u = 1 - rng_real(r), v = rng_real(r);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void make_unit(float *v, size_t dim)
{
	double norm = sqrt(inner(v, v, dim));

	for (size_t i = 0; i < dim; i++)
		v[i] = (float)(v[i] / norm);
}

void random_unit(struct rng *r, size_t dim, float *out)
{
	for (size_t i = 0; i < dim; i++)
		out[i] = (float)gauss(r);
	make_unit(out, dim);
}

void random_near(struct rng *r, size_t dim, const float *centre, double spread, float *out)
{
	for (size_t i = 0; i < dim; i++)
		out[i] = (float)(centre[i] + gauss(r) * spread / sqrt((double)dim));
	make_unit(out, dim);
}

double inner(const float *a, const float *b, size_t dim)
{
	double sum = 0;

	for (size_t i = 0; i < dim; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

static const char *const keys[] = { "product", "lang", "size", "open", "mixed" };
static const char *const strings[] = { "alpha", "beta", "gamma", "delta", "", "alphabet" };
static const char *const group_names[] = { "tier1", "tier2", "billing", "legal" };

static struct index_value random_value(struct rng *r, const char *key)
{
	const char *s = strings[rng_below(r, 6)];
	int kind = strcmp(key, "size") == 0    ? 1
		   : strcmp(key, "open") == 0  ? 2
		   : strcmp(key, "mixed") == 0 ? (int)rng_below(r, 3)
					       : 0;

	if (kind == 0)
		return (struct index_value){ .type = VALUE_STRING, .s = { s, strlen(s) } };
	if (kind == 1)
		return (struct index_value){ .type = VALUE_NUMBER, .number = (double)rng_below(r, 10) - 4.5 };
	return (struct index_value){ .type = VALUE_BOOL, .number = (double)rng_below(r, 2) };
}

struct model *model_new(size_t dim, size_t n, uint64_t seed)
{
	struct model *m = calloc(1, sizeof(*m));

	m->dim = dim;
	m->n = n;
	m->rng.state = seed;
	m->next_row = 1;
	m->entries = calloc(n, sizeof(*m->entries));
	for (size_t i = 0; i < n; i++) {
		m->entries[i].id = i + 1;
		m->entries[i].vectors = calloc(MODEL_ROWS * (dim + 1), sizeof(float));
	}
	return m;
}

void model_free(struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->entries[i].vectors);
	free(m->entries);
	free(m);
}

void model_retag(struct model *m, struct model_entry *e)
{
	struct rng *r = &m->rng;

	e->everyone = rng_below(r, 3) == 0;
	e->n_groups = e->everyone ? 0 : rng_below(r, MODEL_GROUPS + 1);
	for (size_t i = 0; i < e->n_groups; i++)
		e->groups[i] = group_names[rng_below(r, 4)];
	e->n_tags = rng_below(r, MODEL_TAGS + 1);
	for (size_t i = 0; i < e->n_tags; i++) {
		e->tags[i].key = keys[rng_below(r, 5)];
		e->tags[i].value = random_value(r, e->tags[i].key);
	}
}

static void fill_bag(struct model_entry *e)
{
	/* By bytes, as a bag has them. */
	static const char *const sorted[MODEL_WORDS] = { "w0", "w1", "w10", "w11", "w2", "w3",
							 "w4", "w5", "w6",  "w7",  "w8", "w9" };

	e->bag = (struct bag){ e->terms, 0, 0 };
	for (size_t i = 0; i < MODEL_WORDS; i++) {
		uint32_t tf = e->words[atoi(sorted[i] + 1)];
		if (!tf)
			continue;
		e->terms[e->bag.n++] = (struct bag_term){ sorted[i], strlen(sorted[i]), tf };
		e->bag.length += tf;
	}
}

void model_fill(struct model *m, struct model_entry *e)
{
	static const enum row_field fields[] = { ROW_TITLE, ROW_WHOLE,    ROW_CHUNK,
						 ROW_CHUNK, ROW_QUESTION, ROW_TURN };
	struct rng *r = &m->rng;
	size_t skip = rng_below(r, 3);

	e->live = 1;
	e->n_rows = m->dim ? rng_below(r, MODEL_ROWS + 1 - skip) : 0;
	for (size_t i = 0; i < e->n_rows; i++) {
		float *v = e->vectors + i * m->dim;
		random_unit(r, m->dim, v);
		e->rows[i] = (struct index_row){ m->next_row++, fields[i + skip], (uint32_t)i,
						 rng_below(r, 10) ? v : NULL };
	}
	for (size_t i = 0; i < MODEL_WORDS; i++)
		e->words[i] = rng_below(r, 5) == 0 ? 1 + (uint32_t)rng_below(r, 5) : 0;
	fill_bag(e);
	model_retag(m, e);
}

struct index_change model_change(const struct model_entry *e, enum index_op op)
{
	return (struct index_change){ op,
				      { .collection = COLLECTION_DOCUMENT,
					.id = e->id,
					.rows = e->rows,
					.n_rows = e->n_rows,
					.words = &e->bag,
					.everyone = e->everyone,
					.groups = e->groups,
					.n_groups = e->n_groups,
					.tags = e->tags,
					.n_tags = e->n_tags } };
}

float model_score(const struct model *m, const struct model_entry *e, const struct index_query *q)
{
	double n = 0, length = 0, sum = 0;

	for (size_t i = 0; i < m->n; i++) {
		n += m->entries[i].live;
		length += m->entries[i].live ? m->entries[i].bag.length : 0;
	}
	for (size_t t = 0; t < q->n_terms; t++) {
		size_t w = (size_t)atoi(q->terms[t].stem + 1);
		double df = 0, tf = e->words[w];
		for (size_t i = 0; i < m->n; i++)
			df += m->entries[i].live && m->entries[i].words[w] > 0;
		double idf = log(1 + (n - df + .5) / (df + .5));
		if (tf > 0)
			sum += q->terms[t].weight * idf * (INDEX_K1 + 1) * tf /
			       (tf + INDEX_K1 * (1 - INDEX_B + INDEX_B * e->bag.length / (length / n)));
	}
	return (float)sum;
}

static int match_words(void *ctx, enum collection c, const char *expr,
		       void (*each)(void *arg, uint64_t entry), void *arg, struct error *e)
{
	const struct model *m = ctx;

	if (expr[0] != 'w')
		return error_set(e, ERR_BAD_MATCH, "match", "not an expression");
	for (size_t i = 0; c == COLLECTION_DOCUMENT && i < m->n; i++)
		if (m->entries[i].live && m->entries[i].words[atoi(expr + 1)])
			each(arg, m->entries[i].id);
	return 0;
}

struct word_source model_words(struct model *m)
{
	return (struct word_source){ m, match_words };
}

static int bytes_order(const struct text *a, const struct text *b)
{
	int order = memcmp(a->s, b->s, a->n < b->n ? a->n : b->n);

	return order ? order : (a->n > b->n) - (a->n < b->n);
}

static int value_meets(const struct index_value *have, enum filter_op op, const struct index_value *want)
{
	double order;

	if (have->type != want->type)
		return 0;
	order = have->type == VALUE_STRING ? bytes_order(&have->s, &want->s) : have->number - want->number;
	if (op == FILTER_GT)
		return order > 0;
	if (op == FILTER_GTE)
		return order >= 0;
	if (op == FILTER_LT)
		return order < 0;
	if (op == FILTER_LTE)
		return order <= 0;
	return order == 0;
}

int model_filter(const struct model_entry *e, const struct index_filter *f)
{
	int there = 0, met = 0;

	if (f->op == FILTER_AND || f->op == FILTER_OR) {
		size_t yes = 0;
		for (size_t i = 0; i < f->n_children; i++)
			yes += (size_t)model_filter(e, &f->children[i]);
		return f->op == FILTER_AND ? yes == f->n_children : yes > 0;
	}
	for (size_t i = 0; i < e->n_tags; i++) {
		if (strcmp(e->tags[i].key, f->key) != 0)
			continue;
		there = 1;
		for (size_t j = 0; j < f->n_values; j++)
			met |= value_meets(&e->tags[i].value, f->op, &f->values[j]);
	}
	return f->op == FILTER_NE || f->op == FILTER_NIN ? there && !met : met;
}

int model_allows(const struct model_entry *e, const struct index_query *q)
{
	int seen = q->all_groups || e->everyone;

	for (size_t i = 0; i < e->n_groups; i++) {
		for (size_t j = 0; j < q->n_groups; j++)
			seen |= strcmp(e->groups[i], q->groups[j]) == 0;
	}
	if (!e->live || !seen || (q->filter && !model_filter(e, q->filter)))
		return 0;
	return !q->match || e->words[atoi(q->match + 1)] > 0;
}

int model_vector(const struct model *m, const struct model_entry *e, const float *q, struct index_hit *out)
{
	float best[3] = { NAN, NAN, NAN }, score;
	uint64_t row[3] = { 0 };
	for (size_t i = 0; i < e->n_rows; i++) {
		int part = e->rows[i].field == ROW_TITLE ? 0 : e->rows[i].field == ROW_WHOLE ? 1 : 2;
		if (!e->rows[i].vector)
			continue;
		score = (float)inner(e->rows[i].vector, q, m->dim);
		if (!row[part] || score > best[part]) {
			best[part] = score;
			row[part] = e->rows[i].id;
		}
	}
	if (row[1] || row[2]) {
		float text = !row[2] ? best[1] : !row[1] ? best[2] : (best[1] + best[2]) / 2;
		score = row[0] ? .2f * best[0] + .8f * text : text;
	} else {
		score = row[0] ? best[0] : 0;
	}
	*out = (struct index_hit){ .entry = e->id,
				   .title = best[0],
				   .whole = best[1],
				   .chunk = best[2],
				   .vector = score,
				   .row = row[2]   ? row[2]
					  : row[1] ? row[1]
						   : row[0] };
	return row[0] || row[1] || row[2];
}

const struct index_filter *random_filter(struct rng *r, struct filter_pool *p, int depth)
{
	size_t n = rng_below(r, 3) + (depth == 0);
	struct index_filter *f;

	if (depth > 0) {
		struct index_filter *children = &p->filters[p->n_filters];
		p->n_filters += n;
		for (size_t i = 0; i < n; i++)
			children[i] = *random_filter(r, p, depth - 1 - (int)rng_below(r, (size_t)depth));
		f = &p->filters[p->n_filters++];
		*f = (struct index_filter){ .op = rng_below(r, 2) ? FILTER_AND : FILTER_OR,
					    .children = children,
					    .n_children = n };
		return f;
	}
	f = &p->filters[p->n_filters++];
	*f = (struct index_filter){ .op = FILTER_EQ + (enum filter_op)rng_below(r, 8),
				    .key = keys[rng_below(r, 5)],
				    .values = &p->values[p->n_values],
				    .n_values = 1 };
	if (f->op == FILTER_IN || f->op == FILTER_NIN)
		f->n_values = n - 1;
	for (size_t i = 0; i < f->n_values; i++)
		p->values[p->n_values++] = random_value(r, f->key);
	return f;
}

static int by_entry(const void *a, const void *b)
{
	const struct index_hit *x = a, *y = b;

	return (x->entry > y->entry) - (x->entry < y->entry);
}

void model_check(struct index *x, const struct model *m)
{
	static const struct term word = { .word = "w1", .stem = "w1", .weight = 1 };
	struct rng r = { 3 };
	float *v = malloc(m->dim * sizeof(*v));

	for (int i = 0; i < 5; i++) {
		struct arena *a = arena_new(4096);
		struct index_query q = {
			.vector = v, .terms = &word, .n_terms = 1, .k = m->n, .all_groups = 1, .exact = 1
		};
		struct index_result got = { 0 };
		size_t live = 0;
		random_unit(&r, m->dim, v);
		assert_int_equal(index_search(x, &q, a, &got, NULL), 0);
		struct index_hit *hits = arena_alloc(a, (got.n + 1) * sizeof(*hits));
		memcpy(hits, got.hits, got.n * sizeof(*hits));
		qsort(hits, got.n, sizeof(*hits), by_entry);
		for (size_t j = 0, h = 0; j < m->n; j++) {
			struct index_hit want;
			if (!m->entries[j].live)
				continue;
			live++;
			float score = model_score(m, &m->entries[j], &q);
			if (!model_vector(m, &m->entries[j], v, &want) && score == 0)
				continue;
			assert_true(h < got.n);
			assert_int_equal(hits[h].entry, m->entries[j].id);
			assert_true(hits[h].words > score - 1e-4f && hits[h].words < score + 1e-4f);
			h++;
		}
		assert_int_equal(got.allowed, live);
		arena_free(a);
	}
	free(v);
}
