#include "desk/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Characters of more than one byte that are no letters, and what stands for them. */
static const struct {
	const char *bytes;
	char as;
} marks[] = {
	{ "\xe2\x80\x99", '\'' }, { "\xe2\x80\x98", '"' }, { "\xe2\x80\x9c", '"' }, { "\xe2\x80\x9d", '"' },
	{ "\xe2\x80\x9e", '"' },  { "\xe2\x80\x93", ' ' }, { "\xe2\x80\x94", ' ' }, { "\xc2\xa0", ' ' },
	{ "\xe2\x80\xaf", ' ' },  { "\xe2\x80\xa6", ' ' }, { "\xe2\x82\xac", '$' }, { "\xc2\xa3", '$' },
	{ "\xc2\xa5", '$' },      { "\xc2\xab", '"' },     { "\xc2\xbb", '"' },
};

/* What the character at i counts as ('a' for a letter), and its length. */
static char class_at(const char *s, size_t n, size_t i, size_t *len)
{
	*len = 1;
	if (i >= n)
		return ' ';
	if ((unsigned char)s[i] < 0x80)
		return is_alpha(s[i]) ? 'a' : is_digit(s[i]) ? '0' : s[i];
	for (size_t m = 0; m < sizeof(marks) / sizeof(marks[0]); m++) {
		size_t l = strlen(marks[m].bytes);
		if (i + l <= n && memcmp(s + i, marks[m].bytes, l) == 0) {
			*len = l;
			return marks[m].as;
		}
	}
	while (i + *len < n && ((unsigned char)s[i + *len] & 0xc0) == 0x80)
		++*len;
	return 'a';
}

/* May `c` stand inside of a lexeme, between characters of these classes? */
static int joins(char c, char before, char after)
{
	switch (c) {
	case '.':
	case '-':
	case '_':
	case '@':
		return (before == 'a' || before == '0') && (after == 'a' || after == '0');
	case ',':
	case ':':
	case '/':
		return before == '0' && after == '0';
	case '\'':
		return before == 'a' && after == 'a';
	default:
		return 0;
	}
}

static size_t lexeme_end(const char *s, size_t n, size_t i)
{
	size_t len, next;
	char before = class_at(s, n, i, &len), c;

	if (before == '$' || before == '%')
		return i + len;
	if (before == '#') {
		i += len;
		before = '0';
		class_at(s, n, i, &len);
	}
	for (i += len; i < n; i += len) {
		c = class_at(s, n, i, &len);
		if (c != 'a' && c != '0' && !joins(c, before, class_at(s, n, i + len, &next)))
			break;
		before = c;
	}
	return i;
}

static const char *lowered(struct arena *a, const char *s, size_t n, size_t *out_n)
{
	char *w = arena_alloc(a, n + 1);
	size_t k = 0, len;

	for (size_t i = 0; w && i < n; i += len) {
		if (class_at(s, n, i, &len) == '\'') {
			w[k++] = '\'';
			continue;
		}
		for (size_t j = 0; j < len; j++)
			w[k++] = (char)(s[i + j] >= 'A' && s[i + j] <= 'Z' ? s[i + j] + 32 : s[i + j]);
	}
	*out_n = k;
	return w;
}

long lexemes(struct arena *a, const char *s, size_t n, const struct lexeme **out)
{
	struct lexeme *list = NULL, *copy;
	size_t have = 0, cap = 0, len, next;

	for (size_t i = 0; i < n; i += len) {
		char c = class_at(s, n, i, &len);
		if (c != 'a' && c != '0' && c != '$' && c != '%' &&
		    !(c == '#' && class_at(s, n, i + 1, &next) == '0'))
			continue;
		len = lexeme_end(s, n, i) - i;
		if (GROW(list, have, cap) < 0)
			goto fail;
		struct lexeme x = { .start = i, .end = i + len };
		if (!(x.w = lowered(a, s + i, len, &x.n)))
			goto fail;
		list[have++] = x;
	}
	if (!(copy = arena_alloc(a, (have + 1) * sizeof(*copy))))
		goto fail;
	if (have)
		memcpy(copy, list, have * sizeof(*copy));
	free(list);
	*out = copy;
	return (long)have;
fail:
	free(list);
	return -1;
}

int lexeme_is(const struct lexeme *x, const char *words)
{
	for (const char *p = words; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");
		if (len == x->n && memcmp(p, x->w, len) == 0)
			return 1;
		p += len;
	}
	return 0;
}
