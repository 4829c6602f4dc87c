#include <string.h>

#include "base/arena.h"
#include "desk/brief.h"
#include "desk/evidence.h"
#include "desk/handoff.h"
#include "desk/package.h"

#define PAGE 100

static int set_links(json_t *out, const char *id, const char *conversation, struct arena *a)
{
	const char *self = arena_printf(a, "/v1/handoffs/%s", id);
	json_t *j = self ? json_pack("{s:s, s:s+, s:s+, s:s+, s:s+, s:s+, s:s+}", "self", self, "evidence",
				     self, "/evidence", "brief", self, "/brief", "readback", self,
				     "/readback", "resolution", self, "/resolution", "return", self,
				     "/return", "conversation", "/v1/conversations/", conversation)
			 : NULL;

	return body_set_take(out, "links", j);
}

/* What is said of a handoff wherever it is shown. */
static int set_head(json_t *out, const struct record *h, int64_t revision)
{
	const json_t *b = h->body;
	static const char *const same[] = { "state",    "queue",      "priority",   "previous",
					    "next",     "created_at", "read_back",  "read_back_at",
					    "override", "resolution", "returned_at" };

	if (body_set(out, "id", h->id) < 0 ||
	    body_set(out, "conversation_id", body_string(b, "conversation")) < 0 ||
	    body_set_int(out, "revision", revision) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (body_set_copy(out, same[i], json_object_get(b, same[i])) < 0)
			return -1;
	return 0;
}

int handoff_show(struct desk *d, const struct call *c, const char *id, json_t **out)
{
	struct record h, v, e;
	json_t *evidence = NULL, *brief = NULL;
	JSON_AUTO *j = json_object();
	int rc = handoff_get(d, c, id, &h, &v);

	if (rc < 0)
		return rc;
	if ((rc = engine_get(d->engine, RECORD_EVIDENCE, body_string(h.body, "evidence"), c->arena, &e,
			     c->err)) < 0)
		return rc;
	if (!j || set_head(j, &h, v.revision) < 0 || set_links(j, h.id, v.id, c->arena) < 0 ||
	    body_set_copy(j, "package", json_object_get(h.body, "package")) < 0)
		return no_memory(c->err);
	if ((rc = evidence_view(d, c, &e, &evidence)) < 0)
		return rc;
	if (body_set_take(j, "evidence", evidence) < 0)
		return no_memory(c->err);
	if ((rc = brief_view(d, c, &e, 0, &brief)) < 0)
		return rc;
	if (body_set_take(j, "brief", brief) < 0)
		return no_memory(c->err);
	*out = json_incref(j);
	return 0;
}

/* A line of the list; 0 when the caller may not see it, 1 when it was added. */
static int add_line(struct desk *d, const struct call *c, const struct record *h, json_t *data)
{
	const json_t *package = json_object_get(h->body, "package");
	struct record v;
	int rc = engine_get(d->engine, RECORD_CONVERSATION, body_string(h->body, "conversation"), c->arena,
			    &v, c->err);

	if (rc == ERR_NOT_FOUND || (rc == 0 && !conversation_visible(c->rights, v.body)))
		return 0;
	if (rc < 0)
		return rc;
	json_t *j = json_object();
	if (!j || json_array_append_new(data, j) < 0 || set_head(j, h, v.revision) < 0 ||
	    body_set_copy(j, "trigger", package_value(package, "trigger")) < 0 ||
	    body_set_copy(j, "reason", package_value(package, "reason")) < 0 ||
	    body_set_copy(j, "intent", package_value(package, "intent")) < 0 ||
	    body_set_copy(j, "customer", package_value(package, "identity")) < 0)
		return no_memory(c->err);
	return 1;
}

/* Where a list goes on: the record that `after` names. */
static int set_after(struct desk *d, const struct call *c, struct text after, struct scan *s)
{
	struct record h;
	const char *id = text_copy(c->arena, after);

	if (!after.s)
		return 0;
	if (!id)
		return no_memory(c->err);
	int rc = handoff_get(d, c, id, &h, NULL);
	if (rc == ERR_NOT_FOUND)
		return error_set(c->err, ERR_NOT_FOUND, "after", "after: there is no such handoff");
	if (rc < 0)
		return rc;
	s->after = h.created;
	s->after_id = h.id;
	return 0;
}

static int set_equal(const struct call *c, struct scan *s, const char *field, struct text value)
{
	int i = s->field[0] != NULL;

	if (!value.s)
		return 0;
	s->field[i] = field;
	s->value[i] = text_copy(c->arena, value);
	return s->value[i] ? 0 : no_memory(c->err);
}

/* One page of the scan, `c` with an arena of its own: 1 when there is no more to look at. */
static int fill_page(struct desk *d, const struct call *c, struct scan *s, size_t limit, json_t *data,
		     int *more, struct arena *keep)
{
	struct record *page;
	size_t n;
	int rc = engine_scan(d->engine, s, c->arena, &page, &n, c->err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if ((rc = add_line(d, c, &page[i], data)) < 0)
			return rc;
		if (json_array_size(data) > limit) {
			*more = 1;
			json_array_remove(data, limit);
			return 1;
		}
	}
	if (n < s->limit)
		return 1;
	s->after = page[n - 1].created;
	s->after_id = arena_strdup(keep, page[n - 1].id);
	return s->after_id ? 0 : no_memory(c->err);
}

/*
 * Fills `data` up to `limit` from the scan on; *more tells whether there is
 * another that the caller may see. What is passed over does not stay in memory.
 */
static int fill_list(struct desk *d, const struct call *c, struct scan *s, size_t limit, json_t *data,
		     int *more)
{
	struct call page = *c;
	int rc;

	do {
		page.arena = arena_new(1 << 16);
		rc = page.arena ? fill_page(d, &page, s, limit, data, more, c->arena) : no_memory(c->err);
		arena_free(page.arena);
	} while (rc == 0);
	return rc < 0 ? rc : 0;
}

int handoff_list(struct desk *d, const struct call *c, struct text state, struct text queue,
		 struct text after, size_t limit, json_t **out)
{
	struct scan s = { .kind = RECORD_HANDOFF, .limit = PAGE };
	JSON_AUTO *data = json_array();
	int more = 0, rc;

	if (!data)
		return no_memory(c->err);
	if ((rc = set_equal(c, &s, "state", state)) < 0 || (rc = set_equal(c, &s, "queue", queue)) < 0 ||
	    (rc = set_after(d, c, after, &s)) < 0 || (rc = fill_list(d, c, &s, limit, data, &more)) < 0)
		return rc;
	const json_t *last = json_array_get(data, json_array_size(data) - 1);
	json_t *j = json_pack("{s:s, s:O, s:b, s:s?}", "object", "list", "data", data, "has_more", more,
			      "last_id", json_string_value(json_object_get(last, "id")));
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
