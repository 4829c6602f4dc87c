/*
 * rows_preferences.c: what the bot would have answered, from the package of a
 * handoff, against what the agent sent in its place. Both were written upon
 * the same words: where the customer said more before the agent answered, there
 * is no pair. A draft that a later handoff carries on is of the first one.
 */
#include <string.h>

#include "datasets/dataset_internal.h"
#include "text/fold.h"

static struct text draft_of(const json_t *handoff)
{
	const json_t *bot = json_object_get(json_object_get(handoff, "package"), "bot");

	return body_text(json_object_get(bot, "value"), "draft_answer");
}

/* 1: the handoff before this one had the same draft; 0, or an error. */
static int is_carried_on(struct writing *w, struct arena *a, const struct record *r, struct text draft)
{
	const char *before = body_string(r->body, "previous");
	struct record previous;

	if (!*before)
		return 0;
	int found = engine_find(w->engine, RECORD_HANDOFF, before, a, &previous, w->err);
	if (found <= 0)
		return found;
	struct text other = draft_of(previous.body);
	return other.s && other.n == draft.n && memcmp(other.s, draft.s, draft.n) == 0;
}

/* The words alone: without case and accents, with single spaces. */
static void add_plain(struct strbuf *out, struct text t)
{
	STRBUF_AUTO line = STRBUF_INIT;

	put_one_line(&line, t);
	fold_text(line.p ? line.p : "", line.n, out);
	out->failed |= line.failed;
}

/* 1 or 0; -1 without memory. */
static int says_the_same(struct text x, struct text y)
{
	STRBUF_AUTO a = STRBUF_INIT, b = STRBUF_INIT;

	add_plain(&a, x);
	add_plain(&b, y);
	if (a.failed || b.failed)
		return -1;
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The first turn behind the handoff. History comes in one event, so there the times tell. */
static size_t handed_off_at(const struct record *handoff, const struct said *turns, size_t n)
{
	int64_t at = body_time(handoff->body, "created_at");
	size_t i = 0;

	while (i < n && (turns[i].created < handoff->created ||
			 (turns[i].created == handoff->created && turns[i].at <= at)))
		i++;
	return i;
}

/* The row of the handoff, or the reason why there is none in *why. */
static int make_row(struct writing *w, struct arena *a, const struct record *r, struct dataset_row *row,
		    int *why)
{
	struct said *turns = NULL;
	struct text more = { NULL, 0 };
	size_t n = 0;
	int rc = load_turns(w, a, body_string(r->body, "conversation"), w->mark, &turns, &n);

	if (rc < 0)
		return rc;
	size_t from = handed_off_at(r, turns, n);
	long messages = dataset_prompt(a, turns, from, &row->messages);
	if (messages < 0 || dataset_answer(a, turns, n, from, ROLE_USER, &more) < 0 ||
	    dataset_answer(a, turns, n, from, ROLE_ASSISTANT, &row->chosen) < 0)
		return no_memory(w->err);
	row->n_messages = (size_t)messages;
	if (more.s)
		*why = SKIP_OTHER_QUESTION;
	else if (!row->chosen.s)
		*why = SKIP_NO_ANSWER;
	else if (messages == 0)
		*why = SKIP_NOTHING_SAID;
	else if ((rc = says_the_same(row->chosen, row->rejected)) < 0)
		return no_memory(w->err);
	else if (rc)
		*why = SKIP_SAME_ANSWER;
	return 0;
}

static int add_handoff(struct writing *w, struct arena *a, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	struct dataset_row row = { .kind = DATASET_PREFERENCES,
				   .at = body_time(r->body, "created_at"),
				   .rejected = draft_of(r->body) };
	const struct row_of of = { "conversation", conversation, row.at, r->id };
	int why = -1;

	if (!row.rejected.s || strspn(row.rejected.s, " \t\r\n") >= row.rejected.n)
		return skip(w, SKIP_NO_DRAFT);
	if (!in_time(w, row.at))
		return skip(w, SKIP_TIME);
	int carried = is_carried_on(w, a, r, row.rejected);
	if (carried)
		return carried < 0 ? carried : skip(w, SKIP_SUPERSEDED);
	int rc = make_row(w, a, r, &row, &why);
	if (rc < 0 || why >= 0)
		return rc < 0 ? rc : skip(w, (enum reason)why);
	return add_row(w, a, &row, &of,
		       json_pack("{s:s, s:s, s:s, s:I}", "conversation", conversation, "handoff", r->id, "at",
				 body_string(r->body, "created_at"), "seq", (json_int_t)r->created));
}

int collect_preferences(struct writing *w)
{
	int rc = w->filter ? resolutions_note(w) : 0;

	return rc < 0 ? rc : each_record(w, RECORD_HANDOFF, add_handoff);
}
