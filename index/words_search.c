/*
 * words_search.c: the k best documents by BM25.
 *
 * A part is gone through in windows of documents. In each window a term can
 * add so much at most (from its blocks that meet the window). Terms are put in
 * order of that; those in front that together cannot lift a document above the
 * worst of the k best are not read: only documents that one of the others has
 * are looked at, and the terms in front are looked up for a document while it
 * still has a chance. This is MaxScore (Turtle, Flood 1995) with block maxima
 * (Ding, Suel 2011; here by windows, as Lucene 10 does it): for queries of
 * many terms it does less than WAND, which sorts its lists at each step
 * (Mallia, Siedlaczek, Suel 2019), and its inner loop is a plain one.
 *
 * What is added up here, in float, only tells who is worth a look: bounds get
 * a slack for its rounding, and who passes is scored by words_score().
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "index/bits.h"
#include "index/topk.h"
#include "index/words_internal.h"

#define WINDOW 2048
#define SLACK 1.00002f

/* Short documents and small counts make up nearly everything: what a term adds is looked up for these. */
#define TABLE_TF 4
#define TABLE_LENGTH 512

/* A term of the query in one part. */
struct known {
	uint32_t term;  /* its number */
	uint32_t query; /* which of the query's */
};

struct part_plan {
	const struct words_part *part;
	struct known *known; /* by term number */
	size_t n_known;
	uint64_t postings; /* of all of them */
};

struct words_plan {
	struct words_query q;
	struct part_plan *parts;
	double *weight;  /* by term of the query: weight * idf * (k1 + 1) */
	uint32_t *order; /* parts, the one with most postings first */
	float *table;    /* TABLE_TF rows of TABLE_LENGTH: tf / (tf + K(length)) */
	double average;
};

/* --- planning ------------------------------------------------------------------------------------------ */

/* k1·(1 − b + b·len/avglen) */
static double norm_of(const struct words_plan *p, uint32_t length)
{
	return p->q.k1 * (1 - p->q.b + p->q.b * (double)length / p->average);
}

static uint64_t look_up(struct part_plan *x, const struct term *t, size_t i, size_t n)
{
	uint32_t term = words_find(x->part->words, t->stem, n);

	if (term == WORDS_NONE)
		return 0;
	const struct words *w = x->part->words;
	uint32_t df = w->post_at[term + 1] - w->post_at[term];
	uint32_t dead = x->part->dead_df ? __atomic_load_n(&x->part->dead_df[term], __ATOMIC_RELAXED) : 0;
	size_t at = x->n_known++;
	for (; at > 0 && x->known[at - 1].term > term; at--)
		x->known[at] = x->known[at - 1];
	x->known[at] = (struct known){ term, (uint32_t)i };
	x->postings += df;
	return df - (dead < df ? dead : df);
}

static void look_up_all(struct words_plan *p)
{
	const struct words_query *q = &p->q;

	for (size_t i = 0; i < q->n_terms; i++) {
		const struct term *t = &q->terms[i];
		size_t n = strlen(t->stem);
		uint64_t df = 0;
		for (size_t j = 0; j < q->n_parts && t->weight > 0; j++)
			df += look_up(&p->parts[j], t, i, n);
		if (df > q->docs)
			df = q->docs; /* counted by a writer a moment later than the rest */
		double idf = log(1 + ((double)(q->docs - df) + 0.5) / ((double)df + 0.5));
		p->weight[i] = t->weight > 0 ? t->weight * idf * (q->k1 + 1) : 0;
	}
}

static void fill_table(struct words_plan *p)
{
	for (uint32_t len = 0; len < TABLE_LENGTH; len++) {
		float norm = (float)norm_of(p, len);
		for (int tf = 1; tf <= TABLE_TF; tf++)
			p->table[(tf - 1) * TABLE_LENGTH + len] = (float)tf / ((float)tf + norm);
	}
}

static void order_parts(struct words_plan *p)
{
	for (uint32_t i = 0; i < p->q.n_parts; i++) {
		size_t at = i;
		for (; at > 0 && p->parts[p->order[at - 1]].postings < p->parts[i].postings; at--)
			p->order[at] = p->order[at - 1];
		p->order[at] = i;
	}
}

struct words_plan *words_plan_new(struct arena *a, const struct words_query *q)
{
	struct words_plan *p = arena_alloc(a, sizeof(*p));

