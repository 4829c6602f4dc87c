/*
 * TREC qrels: "query 0 document relevance", four columns that white space
 * parts, and the queries beside them as "query<tab>text". 1: the document
 * helped; 0: it was shown and did not. In a document's id white space and "%"
 * are written as %20 and so on.
 */
#include <string.h>

#include "base/utf8.h"
#include "datasets/format.h"
#include "text/fold.h"

enum file { QRELS, TOPICS };

static void put_id(struct strbuf *b, const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;
		n = utf8_next(id + i, len - i, &c);
		if (c != '%' && !fold_is_space(c))
			strbuf_add(b, id + i, n);
		for (size_t k = 0; k < n && (c == '%' || fold_is_space(c)); k++)
			strbuf_printf(b, "%%%02X", (unsigned char)id[i + k]);
	}
}

static void put_qrels(struct strbuf *b, const char *query, const struct passage *list, size_t n, char score)
{
	for (size_t i = 0; i < n; i++) {
		strbuf_puts(b, query);
		strbuf_puts(b, " 0 ");
		put_id(b, list[i].id);
		strbuf_putc(b, ' ');
		strbuf_putc(b, score);
		strbuf_putc(b, '\n');
	}
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	put_qrels(&w->out[QRELS], r->id, r->positives, r->n_positives, '1');
	put_qrels(&w->out[QRELS], r->id, r->negatives, r->n_negatives, '0');
	strbuf_puts(&w->out[TOPICS], r->id);
	strbuf_putc(&w->out[TOPICS], '\t');
	put_one_line(&w->out[TOPICS], r->text);
	strbuf_putc(&w->out[TOPICS], '\n');
}

const struct dataset_format dataset_trec = {
	.name = "trec",
	.help = "TREC: PART.qrels and topics.tsv",
	.kinds = 1u << DATASET_RETRIEVAL,
	.flags = FORMAT_JUDGES,
	.files = { "%s.qrels", "topics.tsv" },
	.row = row,
};
