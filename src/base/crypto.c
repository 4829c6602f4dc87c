#include "base/crypto.h"

/* SHA256_Init and the like need no memory and cannot fail; what OpenSSL 3 has in their place does and can. */
#define OPENSSL_API_COMPAT 0x10101000L

#include <assert.h>
#include <openssl/sha.h>
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
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, p, n);
	sha256_end(&s, out);
}

/* RFC 2104, of a key shorter than a block. */
void crypto_hmac(const unsigned char key[32], const void *p, size_t n, unsigned char out[SHA256_SIZE])
{
	unsigned char inner[SHA256_CBLOCK], outer[SHA256_CBLOCK];
	struct sha256 s;

	memset(inner, 0x36, sizeof(inner));
	memset(outer, 0x5c, sizeof(outer));
	for (int i = 0; i < 32; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	sha256_init(&s);
	sha256_add(&s, inner, sizeof(inner));
	sha256_add(&s, p, n);
	sha256_end(&s, out);
	sha256_init(&s);
	sha256_add(&s, outer, sizeof(outer));
	sha256_add(&s, out, SHA256_SIZE);
	sha256_end(&s, out);
	sodium_memzero(inner, sizeof(inner));
	sodium_memzero(outer, sizeof(outer));
}

int crypto_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "struct sha256 is too small");

void sha256_init(struct sha256 *s)
{
	SHA256_Init((SHA256_CTX *)s->opaque);
}

void sha256_add(struct sha256 *s, const void *p, size_t n)
{
	if (n)
		SHA256_Update((SHA256_CTX *)s->opaque, p, n);
}

void sha256_end(struct sha256 *s, unsigned char out[SHA256_SIZE])
{
	SHA256_Final(out, (SHA256_CTX *)s->opaque);
	sodium_memzero(s->opaque, sizeof(s->opaque));
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

static void hash_text(const unsigned char hash[SHA256_SIZE], char out[SHA256_TEXT])
{
	memcpy(out, "sha256:", 7);
	hex_encode(hash, SHA256_SIZE, out + 7);
}

void crypto_sha256_text(const void *p, size_t n, char out[SHA256_TEXT])
{
	unsigned char hash[SHA256_SIZE];

	crypto_sha256(p, n, hash);
	hash_text(hash, out);
}

void sha256_end_text(struct sha256 *s, char out[SHA256_TEXT])
{
	unsigned char hash[SHA256_SIZE];

	sha256_end(s, hash);
	hash_text(hash, out);
}

uint64_t hash_fnv1a(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 1099511628211u;
	return h;
}
