#include "datasets/redact_find.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/utf8.h"
#include "text/fold.h"

/* Longer ones are none: bounds what a text of nothing but dots costs. */
#define MAX_LOCAL 64
#define MAX_DOMAIN 253
#define MAX_URL 2048
#define MAX_WORD (WORD_ROOM - 4)

/* --- shared ---------------------------------------------------------------------------------------------- */

/*
 * Letters of scripts that put no spaces between words, or grow endings onto
 * numbers: a number or an address begins and ends beside them.
 */
static int is_unspaced(uint32_t c)
{
	return (c >= 0x0e00 && c < 0x0f00) || (c >= 0x1000 && c < 0x10a0) || (c >= 0x1100 && c < 0x1200) ||
	       (c >= 0x1780 && c < 0x1800) || (c >= 0x3040 && c < 0xa000) || (c >= 0xac00 && c < 0xd7b0) ||
	       (c >= 0xf900 && c < 0xfb00) || c >= 0x20000;
}

int word_at(const char *s, size_t n, size_t at)
{
	uint32_t c;

	if (at >= n || !(s[at] & 0x80))
		return name_at(s, n, at);
	utf8_next(s + at, n - at, &c);
	return !is_unspaced(c) && name_at(s, n, at);
}

int name_at(const char *s, size_t n, size_t at)
{
	uint32_t c;

	if (at >= n)
		return 0;
	if (!(s[at] & 0x80))
		return is_alpha(s[at]) || is_digit(s[at]);
	utf8_next(s + at, n - at, &c);
	return fold_is_letter(c) || fold_is_mark(c) || fold_is_digit(c);
}

int word_before(const struct place *p)
{
	return p->at > 0 && word_at(p->s, p->n, utf8_floor(p->s, p->n, p->at - 1));
}

int word_back(const struct place *p, size_t *end, char word[WORD_ROOM])
{
	size_t stop = *end, start;

	while (stop > 0 && strchr(" :#.()-'\"", p->s[stop - 1]))
		stop--;
	for (start = stop; start > 0 && is_alpha(p->s[start - 1]);)
		start--;
	if (start == stop || stop - start > MAX_WORD)
		return 0;
	word[0] = '|';
	for (size_t i = start; i < stop; i++)
		word[1 + i - start] = lower(p->s[i]);
	memcpy(word + 1 + (stop - start), "|", 2);
	*end = start;
	return 1;
}

int said_before(const struct place *p, int back, const char *words)
{
	char word[WORD_ROOM];
	size_t end = p->at;

	while (back-- > 0 && word_back(p, &end, word))
		if (strstr(words, word))
			return 1;
	return 0;
}

/* A key of `n` bytes in lower case. */
static void key_lower(struct strbuf *key, const char *s, size_t n)
{
	fold_text(s, n, key);
}

static int is_punycode(const struct place *p, size_t label)
{
	return p->n - label >= 4 && memcmp(p->s + label, "xn--", 4) == 0;
}

/* The end of a host name with at least one dot and a top level of two letters or more; `from` if there is none. */
static size_t domain_end(const struct place *p, size_t from)
{
	size_t at = from, end = from, label = from;
	int dots = 0, digits = 0;

	while (at < p->n && at - from <= MAX_DOMAIN) {
		if (word_at(p->s, p->n, at)) {
			uint32_t c;
			digits += is_digit(p->s[at]);
			at += utf8_next(p->s + at, p->n - at, &c);
			/* "xn--p1ai" has digits, else a top level has none. */
			if (dots && at - label >= 2 && (!digits || is_punycode(p, label)))
				end = at;
			else if (dots && digits)
				end = from;
		} else if (p->s[at] == '-' && at > label) {
			at++;
		} else if (p->s[at] == '.' && at > label && word_at(p->s, p->n, at + 1)) {
			label = ++at;
			dots++;
			digits = 0;
		} else {
			break;
		}
	}
	return end;
}

/* --- e-mail ---------------------------------------------------------------------------------------------- */

size_t find_email(const struct place *p, struct strbuf *key)
{
	size_t at = p->at;

	if ((!word_at(p->s, p->n, at) && p->s[at] != '_') || word_before(p))
		return 0;
	while (at < p->n && at - p->at <= MAX_LOCAL) {
		uint32_t c;
		if (word_at(p->s, p->n, at))
			at += utf8_next(p->s + at, p->n - at, &c);
		else if (strchr("._%+-&'~", p->s[at]) && p->s[at])
			at++;
		else
			break;
	}
	if (at >= p->n || p->s[at] != '@')
		return 0;
	size_t end = domain_end(p, at + 1);
	if (end == at + 1)
		return 0;
	key_lower(key, p->s + p->at, end - p->at);
	return end - p->at;
}

/* --- URLs ------------------------------------------------------------------------------------------------- */

/* Where the scheme and "://" end, or `at` itself. */
static size_t scheme_end(const struct place *p)
{
	size_t at = p->at;

	if (!is_alpha(p->s[at]))
		return p->at;
	while (at < p->n && at - p->at < 16 &&
	       (is_alpha(p->s[at]) || is_digit(p->s[at]) || p->s[at] == '+' || p->s[at] == '-'))
		at++;
	return p->n - at > 3 && memcmp(p->s + at, "://", 3) == 0 ? at + 3 : p->at;
}

