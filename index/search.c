/*
 * A search, over the view that is current when it begins:
 *
 *  1. `match` is asked of its source; a database may take long.
 *  2. What groups, filter and `match` allow, and is alive (search_allow.c).
 *  3. The best k of that by vector (search_vectors.c), the best k by words (words.h) as far as they matter.
 *  4. All of both get the scores of both sources.
 */
#include "index/search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "index/bits.h"
#include "index/facets.h"
#include "index/idmap.h"

/* --- match ------------------------------------------------------------------------------------------ */

struct matched {
	uint64_t *p; /* owned */
	size_t n, cap;
	int failed;
};

static void matched_release(struct matched *m)
{
	free(m->p);
}

static void matched_add(void *arg, uint64_t entry)
{
	struct matched *m = arg;

	if (GROW(m->p, m->n, m->cap) < 0)
		m->failed = 1;
	else
		m->p[m->n++] = entry;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int find_matches(const struct index *x, const struct index_query *q, struct matched *m,
			struct error *e)
{
	const struct word_source *w = &x->options.words;

	if (!q->match)
		return 0;
	if (!w->match)
		return error_set(e, ERR_BAD_MATCH, "match", "there is no word index to match against");
	int rc = w->match(w->ctx, q->collection, q->match, matched_add, m, e);
	if (rc < 0)
		return rc;
	if (m->n > 1)
		qsort(m->p, m->n, sizeof(*m->p), ascending);
	return m->failed ? no_memory(e) : 0;
}

/* --- words ------------------------------------------------------------------------------------------ */

static int plan_words(const struct search *s, struct words_plan **out, struct error *e)
{
	const struct index_query *q = s->q;
	const struct list *l = s->list;
	struct words_part *parts = arena_alloc(s->arena, (l->n + 1) * sizeof(*parts));
	int defaults = q->k1 == 0 && q->b == 0;

	*out = NULL;
	if (!q->n_terms)
		return 0;
	if (!parts)
		return no_memory(e);
	for (size_t i = 0; i < l->n; i++) {
		struct segment *seg = l->parts[i].segment;
		parts[i] = (struct words_part){ .words = &seg->words,
						.ids = seg->ids,
						.allowed = s->allowed[i].bits,
						.n_allowed = s->allowed[i].n,
						.dead_df = l->parts[i].dead ? segment_dead_df(seg) : NULL };
	}
	const struct words_query wq = { .terms = q->terms,
					.n_terms = q->n_terms,
					.k1 = defaults ? INDEX_K1 : q->k1,
					.b = defaults ? INDEX_B : q->b,
					.docs = l->docs,
					.length = l->length,
					.parts = parts,
					.n_parts = l->n };
	*out = words_plan_new(s->arena, &wq);
	return *out ? 0 : no_memory(e);
}

void index_frequencies(struct index *x, enum collection c, const struct term *terms, size_t n, uint64_t *out)
{
	struct view *view = index_view(x);
	const struct list *l = view->lists[c];

	for (size_t i = 0; i < n; i++) {
		out[i] = 0;
		for (size_t j = 0; j < l->n; j++) {
			const struct segment *seg = l->parts[j].segment;
			const struct words_part part = { .words = &seg->words,
							 .dead_df = segment_dead_df(seg) };
			uint32_t term = words_find(&seg->words, terms[i].stem, strlen(terms[i].stem));
			out[i] += term == WORDS_NONE ? 0 : words_frequency(&part, term);
		}
	}
	view_release(view);
}

/* --- candidates --------------------------------------------------------------------------------------- */

/* Who is answered, each once. */
struct candidates {
	struct idmap known; /* owned: place to number */
	struct index_hit *hits;
	struct place *places;
	size_t n;
};

/* `words`: its score, or NAN: not known yet. */
static int candidate(struct candidates *c, const struct search *s, struct place at, float words)
{
	uint64_t key = ((uint64_t)at.part << 32 | at.doc) + 1;

	if (idmap_get(&c->known, key) != IDMAP_NONE)
		return 0;
	if (idmap_put(&c->known, key, (uint32_t)c->n) < 0)
		return -1;
	c->hits[c->n].words = words;
	c->hits[c->n].entry = s->list->parts[at.part].segment->ids[at.doc];
	c->places[c->n++] = at;
	return 0;
}

/* Without a source to rank by: the first k allowed entries, by number. */
static int first_allowed(const struct search *s, size_t k, const struct place **out, size_t *n,
			 struct error *e)
{
	struct place *places = arena_alloc(s->arena, k * sizeof(*places));
	uint32_t *next = arena_alloc(s->arena, (s->list->n + 1) * sizeof(*next));
	size_t count = 0;

	if (!places || !next)
		return no_memory(e);
	while (count < k) {
		size_t best = s->list->n;
		for (size_t i = 0; i < s->list->n; i++) {
			const struct segment *seg = s->list->parts[i].segment;
			const uint64_t *bits = s->allowed[i].bits;
			if (bits)
				next[i] = bits_next(bits, seg->docs, next[i]);
			if (next[i] < seg->docs &&
			    (best == s->list->n ||
			     seg->ids[next[i]] < s->list->parts[best].segment->ids[next[best]]))
				best = i;
		}
		if (best == s->list->n)
			break;
		places[count++] = (struct place){ (uint32_t)best, next[best]++ };
	}
	*out = places;
	*n = count;
	return 0;
}

static void score_vector(const struct search *s, struct place at, struct index_hit *hit)
{
	struct parts p = { { NAN, NAN, NAN }, { ROW_NONE, ROW_NONE, ROW_NONE } };

	if (s->vector)
		search_parts(s, at, &p);
	hit->title = p.score[PART_TITLE];
	hit->whole = p.score[PART_WHOLE];
	hit->chunk = p.score[PART_CHUNK];
	if (parts_score(&p, &hit->vector) < 0)
		return;
	hit->vector_rank = 1; /* has one; its place comes later */
	uint32_t r = p.row[PART_CHUNK];
	if (r == ROW_NONE)
		r = p.row[PART_WHOLE];
	if (r == ROW_NONE)
		r = p.row[PART_TITLE];
	const struct segment_row *row = &s->list->parts[at.part].segment->rows[r];
	hit->row = row->id;
	hit->row_n = row->n;
	hit->row_field = (enum row_field)row->field;
}

/* Ranks go by what is ordered small; hits themselves are large. */
struct order {
	float score;
	uint32_t hit;
	uint64_t entry;
};

static int by_score(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static void rank_vectors(struct index_hit *hits, size_t n, struct order *o)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (hits[i].vector_rank)
			o[m++] = (struct order){ hits[i].vector, (uint32_t)i, hits[i].entry };
	qsort(o, m, sizeof(*o), by_score);
	for (size_t i = 0; i < m; i++)
		hits[o[i].hit].vector_rank = (uint32_t)i + 1;
}

static void rank_words(struct index_hit *hits, size_t n, struct order *o)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (hits[i].words > 0)
			o[m++] = (struct order){ hits[i].words, (uint32_t)i, hits[i].entry };
	qsort(o, m, sizeof(*o), by_score);
	for (size_t i = 0; i < m; i++)
		hits[o[i].hit].words_rank = (uint32_t)i + 1;
}

