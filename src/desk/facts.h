/*
 * facts.h: what in a text must not be got wrong: numbers, amounts, dates,
 * times, ids and addresses, in one written form each.
 *
 * English, with European ways of writing numbers; small recognisers, no
 * grammar. "149,00 EUR", "149 euros" and "€149" are all "149 eur"; "two days"
 * and "48 hours" are "2880 min"; "5 June", "June 5th" and "2026-06-05" are
 * dates (the last with its year). Any thread; memory is the arena's.
 */
#ifndef READBACK_DESK_FACTS_H
#define READBACK_DESK_FACTS_H

#include <stddef.h>

struct arena;

enum fact_kind {
	FACT_NUMBER,  /* "14", "2880 min", "10 workday", "3 month" */
	FACT_PERCENT, /* "20 %" */
	FACT_AMOUNT,  /* "149 eur" */
	FACT_DATE,    /* "06-05", "2026-06-05", "month 06", "friday", "tomorrow", "next week" */
	FACT_TIME,    /* "14:05", "evening" */
	FACT_ID,      /* "VK20418": letters and digits, upper case, without dashes */
	FACT_EMAIL,   /* lower case */
};

struct fact {
	enum fact_kind kind;
	const char *value;
	size_t start, end; /* bytes of the text */
};

/* In order of appearance; the same value may stand several times. -1: no memory. */
long facts_find(struct arena *a, const char *s, size_t n, const struct fact **out);

/* Are two facts the same? A date without a year equals that day of any year. */
int fact_same(const struct fact *a, const struct fact *b);

/*
 * A piece between white space, without the punctuation around it: lower case
 * (ASCII), with a plain apostrophe. Currency signs and % are pieces of their own.
 */
struct lexeme {
	const char *w;
	size_t n;
	size_t start, end;
};
long lexemes(struct arena *a, const char *s, size_t n, const struct lexeme **out);
int lexeme_is(const struct lexeme *x, const char *words); /* one of the words, separated by '|' */

#endif
