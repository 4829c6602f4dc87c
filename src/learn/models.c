#include "learn/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define SUFFIX ".model"
#define MOST_READ 200 /* records of a type: more than are ever kept */
#define MOST_CHANGES (MOST_READ + 2)

struct models {
	struct engine *engine;
	char *folder;
};

/* What an event is to change, under construction. */
struct edit {
	struct models *models;
	struct arena *arena;
	struct error *err;
	struct record *all; /* of the type, oldest first */
	size_t n;
	int64_t expect;
	struct change list[MOST_CHANGES];
	size_t n_changes;
};

static const char *string_of(const json_t *body, const char *name)
{
	const char *s = json_string_value(json_object_get(body, name));

	return s ? s : "";
}

static int is_state(const struct record *r, const char *state)
{
	return strcmp(string_of(r->body, "state"), state) == 0;
}

static int has_file(const struct record *r)
{
	return *string_of(r->body, "hash") != '\0';
}

static const char *path_of(const struct models *m, struct arena *a, const char *id)
{
	return arena_printf(a, "%s/%s" SUFFIX, m->folder, id);
}

/* --- the folder -------------------------------------------------------------------------------------------- */

/* 1: its record wants the file; 0: not. */
static int is_wanted(struct models *m, struct arena *a, const char *id, struct error *e)
{
	struct record r;
	int rc = id ? engine_find(m->engine, RECORD_MODEL, id, a, &r, e) : no_memory(e);

	return rc > 0 ? has_file(&r) : rc;
}

static int sweep(struct models *m, struct arena *a, const char *name, struct error *e)
{
	size_t n = strlen(name), k = strlen(SUFFIX);
	const char *path = arena_printf(a, "%s/%s", m->folder, name);

	/* What has another name is a write that was cut off. */
	if (n > k && strcmp(name + n - k, SUFFIX) == 0) {
		int rc = is_wanted(m, a, arena_strndup(a, name, n - k), e);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return path ? file_remove(path, e) : no_memory(e);
}

static int sweep_all(struct models *m, struct error *e)
{
	struct arena *a = arena_new(4096);
	char **names = NULL;
	size_t n = 0;
	int rc = a ? folder_make(m->folder, e) : no_memory(e);

	if (rc == 0)
		rc = folder_list(m->folder, &names, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = sweep(m, a, names[i], e);
	free(names);
	arena_free(a);
	return rc;
}

int models_open(struct engine *g, const char *folder, int read_only, struct models **out, struct error *e)
{
	struct models *m = calloc(1, sizeof(*m));

	if (!m)
		return no_memory(e);
	*m = (struct models){ .engine = g, .folder = strdup(folder) };
	int rc = !m->folder ? no_memory(e) : read_only ? 0 : sweep_all(m, e);
	if (rc < 0) {
		models_close(m);
		return rc;
	}
	*out = m;
	return 0;
}

void models_close(struct models *m)
{
	if (m)
		free(m->folder);
	free(m);
}

/* --- one event ---------------------------------------------------------------------------------------------- */

static int of_type(struct models *m, struct arena *a, const char *type, struct record **out, size_t *n,
		   struct error *e)
{
	const struct scan s = {
		.kind = RECORD_MODEL, .field = { "type" }, .value = { type }, .limit = MOST_READ
	};

	return engine_scan(m->engine, &s, a, out, n, e);
}

static int edit_begin(struct edit *x, const char *type)
{
	int rc = engine_revision(x->models->engine, MODELS_STREAM, &x->expect, x->err);

	return rc < 0 ? rc : of_type(x->models, x->arena, type, &x->all, &x->n, x->err);
}

static struct record *in_state(const struct edit *x, const char *state)
{
	for (size_t i = 0; i < x->n; i++)
		if (is_state(&x->all[i], state))
			return &x->all[i];
	return NULL;
}

/* As it is at the revision that the edit expects. */
static const struct record *as_it_is(const struct edit *x, const struct record *r)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->all[i].id, r->id) == 0)
			return &x->all[i];
	return NULL;
}

