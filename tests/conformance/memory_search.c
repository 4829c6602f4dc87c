/* memory_search.c: a search that looks at every entry. Scores are those that index.h defines. */
#include "memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- who is allowed ----------------------------------------------------------------------------------- */

/* < 0, 0, > 0 as strcmp; 2 when the two cannot be compared. */
static int compare(const struct index_value *x, const struct index_value *y)
{
	if (x->type != y->type)
		return 2;
	if (x->type != VALUE_STRING)
		return (x->number > y->number) - (x->number < y->number);
	size_t n = x->s.n < y->s.n ? x->s.n : y->s.n;
	int order = memcmp(x->s.s, y->s.s, n);
	if (order == 0)
		order = (x->s.n > y->s.n) - (x->s.n < y->s.n);
	return order < 0 ? -1 : order > 0;
}

static int orders(enum filter_op op, const struct index_value *have, const struct index_value *want)
{
	int c = have->type == VALUE_BOOL ? 2 : compare(have, want);

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

/* Of a condition on one key. */
static int condition_meets(const struct index_filter *f, const struct memory_entry *en)
{
	int there = 0, among = 0, ordered = 0;

	for (size_t i = 0; i < en->n_tags; i++) {
		const struct index_tag *t = &en->tags[i];
		if (strcmp(t->key, f->key) != 0)
			continue;
		there = 1;
		for (size_t j = 0; j < f->n_values; j++) {
			among |= compare(&t->value, &f->values[j]) == 0;
			ordered |= orders(f->op, &t->value, &f->values[j]);
		}
	}
	switch (f->op) {
	case FILTER_EQ:
	case FILTER_IN:
		return among;
	case FILTER_NE:
	case FILTER_NIN:
		return there && !among;
	default:
		return ordered;
	}
}

static int filter_meets(const struct index_filter *f, const struct memory_entry *en)
{
	if (f->op != FILTER_AND && f->op != FILTER_OR)
		return condition_meets(f, en);
	for (size_t i = 0; i < f->n_children; i++)
		if (filter_meets(&f->children[i], en) != (f->op == FILTER_AND))
			return f->op == FILTER_OR;
	return f->op == FILTER_AND;
}

static int has_key(const struct memory_entry *en, const char *key)
{
	for (size_t i = 0; i < en->n_tags; i++)
		if (strcmp(en->tags[i].key, key) == 0)
			return 1;
	return 0;
}

static int may_see(const struct index_query *q, const struct memory_entry *en)
{
	struct rights r = { .all_groups = q->all_groups, .groups = q->groups, .n_groups = q->n_groups };

	return rights_see(&r, en->acl);
}

static const char *unknown_key(const struct cluster *c, const struct index_query *q,
			       const struct index_filter *f)
{
	const char *key = NULL;

	for (size_t i = 0; i < f->n_children && !key; i++)
		key = unknown_key(c, q, &f->children[i]);
	if (f->op == FILTER_AND || f->op == FILTER_OR)
		return key;
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct memory_entry *en = &c->entries[i];
		if (en->live && record_schema(en->kind)->collection == (int)q->collection && may_see(q, en) &&
		    has_key(en, f->key))
			return NULL;
	}
	return f->key;
}

/* --- scores --------------------------------------------------------------------------------------------- */

static float inner_product(const float *x, const float *y, size_t dim)
{
	double sum = 0;

	for (size_t i = 0; i < dim; i++)
		sum += (double)x[i] * (double)y[i];
	return (float)sum;
}

/* As index.h says of struct index_hit. */
static float parts_score(const struct index_hit *h, int both)
{
	float text = both ? (h->whole + h->chunk) / 2 : isnan(h->chunk) ? h->whole : h->chunk;

	return isnan(text) ? h->title : isnan(h->title) ? text : .2f * h->title + .8f * text;
}

static void score_vector(const struct cluster *c, const float *vector, const struct memory_entry *en,
			 struct index_hit *h)
{
	float *const part[] = { &h->title, &h->whole, &h->chunk };
	const struct entry_row *best[3] = { NULL };

