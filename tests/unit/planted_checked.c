#include "planted_values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

/* Values with a check digit, each by the way in which it is given out: the check is made, not tested. */

static void change_case(struct planted_rng *r, char *s)
{
	if (planted_below(r, 3) == 0)
		for (; *s; s++)
			*s = (char)tolower((unsigned char)*s);
}

/* The digit that Luhn's sum lacks. */
static char luhn_digit(const char *digits, int sum)
{
	static const int doubled[] = { 0, 2, 4, 6, 8, 1, 3, 5, 7, 9 };
	size_t n = strlen(digits);

	for (size_t i = 0; i < n; i++)
		sum += (n - i) % 2 ? doubled[digits[i] - '0'] : digits[i] - '0';
	return (char)('0' + (10 - sum % 10) % 10);
}

int make_card(struct planted_rng *r, char *out)
{
	static const struct card {
		const char *first;
		size_t digits;
		const char *spellings[5];
	} cards[] = {
		{ "4",
		  16,
		  { "xxxx xxxx xxxx xxxx", "xxxx-xxxx-xxxx-xxxx", "xxxxxxxxxxxxxxxx", "xxxx.xxxx.xxxx.xxxx",
		    "xxxx  xxxx  xxxx  xxxx" } },
		{ "51",
		  16,
		  { "xxxx xxxx xxxx xxxx", "xxxx-xxxx-xxxx-xxxx", "xxxxxxxxxxxxxxxx", "xxxx.xxxx.xxxx.xxxx",
		    "xxxx\xc2\xa0xxxx\xc2\xa0xxxx\xc2\xa0xxxx" } },
		{ "55",
		  16,
		  { "xxxx xxxx xxxx xxxx", "xxxx-xxxx-xxxx-xxxx", "xxxxxxxxxxxxxxxx", "xxxx.xxxx.xxxx.xxxx",
		    "xxxx xxxx xxxx xxxx" } },
		{ "2300",
		  16,
		  { "xxxx xxxx xxxx xxxx", "xxxx-xxxx-xxxx-xxxx", "xxxxxxxxxxxxxxxx", "xxxx xxxx xxxx xxxx",
		    "xxxx xxxx xxxx xxxx" } },
		{ "34",
		  15,
		  { "xxxx xxxxxx xxxxx", "xxxx-xxxxxx-xxxxx", "xxxxxxxxxxxxxxx", "xxxx xxxxxx xxxxx",
		    "xxxx.xxxxxx.xxxxx" } },
		{ "37",
		  15,
		  { "xxxx xxxxxx xxxxx", "xxxx-xxxxxx-xxxxx", "xxxxxxxxxxxxxxx", "xxxx xxxxxx xxxxx",
		    "xxxx xxxxxx xxxxx" } },
		{ "36",
		  14,
		  { "xxxx xxxxxx xxxx", "xxxx-xxxxxx-xxxx", "xxxxxxxxxxxxxx", "xxxx xxxxxx xxxx",
		    "xxxx xxxxxx xxxx" } },
		{ "6011",
		  16,
		  { "xxxx xxxx xxxx xxxx", "xxxx-xxxx-xxxx-xxxx", "xxxxxxxxxxxxxxxx", "xxxx xxxx xxxx xxxx",
		    "xxxx.xxxx.xxxx.xxxx" } },
		{ "3530",
		  16,
		  { "xxxx xxxx xxxx xxxx", "xxxx-xxxx-xxxx-xxxx", "xxxxxxxxxxxxxxxx", "xxxx xxxx xxxx xxxx",
		    "xxxx xxxx xxxx xxxx" } },
		{ "62",
		  19,
		  { "xxxx xxxx xxxx xxxx xxx", "xxxxxxxxxxxxxxxxxxx", "xxxx-xxxx-xxxx-xxxx-xxx",
		    "xxxxxxxxxxxxxxxxxxx", "xxxx xxxx xxxx xxxx xxx" } },
	};
	const struct card *c = &PICK(r, cards);
	char digits[24];
	size_t first = strlen(c->first);

	planted_put(digits, c->first);
	planted_digits(r, c->digits - 1 - first, digits + first);
	digits[c->digits] = '\0';
	digits[c->digits - 1] = luhn_digit(digits, 0);
	planted_spell(PICK(r, c->spellings), digits, out);
	return 0;
}

