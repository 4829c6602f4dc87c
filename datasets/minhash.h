/*
 * minhash.h: the least of each of many hash functions over a set (Broder 1997).
 * Two sets have the same least with a probability of about their Jaccard
 * similarity.
 *
 * Elements are hashes already, of 32 bits that are all random. A function is a
 * permutation of them: x a + b modulo 2^32 with an odd a. Any thread; the same
 * on every processor.
 */
#ifndef READBACK_DATASETS_MINHASH_H
#define READBACK_DATASETS_MINHASH_H

#include <stddef.h>
#include <stdint.h>

#define MINHASH_HASHES 128 /* a multiple of what a register holds */

struct minhash {
	uint32_t mul[MINHASH_HASHES], add[MINHASH_HASHES];
};

/* All ones where n is 0. */
void minhash(const struct minhash *m, const uint32_t *elements, size_t n, uint32_t least[MINHASH_HASHES]);
/* The same without a processor's extensions: for tests. */
void minhash_plain(const struct minhash *m, const uint32_t *elements, size_t n,
		   uint32_t least[MINHASH_HASHES]);

#endif
