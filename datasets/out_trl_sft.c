/*
 * TRL's SFTTrainer, conversational form: exactly {"messages":[{"role","content"},…]} a line.
 * An intent is a conversation of two: the text, and its label as the answer.
 */
#include <stdlib.h>

#include "datasets/dataset.h"

static int add_message(json_t *list, const char *role, struct text text)
{
	return json_array_append_new(list, json_pack("{s:s, s:s%}", "role", role, "content", text.s, text.n));
}

static void write_row(const struct dataset_row *row, struct strbuf *out)
{
	json_t *list = json_array();
	int bad = 0;

	for (size_t i = 0; i < row->n_messages; i++)
		bad |= add_message(list, row->messages[i].role == ROLE_USER ? "user" : "assistant",
				   row->messages[i].text) < 0;
	if (row->kind == DATASET_INTENTS)
		bad |= add_message(list, "user", row->text) < 0 ||
		       add_message(list, "assistant", row->label) < 0;
	JSON_AUTO *j = json_pack("{s:o}", "messages", list);
	char *s = j && !bad ? json_dumps(j, JSON_COMPACT) : NULL;
	if (!s) {
		out->failed = 1;
		return;
	}
	strbuf_puts(out, s);
	strbuf_putc(out, '\n');
	free(s);
}

const struct dataset_format dataset_trl_sft = {
	.name = "trl-sft",
	.help = "TRL supervised fine-tuning: {\"messages\":[…]}",
	.kinds = 1u << DATASET_ANSWERS | 1u << DATASET_INTENTS,
	.write_row = write_row,
};
