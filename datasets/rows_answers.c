/* rows_answers.c: resolved conversations, as chats that end in an agent's answer. */
#include <string.h>

#include "datasets/dataset_internal.h"

static const char *const outcomes[] = { "resolved", "unresolved", "transferred", "abandoned" };

static int note_outcome(struct writing *w, const char *conversation, const char *outcome)
{
	uint64_t *number = map_put(w->outcomes, conversation, strlen(conversation), NULL);

	if (!number)
		return no_memory(w->err);
	for (*number = sizeof(outcomes) / sizeof(outcomes[0]); *number; --*number)
		if (strcmp(outcomes[*number - 1], outcome) == 0)
			break;
	return 0;
}

static int note_resolution(struct writing *w, struct arena *a, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	uint64_t *seq = map_put(w->last, conversation, strlen(conversation), NULL);

	(void)a;
	if (!seq)
		return no_memory(w->err);
	*seq = r->created;
	return w->filter ? note_outcome(w, conversation, body_string(r->body, "outcome")) : 0;
}

const char *resolution_outcome(const struct writing *w, const char *conversation)
{
	const uint64_t *number = map_get(w->outcomes, conversation, strlen(conversation));

	return number && *number ? outcomes[*number - 1] : "";
}

int resolutions_note(struct writing *w)
{
	return each_record(w, RECORD_RESOLUTION, note_resolution);
}

int resolution_unfit(const struct writing *w, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	const uint64_t *last = map_get(w->last, conversation, strlen(conversation));

	if (!last || *last != r->created)
		return SKIP_SUPERSEDED;
	if (strcmp(body_string(r->body, "outcome"), "resolved") != 0)
		return SKIP_OUTCOME;
	return in_time(w, body_time(r->body, "at")) ? -1 : (int)SKIP_TIME;
}

json_t *from_resolution(const struct record *r)
{
	json_t *from = json_pack("{s:s, s:s, s:s, s:I}", "conversation", body_string(r->body, "conversation"),
				 "resolution", r->id, "at", body_string(r->body, "at"), "seq",
				 (json_int_t)r->created);

	if (from && (body_set(from, "case", body_string(r->body, "case")) < 0 ||
		     body_set(from, "intent", body_string(r->body, "intent")) < 0)) {
		json_decref(from);
		return NULL;
	}
	return from;
}

static int add_resolution(struct writing *w, struct arena *a, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	struct dataset_row row = { .kind = DATASET_ANSWERS,
				   .at = body_time(r->body, "at"),
				   .label = body_text(r->body, "intent") };
	struct said *turns = NULL;
	int why = resolution_unfit(w, r);

	if (why >= 0)
		return skip(w, (enum reason)why);
	int rc = load_turns(w, a, conversation, r->created, &turns, &row.n_turns);
	if (rc < 0)
		return rc;
	row.turns = turns;
	long messages = dataset_messages(a, turns, row.n_turns, body_text(r->body, "text"), &row.messages);
	if (messages < 0)
		return no_memory(w->err);
	if (messages == 0)
		return skip(w, SKIP_NOTHING_SAID);
	row.n_messages = (size_t)messages;
	const struct row_of of = { "conversation", conversation, row.at, conversation };
	return add_row(w, a, &row, &of, from_resolution(r));
}

int collect_answers(struct writing *w)
{
	int rc = resolutions_note(w);

	return rc < 0 ? rc : each_record(w, RECORD_RESOLUTION, add_resolution);
}
