/*
 * idmap.h: 64-bit numbers to 32-bit slots, open addressing, with removal.
 *
 * A plain value: zero it to start, idmap_release() at the end. Not shared
 * between threads without a lock. Values are below IDMAP_NONE.
 */
#ifndef READBACK_INDEX_IDMAP_H
#define READBACK_INDEX_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#define IDMAP_NONE UINT32_MAX

struct idmap_pair {
	uint64_t key;
	uint32_t value; /* IDMAP_NONE: free */
};

struct idmap {
	struct idmap_pair *pairs; /* owned */
	size_t n, mask;
};

#define IDMAP_AUTO __attribute__((cleanup(idmap_release))) struct idmap

/* Empties it. */
void idmap_release(struct idmap *m);

/* IDMAP_NONE if it is not there. */
uint32_t idmap_get(const struct idmap *m, uint64_t key);

/* Adds or replaces. -1: no memory, and nothing was done. */
int idmap_put(struct idmap *m, uint64_t key, uint32_t value);
void idmap_remove(struct idmap *m, uint64_t key);

size_t idmap_bytes(const struct idmap *m);

#endif
