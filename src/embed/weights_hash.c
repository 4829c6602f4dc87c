#include "embed/weights_hash.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 64

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

/* FIPS 180-4, section 4.2.2 */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static int has_instructions(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3") &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

/*
 * The instructions keep the eight words of the state as {A, B, E, F} and {C, D, G, H},
 * highest first, and do two rounds at a time (Intel 64 manual, SHA256RNDS2).
 */
__attribute__((target("sha,sse4.1,ssse3"))) static void add_blocks(__m128i state[2], const unsigned char *p,
								   size_t blocks)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i abef = state[0], cdgh = state[1];

	for (; blocks; blocks--, p += BLOCK) {
		__m128i w[4], before[2] = { abef, cdgh };
		for (int i = 0; i < 4; i++)
			w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p + i), swap);
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			__m128i *now = &w[i & 3], last = w[(i + 3) & 3], sum;
			if (i >= 4) {
				sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) & 3]),
						    _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
				*now = _mm_sha256msg2_epu32(sum, last);
			}
			sum = _mm_add_epi32(
				*now, _mm_loadu_si128((const __m128i *)(const void *)round_constants + i));
			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
		}
		abef = _mm_add_epi32(abef, before[0]);
		cdgh = _mm_add_epi32(cdgh, before[1]);
	}
	state[0] = abef;
	state[1] = cdgh;
}

static void put_big(unsigned char *out, uint64_t v, size_t bytes)
{
	while (bytes--) {
		out[bytes] = (unsigned char)v;
		v >>= 8;
	}
}

static void hash_by_instructions(const unsigned char *p, size_t n, unsigned char out[SHA256_SIZE])
{
	__m128i state[2] = {
		_mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
		_mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19),
	};
	unsigned char tail[2 * BLOCK] = { 0 };
	size_t rest = n % BLOCK, padded = rest + 9 > BLOCK ? 2 * BLOCK : BLOCK;
	uint32_t words[8]; /* F E B A H G D C */
	static const unsigned char order[8] = { 3, 2, 7, 6, 1, 0, 5, 4 };

	add_blocks(state, p, n / BLOCK);
	memcpy(tail, p + n - rest, rest);
	tail[rest] = 0x80;
	put_big(tail + padded - 8, (uint64_t)n * 8, 8);
	add_blocks(state, tail, padded / BLOCK);
	memcpy(words, state, sizeof(words));
	for (size_t i = 0; i < 8; i++)
		put_big(out + 4 * i, words[order[i]], 4);
}

#else

static int has_instructions(void)
{
	return 0;
}

static void hash_by_instructions(const unsigned char *p, size_t n, unsigned char out[SHA256_SIZE])
{
	crypto_sha256(p, n, out);
}

#endif

struct weights_hash {
	pthread_t thread;
	const void *p;
	size_t n;
	unsigned char hash[SHA256_SIZE];
};

static void hash_bytes(const void *p, size_t n, unsigned char out[SHA256_SIZE])
{
	if (has_instructions())
		hash_by_instructions(p, n, out);
	else
		crypto_sha256(p, n, out);
}

static void *run(void *arg)
{
	struct weights_hash *h = arg;

	hash_bytes(h->p, h->n, h->hash);
	return NULL;
}

struct weights_hash *weights_hash_start(const void *p, size_t n)
{
	struct weights_hash *h = malloc(sizeof(*h));

	if (!h)
		return NULL;
	h->p = p;
	h->n = n;
	if (pthread_create(&h->thread, NULL, run, h) != 0) {
		free(h);
		return NULL;
	}
	return h;
}

void weights_hash_end(struct weights_hash *h, const void *p, size_t n, char out[SHA256_TEXT])
{
	static const char prefix[] = "sha256:";
	unsigned char hash[SHA256_SIZE];

	if (h) {
		pthread_join(h->thread, NULL);
		memcpy(hash, h->hash, sizeof(hash));
		free(h);
	} else {
		hash_bytes(p, n, hash);
	}
	memcpy(out, prefix, sizeof(prefix));
	hex_encode(hash, sizeof(hash), out + sizeof(prefix) - 1);
}
