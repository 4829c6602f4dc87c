/*
 * Microsoft's conversational language understanding: a project to import.
 * There are two data sets in it, Train and Test: rows for validation are Test,
 * which keeps them out of the training. No entities, so no offsets.
 *
 * An intent's name has 50 characters at most and none of : $ & % * ( ) + ~ # / ?
 * An utterance has 500 at most: longer texts are left out and counted.
 */
#include <string.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "datasets/format.h"

#define NAME_MAX_CHARS 46 /* leaves room for "_999" */
#define TEXT_MAX_UNITS 500

static int refuses(const struct dataset_writer *w, const struct dataset_row *r)
{
	(void)w;
	return utf16_units(r->text) > TEXT_MAX_UNITS ? (int)SKIP_TOO_LONG : -1;
}

static void label(struct text t, struct strbuf *out)
{
	STRBUF_AUTO line = STRBUF_INIT;
	size_t units = 0;

	put_one_line(&line, t);
	for (size_t i = 0, n; i < line.n; i += n) {
		uint32_t c;
		n = utf8_next(line.p + i, line.n - i, &c);
		units += c > 0xffff ? 2 : 1;
		if (units > NAME_MAX_CHARS)
			break;
		if (c < 0x80 && strchr(":$&%*()+~#/?", (int)c))
			strbuf_putc(out, '_');
		else
			strbuf_add(out, line.p + i, n);
	}
	if (line.n == 0)
		strbuf_puts(out, "intent");
	out->failed |= line.failed;
}

static void open_project(struct dataset_writer *w)
{
	struct strbuf *b = &w->out[0];

	strbuf_puts(
		b,
		"{\"projectFileVersion\":\"2023-04-01\",\"stringIndexType\":\"Utf16CodeUnit\",\n"
		"\"metadata\":{\"projectKind\":\"Conversation\",\"projectName\":\"readback\",\"multilingual\":true,"
		"\"description\":\"intents from resolved conversations\",\"language\":\"en-us\","
		"\"settings\":{\"confidenceThreshold\":0}},\n"
		"\"assets\":{\"projectKind\":\"Conversation\",\"intents\":[");
	for (size_t i = 0; i < w->n_labels; i++) {
		jsonw_open(b, '{');
		put_field(b, "category", w->labels[i]);
		jsonw_close(b, '}');
	}
	strbuf_puts(b, "],\"entities\":[],\"utterances\":[\n");
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	struct strbuf *b = &w->out[0];

	/* The comma is in front, so that a row is a line whatever comes after it. */
	strbuf_puts(b, w->rows ? ",{" : " {");
	put_field(b, "text", r->text);
	put_field(b, "intent", r->label);
	strbuf_puts(b, w->part == PART_TRAIN ? ",\"dataset\":\"Train\"" : ",\"dataset\":\"Test\"");
	strbuf_puts(b, ",\"entities\":[]}\n");
}

static void close_project(struct dataset_writer *w)
{
	strbuf_puts(&w->out[0], "]}}\n");
}

const struct dataset_format dataset_clu = {
	.name = "clu",
	.help = "Microsoft conversational language understanding: a project",
	.kinds = 1u << DATASET_INTENTS,
	.files = { "project.json" },
	.refuses = refuses,
	.label = label,
	.open = open_project,
	.row = row,
	.close = close_project,
};
