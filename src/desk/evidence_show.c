#include <string.h>

#include "base/arena.h"
#include "desk/evidence.h"
#include "desk/handoff.h"
#include "desk/package.h"

/* The evidence asked for, if it is this handoff's. */
static int get_evidence(struct desk *d, const struct call *c, const struct record *handoff, const char *id,
			struct record *out)
{
	int rc = engine_get(d->engine, RECORD_EVIDENCE, id ? id : body_string(handoff->body, "evidence"),
			    c->arena, out, c->err);

	if (rc == ERR_NOT_FOUND || (rc == 0 && strcmp(body_string(out->body, "handoff"), handoff->id) != 0))
		return error_set(c->err, ERR_NOT_FOUND, "id", "id: this handoff has no such evidence");
	return rc;
}

/* What would be found today, of which the caller sees what he may. */
static int find_now(struct desk *d, const struct call *c, const struct record *handoff, json_t **out)
{
	const json_t *package = json_object_get(handoff->body, "package");
	struct evidence_found found;
	struct conversation v;
	JSON_AUTO *data = json_array();
	int rc = conversation_load(d, c, body_string(handoff->body, "conversation"), &v);

	if (rc < 0 || (rc = conversation_embed(d, c->arena, &v, c->err)) < 0)
		return rc;
	struct evidence_input in = { &v, package, body_string(handoff->body, "queue") };
	if ((rc = evidence_find(d, c, &in, &found)) < 0)
		return rc;
	for (size_t i = 0; data && i < found.n; i++) {
		const struct search_hit *h = &found.hits[i];
		int may = source_visible(d, c, evidence_kind(h->kind), h->record.id,
					 json_object_get(h->record.body, "acl"));
		if (may < 0)
			return may;
		json_t *j = may ? search_hit_json(h, 0) : NULL;
		if (may && (!j || body_set_int(j, "n", (int64_t)i + 1) < 0)) {
			json_decref(j);
			return no_memory(c->err);
		}
		if (may && json_array_append_new(data, j) < 0)
			return no_memory(c->err);
	}
	if (!data)
		return no_memory(c->err);
	*out = json_incref(data);
	return 0;
}

static const json_t *same_item(const json_t *list, const json_t *item)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);
		if (*body_string(item, "id") && strcmp(body_string(x, "id"), body_string(item, "id")) == 0 &&
		    strcmp(body_string(x, "kind"), body_string(item, "kind")) == 0)
			return x;
	}
	return NULL;
}

/* Does it say something else than it said? */
static int is_changed(const json_t *then, const json_t *now)
{
	static const char *const fields[] = { "version", "resolution", "outcome", "state" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(body_string(then, fields[i]), body_string(now, fields[i])) != 0)
			return 1;
	return 0;
}

static int add_change(json_t *changes, const json_t *item, const char *kind)
{
	return json_array_append_new(changes, json_pack("{s:s, s:s, s:s}", "id", body_string(item, "id"),
							"of", body_string(item, "kind"), "kind", kind));
}

static int compare(const json_t *then, const json_t *now, json_t *changes)
{
	for (size_t i = 0; i < json_array_size(then); i++) {
		const json_t *x = json_array_get(then, i), *y = same_item(now, x);
		int bad = 0;
		if (!*body_string(x, "id")) /* withheld: nothing is said of it */
			continue;
		if (!y)
			bad = add_change(changes, x, "gone");
		else if (is_changed(x, y))
			bad = add_change(changes, x, "changed");
		else if (body_int(x, "n") != body_int(y, "n"))
			bad = add_change(changes, x, "moved");
		if (bad < 0)
			return -1;
	}
	for (size_t i = 0; i < json_array_size(now); i++)
		if (!same_item(then, json_array_get(now, i)) &&
		    add_change(changes, json_array_get(now, i), "new") < 0)
			return -1;
	return 0;
}

int evidence_show(struct desk *d, const struct call *c, const char *handoff, const char *evidence,
		  int compare_now, json_t **out)
{
	JSON_AUTO *view = NULL;
	JSON_AUTO *now = NULL;
	struct record h, e;
	int rc = handoff_get(d, c, handoff, &h, NULL);

	if (rc < 0 || (rc = get_evidence(d, c, &h, evidence, &e)) < 0 ||
	    (rc = evidence_view(d, c, &e, &view)) < 0)
		return rc;
	if (!compare_now) {
		*out = json_incref(view);
		return 0;
	}
	if ((rc = find_now(d, c, &h, &now)) < 0)
		return rc;
	const json_t *then = json_object_get(view, "data");
	json_t *j = json_pack("{s:s, s:s, s:O, s:O, s:[]}", "id", e.id, "hash", body_string(e.body, "hash"),
			      "then", then, "now", now, "changes");
	if (!j || compare(then, now, json_object_get(j, "changes")) < 0) {
		json_decref(j);
		return no_memory(c->err);
	}
	*out = j;
	return 0;
}