static int is_gone(const struct edit *x)
{
	return error_set(x->err, ERR_NOT_FOUND, NULL, "there is no such model");
}

static int is_chosen(const struct record *r)
{
	return r && json_is_true(json_object_get(r->body, "chosen"));
}

/* A change of `state`; what belonged to the old one goes away, and `extra` comes, with its name, unless it is NULL. */
static int put_state(struct edit *x, const struct record *r, const char *state, const char *name,
		     json_t *extra)
{
	json_t *body = json_keep(x->arena, json_copy(r->body));

	json_keep(x->arena, extra);
	if (!body || (name && !extra) || json_object_set_new(body, "state", json_string(state)) < 0)
		return no_memory(x->err);
	json_object_del(body, "chosen");
	json_object_del(body, "shadow");
	if (strcmp(state, "active") == 0)
		json_object_del(body, "why");
	if (name && json_object_set(body, name, extra) < 0)
		return no_memory(x->err);
	x->list[x->n_changes++] = (struct change){ .kind = RECORD_MODEL, .id = r->id, .body = body };
	return 0;
}

/* What it was before: to have been in shadow takes no refusal back. `why` NULL: as it was. */
static int put_back(struct edit *x, const struct record *shadow, const char *why)
{
	const char *was = string_of(json_object_get(shadow->body, "shadow"), "was");

	return put_state(x, shadow, *was ? was : "standby", why ? "why" : NULL,
			 why ? json_string(why) : NULL);
}

/* Of those with a file and of those without, the newest stay. */
static void drop_old(struct edit *x)
{
	size_t newer[2] = { 1, 1 }; /* with the one that is added, whichever it is */

	for (size_t i = x->n; i > 0; i--) {
		const struct record *r = &x->all[i - 1];
		if (newer[has_file(r)]++ < MODELS_KEPT || is_state(r, "active") || is_state(r, "shadow"))
			continue;
		if (x->n_changes < MOST_CHANGES)
			x->list[x->n_changes++] = (struct change){ .kind = RECORD_MODEL, .id = r->id };
	}
}

/* Files go when their records have gone; one that stays is removed at the next start. */
static void remove_dropped(const struct edit *x)
{
	for (size_t i = 0; i < x->n_changes; i++) {
		const char *path = x->list[i].body ? NULL : path_of(x->models, x->arena, x->list[i].id);
		if (path)
			file_remove(path, NULL);
	}
}

/* --- adding ------------------------------------------------------------------------------------------------- */

static enum model_standing standing_of(const struct model_made *made, const struct record *active,
				       const struct record *shadow)
{
	if ((is_chosen(active) || (active && shadow)) && !made->none_in_force)
		return made->why ? MODEL_OLD_STAYS : MODEL_STANDS_BY;
	if (!made->why)
		return MODEL_ACTIVE;
	return made->leaves_none ? MODEL_NONE_LEFT : MODEL_OLD_STAYS;
}

static json_t *body_of(const struct model_made *made, enum model_standing standing, const char *hash,
		       size_t size)
{
	const char *state = made->why ? "refused" : standing == MODEL_ACTIVE ? "active" : "standby";

	return json_pack("{s:s, s:s, s:I, s:I, s:s*, s:I, s:O, s:s*}", "type", made->type, "state", state,
			 "mark", (json_int_t)made->mark, "counted", (json_int_t)made->counted, "hash", hash,
			 "bytes", (json_int_t)size, "facts", made->facts, "why", made->why);
}

static int add(struct edit *x, const struct model_made *made, const char *hash, size_t size,
	       enum model_standing *out)
{
	struct commit done;
	int rc = edit_begin(x, made->type);
	struct record *active = rc == 0 ? in_state(x, "active") : NULL;
	const struct record *shadow = rc == 0 ? in_state(x, "shadow") : NULL;
	enum model_standing standing = standing_of(made, active, shadow);
	json_t *body = json_keep(x->arena, body_of(made, standing, hash, size));

