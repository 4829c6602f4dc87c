/* Plain loops that the compiler vectorises for each level; all are of integers, so every level gives the same. */
#include "datasets/minhash.h"

static inline __attribute__((always_inline)) void find_least(const struct minhash *m, const uint32_t *grams,
							     size_t n, uint32_t *restrict least)
{
	for (size_t i = 0; i < MINHASH_HASHES; i++)
		least[i] = UINT32_MAX;
	for (size_t g = 0; g < n; g++) {
		uint32_t x = grams[g];
		for (size_t i = 0; i < MINHASH_HASHES; i++) {
			uint32_t h = x * m->mul[i] + m->add[i];
			least[i] = h < least[i] ? h : least[i];
		}
	}
}

void minhash_plain(const struct minhash *m, const uint32_t *grams, size_t n, uint32_t least[MINHASH_HASHES])
{
	find_least(m, grams, n, least);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void find_least_avx2(const struct minhash *m, const uint32_t *grams,
							    size_t n, uint32_t *least)
{
	find_least(m, grams, n, least);
}
#endif

void minhash(const struct minhash *m, const uint32_t *grams, size_t n, uint32_t least[MINHASH_HASHES])
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2")) {
		find_least_avx2(m, grams, n, least);
		return;
	}
#endif
	minhash_plain(m, grams, n, least);
}
