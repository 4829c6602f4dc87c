/*
 * A search, in order:
 *
 *  1. Words are collected, without a lock: the source is a database that may
 *     take long and may wait for others.
 *  2. Under the read lock: the entries that groups, filter and `match` allow.
 *  3. The best k of them by vector (search_vectors.c), the best k by words.
 *  4. All of both get the scores of both sources, from their own rows.
 */
#include "index/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "index/filter.h"
#include "index/tags.h"

struct found {
	uint64_t entry;
	uint32_t slot; /* IDMAP_NONE: dead or not allowed */
	float score;
};

/* What the word source says. */
struct words {
	struct found *p; /* owned */
	size_t n, cap;
	int failed;
};

static void words_release(struct words *w)
{
	free(w->p);
}

#define WORDS_AUTO __attribute__((cleanup(words_release))) struct words

static int no_memory(struct error *e)
{
	return error_set(e, ERR_NO_MEMORY, NULL, "out of memory in a search");
}

static void words_add(void *arg, struct word_hit hit)
{
	struct words *w = arg;

	if (GROW(w->p, w->n, w->cap) < 0)
		w->failed = 1;
	else
		w->p[w->n++] = (struct found){ hit.entry, IDMAP_NONE, hit.score };
}

/* Step 1. */
static int collect_words(const struct index *x, const struct index_query *q, struct words *terms,
			 struct words *match, struct error *e)
{
	const struct word_source *w = &x->options.words;
	int rc = 0;

	if (q->match && !w->match)
		return error_set(e, ERR_BAD_MATCH, "match", "there is no word index to match against");
	if (q->match)
		rc = w->match(w->ctx, q->collection, q->match, words_add, match, e);
	if (rc == 0 && q->n_terms && w->search)
		rc = w->search(w->ctx, q->collection, q->terms, q->n_terms, words_add, terms, e);
	if (rc == 0 && (terms->failed || match->failed))
		rc = no_memory(e);
	return rc < 0 ? rc : 0;
}

static roaring_bitmap_t *match_slots(const struct shelf *c, const struct words *match)
{
	roaring_bitmap_t *r = roaring_bitmap_create();

	for (size_t i = 0; r && i < match->n; i++) {
		uint32_t slot = idmap_get(&c->slots, match->p[i].entry);
		if (slot != IDMAP_NONE)
			roaring_bitmap_add(r, slot);
	}
	return r;
}

/* Step 2. *own is NULL where all live entries are allowed; *unknown is a key that nothing visible has. */
static int allow(struct search *s, const struct words *match, roaring_bitmap_t **own, const char **unknown,
		 struct error *e)
{
	const struct index_query *q = s->q;
	const struct shelf *c = s->c;
	ROARING_AUTO *visible = NULL;
	roaring_bitmap_t *set = NULL;

	if (!q->all_groups) {
		if (!(visible = roaring_bitmap_create()))
			return no_memory(e);
		tags_visible(c->tags, q->groups, q->n_groups, visible);
	}
	*unknown = q->filter ? filter_unknown_key(q->filter, c->tags, visible) : NULL;
	if (q->filter && !(set = filter_slots(q->filter, c->tags, c->live)))
		return no_memory(e);
	if (q->match) {
		ROARING_AUTO *m = match_slots(c, match);
		if (!m) {
			roaring_release(&set);
			return no_memory(e);
		}
		if (set) {
			roaring_bitmap_and_inplace(set, m);
		} else {
			set = m;
			m = NULL;
		}
	}
	if (visible && set) {
		roaring_bitmap_and_inplace(set, visible);
	} else if (visible) {
		set = visible;
		visible = NULL;
	}
	*own = set;
	s->allowed = set ? set : c->live;
	s->n_allowed = set ? (size_t)roaring_bitmap_get_cardinality(set) : c->slots.n;
	return 0;
}

