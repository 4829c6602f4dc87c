#include "datasets/redact_find.h"

#include <string.h>

/*
 * National identifiers with a check digit. Where the check is weak (one number
 * in ten or eleven passes) a word must say what it is, or the digits must be
 * grouped as on the card: else order and tracking numbers would go.
 */

/* How far before the number its word may be: "my NHS number for that is". */
#define SAID_BACK 5

/* --- digits ------------------------------------------------------------------------------------------------- */

struct id {
	size_t digits;
	const char *spelling; /* "334": in groups of these sizes it may stand without a word */
	const char *gaps;     /* between those groups */
	int bare;             /* in one group it may stand without a word */
	const char *words;    /* that say what it is */
	int (*check)(const char *digits);
};

static int is_spelled(const struct place *p, const struct id *id, const struct groups *g, size_t n)
{
	if (strlen(id->spelling) != n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (group_size(g, i) != (size_t)(id->spelling[i] - '0') ||
		    (i && separator(p, g->end[i - 1], id->gaps) != g->start[i] - g->end[i - 1]))
			return 0;
	return 1;
}

/* All that is said of such numbers: one that is another's cannot be this. */
static const char all_words[] = "|nhs|tfn|tax|abn|npi|provider|aadhaar|aadhar|pesel|ssn|dni|nif|nie|";

/* Whether it may stand without a word: spelled as on the card, no part of a longer number, and not said to be another. */
static int stands_alone(const struct place *p, const struct id *id, const struct groups *g, size_t n)
{
	if (n < g->n || !(n == 1 ? id->bare : is_spelled(p, id, g, n)))
		return 0;
	return !goes_on(p) && !is_further_group(p) && number_meaning(p, 3) == 0 &&
	       !said_before(p, SAID_BACK, all_words);
}

static size_t find_id(const struct place *p, const struct id *id, struct strbuf *key)
{
	struct groups g;
	size_t n = 0;

	if (!is_digit(p->s[p->at]) || word_before(p))
		return 0;
	read_groups(p, p->at, " -./", 2, &g);
	while (n < g.n && g.upto[n] < id->digits)
		n++;
	if (n == g.n || g.upto[n] != id->digits || !id->check(g.digits))
		return 0;
	n++;
	if (!said_before(p, SAID_BACK, id->words) && !stands_alone(p, id, &g, n))
		return 0;
	strbuf_add(key, g.digits, id->digits);
	return g.end[n - 1] - p->at;
}

static unsigned weighted(const char *digits, const unsigned char *weights, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (unsigned)(digits[i] - '0') * weights[i];
	return sum;
}

/* UK, NHS Data Dictionary, "NHS NUMBER": weights 10 to 2, modulus 11; a check of 10 is not given out. */
static int check_nhs(const char *d)
{
	static const unsigned char weights[] = { 10, 9, 8, 7, 6, 5, 4, 3, 2 };
	unsigned check = 11 - weighted(d, weights, 9) % 11;

	return check % 11 == (unsigned)(d[9] - '0') && check != 10;
}

/* Australia, Tax File Number: the weighted sum of its nine digits is a multiple of 11. */
static int check_tfn(const char *d)
{
	static const unsigned char weights[] = { 1, 4, 3, 7, 5, 8, 6, 9, 10 };

	return weighted(d, weights, 9) % 11 == 0;
}

/* Australian Business Register, "Format of the ABN": one from the first digit, modulus 89. */
static int check_abn(const char *d)
{
	static const unsigned char weights[] = { 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 };

	return d[0] != '0' && (weighted(d, weights, 11) - 10) % 89 == 0;
}

/* USA, National Provider Identifier (45 CFR 162.406): Luhn with the prefix 80840. */
static int check_npi(const char *d)
{
	char all[15];

	memcpy(all, "80840", 5);
	memcpy(all + 5, d, 10);
	return (d[0] == '1' || d[0] == '2') && luhn_check(all, 15);
}

/* India, UIDAI: Verhoeff's check digit (1969), the multiplication of the dihedral group D5. */
static int check_aadhaar(const char *d)
{
	static const unsigned char times[10][10] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 3, 4, 0, 6, 7, 8, 9, 5 },
		{ 2, 3, 4, 0, 1, 7, 8, 9, 5, 6 }, { 3, 4, 0, 1, 2, 8, 9, 5, 6, 7 },
		{ 4, 0, 1, 2, 3, 9, 5, 6, 7, 8 }, { 5, 9, 8, 7, 6, 0, 4, 3, 2, 1 },
		{ 6, 5, 9, 8, 7, 1, 0, 4, 3, 2 }, { 7, 6, 5, 9, 8, 2, 1, 0, 4, 3 },
		{ 8, 7, 6, 5, 9, 3, 2, 1, 0, 4 }, { 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 },
	};
	static const unsigned char turn[10] = { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 };
	unsigned check = 0;

	for (unsigned i = 0; i < 12; i++) {
		unsigned digit = (unsigned)(d[11 - i] - '0');
		for (unsigned k = 0; k < i % 8; k++)
			digit = turn[digit];
		check = times[check][digit];
	}
	return d[0] >= '2' && check == 0;
}

/* Poland, PESEL: date of birth, 20 added to the month of those born from 2000 on; modulus 10. */
static int check_pesel(const char *d)
{
	static const unsigned char weights[] = { 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1 };
	unsigned month = (unsigned)(d[2] - '0') * 10 + (unsigned)(d[3] - '0');
	unsigned day = (unsigned)(d[4] - '0') * 10 + (unsigned)(d[5] - '0');

	if (month > 20)
		month -= 20;
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && weighted(d, weights, 11) % 10 == 0;
}

