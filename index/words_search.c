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
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "index/bits.h"
#include "index/words_internal.h"

#define WINDOW 2048

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
	float slack;     /* what a sum of floats times it is above, and divided by it below */
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

static uint32_t postings(const struct words *w, uint32_t term)
{
	return w->post_at[term + 1] - w->post_at[term];
}

uint32_t words_frequency(const struct words_part *p, uint32_t term)
{
	uint32_t all = postings(p->words, term);
	uint32_t dead = p->dead_df ? __atomic_load_n(&p->dead_df[term], __ATOMIC_RELAXED) : 0;

	return all - (dead < all ? dead : all);
}

static uint64_t look_up(struct part_plan *x, const struct term *t, size_t i, size_t n)
{
	uint32_t term = words_find(x->part->words, t->stem, n);

	if (term == WORDS_NONE)
		return 0;
	size_t at = x->n_known++;
	for (; at > 0 && x->known[at - 1].term > term; at--)
		x->known[at] = x->known[at - 1];
	x->known[at] = (struct known){ term, (uint32_t)i };
	x->postings += postings(x->part->words, term);
	return words_frequency(x->part, term);
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
	/* A sum of n floats is off by less than n roundings, each of them of three more. */
	p->slack = 1 + (float)(q->n_terms + 8) * 1.2e-7f;
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

/* A document that may be among the best: its score is at most `most`. */
struct maybe {
	uint32_t part, doc;
	float most;
};

/*
 * Sums of floats tell scores to within a slack. The k-th best of what documents
 * have at least is the bar, or the caller's floor if that is higher; who cannot
 * reach it is out. Of the few that are left in the end the exact score is
 * computed: that is dear, a list of terms has to be read for it.
 */
struct collector {
	float *least; /* the k best that documents have at least, smallest on top */
	size_t n, k;
	float best;                      /* of them */
	float bar;                       /* who has less is not wanted, unless it is the best */
	float bar_best;                  /* the best when it was set */
	const struct words_floor *floor; /* NULL: the bar is 0 */
	double *scratch;                 /* as many as the floor has */
	struct maybe *maybe;
	size_t n_maybe, cap;
	struct words_plan *plan;
	struct arena *arena;
};

/* The bar is set anew when the best score is this much better: an older one is lower, and good as well. */
#define BETTER 1.05f

/* The bar for a best score of c->best; the sums that it is compared with are off by the slack at most. */
static void set_bar(struct collector *c)
{
	const struct words_floor *f = c->floor;
	double *top = c->scratch;
	size_t n = 0;

	c->bar_best = c->best;
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		double x = f->lead[i] * c->best + f->words[i];
		if (n == f->right && x <= top[n - 1])
			continue;
		size_t at = n < f->right ? n++ : n - 1;
		for (; at > 0 && top[at - 1] < x; at--)
			top[at] = top[at - 1];
		top[at] = x;
	}
	c->bar = (float)(top[f->right - 1] / c->plan->slack);
}

static int collector_init(struct collector *c, struct words_plan *p, struct arena *a, size_t k,
			  const struct words_floor *floor)
{
	uint64_t most = 0;

	for (size_t i = 0; i < p->q.n_parts; i++)
		most += p->q.parts[i].words->docs;
	k = k < most ? k : most;
	*c = (struct collector){ .k = k, .floor = floor, .plan = p, .arena = a };
	c->least = arena_alloc(a, (k + 1) * sizeof(*c->least));
	c->scratch = arena_alloc(a, (floor ? floor->right : 1) * sizeof(*c->scratch));
	if (!c->least || !c->scratch)
		return -1;
	for (size_t i = 0; floor && i < floor->n; i++)
		c->best = fmaxf(c->best, (float)(floor->words[i] / p->slack));
	set_bar(c);
	return 0;
}

/* What a sum of floats must reach to be worth a look. */
static float bar(const struct collector *c)
{
	float least = c->best < c->bar ? c->best : c->bar;

	return c->n < c->k || c->least[0] < least ? least : c->least[0];
}

static void raise_bar(struct collector *c, float score)
{
	size_t hole = 0;

	c->best = score > c->best ? score : c->best;
	if (c->best > BETTER * c->bar_best)
		set_bar(c);
	if (c->n < c->k) {
		for (hole = c->n++; hole > 0 && score < c->least[(hole - 1) / 2]; hole = (hole - 1) / 2)
			c->least[hole] = c->least[(hole - 1) / 2];
	} else if (score > c->least[0]) {
		for (size_t child; (child = 2 * hole + 1) < c->n; hole = child) {
			child += child + 1 < c->n && c->least[child + 1] < c->least[child];
			if (c->least[child] >= score)
				break;
			c->least[hole] = c->least[child];
		}
	} else {
		return;
	}
	c->least[hole] = score;
}

static void drop_hopeless(struct collector *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_maybe; i++)
		if (c->maybe[i].most >= bar(c))
			c->maybe[n++] = c->maybe[i];
	c->n_maybe = n;
}