static const float *pad(const struct search *s, const float *v)
{
	const struct rows *r = &s->c->rows;
	float *p = arena_alloc(s->arena, r->stride * sizeof(*p) + DISTANCE_ALIGN);

	if (!p)
		return NULL;
	p = (float *)(((uintptr_t)p + DISTANCE_ALIGN - 1) / DISTANCE_ALIGN * DISTANCE_ALIGN);
	return memcpy(p, v, r->dim * sizeof(*p));
}

/* Who is answered: by slot, so that an entry that both sources found is there once. */
struct candidates {
	struct idmap places; /* owned: slot to place */
	struct index_hit *hits;
	uint32_t *slots;
	size_t n, cap;
};

static int candidate(struct candidates *c, const struct search *s, uint32_t slot)
{
	if (idmap_get(&c->places, slot) != IDMAP_NONE)
		return 0;
	if (idmap_put(&c->places, slot, (uint32_t)c->n) < 0)
		return -1;
	c->hits[c->n].entry = s->c->entries[slot].id;
	c->slots[c->n++] = slot;
	return 0;
}

/* Step 3 for words; *matched is how many allowed entries have any of them. */
static int best_words(const struct search *s, struct words *w, size_t k, const struct scored **out, size_t *n,
		      size_t *matched, struct error *e)
{
	struct topk *best = topk_new(s->arena, k);

	if (!best)
		return no_memory(e);
	*matched = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct found *f = &w->p[i];
		uint32_t slot = f->score > 0 ? idmap_get(&s->c->slots, f->entry) : IDMAP_NONE;
		if (slot == IDMAP_NONE || !roaring_bitmap_contains(s->allowed, slot))
			continue;
		f->slot = slot;
		++*matched;
		if (topk_push(best, (struct scored){ f->entry, slot, f->score }) < 0)
			return no_memory(e);
	}
	*n = topk_finish(best, out);
	return 0;
}

/* Without a source to rank by: the first k allowed entries, by number. */
static int first_allowed(const struct search *s, size_t k, const struct scored **out, size_t *n,
			 struct error *e)
{
	struct topk *best = topk_new(s->arena, k);
	roaring_uint32_iterator_t i;

	if (!best)
		return no_memory(e);
	for (roaring_init_iterator(s->allowed, &i); i.has_value; roaring_advance_uint32_iterator(&i)) {
		struct scored entry = { s->c->entries[i.current_value].id, i.current_value, 0 };
		if (topk_push(best, entry) < 0)
			return no_memory(e);
	}
	*n = topk_finish(best, out);
	return 0;
}

static void score_vector(const struct search *s, uint32_t slot, struct index_hit *hit)
{
	struct parts p;

	parts_clear(&p);
	if (s->vector)
		search_parts(s, slot, &p);
	hit->title = p.score[PART_TITLE];
	hit->whole = p.score[PART_WHOLE];
	hit->chunk = p.score[PART_CHUNK];
	if (parts_mean(&p, &hit->vector) < 0)
		return;
	hit->vector_rank = 1; /* has one; its place comes later */
	uint32_t r = p.row[PART_CHUNK];
	if (r == ROW_NONE)
		r = p.row[PART_WHOLE];
	if (r == ROW_NONE)
		r = p.row[PART_TITLE];
	const struct row *row = &s->c->rows.row[r];
	hit->row = row->id;
	hit->row_n = row->n;
	hit->row_field = (enum row_field)row->field;
}

