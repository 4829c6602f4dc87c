#include "desk/bodies.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/uuid.h"

#define MAX_ID 512

const char *body_string(const json_t *body, const char *name)
{
	const char *s = json_string_value(json_object_get(body, name));

	return s ? s : "";
}

struct text body_text(const json_t *body, const char *name)
{
	const json_t *v = json_object_get(body, name);

	return (struct text){ json_string_value(v), json_string_length(v) };
}

int64_t body_int(const json_t *body, const char *name)
{
	return json_integer_value(json_object_get(body, name));
}

double body_number(const json_t *body, const char *name)
{
	return json_number_value(json_object_get(body, name));
}

int body_bool(const json_t *body, const char *name)
{
	return json_is_true(json_object_get(body, name));
}

int64_t body_time(const json_t *body, const char *name)
{
	struct text t = body_text(body, name);
	int64_t ms;

	return t.s && time_parse(t.s, t.n, &ms) == 0 ? ms : 0;
}

json_t *body_new(struct arena *a)
{
	return json_keep(a, json_object());
}

json_t *body_copy(struct arena *a, const json_t *body)
{
	return json_keep(a, json_deep_copy(body));
}

int body_set_take(json_t *body, const char *name, json_t *value)
{
	return json_object_set_new(body, name, value);
}

/* What is not there is left out; deleting a field that is not there is no failure. */
static int leave_out(json_t *body, const char *name)
{
	json_object_del(body, name);
	return 0;
}

int body_set(json_t *body, const char *name, const char *s)
{
	return s && *s ? body_set_take(body, name, json_string(s)) : leave_out(body, name);
}

int body_set_text(json_t *body, const char *name, struct text t)
{
	return t.s ? body_set_take(body, name, json_stringn(t.s, t.n)) : leave_out(body, name);
}

int body_set_int(json_t *body, const char *name, int64_t n)
{
	return body_set_take(body, name, json_integer(n));
}

int body_set_number(json_t *body, const char *name, double n)
{
	return body_set_take(body, name, json_real(isfinite(n) ? n : 0));
}

int body_set_bool(json_t *body, const char *name, int b)
{
	return body_set_take(body, name, json_boolean(b));
}

int body_set_time(json_t *body, const char *name, int64_t ms)
{
	char text[TIME_TEXT];

	time_format(ms, text);
	return body_set(body, name, text);
}

int body_set_copy(json_t *body, const char *name, const json_t *value)
{
	return value ? body_set_take(body, name, json_deep_copy(value)) : leave_out(body, name);
}

const char *text_copy(struct arena *a, struct text t)
{
	return arena_strndup(a, t.s ? t.s : "", t.s ? t.n : 0);
}

struct text text_of(const char *s)
{
	return (struct text){ s, s ? strlen(s) : 0 };
}

int text_is(struct text t, const char *s)
{
	return t.s && t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}

const char *subject_of(struct arena *a, const char *customer, const char *conversation)
{
	return customer && *customer ? arena_strdup(a, customer)
				     : arena_printf(a, "conversation:%s", conversation);
}

const char *stream_of(struct arena *a, const char *kind, const char *id)
{
	return arena_printf(a, "%s/%s", kind, id);
}

const char *id_make(struct arena *a, const char *prefix)
{
	char uuid[UUID_TEXT];

	uuid_v7(uuid);
	return arena_printf(a, "%s%s", prefix, uuid);
}

int id_check(struct text id, const char *param, struct error *e)
{
	if (!id.s || id.n == 0 || id.n > MAX_ID)
		return error_set(e, ERR_BAD_ID, param, "an id has 1 to %d bytes", MAX_ID);
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.s[i] < 0x20 || id.s[i] == 0x7f)
			return error_set(e, ERR_BAD_ID, param, "an id has no control characters");
	return 0;
}

/* Room for one more in an array of the arena; the old one is left to it. NULL without memory. */
static void *room(struct arena *a, void *list, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return list;
	size_t more = *cap ? 2 * *cap : 8;
	void *p = arena_alloc(a, more * size);
	if (!p)
		return NULL;
	if (n)
		memcpy(p, list, n * size);
	*cap = more;
	return p;
}

static struct change *changes_room(struct changes *cs)
{
	struct change *list = room(cs->arena, cs->list, cs->n, &cs->cap, sizeof(*list));

	if (!list) {
		cs->failed = 1;
		return NULL;
	}
	cs->list = list;
	return &list[cs->n++];
}

struct change *changes_put(struct changes *cs, enum record_kind k, const char *id, const char *subject,
			   json_t *body)
{
	struct change *c = changes_room(cs);

	if (!id || !body)
		cs->failed = 1;
	if (!c)
		c = &cs->spare;
	*c = (struct change){ .kind = k, .id = id, .subject = subject, .body = body };
	return c;
}

void changes_delete(struct changes *cs, enum record_kind k, const char *id)
{
	struct change *c = changes_room(cs);

	if (!id)
		cs->failed = 1;
	if (c)
		*c = (struct change){ .kind = k, .id = id };
}

int changes_done(const struct changes *cs, struct error *e)
{
	return cs->failed ? no_memory(e) : 0;
}

static void tags_add(struct tags *t, const char *key, struct index_value value)
{
	struct index_tag *list = room(t->arena, t->list, t->n, &t->cap, sizeof(*list));

	if (!list) {
		t->failed = 1;
		return;
	}
	t->list = list;
	list[t->n++] = (struct index_tag){ key, value };
}

static void tags_json(struct tags *t, const char *key, const json_t *v)
{
	if (json_is_string(v))
		tags_add(t, key,
			 (struct index_value){
				 VALUE_STRING, { json_string_value(v), json_string_length(v) }, 0 });
	else if (json_is_number(v))
		tags_add(t, key,
			 (struct index_value){ .type = VALUE_NUMBER, .number = json_number_value(v) });
	else if (json_is_boolean(v))
		tags_add(t, key, (struct index_value){ .type = VALUE_BOOL, .number = json_is_true(v) });
}

void tags_string(struct tags *t, const char *key, const char *value)
{
	if (value && *value)
		tags_add(t, key, (struct index_value){ VALUE_STRING, text_of(value), 0 });
}

void tags_object(struct tags *t, const json_t *flat)
{
	const char *key;
	json_t *v, *item;
	size_t i;

	json_object_foreach((json_t *)flat, key, v) {
		tags_json(t, key, v);
		json_array_foreach(v, i, item)
			tags_json(t, key, item);
	}
}

int rights_bot_only(const struct rights *r)
{
	return rights_scope(r, SCOPE_BOT) && !rights_scope(r, SCOPE_AGENT | SCOPE_CURATOR | SCOPE_ADMIN);
}
