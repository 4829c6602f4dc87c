/*
 * rows_retrieval.c: what was asked, the documents that resolved it, and those
 * of the recorded evidence that were shown and not used. The question is the
 * conversation's opening, which is what readback itself learns from.
 */
#include <string.h>

#include "datasets/dataset_internal.h"
#include "desk/conversation.h"

/* The opening of what was said; s NULL when no customer has spoken. */
static int find_question(struct writing *w, struct arena *a, const struct record *r, struct text *out)
{
	struct conversation v = { 0 };
	struct said *turns = NULL;
	int rc = load_turns(w, a, body_string(r->body, "conversation"), r->created, &turns, &v.n_turns);

	if (rc < 0)
		return rc;
	v.turns = arena_alloc(a, (v.n_turns + 1) * sizeof(*v.turns));
	if (!v.turns)
		return no_memory(w->err);
	for (size_t i = 0; i < v.n_turns; i++)
		v.turns[i] = (struct turn){ .role = turns[i].role, .text = turns[i].text };
	*out = conversation_opening(a, &v);
	return 0;
}

/* The items that were shown when it was handed off, NULL: none. */
static int find_shown(struct writing *w, struct arena *a, const struct record *r, const json_t **out,
		      const char **evidence)
{
	struct record handoff, shown;
	const char *id = body_string(r->body, "handoff");
	int rc = *id ? engine_find(w->engine, RECORD_HANDOFF, id, a, &handoff, w->err) : 0;

	*out = NULL;
	*evidence = "";
	if (rc <= 0)
		return rc;
	*evidence = body_string(handoff.body, "evidence");
	rc = engine_find(w->engine, RECORD_EVIDENCE, *evidence, a, &shown, w->err);
	if (rc > 0)
		*out = json_object_get(shown.body, "items");
	return rc;
}

static int is_listed(const json_t *list, const char *id)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));
		if (one && strcmp(one, id) == 0)
			return 1;
	}
	return 0;
}

static int is_in(const struct passage *list, size_t n, const char *id)
{
	while (n > 0 && strcmp(list[n - 1].id, id) != 0)
		n--;
	return n > 0;
}

/* Documents that were used; each once. */
static int add_positives(struct writing *w, struct arena *a, const json_t *used, struct dataset_row *row)
{
	struct passage *list = arena_alloc(a, (json_array_size(used) + 1) * sizeof(*list));
	size_t n = 0;

	if (!list)
		return no_memory(w->err);
	for (size_t i = 0; i < json_array_size(used); i++) {
		const char *id = json_string_value(json_array_get(used, i));
		if (id && !is_in(list, n, id) && documents_use(w->documents, id))
			list[n++].id = id;
	}
	row->positives = list;
	row->n_positives = n;
	return 0;
}

/* The passage of an item as it was shown; s NULL where it was erased. */
static int shown_text(struct writing *w, struct arena *a, const json_t *item, struct text *out)
{
	struct text stored = body_text(item, "text");
	json_t *hit = NULL;
	int rc = stored.s ? json_parse_arena(a, stored.s, stored.n, w->err, &hit) : 0;

	*out = hit ? body_text(hit, "text") : (struct text){ NULL, 0 };
	return rc;
}

/* Documents that were shown, by rank: those that were not used, and the passages of all. */
static int add_shown(struct writing *w, struct arena *a, const json_t *items, const json_t *used,
		     struct dataset_row *row)
{
	struct passage *list = arena_alloc(a, (json_array_size(items) + 1) * sizeof(*list));
	struct text *contexts = arena_alloc(a, (json_array_size(items) + 1) * sizeof(*contexts));
	size_t n = 0, shown = 0;
	int rc = list && contexts ? 0 : no_memory(w->err);

	for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *id = body_string(item, "id");
		if (strcmp(body_string(item, "kind"), "document") != 0)
			continue;
		if (!is_listed(used, id) && documents_use(w->documents, id))
			list[n++].id = id;
		if (w->o->format->flags & FORMAT_CONTEXTS)
			rc = shown_text(w, a, item, &contexts[shown]);
		shown += contexts[shown].s != NULL;
	}
	row->negatives = list;
	row->n_negatives = n;
	row->contexts = contexts;
	row->n_contexts = shown;
	return rc;
}

static int add_resolution(struct writing *w, struct arena *a, const struct record *r)
{
	const char *conversation = body_string(r->body, "conversation"), *evidence = "";
	const json_t *used = json_object_get(r->body, "evidence_used"), *items = NULL;
	struct dataset_row row = { .kind = DATASET_RETRIEVAL,
				   .at = body_time(r->body, "at"),
				   .answer = body_text(r->body, "text") };
	const struct row_of of = { "conversation", conversation, row.at, conversation };
	int why = resolution_unfit(w, r);

	if (why >= 0)
		return skip(w, (enum reason)why);
	int rc = add_positives(w, a, used, &row);
	if (rc < 0 || row.n_positives == 0)
		return rc < 0 ? rc : skip(w, SKIP_NO_EVIDENCE);
	if ((rc = find_question(w, a, r, &row.text)) < 0 || !row.text.s)
		return rc < 0 ? rc : skip(w, SKIP_NOTHING_SAID);
	if ((rc = find_shown(w, a, r, &items, &evidence)) < 0 ||
	    (rc = add_shown(w, a, items, used, &row)) < 0)
		return rc;
	json_t *from = from_resolution(r);
	if (from && (body_set(from, "handoff", body_string(r->body, "handoff")) < 0 ||
		     body_set(from, "evidence", evidence) < 0)) {
		json_decref(from);
		from = NULL;
	}
	return add_row(w, a, &row, &of, from);
}

int collect_retrieval(struct writing *w)
{
	int rc = resolutions_note(w);

	return rc < 0 ? rc : each_record(w, RECORD_RESOLUTION, add_resolution);
}