	if (!p)
		return NULL;
	p->q = *q;
	p->average = q->docs && q->length ? (double)q->length / (double)q->docs : 1;
	p->parts = arena_alloc(a, (q->n_parts + 1) * sizeof(*p->parts));
	p->weight = arena_alloc(a, (q->n_terms + 1) * sizeof(*p->weight));
	p->order = arena_alloc(a, (q->n_parts + 1) * sizeof(*p->order));
	p->table = arena_alloc(a, TABLE_TF * TABLE_LENGTH * sizeof(*p->table));
	struct known *known = arena_alloc(a, (q->n_terms * q->n_parts + 1) * sizeof(*known));
	if (!p->parts || !p->weight || !p->order || !p->table || !known)
		return NULL;
	for (size_t i = 0; i < q->n_parts; i++) {
		p->parts[i].part = &q->parts[i];
		p->parts[i].known = known + i * q->n_terms;
	}
	look_up_all(p);
	fill_table(p);
	order_parts(p);
	return p;
}

/* --- the score ------------------------------------------------------------------------------------------ */

struct found {
	uint32_t query, tf;
};

/* The terms that the document has, in the order of the query. */
static size_t find_terms(const struct part_plan *x, uint32_t doc, struct found *out, size_t max)
{
	struct list_reader l = list_begin(x->part->words, doc);
	size_t at = 0, n = 0;

	while (at < x->n_known && list_next(&l)) {
		while (at < x->n_known && x->known[at].term < l.term)
			at++;
		for (size_t same = at; same < x->n_known && x->known[same].term == l.term && n < max;
		     same++) {
			size_t hole = n++;
			for (; hole > 0 && out[hole - 1].query > x->known[same].query; hole--)
				out[hole] = out[hole - 1];
			out[hole] = (struct found){ x->known[same].query, l.tf };
		}
	}
	return n;
}

/* Terms of one document that are summed at once: a document of more shares has its sum in that many pieces. */
#define MOST_FOUND 1024

double words_score(const struct words_plan *p, uint32_t part, uint32_t doc)
{
	const struct part_plan *x = &p->parts[part];
	struct found found[MOST_FOUND];
	double sum = 0;

	if (x->n_known == 0)
		return 0;
	size_t n = find_terms(x, doc, found, MOST_FOUND);
	double norm = n ? norm_of(p, x->part->words->lengths[doc]) : 0;
	for (size_t i = 0; i < n; i++)
		sum += p->weight[found[i].query] * found[i].tf / (found[i].tf + norm);
	return sum;
}

/* --- collecting ----------------------------------------------------------------------------------------- */

/* The k best of all parts so far, worst on top. */
struct collector {
	struct words_hit *heap;
	size_t n, k, cap;
	struct words_plan *plan;
	struct arena *arena;
};

static uint64_t id_of(const struct collector *c, const struct words_hit *h)
{
	return c->plan->q.parts[h->part].ids[h->doc];
}

static int is_worse(const struct collector *c, const struct words_hit *a, const struct words_hit *b)
{
	return a->score < b->score || (a->score == b->score && id_of(c, a) > id_of(c, b));
}

static void sink(struct collector *c, size_t n, struct words_hit h)
{
	size_t hole = 0;

	for (size_t child; (child = 2 * hole + 1) < n; hole = child) {
		if (child + 1 < n && is_worse(c, &c->heap[child + 1], &c->heap[child]))
			child++;
		if (!is_worse(c, &c->heap[child], &h))
			break;
		c->heap[hole] = c->heap[child];
	}
	c->heap[hole] = h;
}

static int collect(struct collector *c, struct words_hit h)
{
	if (c->n == c->k) {
		assert(c->heap); /* k >= 1 */
		if (is_worse(c, &c->heap[0], &h))
			sink(c, c->n, h);
		return 0;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct words_hit *more = arena_alloc(c->arena, cap * sizeof(*more));
		if (!more)
			return -1;
		if (c->n)
			memcpy(more, c->heap, c->n * sizeof(*more));
		c->heap = more;
		c->cap = cap;
	}
	assert(c->heap);
	size_t hole = c->n++;
	for (; hole > 0 && is_worse(c, &h, &c->heap[(hole - 1) / 2]); hole = (hole - 1) / 2)
		c->heap[hole] = c->heap[(hole - 1) / 2];
	c->heap[hole] = h;
	return 0;
}

/* What a sum of floats must reach to be worth a look. */
static float bar(const struct collector *c)
{
	if (c->n < c->k)
		return 0;
	assert(c->heap);
	return (float)c->heap[0].score;
}

