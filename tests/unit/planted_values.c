#include "planted_values.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

size_t planted_below(struct planted_rng *r, size_t n)
{
	/* Knuth's 64-bit congruential generator; the upper bits are the good ones. */
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)((r->state >> 33) % n);
}

void planted_letters(struct planted_rng *r, const char *alphabet, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[planted_below(r, strlen(alphabet))];
	out[n] = '\0';
}

void planted_put(char *out, const char *s)
{
	memcpy(out, s, strlen(s) + 1);
}

void planted_digits(struct planted_rng *r, size_t n, char *out)
{
	planted_letters(r, DIGITS, n, out);
}

void planted_spell(const char *pattern, const char *s, char *out)
{
	for (; *pattern; pattern++)
		*out++ = *pattern == 'x' ? *s++ : *pattern;
	*out = '\0';
}

static void upper_case(char *s)
{
	for (; *s; s++)
		*s = (char)toupper((unsigned char)*s);
}

/* '*' becomes a digit, '^' one from 2 to 9, '~' a hexadecimal one. */
static void draw(struct planted_rng *r, const char *pattern, char *out)
{
	for (; *pattern; pattern++, out++) {
		const char *from = *pattern == '*'   ? DIGITS
				   : *pattern == '^' ? "23456789"
				   : *pattern == '~' ? HEX
						     : NULL;
		*out = from ? from[planted_below(r, strlen(from))] : *pattern;
	}
	*out = '\0';
}

static const char *const users[] = { "jane.roe",   "pieter",      "a.kowalski", "info",     "o'brien",
				     "rosa_g",     "m.haddad79",  "zoe+shop",   "x",        "priya-p",
				     "the.whites", "r\xc3\xa9mi", "li99",       "no-reply2" };
static const char *const hosts[] = {
	"example.com",     "example.org",           "mail.example.co.uk", "x-y.io",         "example.de",
	"post.example.fr", "m\xc3\xbcller.example", "uni.example.edu",    "a.b.example.net"
};

int make_email(struct planted_rng *r, char *out)
{
	sprintf(out, "%s@%s", PICK(r, users), PICK(r, hosts));
	if (planted_below(r, 6) == 0)
		upper_case(out);
	return 0;
}

int make_url(struct planted_rng *r, char *out)
{
	static const char *const patterns[] = {
		"https://example.com/reset?token=~~~~~~~~~~~~",
		"http://shop.example.org/order?id=******&mail=jane%40example.com",
		"https://jane:secret**@example.com/files",
		"www.example.com/track?parcel=**********",
		"HTTPS://EXAMPLE.COM/LOGIN?USER=JANE",
		"https://example.com/cb#access_token=~~~~~~~~~~",
		"https://example.de/konto?kunde=*****",
		"example.com/unsubscribe?u=~~~~~~~~&list=*",
		"ftp://pieter:pw**@files.example.net/a",
		"https://example.com:8443/a/b?session=~~~~~~~~~~~~~~~~"
	};

	draw(r, PICK(r, patterns), out);
	return 0;
}

int make_mac(struct planted_rng *r, char *out)
{
	static const char *const patterns[] = { "~~:~~:~~:~~:~~:~~", "~~-~~-~~-~~-~~-~~", "~~~a.~~~~.~~~~" };

	draw(r, PICK(r, patterns), out);
	if (planted_below(r, 2))
		upper_case(out);
	return 0;
}

int make_ip(struct planted_rng *r, char *out)
{
	static const char *const patterns[] = { "2001:db8:~~~~:~~~~:~~~~:~~~~:~~~~:~~~~", "2001:db8::~~~~",
						"fe80::~~~~:~~ff:fe~~:~~~~", "^a0^:^^^^::^^",
						"2001:0db8:85a3::8a^e:0370:~~~~" };

	if (planted_below(r, 3) == 0)
		draw(r, PICK(r, patterns), out);
	else
		sprintf(out, "%zu.%zu.%zu.%zu", 1 + planted_below(r, 223), planted_below(r, 256),
			planted_below(r, 256), planted_below(r, 256));
	return 0;
}

int make_order(struct planted_rng *r, char *out)
{
	static const char *const patterns[] = { "VK-*****",       "VK*****",    "112-*******-*******",
						"^*******",       "100^****",   "A-*****-*",
						"ORD-2026-*****", "vk-*****",   "KB^*******",
						"SO/2026/*****",  "WEB_******", "VK *****",
						"XKP***Q",        "^^********" };

	draw(r, PICK(r, patterns), out);
	return 1;
}

int make_account(struct planted_rng *r, char *out)
{
	static const char *const patterns[] = { "^*******",   "^******",   "C-******",
						"AC^*******", "^********", "^***-****",
						"CU*****X",   "K/^*****",  "^^***" };

	draw(r, PICK(r, patterns), out);
	return 1;
}

int make_phone(struct planted_rng *r, char *out)
{
	static const char *const patterns[] = {
		"+31 6 ^*******",   "+316^*******",        "+31-6-^***-****",  "+1 (^^^) ^**-****",
		"+1.^^^.^**.****",  "+44 (0)^0 7^** ****", "+44 7700 *00***",  "+49 (0) 30 / ^*****-**",
		"+49 171 ^******",  "+(31) 6 ^*******",    "0031 6 ^*******",  "00316^*******",
		"^^^-^**-****",     "^^^.^**.****",        "(^^^) ^**-****",   "1-800-^**-****",
		"06 ^* ** ** **",   "06-^*******",         "06^*******",       "020 7^** ****",
		"07700 *00***",     "0151/^*******",       "041^ ^** ***",     "+91 *8^** *****",
		"+34 61^ ^* ** **", "+48 60^ ^** ***",     "+61 41^ ^** ***",  "+39 347 ^** ****",
		"06.^*.**.**.**",   "+33 6 ^* ** ** **",   "+1-^^^-^**-****",  "(020) 7^** ****",
		"8 800 ^** ^* ^*",  "+351 *1^ ^** ***",    "+353 87 ^** ****", "1 (^^^) ^**-****"
	};
	static const char *const said[] = { "^^^^******", "^^*****", "*8^** *****", "61^ ^** ***",
					    "1^^********" };
	int needs_word = planted_below(r, 6) == 0;

	draw(r, needs_word ? PICK(r, said) : PICK(r, patterns), out);
	return needs_word;
}
