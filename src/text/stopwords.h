/*
 * stopwords.h: English words that say nothing about what a query is about.
 *
 * Used for queries only, so that the list can change without touching an
 * index. Left out on purpose: negations (not, no, never, cannot) and the
 * particles that tell issues apart (on, off, up, down, out, before, after,
 * without). A constant table, any thread.
 */
#ifndef READBACK_TEXT_STOPWORDS_H
#define READBACK_TEXT_STOPWORDS_H

#include <stddef.h>

/* `word` is folded to lower case. */
int is_stopword(const char *word, size_t n);

#endif
