#include <stdlib.h>

#include "base/dice.h"
#include "base/grow.h"
#include "cmd_replay.h"
#include "cmd_scratch.h"

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

int replay_read(struct replay *r, struct error *e)
{
	size_t history = (size_t)r->o->history;
	int rc = each_line(r->o->conversations, add_chat, r, e);

	if (rc < 0)
		return rc;
	r->n = r->n_chats;
	if (r->n < history || r->n - history < REPLAY_LEAST)
		return error_set(e, ERR_BAD_VALUE, NULL,
				 "%s: a replay takes %d conversations or more behind the history",
				 r->o->conversations, REPLAY_LEAST);
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
