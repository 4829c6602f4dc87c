/*
 * wordpiece.h: BERT's uncased tokenizer: text to ids of a vocabulary.
 *
 * As the model's authors define it (Devlin et al. 2019, "BERT"; Wu et al.
 * 2016, "Google's neural machine translation system", for WordPiece): control
 * characters go, accents and case go, white space separates, a punctuation mark or
 * Han ideograph is a word of its own, and a word is cut greedily into the
 * longest pieces that the vocabulary has; one with a part that it does not
 * have, or of over 100 characters, is [UNK].
 *
 * Unlike in the authors' program, "[CLS]" and the like in a text are plain
 * text: only the caller puts special ids around.
 *
 * Read-only once open: any thread.
 */
#ifndef READBACK_EMBED_WORDPIECE_H
#define READBACK_EMBED_WORDPIECE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct wordpiece;

/* `path` has a token a line, the id is the line's number. ERR_MODEL unless it has `size` distinct ones, special ones too. */
int wordpiece_open(const char *path, size_t size, struct wordpiece **out, struct error *e);
void wordpiece_close(struct wordpiece *w); /* NULL is fine */

uint32_t wordpiece_cls(const struct wordpiece *w);
uint32_t wordpiece_sep(const struct wordpiece *w);

/*
 * The first `max` ids of s (valid UTF-8), without special ones; the rest of s
 * is not looked at. Returns how many there are.
 */
size_t wordpiece_encode(const struct wordpiece *w, const char *s, size_t n, uint32_t *ids, size_t max);

/* How many ids all of s has. */
size_t wordpiece_count(const struct wordpiece *w, const char *s, size_t n);

#endif
