#include "base/json_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Between two values; behind a key or an opening bracket there is nothing to part. */
static void part(struct strbuf *b)
{
	char last = b->n ? b->p[b->n - 1] : '[';

	if (last != '{' && last != '[' && last != ':')
		strbuf_putc(b, ',');
}

void jsonw_open(struct strbuf *b, char bracket)
{
	part(b);
	strbuf_putc(b, bracket);
}

void jsonw_close(struct strbuf *b, char bracket)
{
	strbuf_putc(b, bracket);
}

static void put_escaped(struct strbuf *b, unsigned char c)
{
	static const char names[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *p = names;

	while (*p && (unsigned char)*p != c)
		p += 2;
	if (*p) {
		strbuf_putc(b, '\\');
		strbuf_putc(b, p[1]);
	} else {
		strbuf_printf(b, "\\u%04x", c);
	}
}

static void put_quoted(struct strbuf *b, const char *s, size_t n)
{
	size_t from = 0;

	strbuf_putc(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		strbuf_add(b, s + from, i - from);
		put_escaped(b, c);
		from = i + 1;
	}
	strbuf_add(b, s + from, n - from);
	strbuf_putc(b, '"');
}

void jsonw_key(struct strbuf *b, const char *key)
{
	part(b);
	put_quoted(b, key, strlen(key));
	strbuf_putc(b, ':');
}

void jsonw_string(struct strbuf *b, const char *s, size_t n)
{
	part(b);
	put_quoted(b, s, n);
}

void jsonw_int(struct strbuf *b, int64_t x)
{
	part(b);
	if (x < 0)
		strbuf_putc(b, '-');
	strbuf_uint(b, x < 0 ? -(uint64_t)x : (uint64_t)x);
}

#define DECIMALS 6
#define ONE 1000000

void jsonw_decimal(struct strbuf *b, double x)
{
	if (!isfinite(x) ||
	    fabs(x) > 1e9) { /* past where all decimals are exact in 64 bits of what is below */
		JSON_AUTO *v = isfinite(x) ? json_real(x) : json_null();
		jsonw_value(b, v);
		return;
	}
	part(b);
	int64_t all = llround(x * ONE);
	uint64_t size = (uint64_t)llabs(all), rest = size % ONE;
	char decimals[DECIMALS];
	size_t n = DECIMALS;
	if (all < 0)
		strbuf_putc(b, '-');
	strbuf_uint(b, size / ONE);
	for (size_t i = DECIMALS; i-- > 0; rest /= 10)
		decimals[i] = (char)('0' + rest % 10);
	while (n > 1 && decimals[n - 1] == '0')
		n--;
	strbuf_putc(b, '.');
	strbuf_add(b, decimals, n);
}

void jsonw_value(struct strbuf *b, const json_t *v)
{
	char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_DIGITS) : NULL;

	part(b);
	if (v && !text)
		b->failed = 1;
	strbuf_puts(b, text ? text : "null");
	free(text);
}
