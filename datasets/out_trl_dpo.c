/*
 * TRL's DPOTrainer, conversational form with an explicit prompt: exactly
 * {"prompt":[…],"chosen":[…],"rejected":[…]} a line. The prompt ends in the user's turn.
 */
#include "datasets/format.h"

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	line_begin(&w->out[0]);
	put_messages(&w->out[0], "prompt", r->messages, r->n_messages);
	put_answer(&w->out[0], "chosen", r->chosen);
	put_answer(&w->out[0], "rejected", r->rejected);
	line_end(&w->out[0]);
}

const struct dataset_format dataset_trl_dpo = {
	.name = "trl-dpo",
	.help = "TRL preference pairs: {\"prompt\":[…],\"chosen\":[…],\"rejected\":[…]}",
	.kinds = 1u << DATASET_PREFERENCES,
	.files = { "%s.jsonl" },
	.row = row,
};