	if (rc < 0 || !body)
		return rc < 0 ? rc : no_memory(x->err);
	x->list[x->n_changes++] = (struct change){ .kind = RECORD_MODEL, .id = made->id, .body = body };
	if (active && (standing == MODEL_ACTIVE || standing == MODEL_NONE_LEFT))
		rc = put_state(x, active, "standby", NULL, NULL);
	drop_old(x);
	struct event ev = { .stream = MODELS_STREAM,
			    .expect = x->expect,
			    .kind = made->why ? "model.refused" : "model.trained",
			    .principal = "readback",
			    .changes = x->list,
			    .n = x->n_changes };
	if (rc == 0)
		rc = engine_commit(x->models->engine, &ev, &done, x->err);
	if (rc == 0) {
		remove_dropped(x);
		*out = standing;
	}
	return rc;
}

int models_add(struct models *m, const struct model_made *made, enum model_standing *out, struct error *e)
{
	struct arena *a = arena_new(16 << 10);
	struct retries y = retries_of(m->engine, MODELS_STREAM);
	char hash[SHA256_TEXT];
	size_t size = 0;
	int rc = a ? 0 : no_memory(e);

	if (rc == 0 && made->packed) {
		const char *path = path_of(m, a, made->id);
		rc = path ? packed_write(path, made->packed, hash, &size, e) : no_memory(e);
	}
	if (rc == 0) {
		while (retry(&y, rc)) {
			struct edit x = { .models = m, .arena = a, .err = e };
			rc = add(&x, made, made->packed ? hash : NULL, size, out);
		}
	}
	arena_free(a);
	return rc;
}

/* --- reading ------------------------------------------------------------------------------------------------ */

static int read_found(struct models *m, struct arena *a, const struct record *r, struct model_found *out,
		      struct error *e)
{
	const char *path = path_of(m, a, r->id);
	struct model_found f = {
		.id = r->id,
		.mark = (uint64_t)json_integer_value(json_object_get(r->body, "mark")),
		.counted = (uint64_t)json_integer_value(json_object_get(r->body, "counted")),
		.facts = json_object_get(r->body, "facts"),
	};

	if (!path)
		return no_memory(e);
	int rc = packed_read(path, string_of(r->body, "hash"), a, &f.packed, e);
	if (rc == ERR_NOT_FOUND)
		return error_set(e, ERR_CORRUPT, NULL, "%s: the file of the model is gone", path);
	if (rc == 0)
		*out = f;
	return rc;
}

int models_active(struct models *m, const char *type, struct arena *a, struct model_found *out,
		  struct error *e)
{
	struct edit x = { .models = m, .arena = a, .err = e };
	int rc = of_type(m, a, type, &x.all, &x.n, e);
	struct record *r = rc == 0 ? in_state(&x, "active") : NULL;

	if (!r)
		return rc;
	rc = read_found(m, a, r, out, e);
	return rc < 0 ? rc : 1;
}

int models_counted(struct models *m, const char *type, struct arena *a, uint64_t *out, struct error *e)
{
	struct record *all;
	size_t n;
	int rc = of_type(m, a, type, &all, &n, e);

	if (rc == 0)
		*out = n ? (uint64_t)json_integer_value(json_object_get(all[n - 1].body, "counted")) : 0;
	return rc;
}

/* --- activating --------------------------------------------------------------------------------------------- */

/* Of those that were not refused, and of `r`. */
static const struct record *newest(const struct edit *x, const struct record *r)
{
	for (size_t i = x->n; i > 0; i--)
		if (has_file(&x->all[i - 1]) &&
		    (!is_state(&x->all[i - 1], "refused") || strcmp(x->all[i - 1].id, r->id) == 0))
			return &x->all[i - 1];
	return NULL;
}

