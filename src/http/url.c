#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/exchange.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *url_decode(struct arena *a, const char *s, size_t n, int plus, size_t *len)
{
	char *out = arena_alloc(a, n + 1);
	size_t o = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '%') {
			out[o++] = s[i] == '+' && plus ? ' ' : s[i];
			continue;
		}
		int hi = i + 2 < n ? hex_digit(s[i + 1]) : -1;
		int lo = hi >= 0 ? hex_digit(s[i + 2]) : -1;
		if (lo < 0 || (hi == 0 && lo == 0))
			return NULL;
		out[o++] = (char)(hi << 4 | lo);
		i += 2;
	}
	if (utf8_valid(out, o) != o)
		return NULL;
	out[o] = '\0';
	if (len)
		*len = o;
	return out;
}

/* Steps to the next "name=value" of a query string; 0 at its end. */
static int query_next(const char **p, const char **name, size_t *name_n, const char **value, size_t *value_n)
{
	while (**p == '&')
		(*p)++;
	if (!**p)
		return 0;
	size_t all = strcspn(*p, "&");
	const char *eq = memchr(*p, '=', all);
	*name = *p;
	*name_n = eq ? (size_t)(eq - *p) : all;
	*value = eq ? eq + 1 : *p + all;
	*value_n = eq ? all - *name_n - 1 : 0;
	*p += all;
	return 1;
}

static int listed(const char *known, const char *s, size_t n)
{
	for (const char *p = known; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");
		if (len == n && memcmp(p, s, n) == 0)
			return 1;
		p += len;
	}
	return 0;
}

int exchange_query_known(struct exchange *x, const char *known)
{
	const char *p = x->query, *name, *value;
	size_t name_n, value_n;

	while (query_next(&p, &name, &name_n, &value, &value_n)) {
		if (!listed(known, name, name_n)) {
			size_t len;
			char *shown = url_decode(x->arena, name, name_n < 60 ? name_n : 60, 1, &len);
			return error_set(x->err, ERR_UNKNOWN_FIELD, shown ? shown : "query",
					 "this query parameter is not known here%s%s",
					 *known ? "; known: " : "", known);
		}
		if (!url_decode(x->arena, value, value_n, 1, NULL))
			return error_set(x->err, ERR_BAD_VALUE, "query",
					 "a query parameter is not valid UTF-8");
	}
	return 0;
}

struct text exchange_query(struct exchange *x, const char *wanted)
{
	const char *p = x->query, *name, *value;
	size_t name_n, value_n;
	struct text t = { 0 };

	while (query_next(&p, &name, &name_n, &value, &value_n))
		if (strlen(wanted) == name_n && memcmp(wanted, name, name_n) == 0)
			t.s = url_decode(x->arena, value, value_n, 1, &t.n);
	return t;
}

int exchange_number(struct exchange *x, const char *name, size_t fallback, size_t max, size_t *out)
{
	struct text t = exchange_query(x, name);
	size_t v = 0;

	if (!t.s) {
		*out = fallback;
		return 0;
	}
	for (size_t i = 0; i < t.n && v <= max; i++) {
		if (t.s[i] < '0' || t.s[i] > '9') {
			v = 0;
			break;
		}
		v = v * 10 + (size_t)(t.s[i] - '0');
	}
	if (v == 0 || v > max)
		return error_set(x->err, ERR_BAD_VALUE, name, "%s must be a number from 1 to %zu", name, max);
	*out = v;
	return 0;
}

int exchange_limit(struct exchange *x, size_t fallback, size_t max, size_t *out)
{
	return exchange_number(x, "limit", fallback, max, out);
}