static int collect(struct collector *c, struct maybe m, float least)
{
	if (m.most <= 0 || m.most < bar(c))
		return 0;
	raise_bar(c, least);
	if (c->n_maybe == c->cap)
		drop_hopeless(c);
	if (2 * c->n_maybe > c->cap || !c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 1024;
		struct maybe *more = arena_alloc(c->arena, cap * sizeof(*more));
		if (!more)
			return -1;
		if (c->n_maybe)
			memcpy(more, c->maybe, c->n_maybe * sizeof(*more));
		c->maybe = more;
		c->cap = cap;
	}
	c->maybe[c->n_maybe++] = m;
	return 0;
}

struct ranked {
	struct words_hit hit;
	uint64_t id;
};

static int by_score(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->hit.score != y->hit.score)
		return x->hit.score < y->hit.score ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

/* The exact scores of those that are left, and the best of them. */
static long collector_finish(struct collector *c, const struct words_hit **out)
{
	drop_hopeless(c);
	struct ranked *all = arena_alloc(c->arena, (c->n_maybe + 1) * sizeof(*all));
	struct words_hit *best = arena_alloc(c->arena, (c->k + 1) * sizeof(*best));
	size_t n = 0;

	if (!all || !best)
		return -1;
	for (size_t i = 0; i < c->n_maybe; i++) {
		const struct maybe *m = &c->maybe[i];
		struct words_hit h = { m->part, m->doc, words_score(c->plan, m->part, m->doc) };
		if (h.score > 0)
			all[n++] = (struct ranked){ h, c->plan->q.parts[m->part].ids[m->doc] };
	}
	qsort(all, n, sizeof(*all), by_score);
	n = n < c->k ? n : c->k;
	for (size_t i = 0; i < n; i++)
		best[i] = all[i].hit;
	*out = best;
	return (long)n;
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
	float *before;  /* before[i]: what the first i cursors can add together */
	uint32_t start; /* of the window */
	float sum[WINDOW];
	uint64_t touched[WINDOW / 64];
	uint64_t over[WINDOW / 64]; /* documents with a count of 255 or more */
};

static void set_over(struct scan *s, uint32_t doc)
{
	s->over[(doc - s->start) / 64] |= UINT64_C(1) << ((doc - s->start) % 64);
}

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
		if (tf == 255) {
			s->sum[at] += c->weight;
			set_over(s, doc);
		} else {
			s->sum[at] += c->weight * share(s->plan, tf, lengths[doc]);
		}
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
		if ((sum + s->before[i]) * s->plan->slack < least)
			return 0;
		const uint32_t *post = c->post = seek(c, c->post, doc);
		if (post < c->end && *post >> 8 == doc) {
			uint32_t tf = *post & 255;
			if (tf == 255)
				set_over(s, doc);
			sum += tf == 255 ? c->weight
					 : c->weight * share(s->plan, tf, s->x->part->words->lengths[doc]);
		}
	}
	if (sum * s->plan->slack < least)
		return 0;
	/* A count of 255 may be more, and was taken for endless: then what it has at least is not known. */
	float surely = s->over[(doc - s->start) / 64] >> ((doc - s->start) % 64) & 1 ? 0
										     : sum / s->plan->slack;
	return collect(s->c, (struct maybe){ s->part, doc, sum * s->plan->slack }, surely);
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
	while (front < s->n && s->before[front + 1] * s->plan->slack < least)
		front++;
	if (front == s->n)
		return 0;
	size_t words = bits_words(end - start);
	memset(s->sum, 0, (end - start) * sizeof(*s->sum));
	memset(s->touched, 0, words * sizeof(*s->touched));
	memset(s->over, 0, words * sizeof(*s->over));
	s->start = start;
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
#define LIST_COST 96

static int list_allowed(struct collector *c, uint32_t part)
{
	const struct words_part *p = &c->plan->q.parts[part];
	int rc = 0;

	for (uint32_t d = bits_next(p->allowed, p->words->docs, 0); rc == 0 && d < p->words->docs;
	     d = bits_next(p->allowed, p->words->docs, d + 1)) {
		float score = (float)words_score(c->plan, part, d);
		rc = collect(c, (struct maybe){ part, d, score * c->plan->slack }, score / c->plan->slack);
	}
	return rc;
}

long words_best(struct words_plan *p, struct arena *a, size_t k, const struct words_floor *floor,
		const struct words_hit **out)
{
	struct collector c;
	int rc = collector_init(&c, p, a, k, floor);

	for (size_t i = 0; rc == 0 && i < p->q.n_parts; i++) {
		const struct part_plan *x = &p->parts[p->order[i]];
		if (x->n_known == 0 || (x->part->allowed && x->part->n_allowed == 0))
			continue;
		if (x->part->allowed && (uint64_t)x->part->n_allowed * LIST_COST < x->postings)
			rc = list_allowed(&c, p->order[i]);
		else
			rc = scan_part(p, &c, p->order[i]);
	}
	return rc < 0 ? -1 : collector_finish(&c, out);
}