static int judge(struct collector *c, uint32_t part, uint32_t doc)
{
	struct words_hit h = { part, doc, words_score(c->plan, part, doc) };

	return h.score > 0 ? collect(c, h) : 0;
}

/* --- windows -------------------------------------------------------------------------------------------- */

/* A term on its way through a part. */
struct cursor {
	const uint32_t *post, *end; /* where the window begins; the list's end */
	const uint32_t *first;      /* the list */
	const struct words_block *block, *blocks_end, *blocks;
	float weight;
	float bound; /* in this window */
};

struct scan {
	const struct words_plan *plan;
	const struct part_plan *x;
	struct collector *c;
	uint32_t part;
	struct cursor **cursor; /* by bound in this window, smallest first */
	size_t n;
	float *before; /* before[i]: what the first i cursors can add together */
	float sum[WINDOW];
	uint64_t touched[WINDOW / 64];
};

static float share(const struct words_plan *p, uint32_t tf, uint32_t length)
{
	if (tf <= TABLE_TF && length < TABLE_LENGTH)
		return p->table[(tf - 1) * TABLE_LENGTH + length];
	return (float)(tf / (tf + norm_of(p, length)));
}

/* What a posting of the block can be worth, as a share of the term's weight. */
static float block_share(const struct words_plan *p, const struct words_block *b)
{
	float best = 0;

	if (b->classes & 1)
		best = share(p, 1, b->shortest[0]);
	if (b->classes & 2)
		best = fmaxf(best, share(p, 2, b->shortest[1]));
	if (b->classes & 4)
		best = b->most == 255 ? 1 : fmaxf(best, share(p, b->most, b->shortest[2]));
	return best;
}

/* The bound of a cursor for documents below `end`, from the blocks that reach into the window. */
static void set_bound(const struct words_plan *p, struct cursor *c, uint32_t start, uint32_t end)
{
	float best = 0;

	while (c->block < c->blocks_end && c->block->last >> 8 < start)
		c->block++;
	for (const struct words_block *b = c->block; b < c->blocks_end; b++) {
		const uint32_t *from = c->first + (b - c->blocks) * WORDS_BLOCK;
		if (*from >> 8 >= end)
			break;
		best = fmaxf(best, block_share(p, b));
		if (b->last >> 8 >= end)
			break;
	}
	c->bound = best * c->weight;
}

