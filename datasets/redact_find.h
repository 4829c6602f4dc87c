/*
 * redact_find.h: the recognisers of redact.c. Each looks at one place and says
 * how many bytes from there are of its kind; 0: none. They keep no state.
 *
 * `key` gets what is the same in all spellings of the value.
 */
#ifndef READBACK_DATASETS_REDACT_FIND_H
#define READBACK_DATASETS_REDACT_FIND_H

#include <stddef.h>

#include "base/strbuf.h"

struct place {
	const char *s; /* the whole text */
	size_t n, at;
};

typedef size_t find_fn(const struct place *p, struct strbuf *key);

/* redact_find.c: by characters */
find_fn find_url, find_email, find_mac, find_ip;
/* redact_number.c: by digits */
find_fn find_iban, find_card, find_ssn, find_phone;

/* --- what they share --- */

/* 1 if the character before `at`, or at it, is a letter, a mark or a digit of any script. */
int word_before(const struct place *p);
int word_at(const char *s, size_t n, size_t at);

/*
 * 1 if one of `words` ("|order|ticket|", lower case) is among the last `back`
 * words before the place, with nothing but spaces, ':', '#', '.', brackets, '-' and words between.
 */
int said_before(const struct place *p, int back, const char *words);

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

#endif
