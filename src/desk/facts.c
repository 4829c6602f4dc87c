#include "desk/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"

struct finder {
	struct arena *arena;
	const struct lexeme *x;
	long n;
	struct fact *list;
	size_t have, cap;
	int failed;
};

/* Adds a fact over lexemes [from, to). */
static void add(struct finder *f, enum fact_kind kind, const char *value, long from, long to)
{
	const char *copy = arena_strdup(f->arena, value);

	if (!copy || GROW(f->list, f->have, f->cap) < 0) {
		f->failed = 1;
		return;
	}
	f->list[f->have++] = (struct fact){ kind, copy, f->x[from].start, f->x[to - 1].end };
}

static const struct lexeme *at(const struct finder *f, long i)
{
	static const struct lexeme none = { .w = "" };

	return i >= 0 && i < f->n ? &f->x[i] : &none;
}

static size_t digits(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= '0' && s[i] <= '9')
		i++;
	return i;
}

static int has_digit(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] >= '0' && s[i] <= '9')
			return 1;
	return 0;
}

/*
 * Reads digits with . and , as one number; 0 unless all of s is one. "2,050" is two thousand, "2.050" is two, "149,00" a hundred
 * and forty-nine.
 */
static int read_number(const char *s, size_t n, double *out)
{
	size_t seps = 0, last = 0;
	char plain[48];
	size_t k = 0;

	if (n == 0 || n > 40 || s[0] < '0' || s[0] > '9')
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' || s[i] == ',') {
			if (seps && i - last - 1 != 3)
				return 0;
			last = i;
			seps++;
		} else if (s[i] < '0' || s[i] > '9') {
			return 0;
		}
	}
	size_t tail = n - last - 1;
	int decimal = seps == 1 ? !(s[last] == ',' && tail == 3 && s[0] != '0')
				: seps > 1 && memchr(s, s[last] == ',' ? '.' : ',', last) != NULL;
	if (seps > 1 && !decimal && tail != 3)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '.' && s[i] != ',')
			plain[k++] = s[i];
		else if (decimal && i == last)
			plain[k++] = '.';
	}
	plain[k] = '\0';
	*out = strtod(plain, NULL);
	return 1;
}