static size_t url_end(const struct place *p, size_t from)
{
	size_t at = from;

	while (at < p->n && at - from < MAX_URL && !strchr(" \t\r\n<>\"`{}|\\^", p->s[at]) && p->s[at])
		at++;
	if (at < p->n && (p->s[at] & 0xC0) == 0x80)
		at = utf8_floor(p->s, p->n, at); /* cut by the bound */
	while (at > from && strchr(".,;:!?')]*_", p->s[at - 1]))
		at--;
	return at;
}

size_t find_url(const struct place *p, struct strbuf *key)
{
	size_t host, end, slash;
	const char *at, *query;

	if (!word_at(p->s, p->n, p->at) || word_before(p))
		return 0;
	host = scheme_end(p);
	if (host == p->at) {
		/* Without a scheme: a host name, and right behind it a path or a query. */
		size_t stop = domain_end(p, host);
		if (stop == host || stop >= p->n || !strchr("/?:", p->s[stop]))
			return 0;
	}
	end = url_end(p, host);
	for (slash = host; slash < end && p->s[slash] != '/' && p->s[slash] != '?' && p->s[slash] != '#';)
		slash++;
	at = memchr(p->s + host, '@', slash - host);
	query = memchr(p->s + slash, '?', end - slash);
	/* Tokens are also put behind a '#'. */
	if (!query)
		query = memchr(p->s + slash, '#', end - slash);
	/* "really?yes" is no address. */
	if (query && (*query == '#' || host == p->at) && !memchr(query, '=', (size_t)(p->s + end - query)))
		query = NULL;
	/* "jane@x.org" without a scheme is an e-mail address. */
	if (!(at && host > p->at) && !(query && query + 1 < p->s + end))
		return 0;
	strbuf_add(key, p->s + p->at, end - p->at);
	return end - p->at;
}

/* --- network addresses -------------------------------------------------------------------------------------- */

size_t find_mac(const struct place *p, struct strbuf *key)
{
	const char *s = p->s + p->at;
	size_t left = p->n - p->at, letters = 0, step, group, len;
	char sep;

	if (word_before(p) || left < 14 || !is_hex(s[0]))
		return 0;
	group = s[4] == '.' ? 4 : 2;
	sep = s[group];
	if (group == 2 && sep != ':' && sep != '-')
		return 0;
	step = group + 1;
	len = group == 2 ? 17 : 14;
	if (left < len || (left > len && (word_at(p->s, p->n, p->at + len) ||
					  (s[len] == sep && left > len + 1 && is_hex(s[len + 1])))))
		return 0;
	for (size_t i = 0; i < len; i++) {
		int in_group = i % step < group;
		letters += in_group && is_alpha(s[i]);
		if (in_group ? !is_hex(s[i]) : s[i] != sep)
			return 0;
	}
	if (group == 4 && !letters)
		return 0; /* an amount, a number of something */
	for (size_t i = 0; i < len; i++)
		if (i % step < group)
			strbuf_putc(key, lower(s[i]));
	return len;
}

/* The address of a run of `len` bytes as its bytes in `key`. */
static int address_key(const char *s, size_t len, int family, struct strbuf *key)
{
	char text[64];
	unsigned char bytes[16];

	if (len >= sizeof(text))
		return 0;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(family, text, bytes) != 1)
		return 0;
	strbuf_add(key, (const char *)bytes, family == AF_INET ? 4 : 16);
	return 1;
}

static size_t find_ip4(const struct place *p, struct strbuf *key)
{
	size_t at = p->at;

	while (at < p->n && at - p->at < 16 && (is_digit(p->s[at]) || p->s[at] == '.'))
		at++;
	if (at > p->at && p->s[at - 1] == '.')
		at--;
	if (word_at(p->s, p->n, at) || (p->at > 1 && p->s[p->at - 1] == '.' && is_digit(p->s[p->at - 2])))
		return 0;
	if (said_before(p, 2, "|version|firmware|release|build|driver|software|ver|v|section|chapter|"))
		return 0;
	return address_key(p->s + p->at, at - p->at, AF_INET, key) ? at - p->at : 0;
}

static size_t find_ip6(const struct place *p, struct strbuf *key)
{
	size_t at = p->at, colons = 0, len;

	while (at < p->n && at - p->at < 46 && (is_hex(p->s[at]) || p->s[at] == ':' || p->s[at] == '.'))
		colons += p->s[at++] == ':';
	while (at > p->at && (p->s[at - 1] == '.' || (p->s[at - 1] == ':' && p->s[at - 2] != ':')))
		at--;
	len = at - p->at;
	/* Addresses in use begin with four digits or "::"; "::1" is everybody's. This keeps "12::30" and "a::b". */
	if (colons < 2 || len < 6 || word_at(p->s, p->n, at) ||
	    !(p->s[p->at + 4] == ':' || p->s[p->at] == ':'))
		return 0;
	if (!address_key(p->s + p->at, len, AF_INET6, key))
		return 0;
	if (at < p->n && p->s[at] == '%')
		for (at++; at < p->n && (is_alpha(p->s[at]) || is_digit(p->s[at]));)
			at++;
	return at - p->at;
}

size_t find_ip(const struct place *p, struct strbuf *key)
{
	size_t len;

	if (word_before(p))
		return 0;
	if (is_digit(p->s[p->at]) && (len = find_ip4(p, key)) > 0)
		return len;
	if (is_hex(p->s[p->at]) || (p->s[p->at] == ':' && p->n - p->at > 1 && p->s[p->at + 1] == ':'))
		return find_ip6(p, key);
	return 0;
}
