#include "datasets/redact_find.h"

#include <string.h>

/* --- payment cards ------------------------------------------------------------------------------------------ */

/* Four digits first and three or more in all groups but the last, as on a card. */
static int is_card_spelling(const struct groups *g, size_t n)
{
	if (n > 1 && group_size(g, 0) != 4)
		return 0;
	for (size_t i = 1; i + 1 < n; i++)
		if (group_size(g, i) < 3)
			return 0;
	return 1;
}

/*
 * The networks' first digits and lengths, as they publish them: "from to least most", the first four digits. Without
 * them one number in ten passes Luhn.
 */
static const struct network {
	unsigned from, to, least, most;
} networks[] = {
	{ 2200, 2204, 16, 19 },                                                 /* Mir */
	{ 2221, 2720, 16, 16 },                                                 /* Mastercard */
	{ 3000, 3059, 14, 19 },                                                 /* Diners Club */
	{ 3095, 3095, 14, 19 }, { 3400, 3499, 15, 15 },                         /* American Express */
	{ 3528, 3589, 16, 19 },                                                 /* JCB */
	{ 3600, 3699, 14, 19 },                                                 /* Diners Club */
	{ 3700, 3799, 15, 15 },                                                 /* American Express */
	{ 3800, 3999, 14, 19 },                                                 /* Diners Club */
	{ 4000, 4999, 13, 13 },                                                 /* Visa */
	{ 4000, 4999, 16, 16 }, { 4000, 4999, 19, 19 }, { 5000, 5099, 13, 19 }, /* Maestro */
	{ 5100, 5599, 16, 16 },                                                 /* Mastercard */
	{ 5600, 5899, 13, 19 },                                                 /* Maestro */
	{ 6000, 6999, 13, 19 }, /* Maestro, Discover, UnionPay, RuPay */
	{ 8100, 8171, 16, 19 }, /* UnionPay */
};

static int is_network(const char *digits, size_t n)
{
	unsigned first = 0;

	for (size_t i = 0; i < 4; i++)
		first = first * 10 + (unsigned)(digits[i] - '0');
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (first >= networks[i].from && first <= networks[i].to && n >= networks[i].least &&
		    n <= networks[i].most)
			return 1;
	return 0;
}

/*
 * 1 if the number goes on behind the first n groups: with a dash or dot, or with four more digits. A year may follow,
 * and the three digits of the card's back.
 */
static int goes_on_after(const struct place *p, const struct groups *g, size_t n)
{
	size_t end = g->end[n - 1], gap = n > 1 ? separator(p, end, " -.") : 0;
	unsigned value;
	size_t digits = gap ? number_at(p, end + gap, &value) : 0;

	return digits > 0 &&
	       (p->s[end] == '-' || p->s[end] == '.' || (digits == 4 && !is_year(digits, value)));
}

/* EAN and the like: one in ten passes Luhn. */
static const char goods_words[] =
	"|article|ean|barcode|gtin|isbn|serial|sku|tracking|parcel|shipment|imei|part|item|model|";

size_t find_card(const struct place *p, struct strbuf *key)
{
	struct groups g;
	char before = p->at > 1 ? p->s[p->at - 2] : ' ';

	if (p->s[p->at] < '2' || p->s[p->at] > '8' || word_before(p) ||
	    (p->at > 0 && strchr(".,", p->s[p->at - 1]) && is_digit(before)))
		return 0;
	if (said_before(p, 3, goods_words))
		return 0;
	read_groups(p, p->at, " -.", 2, &g);
	for (size_t n = g.n; n > 0; n--) {
		size_t digits = g.upto[n - 1];
		if (digits < 13 || digits > 19 || !is_card_spelling(&g, n) || !is_network(g.digits, digits) ||
		    !luhn_check(g.digits, digits))
			continue;
		if (goes_on_after(p, &g, n) || is_further_group(p))
			continue;
		strbuf_add(key, g.digits, digits);
		return g.end[n - 1] - p->at;
	}
	return 0;
}

/* --- IBAN --------------------------------------------------------------------------------------------------- */

/* Countries and the lengths of their numbers. */
static const char iban_lengths[] =
	"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18"
	"FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21"
	"LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24"
	"SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

