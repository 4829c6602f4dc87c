#include "datasets/format.h"

#include "base/json_write.h"
#include "base/utf8.h"
#include "text/fold.h"

static void put_message(struct strbuf *b, enum message_role role, struct text text)
{
	jsonw_open(b, '{');
	jsonw_key(b, "role");
	jsonw_string(b, role == ROLE_USER ? "user" : "assistant", role == ROLE_USER ? 4 : 9);
	put_field(b, "content", text);
	jsonw_close(b, '}');
}

void put_messages(struct strbuf *b, const char *key, const struct message *list, size_t n)
{
	jsonw_key(b, key);
	jsonw_open(b, '[');
	for (size_t i = 0; i < n; i++)
		put_message(b, list[i].role, list[i].text);
	jsonw_close(b, ']');
}

void put_answer(struct strbuf *b, const char *key, struct text text)
{
	const struct message m = { ROLE_ASSISTANT, text };

	put_messages(b, key, &m, 1);
}

void put_field(struct strbuf *b, const char *key, struct text text)
{
	jsonw_key(b, key);
	jsonw_string(b, text.s, text.n);
}

void line_begin(struct strbuf *b)
{
	strbuf_putc(b, '{');
}

void line_end(struct strbuf *b)
{
	strbuf_puts(b, "}\n");
}

void put_one_line(struct strbuf *b, struct text text)
{
	size_t begin = b->n;
	int gap = 0;

	for (size_t i = 0, n; i < text.n; i += n) {
		uint32_t c;
		n = utf8_next(text.s + i, text.n - i, &c);
		/* U+0085 and the separators of lines and paragraphs are white space, controls of C1 are not. */
		if (fold_is_space(c) || c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff) {
			gap = 1;
			continue;
		}
		if (gap && b->n > begin)
			strbuf_putc(b, ' ');
		gap = 0;
		strbuf_add(b, text.s + i, n);
	}
}

size_t utf16_units(struct text text)
{
	size_t units = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.s[i];
		units += (c & 0xc0) != 0x80; /* begins a character */
		units += c >= 0xf0;          /* which is above U+FFFF */
	}
	return units;
}
