/*
 * The best entries by vector, over all parts of a list.
 *
 * A part of which few rows are allowed is scanned; a larger one is walked
 * (walk.h), and scanned all the same when the walk costs more than that.
 * An entry's score is made of its title, its whole and its best chunk, so that
 * the best rows are only candidates: all rows of each entry that a walk meets
 * are scored, and the walk is widened while an entry that it did not reach
 * could still belong to the best (the bound of the threshold algorithm; Fagin,
 * Lotem, Naor 2003).
 */
#include "index/search.h"

#include <string.h>

#include "base/arena.h"
#include "index/bits.h"
#include "index/idmap.h"

void search_parts(const struct search *s, struct place at, struct parts *out)
{
	const struct segment *seg = s->list->parts[at.part].segment;
	const float *vector[64];
	float score[64];

	parts_clear(out);
	for (uint32_t r = seg->first[at.doc], end = seg->first[at.doc + 1]; r < end;) {
		uint32_t n = end - r < 64 ? end - r : 64;
		for (uint32_t i = 0; i < n; i++)
			vector[i] = segment_vector(seg, r + i);
		s->x->tuning.distance->dots(s->vector, vector, n, seg->stride, score);
		for (uint32_t i = 0; i < n; i++)
			parts_add(out, (enum row_field)seg->rows[r + i].field, r + i, score[i]);
		r += n;
	}
}

/* --- scan ------------------------------------------------------------------------------------------ */

/* The best so far of all parts, with the places that they stand for. */
struct best {
	struct search *s;
	struct topk *top;
	uint32_t part;     /* being looked at */
	struct idmap seen; /* owned: documents of the part that were offered by a walk */
	struct error *e;
};

/* In topk, `slot` is the document's number; which part it is of is found again by id at the end. */
static int offer(struct best *b, uint32_t doc, const struct parts *p)
{
	struct scored x = { b->s->list->parts[b->part].segment->ids[doc], doc, 0 };

	if (parts_score(p, &x.score) < 0)
		return 0;
	return topk_push(b->top, x) < 0 ? no_memory(b->e) : 0;
}

/* Rows wait here until there are enough for the loop over codes to be fed well. */
#define BATCH 64

struct batch {
	struct best *best;
	const struct segment *segment;
	uint32_t row[BATCH];
	size_t n;
	uint32_t doc;      /* whose parts are being collected; SEGMENT_NONE: nobody's */
	struct parts most; /* what its parts can be at most */
};

/* A document whose rows were all looked at is scored if it can be among the best. */
static int look_closer(struct batch *b)
{
	struct best *best = b->best;
	struct parts p;
	float most;

	if (b->doc == SEGMENT_NONE || parts_score(&b->most, &most) < 0 || most < topk_threshold(best->top))
		return 0;
	search_parts(best->s, (struct place){ best->part, b->doc }, &p);
	return offer(best, b->doc, &p);
}

static int batch_flush(struct batch *b)
{
	const struct search *s = b->best->s;
	const struct codes *codes = &b->segment->codes;
	float score[BATCH];
	int rc = 0;

	codes_score(s->x->tuning.distance, codes, &s->code, b->row, b->n, score);
	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		const struct segment_row *row = &b->segment->rows[b->row[i]];
		if (row->doc != b->doc) {
			rc = look_closer(b);
			parts_clear(&b->most);
			b->doc = row->doc;
		}
		parts_add(&b->most, (enum row_field)row->field, b->row[i],
			  score[i] + codes_doubt(codes, &s->code, b->row[i]));
	}
	b->n = 0;
	return rc;
}

static int batch_row(struct batch *b, uint32_t row)
{
	codes_fetch_upper(&b->segment->codes, row);
	codes_fetch_lower(&b->segment->codes, row);
	b->row[b->n++] = row;
	return b->n == BATCH ? batch_flush(b) : 0;
}

static int batch_end(struct batch *b)
{
	int rc = batch_flush(b);

	return rc < 0 ? rc : look_closer(b);
}

static int is_seen(const struct best *b, uint32_t doc)
{
	return b->seen.n && idmap_get(&b->seen, doc) != IDMAP_NONE;
}