/* Who puts the newest in force lets those that come after it follow. */
static int activate(struct edit *x, const struct call *c, const struct record *r, const json_t *result)
{
	struct commit done;
	int rc = edit_begin(x, string_of(r->body, "type"));
	const struct record *active = rc == 0 ? in_state(x, "active") : NULL;
	if (rc == 0 && !(r = as_it_is(x, r)))
		return is_gone(x);
	const struct record *last = rc == 0 ? newest(x, r) : NULL;
	int chosen = last && strcmp(last->id, r->id) != 0;

	const struct record *shadow = rc == 0 ? in_state(x, "shadow") : NULL;
	if (rc == 0)
		rc = put_state(x, r, "active", chosen ? "chosen" : NULL, chosen ? json_true() : NULL);
	if (rc == 0 && active && strcmp(active->id, r->id) != 0)
		rc = put_state(x, active, "standby", NULL, NULL);
	/* It was compared with the one that goes. */
	if (rc == 0 && shadow && strcmp(shadow->id, r->id) != 0)
		rc = put_back(x, shadow, NULL);
	struct event ev = { .stream = MODELS_STREAM,
			    .expect = x->expect,
			    .kind = "model.activated",
			    .changes = x->list,
			    .n = x->n_changes };
	return rc < 0 ? rc : call_commit(c, x->models->engine, &ev, 200, result, &done);
}

static int wrong_state(struct error *e, const char *state, const char *what)
{
	int rc = error_set(e, ERR_WRONG_STATE, NULL, "%s", what);

	if (e)
		snprintf(e->state, sizeof(e->state), "%s", state);
	return rc;
}

int models_find(struct models *m, const struct call *c, const char *id, struct model_found *out,
		const char **type)
{
	struct record r;
	int rc = engine_find(m->engine, RECORD_MODEL, id, c->arena, &r, c->err);

	if (rc == 0)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such model");
	if (rc < 0)
		return rc;
	if (!has_file(&r))
		return wrong_state(c->err, "refused",
				   "this model was refused and not kept: it cannot be put in force");
	*type = string_of(r.body, "type");
	return read_found(m, c->arena, &r, out, c->err);
}

static int activate_once(struct models *m, const struct call *c, const char *id, const json_t *result)
{
	struct edit x = { .models = m, .arena = c->arena, .err = c->err };
	struct record r;
	int rc = engine_get(m->engine, RECORD_MODEL, id, c->arena, &r, c->err);

	return rc < 0 ? rc : activate(&x, c, &r, result);
}

int models_activate(struct models *m, const struct call *c, const char *id, json_t **result)
{
	struct retries y = retries_of(m->engine, MODELS_STREAM);
	JSON_AUTO *res = json_pack("{s:s}", "model", id);
	int rc = 0;

	if (!res)
		return no_memory(c->err);
	while (retry(&y, rc))
		rc = activate_once(m, c, id, res);
	if (rc == 0)
		*result = json_incref(res);
	return rc;
}

/* --- a shadow ----------------------------------------------------------------------------------------------- */

int models_shadow(struct models *m, const char *type, struct arena *a, struct model_found *out, double *share,
		  uint64_t *since, struct error *e)
{
	struct edit x = { .models = m, .arena = a, .err = e };
	int rc = of_type(m, a, type, &x.all, &x.n, e);
	const struct record *r = rc == 0 ? in_state(&x, "shadow") : NULL;

	if (!r)
		return rc;
	const json_t *shadow = json_object_get(r->body, "shadow");
	*share = json_number_value(json_object_get(shadow, "share"));
	*since = (uint64_t)json_integer_value(json_object_get(shadow, "since"));
	rc = read_found(m, a, r, out, e);
	return rc < 0 ? rc : 1;
}

/* Its state, or that before the shadow that it is in already. */
static const char *was_before(const struct record *r)
{
	return is_state(r, "shadow") ? string_of(json_object_get(r->body, "shadow"), "was")
				     : string_of(r->body, "state");
}