	h->title = h->whole = h->chunk = NAN;
	for (size_t i = 0; vector && i < en->n_rows; i++) {
		const struct entry_row *r = &en->rows[i];
		int p = r->field == ROW_TITLE ? 0 : r->field == ROW_WHOLE ? 1 : 2;
		float s = r->vector ? inner_product(vector, r->vector, c->options.dim) : NAN;
		if (!r->vector || (best[p] && s <= *part[p]))
			continue;
		best[p] = r;
		*part[p] = s;
	}
	if (!best[0] && !best[1] && !best[2])
		return;
	const struct entry_row *r = best[2] ? best[2] : best[1] ? best[1] : best[0];
	h->vector = parts_score(h, best[1] && best[2]);
	h->vector_rank = 1; /* it has one: the place is given later */
	h->row = en->first_row + (uint64_t)(r - en->rows);
	h->row_n = r->n;
	h->row_field = r->field;
}

static size_t count_word(const struct memory_entry *en, const char *stem)
{
	size_t count = 0;

	for (int w = 0; w < 2; w++)
		for (size_t i = 0; i < en->n_words[w]; i++)
			count += strcmp(en->words[w][i].stem, stem) == 0;
	return count;
}

struct allowed {
	struct memory_entry *entry;
	struct index_hit hit;
	int wanted;
};

int memory_has_word(const struct memory_entry *en, const char *stem)
{
	return count_word(en, stem) > 0;
}

/* BM25 with the idf that is never negative, by what all live entries of the collection have. */
static void score_words(const struct cluster *c, const struct index_query *q, struct allowed *v, size_t n)
{
	double k1 = q->k1 != 0 || q->b != 0 ? q->k1 : INDEX_K1, b = q->k1 != 0 || q->b != 0 ? q->b : INDEX_B;
	double words = 0, entries = 0;

	for (size_t i = 0; i < c->n_entries; i++) {
		const struct memory_entry *en = &c->entries[i];
		if (!en->live || record_schema(en->kind)->collection != (int)q->collection)
			continue;
		words += (double)(en->n_words[0] + en->n_words[1]);
		entries++;
	}
	for (size_t t = 0; t < q->n_terms; t++) {
		double have = 0;
		for (size_t i = 0; i < c->n_entries; i++) {
			const struct memory_entry *en = &c->entries[i];
			have += en->live && record_schema(en->kind)->collection == (int)q->collection &&
				count_word(en, q->terms[t].stem) > 0;
		}
		double idf = log(1 + (entries - have + 0.5) / (have + 0.5));
		for (size_t i = 0; i < n; i++) {
			const struct memory_entry *en = v[i].entry;
			double f = (double)count_word(en, q->terms[t].stem);
			double length = (double)(en->n_words[0] + en->n_words[1]) / (words / entries);
			if (f > 0)
				v[i].hit.words += (float)((double)q->terms[t].weight * idf * f * (k1 + 1) /
							  (f + k1 * (1 - b + b * length)));
		}
	}
}

/* --- facets --------------------------------------------------------------------------------------------- */

static int by_count(const void *a, const void *b)
{
	const struct index_facet_value *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->value.type != y->value.type)
		return x->value.type < y->value.type ? -1 : 1;
	return compare(&x->value, &y->value);
}

static int had_before(const struct memory_entry *en, size_t tag)
{
	for (size_t i = 0; i < tag; i++)
		if (strcmp(en->tags[i].key, en->tags[tag].key) == 0 &&
		    compare(&en->tags[i].value, &en->tags[tag].value) == 0)
			return 1;
	return 0;
}

static struct index_facet count_facet(const char *key, const struct allowed *v, size_t n, struct arena *a)
{
	struct index_facet f = { 0 };
	size_t tags = 0;

	for (size_t i = 0; i < n; i++)
		tags += v[i].entry->n_tags;
	struct index_facet_value *values = memory_must(arena_alloc(a, (tags + 1) * sizeof(*values)));
	for (size_t i = 0; i < n; i++) {
		for (size_t t = 0; t < v[i].entry->n_tags; t++) {
			const struct index_tag *tag = &v[i].entry->tags[t];
			size_t at = 0;
			if (strcmp(tag->key, key) != 0 || had_before(v[i].entry, t))
				continue;
			while (at < f.n && compare(&values[at].value, &tag->value) != 0)
				at++;
			if (at == f.n)
				values[f.n++] = (struct index_facet_value){ .value = tag->value };
			values[at].count++;
		}
	}
	for (size_t i = 0; i < f.n; i++)
		if (values[i].value.type == VALUE_STRING)
			values[i].value.s.s = memory_must(
				arena_strndup(a, values[i].value.s.s, values[i].value.s.n));
	qsort(values, f.n, sizeof(*values), by_count);
	f.values = values;
	f.n = f.n < INDEX_FACET_VALUES ? f.n : INDEX_FACET_VALUES;
	return f;
}

