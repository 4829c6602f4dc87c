/*
 * Amazon Lex V2: a bot to import, a zip of JSON files in a fixed tree:
 *
 *	manifest.json
 *	readback/Bot.json
 *	readback/BotLocales/en_US/BotLocale.json
 *	readback/BotLocales/en_US/Intents/NAME/Intent.json
 *
 * An intent's name is letters and digits of ASCII, 100 at most, with a single
 * "_" or "-" between them: runs of anything else become "_". In an utterance
 * {x} is a slot, and of ASCII only letters, digits, space and . _ ' - are
 * valid: others become a space. 500 characters at most: longer texts are left
 * out and counted.
 */
#include <ctype.h>
#include <string.h>

#include "base/json_write.h"
#include "datasets/format.h"

#define BOT "readback"
#define LOCALE BOT "/BotLocales/en_US"
#define FALLBACK "FallbackIntent"
#define NAME_MAX_CHARS 90
#define TEXT_MAX_UNITS 500

/* What Lex takes of a text, on one line. */
static void put_valid(struct strbuf *out, struct text t)
{
	STRBUF_AUTO clean = STRBUF_INIT;

	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.s[i];
		int valid = c >= 0x80 || isalnum(c) || strchr(" ._'-", c);
		strbuf_putc(&clean, valid ? (char)c : ' ');
	}
	put_one_line(out, (struct text){ clean.p, clean.n });
	out->failed |= clean.failed;
}

static int refuses(const struct dataset_writer *w, const struct dataset_row *r)
{
	STRBUF_AUTO valid = STRBUF_INIT;

	(void)w;
	put_valid(&valid, r->text);
	if (utf16_units(r->text) > TEXT_MAX_UNITS)
		return SKIP_TOO_LONG;
	return valid.n || valid.failed ? -1 : (int)SKIP_NOTHING_SAID;
}

static void label(struct text t, struct strbuf *out)
{
	size_t before = out->n;
	int gap = 0;

	for (size_t i = 0; i < t.n && out->n - before < NAME_MAX_CHARS; i++) {
		unsigned char c = (unsigned char)t.s[i];
		if (c >= 0x80 || !isalnum(c)) {
			gap = 1;
			continue;
		}
		if (gap && out->n > before)
			strbuf_putc(out, '_');
		gap = 0;
		strbuf_putc(out, (char)c);
	}
	if (out->n == before)
		strbuf_puts(out, "intent");
	/* The bot has one of its own. */
	if (out->n - before == strlen(FALLBACK) &&
	    strncasecmp(out->p + before, FALLBACK, strlen(FALLBACK)) == 0)
		strbuf_puts(out, "_label");
}

static void add_file(struct dataset_writer *w, const char *name, const char *text)
{
	zip_add(&w->zip, name, text, strlen(text), &w->out[0]);
}

static void begin(struct dataset_writer *w)
{
	add_file(
		w, "manifest.json",
		"{\"metadata\":{\"schemaVersion\":\"1.0\",\"fileFormat\":\"LexJson\",\"resourceType\":\"Bot\"}}\n");
	add_file(
		w, BOT "/Bot.json",
		"{\"name\":\"readback\",\"identifier\":\"readback\",\"version\":\"DRAFT\",\"description\":null,"
		"\"dataPrivacy\":{\"childDirected\":false},\"idleSessionTTLInSeconds\":300}\n");
	add_file(
		w, LOCALE "/BotLocale.json",
		"{\"name\":\"English (US)\",\"identifier\":\"en_US\",\"version\":\"DRAFT\",\"description\":null,"
		"\"voiceSettings\":null,\"nluConfidenceThreshold\":0.4}\n");
	add_file(
		w, LOCALE "/Intents/FallbackIntent/Intent.json",
		"{\"name\":\"FallbackIntent\",\"identifier\":\"FALLBCKINT\",\"description\":null,"
		"\"parentIntentSignature\":\"AMAZON.FallbackIntent\",\"sampleUtterances\":null,\"slotPriorities\":[]}\n");
}

/* What is between these two calls in out[0] is the intent's file: label_end makes an entry of the zip of it. */
static void label_begin(struct dataset_writer *w, struct text name)
{
	line_begin(&w->out[0]);
	put_field(&w->out[0], "name", name);
	put_field(&w->out[0], "identifier", name);
	strbuf_puts(&w->out[0], ",\"description\":null,\"parentIntentSignature\":null,\"slotPriorities\":[],"
				"\"sampleUtterances\":[\n");
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	STRBUF_AUTO utterance = STRBUF_INIT;
	struct strbuf *b = &w->out[0];

	put_valid(&utterance, r->text);
	strbuf_puts(b, w->label_rows ? ",{" : " {");
	put_field(b, "utterance", (struct text){ utterance.p, utterance.n });
	line_end(b);
	b->failed |= utterance.failed;
}

static void label_end(struct dataset_writer *w, struct text name)
{
	struct strbuf *b = &w->out[0];
	STRBUF_AUTO file = *b, path = STRBUF_INIT;

	*b = (struct strbuf)STRBUF_INIT;
	strbuf_puts(&file, "]}\n");
	strbuf_puts(&path, LOCALE "/Intents/");
	strbuf_add(&path, name.s, name.n);
	strbuf_puts(&path, "/Intent.json");
	if (!path.failed && !file.failed)
		zip_add(&w->zip, path.p, file.p, file.n, b);
	b->failed |= path.failed | file.failed;
}

static void end(struct dataset_writer *w)
{
	zip_end(&w->zip, &w->out[0]);
}

const struct dataset_format dataset_lex = {
	.name = "lex",
	.help = "Amazon Lex V2: a bot to import (zip)",
	.kinds = 1u << DATASET_INTENTS,
	.flags = FORMAT_BY_LABEL | FORMAT_HOLD,
	.files = { "%s.zip" },
	.refuses = refuses,
	.label = label,
	.begin = begin,
	.label_begin = label_begin,
	.row = row,
	.label_end = label_end,
	.end = end,
};
