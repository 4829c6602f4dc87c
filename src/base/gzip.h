/* gzip.h: packs an answer (RFC 1952, fastest level). Any thread. */
#ifndef READBACK_BASE_GZIP_H
#define READBACK_BASE_GZIP_H

#include <stddef.h>

struct arena;

/* 0, or -1 without memory. */
int gzip_pack(struct arena *a, const char *s, size_t n, const char **out, size_t *out_n);

#endif