static int by_vector(const void *a, const void *b)
{
	const struct index_hit *x = a, *y = b;

	if (!x->vector_rank != !y->vector_rank)
		return x->vector_rank ? -1 : 1;
	if (x->vector != y->vector)
		return x->vector < y->vector ? 1 : -1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static int by_words(const void *a, const void *b)
{
	const struct index_hit *x = a, *y = b;

	if (x->words != y->words)
		return x->words < y->words ? 1 : -1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static void rank(struct index_hit *hits, size_t n)
{
	qsort(hits, n, sizeof(*hits), by_words);
	for (size_t i = 0; i < n && hits[i].words > 0; i++)
		hits[i].words_rank = (uint32_t)i + 1;
	qsort(hits, n, sizeof(*hits), by_vector);
	for (size_t i = 0; i < n && hits[i].vector_rank; i++)
		hits[i].vector_rank = (uint32_t)i + 1;
}

/* Step 4. */
static void score_all(const struct search *s, const struct words *w, struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		score_vector(s, c->slots[i], &c->hits[i]);
	for (size_t i = 0; i < w->n; i++) {
		uint32_t slot = w->p[i].slot;
		uint32_t place = slot == IDMAP_NONE ? IDMAP_NONE : idmap_get(&c->places, slot);
		if (place != IDMAP_NONE)
			c->hits[place].words = w->p[i].score;
	}
	rank(c->hits, c->n);
}

struct ranked {
	const struct scored *p;
	size_t n;
};

static int gather(struct search *s, struct words *terms, struct candidates *c, struct index_result *out,
		  struct error *e)
{
	const struct index_query *q = s->q;
	size_t k = q->k ? q->k : 1, matched = 0;
	struct ranked v = { 0 }, w = { 0 };
	int rc = 0, no_source = !s->vector && !q->n_terms;

	if (s->vector)
		rc = search_vectors(s, k, &v.p, &v.n, e);
	if (rc == 0 && q->n_terms)
		rc = best_words(s, terms, k, &w.p, &w.n, &matched, e);
	if (rc == 0 && no_source)
		rc = first_allowed(s, k, &v.p, &v.n, e);
	if (rc < 0)
		return rc;
	c->hits = arena_alloc(s->arena, (v.n + w.n + 1) * sizeof(*c->hits));
	c->slots = arena_alloc(s->arena, (v.n + w.n + 1) * sizeof(*c->slots));
	if (!c->hits || !c->slots)
		return no_memory(e);
	for (size_t i = 0; i < v.n + w.n; i++) {
		if (candidate(c, s, i < v.n ? v.p[i].slot : w.p[i - v.n].slot) < 0)
			return no_memory(e);
	}
	size_t with_rows = s->vector ? (size_t)roaring_bitmap_and_cardinality(s->allowed, s->c->with_rows)
				     : 0;
	out->exhausted = with_rows <= k && matched <= k && (!no_source || s->n_allowed <= k);
	score_all(s, terms, c);
	return 0;
}

static int search_locked(struct search *s, struct words *terms, const struct words *match,
			 struct index_result *out, struct error *e)
{
	struct candidates c = { 0 };
	ROARING_AUTO *own = NULL;
	const char *unknown = NULL;
	int rc = allow(s, match, &own, &unknown, e);

	if (rc < 0)
		return rc;
	if (unknown && !(out->unknown_key = arena_strdup(s->arena, unknown)))
		return no_memory(e);
	if (s->q->vector && s->c->rows.dim && !(s->vector = pad(s, s->q->vector)))
		return no_memory(e);
	rc = gather(s, terms, &c, out, e);
	idmap_release(&c.places);
	out->hits = c.hits;
	out->n = c.n;
	out->allowed = s->n_allowed;
	return rc;
}

int index_search(struct index *x, const struct index_query *q, struct arena *a, struct index_result *out,
		 struct error *e)
{
	WORDS_AUTO terms = { 0 };
	WORDS_AUTO match = { 0 };
	assert((unsigned)q->collection < COLLECTIONS);
	struct shelf *c = &x->shelves[q->collection];
	struct search s = { .x = x, .c = c, .q = q, .arena = a };
	/* Before the words are read: what is committed later they need not have. */
	struct index_result r = { .seq = index_seq(x) };
	int rc = collect_words(x, q, &terms, &match, e);

	if (rc < 0)
		return rc;
	pthread_rwlock_rdlock(&c->lock);
	if (!q->n_terms && !q->match)
		r.seq = index_seq(x);
	rc = search_locked(&s, &terms, &match, &r, e);
	pthread_rwlock_unlock(&c->lock);
	if (rc == 0)
		*out = r;
	return rc;
}
