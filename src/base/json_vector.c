/* json_vector.c: the array of numbers under "vector", read without an object for each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_internal.h"

/* Bytes that UTF-8 does not have: no string of a request begins with them. */
static const char mark[4] = { (char)0xff, 'f', '3', '2' };

#define LEAST 16 /* numbers; fewer are left to the parser */

int json_is_packed(const json_t *j)
{
	return json_is_string(j) && json_string_length(j) >= sizeof(mark) &&
	       memcmp(json_string_value(j), mark, sizeof(mark)) == 0;
}

const void *json_packed(const json_t *j, size_t *n)
{
	*n = (json_string_length(j) - sizeof(mark)) / sizeof(float);
	return json_string_value(j) + sizeof(mark);
}

int json_unpack_all(json_t *object)
{
	json_t *packed = json_object_get(object, "vector");
	size_t n;

	if (!json_is_packed(packed))
		return 0;
	const char *floats = json_packed(packed, &n);
	json_t *array = json_array();
	for (size_t i = 0; array && i < n; i++) {
		float f;
		memcpy(&f, floats + i * sizeof(f), sizeof(f));
		if (json_array_append_new(array, json_real((double)f)) < 0) {
			json_decref(array);
			return -1;
		}
	}
	return array ? json_object_set_new(object, "vector", array) : -1;
}

struct scan {
	const char *p, *end;
};

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

/* Past a string that begins here; the parser finds what is wrong with it. */
static void skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++)
		if (*s->p == '\\' && s->p + 1 < s->end)
			s->p++;
	s->p += s->p < s->end;
}

/* The array behind the key "vector" of the outermost object; 0: there is none. */
static int find_array(struct scan *s)
{
	int depth = 0;

	skip_space(s);
	if (s->p == s->end || *s->p != '{')
		return 0;
	while (s->p < s->end) {
		if (*s->p == '"') {
			const char *from = s->p;
			skip_string(s);
			if (depth != 1 || s->p - from != 8 || memcmp(from, "\"vector\"", 8) != 0)
				continue;
			skip_space(s);
			if (s->p == s->end || *s->p != ':')
				continue;
			s->p++;
			skip_space(s);
			return s->p < s->end && *s->p == '[';
		}
		depth += (*s->p == '{' || *s->p == '[') - (*s->p == '}' || *s->p == ']');
		s->p++;
	}
	return 0;
}

static int digits(struct scan *s, uint64_t *value, int *n)
{
	const char *from = s->p;

	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		if (*n < 19) {
			*value = *value * 10 + (uint64_t)(*s->p - '0');
			*n += *value != 0;
		} else {
			return -1; /* more than fits: the parser's */
		}
	return s->p > from ? 0 : -1;
}

/* A number that was checked already. -1 if it is longer than any that is written. */
static int read_slowly(const char *from, const char *end, double *out)
{
	char copy[64];
	size_t n = (size_t)(end - from);

	if (n >= sizeof(copy))
		return -1;
	memcpy(copy, from, n);
	copy[n] = '\0';
	*out = strtod(copy, NULL);
	return 0;
}

/* A number as RFC 8259 has it; -1 for what is none, or has more digits than fit. */
static int read_number(struct scan *s, double *out)
{
	const char *begin = s->p;
	static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
				       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	int negative = s->p < s->end && *s->p == '-', n = 0, minus = 0, given_n = 0;
	uint64_t value = 0, given = 0;
	long scale = 0;

	s->p += negative;
	if (s->p + 1 < s->end && *s->p == '0' && s->p[1] >= '0' && s->p[1] <= '9')
		return -1; /* a leading zero */
	if (digits(s, &value, &n) < 0)
		return -1;
	if (s->p < s->end && *s->p == '.') {
		const char *from = ++s->p;
		if (digits(s, &value, &n) < 0)
			return -1;
		scale = from - s->p;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '-' || *s->p == '+'))
			minus = *s->p++ == '-';
		if (digits(s, &given, &given_n) < 0 || given > 400)
			return -1;
		scale += minus ? -(long)given : (long)given;
	}
	/* Both exact as doubles, so that their quotient or product is the nearest one (Clinger 1990). */
	if (value > 1ull << 53 || scale < -22 || scale > 22)
		return read_slowly(begin, s->p, out);
	double d = scale < 0 ? (double)value / tens[-scale] : (double)value * tens[scale];
	*out = negative ? -d : d;
	return 0;
}

/* Numbers from '[' to ']' into `to`, which has room for `max`. Their count; -1 for anything else. */
static long read_array(struct scan *s, float *to, size_t max)
{
	size_t n = 0;

	for (s->p++;; s->p++) {
		double d;
		skip_space(s);
		if (n == max || read_number(s, &d) < 0)
			return -1;
		to[n] = (float)d;
		if (!isfinite(to[n++]))
			return -1;
		skip_space(s);
		if (s->p == s->end || (*s->p != ',' && *s->p != ']'))
			return -1;
		if (*s->p == ']')
			break;
	}
	s->p++;
	return (long)n;
}

char *json_unpack_vector(const char *s, size_t n, json_t **vector)
{
	struct scan x = { s, s + n };

	if (!find_array(&x))
		return NULL;
	size_t at = (size_t)(x.p - s), max = (n - at) / 2 + 1;
	char *packed = malloc(sizeof(mark) + max * sizeof(float)), *rest = NULL;
	float *floats = malloc(max * sizeof(*floats));
	long count = packed && floats ? read_array(&x, floats, max) : -1;
	if (count >= LEAST && (rest = malloc(n))) {
		memcpy(packed, mark, sizeof(mark));
		memcpy(packed + sizeof(mark), floats, (size_t)count * sizeof(*floats));
		*vector = json_stringn_nocheck(packed, sizeof(mark) + (size_t)count * sizeof(*floats));
		/* Another value in its place, so that the text stays as long and errors keep their places. */
		memcpy(rest, s, n);
		memset(rest + at, ' ', (size_t)(x.p - s) - at);
		rest[at] = '0';
	}
	free(packed);
	free(floats);
	if (rest && !*vector) {
		free(rest);
		rest = NULL;
	}
	return rest;
}
