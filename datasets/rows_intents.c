/*
 * rows_intents.c: examples, with the label of their votes: an example's own
 * record has the latest label, which may be younger than the mark. A
 * reviewer's vote holds against others; else the last one counts.
 */
#include <string.h>

#include "datasets/dataset_internal.h"

/* What w->votes has of an example: the label's number, whether it is a reviewer's, and a bit that says it is there. */
#define VOTE(label, by_qa) ((uint64_t)(label) << 2 | (uint64_t)(by_qa) << 1 | 1)

static int note_vote(struct writing *w, struct arena *a, const struct record *r)
{
	struct text example = body_text(r->body, "example"), label = body_text(r->body, "label");
	uint64_t by_qa = strcmp(body_string(r->body, "by"), "qa") == 0;

	(void)a;
	if (!example.s || !label.s)
		return 0;
	uint64_t *vote = map_put(w->votes, example.s, example.n, NULL);
	long number = vote ? label_number(w, label) : -1;
	if (number < 0)
		return no_memory(w->err);
	if (by_qa || !(*vote & 2))
		*vote = VOTE(number, by_qa);
	return 0;
}

static int add_example(struct writing *w, struct arena *a, const struct record *r)
{
	const uint64_t *vote = map_get(w->votes, r->id, strlen(r->id));
	const char *conversation = body_string(r->body, "conversation");
	struct dataset_row row = { .kind = DATASET_INTENTS,
				   .at = body_time(r->body, "at"),
				   .text = body_text(r->body, "text") };
	const int known = *conversation != '\0';
	const struct row_of of = { known ? "conversation" : "example", known ? conversation : r->id, row.at,
				   r->id };

	if (!row.text.s || !vote)
		return skip(w, SKIP_NOTHING_SAID);
	if (!in_time(w, row.at))
		return skip(w, SKIP_TIME);
	row.label = w->labels[*vote >> 2].name;
	json_t *from = json_pack("{s:s, s:s, s:s, s:s%}", "example", r->id, "origin",
				 body_string(r->body, "origin"), "at", body_string(r->body, "at"), "label",
				 row.label.s, row.label.n);
	if (from && body_set(from, "conversation", conversation) < 0) {
		json_decref(from);
		from = NULL;
	}
	return add_row(w, a, &row, &of, from);
}

int collect_intents(struct writing *w)
{
	int rc = each_record(w, RECORD_VOTE, note_vote);

	return rc < 0 ? rc : each_record(w, RECORD_EXAMPLE, add_example);
}
