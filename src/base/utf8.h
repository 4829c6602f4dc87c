/*
 * utf8.h: checks and steps through UTF-8 (RFC 3629: no surrogates, no
 * overlong forms, nothing above U+10FFFF). Folding and classes of characters
 * are in text/fold.h.
 */
#ifndef READBACK_BASE_UTF8_H
#define READBACK_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* n if all of `s` is valid, else the offset of the first bad byte. */
size_t utf8_valid(const char *s, size_t n);

/* Decodes the character at s (n >= 1 bytes of valid UTF-8) and returns its length in bytes. */
size_t utf8_next(const char *s, size_t n, uint32_t *c);

/* Writes `c` to out (up to 4 bytes) and returns the length. */
size_t utf8_put(uint32_t c, char *out);

/* The largest offset <= at that starts a character. */
size_t utf8_floor(const char *s, size_t n, size_t at);

#endif
