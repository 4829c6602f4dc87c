/*
 * weights_hash.h: the SHA-256 of the weights, while the rest of a model opens.
 *
 * 91 MB take 0.05 s, or 0.2 s on a processor without SHA instructions: a good
 * part of the time to start. So a thread of its own hashes.
 */
#ifndef READBACK_EMBED_WEIGHTS_HASH_H
#define READBACK_EMBED_WEIGHTS_HASH_H

#include <stddef.h>

#include "base/crypto.h"

struct weights_hash;

/* Starts hashing p[n], which must stay until the end. NULL if no thread can be had: weights_hash_end() then hashes. */
struct weights_hash *weights_hash_start(const void *p, size_t n);

/* Waits; writes "sha256:" and the digits. Frees `h`, which may be NULL. */
void weights_hash_end(struct weights_hash *h, const void *p, size_t n, char out[SHA256_TEXT]);

#endif