/* The remainder of a decimal number of any length. */
static unsigned remainder_of(const char *number, unsigned by)
{
	unsigned rest = 0;

	for (; *number; number++)
		rest = (rest * 10 + (unsigned)(*number - '0')) % by;
	return rest;
}

int make_iban(struct planted_rng *r, char *out)
{
	/* a: letter, n: digit, c: either */
	static const char *const countries[] = {
		"DEnnnnnnnnnnnnnnnnnn",
		"NLaaaannnnnnnnnn",
		"GBaaaannnnnnnnnnnnnn",
		"ESnnnnnnnnnnnnnnnnnnnn",
		"FRnnnnnnnnnncccccccccccnn",
		"ITannnnnnnnnncccccccccccc",
		"BEnnnnnnnnnnnn",
		"ATnnnnnnnnnnnnnnnn",
		"CHnnnnncccccccccccc",
		"PLnnnnnnnnnnnnnnnnnnnnnnnn",
		"SEnnnnnnnnnnnnnnnnnnnn",
		"NOnnnnnnnnnnn",
		"DKnnnnnnnnnnnnnn",
		"IEaaaannnnnnnnnnnnnn",
		"PTnnnnnnnnnnnnnnnnnnnnn",
	};
	const char *country = PICK(r, countries);
	char account[40], number[100] = "", all[48];
	size_t n = strlen(country) - 2, at = 0;

	/* Where letters may stand digits are the rule. */
	for (size_t i = 0; i < n; i++) {
		const char *from = country[2 + i] == 'a' ? UPPER : DIGITS;
		account[i] = from[planted_below(r, strlen(from))];
	}
	account[n] = '\0';
	snprintf(all, sizeof(all), "%s%.2s00", account, country);
	for (const char *s = all; *s; s++)
		at += (size_t)sprintf(number + at, "%d",
				      isdigit((unsigned char)*s) ? *s - '0' : *s - 'A' + 10);
	snprintf(all, sizeof(all), "%.2s%02u%s", country, 98 - remainder_of(number, 97), account);

	static const char gaps[] = " -\0";
	char gap = gaps[planted_below(r, 3)];
	at = 0;
	for (size_t i = 0; all[i]; i++) {
		if (i && i % 4 == 0 && gap)
			out[at++] = gap;
		out[at++] = all[i];
	}
	out[at] = '\0';
	change_case(r, out);
	return 0;
}

/* --- crypto currencies --------------------------------------------------------------------------------------- */

static void base58_address(struct planted_rng *r, unsigned char version, char *out)
{
	static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	unsigned char bytes[25] = { version }, hash[32];
	char reversed[64];
	size_t n = 0;

	for (size_t i = 1; i < 21; i++)
		bytes[i] = (unsigned char)planted_below(r, 256);
	crypto_sha256(bytes, 21, hash);
	crypto_sha256(hash, 32, hash);
	memcpy(bytes + 21, hash, 4);
	/* Long division by 58; leading zero bytes are ones. */
	for (;;) {
		unsigned rest = 0, any = 0;
		for (size_t i = 0; i < 25; i++) {
			unsigned x = rest * 256 + bytes[i];
			bytes[i] = (unsigned char)(x / 58);
			rest = x % 58;
			any |= bytes[i];
		}
		reversed[n++] = alphabet[rest];
		if (!any)
			break;
	}
	if (version == 0)
		reversed[n++] = '1';
	while (n > 0)
		*out++ = reversed[--n];
	*out = '\0';
}

/* BIP 173's checksum as its pseudo code has it, over the values of the prefix "bc" and the data. */
static void bech32_address(struct planted_rng *r, size_t data, unsigned long constant, char *out)
{
	static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	unsigned char values[128] = { 3, 3, 0, 2, 3 };
	unsigned long chk = 1;
	size_t n = 5;

	values[n++] = constant == 1 ? 0 : 1;
	for (size_t i = 0; i < data; i++)
		values[n++] = (unsigned char)planted_below(r, 32);
	size_t end = n;
	n += 6;
	for (size_t i = 0; i < n; i++) {
		unsigned long b = chk >> 25;
		chk = ((chk & 0x1ffffff) << 5) ^ values[i];
		chk ^= (b & 1 ? 0x3b6a57b2ul : 0) ^ (b & 2 ? 0x26508e6dul : 0) ^ (b & 4 ? 0x1ea119faul : 0) ^
		       (b & 8 ? 0x3d4233ddul : 0) ^ (b & 16 ? 0x2a1462b3ul : 0);
	}
	chk ^= constant;
	for (size_t i = 0; i < 6; i++)
		values[end + i] = (unsigned char)(chk >> 5 * (5 - i) & 31);
	planted_put(out, "bc1");
	for (size_t i = 5; i < n; i++)
		out[i - 2] = letters[values[i]];
	out[n - 2] = '\0';
}