/* Every row of every allowed document of the part that a walk has not offered. */
static int scan(struct best *best)
{
	const struct segment *seg = best->s->list->parts[best->part].segment;
	const uint64_t *bits = best->s->allowed[best->part].bits;
	struct batch b = { .best = best, .segment = seg, .doc = SEGMENT_NONE };
	int rc = 0;

	for (uint32_t d = bits ? bits_next(bits, seg->docs, 0) : 0; rc == 0 && d < seg->docs;
	     d = bits ? bits_next(bits, seg->docs, d + 1) : d + 1)
		for (uint32_t r = seg->first[d]; rc == 0 && r < seg->first[d + 1] && !is_seen(best, d); r++)
			rc = batch_row(&b, r);
	return rc < 0 ? rc : batch_end(&b);
}

/* --- walk ------------------------------------------------------------------------------------------ */

/* A walk that may have missed something goes on, half as wide again, and so often at most. */
#define WIDENINGS 6

/* A filter that opposes the query this much is better served by a scan, while that is not too dear. */
#define OPPOSED .5
#define SCAN_AT_MOST 400000

/* With so many dimensions the upper halves of codes are near enough to walk by: off by .007 with 384, by .02 with 32. */
#define LOOK_DIM 256

/* What walks of all widths leave in doubt is scanned up to so many rows. */
#define SCAN_IN_DOUBT 100000

/*
 * Scores each entry of the rows, which are best first, once; the least that the
 * best row of one was above its score goes to *gap. An entry is no better than
 * its best row, so that of those that cannot be among the best no vector is read.
 */
static int offer_walked(struct best *b, const struct walked *rows, long n, float *gap)
{
	const struct segment *seg = b->s->list->parts[b->part].segment;
	const struct code_query *q = &b->s->code;

	for (long i = 0; i < n; i++) {
		if (rows[i].score + codes_doubt(&seg->codes, q, rows[i].row) < topk_threshold(b->top))
			continue;
		struct place at = { b->part, seg->rows[rows[i].row].doc };
		struct parts p;
		float score;
		if (is_seen(b, at.doc))
			continue;
		if (idmap_put(&b->seen, at.doc, 0) < 0)
			return no_memory(b->e);
		search_parts(b->s, at, &p);
		int rc = offer(b, at.doc, &p);
		if (rc < 0)
			return rc;
		if (parts_score(&p, &score) == 0)
			*gap = fminf(*gap, rows[i].score - score);
	}
	return 0;
}

/*
 * Could an entry whose best row is below `reached` still be among the best?
 * Not if its score, which is no better than that row less the gap that entries
 * have at least between their best row and their score, is below the worst kept.
 */
static int good_enough(const struct best *b, long n, size_t beam, float reached, float gap)
{
	const float slack = 1e-5f;

	if (n < (long)beam)
		return 1; /* the walk met all that it can */
	return reached - fmaxf(0, gap) / 2 <= topk_threshold(b->top) + slack;
}

/*
 * A walk's last rows are not all that there are of their kind. Right must be
 * the best ten, and the best quarter of what is asked for: callers ask for more
 * candidates than they show.
 */
static size_t must_be_right(size_t k)
{
	return k <= 10 ? k : k <= 40 ? 10 : k / 4;
}

/* Were some of the best met late? Then others like them may lie just behind where the walk ended. */
static int met_late(const struct walked *rows, long n, size_t right, uint32_t steps)
{
	for (long i = 0; i < n && i < (long)right; i++)
		if (rows[i].step > steps / 2)
			return 1;
	return 0;
}

/*
 * The share of allowed rows on the way, over their share among all: about 1
 * unless the filter has to do with the query. Below, links into the part that
 * is allowed are few.
 */
static double favour(const struct search *s, uint32_t part, const struct walk_report *r)
{
	double all = (double)s->allowed[part].n / s->list->parts[part].segment->docs;

	return all < 1 ? r->allowed_steps / (r->steps * all) : 1;
}

enum verdict { DONE = 1, WIDEN = 2, SCAN = 0 };

