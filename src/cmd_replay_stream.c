#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "cmd_replay.h"
#include "cmd_scratch.h"

#define OUT_OF_SCOPE "oos" /* as in examples files of `eval intent` */

static int add_row(struct replay *r, json_t *line, struct error *e)
{
	if (GROW(r->chats, r->n_rows, r->cap) < 0)
		return no_memory(e);
	r->chats[r->n_rows++] = (struct chat){ .line = json_incref(line) };
	return 0;
}

static int add_chat(void *arg, json_t *line, struct error *e)
{
	struct replay *r = arg;
	const json_t *resolution = json_object_get(line, "resolution");
	int rc = add_row(r, line, e);

	if (rc == 0)
		r->chats[r->n_rows - 1].label = json_string_value(json_object_get(resolution, "intent"));
	return rc;
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
	JSON_AUTO *conversation = conversation_of(r->n_rows + 1, text, label);
	return conversation ? add_chat(r, conversation, e) : no_memory(e);
}

/* Lines with another label than "oos" are passed over: a file for `eval intent` will do. */
static int add_other(void *arg, json_t *line, struct error *e)
{
	struct replay *r = arg;
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *label = json_string_value(json_object_get(line, "label"));

	if (!text || !*text)
		return error_set(e, ERR_MISSING_FIELD, "text", "is required");
	if (label && strcmp(label, OUT_OF_SCOPE) != 0)
		return 0;
	JSON_AUTO *conversation = conversation_of(r->n_rows + 1, text, OUT_OF_SCOPE);
	int rc = conversation ? add_row(r, conversation, e) : no_memory(e);
	if (rc == 0)
		r->chats[r->n_rows - 1].out_of_scope = 1;
	return rc;
}

/* Gives the labels numbers, in the order of the file. */
static int number_labels(struct replay *r, struct error *e)
{
	r->numbers = map_new();
	r->names = calloc(r->n_chats + 1, sizeof(*r->names));
	r->labels = calloc(r->n_chats + 1, sizeof(*r->labels));
	r->told = calloc(r->n_chats + 1, sizeof(*r->told));
	if (!r->numbers || !r->names || !r->labels || !r->told)
		return no_memory(e);
	for (size_t i = 0; i < r->n_chats; i++) {
		const char *label = r->chats[i].label;
		r->labels[i] = -1;
		if (!label)
			continue;
		uint64_t *number = map_put(r->numbers, label, strlen(label), NULL);
		if (!number)
			return no_memory(e);
		if (!*number) {
			*number = map_count(r->numbers);
			r->names[*number - 1] = label;
		}
		r->labels[i] = (int)*number - 1;
	}
	return 0;
}

static int read_others(struct replay *r, struct error *e)
{
	int rc = each_line(r->o->out_of_scope, add_other, r, e);

	if (rc == 0 && r->n_rows == r->n_chats)
		rc = error_set(e, ERR_BAD_VALUE, NULL, "%s: no line is out of scope", r->o->out_of_scope);
	return rc;
}

int replay_read(struct replay *r, struct error *e)
{
	const struct replay_options *o = r->o;
	const char *path = o->examples ? o->examples : o->conversations;
	size_t history = (size_t)o->history;
	int rc = each_line(path, o->examples ? add_example : add_chat, r, e);

	if (rc < 0)
		return rc;
	r->n_chats = r->n_rows;
	if (r->n_chats < history || r->n_chats - history < REPLAY_LEAST)
		return error_set(e, ERR_BAD_VALUE, NULL,
				 "%s: a replay takes %d conversations or more behind the history", path,
				 REPLAY_LEAST);
	if ((o->out_of_scope && (rc = read_others(r, e)) < 0) || (rc = number_labels(r, e)) < 0)
		return rc;
	/* One seed alone is the order of the file. */
	r->stream = (struct stream){ .n = r->n_chats,
				     .labels = r->labels,
				     .n_labels = map_count(r->numbers),
				     .history = history,
				     .n_others = r->n_rows - r->n_chats,
				     .shuffle = o->seeds > 1,
				     .drift = o->drift,
				     .wrong = o->wrong };
	r->stream.mixed = stream_mixed(&r->stream, o->out_of_scope_share);
	r->n = r->n_chats + r->stream.mixed;
	return 0;
}

int replay_set_order(struct replay *r, long seed, struct error *e)
{
	struct stream *s = &r->stream;
	size_t at = (size_t)seed - 1;

	s->seed = (uint64_t)seed;
	if (stream_order(s, r->order, r->late + at * s->n_labels) < 0)
		return no_memory(e);
	r->wrong[at] = stream_labels(s, r->told);
	for (size_t i = 0; i < r->n_chats; i++)
		r->chats[i].taught = r->told[i] == r->labels[i] ? NULL : r->names[r->told[i]];
	return 0;
}
