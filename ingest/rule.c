#include "ingest/rule.h"

#include <string.h>

#include "base/arena.h"
#include "engine/rules.h"

static int not_there(const struct call *c, const char *param)
{
	return error_set(c->err, ERR_NOT_FOUND, param,
			 param ? "%s: there is no such rule" : "there is no such rule", param);
}

static int check_room(struct desk *d, const struct call *c)
{
	struct scan s = { .kind = RECORD_RULE, .limit = RULES_MAX };
	struct record *all;
	size_t n;
	int rc = engine_scan(d->engine, &s, c->arena, &all, &n, c->err);

	if (rc == 0 && n >= RULES_MAX)
		rc = error_set(c->err, ERR_TOO_LARGE, NULL, "there are %d rules already: delete one first",
			       RULES_MAX);
	return rc;
}

/* The stream that all rules share, and the revision that it is expected at. */
static int commit(struct desk *d, const struct call *c, int64_t expect, const struct changes *cs, int status,
		  const json_t *result)
{
	struct event ev = { .stream = RULES_STREAM,
			    .expect = expect,
			    .kind = cs->list[0].body ? "rule.put" : "rule.deleted",
			    .changes = cs->list,
			    .n = cs->n };
	struct commit done;

	return call_commit(c, d->engine, &ev, status, result, &done);
}

/* Nothing changes; but a request with an Idempotency-Key leaves its answer. */
static int commit_nothing(struct desk *d, const struct call *c, const json_t *result)
{
	const char *stream = c->request ? stream_of(c->arena, "request", c->request) : NULL;
	struct event ev = { .stream = stream, .expect = ENGINE_ANY, .kind = "rule.unchanged" };
	struct commit done;

	if (!c->request)
		return 0;
	return stream ? call_commit(c, d->engine, &ev, 200, result, &done) : no_memory(c->err);
}

static int put_once(struct desk *d, const struct call *c, const struct rule *x, enum put_status *status,
		    json_t **result)
{
	static const char *const names[] = { "created", "updated", "unchanged" };
	struct changes cs = CHANGES_INIT(c->arena);
	struct record r = { 0 };
	int64_t expect;
	int rc = engine_revision(d->engine, RULES_STREAM, &expect, c->err), there;

	if (rc < 0 || (there = engine_find(d->engine, RECORD_RULE, x->id, c->arena, &r, c->err)) < 0)
		return rc < 0 ? rc : there;
	if ((rc = call_check_match(c, there ? r.revision : 0)) < 0 || (!there && (rc = check_room(d, c)) < 0))
		return rc;
	enum put_status s = !there ? PUT_CREATED : json_equal(r.body, x->body) ? PUT_UNCHANGED : PUT_UPDATED;
	int64_t revision = s == PUT_UNCHANGED ? r.revision : expect + 1;
	JSON_AUTO *res = json_pack("{s:s, s:I, s:s, s:b}", "rule", x->id, "revision", (json_int_t)revision,
				   "result", names[s], "created", s == PUT_CREATED);
	if (!res)
		return no_memory(c->err);
	changes_put(&cs, RECORD_RULE, x->id, NULL, x->body);
	if ((rc = changes_done(&cs, c->err)) < 0)
		return rc;
	rc = s == PUT_UNCHANGED ? commit_nothing(d, c, res)
				: commit(d, c, expect, &cs, s == PUT_CREATED ? 201 : 200, res);
	if (rc == 0 && status)
		*status = s;
	if (rc == 0 && result)
		*result = json_incref(res);
	return rc;
}

int rule_put(struct desk *d, const struct call *c, const struct rule *x, enum put_status *status,
	     json_t **result)
{
	struct retries y = retries_of(d->engine, RULES_STREAM);
	int rc = 0;

	while (retry(&y, rc))
		rc = put_once(d, c, x, status, result);
	return rc;
}

int rule_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result)
{
	struct rule x;
	int rc = rule_read(c, id, body, &x);

	return rc < 0 ? rc : rule_put(d, c, &x, NULL, result);
}

static int delete_once(struct desk *d, const struct call *c, const char *id, const json_t *result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct record r;
	int64_t expect;
	int rc = engine_revision(d->engine, RULES_STREAM, &expect, c->err);

	if (rc < 0 || (rc = engine_find(d->engine, RECORD_RULE, id, c->arena, &r, c->err)) < 0)
		return rc;
	if (rc == 0)
		return not_there(c, NULL);
	if ((rc = call_check_match(c, r.revision)) < 0)
		return rc;
	changes_delete(&cs, RECORD_RULE, id);
	rc = changes_done(&cs, c->err);
	return rc < 0 ? rc : commit(d, c, expect, &cs, 200, result);
}

int rule_delete_act(struct desk *d, const struct call *c, const char *id, json_t **result)
{
	struct retries y = retries_of(d->engine, RULES_STREAM);
	JSON_AUTO *res = json_pack("{s:s}", "id", id);
	int rc = 0;

	if (!res)
		return no_memory(c->err);
	while (retry(&y, rc))
		rc = delete_once(d, c, id, res);
	if (rc == 0)
		*result = json_incref(res);
	return rc;
}

/* --- reading ------------------------------------------------------------------------------------------ */

int rule_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	(void)d;
	json_t *j = json_pack("{s:O, s:O, s:O}", "id", json_object_get(result, "rule"), "revision",
			      json_object_get(result, "revision"), "result",
			      json_object_get(result, "result"));
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}

/* New reference to a rule as it was put, with its id, revision and time; NULL without memory. */
static json_t *rule_json(const struct record *r)
{
	json_t *j = json_pack("{s:s}", "id", r->id);

	if (!j || json_object_update(j, r->body) < 0 || body_set_int(j, "revision", r->revision) < 0 ||
	    body_set_time(j, "updated_at", r->changed_at) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

int rule_get(struct desk *d, const struct call *c, const char *id, json_t **out)
{
	struct record r;
	int rc = engine_find(d->engine, RECORD_RULE, id, c->arena, &r, c->err);

	if (rc <= 0)
		return rc < 0 ? rc : not_there(c, NULL);
	*out = rule_json(&r);
	return *out ? 0 : no_memory(c->err);
}

int rule_list(struct desk *d, const struct call *c, struct text after, size_t limit, json_t **out)
{
	struct scan s = { .kind = RECORD_RULE, .limit = limit + 1 };
	JSON_AUTO *data = json_array();
	struct record *page, last = { 0 };
	size_t n, shown;
	int rc;

	if (after.s) {
		const char *id = text_copy(c->arena, after);
		rc = id ? engine_find(d->engine, RECORD_RULE, id, c->arena, &last, c->err)
			: no_memory(c->err);
		if (rc <= 0)
			return rc < 0 ? rc : not_there(c, "after");
		s.after = last.created;
		s.after_id = last.id;
	}
	if ((rc = engine_scan(d->engine, &s, c->arena, &page, &n, c->err)) < 0)
		return rc;
	shown = n < limit ? n : limit;
	for (size_t i = 0; data && i < shown; i++)
		if (json_array_append_new(data, rule_json(&page[i])) < 0)
			return no_memory(c->err);
	*out = data ? json_pack("{s:s, s:O, s:b, s:s?}", "object", "list", "data", data, "has_more",
				n > limit, "last_id", shown ? page[shown - 1].id : NULL)
		    : NULL;
	return *out ? 0 : no_memory(c->err);
}