static int begin_shadow(struct edit *x, const struct call *c, const struct record *r, double share,
			const json_t *result)
{
	struct commit done;
	struct engine_status s;
	int rc = edit_begin(x, string_of(r->body, "type"));
	const struct record *other = rc == 0 ? in_state(x, "shadow") : NULL;

	if (rc == 0 && !(r = as_it_is(x, r)))
		return is_gone(x);
	if (rc == 0)
		rc = engine_status(x->models->engine, x->arena, &s, x->err);
	if (rc == 0 && is_state(r, "active"))
		return wrong_state(x->err, "active", "this model is in force: it cannot be beside itself");
	if (rc == 0 && !in_state(x, "active"))
		return wrong_state(x->err, string_of(r->body, "state"),
				   "no model is in force that it could be beside");
	if (rc == 0 && other && strcmp(other->id, r->id) != 0)
		rc = put_back(x, other, NULL);
	if (rc == 0)
		rc = put_state(x, r, "shadow", "shadow",
			       json_pack("{s:f, s:I, s:s}", "share", share, "since", (json_int_t)s.seq, "was",
					 was_before(r)));
	struct event ev = { .stream = MODELS_STREAM,
			    .expect = x->expect,
			    .kind = "model.shadowed",
			    .changes = x->list,
			    .n = x->n_changes };
	return rc < 0 ? rc : call_commit(c, x->models->engine, &ev, 200, result, &done);
}

int models_shadow_begin(struct models *m, const struct call *c, const char *id, double share, json_t **result)
{
	struct retries y = retries_of(m->engine, MODELS_STREAM);
	JSON_AUTO *res = json_pack("{s:s}", "model", id);
	int rc = 0;

	if (!res)
		return no_memory(c->err);
	while (retry(&y, rc)) {
		struct edit x = { .models = m, .arena = c->arena, .err = c->err };
		struct record r;
		rc = engine_get(m->engine, RECORD_MODEL, id, c->arena, &r, c->err);
		if (rc == 0)
			rc = begin_shadow(&x, c, &r, share, res);
	}
	if (rc == 0)
		*result = json_incref(res);
	return rc;
}

static int end_shadow(struct edit *x, const struct call *c, const char *id, const char *why,
		      const json_t *result)
{
	const struct record *r;
	struct commit done;
	struct record found;
	int rc = engine_find(x->models->engine, RECORD_MODEL, id, x->arena, &found, x->err);

	if (rc == 0)
		return is_gone(x);
	if (rc > 0)
		rc = edit_begin(x, string_of(found.body, "type"));
	if (rc == 0 && !(r = as_it_is(x, &found)))
		return is_gone(x);
	if (rc == 0 && !is_state(r, "shadow"))
		return wrong_state(x->err, string_of(r->body, "state"), "this model is not in shadow");
	if (rc == 0)
		rc = put_back(x, r, why);
	struct event ev = { .stream = MODELS_STREAM,
			    .expect = x->expect,
			    .kind = "model.unshadowed",
			    .principal = "readback",
			    .changes = x->list,
			    .n = x->n_changes };
	if (rc < 0)
		return rc;
	return c ? call_commit(c, x->models->engine, &ev, 200, result, &done)
		 : engine_commit(x->models->engine, &ev, &done, x->err);
}

int models_shadow_end(struct models *m, const struct call *c, const char *id, const char *why,
		      json_t **result, struct error *e)
{
	struct retries y = retries_of(m->engine, MODELS_STREAM);
	struct arena *a = arena_new(16 << 10);
	JSON_AUTO *res = json_pack("{s:s}", "model", id);
	int rc = a && res ? 0 : no_memory(e);

	if (rc == 0) {
		while (retry(&y, rc)) {
			struct edit x = { .models = m, .arena = a, .err = e };
			rc = end_shadow(&x, c, id, why, res);
		}
	}
	arena_free(a);
	if (rc == 0 && result)
		*result = json_incref(res);
	return rc;
}
