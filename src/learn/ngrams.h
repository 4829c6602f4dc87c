/*
 * ngrams.h: what a text is made of, for a linear model: its words, pairs of
 * words, and runs of 2 to 5 characters, by hash.
 *
 * Words are the analyser's, folded and not stemmed; characters are those of
 * the words with a space before, between and behind them, so that where a word
 * begins and ends is seen. Weights are 1 + ln of how often it stands there.
 *
 * Any thread; memory is the arena's.
 */
#ifndef READBACK_LEARN_NGRAMS_H
#define READBACK_LEARN_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct arena;

#define NGRAMS_MAX_TEXT 4096 /* bytes that are looked at: the beginning */

struct ngram {
	uint32_t hash;
	float weight;
};

/* Distinct ones, by hash. -1 without memory. */
long ngrams_of(struct arena *a, const char *s, size_t n, const struct ngram **out);

#endif
