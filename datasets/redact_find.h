/*
 * redact_find.h: the recognisers of redact.c. Each looks at one place, where
 * no word goes on from before, and says how many bytes from there are of its
 * kind; 0: none. They keep no state.
 *
 * `key` gets what is the same in all spellings of the value.
 */
#ifndef READBACK_DATASETS_REDACT_FIND_H
#define READBACK_DATASETS_REDACT_FIND_H

#include <stddef.h>

#include "base/strbuf.h"

struct place;
typedef size_t find_fn(const struct place *p, struct strbuf *key);

struct place {
	const char *s; /* the whole text */
	size_t n, at;
	size_t from;     /* what is before was taken: no number goes on from there */
	find_fn *before; /* by whom; NULL: nothing was yet */
	unsigned asked;  /* what the text before this one asks for: ASKED_… */
};

#define ASKED_ORDER 1u
#define ASKED_ACCOUNT 2u
#define ASKED_PHONE 4u

/* redact_find.c: by characters */
find_fn find_url, find_email, find_mac, find_ip;
/* redact_number.c: by digits */
find_fn find_iban, find_card, find_ssn, find_phone;
/* redact_national.c: national identifiers with a check digit */
find_fn find_fiscal_code, find_nif, find_nhs, find_tfn, find_npi, find_aadhaar, find_abn, find_pesel;
/* redact_said.c: by the words before */
find_fn find_order, find_account;
/* redact_crypto.c */
find_fn find_crypto;

/* --- words: redact_find.c ----------------------------------------------------------------------------------- */

/* 1 if the character before `at`, or at it, is a letter, a mark or a digit of any script. */
int word_before(const struct place *p);
int word_at(const char *s, size_t n, size_t at);
/* The same, of all scripts: of names. */
int name_at(const char *s, size_t n, size_t at);

/*
 * The word before *end with nothing but spaces, ':', '#', '.', brackets, '-' and quotes between, as "|word|" in lower
 * case; *end becomes where it begins. 0: there is something else.
 */
#define WORD_ROOM 28
int word_back(const struct place *p, size_t *end, char word[WORD_ROOM]);

/* 1 if one of `words` ("|order|ticket|", lower case) is among the last `back` words before the place. */
int said_before(const struct place *p, int back, const char *words);

/* What a text asks for: "What is your order number?" redact_said.c */
unsigned asked_for(const char *s, size_t n);

/* 1 if little or nothing is before the place in its sentence, as in an answer: "8211314334", "Sure, it's 8211314334". */
int is_answer(const struct place *p);

/* --- digits: redact_digits.c -------------------------------------------------------------------------------- */

#define MAX_GROUPS 12
#define MAX_DIGITS 20

/* Digits with separators between them, as far as they go. */
struct groups {
	size_t n;                                  /* groups */
	size_t start[MAX_GROUPS], end[MAX_GROUPS]; /* in the text */
	size_t upto[MAX_GROUPS];                   /* digits up to the group's end */
	char digits[MAX_DIGITS];
};

static inline size_t group_size(const struct groups *g, size_t i)
{
	return g->end[i] - g->start[i];
}

/* Groups from `at` with up to `max` separators of `set` between; one that would be too much, a date or a time ends them. */
void read_groups(const struct place *p, size_t at, const char *set, int max, struct groups *g);

/* Bytes of one separator at `at`: one of `set`, or a space or dash that is not ASCII. */
size_t separator(const struct place *p, size_t at, const char *set);

/* The number of digits at `at`, and their value (of the first eight). */
size_t number_at(const struct place *p, size_t at, unsigned *value);

/* 1 if a date begins there: 2026-06-01, 1/6/2026, 01.06.26, 20260601. */
int date_at(const struct place *p, size_t at);
int is_year(size_t digits, unsigned value);

/* 1 if the digit at the place goes on a number or an id: "VK-20418", "0.25", "#12", "10:30". */
int goes_on(const struct place *p);

/* 1 if the number at the place is a further group of another one: "9400 1000", "DE89 3704", three to six digits before it. */
int is_further_group(const struct place *p);

/* The check digit of ISO/IEC 7812-1, annex B. */
int luhn_check(const char *digits, size_t n);

/* What the words before say that a number is: 1 a phone's, -1 some id, 0 nothing. redact_number.c */
int number_meaning(const struct place *p, int id_back);

/* --- characters --------------------------------------------------------------------------------------------- */

static inline int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline int is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline int is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static inline char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

#endif