size_t find_nhs(const struct place *p, struct strbuf *key)
{
	static const struct id id = { 10, "", "", 0, "|nhs|", check_nhs };

	return find_id(p, &id, key);
}

size_t find_tfn(const struct place *p, struct strbuf *key)
{
	static const struct id id = { 9, "", "", 0, "|tfn|tax|", check_tfn };

	return find_id(p, &id, key);
}

size_t find_abn(const struct place *p, struct strbuf *key)
{
	static const struct id id = { 11, "2333", " -", 1, "|abn|", check_abn };

	return find_id(p, &id, key);
}

size_t find_npi(const struct place *p, struct strbuf *key)
{
	static const struct id id = { 10, "", "", 0, "|npi|provider|prescriber|", check_npi };

	return find_id(p, &id, key);
}

size_t find_aadhaar(const struct place *p, struct strbuf *key)
{
	static const struct id id = { 12, "444", " -", 0, "|aadhaar|aadhar|adhar|uid|uidai|", check_aadhaar };

	return find_id(p, &id, key);
}

size_t find_pesel(const struct place *p, struct strbuf *key)
{
	static const struct id id = { 11, "", "", 1, "|pesel|peselu|", check_pesel };

	return find_id(p, &id, key);
}

/* --- letters and digits -------------------------------------------------------------------------------------- */

/*
 * Spain, Real Decreto 1553/2005 and Orden INT/2058/2008: a letter by the
 * number modulo 23; a foreigner's X, Y or Z counts as 0, 1 or 2. "12345678Z",
 * "12.345.678-Z", "X-1234567-L", with or without "ES" in front.
 */
size_t find_nif(const struct place *p, struct strbuf *key)
{
	static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE", first[] = "XYZ";
	const char *foreign;
	char plain[9];
	size_t at = p->at, n = 0, gaps = 0;
	unsigned value = 0;

	if (word_before(p) || p->n - at < 9 || (goes_on(p) && p->s[p->at - 1] != '#'))
		return 0;
	if (upper(p->s[at]) == 'E' && upper(p->s[at + 1]) == 'S')
		at += 2 + (p->s[at + 2] == '-'); /* "es" with a space is a verb */
	if (at < p->n && p->s[at] && (foreign = strchr(first, upper(p->s[at])))) {
		value = (unsigned)(foreign - first);
		plain[n++] = upper(p->s[at++]);
		at += separator(p, at, " -.");
	}
	for (; at < p->n && n < 8 && is_digit(p->s[at]); n++) {
		value = value * 10 + (unsigned)(p->s[at] - '0');
		plain[n] = p->s[at++];
		size_t gap = n < 7 ? separator(p, at, " .") : 0;
		gaps += gap > 0;
		at += gap;
	}
	if (n < 8 || gaps > 2)
		return 0;
	/* "12345678 a" is a number and an article. */
	at += separator(p, at, gaps || said_before(p, SAID_BACK, "|dni|nif|nie|") ? " -" : "-");
	if (at >= p->n || word_at(p->s, p->n, at + 1) || upper(p->s[at]) != letters[value % 23])
		return 0;
	plain[8] = letters[value % 23];
	strbuf_add(key, plain, 9);
	return at + 1 - p->at;
}

/* The value of a digit, or of the letter that stands for it where two persons would have one code; -1: neither. */
static int fiscal_digit(char c)
{
	static const char instead[] = "LMNPQRSTUV";
	const char *at = c ? strchr(instead, c) : NULL;

	return is_digit(c) ? c - '0' : at ? (int)(at - instead) : -1;
}

static int fiscal_shape(const char *c)
{
	int day = fiscal_digit(c[9]) * 10 + fiscal_digit(c[10]), digits = 0;

	for (size_t i = 0; i < 16; i++) {
		int digit = i == 6 || i == 7 || i == 9 || i == 10 || (i >= 12 && i < 15);
		if (digit ? fiscal_digit(c[i]) < 0 : !is_alpha(c[i]))
			return 0;
		digits += is_digit(c[i]);
	}
	/* "Have you sent out my" has the shape, and one such sentence in 26 the check. Few codes have two letters for digits. */
	return digits >= 4 && strchr("ABCDEHLMPRST", c[8]) && day >= 1 && day <= 71;
}

/* Italy, Decreto Ministeriale 23 December 1976: values of odd and even places, modulo 26. */
static int fiscal_check(const char *c)
{
	static const unsigned char odd[] = { 1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
					     20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23 };
	unsigned sum = 0;

	for (size_t i = 0; i < 15; i++) {
		unsigned value = (unsigned)(is_digit(c[i]) ? c[i] - '0' : c[i] - 'A');
		sum += i % 2 ? value : odd[value];
	}
	return (char)('A' + sum % 26) == c[15];
}

size_t find_fiscal_code(const struct place *p, struct strbuf *key)
{
	char plain[16];
	size_t at = p->at, n = 0;

	if (word_before(p) || p->n - at < 16 || !is_alpha(p->s[at]))
		return 0;
	while (n < 16) {
		if (n)
			at += separator(p, at, " -");
		if (at >= p->n || !(is_alpha(p->s[at]) || is_digit(p->s[at])))
			return 0;
		plain[n++] = upper(p->s[at++]);
		/* Words end it soon. */
		if (n <= 6 && !is_alpha(plain[n - 1]))
			return 0;
	}
	if (word_at(p->s, p->n, at) || !fiscal_shape(plain) || !fiscal_check(plain))
		return 0;
	strbuf_add(key, plain, 16);
	return at - p->at;
}
