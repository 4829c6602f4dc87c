#include "text/fold.h"

#include <assert.h>

#include <utf8proc.h>

#include "base/utf8.h"

#define CLASS(category) (1u << UTF8PROC_CATEGORY_##category)

#define LETTERS (CLASS(LU) | CLASS(LL) | CLASS(LT) | CLASS(LM) | CLASS(LO))
#define DIGITS (CLASS(ND) | CLASS(NL) | CLASS(NO))
#define MARKS (CLASS(MN) | CLASS(MC) | CLASS(ME))
#define PUNCTUATION (CLASS(PC) | CLASS(PD) | CLASS(PS) | CLASS(PE) | CLASS(PI) | CLASS(PF) | CLASS(PO))
#define SPACES (CLASS(ZS) | CLASS(ZL) | CLASS(ZP))
#define CONTROLS (CLASS(CC) | CLASS(CF) | CLASS(CS) | CLASS(CO))

static int is_in(uint32_t c, unsigned classes)
{
	return (int)(classes >> utf8proc_category((utf8proc_int32_t)c) & 1);
}

int fold_is_letter(uint32_t c)
{
	return is_in(c, LETTERS);
}

int fold_is_digit(uint32_t c)
{
	return is_in(c, DIGITS);
}

int fold_is_mark(uint32_t c)
{
	return is_in(c, MARKS);
}

int fold_is_accent(uint32_t c)
{
	return is_in(c, CLASS(MN));
}

int fold_is_punctuation(uint32_t c)
{
	return is_in(c, PUNCTUATION);
}

int fold_is_space(uint32_t c)
{
	/* Tab to carriage return, and NEL, are controls by category. */
	return (c >= 0x09 && c <= 0x0d) || c == 0x85 || is_in(c, SPACES);
}

int fold_is_control(uint32_t c)
{
	return c != '\t' && c != '\n' && c != '\r' && is_in(c, CONTROLS);
}

int fold_is_ideograph(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} blocks[] = {
		{ 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xf900, 0xfaff },   { 0x20000, 0x2a6df },
		{ 0x2a700, 0x2b73f }, { 0x2b740, 0x2b81f }, { 0x2b920, 0x2ceaf }, { 0x2f800, 0x2fa1f },
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]) && c >= blocks[i].first; i++)
		if (c <= blocks[i].last)
			return 1;
	return 0;
}

uint32_t fold_lower(uint32_t c)
{
	return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

size_t fold_plain(uint32_t c, uint32_t out[FOLD_MAX])
{
	utf8proc_int32_t parts[FOLD_MAX];
	utf8proc_ssize_t n;
	int boundary = 0;
	size_t kept = 0;

	if (c < 0x80) {
		out[0] = c >= 'A' && c <= 'Z' ? c + 32 : c;
		return 1;
	}
	n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, FOLD_MAX, UTF8PROC_DECOMPOSE, &boundary);
	assert(n <= FOLD_MAX);
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (!fold_is_accent((uint32_t)parts[i]))
			out[kept++] = fold_lower((uint32_t)parts[i]);
	return kept;
}

void fold_text(const char *s, size_t n, struct strbuf *out)
{
	uint32_t c, parts[FOLD_MAX];
	char bytes[4];

	for (size_t i = 0; i < n;) {
		i += utf8_next(s + i, n - i, &c);
		for (size_t k = 0, m = fold_plain(c, parts); k < m; k++)
			strbuf_add(out, bytes, utf8_put(parts[k], bytes));
	}
}
