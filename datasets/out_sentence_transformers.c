/*
 * sentence-transformers: pairs {"anchor","positive"}, or with hard negatives
 * {"anchor","positive","negative"} and {…,"negative_1",…,"negative_n"}: every
 * row has as many, in this order of columns. A document that helped is a line;
 * negatives are those that were shown and did not help, the best ranked first.
 */
#include <stdio.h>

#include "base/json_write.h"
#include "datasets/format.h"

#define MOST_NEGATIVES 8

enum setting { NEGATIVES };

static const struct dataset_option options[] = {
	[NEGATIVES] = { "negatives",
			"hard negatives a row, 0 to 8 (default: 0, pairs); rows with fewer are left out",
			NULL, MOST_NEGATIVES, 0 },
	{ 0 },
};

static int refuses(const struct dataset_writer *w, const struct dataset_row *r)
{
	return (long)r->n_negatives < w->settings[NEGATIVES] ? (int)SKIP_FEW_NEGATIVES : -1;
}

/* The title is a part of what is found: a line above the text. */
static void put_passage(struct strbuf *b, const char *key, const struct passage *p)
{
	STRBUF_AUTO both = STRBUF_INIT;

	strbuf_add(&both, p->title.s, p->title.n);
	if (p->title.n)
		strbuf_putc(&both, '\n');
	strbuf_add(&both, p->text.s, p->text.n);
	b->failed |= both.failed;
	put_field(b, key, (struct text){ both.p, both.n });
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	struct strbuf *b = &w->out[0];
	long wanted = w->settings[NEGATIVES];
	char key[32];

	for (size_t i = 0; i < r->n_positives; i++) {
		line_begin(b);
		put_field(b, "anchor", r->text);
		put_passage(b, "positive", &r->positives[i]);
		for (long n = 0; n < wanted; n++) {
			snprintf(key, sizeof(key), wanted == 1 ? "negative" : "negative_%ld", n + 1);
			put_passage(b, key, &r->negatives[n]);
		}
		line_end(b);
	}
}

const struct dataset_format dataset_sentence_transformers = {
	.name = "sentence-transformers",
	.help = "pairs, triplets or n negatives: {\"anchor\",\"positive\",\"negative\"}, a line a document that helped",
	.kinds = 1u << DATASET_RETRIEVAL,
	.files = { "%s.jsonl" },
	.options = options,
	.refuses = refuses,
	.row = row,
};