int make_crypto(struct planted_rng *r, char *out)
{
	static const unsigned char versions[] = { 0, 5, 0x30, 0x1e, 0x41 };

	switch (planted_below(r, 4)) {
	case 0:
		base58_address(r, PICK(r, versions), out);
		break;
	case 1:
		bech32_address(r, 32, 1, out);
		break;
	case 2:
		bech32_address(r, 52, 0x2bc830a3, out);
		break;
	default:
		planted_put(out, "0x");
		planted_letters(r, planted_below(r, 2) ? "0123456789abcdef" : "0123456789ABCDEFabcdef", 40,
				out + 2);
	}
	return 0;
}

/* --- national identifiers ------------------------------------------------------------------------------------- */

int make_fiscal_code(struct planted_rng *r, char *out)
{
	/* The value of a letter or digit in an odd place is where it stands here, digits as A to J. */
	static const char odd[] = "BAKPLCQDREVOSFTGUHMINJWZYX";
	static const char consonants[] = "BCDFGLMNPRSTVZ";
	char code[20];
	unsigned day = 1 + (unsigned)planted_below(r, 28) + (planted_below(r, 2) ? 40 : 0), sum = 0;

	planted_letters(r, consonants, 6, code);
	sprintf(code + 6, "%02zu%c%02u%c%03zu", planted_below(r, 100), "ABCDEHLMPRST"[planted_below(r, 12)],
		day, "ABCDEFGHILZ"[planted_below(r, 11)], planted_below(r, 1000));
	for (size_t i = 0; i < 15; i++) {
		char c = isdigit((unsigned char)code[i]) ? (char)(code[i] - '0' + 'A') : code[i];
		sum += (unsigned)(i % 2 == 0 ? strchr(odd, c) - odd : c - 'A');
	}
	code[15] = (char)('A' + sum % 26);
	code[16] = '\0';
	static const char *const spellings[] = { "xxxxxxxxxxxxxxxx", "xxxxxx xxxxx xxxxx",
						 "xxx xxx xxxxx xxxxx", "xxxxxx-xxxxx-xxxxx" };
	planted_spell(PICK(r, spellings), code, out);
	change_case(r, out);
	return 0;
}

int make_nif(struct planted_rng *r, char *out)
{
	static const char *const spellings[] = { "xxxxxxxxx", "xxxxxxxx-x", "xx.xxx.xxx-x", "ESxxxxxxxxx",
						 "xx.xxx.xxxx" };
	static const char *const foreign[] = { "xxxxxxxxx", "x-xxxxxxx-x", "xxxxxxxx-x", "ES-xxxxxxxxx",
					       "x.xxxxxxx.x" };
	char code[16], number[16];
	int nie = planted_below(r, 2) == 1;

	planted_digits(r, 8, code);
	planted_put(number, code);
	if (nie) {
		number[0] = (char)('0' + planted_below(r, 3));
		code[0] = "XYZ"[number[0] - '0'];
	}
	code[8] = "TRWAGMYFPDXBNJZSQVHLCKE"[atoi(number) % 23];
	code[9] = '\0';
	planted_spell(nie ? foreign[planted_below(r, 4)] : PICK(r, spellings), code, out);
	change_case(r, out);
	return 0;
}

int make_ssn(struct planted_rng *r, char *out)
{
	static const char *const spellings[] = { "xxx-xx-xxxx", "xxx xx xxxx", "xxx.xx.xxxx", "xxxxxxxxx" };
	char digits[24];
	size_t how = planted_below(r, 4);

	sprintf(digits, "%03zu%02zu%04zu", 1 + planted_below(r, 665), 1 + planted_below(r, 99),
		1 + planted_below(r, 9999));
	planted_spell(spellings[how], digits, out);
	return how == 3;
}

