#include "datasets/redact_find.h"

#include <string.h>

#include "base/crypto.h"

/*
 * Addresses of crypto currencies:
 *
 *	base58check  Bitcoin's first form, also Litecoin, Dogecoin, Tron: 25 bytes, of which four are a checksum
 *	bech32(m)    BIP 173 and 350: "bc1…", of Bitcoin and Litecoin
 *	0x…          Ethereum: 40 hexadecimal digits (EIP-55's checksum is in the case of letters, and few keep it)
 */

/* --- base58check -------------------------------------------------------------------------------------------- */

#define BASE58_BYTES 25
#define BASE58_LEAST 26
#define BASE58_MOST 35

static const char base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static size_t run_of(const char *s, size_t n, const char *alphabet, size_t most)
{
	size_t len = 0;

	while (len < n && len <= most && s[len] && strchr(alphabet, s[len]))
		len++;
	return len;
}

/* The number as 25 bytes, big-endian. -1 if it has more. */
static int base58_decode(const char *s, size_t n, unsigned char out[BASE58_BYTES])
{
	memset(out, 0, BASE58_BYTES);
	for (size_t i = 0; i < n; i++) {
		unsigned carry = (unsigned)(strchr(base58, s[i]) - base58);
		for (size_t b = BASE58_BYTES; b-- > 0; carry >>= 8) {
			carry += 58u * out[b];
			out[b] = (unsigned char)carry;
		}
		if (carry)
			return -1;
	}
	return 0;
}

static size_t find_base58(const char *s, size_t n)
{
	unsigned char bytes[BASE58_BYTES], hash[SHA256_SIZE];
	size_t len = run_of(s, n, base58, BASE58_MOST);

	if (len < BASE58_LEAST || len > BASE58_MOST || base58_decode(s, len, bytes) < 0)
		return 0;
	crypto_sha256(bytes, BASE58_BYTES - 4, hash);
	crypto_sha256(hash, sizeof(hash), hash);
	return memcmp(hash, bytes + BASE58_BYTES - 4, 4) == 0 ? len : 0;
}

/* --- bech32 ------------------------------------------------------------------------------------------------- */

#define BECH32_MOST 90
#define BECH32 1u
#define BECH32M 0x2bc830a3u

static uint32_t bech32_step(uint32_t check, unsigned value)
{
	static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	uint32_t top = check >> 25;

	check = (check & 0x1ffffff) << 5 ^ value;
	for (int i = 0; i < 5; i++)
		if (top >> i & 1)
			check ^= generator[i];
	return check;
}

static size_t find_bech32(const char *s, size_t n)
{
	static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	static const char *const prefixes[] = { "bc", "tb", "ltc" };
	uint32_t check = 1;
	size_t prefix = 0, len;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (n > strlen(prefixes[i]) && strncasecmp(s, prefixes[i], strlen(prefixes[i])) == 0 &&
		    s[strlen(prefixes[i])] == '1')
			prefix = strlen(prefixes[i]);
	if (!prefix)
		return 0;
	for (size_t i = 0; i < prefix; i++)
		check = bech32_step(check, (unsigned)lower(s[i]) >> 5);
	check = bech32_step(check, 0);
	for (size_t i = 0; i < prefix; i++)
		check = bech32_step(check, (unsigned)lower(s[i]) & 31);
	for (len = prefix + 1; len < n && len <= BECH32_MOST; len++) {
		const char *at = s[len] ? strchr(alphabet, lower(s[len])) : NULL;
		if (!at)
			break;
		check = bech32_step(check, (unsigned)(at - alphabet));
	}
	return check == BECH32 || check == BECH32M ? len : 0;
}

/* --- the whole ---------------------------------------------------------------------------------------------- */

#define ETHEREUM 42

static size_t find_ethereum(const char *s, size_t n)
{
	size_t len = 2;

	if (n < ETHEREUM || s[0] != '0' || lower(s[1]) != 'x')
		return 0;
	while (len < n && is_hex(s[len]))
		len++;
	return len == ETHEREUM ? len : 0;
}

size_t find_crypto(const struct place *p, struct strbuf *key)
{
	const char *s = p->s + p->at;
	size_t n = p->n - p->at, len;

	if (n < BASE58_LEAST || word_before(p))
		return 0;
	if ((len = find_ethereum(s, n)) > 0 || (len = find_bech32(s, n)) > 0) {
		for (size_t i = 0; i < len; i++)
			strbuf_putc(key, lower(s[i]));
	} else if ((len = find_base58(s, n)) > 0) {
		strbuf_add(key, s, len);
	}
	return len && !word_at(p->s, p->n, p->at + len) ? len : 0;
}
