/* event.c: commitment and leaf of an event; docs/formats.md has the bytes. */
#include "store/event.h"

#include <string.h>

void ref_set(struct stored_ref *r, const void *p, size_t n)
{
	r->there = 1;
	r->p = p;
	r->n = n;
	crypto_sha256(p, n, r->hash);
}

static void pseudonym(const unsigned char secret[32], const char *what, const char *id, unsigned char out[32])
{
	unsigned char key[SHA256_SIZE];

	/* One key a purpose, so that a stream and an agent of the same name have nothing in common. */
	crypto_hmac(secret, what, strlen(what), key);
	crypto_hmac(key, id, strlen(id), out);
}

void event_seal(struct stored_event *ev, const unsigned char secret[32])
{
	pseudonym(secret, "stream", ev->stream, ev->tags[0]);
	pseudonym(secret, "principal", ev->principal, ev->tags[1]);
	pseudonym(secret, "agent", ev->agent, ev->tags[2]);
	crypto_hmac(ev->nonce, ev->payload, ev->payload_n, ev->commit);
}

static void add_number(struct sha256 *s, uint64_t v)
{
	unsigned char b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (unsigned char)(v >> (56 - 8 * i));
	sha256_add(s, b, sizeof(b));
}

void event_leaf(const struct stored_event *ev, uint64_t seq, int64_t revision, unsigned char out[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, "", 1); /* RFC 6962: 0x00 before a leaf, 0x01 before a node */
	add_number(&s, seq);
	add_number(&s, (uint64_t)revision);
	add_number(&s, (uint64_t)ev->at);
	add_number(&s, strlen(ev->kind));
	sha256_add(&s, ev->kind, strlen(ev->kind));
	sha256_add(&s, ev->tags, sizeof(ev->tags));
	sha256_add(&s, ev->commit, sizeof(ev->commit));
	sha256_end(&s, out);
}
