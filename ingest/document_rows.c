/*
 * The row policy: which vectors a document is found by.
 *
 *	title   the title alone, if there is one
 *	whole   title and text, if they fit WHOLE_TOKENS together; else title and the beginning
 *	chunk   for a text that does not fit: pieces of whole sentences of at most CHUNK_TOKENS, each with the title
 *		in front
 *
 * A document that came with vectors has the client's rows only: ours would be
 * of another model, and inner products between the two mean nothing.
 * Measured: docs/architecture.md.
 */
#include "ingest/document.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "embed/embed.h"

#define WHOLE_TOKENS 254 /* 256 less the two special ones */
#define CHUNK_TOKENS 150
#define FRONT_TOKENS 64 /* of the title, where it stands in front of a text */
#define BEGINNING_BYTES 4096
#define EMBED_SLICE 256 /* texts a call, so that Ctrl-C does not wait for a book */

static size_t count_tokens(const void *ctx, const char *s, size_t n)
{
	return embedder_count(ctx, s, n);
}

/* The first chunk of at most `tokens`. {0, 0} without words. -1: no memory. */
static int first_chunk(struct arena *a, struct token_counter counter, struct text t, size_t tokens,
		       struct span *out)
{
	const struct span *spans;
	size_t n = utf8_floor(t.s, t.n, t.n < BEGINNING_BYTES ? t.n : BEGINNING_BYTES);
	long got = split_chunks(a, t.s, n, counter, tokens, tokens, &spans);

	if (got < 0)
		return -1;
	*out = got ? spans[0] : (struct span){ 0, 0 };
	return 0;
}

/* front + "\n" + s, or the one that there is. s NULL without memory. */
static struct text joined(struct arena *a, struct text front, const char *s, size_t n)
{
	if (front.n == 0)
		return (struct text){ s, n };
	char *p = arena_alloc(a, front.n + 1 + n + 1);
	if (!p)
		return (struct text){ NULL, 0 };
	memcpy(p, front.s, front.n);
	p[front.n] = '\n';
	memcpy(p + front.n + 1, s, n);
	return (struct text){ p, front.n + 1 + n };
}

static void add_row(struct document_rows *rows, struct entry_row row, struct text text)
{
	rows->texts[rows->n] = text;
	rows->rows[rows->n++] = row;
}

static int rows_new(struct arena *a, size_t cap, struct document_rows *out)
{
	*out = (struct document_rows){ .rows = arena_alloc(a, cap * sizeof(*out->rows)),
				       .texts = arena_alloc(a, cap * sizeof(*out->texts)) };
	return out->rows && out->texts ? 0 : -1;
}

static int plan_given(struct arena *a, const struct document *doc, struct document_rows *out)
{
	struct text none = { NULL, 0 };

	if (rows_new(a, doc->n_chunks + 1, out) < 0)
		return -1;
	if (doc->vector)
		add_row(out, (struct entry_row){ ROW_WHOLE, 0, 0, doc->text.n, doc->vector }, none);
	for (size_t i = 0; i < doc->n_chunks; i++)
		add_row(out,
			(struct entry_row){ ROW_CHUNK, (uint32_t)i, doc->chunks[i].span.start,
					    doc->chunks[i].span.end, doc->chunks[i].vector },
			none);
	return 0;
}

/* Rows of the text behind `front`, which is the title or its beginning. */
static int plan_text(struct arena *a, struct token_counter counter, const struct document *doc,
		     struct text front, struct document_rows *out)
{
	size_t room = WHOLE_TOKENS - counter.count(counter.ctx, front.s, front.n);
	const struct span *spans;
	struct span whole;
	long n = split_chunks(a, doc->text.s, doc->text.n, counter, CHUNK_TOKENS, room, &spans);

	if (n < 0 || rows_new(a, (size_t)n + 2, out) < 0)
		return -1;
	if (doc->title.n)
		add_row(out, (struct entry_row){ ROW_TITLE, 0, 0, 0, NULL }, doc->title);
	if (n == 0)
		return 0;
	if (n == 1)
		whole = spans[0];
	else if (first_chunk(a, counter, doc->text, room, &whole) < 0)
		return -1;
	add_row(out, (struct entry_row){ ROW_WHOLE, 0, whole.start, whole.end, NULL },
		joined(a, front, doc->text.s + whole.start, whole.end - whole.start));
	for (long i = 0; n > 1 && i < n; i++)
		add_row(out, (struct entry_row){ ROW_CHUNK, (uint32_t)i, spans[i].start, spans[i].end, NULL },
			joined(a, front, doc->text.s + spans[i].start, spans[i].end - spans[i].start));
	for (size_t i = 0; i < out->n; i++)
		if (!out->texts[i].s)
			return -1;
	return 0;
}

int document_plan(struct desk *d, struct arena *a, const struct document *doc, struct document_rows *out,
		  struct error *e)
{
	struct token_counter counter = { count_tokens, d->embedder };
	struct document_rows rows;
	struct span front;

	if (doc->vector || doc->n_chunks) {
		if (plan_given(a, doc, &rows) < 0)
			return no_memory(e);
	} else if (first_chunk(a, counter, doc->title, FRONT_TOKENS, &front) < 0 ||
		   plan_text(a, counter, doc,
			     (struct text){ doc->title.s + front.start, front.end - front.start },
			     &rows) < 0) {
		return no_memory(e);
	}
	*out = rows;
	return 0;
}

/* The texts of all plans in one list, with the rows that they belong to. */
struct worklist {
	struct text *texts;
	struct entry_row **rows;
	size_t n;
};

static int collect(struct arena *a, struct document_rows *plans, size_t n, struct worklist *out)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += plans[i].n;
	*out = (struct worklist){ .texts = arena_alloc(a, total * sizeof(*out->texts)),
				  .rows = arena_alloc(a, total * sizeof(struct entry_row *)) };
	if (!out->texts || !out->rows)
		return -1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < plans[i].n; k++) {
			if (!plans[i].texts[k].s)
				continue;
			out->texts[out->n] = plans[i].texts[k];
			out->rows[out->n++] = &plans[i].rows[k];
		}
	return 0;
}

int document_embed(struct desk *d, struct arena *a, struct document_rows *plans, size_t n,
		   const volatile int *stop, struct error *e)
{
	size_t dim = embedder_info(d->embedder)->dim;
	struct worklist w;

	if (dim == 0)
		return 0;
	if (collect(a, plans, n, &w) < 0)
		return no_memory(e);
	float *vectors = arena_alloc(a, w.n * dim * sizeof(*vectors));
	if (!vectors)
		return no_memory(e);
	for (size_t i = 0; i < w.n; i += EMBED_SLICE) {
		size_t slice = w.n - i < EMBED_SLICE ? w.n - i : EMBED_SLICE;
		if (stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
			return error_set(e, ERR_INTERRUPTED, NULL, "interrupted");
		int rc = embedder_embed(d->embedder, w.texts + i, slice, vectors + i * dim, e);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < w.n; i++)
		w.rows[i]->vector = vectors + i * dim;
	return 0;
}
