#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dice.h"
#include "base/grow.h"
#include "cmd_replay.h"
#include "cmd_scratch.h"

#define OUT_OF_SCOPE "oos" /* as in examples files of `eval intent` */

static int add_chat(void *arg, json_t *line, struct error *e)
{
	struct replay *r = arg;
	const json_t *resolution = json_object_get(line, "resolution");

	if (GROW(r->chats, r->n_chats, r->cap) < 0)
		return no_memory(e);
	r->chats[r->n_chats++] = (struct chat){ json_incref(line),
						json_string_value(json_object_get(resolution, "intent")) };
	return 0;
}

/* A text with its label as a conversation that an agent has resolved, so that its outcome counts as in service. */
static json_t *conversation_of(size_t n, const char *text, const char *label)
{
	char id[32];

	snprintf(id, sizeof(id), "example-%zu", n);
	return json_pack("{s:s, s:[{s:s, s:s}], s:{s:s, s:s, s:s}}", "id", id, "turns", "role", "customer",
			 "text", text, "resolution", "outcome", "resolved", "intent", label, "text",
			 "Resolved.");
}

static int add_example(void *arg, json_t *line, struct error *e)
{
	struct replay *r = arg;
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *label = json_string_value(json_object_get(line, "label"));

	if (!text || !label || !*text || !*label)
		return error_set(e, ERR_MISSING_FIELD, text && *text ? "label" : "text", "is required");
	if (strcmp(label, OUT_OF_SCOPE) == 0) {
		r->left_out++;
		return 0;
	}
	JSON_AUTO *conversation = conversation_of(r->n_chats + 1, text, label);
	return conversation ? add_chat(r, conversation, e) : no_memory(e);
}

int replay_read(struct replay *r, struct error *e)
{
	size_t history = (size_t)r->o->history;
	const char *path = r->o->examples ? r->o->examples : r->o->conversations;
	int rc = each_line(path, r->o->examples ? add_example : add_chat, r, e);

	if (rc < 0)
		return rc;
	r->n = r->n_chats;
	if (r->n < history || r->n - history < REPLAY_LEAST)
		return error_set(e, ERR_BAD_VALUE, NULL,
				 "%s: a replay takes %d conversations or more behind the history", path,
				 REPLAY_LEAST);
	return 0;
}

void replay_set_order(struct replay *r, long seed)
{
	struct dice dice = { (uint64_t)seed };

	for (size_t i = 0; i < r->n; i++)
		r->order[i] = i;
	/* One seed alone is the order of the file. */
	if (r->o->seeds > 1)
		dice_shuffle(&dice, r->order, r->n);
}
