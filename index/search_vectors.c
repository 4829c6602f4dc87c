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

/* Is a walk likely to find k allowed rows, for less than a scan? */
static int worth_a_walk(const struct search *s, size_t k, size_t rows)
{
	const struct graph *g = s->c->graph;

	if (!g || s->q->exact || rows <= s->x->tuning.exact_rows || k >= s->n_allowed)
		return 0;
	if (roaring_bitmap_get_cardinality(s->c->growing) > rows / 2)
		return 0;
	return HNSW_BEAM * ((double)g->bound / (double)g->n) * ((double)rows / (double)s->c->rows.live) > (double)k;
}

/* Scores the entry of a row, once, if it is allowed. */
static int walked_row(struct batch *b, struct idmap *seen, uint32_t row)
{
	uint32_t entry = b->s->c->rows.row[row].entry;

	if (!roaring_bitmap_contains(b->s->allowed, entry) || idmap_get(seen, entry) != IDMAP_NONE)
		return 0;
	if (idmap_put(seen, entry, 0) < 0)
		return -1;
	batch_entry(b, entry);
	return 0;
}

static int walked_rows(struct batch *b, const int64_t *at, size_t n)
{
	const struct shelf *c = b->s->c;
	IDMAP_AUTO seen = { 0 };
	roaring_uint32_iterator_t i;

	for (size_t j = 0; j < n; j++) {
		uint32_t row = c->graph->row[at[j]];
		if (row != ROW_NONE && walked_row(b, &seen, row) < 0)
			return -1;
	}
	for (roaring_init_iterator(c->growing, &i); i.has_value; roaring_advance_uint32_iterator(&i)) {
		if (walked_row(b, &seen, i.current_value) < 0)
			return -1;
	}
	batch_end(b);
	return b->failed ? -1 : 0;
}

/*
 * The best entries among those of the rows nearest to the query, and of the
 * rows that the graph lacks. They are the best of all if no row that was not
 * reached can lift its entry among them: the mean of an entry's parts is at
 * most its best row (the bound of the threshold algorithm, Fagin, Lotem, Naor
 * 2003). 1: they are in `best`; 0: a scan must tell.
 */
static int walk(const struct search *s, size_t k, size_t rows, struct topk *best, struct error *e)
{
	const float slack = 1e-5f; /* FAISS adds up in another order */
	int64_t at[HNSW_BEAM];
	float score[HNSW_BEAM];
	struct batch b;
	long n = hnsw_search(s->c->graph->hnsw, s->vector, HNSW_BEAM, at, score, e);

	if (n < 0)
		return (int)n;
	batch_start(&b, s, best);
	if (walked_rows(&b, at, (size_t)n) < 0)
		return no_memory(e);
	if (topk_count(best) < k)
		return 0;
	return rows > SCAN_AT_ANY_PRICE || (n == HNSW_BEAM && score[n - 1] <= topk_threshold(best) + slack);
}

int search_vectors(const struct search *s, size_t k, const struct scored **out, size_t *n, struct error *e)
{
	size_t rows = allowed_rows(s);

	if (!worth_a_walk(s, k, rows))
		return scan(s, k, out, n, e);
	struct topk *best = topk_new(s->arena, k);
	if (!best)
		return no_memory(e);
	int rc = walk(s, k, rows, best, e);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return scan(s, k, out, n, e);
	*n = topk_finish(best, out);
	return 0;
}
