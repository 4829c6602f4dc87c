#include "index/search.h"

#include <math.h>

#include "base/arena.h"
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

int search_vectors(const struct search *s, size_t k, const struct scored **out, size_t *n, struct error *e)
{
	return scan(s, k, out, n, e);
}
