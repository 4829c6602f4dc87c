/*
 * fold.h: what a character is, and what is left of it when case and accents
 * do not matter; the one wrapper of utf8proc.
 *
 * Characters are Unicode scalar values as utf8_next() gives them. Tables are
 * utf8proc's (Unicode 14 with Debian 12's). Any thread; no memory is taken
 * except by fold_text().
 */
#ifndef READBACK_TEXT_FOLD_H
#define READBACK_TEXT_FOLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Classes by Unicode category; each is 1 or 0. */
int fold_is_letter(uint32_t c);      /* L*: also ideographs and syllables */
int fold_is_digit(uint32_t c);       /* N*: also fractions, roman numerals, superscripts */
int fold_is_mark(uint32_t c);        /* M*: accents and vowel signs that follow their letter */
int fold_is_accent(uint32_t c);      /* Mn: those of the marks that take no room; what fold_plain() drops */
int fold_is_punctuation(uint32_t c); /* P* */
int fold_is_space(uint32_t c);       /* the White_Space property, with tab and line ends */
int fold_is_control(
	uint32_t c); /* C* but tab, line feed and carriage return: controls, formats, private, unassigned */

/* The Han ideographs' blocks, where every character is a word to BERT's tokenizer (no kana, no hangul). */
int fold_is_ideograph(uint32_t c);

/* Simple lower case: one character to one. */
uint32_t fold_lower(uint32_t c);

/* No character decomposes canonically into more than four. */
#define FOLD_MAX 4

/*
 * Canonical decomposition without accents, in lower case: "É" gives "e",
 * "가" its two jamo, a lone accent nothing. Returns how many characters.
 */
size_t fold_plain(uint32_t c, uint32_t out[FOLD_MAX]);

/* Appends fold_plain() of all of s (valid UTF-8) to `out`. */
void fold_text(const char *s, size_t n, struct strbuf *out);

#endif
