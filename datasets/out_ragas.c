/*
 * RAGAS, single turn: {"user_input","retrieved_contexts":[…],
 * "reference_contexts":[…],"reference"} a line: what was asked, the passages
 * that were shown, the documents that helped, and what solved it.
 */
#include "base/json_write.h"
#include "datasets/format.h"

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	struct strbuf *b = &w->out[0];

	line_begin(b);
	put_field(b, "user_input", r->text);
	jsonw_key(b, "retrieved_contexts");
	jsonw_open(b, '[');
	for (size_t i = 0; i < r->n_contexts; i++)
		jsonw_string(b, r->contexts[i].s, r->contexts[i].n);
	jsonw_close(b, ']');
	jsonw_key(b, "reference_contexts");
	jsonw_open(b, '[');
	for (size_t i = 0; i < r->n_positives; i++)
		jsonw_string(b, r->positives[i].text.s, r->positives[i].text.n);
	jsonw_close(b, ']');
	put_field(b, "reference", r->answer);
	line_end(b);
}

const struct dataset_format dataset_ragas = {
	.name = "ragas",
	.help = "RAGAS samples: {\"user_input\",\"retrieved_contexts\",\"reference_contexts\",\"reference\"}",
	.kinds = 1u << DATASET_RETRIEVAL,
	.flags = FORMAT_CONTEXTS | FORMAT_JUDGES,
	.files = { "%s.jsonl" },
	.row = row,
};
