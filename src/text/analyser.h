/*
 * analyser.h: the words of a text, as every engine counts them.
 *
 * A word is a run of letters and digits (Unicode), folded to lower case
 * without accents (as FTS5's unicode61 with remove_diacritics 2), and stemmed
 * (Snowball English). Stop words are dropped from queries only, and never if
 * nothing else is left; negations and words such as "on", "off", "not" that
 * tell issues apart ("not working", "on hold") are kept.
 *
 * Any thread; all memory is the arena's.
 */
#ifndef READBACK_TEXT_ANALYSER_H
#define READBACK_TEXT_ANALYSER_H

#include <stddef.h>

struct arena;

struct term {
	const char *word; /* folded, NUL-terminated */
	const char *stem;
	float weight; /* 1 unless the caller says otherwise */
};

struct token {
	size_t start, end; /* bytes of the text */
	const char *word, *stem;
};

/* Distinct terms of a query in order of appearance, at most `max`. 0 terms for a text without words. -1: no memory. */
long analyse_query(struct arena *a, const char *s, size_t n, size_t max, const struct term **out);

/* All words of a text, stop words too, with their places. -1: no memory. */
long analyse_text(struct arena *a, const char *s, size_t n, const struct token **out);

/* A word of a text whose stem is the stem of term number `term`. */
struct term_mark {
	size_t start, end; /* bytes of the text */
	size_t term;
};

/*
 * The marks of all terms in a text, in order. Of terms with one stem the first
 * is marked. Much cheaper than analyse_text(): only words that begin as a term
 * does are stemmed (stemmers cut ends off, they leave the first two letters).
 * -1: no memory.
 */
long analyse_marks(struct arena *a, const char *s, size_t n, const struct term *terms, size_t n_terms,
		   const struct term_mark **out);

#endif
