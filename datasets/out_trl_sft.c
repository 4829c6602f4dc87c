/*
 * TRL's SFTTrainer, conversational form: exactly {"messages":[{"role","content"},…]} a line.
 * An intent is a conversation of two: the text, and its label as the answer.
 */
#include "datasets/format.h"

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	const struct message intent[] = { { ROLE_USER, r->text }, { ROLE_ASSISTANT, r->label } };
	int is_intent = r->kind == DATASET_INTENTS;

	line_begin(&w->out[0]);
	put_messages(&w->out[0], "messages", is_intent ? intent : r->messages, is_intent ? 2 : r->n_messages);
	line_end(&w->out[0]);
}

const struct dataset_format dataset_trl_sft = {
	.name = "trl-sft",
	.help = "TRL supervised fine-tuning: {\"messages\":[…]}",
	.kinds = 1u << DATASET_ANSWERS | 1u << DATASET_INTENTS,
	.files = { "%s.jsonl" },
	.row = row,
};
