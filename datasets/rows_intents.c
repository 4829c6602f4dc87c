/*
 * rows_intents.c: examples, with the label of their votes up to the mark. A
 * reviewer's vote holds against others; else the last one counts.
 *
 * Whoever votes puts the example with its new label in the same event, so an
 * example that nobody has put again has its first vote in its own record. Only
 * of others the votes are looked at: their record may be younger than the mark.
 * Votes from before an example was taken back and made again do not count.
 */
#include <string.h>

#include "datasets/dataset_internal.h"

#define VOTES_PAGE 100

struct vote {
	struct text label; /* s NULL: none */
	const char *by, *at;
	int64_t ms; /* of `at` */
};

static int is_by_qa(const char *by)
{
	return strcmp(by, "qa") == 0;
}

/* A vote, or the example that came with it. */
static struct vote vote_of(const json_t *body, const char *by)
{
	return (struct vote){ body_text(body, "label"), body_string(body, by), body_string(body, "at"),
			      body_time(body, "at") };
}

/* The one that counts, and each annotator's last. */
static int find_vote(struct writing *w, struct arena *a, const struct record *r, struct vote *out,
		     struct annotations *all)
{
	struct scan s = { .kind = RECORD_VOTE,
			  .field = { "example" },
			  .value = { r->id },
			  .at = w->mark,
			  .limit = VOTES_PAGE };
	struct vote v = { .by = "", .at = "" };
	size_t n;

	do {
		struct record *page;
		int rc = engine_scan(w->engine, &s, a, &page, &n, w->err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < n; i++) {
			struct vote next = vote_of(page[i].body, "by");
			if (page[i].created < r->created)
				continue;
			if (is_by_qa(next.by) || !is_by_qa(v.by))
				v = next;
			if (annotations_add(all, a, page[i].body) < 0)
				return no_memory(w->err);
		}
		if (n) {
			s.after = page[n - 1].created;
			s.after_id = page[n - 1].id;
		}
	} while (n == s.limit);
	*out = v;
	return 0;
}

static int add_example(struct writing *w, struct arena *a, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation");
	struct vote vote = vote_of(r->body, "origin");
	struct dataset_row row = { .kind = DATASET_INTENTS, .text = body_text(r->body, "text") };
	const int known = *conversation != '\0';
	struct annotations all = { 0 };
	int rc = r->changed == r->created ? annotations_add(&all, a, r->body)
					  : find_vote(w, a, r, &vote, &all);

	if (rc < 0)
		return rc;
	if (!row.text.s || !vote.label.s)
		return skip(w, SKIP_NOTHING_SAID);
	if (!in_time(w, vote.ms))
		return skip(w, SKIP_TIME);
	int why = votes_unfit(w, &all, vote.label);
	if (why >= 0)
		return skip(w, (enum reason)why);
	row.at = vote.ms;
	row.label = vote.label;
	const struct row_of of = { known ? "conversation" : NULL, known ? conversation : r->id, row.at,
				   r->id };
	json_t *from = json_pack("{s:s, s:s, s:s, s:s%, s:I}", "example", r->id, "origin", vote.by, "at",
				 vote.at, "label", row.label.s, row.label.n, "seq", (json_int_t)r->created);
	if (from && body_set(from, "conversation", conversation) < 0) {
		json_decref(from);
		from = NULL;
	}
	const size_t rows = w->rows;
	rc = add_row(w, a, &row, &of, from);
	/* Of rows that are withdrawn nothing is told. */
	return rc < 0 || w->rows == rows || !w->kept[rows].n ? rc : votes_note(w, &all);
}

int collect_intents(struct writing *w)
{
	int rc = w->filter ? resolutions_note(w) : 0;

	return rc < 0 ? rc : each_record(w, RECORD_EXAMPLE, add_example);
}