static size_t iban_length(const char *country)
{
	for (const char *s = iban_lengths; *s; s += 4)
		if (lower(s[0]) == lower(country[0]) && lower(s[1]) == lower(country[1]))
			return (size_t)(s[2] - '0') * 10 + (size_t)(s[3] - '0');
	return 0;
}

/* ISO 7064, mod 97-10: the first four go to the end, letters are 10 to 35. */
static int iban_check(const char *s, size_t n)
{
	unsigned rest = 0;

	for (size_t i = 0; i < n; i++) {
		char c = lower(s[(i + 4) % n]);
		rest = is_digit(c) ? rest * 10 + (unsigned)(c - '0') : rest * 100 + (unsigned)(c - 'a') + 10;
		rest %= 97;
	}
	return rest == 1;
}

size_t find_iban(const struct place *p, struct strbuf *key)
{
	const char *s = p->s + p->at;
	char plain[40];
	size_t n = 0, digits = 0, at = p->at, want;

	if (p->n - p->at < 15 || !is_alpha(s[0]) || !is_alpha(s[1]) || word_before(p) ||
	    (want = iban_length(s)) == 0)
		return 0;
	while (n < want) {
		size_t gap = n ? separator(p, at, " -") : 0;
		at += gap;
		if (at >= p->n || !(is_alpha(p->s[at]) || is_digit(p->s[at])))
			return 0;
		digits += is_digit(p->s[at]);
		plain[n++] = lower(p->s[at++]);
		if ((n == 3 || n == 4) && !is_digit(plain[n - 1]))
			return 0;
	}
	/* Half of it digits: no sentence passes by chance. */
	if (digits * 2 < want || word_at(p->s, p->n, at) || !iban_check(plain, n))
		return 0;
	strbuf_add(key, plain, n);
	return at - p->at;
}

/* --- US social security numbers ----------------------------------------------------------------------------- */

size_t find_ssn(const struct place *p, struct strbuf *key)
{
	struct groups g;

	if (!is_digit(p->s[p->at]) || word_before(p) || goes_on(p))
		return 0;
	read_groups(p, p->at, " -.", 1, &g);
	if (g.n == 1 && g.upto[0] == 9 && said_before(p, 3, "|ssn|social|security|")) {
		strbuf_add(key, g.digits, 9);
		return 9;
	}
	if (g.n < 3 || group_size(&g, 0) != 3 || group_size(&g, 1) != 2 || group_size(&g, 2) != 4)
		return 0;
	/* Longer numbers in this spelling are phones. */
	if (g.n > 3 && g.start[3] == g.end[2] + 1 && p->s[g.end[2]] == '-')
		return 0;
	if (memcmp(g.digits, "000", 3) == 0 || memcmp(g.digits, "666", 3) == 0 || g.digits[0] == '9' ||
	    memcmp(g.digits + 3, "00", 2) == 0 || memcmp(g.digits + 5, "0000", 4) == 0)
		return 0;
	strbuf_add(key, g.digits, 9);
	return g.end[2] - p->at;
}

/* --- phones ------------------------------------------------------------------------------------------------- */

static const char phone_words[] =
	"|phone|phones|tel|telephone|telefon|telefoon|telefono|mobile|mobiel|handy|portable|"
	"cell|cellphone|gsm|call|calling|dial|reach|fax|whatsapp|sms|text|";
static const char id_words[] =
	"|order|orders|invoice|ticket|case|ref|reference|tracking|serial|sku|article|part|"
	"model|item|parcel|shipment|booking|confirmation|policy|contract|account|id|ids|"
	"version|firmware|";

/* The nearest word counts. */
int number_meaning(const struct place *p, int id_back)
{
	for (int back = 1; back <= 4; back++) {
		if (said_before(p, back, phone_words))
			return 1;
		if (back <= id_back && said_before(p, back, id_words))
			return -1;
	}
	return said_before(p, 4, "|number|nummer|numero|") &&
	       said_before(p, 4, "|my|your|his|her|their|our|contact|");
}