static const struct index_facet *count_facets(const struct index_query *q, const struct allowed *v, size_t n,
					      struct arena *a)
{
	struct index_facet *facets = memory_must(arena_alloc(a, (q->n_facets + 1) * sizeof(*facets)));

	for (size_t i = 0; i < q->n_facets; i++)
		facets[i] = count_facet(q->facets[i], v, n, a);
	return facets;
}

/* --- the best ---------------------------------------------------------------------------------------------- */

static int by_vector(const void *a, const void *b)
{
	const struct index_hit *x = &(*(struct allowed *const *)a)->hit,
			       *y = &(*(struct allowed *const *)b)->hit;

	if (!x->vector_rank != !y->vector_rank)
		return x->vector_rank ? -1 : 1;
	if (x->vector_rank && x->vector != y->vector)
		return x->vector > y->vector ? -1 : 1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static int by_words(const void *a, const void *b)
{
	const struct index_hit *x = &(*(struct allowed *const *)a)->hit,
			       *y = &(*(struct allowed *const *)b)->hit;

	if (x->words != y->words)
		return x->words > y->words ? -1 : 1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

/* Marks the best k of each source that was asked; returns whether more than those have a score. */
static int want(const struct index_query *q, struct allowed **order, size_t n)
{
	int more = 0;

	qsort(order, n, sizeof(struct allowed *), by_vector);
	for (size_t i = 0; i < n && q->vector && order[i]->hit.vector_rank; i++) {
		order[i]->wanted |= i < q->k;
		more |= i >= q->k;
	}
	if (!q->vector && !q->n_terms) {
		for (size_t i = 0; i < n && i < q->k; i++)
			order[i]->wanted = 1;
		return n > q->k;
	}
	qsort(order, n, sizeof(struct allowed *), by_words);
	for (size_t i = 0; i < n && order[i]->hit.words > 0; i++) {
		order[i]->wanted |= i < q->k;
		more |= i >= q->k;
	}
	return more;
}

static void rank(struct allowed **order, size_t n)
{
	qsort(order, n, sizeof(struct allowed *), by_vector);
	for (size_t i = 0; i < n && order[i]->hit.vector_rank; i++)
		order[i]->hit.vector_rank = (uint32_t)i + 1;
	qsort(order, n, sizeof(struct allowed *), by_words);
	for (size_t i = 0; i < n && order[i]->hit.words > 0; i++)
		order[i]->hit.words_rank = (uint32_t)i + 1;
}

static size_t allow(struct cluster *c, const struct index_query *q, const struct match *match,
		    struct allowed *v)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_entries; i++) {
		struct memory_entry *en = &c->entries[i];
		if (!en->live || record_schema(en->kind)->collection != (int)q->collection || !may_see(q, en))
			continue;
		if ((q->filter && !filter_meets(q->filter, en)) || (match && !match_meets(match, en)))
			continue;
		v[n] = (struct allowed){ .entry = en, .hit = { .entry = en->id } };
		score_vector(c, c->options.dim ? q->vector : NULL, en, &v[n].hit);
		n++;
	}
	return n;
}

int memory_search(struct cluster *c, const struct index_query *q, struct arena *a, struct index_result *out,
		  struct error *e)
{
	const struct match *match = NULL;
	int rc = q->match ? match_parse(a, q->match, &match, e) : 0;

	if (rc < 0)
		return rc;
	struct allowed *v = memory_must(arena_alloc(a, (c->n_entries + 1) * sizeof(*v)));
	struct allowed **order = memory_must(arena_alloc(a, (c->n_entries + 1) * sizeof(struct allowed *)));
	size_t n = allow(c, q, match, v), m = 0;
	for (size_t i = 0; i < n; i++)
		order[i] = &v[i];
	score_words(c, q, v, n);
	struct index_result r = { .n = n, .allowed = n, .seq = c->complete };
	r.exhausted = !want(q, order, n);
	for (size_t i = 0; i < n; i++)
		if (v[i].wanted)
			order[m++] = &v[i];
	rank(order, m);
	struct index_hit *hits = memory_must(arena_alloc(a, (m + 1) * sizeof(*hits)));
	for (size_t i = 0; i < m; i++)
		hits[i] = order[i]->hit;
	r.hits = hits;
	r.n = m;
	const char *key = q->filter ? unknown_key(c, q, q->filter) : NULL;
	r.facets = q->n_facets ? count_facets(q, v, n, a) : NULL;
	r.unknown_key = key ? memory_must(arena_strdup(a, key)) : NULL;
	*out = r;
	return 0;
}