/* Step 4, in the order in which candidates are found. */
static void score(const struct search *s, const struct words_plan *plan, struct candidates *c, size_t from)
{
	for (size_t i = from; i < c->n; i++) {
		score_vector(s, c->places[i], &c->hits[i]);
		if (isnan(c->hits[i].words))
			c->hits[i].words = plan ? (float)words_score(plan, c->places[i].part,
								     c->places[i].doc)
						: 0;
	}
}

static int rank(const struct search *s, struct candidates *c, struct error *e)
{
	struct order *o = arena_alloc(s->arena, (c->n + 1) * sizeof(*o));

	if (!o)
		return no_memory(e);
	rank_vectors(c->hits, c->n, o);
	rank_words(c->hits, c->n, o);
	return 0;
}

/*
 * What a document that is not among the candidates, all of them found by
 * vector, needs by words to be among the best `right`: it is no nearer than the
 * last of them. The better the best score by words, the more words it takes to
 * make up for what candidates are ahead by vector. NULL in *out: no floor.
 */
static int find_floor(const struct search *s, const struct candidates *c, const struct words_floor **out,
		      struct error *e)
{
	double worst = INFINITY, best = -INFINITY;

	*out = NULL;
	for (size_t i = 0; i < c->n; i++) {
		worst = fmin(worst, c->hits[i].vector);
		best = fmax(best, c->hits[i].vector);
	}
	/* With next to no weight for words, what decides is less than what fusion rounds. */
	if (c->n < s->q->right || !(s->q->words_weight > 1e-6 * s->q->vector_weight) || best <= -1)
		return 0;
	struct words_floor *f = arena_alloc(s->arena, sizeof(*f));
	double *lead = arena_alloc(s->arena, c->n * sizeof(*lead));
	double *words = arena_alloc(s->arena, c->n * sizeof(*words));
	if (!f || !lead || !words)
		return no_memory(e);
	const double slack = 1 - 1e-6; /* fusion rounds otherwise */
	double per_vector = s->q->vector_weight / s->q->words_weight / (best + 1);
	for (size_t i = 0; i < c->n; i++) {
		lead[i] = per_vector * (c->hits[i].vector - worst) * slack;
		words[i] = c->hits[i].words * slack;
	}
	*f = (struct words_floor){ lead, words, c->n, s->q->right };
	*out = f;
	return 0;
}