/* An enum verdict, or an error. `on`: the last walk goes on. */
static int walk_once(struct best *b, struct walk_scratch *scratch, struct walk *w, int on, size_t k,
		     size_t all_rows)
{
	struct walked *rows = arena_alloc(b->s->arena, w->beam * sizeof(*rows));
	struct walk_report report;
	float gap = INFINITY;

	if (!rows)
		return no_memory(b->e);
	long n = on ? walk_on(w, scratch, rows, &report) : walk_run(w, scratch, rows, &report);
	if (n == WALK_GIVEN_UP)
		return SCAN;
	if (n < 0)
		return no_memory(b->e);
	double favoured = report.steps ? favour(b->s, b->part, &report) : 1;
	if (favoured < OPPOSED && all_rows <= SCAN_AT_MOST)
		return SCAN;
	int rc = offer_walked(b, rows, n, &gap);
	if (rc < 0)
		return rc;
	if (favoured < .8 || met_late(rows, n, must_be_right(k), report.steps))
		return WIDEN;
	return n == 0 || good_enough(b, n, w->beam, report.reached, gap) ? DONE : WIDEN;
}

static int walk(struct best *b, size_t k, size_t rows)
{
	struct search *s = b->s;
	const struct segment *seg = s->list->parts[b->part].segment;
	struct walk_scratch *scratch = index_take_scratch(s->x);
	struct walk w = { .links = &seg->links,
			  .distance = s->x->tuning.distance,
			  .codes = seg->codes,
			  .query = &s->code,
			  .look = s->x->options.dim >= LOOK_DIM,
			  .beam = s->x->tuning.beam > k + k / 4 ? s->x->tuning.beam : k + k / 4,
			  .allowed = s->allowed[b->part].bits,
			  .doc = seg->n_rows == seg->docs ? NULL : &seg->rows[0].doc,
			  .doc_step = sizeof(*seg->rows) / sizeof(uint32_t),
			  .budget = rows / 2 };
	int rc = scratch ? WIDEN : no_memory(b->e);

	for (int i = 0; rc == WIDEN && i <= WIDENINGS; i++, w.beam += w.beam / 2)
		rc = walk_once(b, scratch, &w, i > 0, k, rows);
	if (rc == WIDEN && rows <= SCAN_IN_DOUBT)
		rc = SCAN;
	index_give_scratch(s->x, scratch);
	return rc;
}

/* About how many rows the allowed documents of a part have. */
static size_t allowed_rows(const struct search *s, size_t part)
{
	const struct segment *seg = s->list->parts[part].segment;

	return (size_t)((double)seg->n_rows * s->allowed[part].n / seg->docs);
}

static int look_at(struct best *b, size_t k)
{
	struct search *s = b->s;
	const struct segment *seg = s->list->parts[b->part].segment;
	size_t rows = allowed_rows(s, b->part);
	int rc = 0;

	if (seg->links.rows && !s->q->exact && rows > s->x->tuning.scan_rows && rows > 8 * k)
		rc = walk(b, k, rows);
	if (rc == 0)
		rc = scan(b);
	idmap_release(&b->seen);
	return rc < 0 ? rc : 0;
}

/* Where the kept ones are: their ids say it, since a live entry is in one part only. */
static int find_places(const struct search *s, const struct scored *kept, size_t n, const struct place **out,
		       struct error *e)
{
	struct place *places = arena_alloc(s->arena, (n + 1) * sizeof(*places));

	if (!places)
		return no_memory(e);
	for (size_t i = 0; i < n; i++) {
		size_t part = 0;
		while (s->list->parts[part].segment->docs <= kept[i].slot ||
		       s->list->parts[part].segment->ids[kept[i].slot] != kept[i].id ||
		       !search_allows(s, part, kept[i].slot))
			part++;
		places[i] = (struct place){ (uint32_t)part, kept[i].slot };
	}
	*out = places;
	return 0;
}

int search_vectors(struct search *s, size_t k, const struct place **out, size_t *n, struct error *e)
{
	struct best b = { .s = s, .top = topk_new(s->arena, k), .e = e };
	const struct scored *kept;
	int rc = b.top ? 0 : no_memory(e);

	for (size_t i = 0; rc == 0 && i < s->list->n; i++) {
		b.part = (uint32_t)i;
		if (s->allowed[i].n && s->list->parts[i].segment->n_rows)
			rc = look_at(&b, k);
	}
	if (rc < 0)
		return rc;
	*n = topk_finish(b.top, &kept);
	return find_places(s, kept, *n, out, e);
}