/* Draws digits until the sum of weight times digit is a multiple of `by`. */
static void draw_weighted(struct planted_rng *r, const int *weights, size_t n, int by, const char *first,
			  char *digits)
{
	int sum;

	do {
		planted_digits(r, n, digits);
		digits[0] = first[planted_below(r, strlen(first))];
		sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += weights[i] * (digits[i] - '0');
	} while (sum % by != 0);
}

int make_nhs(struct planted_rng *r, char *out)
{
	static const int weights[] = { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 };
	static const char *const spellings[] = { "xxx xxx xxxx", "xxx-xxx-xxxx", "xxxxxxxxxx",
						 "xxx.xxx.xxxx" };
	char digits[16];

	draw_weighted(r, weights, 10, 11, "4679", digits);
	planted_spell(PICK(r, spellings), digits, out);
	return 1;
}

int make_tfn(struct planted_rng *r, char *out)
{
	static const int weights[] = { 1, 4, 3, 7, 5, 8, 6, 9, 10 };
	static const char *const spellings[] = { "xxx xxx xxx", "xxx-xxx-xxx", "xxxxxxxxx", "xxx.xxx.xxx" };
	char digits[16];

	draw_weighted(r, weights, 9, 11, "123456789", digits);
	planted_spell(PICK(r, spellings), digits, out);
	return 1;
}

int make_abn(struct planted_rng *r, char *out)
{
	static const int weights[] = { 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 };
	static const char *const spellings[] = { "xx xxx xxx xxx", "xxxxxxxxxxx", "xx-xxx-xxx-xxx" };
	char digits[16];
	int sum;

	do {
		planted_digits(r, 11, digits);
		digits[0] = (char)('1' + planted_below(r, 9));
		sum = -10;
		for (size_t i = 0; i < 11; i++)
			sum += weights[i] * (digits[i] - '0');
	} while (sum % 89 != 0);
	planted_spell(PICK(r, spellings), digits, out);
	return 0;
}

int make_npi(struct planted_rng *r, char *out)
{
	static const char *const spellings[] = { "xxxxxxxxxx", "xxx xxx xxxx", "xxxxx xxxxx",
						 "xxx-xxx-xxxx" };
	char digits[16];

	planted_digits(r, 9, digits);
	digits[0] = (char)('1' + planted_below(r, 2));
	/* 24 is what the prefix 80840 adds. */
	digits[9] = luhn_digit(digits, 24);
	digits[10] = '\0';
	planted_spell(PICK(r, spellings), digits, out);
	return 1;
}

/* The dihedral group of ten elements, computed: 0-4 are turns, 5-9 reflections. */
static int d5(int a, int b)
{
	if (a < 5)
		return b < 5 ? (a + b) % 5 : 5 + (a + b - 5) % 5;
	return b < 5 ? 5 + (a - b + 5) % 5 : (a - b + 5) % 5;
}

int make_aadhaar(struct planted_rng *r, char *out)
{
	static const char *const spellings[] = { "xxxx xxxx xxxx", "xxxx-xxxx-xxxx", "xxxxxxxxxxxx" };
	static const int permutation[] = { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 };
	char digits[16];
	size_t how = planted_below(r, 3);
	int sum = 0;

	planted_digits(r, 11, digits);
	digits[0] = (char)('2' + planted_below(r, 8));
	for (int i = 10; i >= 0; i--) {
		int d = digits[i] - '0';
		for (int k = 0; k < 11 - i; k++)
			d = permutation[d];
		sum = d5(sum, d);
	}
	for (int check = 0; check < 10; check++)
		if (d5(sum, check) == 0)
			digits[11] = (char)('0' + check);
	digits[12] = '\0';
	planted_spell(spellings[how], digits, out);
	return how == 2;
}

int make_pesel(struct planted_rng *r, char *out)
{
	static const int weights[] = { 9, 7, 3, 1, 9, 7, 3, 1, 9, 7 };
	size_t year = 1940 + planted_below(r, 84), month = 1 + planted_below(r, 12) + (year >= 2000 ? 20 : 0);
	int sum = 0;

	sprintf(out, "%02zu%02zu%02zu%04zu", year % 100, month, 1 + planted_below(r, 28),
		planted_below(r, 10000));
	for (size_t i = 0; i < 10; i++)
		sum += weights[i] * (out[i] - '0');
	out[10] = (char)('0' + sum % 10);
	out[11] = '\0';
	return 0;
}
