/*
 * bits.h: sets of documents of one segment, a bit each.
 *
 * Plain arrays of 64-bit words; bits from n on are 0. A segment of 100,000
 * documents takes 12.5 kB, so that and, or and count cost about a microsecond:
 * this is the dense half of a roaring bitmap (Chambi, Lemire et al. 2016); the
 * sparse half, sorted lists, is in tagset.h.
 */
#ifndef READBACK_INDEX_BITS_H
#define READBACK_INDEX_BITS_H

#include <stddef.h>
#include <stdint.h>

static inline size_t bits_words(size_t n)
{
	return (n + 63) / 64;
}

static inline int bits_has(const uint64_t *b, uint32_t i)
{
	return (int)(b[i / 64] >> (i % 64) & 1);
}

static inline void bits_add(uint64_t *b, uint32_t i)
{
	b[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bits_fill(uint64_t *b, size_t n)
{
	for (size_t i = 0; i < n / 64; i++)
		b[i] = UINT64_MAX;
	if (n % 64)
		b[n / 64] = (UINT64_C(1) << (n % 64)) - 1;
}

static inline size_t bits_count(const uint64_t *b, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < bits_words(n); i++)
		sum += (size_t)__builtin_popcountll(b[i]);
	return sum;
}

static inline void bits_and(uint64_t *to, const uint64_t *b, size_t n)
{
	for (size_t i = 0; i < bits_words(n); i++)
		to[i] &= b[i];
}

static inline void bits_or(uint64_t *to, const uint64_t *b, size_t n)
{
	for (size_t i = 0; i < bits_words(n); i++)
		to[i] |= b[i];
}

static inline void bits_without(uint64_t *to, const uint64_t *b, size_t n)
{
	for (size_t i = 0; i < bits_words(n); i++)
		to[i] &= ~b[i];
}

/* The first member at or after i; n if there is none. for (i = bits_next(b, n, 0); i < n; i = bits_next(b, n, i + 1)) */
static inline uint32_t bits_next(const uint64_t *b, uint32_t n, uint32_t i)
{
	if (i >= n)
		return n;
	size_t w = i / 64;
	uint64_t word = b[w] >> (i % 64);
	if (word)
		return i + (uint32_t)__builtin_ctzll(word);
	while (++w < bits_words(n))
		if (b[w])
			return (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(b[w]);
	return n;
}

#endif
