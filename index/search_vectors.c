#include "index/search.h"

#include <math.h>

#include "base/arena.h"
#include "index/graph.h"
#include "index/hnsw.h"
#include "index/rows.h"

static int no_memory(struct error *e)
{
	return error_set(e, ERR_NO_MEMORY, NULL, "out of memory in a search");
}

void parts_clear(struct parts *p)
{
	for (int i = 0; i < PARTS; i++) {
		p->score[i] = NAN;
		p->row[i] = ROW_NONE;
	}
}

void parts_add(struct parts *p, const struct row *row, uint32_t slot, float score)
{
	int i = row->field == ROW_TITLE ? PART_TITLE : row->field == ROW_WHOLE ? PART_WHOLE : PART_CHUNK;

	if (isnan(score) || (p->row[i] != ROW_NONE && score <= p->score[i]))
		return;
	p->score[i] = score;
	p->row[i] = slot;
}

int parts_mean(const struct parts *p, float *out)
{
	float sum = 0;
	int n = 0;

	for (int i = 0; i < PARTS; i++) {
		if (p->row[i] != ROW_NONE) {
			sum += p->score[i];
			n++;
		}
	}
	if (n == 0)
		return -1;
	*out = sum / (float)n;
	return 0;
}

/* Rows wait here until there are enough for the loop over vectors to be fed well. */
#define BATCH 64

struct batch {
	const struct search *s;
	const float *vector[BATCH];
	uint32_t row[BATCH];
	size_t n;
	uint32_t entry; /* whose parts are being collected; ROW_NONE: nobody's */
	struct parts parts;
	struct topk *best;
	int failed;
};

static void entry_done(struct batch *b)
{
	float mean;

	if (b->entry != ROW_NONE && parts_mean(&b->parts, &mean) == 0) {
		struct scored s = { b->s->c->entries[b->entry].id, b->entry, mean };
		if (topk_push(b->best, s) < 0)
			b->failed = 1;
	}
	parts_clear(&b->parts);
}

static void batch_flush(struct batch *b)
{
	const struct shelf *c = b->s->c;
	float score[BATCH];

	b->s->x->tuning.distance->dots(b->s->vector, b->vector, b->n, c->rows.stride, score);
	for (size_t i = 0; i < b->n; i++) {
		const struct row *row = &c->rows.row[b->row[i]];
		if (row->entry != b->entry) {
			entry_done(b);
			b->entry = row->entry;
		}
		parts_add(&b->parts, row, b->row[i], score[i]);
	}
	b->n = 0;
}

static void batch_entry(struct batch *b, uint32_t entry)
{
	const struct shelf *c = b->s->c;

	for (uint32_t r = c->entries[entry].first_row; r != ROW_NONE; r = c->rows.row[r].next) {
		b->vector[b->n] = rows_vector(&c->rows, r);
		b->row[b->n++] = r;
		if (b->n == BATCH)
			batch_flush(b);
	}
}

static void batch_end(struct batch *b)
{
	batch_flush(b);
	entry_done(b);
	b->entry = ROW_NONE;
}

static void batch_start(struct batch *b, const struct search *s, struct topk *best)
{
	b->s = s;
	b->n = 0;
	b->entry = ROW_NONE;
	b->best = best;
	b->failed = 0;
	parts_clear(&b->parts);
}

void search_parts(const struct search *s, uint32_t entry, struct parts *out)
{
	const struct shelf *c = s->c;
	const float *vector[BATCH];
	uint32_t row[BATCH];
	float score[BATCH];

	parts_clear(out);
	for (uint32_t r = c->entries[entry].first_row; r != ROW_NONE;) {
		size_t n = 0;
		for (; n < BATCH && r != ROW_NONE; r = c->rows.row[r].next) {
			vector[n] = rows_vector(&c->rows, r);
			row[n++] = r;
		}
		s->x->tuning.distance->dots(s->vector, vector, n, c->rows.stride, score);
		for (size_t i = 0; i < n; i++)
			parts_add(out, &c->rows.row[row[i]], row[i], score[i]);
	}
}

/* Every row of every allowed entry. */
static int scan(const struct search *s, size_t k, const struct scored **out, size_t *n, struct error *e)
{
	struct topk *best = topk_new(s->arena, k);
	roaring_uint32_iterator_t i;
	struct batch b;

	if (!best)
		return no_memory(e);
	batch_start(&b, s, best);
	for (roaring_init_iterator(s->allowed, &i); i.has_value; roaring_advance_uint32_iterator(&i))
		batch_entry(&b, i.current_value);
	batch_end(&b);
	if (b.failed)
		return no_memory(e);
	*n = topk_finish(best, out);
	return 0;
}

/* Beyond so many rows a scan is dear enough to be content with the best entries of the best rows. */
#define SCAN_AT_ANY_PRICE 200000

/* How many rows the allowed entries have, about. */
static size_t allowed_rows(const struct search *s)
{
	size_t entries = (size_t)roaring_bitmap_get_cardinality(s->c->with_rows);

	return entries ? (size_t)((double)s->c->rows.live * (double)s->n_allowed / (double)entries) : 0;
}

/*
 * A walk's last rows are not all that there are of their kind, so that what
 * must be right has to be among the first. Right must be the best quarter of
 * what is asked for, and the best ten: callers ask for far more candidates
 * than they show, to fuse them with those of the words.
 */
