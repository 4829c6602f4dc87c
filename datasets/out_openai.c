/*
 * OpenAI's fine-tuning files, which other providers read too: chats
 * {"messages":[…]}, or preferences {"input":{"messages":[…]},
 * "preferred_output":[…],"non_preferred_output":[…]}. Nothing else is at the
 * top, neighbours have two roles, and a side of a preference is one message.
 */
#include "base/json_write.h"
#include "datasets/format.h"

enum setting { TRAIN_ON };
enum train_on { TRAIN_ALL, TRAIN_LAST };

static const struct dataset_option options[] = {
	[TRAIN_ON] = { "train-on", "all: every answer (default); last: earlier answers have weight 0",
		       "all|last", 0, TRAIN_ALL },
	{ 0 },
};

static void put_chat(struct strbuf *b, const struct message *list, size_t n, int last_only)
{
	jsonw_key(b, "messages");
	jsonw_open(b, '[');
	for (size_t i = 0; i < n; i++) {
		int user = list[i].role == ROLE_USER;
		jsonw_open(b, '{');
		put_field(b, "role", (struct text){ user ? "user" : "assistant", user ? 4 : 9 });
		put_field(b, "content", list[i].text);
		if (!user && last_only) {
			jsonw_key(b, "weight");
			jsonw_int(b, i + 1 == n);
		}
		jsonw_close(b, '}');
	}
	jsonw_close(b, ']');
}

static void put_preference(struct strbuf *b, const struct dataset_row *r)
{
	jsonw_key(b, "input");
	jsonw_open(b, '{');
	put_messages(b, "messages", r->messages, r->n_messages);
	jsonw_close(b, '}');
	put_answer(b, "preferred_output", r->chosen);
	put_answer(b, "non_preferred_output", r->rejected);
}

static void row(struct dataset_writer *w, const struct dataset_row *r)
{
	const struct message intent[] = { { ROLE_USER, r->text }, { ROLE_ASSISTANT, r->label } };
	int last_only = w->settings[TRAIN_ON] == TRAIN_LAST;

	line_begin(&w->out[0]);
	if (r->kind == DATASET_PREFERENCES)
		put_preference(&w->out[0], r);
	else if (r->kind == DATASET_INTENTS)
		put_chat(&w->out[0], intent, 2, last_only);
	else
		put_chat(&w->out[0], r->messages, r->n_messages, last_only);
	line_end(&w->out[0]);
}

const struct dataset_format dataset_openai = {
	.name = "openai",
	.help = "OpenAI fine-tuning: chats, or preferred and non-preferred outputs",
	.kinds = 1u << DATASET_ANSWERS | 1u << DATASET_INTENTS | 1u << DATASET_PREFERENCES,
	.files = { "%s.jsonl" },
	.options = options,
	.row = row,
};
