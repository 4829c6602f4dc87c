#include "base/crypto.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

int crypto_start(void)
{
	return sodium_init() < 0 ? -1 : 0;
}

void crypto_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

void crypto_sha256(const void *p, size_t n, unsigned char out[SHA256_SIZE])
{
	crypto_hash_sha256(out, p, n);
}

void crypto_hmac(const unsigned char key[32], const void *p, size_t n, unsigned char out[SHA256_SIZE])
{
	crypto_auth_hmacsha256(out, p, n, key);
}

int crypto_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct sha256), "struct sha256 is too small");

void sha256_init(struct sha256 *s)
{
	crypto_hash_sha256_init((crypto_hash_sha256_state *)s->opaque);
}

void sha256_add(struct sha256 *s, const void *p, size_t n)
{
	crypto_hash_sha256_update((crypto_hash_sha256_state *)s->opaque, p, n);
}

void sha256_end(struct sha256 *s, unsigned char out[SHA256_SIZE])
{
	crypto_hash_sha256_final((crypto_hash_sha256_state *)s->opaque, out);
}

void hex_encode(const void *p, size_t n, char *out)
{
	sodium_bin2hex(out, 2 * n + 1, p, n);
}

int hex_decode(const char *s, size_t len, void *out, size_t n)
{
	size_t got;
	unsigned char scratch[64];

	if (len != 2 * n || n > sizeof(scratch))
		return -1;
	if (sodium_hex2bin(scratch, sizeof(scratch), s, len, NULL, &got, NULL) != 0 || got != n)
		return -1;
	memcpy(out, scratch, n);
	return 0;
}

size_t base64url_size(size_t n)
{
	return sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void base64url_encode(const void *p, size_t n, char *out)
{
	sodium_bin2base64(out, base64url_size(n), p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

long base64url_decode(const char *s, size_t len, void *out, size_t cap)
{
	size_t got;
	const char *end;

	if (sodium_base642bin(out, cap, s, len, NULL, &got, &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) !=
	    0)
		return -1;
	return end == s + len ? (long)got : -1;
}

void crypto_sha256_text(const void *p, size_t n, char out[SHA256_TEXT])
{
	unsigned char h[SHA256_SIZE];

	crypto_sha256(p, n, h);
	memcpy(out, "sha256:", 7);
	hex_encode(h, sizeof(h), out + 7);
}

uint64_t hash_fnv1a(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 1099511628211u;
	return h;
}
