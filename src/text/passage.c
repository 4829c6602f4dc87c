#include "text/passage.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/utf8.h"

/* The sentence with the most distinct terms, then with the most marks, then the first. -1 without memory. */
static int best_sentence(struct arena *a, const char *s, size_t n, const struct term_mark *marks,
			 size_t n_marks, size_t n_terms, struct span *out)
{
	size_t *seen = arena_alloc(
		a, n_terms * sizeof(*seen)); /* by term: the last sentence that has it, from 1 */
	size_t best_distinct = 0, best_all = 0, m = 0;
	const struct span *list;
	long count = split_sentences(a, s, n, &list);

	if (!seen || count < 0)
		return -1;
	for (size_t i = 0; i < (size_t)count && m < n_marks; i++) {
		size_t distinct = 0, first = m;
		for (; m < n_marks && marks[m].end <= list[i].end; m++) {
			distinct += seen[marks[m].term] != i + 1;
			seen[marks[m].term] = i + 1;
		}
		if (distinct > best_distinct || (distinct == best_distinct && m - first > best_all)) {
			*out = list[i];
			best_distinct = distinct;
			best_all = m - first;
		}
	}
	return 0;
}

long find_highlights(struct arena *a, const char *s, size_t n, const struct term *terms, size_t n_terms,
		     const struct span **out, struct span *sentence)
{
	const struct term_mark *marks;
	long found = analyse_marks(a, s, n, terms, n_terms, &marks);
	struct span *spans = found < 0 ? NULL : arena_alloc(a, (size_t)found * sizeof(*spans));

	*sentence = (struct span){ 0, 0 };
	if (!spans || (found > 0 && best_sentence(a, s, n, marks, (size_t)found, n_terms, sentence) < 0))
		return -1;
	for (long i = 0; i < found; i++)
		spans[i] = (struct span){ marks[i].start, marks[i].end };
	*out = spans;
	return found;
}

/* A window of sentences over a list of marks, with how often each term stands in it. */
struct window {
	const struct term_mark *marks;
	size_t n_marks;
	size_t first, last; /* marks [first, last) are inside */
	size_t *counts;
	size_t distinct;
};

static void window_grow(struct window *w, size_t end)
{
	for (; w->last < w->n_marks && w->marks[w->last].end <= end; w->last++)
		w->distinct += w->counts[w->marks[w->last].term]++ == 0;
}

static void window_shrink(struct window *w, size_t start)
{
	for (; w->first < w->last && w->marks[w->first].start < start; w->first++)
		w->distinct -= --w->counts[w->marks[w->first].term] == 0;
}

/* The last end of a word in the first `max` bytes of s, of more than that; the middle of a very long word else. */
static size_t word_boundary(const char *s, size_t n, size_t max)
{
	size_t at = utf8_floor(s, n, max);

	for (size_t i = at; i > at / 2; i--)
		if (s[i] == ' ' || s[i] == '\n')
			return i;
	return at;
}

/* Sentences, those longer than max_bytes cut at words, finely: what a passage is put together from. */
static long split_short(struct arena *a, const char *s, size_t n, size_t max_bytes, struct span **out)
{
	const struct span *sentences;
	long count = split_sentences(a, s, n, &sentences);
	size_t width = max_bytes < 32 ? max_bytes : max_bytes / 4;
	struct span *list = NULL, *copy = NULL;
	size_t have = 0, cap = 0;

	for (long i = 0; i < count; i++) {
		struct span rest = sentences[i];
		int fine = rest.end - rest.start > max_bytes;
		while (rest.start < rest.end) {
			struct span p = rest;
			if (GROW(list, have, cap) < 0) {
				free(list);
				return -1;
			}
			if (fine && rest.end - rest.start > width)
				p.end = rest.start +
					word_boundary(s + rest.start, rest.end - rest.start, width);
			list[have++] = p;
			rest.start = p.end;
			while (rest.start < rest.end && (s[rest.start] == ' ' || s[rest.start] == '\n'))
				rest.start++;
		}
	}
	if (count >= 0 && (copy = arena_alloc(a, have * sizeof(*copy))) && have)
		memcpy(copy, list, have * sizeof(*copy));
	free(list);
	if (!copy)
		return -1;
	*out = copy;
	return (long)have;
}

/* Two pointers: for each last sentence the longest run before it that still fits. */
static struct span best_run(struct window *w, const struct span *p, size_t n, size_t max_bytes)
{
	size_t best_distinct = 0, best_all = 0, from = 0, all;
	struct span best = p[0];
	int taken = 0;

	for (size_t i = 0; i < n; i++) {
		while (p[i].end - p[from].start > max_bytes)
			from++;
		window_shrink(w, p[from].start);
		window_grow(w, p[i].end);
		window_shrink(w, p[from].start);
		all = w->last - w->first;
		/* what only grows the best run to the right, with nothing found, is context as good as any */
		int grows = taken && best.start == p[from].start && w->distinct == best_distinct &&
			    all == best_all;
		if (!taken || grows || w->distinct > best_distinct ||
		    (w->distinct == best_distinct && all > best_all)) {
			best = (struct span){ p[from].start, p[i].end };
			best_distinct = w->distinct;
			best_all = all;
			taken = 1;
		}
	}
	return best;
}

struct span best_passage(struct arena *a, const char *s, size_t n, const struct term *terms, size_t n_terms,
			 size_t max_bytes)
{
	struct span *pieces;
	long n_pieces;
	struct window w = { 0 };
	long n_marks;

	max_bytes = max_bytes < 4 ? 4 : max_bytes;
	n_pieces = split_short(a, s, n, max_bytes, &pieces);
	n_marks = n_pieces > 0 ? analyse_marks(a, s, n, terms, n_terms, &w.marks) : -1;
	w.counts = n_marks >= 0 ? arena_alloc(a, n_terms * sizeof(*w.counts)) : NULL;
	if (!w.counts) /* no text, or no memory: the start of the text */
		return (struct span){ 0, n <= max_bytes ? n : utf8_floor(s, n, max_bytes) };
	w.n_marks = (size_t)n_marks;
	return best_run(&w, pieces, (size_t)n_pieces, max_bytes);
}
