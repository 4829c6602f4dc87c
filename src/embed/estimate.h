/*
 * estimate.h: how many tokens a text has, for kinds that have no tokenizer.
 *
 * Near the count of a BERT tokenizer (about 1.2 tokens a word in English
 * prose), so that texts are cut to passages of much the same length. Pure:
 * any thread.
 */
#ifndef READBACK_EMBED_ESTIMATE_H
#define READBACK_EMBED_ESTIMATE_H

#include <stddef.h>

/*
 * Tokens of s[n], which is valid UTF-8, but at most `max`. *bytes (which may
 * be NULL) is how much of s they are; it ends between two characters.
 */
size_t estimate_tokens(const char *s, size_t n, size_t max, size_t *bytes);

#endif
