#include "datasets/redact_find.h"

#include <string.h>

#include "base/utf8.h"

/* Spaces and dashes that are not ASCII: the no-break, thin and figure ones, hyphens, the en dash. */
static const char *const wide[] = { "\xc2\xa0",     "\xe2\x80\x89", "\xe2\x80\xaf", "\xe2\x80\x90",
				    "\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93" };

size_t separator(const struct place *p, size_t at, const char *set)
{
	if (at >= p->n)
		return 0;
	if (!(p->s[at] & 0x80))
		return p->s[at] && strchr(set, p->s[at]);
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (p->n - at >= strlen(wide[i]) && memcmp(p->s + at, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

/* The digit behind at most `max` separators, or `at` itself. A '.' stands alone between two digits. */
static size_t skip_separators(const struct place *p, size_t at, const char *set, int max)
{
	size_t to = at, w;

	while (max-- > 0 && (w = separator(p, to, set)) > 0) {
		to += w;
		if (p->s[to - 1] == '.')
			break;
	}
	return to < p->n && is_digit(p->s[to]) ? to : at;
}

size_t number_at(const struct place *p, size_t at, unsigned *value)
{
	size_t n = 0;

	*value = 0;
	for (; at + n < p->n && is_digit(p->s[at + n]); n++)
		if (n < 8)
			*value = *value * 10 + (unsigned)(p->s[at + n] - '0');
	return n;
}

static int is_day(unsigned a, unsigned b)
{
	return a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12);
}

int is_year(size_t digits, unsigned value)
{
	return digits == 4 && value >= 1900 && value < 2100;
}

int date_at(const struct place *p, size_t at)
{
	unsigned v[3];
	size_t n[3];
	char sep = 0;

	for (int i = 0; i < 3; i++) {
		n[i] = number_at(p, at, &v[i]);
		at += n[i];
		if (i == 0 && n[0] == 8)
			return is_year(4, v[0] / 10000) && is_day(v[0] / 100 % 100, v[0] % 100);
		if (n[i] == 0 || (i < 2 && (at >= p->n || !strchr("-/.", p->s[at]))))
			return 0;
		if (i < 2 && sep && p->s[at] != sep)
			return 0;
		if (i < 2)
			sep = p->s[at++];
	}
	/* Five pairs are a French phone number. */
	if (at + 1 < p->n && p->s[at] == sep && is_digit(p->s[at + 1]))
		return 0;
	if (is_year(n[0], v[0]))
		return is_day(v[1], v[2]);
	return n[0] <= 2 && n[1] <= 2 && is_day(v[0], v[1]) && (is_year(n[2], v[2]) || n[2] == 2);
}

/* 1 if a date begins there that is none of a row of pairs: "06.95.04.01.31". */
static int other_date_at(const struct place *p, size_t at)
{
	unsigned value;
	size_t end = at + number_at(p, at, &value);

	return date_at(p, at) && !(end < p->n && p->s[end] == p->s[at - 1]);
}

void read_groups(const struct place *p, size_t at, const char *set, int max, struct groups *g)
{
	size_t total = 0, next;

	g->n = 0;
	while (g->n < MAX_GROUPS) {
		size_t start = at;
		if (g->n && other_date_at(p, at))
			return;
		for (; at < p->n && is_digit(p->s[at]); at++) {
			if (total == MAX_DIGITS)
				return;
			g->digits[total++] = p->s[at];
		}
		/* "4111 1111 1111 1111 08:30", and what runs into a word */
		if (word_at(p->s, p->n, at) ||
		    (g->n && at + 1 < p->n && p->s[at] == ':' && is_digit(p->s[at + 1])))
			return;
		g->start[g->n] = start;
		g->end[g->n] = at;
		g->upto[g->n++] = total;
		next = skip_separators(p, at, set, max);
		if (next == at)
			return;
		at = next;
	}
}

int goes_on(const struct place *p)
{
	char last = p->at > 0 ? p->s[p->at - 1] : ' ';
	char before = p->at > 1 ? p->s[p->at - 2] : ' ';

	if (last == '#' || last == '_' || last == '$')
		return 1;
	if (p->at >= 2 && memcmp(p->s + p->at - 2, "\xc2\xa3", 2) == 0)
		return 1;
	if (p->at >= 3 && memcmp(p->s + p->at - 3, "\xe2\x82\xac", 3) == 0)
		return 1;
	return (last == '-' && (is_alpha(before) || is_digit(before))) ||
	       (strchr("/.,:+", last) && is_digit(before));
}

int is_further_group(const struct place *p)
{
	size_t digits = 0, letters = 0, at = p->at;

	if (at < p->from + 2)
		return 0;
	at = utf8_floor(p->s, p->n, at - 1);
	if (separator(p, at, " -.") == 0)
		return 0;
	for (; at > p->from && (is_digit(p->s[at - 1]) || is_alpha(p->s[at - 1])); at--) {
		digits += is_digit(p->s[at - 1]);
		letters += is_alpha(p->s[at - 1]);
	}
	return (digits >= 3 && digits <= 6) || (digits > 0 && letters > 0);
}

int luhn_check(const char *digits, size_t n)
{
	int sum = 0;

	for (size_t i = 0; i < n; i++) {
		int d = digits[n - 1 - i] - '0';
		if (i % 2)
			d = d < 5 ? 2 * d : 2 * d - 9;
		sum += d;
	}
	return sum % 10 == 0;
}
