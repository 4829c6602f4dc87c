/*
 * The row policy: which vectors a document is found by.
 *
 *	title   the title alone, if there is one
 *	whole   title and text. Of a text that is too long the embedder reads the beginning, which is a good summary:
 *		without it nDCG@10 falls on sets of long texts (ABCD policies R@5 .868 to .855, scifact .721 to .714)
 *	chunk   if title and text do not fit together: pieces of whole sentences, each with the title in front, of
 *		CHUNK_TOKENS with it (100, 150 and 200 are ties), cut by the structure of the text
 *
 * A document that came with vectors has the client's rows only: ours would be
 * of another model, and inner products between the two mean nothing. Without
 * an embedder the rows have no vectors, but still say which passage is shown.
 */
#include "ingest/document.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "embed/embed.h"

#define CHUNK_TOKENS 150
#define FRONT_TOKENS 75 /* of the title, where it stands in front of a chunk */
#define FRONT_BYTES 1024
#define BEGINNING_BYTES 2048 /* of a long text; more than a model reads */
#define WORDS_ROOM 254       /* without an embedder: what is one passage */
#define EMBED_SLICE 64       /* texts a call, so that Ctrl-C does not wait for a book */

static size_t count_tokens(const void *ctx, const char *s, size_t n)
{
	return embedder_count(ctx, s, n);
}

static size_t count(struct token_counter counter, struct text t)
{
	return counter.count(counter.ctx, t.s, t.n);
}

/* The first max_bytes at most. */
static struct text beginning(struct text t, size_t max_bytes)
{
	return (struct text){ t.s, utf8_floor(t.s, t.n, t.n < max_bytes ? t.n : max_bytes) };
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

/* What of the title stands in front of a chunk, and its tokens. -1: no memory. */
static long front_of(struct arena *a, struct token_counter counter, struct text title, struct text *out)
{
	const struct span *spans;
	struct text t = beginning(title, FRONT_BYTES);
	size_t tokens = count(counter, t);

	if (tokens > FRONT_TOKENS) {
		if (split_chunks(a, t.s, t.n, counter, FRONT_TOKENS, FRONT_TOKENS, &spans) < 1)
			return -1;
		t.n = spans[0].end;
		tokens = FRONT_TOKENS;
	}
	*out = t;
	return (long)tokens;
}

static int add_chunks(struct arena *a, struct token_counter counter, const struct document *doc,
		      struct document_rows *rows)
{
	const struct span *spans;
	struct text front;
	long head = front_of(a, counter, doc->title, &front), n;
	struct document_rows all;

	if (head < 0)
		return -1;
	n = split_chunks(a, doc->text.s, doc->text.n, counter, CHUNK_TOKENS - (size_t)head,
			 CHUNK_TOKENS - (size_t)head, &spans);
	if (n < 0 || rows_new(a, rows->n + (size_t)n, &all) < 0)
		return -1;
	for (size_t i = 0; i < rows->n; i++)
		add_row(&all, rows->rows[i], rows->texts[i]);
	for (long i = 0; i < n; i++)
		add_row(&all,
			(struct entry_row){ ROW_CHUNK, (uint32_t)i, spans[i].start, spans[i].end, NULL },
			joined(a, front, doc->text.s + spans[i].start, spans[i].end - spans[i].start));
	*rows = all;
	return 0;
}

static int plan_text(struct arena *a, struct token_counter counter, size_t room, const struct document *doc,
		     struct document_rows *out)
{
	struct text head = beginning(doc->text, BEGINNING_BYTES);
	int is_long = head.n < doc->text.n || count(counter, doc->title) + count(counter, doc->text) > room;

	if (rows_new(a, 2, out) < 0)
		return -1;
	if (doc->title.n)
		add_row(out, (struct entry_row){ ROW_TITLE, 0, 0, 0, NULL }, doc->title);
	if (doc->text.n)
		add_row(out, (struct entry_row){ ROW_WHOLE, 0, 0, doc->text.n, NULL },
			joined(a, doc->title, head.s, head.n));
	if (doc->text.n && is_long && add_chunks(a, counter, doc, out) < 0)
		return -1;
	for (size_t i = 0; i < out->n; i++)
		if (!out->texts[i].s)
			return -1;
	return 0;
}

int document_plan(struct desk *d, struct arena *a, const struct document *doc, struct document_rows *out,
		  struct error *e)
{
	struct token_counter counter = { count_tokens, d->embedder };
	size_t max = embedder_info(d->embedder)->max_tokens, room = max ? max : WORDS_ROOM;
	struct document_rows rows;
	int rc = doc->vector || doc->n_chunks ? plan_given(a, doc, &rows)
					      : plan_text(a, counter, room, doc, &rows);

	if (rc < 0)
		return no_memory(e);
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
			return error_set(e, ERR_INTERRUPTED, NULL,
					 "interrupted; the same command goes on from here");
		int rc = embedder_embed(d->embedder, w.texts + i, slice, vectors + i * dim, e);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < w.n; i++)
		w.rows[i]->vector = vectors + i * dim;
	return 0;
}
