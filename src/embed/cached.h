/*
 * cached.h: an embedder that computes each text once: it asks another for what
 * it has not seen, and keeps the vectors of all of them, in memory and, if
 * that is wanted, in a file. For measurements, which go through the same texts
 * again and again; what it holds only grows.
 *
 * The file: a line of JSON, {"format":"readback-vectors-1","embedder",
 * "weights","precision","dim","n"}, then n times the SHA-256 of a text (32
 * bytes) and its vector (dim float32, little-endian), sorted by the hash. So
 * the same texts give the same file, in whatever order they came.
 */
#ifndef READBACK_EMBED_CACHED_H
#define READBACK_EMBED_CACHED_H

#include "base/crypto.h"
#include "embed/embed.h"

/* `inner` is borrowed and is closed behind *out. *out is used and closed like any embedder. */
int cached_open(struct embedder *inner, struct embedder **out, struct error *e);

/*
 * Takes what a file has; a file that is missing has nothing. ERR_CONFIG for
 * vectors of another embedder, ERR_CORRUPT for a file that is damaged.
 */
int cached_read(struct embedder *m, const char *path, struct error *e);
int cached_write(struct embedder *m, const char *path, struct error *e);

/* The hash of the file that cached_write() writes. */
int cached_hash(struct embedder *m, char out[SHA256_TEXT], struct error *e);

#endif
