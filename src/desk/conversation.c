#include "desk/audit.h"
#include "desk/conversation.h"

#include "base/arena.h"

#define LIST_LIMIT 20
#define LIST_MAX 200
#define LIST_PAGE 200

static int create(struct desk *d, const struct call *c, struct conversation *v, json_t *result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct commit done;
	int rc = conversation_check_new(d, c, v);

	if (rc < 0 || (rc = conversation_changes(v, &cs, c->err)) < 0 || (rc = audit_draw(d, c, v, &cs)) < 0)
		return rc;
	return conversation_commit(d, c, v, &cs, "conversation.created", 0, 201, result, &done);
}

int conversation_act(struct desk *d, const struct call *c, json_t *body, json_t **result)
{
	struct conversation v;
	struct reader r;
	int rc;

	reader_init(&r, body, NULL, c->err);
	if ((rc = conversation_read(c, &r, &v)) < 0 || (rc = reader_done(&r)) < 0 ||
	    (rc = conversation_embed(d, c->arena, &v, c->err)) < 0)
		return rc;
	JSON_AUTO *res = json_pack("{s:s}", "conversation", v.id);
	if (!res)
		return no_memory(c->err);
	struct retries y = retries_of(d->engine, v.id);
	while (retry(&y, rc))
		rc = create(d, c, &v, res);
	if (rc < 0)
		return rc;
	*result = json_incref(res);
	return 0;
}

int conversation_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	struct conversation v;
	int rc = conversation_load(d, c, body_string(result, "conversation"), &v);

	if (rc < 0)
		return rc;
	json_t *j = conversation_json(&v);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}

/* A page of the list under way. */
struct list {
	json_t *data; /* of those that the caller may see */
	int has_more;
};

static int list_add(struct list *l, const struct call *c, const struct record *r, size_t limit)
{
	if (!conversation_visible(c->rights, r->body))
		return 0;
	if (json_array_size(l->data) == limit) {
		l->has_more = 1;
		return 0;
	}
	if (json_array_append_new(l->data, conversation_head_json(r->id, r->revision, r->body)) < 0)
		return no_memory(c->err);
	return 0;
}

/* One page of the scan, in an arena of its own: 1 when there is no more to look at. */
static int list_page(struct desk *d, const struct call *c, struct scan *s, size_t limit, struct list *l,
		     struct arena *a)
{
	struct record *page;
	size_t n;
	int rc = engine_scan(d->engine, s, a, &page, &n, c->err);

	for (size_t i = 0; rc == 0 && i < n && !l->has_more; i++)
		rc = list_add(l, c, &page[i], limit);
	if (rc < 0)
		return rc;
	if (n < s->limit || l->has_more)
		return 1;
	s->after = page[n - 1].created;
	s->after_id = arena_strdup(c->arena, page[n - 1].id);
	return s->after_id ? 0 : no_memory(c->err);
}

/* What is passed over does not stay in memory. */
static int list_fill(struct desk *d, const struct call *c, struct scan *s, size_t limit, struct list *l)
{
	int rc;

	do {
		struct arena *a = arena_new(1 << 16);
		rc = a ? list_page(d, c, s, limit, l, a) : no_memory(c->err);
		arena_free(a);
	} while (rc == 0);
	return rc < 0 ? rc : 0;
}

/* Where a list goes on: behind the record `after`, which the caller must see as in the list itself. */
static int list_start(struct desk *d, const struct call *c, struct text after, struct scan *s)
{
	struct record r;

	if (!after.s)
		return 0;
	const char *id = text_copy(c->arena, after);
	if (!id)
		return no_memory(c->err);
	int rc = engine_get(d->engine, RECORD_CONVERSATION, id, c->arena, &r, c->err);
	if (rc == ERR_NOT_FOUND || (rc == 0 && !conversation_visible(c->rights, r.body)))
		return error_set(c->err, ERR_NOT_FOUND, "after", "after: is not the id of a conversation");
	if (rc < 0)
		return rc;
	s->after = r.created;
	s->after_id = r.id;
	return 0;
}

int conversation_list(struct desk *d, const struct call *c, struct text customer, struct text after,
		      size_t limit, json_t **out)
{
	struct scan s = { .kind = RECORD_CONVERSATION, .limit = LIST_PAGE };
	struct list l = { 0 };
	int rc;

	if (limit == 0)
		limit = LIST_LIMIT;
	if (limit > LIST_MAX)
		return error_set(c->err, ERR_BAD_VALUE, "limit", "limit: must be from 1 to %d", LIST_MAX);
	if (customer.s) {
		s.field[0] = "customer";
		s.value[0] = text_copy(c->arena, customer);
		if (!s.value[0])
			return no_memory(c->err);
	}
	if ((rc = list_start(d, c, after, &s)) < 0)
		return rc;
	JSON_AUTO *data = json_array();
	l.data = data;
	if (!data)
		return no_memory(c->err);
	if ((rc = list_fill(d, c, &s, limit, &l)) < 0)
		return rc;
	const json_t *last = json_array_get(data, json_array_size(data) - 1);
	json_t *j = json_pack("{s:s, s:O, s:b, s:s?}", "object", "list", "data", data, "has_more", l.has_more,
			      "last_id", json_string_value(json_object_get(last, "id")));
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
