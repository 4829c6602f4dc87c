#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void time_format(int64_t ms, char out[TIME_TEXT])
{
	int64_t frac = ((ms % 1000) + 1000) % 1000;
	time_t sec = (time_t)((ms - frac) / 1000);
	struct tm tm;

	gmtime_r(&sec, &tm);
	size_t n = strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	if (frac)
		n += (size_t)snprintf(out + n, TIME_TEXT - n, ".%03d", (int)frac);
	snprintf(out + n, TIME_TEXT - n, "Z");
}

/* Exactly `digits` digits at *s, which moves on; -1 if they are not there. */
static int number(const char **s, const char *end, int digits)
{
	int v = 0;

	if (end - *s < digits)
		return -1;
	for (int i = 0; i < digits; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static int literal(const char **s, const char *end, const char *any)
{
	if (*s == end || !strchr(any, **s) || !**s)
		return -1;
	(*s)++;
	return 0;
}

static int parse_date(const char **s, const char *end, struct tm *tm)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = number(s, end, 4);

	if (year < 0 || literal(s, end, "-"))
		return -1;
	int month = number(s, end, 2);
	if (month < 1 || month > 12 || literal(s, end, "-"))
		return -1;
	int day = number(s, end, 2);
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day < 1 || day > days[month - 1] || (month == 2 && day == 29 && !leap))
		return -1;
	*tm = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	return 0;
}

static int parse_fraction(const char **s, const char *end, int *ms)
{
	int scale = 100;
	const char *start;

	*ms = 0;
	if (*s == end || **s != '.')
		return 0;
	start = ++*s;
	for (; *s < end && **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
		*ms += (**s - '0') * scale;
	return *s == start ? -1 : 0;
}

/* Minutes east of UTC. */
static int parse_offset(const char **s, const char *end, int *minutes)
{
	*minutes = 0;
	if (*s < end && (**s == 'Z' || **s == 'z')) {
		(*s)++;
		return 0;
	}
	int sign = *s < end && **s == '-' ? -1 : 1;
	if (literal(s, end, "+-"))
		return -1;
	int h = number(s, end, 2);
	if (h < 0 || h > 23 || literal(s, end, ":"))
		return -1;
	int m = number(s, end, 2);
	if (m < 0 || m > 59)
		return -1;
	*minutes = sign * (h * 60 + m);
	return 0;
}

int time_parse(const char *s, size_t n, int64_t *ms)
{
	const char *end = s + n;
	struct tm tm;
	int frac = 0, offset = 0;

	if (parse_date(&s, end, &tm))
		return -1;
	if (s < end) {
		if (literal(&s, end, "Tt "))
			return -1;
		tm.tm_hour = number(&s, end, 2);
		if (tm.tm_hour < 0 || tm.tm_hour > 23 || literal(&s, end, ":"))
			return -1;
		tm.tm_min = number(&s, end, 2);
		if (tm.tm_min < 0 || tm.tm_min > 59 || literal(&s, end, ":"))
			return -1;
		tm.tm_sec = number(&s, end, 2);
		if (tm.tm_sec < 0 || tm.tm_sec > 60)
			return -1;
		if (parse_fraction(&s, end, &frac) || parse_offset(&s, end, &offset) || s != end)
			return -1;
	}
	*ms = (int64_t)timegm(&tm) * 1000 + frac - (int64_t)offset * 60000;
	return 0;
}
