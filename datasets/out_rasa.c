/*
 * Rasa 3.1 NLU data, YAML: an item an intent, its examples as lines of one
 * block of text.
 *
 * A "/" in an intent's name makes it one of a response selector and a control
 * none at all: both become "_". In an example "[words](entity)" and
 * "[words]{…}" mark an entity: a space between the brackets takes that away.
 */
#include "base/json_write.h"
#include "datasets/format.h"

static void label(struct text t, struct strbuf *out)
{
	STRBUF_AUTO line = STRBUF_INIT;

	put_one_line(&line, t);
	for (size_t i = 0; i < line.n; i++)
		strbuf_putc(out, line.p[i] == '/' ? '_' : line.p[i]);
	if (line.n == 0)
		strbuf_puts(out, "intent");
	out->failed |= line.failed;
}

static void begin(struct dataset_writer *w)
{
	strbuf_puts(&w->out[0], "version: \"3.1\"\nnlu:");
}

/* Rasa wants a list, so a part without rows has an empty one. */
static void label_begin(struct dataset_writer *w, struct text name)
{
	STRBUF_AUTO quoted = STRBUF_INIT;

	/* A string of JSON is one of YAML. It is written apart: jsonw parts values by commas. */
	jsonw_string(&quoted, name.s, name.n);
	strbuf_puts(&w->out[0], w->part_rows ? "- intent: " : "\n- intent: ");
	strbuf_add(&w->out[0], quoted.p, quoted.n);
	strbuf_puts(&w->out[0], "\n  examples: |\n");
	w->out[0].failed |= quoted.failed;
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	STRBUF_AUTO line = STRBUF_INIT;
	struct strbuf *b = &w->out[0];

	put_one_line(&line, r->text);
	strbuf_puts(b, "    - ");
	for (size_t i = 0; i < line.n; i++) {
		strbuf_putc(b, line.p[i]);
		if (line.p[i] == ']' && (line.p[i + 1] == '(' || line.p[i + 1] == '{'))
			strbuf_putc(b, ' ');
	}
	strbuf_putc(b, '\n');
	b->failed |= line.failed;
}

static void end(struct dataset_writer *w)
{
	strbuf_puts(&w->out[0], w->part_rows ? "" : " []\n");
}

const struct dataset_format dataset_rasa = {
	.name = "rasa",
	.help = "Rasa 3.1 NLU data (YAML)",
	.kinds = 1u << DATASET_INTENTS,
	.flags = FORMAT_BY_LABEL,
	.files = { "%s.yml" },
	.label = label,
	.begin = begin,
	.label_begin = label_begin,
	.row = row,
	.end = end,
};
