/* embedded_prepare.c: an event as the store takes it, made in the caller's thread. */
#include "engine/embedded_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/uuid.h"

/* Hands a malloc'ed text over to the arena. */
static char *keep_text(struct arena *a, char *s)
{
	if (s && arena_defer(a, free, s) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

static int check_id(const char *s, const char *what, struct error *e)
{
	if (!s || !*s)
		return error_set(e, ERR_BAD_ID, what, "%s: it must not be empty", what);
	if (utf8_valid(s, strlen(s)) != strlen(s))
		return error_set(e, ERR_BAD_UTF8, what, "%s: invalid UTF-8", what);
	return 0;
}

static void set_text(struct stored_ref *r, struct text t)
{
	if (t.s)
		ref_set(r, t.s, t.n);
}

/* --- tags and ACL ------------------------------------------------------------------------------- */

static json_t *value_json(const struct index_value *v)
{
	if (v->type == VALUE_STRING)
		return json_stringn(v->s.s, v->s.n);
	if (v->type == VALUE_BOOL)
		return json_boolean(v->number != 0);
	/* Whole numbers as such, so that what is read back is written the same. */
	if (v->number == floor(v->number) && fabs(v->number) < 9007199254740992.0)
		return json_integer((json_int_t)v->number);
	return json_real(v->number);
}

static int tags_text(struct arena *a, const struct entry *en, const char **out, struct error *e)
{
	if (en->n_tags == 0) {
		*out = "[]";
		return 0;
	}
	json_t *tags = json_keep(a, json_array());
	for (size_t i = 0; i < en->n_tags; i++) {
		json_t *value = value_json(&en->tags[i].value);
		if (!value)
			return error_set(e, ERR_BAD_VALUE, en->tags[i].key, "%s: it cannot be stored",
					 en->tags[i].key);
		json_t *pair = json_pack("[so]", en->tags[i].key, value);
		if (!pair || json_array_append_new(tags, pair) < 0)
			return no_memory(e);
	}
	*out = keep_text(a, payload_tags(tags, NULL));
	return *out ? 0 : no_memory(e);
}

static int set_acl(struct arena *a, const json_t *acl, struct stored_entry *stored,
		   struct index_entry *indexed, struct error *e)
{
	size_t n = json_array_size(acl);

	if (!acl || json_is_null(acl)) {
		indexed->everyone = 1;
		return 0;
	}
	const char **groups = arena_alloc(a, (n + 1) * sizeof(*groups));
	stored->acl = keep_text(a, json_text(acl, NULL));
	if (!groups || !stored->acl)
		return no_memory(e);
	for (size_t i = 0; i < n; i++)
		if (!(groups[i] = json_string_value(json_array_get(acl, i))))
			return error_set(e, ERR_WRONG_TYPE, "acl",
					 "acl: it must be an array of strings, or null");
	if (!json_is_array(acl))
		return error_set(e, ERR_WRONG_TYPE, "acl", "acl: it must be an array of strings, or null");
	indexed->groups = groups;
	indexed->n_groups = n;
	return 0;
}

/* --- entries -------------------------------------------------------------------------------------- */

static int set_rows(struct embedded *g, struct arena *a, const struct entry *en, struct stored_entry *stored,
		    struct index_entry *indexed, struct error *e)
{
	struct stored_row *rows = arena_alloc(a, (en->n_rows + 1) * sizeof(*rows));
	struct index_row *found = arena_alloc(a, (en->n_rows + 1) * sizeof(*found));
	uint64_t row = atomic_fetch_add(&g->next_row, en->n_rows);

	if (!rows || !found)
		return no_memory(e);
	for (size_t i = 0; i < en->n_rows; i++) {
		const struct entry_row *r = &en->rows[i];
		rows[i] = (struct stored_row){
			.row = row + i, .field = (int)r->field, .n = r->n, .start = r->start, .end = r->end
		};
		found[i] = (struct index_row){
			.id = row + i, .field = r->field, .n = r->n, .vector = r->vector
		};
		if (r->vector && !g->dim)
			return error_set(e, ERR_WRONG_DIMENSION, NULL,
					 "vectors come, but no embedder is set");
		if (r->vector)
			ref_set(&rows[i].vector, r->vector, g->dim * sizeof(float));
	}
	stored->rows = rows;
	stored->n_rows = indexed->n_rows = en->n_rows;
	indexed->rows = found;
	return 0;
}

static int set_entry(struct embedded *g, struct arena *a, const struct change *c, struct stored_change *out,
		     struct error *e)
{
	struct stored_entry *stored = arena_alloc(a, sizeof(*stored));
	struct index_entry *indexed = arena_alloc(a, sizeof(*indexed));
	const struct entry *en = c->entry;
	int rc;

	if (!stored || !indexed)
		return no_memory(e);
	if (record_schema(c->kind)->collection < 0)
		return error_set(e, ERR_INTERNAL, NULL, "records of kind %s are not indexed",
				 record_schema(c->kind)->name);
	*indexed = (struct index_entry){ .collection = (enum collection)record_schema(c->kind)->collection,
					 .tags = en->tags,
					 .n_tags = en->n_tags };
	out->entry = stored;
	out->context = indexed;
	stored->keep_rows = en->keep_rows;
	rc = set_acl(a, en->acl, stored, indexed, e);
	if (rc == 0)
		rc = tags_text(a, en, &stored->tags, e);
	if (rc < 0 || en->keep_rows)
		return rc;
	stored->entry = indexed->id = atomic_fetch_add(&g->next_entry, 1);
	set_text(&stored->title, en->title);
	set_text(&stored->text, en->text);
	struct bag *words = arena_alloc(a, sizeof(*words));
	if (!words || bag_of_texts(a, en->title, en->text, words) < 0)
		return no_memory(e);
	indexed->words = words;
	return set_rows(g, a, en, stored, indexed, e);
}

/* --- changes --------------------------------------------------------------------------------------- */

static int prepare_change(struct embedded *g, struct arena *a, const struct change *c,
			  struct stored_change *out, struct error *e)
{
	const struct record_schema *s = record_schema(c->kind);
	int rc = check_id(c->id, "id", e);

	*out = (struct stored_change){ .kind = (int)c->kind,
				       .id = c->id,
				       .subject = c->subject ? c->subject : "" };
	if (rc == 0 && *out->subject)
		rc = check_id(out->subject, "subject", e);
	if (rc < 0 || !c->body)
		return rc;
	out->body = keep_text(a, json_text(c->body, NULL));
	if (!out->body)
		return no_memory(e);
	for (int i = 0; i < STORED_FIELDS && s->fields[i]; i++)
		out->fields[i] = json_string_value(json_object_get(c->body, s->fields[i]));
	set_text(&out->text, c->text);
	return c->entry ? set_entry(g, a, c, out, e) : 0;
}

/*
 * In order of kind and id: what one event makes is then stored in the order
 * in which a scan has to give it. Changes of one record keep their order.
 */
struct ordered {
	const struct change *change;
};

static int by_id(const void *a, const void *b)
{
	const struct change *x = ((const struct ordered *)a)->change,
			    *y = ((const struct ordered *)b)->change;
	int order = (int)x->kind - (int)y->kind;

	if (!order)
		order = x->id && y->id ? strcmp(x->id, y->id) : 0;
	return order ? order : (x > y) - (x < y);
}

static int prepare_changes(struct embedded *g, const struct event *ev, struct arena *a,
			   struct stored_event *out, struct error *e)
{
	struct stored_change *changes = arena_alloc(a, (ev->n + 1) * sizeof(*changes));
	struct ordered *order = arena_alloc(a, (ev->n + 1) * sizeof(*order));
	int rc = 0;

	if (!changes || !order)
		return no_memory(e);
	for (size_t i = 0; i < ev->n; i++)
		order[i].change = &ev->changes[i];
	qsort(order, ev->n, sizeof(*order), by_id);
	for (size_t i = 0; i < ev->n && rc == 0; i++)
		rc = prepare_change(g, a, order[i].change, &changes[i], e);
	out->changes = changes;
	out->n = ev->n;
	return rc;
}

static int set_payload(struct embedded *g, struct arena *a, struct stored_event *out, struct error *e)
{
	struct strbuf b = STRBUF_INIT;

	payload_write(g->tables, out, &b);
	char *s = strbuf_steal(&b, &out->payload_n);
	if (!s || arena_defer(a, free, s) < 0) {
		free(s);
		return no_memory(e);
	}
	out->payload = s;
	return 0;
}

static int set_event_id(struct arena *a, const struct event *ev, struct stored_event *out, struct error *e)
{
	if (ev->id) {
		out->id = ev->id;
		return check_id(ev->id, "event", e);
	}
	char *id = arena_alloc(a, UUID_TEXT);
	if (!id)
		return no_memory(e);
	uuid_v7(id);
	out->id = id;
	return 0;
}

int prepare_event(struct embedded *g, const struct event *ev, struct arena *a, struct stored_event *out,
		  struct error *e)
{
	int rc = check_id(ev->stream, "stream", e);

	*out = (struct stored_event){ .stream = ev->stream,
				      .kind = ev->kind ? ev->kind : "",
				      .principal = ev->principal ? ev->principal : "",
				      .agent = ev->agent ? ev->agent : "",
				      .expect = ev->expect,
				      .at = ev->at ? ev->at : clock_wall_ms() };
	if (rc == 0)
		rc = set_event_id(a, ev, out, e);
	if (rc == 0)
		rc = prepare_changes(g, ev, a, out, e);
	if (rc == 0)
		rc = set_payload(g, a, out, e);
	if (rc < 0)
		return rc;
	crypto_random(out->nonce, sizeof(out->nonce));
	event_seal(out, g->secret);
	return 0;
}
