/*
 * Chunks of whole sentences. Each piece is counted once, so that cutting is
 * linear in the text; the tokens of a chunk are the sum over its pieces (exact
 * for a tokenizer that splits at white space first).
 */
#include "text/passage.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/utf8.h"
#include "text/fold.h"

/* What is never cut: a sentence, a word of a long sentence, or a slice of a long word. */
struct piece {
	struct span span;
	size_t tokens;
};

struct cutter {
	const char *s;
	struct token_counter counter;
	size_t max;
	struct piece *pieces;
	size_t n, cap;
	size_t total;
};

static int add_piece(struct cutter *x, size_t start, size_t end, size_t tokens)
{
	if (GROW(x->pieces, x->n, x->cap) < 0)
		return -1;
	x->pieces[x->n++] = (struct piece){ { start, end }, tokens };
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
		if (add_piece(x, start, to, count(x, start, to)) < 0)
			return -1;
		start = to;
	}
	return 0;
}

/* The words of a sentence that is too long, one by one. */
static int add_words(struct cutter *x, size_t start, size_t end)
{
	uint32_t c;

	while (start < end) {
		size_t i = start, len;
		for (; i < end; i += len) {
			len = utf8_next(x->s + i, end - i, &c);
			if (fold_is_space(c))
				break;
		}
		size_t tokens = count(x, start, i);
		if ((tokens > x->max ? add_slices(x, start, i) : add_piece(x, start, i, tokens)) < 0)
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
					 : add_piece(x, sentences[i].start, sentences[i].end, tokens);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/*
 * Runs of pieces of at most `max` tokens. A run is closed early when it has
 * its even share and the next piece would take it further from it than it is,
 * so that the last chunk is no crumb. Spans are written over `out`, which has
 * room for as many as there are pieces.
 */
static size_t join_pieces(const struct cutter *x, struct span *out)
{
	size_t runs = (x->total + x->max - 1) / x->max;
	size_t share = runs ? (x->total + runs - 1) / runs : x->max;
	size_t n = 0, have = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct piece *p = &x->pieces[i];
		int full = have + p->tokens > x->max;
		int enough = have + p->tokens > share &&
			     have + p->tokens - share > share - (have < share ? have : share);
		if (n == 0 || full || enough) {
			out[n++] = p->span;
			have = p->tokens;
		} else {
			out[n - 1].end = p->span.end;
			have += p->tokens;
		}
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