/* The first posting at or behind the document, from `post` on: by blocks, then by halves. */
static const uint32_t *seek(const struct cursor *c, const uint32_t *post, uint32_t doc)
{
	const uint32_t want = doc << 8;
	const struct words_block *b = c->blocks + (post - c->first) / WORDS_BLOCK;

	while (b < c->blocks_end && b->last < want)
		b++;
	if (b == c->blocks_end)
		return c->end;
	const uint32_t *low = c->first + (b - c->blocks) * WORDS_BLOCK;
	const uint32_t *high = low + WORDS_BLOCK < c->end ? low + WORDS_BLOCK : c->end;
	if (low < post)
		low = post;
	while (low < high) {
		const uint32_t *mid = low + (high - low) / 2;
		if (*mid < want)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void sort_cursors(struct scan *s)
{
	for (size_t i = 1; i < s->n; i++) {
		struct cursor *c = s->cursor[i];
		size_t at = i;
		for (; at > 0 && s->cursor[at - 1]->bound > c->bound; at--)
			s->cursor[at] = s->cursor[at - 1];
		s->cursor[at] = c;
	}
	s->before[0] = 0;
	for (size_t i = 0; i < s->n; i++)
		s->before[i + 1] = s->before[i] + s->cursor[i]->bound;
}

/* Adds up a term in the whole window. */
static void add_term(struct scan *s, struct cursor *c, uint32_t start, uint32_t end)
{
	const uint32_t stop = end << 8;
	const uint32_t *lengths = s->x->part->words->lengths;
	const uint32_t *post = c->post;

	if (post < c->end && *post >> 8 < start)
		post = seek(c, post, start);
	for (; post < c->end && *post < stop; post++) {
		uint32_t doc = *post >> 8, at = doc - start, tf = *post & 255;
		if (tf == 255)
			s->sum[at] += c->weight;
		else
			s->sum[at] += c->weight * share(s->plan, tf, lengths[doc]);
		s->touched[at / 64] |= UINT64_C(1) << (at % 64);
	}
	c->post = post;
}

/* A document that some term of the back has: the terms of the front one by one, the largest first, while it can still make it. */
static int consider(struct scan *s, uint32_t doc, float sum, size_t front)
{
	float least = bar(s->c);

	for (size_t i = front; i > 0; i--) {
		struct cursor *c = s->cursor[i - 1];
		if ((sum + s->before[i]) * SLACK < least)
			return 0;
		const uint32_t *post = c->post = seek(c, c->post, doc);
		if (post < c->end && *post >> 8 == doc) {
			uint32_t tf = *post & 255;
			sum += tf == 255 ? c->weight
					 : c->weight * share(s->plan, tf, s->x->part->words->lengths[doc]);
		}
	}
	return sum * SLACK < least ? 0 : judge(s->c, s->part, doc);
}

static int window(struct scan *s, uint32_t start, uint32_t end)
{
	const uint64_t *allowed = s->x->part->allowed;
	float least = bar(s->c);
	size_t front = 0;
	int rc = 0;

	for (size_t i = 0; i < s->n; i++)
		set_bound(s->plan, s->cursor[i], start, end);
	sort_cursors(s);
	while (front < s->n && s->before[front + 1] * SLACK < least)
		front++;
	if (front == s->n)
		return 0;
	size_t words = bits_words(end - start);
	memset(s->sum, 0, (end - start) * sizeof(*s->sum));
	memset(s->touched, 0, words * sizeof(*s->touched));
	for (size_t i = front; i < s->n; i++)
		add_term(s, s->cursor[i], start, end);
	for (size_t i = 0; allowed && i < words; i++)
		s->touched[i] &= allowed[start / 64 + i];
	for (uint32_t at = bits_next(s->touched, end - start, 0); rc == 0 && at < end - start;
	     at = bits_next(s->touched, end - start, at + 1))
		rc = consider(s, start + at, s->sum[at], front);
	return rc;
}

static int scan_part(struct words_plan *p, struct collector *c, uint32_t part)
{
	const struct part_plan *x = &p->parts[part];
	const struct words *w = x->part->words;
	struct scan *s = arena_alloc(c->arena, sizeof(*s));
	struct cursor *cursors = arena_alloc(c->arena, (x->n_known + 1) * sizeof(*cursors));
	int rc = 0;

	if (!s || !cursors)
		return -1;
	s->plan = p;
	s->x = x;
	s->c = c;
	s->part = part;
	s->n = x->n_known;
	s->cursor = arena_alloc(c->arena, (x->n_known + 1) * sizeof(struct cursor *));
	s->before = arena_alloc(c->arena, (x->n_known + 1) * sizeof(*s->before));
	if (!s->cursor || !s->before)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		uint32_t t = x->known[i].term;
		cursors[i] = (struct cursor){ .post = w->posts + w->post_at[t],
					      .end = w->posts + w->post_at[t + 1],
					      .first = w->posts + w->post_at[t],
					      .block = w->blocks + w->block_at[t],
					      .blocks_end = w->blocks + w->block_at[t + 1],
					      .blocks = w->blocks + w->block_at[t],
					      .weight = (float)p->weight[x->known[i].query] };
		s->cursor[i] = &cursors[i];
	}
	for (uint32_t start = 0; rc == 0 && start < w->docs; start += WINDOW)
		rc = window(s, start, w->docs - start < WINDOW ? w->docs : start + WINDOW);
	return rc;
}

/* A list of some sixty terms is read in the time of so many postings. */
#define LIST_COST 24

static int list_allowed(struct collector *c, uint32_t part)
{
	const struct words_part *p = &c->plan->q.parts[part];
	int rc = 0;

	for (uint32_t d = bits_next(p->allowed, p->words->docs, 0); rc == 0 && d < p->words->docs;
	     d = bits_next(p->allowed, p->words->docs, d + 1))
		rc = judge(c, part, d);
	return rc;
}

long words_best(struct words_plan *p, struct arena *a, size_t k, const struct words_hit **out)
{
	struct collector c = { .k = k, .plan = p, .arena = a };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->q.n_parts; i++) {
		const struct part_plan *x = &p->parts[p->order[i]];
		if (x->n_known == 0 || (x->part->allowed && x->part->n_allowed == 0))
			continue;
		if (x->part->allowed && (uint64_t)x->part->n_allowed * LIST_COST < x->postings)
			rc = list_allowed(&c, p->order[i]);
		else
			rc = scan_part(p, &c, p->order[i]);
	}
	if (rc < 0)
		return -1;
	for (size_t left = c.n; left > 1; left--) {
		struct words_hit worst = c.heap[0], last = c.heap[left - 1];
		sink(&c, left - 1, last);
		c.heap[left - 1] = worst;
	}
	*out = c.heap;
	return (long)c.n;
}
