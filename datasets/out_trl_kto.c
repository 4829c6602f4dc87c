/*
 * TRL's KTOTrainer, conversational form: exactly {"prompt":[…],"completion":[…],"label":bool} a line.
 * A row is two lines: the agent's answer is wanted, the bot's draft is not.
 */
#include "base/json_write.h"
#include "datasets/format.h"

static void put_one(struct strbuf *b, const struct dataset_row *r, struct text completion, int wanted)
{
	line_begin(b);
	put_messages(b, "prompt", r->messages, r->n_messages);
	put_answer(b, "completion", completion);
	jsonw_key(b, "label");
	strbuf_puts(b, wanted ? "true" : "false");
	line_end(b);
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	put_one(&w->out[0], r, r->chosen, 1);
	put_one(&w->out[0], r, r->rejected, 0);
}

const struct dataset_format dataset_trl_kto = {
	.name = "trl-kto",
	.help = "TRL answers that were wanted or not: {\"prompt\":[…],\"completion\":[…],\"label\":true}, two lines a row",
	.kinds = 1u << DATASET_PREFERENCES,
	.files = { "%s.jsonl" },
	.row = row,
};
