/* gzip.h: what we use of zlib. Any thread. */
#ifndef READBACK_BASE_GZIP_H
#define READBACK_BASE_GZIP_H

#include <stddef.h>
#include <stdint.h>

struct arena;

/* Packs an answer (RFC 1952, fastest level). 0, or -1 without memory. */
int gzip_pack(struct arena *a, const char *s, size_t n, const char **out, size_t *out_n);

/* CRC-32 (RFC 1952) of what `before` is the sum of, followed by these bytes; 0 to begin. */
uint32_t crc32_more(uint32_t before, const void *p, size_t n);

#endif