/* Spellings by group sizes that phone numbers have and little else. */
static int is_phone_spelling(const struct groups *g, size_t n)
{
	static const char spellings[] = "|334|1334|3222|13322|3322|";
	char s[MAX_GROUPS + 3] = "|";

	if (n < 3)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (group_size(g, i) > 9)
			return 0;
		s[i + 1] = (char)('0' + group_size(g, i));
	}
	s[n + 1] = '|';
	s[n + 2] = '\0';
	if (!strstr(spellings, s))
		return 0;
	/* Area codes begin with 2 or more; behind the 1 of North America, or the 8 of Russia. */
	return group_size(g, 0) == 1 ? strchr("178", g->digits[0]) && g->digits[1] >= '2'
				     : g->digits[0] >= '2';
}

/* Whether the first n groups are a national number. `open`: the first is in brackets. */
static int is_national(const struct groups *g, size_t n, int said, int open)
{
	size_t digits = g->upto[n - 1];

	if (n > 1 && group_size(g, n - 1) < 2)
		return 0;
	if (said > 0 && digits >= 7 && digits <= 15)
		return 1;
	if (open)
		return n > 1 && digits >= 8 && digits <= 12;
	if (g->digits[0] == '0' && g->digits[1] != '0')
		return digits >= (n > 1 ? 9u : 10u) && digits <= (n == 2 ? 12u : 11u);
	return is_phone_spelling(g, n);
}

static size_t find_national(const struct place *p, struct groups *g)
{
	int open = p->s[p->at] == '(';
	size_t from = p->at + (size_t)open;

	if (goes_on(p) || from >= p->n || !is_digit(p->s[from]) || date_at(p, from))
		return 0;
	read_groups(p, from, " -./()", 3, g);
	if (g->n == 0 || g->upto[g->n - 1] < 7)
		return 0;
	if (open && (g->n == 1 || group_size(g, 0) > 5 || p->s[g->end[0]] != ')'))
		return 0; /* all of it is in brackets: it begins behind this one */
	int said = number_meaning(p, g->n > 1 ? 2 : 3);
	if (said == 0 && p->asked & ASKED_PHONE && is_answer(p))
		said = 1;
	if (said < 0 || (said == 0 && is_further_group(p)))
		return 0;
	/* What is whole takes no more: "0612345678 10 times". */
	size_t n = group_size(g, 0) >= 9 ? 1 : g->n;
	while (n > 0 && !is_national(g, n, said, open))
		n--;
	return n;
}

/* +31 6 12345678, +44 (0)20 7946 0958, 0031612345678. */
static size_t find_international(const struct place *p, struct groups *g)
{
	size_t from = p->at, least = 8, most = 15, n;

	if (p->s[from] == '+') {
		from++;
		if (from < p->n && p->s[from] == '(')
			from++;
		if (from >= p->n || p->s[from] < '1' || p->s[from] > '9')
			return 0;
	} else if (p->n - from > 2 && memcmp(p->s + from, "00", 2) == 0 && !goes_on(p) &&
		   !is_further_group(p) && p->s[from + 2] != '0') {
		least = 11;
		most = 17;
	} else {
		return 0;
	}
	read_groups(p, from, " -./()", 3, g);
	n = g->n && group_size(g, 0) >= 9 ? 1 : g->n;
	while (n > 0 &&
	       (g->upto[n - 1] < least || g->upto[n - 1] > most || (n > 1 && group_size(g, n - 1) < 2)))
		n--;
	return n;
}

/* The digits, without what one spelling has and another has not: 00 before the country, (0) behind it. */
static void phone_key(const struct place *p, const struct groups *g, size_t n, struct strbuf *key)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t size = group_size(g, i), skip = 0;
		if (i == 0 && size >= 2 && memcmp(g->digits, "00", 2) == 0)
			skip = 2;
		if (i == 1 && size == 1 && g->digits[at] == '0' && p->s[g->start[i] - 1] == '(')
			skip = 1;
		strbuf_add(key, g->digits + at + skip, size - skip);
		at += size;
	}
}

size_t find_phone(const struct place *p, struct strbuf *key)
{
	struct groups g;
	size_t n;

	if (!(is_digit(p->s[p->at]) || p->s[p->at] == '+' || p->s[p->at] == '(') || word_before(p))
		return 0;
	n = find_international(p, &g);
	if (n == 0)
		n = find_national(p, &g);
	if (n == 0)
		return 0;
	phone_key(p, &g, n, key);
	return g.end[n - 1] - p->at;
}