enum { HEAD = HNSW_BEAM / 4, TRUSTED = HNSW_BEAM / 2 };

static size_t must_be_right(size_t k)
{
	return k <= 10 ? k : k <= 40 ? 10 : k / 4;
}

/* The share of a walk's rows that are allowed, if the filter has nothing to do with the query. */
static double allowed_share(const struct search *s, size_t rows)
{
	const struct graph *g = s->c->graph;

	return (double)g->bound / (double)g->n * ((double)rows / (double)s->c->rows.live);
}

/* Is a walk likely to find k allowed entries and those that must be right, for less than a scan? */
static int worth_a_walk(const struct search *s, size_t k, size_t rows)
{
	const struct graph *g = s->c->graph;

	if (!g || s->q->exact || rows <= s->x->tuning.exact_rows || k >= s->n_allowed)
		return 0;
	if (roaring_bitmap_get_cardinality(s->c->growing) > rows / 2)
		return 0;
	double allowed = HNSW_BEAM * allowed_share(s, rows);
	return allowed / 1.5 > (double)k && allowed / 4 > (double)must_be_right(k);
}

/* Scores the entry of a row, once, if it is allowed: 1 then. -1: no memory. */
static int walked_row(struct batch *b, struct idmap *seen, uint32_t row)
{
	uint32_t entry = b->s->c->rows.row[row].entry;

	if (!roaring_bitmap_contains(b->s->allowed, entry))
		return 0;
	if (idmap_get(seen, entry) != IDMAP_NONE)
		return 1;
	if (idmap_put(seen, entry, 0) < 0)
		return -1;
	batch_entry(b, entry);
	return 1;
}

/* Returns how many of the first HEAD positions have an allowed row, or -1 without memory. */
static long walked_rows(struct batch *b, const int64_t *at, size_t n)
{
	const struct shelf *c = b->s->c;
	IDMAP_AUTO seen = { 0 };
	roaring_uint32_iterator_t i;
	long allowed = 0;

	for (size_t j = 0; j < n; j++) {
		uint32_t row = c->graph->row[at[j]];
		int rc = row == ROW_NONE ? 0 : walked_row(b, &seen, row);
		if (rc < 0)
			return -1;
		allowed += j < HEAD ? rc : 0;
	}
	for (roaring_init_iterator(c->growing, &i); i.has_value; roaring_advance_uint32_iterator(&i)) {
		if (walked_row(b, &seen, i.current_value) < 0)
			return -1;
	}
	batch_end(b);
	return b->failed ? -1 : allowed;
}

/* By how much the best row of these entries is above the mean of their parts, at least: 0 for entries of one row. */
static float least_gap(const struct search *s, const struct scored *best, size_t n)
{
	float least = INFINITY;

	for (size_t i = 0; i < n; i++) {
		struct parts p;
		float top = -INFINITY;
		search_parts(s, best[i].slot, &p);
		for (int j = 0; j < PARTS; j++)
			top = fmaxf(top, p.score[j]); /* the other one, if one is NaN */
		least = fminf(least, top - best[i].score);
	}
	return least;
}

/*
 * May the answer stand? `reached` is the score of the last row up to which the
 * walk is trusted. An entry that it did not reach has no better row, and so no
 * better mean (the bound of the threshold algorithm; Fagin, Lotem, Naor 2003);
 * but parts of one entry are seldom equally good, and with the least such gap
 * among the best taken off the bound is one that more walks can meet.
 */
static int good_enough(const struct search *s, size_t k, float reached, const struct scored *best)
{
	const float slack = 1e-5f; /* FAISS adds up in another order */
	size_t m = must_be_right(k);

	return reached - least_gap(s, best, m) <= best[m - 1].score + slack;
}

/*
 * The best entries among those of the rows nearest to the query, and of the
 * rows that the graph lacks. 1: *out are they. 0: a scan must tell, because
 * they are too few, or not good enough, or because the filter opposes the
 * query, to be seen from the first rows of the walk: links into the part that
 * is allowed are few then.
 */
static int walk(const struct search *s, size_t k, size_t rows, const struct scored **out, size_t *n,
		struct error *e)
{
	struct topk *best = topk_new(s->arena, k);
	int64_t at[HNSW_BEAM];
	float score[HNSW_BEAM];
	struct batch b;

	if (!best)
		return no_memory(e);
	long walked = hnsw_search(s->c->graph->hnsw, s->vector, HNSW_BEAM, at, score, e);
	if (walked < 0)
		return (int)walked;
	batch_start(&b, s, best);
	long allowed = walked_rows(&b, at, (size_t)walked);
	if (allowed < 0)
		return no_memory(e);
	*n = topk_finish(best, out);
	if (*n < k || walked < HNSW_BEAM || (double)allowed < HEAD * allowed_share(s, rows) / 2)
		return 0;
	return rows > SCAN_AT_ANY_PRICE || good_enough(s, k, score[TRUSTED - 1], *out);
}

int search_vectors(const struct search *s, size_t k, const struct scored **out, size_t *n, struct error *e)
{
	size_t rows = allowed_rows(s);
	int rc = worth_a_walk(s, k, rows) ? walk(s, k, rows, out, n, e) : 0;

	return rc == 0 ? scan(s, k, out, n, e) : rc < 0 ? rc : 0;
}
