/*
 * crypto.h: hashes, MACs and random bytes; the one wrapper of libsodium,
 * and of libcrypto for SHA-256.
 *
 * crypto_start() once in main before anything else here. All functions may be
 * called from any thread.
 */
#ifndef READBACK_BASE_CRYPTO_H
#define READBACK_BASE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

int crypto_start(void);
void crypto_random(void *out, size_t n);
void crypto_sha256(const void *p, size_t n, unsigned char out[SHA256_SIZE]);
void crypto_hmac(const unsigned char key[32], const void *p, size_t n, unsigned char out[SHA256_SIZE]);
int crypto_equal(const void *a, const void *b, size_t n); /* constant time */

/* A hash in pieces. */
struct sha256 {
	_Alignas(16) unsigned char opaque[128];
};
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *p, size_t n);
void sha256_end(struct sha256 *s, unsigned char out[SHA256_SIZE]);

/* Lower-case hexadecimal, 2n characters and a NUL. */
void hex_encode(const void *p, size_t n, char *out);
/* 0, or -1 unless `s` is exactly 2n hexadecimal digits. */
int hex_decode(const char *s, size_t len, void *out, size_t n);

/* base64url without padding; `out` holds at least crypto_base64_size(n) bytes. */
size_t base64url_size(size_t n);
void base64url_encode(const void *p, size_t n, char *out);
/* Bytes written to out (at most cap), or -1. */
long base64url_decode(const char *s, size_t len, void *out, size_t cap);

/* "sha256:" and 64 digits, and a NUL: 72 bytes. */
#define SHA256_TEXT 72
void crypto_sha256_text(const void *p, size_t n, char out[SHA256_TEXT]);
void sha256_end_text(struct sha256 *s, char out[SHA256_TEXT]);

/* FNV-1a, 64 bits: for tables and splits, never for security. */
uint64_t hash_fnv1a(const void *p, size_t n);

#endif
