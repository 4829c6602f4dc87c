/* model.c: the models that were trained, as the API shows them; learn/models.h. */
#include <string.h>

#include "base/arena.h"
#include "desk/bodies.h"
#include "learn/learner.h"

#define MOST_LISTED 1000 /* more than are kept */

/* New reference; NULL without memory. */
static json_t *model_json(const struct record *r)
{
	json_t *j = json_pack("{s:s}", "id", r->id);

	if (!j || json_object_update(j, r->body) < 0 || body_set_time(j, "trained_at", r->created_at) < 0) {
		json_decref(j);
		return NULL;
	}
	json_object_del(j, "counted");
	return j;
}

int model_get(struct desk *d, const struct call *c, const char *id, json_t **out)
{
	struct record r;
	int rc = engine_find(d->engine, RECORD_MODEL, id, c->arena, &r, c->err);

	if (rc == 0)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such model");
	if (rc < 0)
		return rc;
	*out = model_json(&r);
	return *out ? 0 : no_memory(c->err);
}

int model_list(struct desk *d, const struct call *c, struct text type, json_t **out)
{
	struct scan s = { .kind = RECORD_MODEL, .limit = MOST_LISTED, .newest_first = 1 };
	JSON_AUTO *data = json_array();
	JSON_AUTO *now = d->learner ? learner_facts(d->learner) : json_object();
	struct record *all;
	size_t n;

	if (type.s) {
		s.field[0] = "type";
		s.value[0] = text_copy(c->arena, type);
		if (!s.value[0])
			return no_memory(c->err);
	}
	int rc = engine_scan(d->engine, &s, c->arena, &all, &n, c->err);
	for (size_t i = 0; rc == 0 && data && i < n; i++)
		if (json_array_append_new(data, model_json(&all[i])) < 0)
			return no_memory(c->err);
	if (rc < 0)
		return rc;
	*out = data && now
		       ? json_pack("{s:s, s:O, s:O, s:b, s:s?}", "object", "list", "data", data,
				   "last_training", now, "has_more", 0, "last_id", n ? all[n - 1].id : NULL)
		       : NULL;
	return *out ? 0 : no_memory(c->err);
}

int model_activate_act(struct desk *d, const struct call *c, const char *id, json_t **result)
{
	return learner_activate(d->learner, c, id, result);
}

int model_activate_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	return model_get(d, c, body_string(result, "model"), out);
}
