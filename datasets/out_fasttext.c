/*
 * fastText: "__label__refund_status where is my refund", a line an example.
 *
 * Its reader splits at white space and NUL, takes every word that begins with
 * __label__ for a label and the word </s> for the end of the line. So white
 * space in a label becomes "_", white space in a text one space, and in texts
 * those two words lose their meaning: "_label_…", "<s>".
 */
#include <string.h>

#include "base/utf8.h"
#include "datasets/format.h"
#include "text/fold.h"

#define PREFIX "__label__"
#define LINE_END "</s>"

static void label(struct text t, struct strbuf *out)
{
	for (size_t i = 0, n; i < t.n; i += n) {
		uint32_t c;
		n = utf8_next(t.s + i, t.n - i, &c);
		if (fold_is_space(c) || c < 0x20)
			strbuf_putc(out, '_');
		else
			strbuf_add(out, t.s + i, n);
	}
}

static void put_word(struct strbuf *out, const char *s, size_t n)
{
	size_t prefix = strlen(PREFIX);

	if (n >= prefix && memcmp(s, PREFIX, prefix) == 0) {
		strbuf_puts(out, "_label_");
		strbuf_add(out, s + prefix, n - prefix);
	} else if (n == strlen(LINE_END) && memcmp(s, LINE_END, n) == 0) {
		strbuf_puts(out, "<s>");
	} else {
		strbuf_add(out, s, n);
	}
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	STRBUF_AUTO text = STRBUF_INIT;
	struct strbuf *b = &w->out[0];

	put_one_line(&text, r->text);
	strbuf_puts(b, PREFIX);
	strbuf_add(b, r->label.s, r->label.n);
	for (size_t i = 0; i < text.n;) {
		size_t n = strcspn(text.p + i, " ");
		strbuf_putc(b, ' ');
		put_word(b, text.p + i, n);
		i += n + 1;
	}
	strbuf_putc(b, '\n');
	b->failed |= text.failed;
}

const struct dataset_format dataset_fasttext = {
	.name = "fasttext",
	.help = "fastText supervised: __label__x text",
	.kinds = 1u << DATASET_INTENTS,
	.files = { "%s.txt" },
	.label = label,
	.row = row,
};
