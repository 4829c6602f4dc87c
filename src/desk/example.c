#include "desk/example.h"

#include "base/arena.h"

const char *example_id(struct arena *a, const char *conversation, int n)
{
	return arena_printf(a, "%s/example/%d", conversation, n);
}

static json_t *example_body(struct arena *a, const struct example *x)
{
	json_t *body = body_new(a);

	if (!body || body_set(body, "conversation", x->conversation) < 0 ||
	    body_set(body, "case", x->case_id) < 0 || body_set_text(body, "label", x->label) < 0 ||
	    body_set_text(body, "text", x->text) < 0 || body_set(body, "origin", x->origin) < 0 ||
	    body_set_time(body, "at", x->at) < 0 ||
	    (x->acl && !json_is_null(x->acl) && body_set_copy(body, "acl", x->acl) < 0) ||
	    (x->contested && body_set_bool(body, "contested", 1) < 0) ||
	    body_set_bool(body, "backed", x->backed) < 0 || body_set(body, "principal", x->principal) < 0 ||
	    body_set(body, "agent", x->agent) < 0 || body_set(body, "imported", x->imported) < 0)
		return NULL;
	return body;
}

/* How it is found. */
static const struct entry *example_entry(struct arena *a, const struct example *x, const json_t *body)
{
	struct entry *en = arena_alloc(a, sizeof(*en));
	struct entry_row *row = arena_alloc(a, sizeof(*row));
	struct tags tags = { .arena = a };

	tags_string(&tags, "label", body_string(body, "label"));
	tags_string(&tags, "origin", body_string(body, "origin"));
	if (!en || !row || tags.failed)
		return NULL;
	*row = (struct entry_row){ .field = ROW_WHOLE, .end = x->text.n, .vector = x->vector };
	*en = (struct entry){ .text = x->text,
			      .rows = row,
			      .n_rows = 1,
			      .acl = json_object_get(body, "acl"),
			      .tags = tags.list,
			      .n_tags = tags.n };
	return en;
}

void example_put(struct changes *cs, const struct example *x)
{
	json_t *body = example_body(cs->arena, x);
	struct change *put = changes_put(cs, RECORD_EXAMPLE, x->id, x->subject, body);

	put->entry = example_entry(cs->arena, x, body);
	cs->failed |= !put->entry;
}

void vote_put(struct changes *cs, const char *id, const struct example *x)
{
	json_t *body = body_new(cs->arena);

	if (!body || body_set(body, "example", x->id) < 0 ||
	    body_set(body, "conversation", x->conversation) < 0 ||
	    body_set_text(body, "label", x->label) < 0 || body_set(body, "by", x->origin) < 0 ||
	    body_set(body, "principal", x->principal) < 0 || body_set(body, "agent", x->agent) < 0 ||
	    body_set_time(body, "at", x->at) < 0)
		body = NULL;
	changes_put(cs, RECORD_VOTE, id, x->subject, body);
}