static int add_vectors(const struct search *s, struct candidates *c, const struct place *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (candidate(c, s, v[i], NAN) < 0)
			return -1;
	return 0;
}

static int add_words(const struct search *s, struct candidates *c, const struct words_hit *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (candidate(c, s, (struct place){ w[i].part, w[i].doc }, (float)w[i].score) < 0)
			return -1;
	return 0;
}

static int candidates_init(const struct search *s, struct candidates *c, size_t room)
{
	c->hits = arena_alloc(s->arena, room * sizeof(*c->hits));
	c->places = arena_alloc(s->arena, room * sizeof(*c->places));
	return c->hits && c->places ? 0 : -1;
}

static int gather(struct search *s, struct candidates *c, struct index_result *out, struct error *e)
{
	size_t k = s->q->k ? s->q->k : 1, n_v = 0;
	const struct words_hit *w = NULL;
	const struct place *v = NULL;
	struct words_plan *plan;
	const struct words_floor *floor = NULL;
	long n_w = 0;
	int rc = plan_words(s, &plan, e);

	/* One more than is wanted of each: so it is known whether there are more. */
	if (rc == 0 && s->vector)
		rc = search_vectors(s, k + 1, &v, &n_v, e);
	else if (rc == 0 && !plan)
		rc = first_allowed(s, k + 1, &v, &n_v, e);
	if (rc == 0 && (candidates_init(s, c, 2 * (k < s->n_allowed ? k : s->n_allowed) + 1) < 0 ||
			add_vectors(s, c, v, n_v < k ? n_v : k) < 0))
		rc = no_memory(e);
	if (rc < 0)
		return rc;
	score(s, plan, c, 0);
	if (plan && s->q->right && n_v > k && (rc = find_floor(s, c, &floor, e)) < 0)
		return rc;
	size_t found = c->n;
	if (plan && ((n_w = words_best(plan, s->arena, k + 1, floor, &w)) < 0 ||
		     add_words(s, c, w, (size_t)n_w < k ? (size_t)n_w : k) < 0))
		return no_memory(e);
	score(s, plan, c, found);
	out->exhausted = n_v <= k && (size_t)n_w <= k;
	return rank(s, c, e);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static const float *pad(const struct search *s, const float *v)
{
	size_t dim = s->x->options.dim, stride = distance_stride(dim);
	float *p = arena_alloc_aligned(s->arena, stride * sizeof(*p), DISTANCE_ALIGN);

	return p ? memcpy(p, v, dim * sizeof(*p)) : NULL;
}

static int search_view(struct search *s, const struct matched *m, struct index_result *out, struct error *e)
{
	struct candidates c = { 0 };
	const char *unknown = NULL;
	int rc = search_allow(s, m->p, m->n, &unknown, e);

	if (rc < 0)
		return rc;
	if (unknown && !(out->unknown_key = arena_strdup(s->arena, unknown)))
		return no_memory(e);
	if (s->q->n_facets && facets_count(s, &out->facets) < 0)
		return no_memory(e);
	if (s->q->vector && s->x->options.dim && !(s->vector = pad(s, s->q->vector)))
		return no_memory(e);
	if (s->vector && code_query_make(s->vector, s->x->options.dim, s->arena, &s->code) < 0)
		return no_memory(e);
	rc = gather(s, &c, out, e);
	idmap_release(&c.known);
	out->hits = c.hits;
	out->n = c.n;
	out->allowed = s->n_allowed;
	return rc;
}

int index_search(struct index *x, const struct index_query *q, struct arena *a, struct index_result *out,
		 struct error *e)
{
	__attribute__((cleanup(matched_release))) struct matched m = { 0 };
	struct search s = { .x = x, .q = q, .arena = a };
	struct index_result r = { 0 };

	assert((unsigned)q->collection < COLLECTIONS);
	/* Before `match` is asked: what is committed later it need not have. */
	struct view *view = index_view(x);
	int rc = find_matches(x, q, &m, e);

	s.list = view->lists[q->collection];
	r.seq = view->seq;
	if (rc == 0)
		rc = search_view(&s, &m, &r, e);
	view_release(view);
	if (rc == 0)
		*out = r;
	return rc;
}
