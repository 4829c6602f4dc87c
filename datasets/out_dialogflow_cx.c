/*
 * Dialogflow CX: an Intent a line, as the API's JSON has it:
 * {"displayName","trainingPhrases":[{"parts":[{"text"}],"repeatCount":1},…]}.
 * Names and phrases are on one line each.
 */
#include "base/json_write.h"
#include "datasets/format.h"

static void label(struct text t, struct strbuf *out)
{
	size_t before = out->n;

	put_one_line(out, t);
	if (out->n == before)
		strbuf_puts(out, "intent");
}

static void label_begin(struct dataset_writer *w, struct text name)
{
	line_begin(&w->out[0]);
	put_field(&w->out[0], "displayName", name);
	jsonw_key(&w->out[0], "trainingPhrases");
	strbuf_putc(&w->out[0], '[');
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	STRBUF_AUTO line = STRBUF_INIT;
	struct strbuf *b = &w->out[0];

	put_one_line(&line, r->text);
	if (w->label_rows)
		strbuf_putc(b, ',');
	strbuf_puts(b, "{\"parts\":[{");
	put_field(b, "text", (struct text){ line.p, line.n });
	strbuf_puts(b, "}],\"repeatCount\":1}");
	b->failed |= line.failed;
}

static void label_end(struct dataset_writer *w, struct text name)
{
	(void)name;
	strbuf_putc(&w->out[0], ']');
	line_end(&w->out[0]);
}

const struct dataset_format dataset_dialogflow_cx = {
	.name = "dialogflow-cx",
	.help = "Dialogflow CX: an Intent with its training phrases a line",
	.kinds = 1u << DATASET_INTENTS,
	.flags = FORMAT_BY_LABEL,
	.files = { "%s.jsonl" },
	.label = label,
	.label_begin = label_begin,
	.row = row,
	.label_end = label_end,
};
