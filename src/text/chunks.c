/*
 * Chunks of whole sentences, cut where the text's structure is: before a
 * heading rather than at a blank line, at a blank line rather than at a line
 * (a list item, a row of a table), at a line rather than between sentences,
 * and never behind a heading if that can be helped. Of all ways to cut, the
 * one of the least cost is taken (dynamic programming over the pieces, as
 * Knuth and Plass 1981 break paragraphs into lines).
 *
 * Each piece is counted once, so that cutting is linear in the text; the
 * tokens of a chunk are the sum over its pieces (exact for a tokenizer that
 * splits at white space first).
 */
#include "text/passage.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/utf8.h"
#include "text/fold.h"

#define LONGEST_HEADING 100 /* bytes */

/* What a cut costs, beside the square of how far a chunk is from its even share (of 1). */
#define CUT_HEADING (-.1)
#define CUT_BLANK 0.
#define CUT_LINE .1
#define CUT_SENTENCE .2
#define CUT_WORD .4
#define CUT_BEHIND_HEADING 2.

/* What is never cut: a sentence, a word of a long sentence, or a slice of a long word. */
struct piece {
	struct span span;
	size_t tokens;
	int inside;  /* not the first of its sentence */
	double cut;  /* cost of a chunk that begins here */
	double best; /* of all up to here, this piece included … */
	size_t from; /* … of which the last chunk begins at this piece */
};

struct cutter {
	const char *s;
	struct token_counter counter;
	size_t max;
	struct piece *pieces;
	size_t n, cap;
	size_t total;
};

static int add_piece(struct cutter *x, size_t start, size_t end, size_t tokens, int inside)
{
	if (GROW(x->pieces, x->n, x->cap) < 0)
		return -1;
	x->pieces[x->n++] = (struct piece){ .span = { start, end }, .tokens = tokens, .inside = inside };
	x->total += tokens;
	return 0;
}

static size_t count(const struct cutter *x, size_t start, size_t end)
{
	return x->counter.count(x->counter.ctx, x->s + start, end - start);
}

/* A word of too many tokens: slices of so many bytes, as a token has at least one. */
static int add_slices(struct cutter *x, size_t start, size_t end)
{
	size_t width = x->max < 4 ? 4 : x->max;

	while (start < end) {
		size_t to = end - start <= width ? end : start + utf8_floor(x->s + start, end - start, width);
		if (add_piece(x, start, to, count(x, start, to), 1) < 0)
			return -1;
		start = to;
	}
	return 0;
}

/* The words of a sentence that is too long, one by one. */
static int add_words(struct cutter *x, size_t start, size_t end)
{
	size_t from = start;
	uint32_t c;

	while (start < end) {
		size_t i = start, len;
		for (; i < end; i += len) {
			len = utf8_next(x->s + i, end - i, &c);
			if (fold_is_space(c))
				break;
		}
		size_t tokens = count(x, start, i);
		if ((tokens > x->max ? add_slices(x, start, i)
				     : add_piece(x, start, i, tokens, start > from)) < 0)
			return -1;
		for (start = i; start < end; start += len) {
			len = utf8_next(x->s + start, end - start, &c);
			if (!fold_is_space(c))
				break;
		}
	}
	return 0;
}

static int add_sentences(struct cutter *x, const struct span *sentences, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t tokens = count(x, sentences[i].start, sentences[i].end);
		int rc = tokens > x->max ? add_words(x, sentences[i].start, sentences[i].end)
					 : add_piece(x, sentences[i].start, sentences[i].end, tokens, 0);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Line breaks between two pieces; two are a blank line. */
static int breaks_before(const struct cutter *x, size_t i)
{
	int n = 0;

	for (size_t at = x->pieces[i - 1].span.end; at < x->pieces[i].span.start && n < 2; at++)
		n += x->s[at] == '\n';
	return n;
}

/* A short line between blank lines that does not end as a sentence. `breaks`: those before it and behind it. */
static int is_heading(const struct cutter *x, size_t i, int before, int behind)
{
	const struct piece *p = &x->pieces[i];
	size_t n = p->span.end - p->span.start;

	return before == 2 && behind == 2 && n <= LONGEST_HEADING && x->s[p->span.start] != '-' &&
	       !memchr(".!;,", x->s[p->span.end - 1], 4);
}

static void find_cuts(struct cutter *x)
{
	int before = 2, behind, headed = 0;

	for (size_t i = 0; i < x->n; i++, before = behind) {
		struct piece *p = &x->pieces[i];
		int in_sentence = i && p->inside;
		behind = i + 1 < x->n ? breaks_before(x, i + 1) : 0;
		int heading = is_heading(x, i, before, behind);
		p->cut = headed        ? CUT_BEHIND_HEADING
			 : heading     ? CUT_HEADING
			 : before == 2 ? CUT_BLANK
			 : before == 1 ? CUT_LINE
			 : in_sentence ? CUT_WORD
				       : CUT_SENTENCE;
		headed = heading;
	}
}

/* The best last chunk of those that end with piece i. No more pieces than tokens, as a piece without any is rare. */
static void choose_chunk(struct cutter *x, size_t i, double share)
{
	struct piece *p = x->pieces;
	size_t tokens = 0;

	for (size_t from = i + 1; from-- > 0 && i - from < x->max;) {
		tokens += p[from].tokens;
		if (tokens > x->max && from < i)
			break;
		double off = ((double)tokens - share) / share;
		double cost = (from ? p[from - 1].best + p[from].cut : 0) + off * off;
		if (from == i || cost < p[i].best) {
			p[i].best = cost;
			p[i].from = from;
		}
	}
}

/*
 * Runs of pieces of at most `max` tokens. Spans are written to `out`, which
 * has room for as many as there are pieces.
 */
static size_t join_pieces(struct cutter *x, struct span *out)
{
	size_t runs = (x->total + x->max - 1) / x->max, n = 0;
	double share = runs ? (double)x->total / (double)runs : 1;

	find_cuts(x);
	for (size_t i = 0; i < x->n; i++)
		choose_chunk(x, i, share);
	for (size_t i = x->n; i > 0; i = x->pieces[i - 1].from)
		out[n++] = (struct span){ x->pieces[x->pieces[i - 1].from].span.start,
					  x->pieces[i - 1].span.end };
	for (size_t i = 0; i < n / 2; i++) {
		struct span t = out[i];
		out[i] = out[n - 1 - i];
		out[n - 1 - i] = t;
	}
	return n;
}

long split_chunks(struct arena *a, const char *s, size_t n, struct token_counter counter, size_t max_tokens,
		  size_t whole_tokens, const struct span **out)
{
	struct cutter x = { .s = s, .counter = counter, .max = max_tokens ? max_tokens : 1 };
	const struct span *sentences;
	long n_sentences = split_sentences(a, s, n, &sentences), chunks = -1;
	struct span *spans = NULL;

	if (n_sentences < 0)
		return -1;
	if (add_sentences(&x, sentences, (size_t)n_sentences) == 0)
		spans = arena_alloc(a, x.n * sizeof(*spans));
	if (spans && x.n && x.total <= whole_tokens) {
		spans[0] = (struct span){ x.pieces[0].span.start, x.pieces[x.n - 1].span.end };
		chunks = 1;
	} else if (spans) {
		chunks = (long)join_pieces(&x, spans);
	}
	free(x.pieces);
	if (chunks >= 0)
		*out = spans;
	return chunks;
}
