/* model.c: the models that were trained, as the API shows them; learn/models.h. */
#include <string.h>

#include "base/arena.h"
#include "desk/bodies.h"
#include "learn/learner.h"
#include "learn/shadow.h"

#define MOST_LISTED 1000 /* more than are kept */

/* {"share","since","conversations","right","right_active","difference","interval"}; NULL without memory. */
static json_t *shadow_json(const json_t *shadow, const struct shadow_tally *t)
{
	json_t *j = json_deep_copy(shadow);
	double n = (double)t->n, half = 1.96 * t->error;
	int bad = !j || json_object_set_new(j, "conversations", json_integer((json_int_t)t->n)) < 0;

	if (!bad && t->n > 0)
		bad = json_object_set_new(j, "right", json_real((double)t->shadow_right / n)) < 0 ||
		      json_object_set_new(j, "right_active", json_real((double)t->active_right / n)) < 0 ||
		      json_object_set_new(j, "difference", json_real(t->difference)) < 0;
	if (!bad && t->n > 1)
		bad = json_object_set_new(j, "interval",
					  json_pack("[f, f]", t->difference - half, t->difference + half)) <
		      0;
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int add_shadow(struct desk *d, const struct record *r, json_t *j, struct error *e)
{
	const json_t *shadow = json_object_get(r->body, "shadow");
	uint64_t since = (uint64_t)json_integer_value(json_object_get(shadow, "since"));
	struct shadow_tally t;

	if (!shadow)
		return 0;
	int rc = shadow_count(d->engine, r->id, since, &t, e);
	if (rc < 0)
		return rc;
	return json_object_set_new(j, "shadow", shadow_json(shadow, &t)) < 0 ? no_memory(e) : 0;
}

/* New reference. */
static int model_json(struct desk *d, const struct record *r, json_t **out, struct error *e)
{
	json_t *j = json_pack("{s:s}", "id", r->id);
	int rc = 0;

	if (!j || json_object_update(j, r->body) < 0 || body_set_time(j, "trained_at", r->created_at) < 0)
		rc = no_memory(e);
	if (rc == 0)
		rc = add_shadow(d, r, j, e);
	if (rc < 0) {
		json_decref(j);
		return rc;
	}
	json_object_del(j, "counted");
	*out = j;
	return 0;
}

static int append_model(struct desk *d, const struct record *r, json_t *list, struct error *e)
{
	json_t *j;
	int rc = model_json(d, r, &j, e);

	return rc < 0 ? rc : json_array_append_new(list, j) < 0 ? no_memory(e) : 0;
}

int model_get(struct desk *d, const struct call *c, const char *id, json_t **out)
{
	struct record r;
	int rc = engine_find(d->engine, RECORD_MODEL, id, c->arena, &r, c->err);

	if (rc == 0)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such model");
	if (rc < 0)
		return rc;
	return model_json(d, &r, out, c->err);
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
		rc = append_model(d, &all[i], data, c->err);
	if (rc < 0)
		return rc;
	*out = data && now
		       ? json_pack("{s:s, s:O, s:O, s:b, s:s?}", "object", "list", "data", data,
				   "last_training", now, "has_more", 0, "last_id", n ? all[n - 1].id : NULL)
		       : NULL;
	return *out ? 0 : no_memory(c->err);
}

int model_shadow_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result)
{
	double share = 0;
	struct reader r;

	reader_init(&r, body, NULL, c->err);
	reader_number(&r, "share", OPTIONAL, 0, 1, &share);
	int rc = reader_done(&r);
	return rc < 0 ? rc : learner_shadow(d->learner, c, id, share, result);
}

int model_shadow_end_act(struct desk *d, const struct call *c, const char *id, json_t **result)
{
	return learner_shadow_end(d->learner, c, id, result);
}

int model_activate_act(struct desk *d, const struct call *c, const char *id, json_t **result)
{
	return learner_activate(d->learner, c, id, result);
}

int model_act_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	return model_get(d, c, body_string(result, "model"), out);
}
