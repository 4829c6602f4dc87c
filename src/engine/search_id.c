/*
 * Search ids: "s_" and base64url of
 *
 *	16 bytes  of HMAC-SHA256 over "search" and the rest
 *	rest      {"at":ms,"hits":[["document","help-12"],…]}, compact
 *
 * To stay a token that fits in a header, only the first 50 hits go in, and no
 * more once their ids have 4,000 bytes: a signal about a hit further down is
 * taken without knowing its rank.
 */
#include "engine/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"

#define MAC_SIZE 16
#define MAX_HITS 50
#define MAX_ID_BYTES 4000
/* An escaped byte of an id takes up to six. */
#define MAX_TOKEN (6 * MAX_ID_BYTES + 64 * MAX_HITS)

static const char prefix[] = "s_";
static const char domain[] = "search";

/* The tag of `n` bytes at `json`, in front of which there is room for the domain. */
static void sign(const unsigned char secret[32], const char *json, size_t n, unsigned char *scratch,
		 unsigned char mac[SHA256_SIZE])
{
	memcpy(scratch, domain, sizeof(domain));
	memcpy(scratch + sizeof(domain), json, n);
	crypto_hmac(secret, scratch, sizeof(domain) + n, mac);
}

static json_t *shown_json(const struct search_result *r)
{
	static const char *const names[COLLECTIONS] = { "document", "case", "conversation", "example" };
	json_t *hits = json_array();
	size_t bytes = 0;

	for (size_t i = 0; i < r->n && i < MAX_HITS; i++) {
		const struct search_hit *h = &r->hits[i];
		bytes += strlen(h->record.id);
		if (bytes > MAX_ID_BYTES)
			break;
		if (json_array_append_new(hits, json_pack("[s,s]", names[h->kind], h->record.id)) < 0) {
			json_decref(hits);
			return NULL;
		}
	}
	return json_pack("{s:I,s:o}", "at", (json_int_t)clock_wall_ms(), "hits", hits);
}

const char *search_id_make(struct arena *a, const unsigned char secret[32], const struct search_result *r)
{
	JSON_AUTO *shown = shown_json(r);
	unsigned char mac[SHA256_SIZE], *bytes, *scratch;
	char *json, *out = NULL;
	size_t n = 0;

	json = shown ? json_text(shown, &n) : NULL;
	if (!json)
		return NULL;
	bytes = arena_alloc(a, MAC_SIZE + n);
	scratch = arena_alloc(a, sizeof(domain) + n);
	if (bytes && scratch)
		out = arena_alloc(a, strlen(prefix) + base64url_size(MAC_SIZE + n) + 1);
	if (out) {
		sign(secret, json, n, scratch, mac);
		memcpy(bytes, mac, MAC_SIZE);
		memcpy(bytes + MAC_SIZE, json, n);
		memcpy(out, prefix, strlen(prefix));
		base64url_encode(bytes, MAC_SIZE + n, out + strlen(prefix));
	}
	free(json);
	return out;
}

static int bad_id(struct error *e)
{
	return error_set(e, ERR_BAD_ID, "search_id", "search_id: is not one that this service gave");
}

int search_id_read(struct arena *a, const unsigned char secret[32], struct text id, json_t **shown,
		   struct error *e)
{
	size_t skip = strlen(prefix), cap;
	unsigned char mac[SHA256_SIZE], *bytes, *scratch;
	long n;

	if (id.n < skip || memcmp(id.s, prefix, skip) != 0 || id.n > 2 * MAX_TOKEN)
		return bad_id(e);
	cap = id.n;
	bytes = arena_alloc(a, cap);
	scratch = arena_alloc(a, sizeof(domain) + cap);
	if (!bytes || !scratch)
		return no_memory(e);
	n = base64url_decode(id.s + skip, id.n - skip, bytes, cap);
	if (n < MAC_SIZE)
		return bad_id(e);
	sign(secret, (const char *)bytes + MAC_SIZE, (size_t)n - MAC_SIZE, scratch, mac);
	if (!crypto_equal(mac, bytes, MAC_SIZE))
		return bad_id(e);
	return json_parse_arena(a, (const char *)bytes + MAC_SIZE, (size_t)n - MAC_SIZE, e, shown);
}