static const char *const ones[] = { "zero",    "one",     "two",       "three",    "four",
				    "five",    "six",     "seven",     "eight",    "nine",
				    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
				    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen" };
static const char *const tens[] = { "twenty", "thirty",  "forty",  "fifty",
				    "sixty",  "seventy", "eighty", "ninety" };

static int word_number(const struct lexeme *x, const char *const *list, int n)
{
	for (int i = 0; i < n; i++)
		if (lexeme_is(x, list[i]))
			return i;
	return -1;
}

/* A number written in words at lexeme i: how many lexemes it takes, 0 if none. */
static long read_words(const struct finder *f, long i, double *out)
{
	const struct lexeme *x = at(f, i);
	int one = word_number(x, ones, 20), ten = word_number(x, tens, 8);
	const char *dash = memchr(x->w, '-', x->n);

	if (ten < 0 && one < 0 && dash) {
		struct lexeme l = { .w = x->w, .n = (size_t)(dash - x->w) };
		struct lexeme r = { .w = dash + 1, .n = x->n - l.n - 1 };
		int units = word_number(&r, ones, 10);
		ten = word_number(&l, tens, 8);
		*out = 20 + 10 * ten + units;
		return ten >= 0 && units > 0;
	}
	if (ten >= 0) {
		int units = word_number(at(f, i + 1), ones, 10);
		*out = 20 + 10 * ten + (units > 0 ? units : 0);
		return units > 0 ? 2 : 1;
	}
	*out = one;
	if (one > 0 && lexeme_is(at(f, i + 1), "hundred|thousand")) {
		*out *= lexeme_is(at(f, i + 1), "hundred") ? 100 : 1000;
		return 2;
	}
	return one >= 0;
}

static const struct {
	const char *words, *unit;
	double factor;
} units[] = {
	{ "minute|minutes|min|mins", "min", 1 },
	{ "hour|hours|hr|hrs|h", "min", 60 },
	{ "day|days", "min", 1440 },
	{ "week|weeks", "min", 10080 },
	{ "month|months", "month", 1 },
	{ "year|years|yr|yrs", "month", 12 },
	{ "second|seconds|sec|secs", "sec", 1 },
	{ "eur|euro|euros", "eur", 1 },
	{ "usd|dollar|dollars", "usd", 1 },
	{ "gbp|pound|pounds|quid", "gbp", 1 },
	{ "chf|francs", "chf", 1 },
	{ "percent", "%", 1 },
	{ "%", "%", 1 },
	{ "workday|workdays", "workday", 1 },
};

static int unit_of(const char *w, size_t n)
{
	struct lexeme x = { .w = w, .n = n };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (n && lexeme_is(&x, units[i].words))
			return (int)i;
	return -1;
}

static int currency_of(const struct lexeme *x)
{
	if (x->n == 3 && memcmp(x->w, "\xe2\x82\xac", 3) == 0)
		return unit_of("eur", 3);
	if (x->n == 2 && memcmp(x->w, "\xc2\xa3", 2) == 0)
		return unit_of("gbp", 3);
	return lexeme_is(x, "$") ? unit_of("usd", 3) : -1;
}

static void add_number(struct finder *f, double v, int unit, long from, long to)
{
	char value[64];
	enum fact_kind kind = FACT_NUMBER;

	if (unit < 0) {
		snprintf(value, sizeof(value), "%.10g", v);
	} else {
		snprintf(value, sizeof(value), "%.10g %s", v * units[unit].factor, units[unit].unit);
		if (strchr(units[unit].unit, '%'))
			kind = FACT_PERCENT;
		else if (strlen(units[unit].unit) == 3 && strstr("eur usd gbp chf", units[unit].unit))
			kind = FACT_AMOUNT;
	}
	add(f, kind, value, from, to);
}

/* The unit that follows at lexeme i, with how many lexemes it takes in *used. */
static int unit_at(const struct finder *f, long i, long *used)
{
	const struct lexeme *x = at(f, i);
	int u = currency_of(x);

	*used = 1;
	if (u >= 0)
		return u;
	if (lexeme_is(x, "working|business|work") && lexeme_is(at(f, i + 1), "day|days")) {
		*used = 2;
		return unit_of("workday", 7);
	}
	if (lexeme_is(x, "per") && lexeme_is(at(f, i + 1), "cent")) {
		*used = 2;
		return unit_of("%", 1);
	}
	u = unit_of(x->w, x->n);
	*used = u >= 0;
	return u;
}

static const char *const months[] = { "january|jan", "february|feb", "march|mar",
				      "april|apr",   "may",          "june|jun",
				      "july|jul",    "august|aug",   "september|sep|sept",
				      "october|oct", "november|nov", "december|dec" };

static int month_of(const struct lexeme *x)
{
	return word_number(x, months, 12) + 1;
}

/* "5", "5th": a day of a month, else 0. */
static int day_of(const struct lexeme *x)
{
	size_t d = digits(x->w, x->n);
	struct lexeme rest = { .w = x->w + d, .n = x->n - d };

	if (d == 0 || d > 2 || (rest.n && !lexeme_is(&rest, "st|nd|rd|th")))
		return 0;
	int day = atoi(x->w);
	return day >= 1 && day <= 31 ? day : 0;
}

static int year_of(const struct lexeme *x)
{
	int y = x->n == 4 && digits(x->w, 4) == 4 ? atoi(x->w) : 0;

	return y >= 1900 && y < 2100 ? y : 0;
}

static void add_date(struct finder *f, int y, int m, int d, long from, long to)
{
	char value[48];

	if (y)
		snprintf(value, sizeof(value), "%04d-%02d-%02d", y, m, d);
	else
		snprintf(value, sizeof(value), "%02d-%02d", m, d);
	add(f, FACT_DATE, value, from, to);
}

/* 2026-06-05, 5/6/2026, 5.6.2026: day before month unless that cannot be. */
static long digit_date(struct finder *f, long i)
{
	const struct lexeme *x = at(f, i);
	int a, b, c;
	char s1, s2, end;

	if (x->n > 10 || x->n < 6 || sscanf(x->w, "%4d%c%2d%c%4d%c", &a, &s1, &b, &s2, &c, &end) != 5 ||
	    s1 != s2 || !strchr("-/.", s1))
		return 0;
	if (a >= 1900 && b >= 1 && b <= 12 && c >= 1 && c <= 31)
		add_date(f, a, b, c, i, i + 1);
	else if (c >= 1900 && a >= 1 && a <= 31 && b >= 1 && b <= 12)
		add_date(f, c, b, a, i, i + 1);
	else if (c >= 1900 && b >= 1 && b <= 31 && a >= 1 && a <= 12)
		add_date(f, c, a, b, i, i + 1);
	else
		return 0;
	return 1;
}

/* "5 June", "5th of June 2026", "June 5, 2026", "June"; the lexemes it takes. */
static long named_date(struct finder *f, long i)
{
	const struct lexeme *x = at(f, i);
	int m, d = day_of(x), y;
	long next;

	if (d) {
		next = i + 1 + lexeme_is(at(f, i + 1), "of");
		m = month_of(at(f, next));
		if (!m)
			return 0;
		y = year_of(at(f, next + 1));
		add_date(f, y, m, d, i, next + 1 + (y != 0));
		return next + 1 + (y != 0) - i;
	}
	m = month_of(x);
	if (!m)
		return 0;
	d = day_of(at(f, i + 1));
	if (d) {
		y = year_of(at(f, i + 2));
		add_date(f, y, m, d, i, i + 2 + (y != 0));
		return 2 + (y != 0);
	}
	if (lexeme_is(x, "may|march|mar|jan|jun|sep|dec|oct|apr"))
		return 0;
	char value[24];
	snprintf(value, sizeof(value), "month %02d", m);
	add(f, FACT_DATE, value, i, i + 1);
	return 1;
}

static const char *const relative[][2] = {
	{ "today", "today" },
	{ "tonight", "tonight" },
	{ "tomorrow|tmrw|tmr|tomorow", "tomorrow" },
	{ "yesterday", "yesterday" },
	{ "monday|mon", "monday" },
	{ "tuesday|tue|tues", "tuesday" },
	{ "wednesday|wed", "wednesday" },
	{ "thursday|thu|thur|thurs", "thursday" },
	{ "friday|fri", "friday" },
	{ "saturday", "saturday" },
	{ "sunday", "sunday" },
};

static long relative_date(struct finder *f, long i)
{
	const struct lexeme *x = at(f, i);
	char value[48];

	if (lexeme_is(x, "next|this|last") && lexeme_is(at(f, i + 1), "week|month|year|weekend")) {
		snprintf(value, sizeof(value), "%s %s", x->w, at(f, i + 1)->w);
		add(f, FACT_DATE, value, i, i + 2);
		return 2;
	}
	for (size_t r = 0; r < sizeof(relative) / sizeof(relative[0]); r++)
		if (lexeme_is(x, relative[r][0])) {
			add(f, FACT_DATE, relative[r][1], i, i + 1);
			return 1;
		}
	return 0;
}

static void add_time(struct finder *f, int h, int m, long from, long to)
{
	char value[24];

	snprintf(value, sizeof(value), "%02d:%02d", h, m);
	add(f, FACT_TIME, value, from, to);
}

/* "14:05", "2 pm", "2pm", "2:05 pm", "14 o'clock", "noon", "evening". */
static long time_of_day(struct finder *f, long i)
{
	const struct lexeme *x = at(f, i), *next = at(f, i + 1);
	int h = 0, m = 0;
	size_t d = digits(x->w, x->n);

	if (lexeme_is(x, "noon|midnight")) {
		add_time(f, lexeme_is(x, "noon") ? 12 : 24, 0, i, i + 1);
		return 1;
	}
	if (lexeme_is(x, "morning|afternoon|evening") && !lexeme_is(at(f, i - 1), "good") && i > 0) {
		add(f, FACT_TIME, x->w, i, i + 1);
		return 1;
	}
	if (d == 0 || d > 2)
		return 0;
	h = atoi(x->w);
	size_t used = d;
	if (x->n >= d + 3 && x->w[d] == ':' && digits(x->w + d + 1, 2) == 2) {
		m = atoi(x->w + d + 1);
		used = d + 3;
	}
	struct lexeme rest = { .w = x->w + used, .n = x->n - used };
	const struct lexeme *half = rest.n ? &rest : next;
	int pm = lexeme_is(half, "pm|p.m"), am = lexeme_is(half, "am|a.m");
	int oclock = !rest.n && lexeme_is(next, "o'clock|oclock|uhr");
	if ((rest.n && !pm && !am) || (used == d && !pm && !am && !oclock) || h > 24 || m > 59)
		return 0;
	h = pm && h < 12 ? h + 12 : am && h == 12 ? 0 : h;
	long took = 1 + (!rest.n && (pm || am || oclock));
	add_time(f, h, m, i, i + took);
	return took;
}

/* A number, in digits or words, with its unit. */
static long number_at(struct finder *f, long i)
{
	const struct lexeme *x = at(f, i);
	double v, w;
	long used, took = 1;
	int unit = -1, before = i > 0 ? currency_of(at(f, i - 1)) : -1;
	size_t d = 0;

	while (d < x->n && ((x->w[d] >= '0' && x->w[d] <= '9') || x->w[d] == '.' || x->w[d] == ','))
		d++;
	if (read_number(x->w, x->n, &v)) {
		unit = unit_at(f, i + 1, &used);
		took += unit >= 0 ? used : 0;
	} else if (d && d < x->n && read_number(x->w, d, &v)) {
		/* "48h", "14-day", "5-7", "3rd" */
		size_t skip = d + (x->w[d] == '-');
		struct lexeme rest = { .w = x->w + skip, .n = x->n - skip };
		unit = unit_of(rest.w, rest.n);
		if (unit < 0 && skip > d && read_number(rest.w, rest.n, &w)) {
			add_number(f, v, -1, i, i + 1);
			v = w;
			unit = unit_at(f, i + 1, &used);
			took += unit >= 0 ? used : 0;
		} else if (unit < 0 && !lexeme_is(&rest, "st|nd|rd|th|x")) {
			return 0;
		}
	} else if (lexeme_is(x, "a|an|one") && (unit = unit_at(f, i + 1, &used)) >= 0) {
		v = 1;
		took += used;
	} else if (!lexeme_is(x, "one") && (took = read_words(f, i, &v)) > 0) {
		unit = unit_at(f, i + took, &used);
		took += unit >= 0 ? used : 0;
	} else {
		return 0;
	}
	add_number(f, v, unit < 0 ? before : unit, i - (unit < 0 && before >= 0), i + took);
	return took;
}

static void add_id(struct finder *f, const struct lexeme *x, long i)
{
	char *id = arena_alloc(f->arena, x->n + 1);
	size_t k = 0;

	for (size_t j = 0; id && j < x->n; j++)
		if (x->w[j] != '-' && x->w[j] != '#' && x->w[j] != '_')
			id[k++] = (char)(x->w[j] >= 'a' && x->w[j] <= 'z' ? x->w[j] - 32 : x->w[j]);
	add(f, FACT_ID, id ? id : "", i, i + 1);
	f->failed |= !id;
}

/* The fact that begins at lexeme i, if any; how many lexemes to go on by. */
static long fact_at(struct finder *f, long i)
{
	const struct lexeme *x = at(f, i);
	const char *mail = memchr(x->w, '@', x->n);
	long took;

	if (mail && memchr(mail, '.', x->n - (size_t)(mail - x->w))) {
		add(f, FACT_EMAIL, x->w, i, i + 1);
		return 1;
	}
	if ((took = digit_date(f, i)) || (took = named_date(f, i)) || (took = relative_date(f, i)) ||
	    (took = time_of_day(f, i)) || (took = number_at(f, i)))
		return took;
	if (has_digit(x->w, x->n))
		add_id(f, x, i);
	return 1;
}

long facts_find(struct arena *a, const char *s, size_t n, const struct fact **out)
{
	struct finder f = { .arena = a };
	struct fact *copy = NULL;

	f.n = lexemes(a, s, n, &f.x);
	if (f.n < 0)
		return -1;
	for (long i = 0; i < f.n; i += fact_at(&f, i))
		;
	if (!f.failed && (copy = arena_alloc(a, (f.have + 1) * sizeof(*copy))) && f.have)
		memcpy(copy, f.list, f.have * sizeof(*copy));
	free(f.list);
	if (!copy)
		return -1;
	*out = copy;
	return (long)f.have;
}

int fact_same(const struct fact *a, const struct fact *b)
{
	size_t na = strlen(a->value), nb = strlen(b->value);

	if (strcmp(a->value, b->value) == 0)
		return 1;
	if (a->kind != FACT_DATE || b->kind != FACT_DATE)
		return 0;
	if (na == 10 && nb == 5)
		return strcmp(a->value + 5, b->value) == 0;
	return na == 5 && nb == 10 && strcmp(a->value, b->value + 5) == 0;
}
