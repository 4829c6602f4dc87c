/*
 * BEIR: corpus.jsonl and queries.jsonl with {"_id","title"?,"text"}, and
 * qrels/train.tsv, dev.tsv, test.tsv with a head, which its loader skips:
 * query-id, corpus-id, score. 1: the document helped; 0: it was shown and did
 * not. The corpus is all of the knowledge. Its loader reads qrels as CSV with
 * tabs, so an id with a quote in it is quoted.
 */
#include <string.h>

#include "base/json_write.h"
#include "datasets/format.h"

enum file { QUERIES, QRELS, CORPUS };

static const char *const parts[PARTS] = { "train", "dev", "test" };

static void document(struct dataset_writer *w, const struct passage *d)
{
	line_begin(&w->out[CORPUS]);
	put_field(&w->out[CORPUS], "_id", (struct text){ d->id, strlen(d->id) });
	put_field(&w->out[CORPUS], "title", d->title);
	put_field(&w->out[CORPUS], "text", d->text);
	line_end(&w->out[CORPUS]);
}

static void begin(struct dataset_writer *w)
{
	strbuf_puts(&w->out[QRELS], "query-id\tcorpus-id\tscore\n");
}

static void put_cell(struct strbuf *b, const char *s)
{
	if (!strchr(s, '"')) {
		strbuf_puts(b, s);
		return;
	}
	strbuf_putc(b, '"');
	for (; *s; s++) {
		if (*s == '"')
			strbuf_putc(b, '"');
		strbuf_putc(b, *s);
	}
	strbuf_putc(b, '"');
}

static void put_qrels(struct strbuf *b, const char *query, const struct passage *list, size_t n, char score)
{
	for (size_t i = 0; i < n; i++) {
		strbuf_puts(b, query);
		strbuf_putc(b, '\t');
		put_cell(b, list[i].id);
		strbuf_putc(b, '\t');
		strbuf_putc(b, score);
		strbuf_putc(b, '\n');
	}
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	line_begin(&w->out[QUERIES]);
	put_field(&w->out[QUERIES], "_id", (struct text){ r->id, strlen(r->id) });
	put_field(&w->out[QUERIES], "text", r->text);
	line_end(&w->out[QUERIES]);
	put_qrels(&w->out[QRELS], r->id, r->positives, r->n_positives, '1');
	put_qrels(&w->out[QRELS], r->id, r->negatives, r->n_negatives, '0');
}

const struct dataset_format dataset_beir = {
	.name = "beir",
	.help = "BEIR: corpus.jsonl, queries.jsonl, qrels/PART.tsv",
	.kinds = 1u << DATASET_RETRIEVAL,
	.flags = FORMAT_JUDGES,
	.files = { "queries.jsonl", "qrels/%s.tsv", "corpus.jsonl" },
	.parts = parts,
	.document = document,
	.begin = begin,
	.row = row,
};
