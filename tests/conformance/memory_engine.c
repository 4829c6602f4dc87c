/* memory_engine.c: the cluster, an engine's connection to it, and its reads. */
#include "memory_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

struct memory_options memory_weaknesses(size_t dim, uint64_t seed)
{
	return (struct memory_options){ .dim = dim,
					.seed = seed,
					.max_delay_us = 50,
					.gradual = 700,
					.late_conflict = 300,
					.repeated = 100,
					.lost = 100,
					.weak = 150 };
}

struct cluster *cluster_new(const struct memory_options *o)
{
	struct cluster *c = memory_must(calloc(1, sizeof(*c)));

	c->options = *o;
	c->embedder = memory_must(strdup(o->embedder ? o->embedder : ""));
	c->random = o->seed;
	c->event_ids = memory_must(map_new());
	c->stream_ids = memory_must(map_new());
	c->slot_ids = memory_must(map_new());
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	return c;
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_entries; i++)
		memory_entry_release(&c->entries[i]);
	for (size_t i = 0; i < c->n_slots; i++) {
		json_decref(c->slots[i].body);
		free(c->slots[i].id);
		free(c->slots[i].subject);
		free(c->slots[i].text);
	}
	map_free(c->event_ids);
	map_free(c->stream_ids);
	map_free(c->slot_ids);
	free(c->events);
	free(c->streams);
	free(c->slots);
	free(c->entries);
	free(c->embedder);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct memory_shown cluster_shown(struct cluster *c)
{
	pthread_mutex_lock(&c->lock);
	struct memory_shown shown = c->shown;
	pthread_mutex_unlock(&c->lock);
	return shown;
}

/* --- records out ------------------------------------------------------------------------------------ */

static void hand_out(const struct slot *s, struct arena *a, struct record *out)
{
	*out = (struct record){ .kind = s->kind,
				.id = memory_must(arena_strdup(a, s->id)),
				.revision = s->revision,
				.created = s->created,
				.changed = s->changed,
				.created_at = s->created_at,
				.changed_at = s->changed_at,
				.subject = memory_must(arena_strdup(a, s->subject)),
				.body = memory_must(json_keep(a, json_deep_copy(s->body))) };
	if (s->text)
		out->text = (struct text){ memory_must(arena_strndup(a, s->text, s->n_text)), s->n_text };
}

static int op_get(void *self, enum record_kind k, const char *id, struct arena *a, struct record *out,
		  struct error *e)
{
	struct cluster *c = self;

	pthread_mutex_lock(&c->lock);
	const struct slot *s = memory_slot(c, k, id);
	int there = s && s->live;
	if (there)
		hand_out(s, a, out);
	pthread_mutex_unlock(&c->lock);
	return there ? 0 : error_set(e, ERR_NOT_FOUND, NULL, "there is no such record");
}

static int op_revision(void *self, const char *stream, int64_t *out, struct error *e)
{
	struct cluster *c = self;

	(void)e;
	pthread_mutex_lock(&c->lock);
	*out = memory_stream(c, stream)->shown;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static void hand_out_places(const struct memory_entry *en, struct arena *a, struct record *out)
{
	struct entry_row *rows = memory_must(arena_alloc(a, (en->n_rows + 1) * sizeof(*rows)));

	for (size_t i = 0; i < en->n_rows; i++) {
		rows[i] = en->rows[i];
		rows[i].vector = NULL;
	}
	out->rows = rows;
	out->n_rows = en->n_rows;
}

static int op_load(void *self, enum record_kind k, const struct rights *r, const uint64_t *entries, size_t n,
		   struct arena *a, struct record **out, struct error *e)
{
	struct cluster *c = self;
	struct record *v = memory_must(arena_alloc(a, (n + 1) * sizeof(*v)));

	(void)e;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < n; i++) {
		const struct memory_entry *en = entries[i] - 1 < c->n_entries ? &c->entries[entries[i] - 1]
									      : NULL;
		if (en && en->live && en->kind == k && (!r || rights_see(r, en->acl))) {
			hand_out(&c->slots[en->slot], a, &v[i]);
			hand_out_places(en, a, &v[i]);
		}
	}
	pthread_mutex_unlock(&c->lock);
	*out = v;
	return 0;
}

static int op_rows(void *self, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
		   size_t *n, struct error *e)
{
	struct cluster *c = self;
	size_t size = c->options.dim * sizeof(float);

	(void)e;
	pthread_mutex_lock(&c->lock);
	const struct slot *s = memory_slot(c, k, id);
	const struct memory_entry *en = s && s->entry ? &c->entries[s->entry - 1] : NULL;
	size_t count = en ? en->n_rows : 0;
	struct entry_row *rows = memory_must(arena_alloc(a, (count + 1) * sizeof(*rows)));
	for (size_t i = 0; i < count; i++) {
		rows[i] = en->rows[i];
		if (rows[i].vector)
			rows[i].vector = memcpy(memory_must(arena_alloc(a, size)), en->rows[i].vector, size);
	}
	pthread_mutex_unlock(&c->lock);
	*out = rows;
	*n = count;
	return 0;
}

static int op_frequencies(void *self, enum collection kind, const struct term *terms, size_t n, uint64_t *out,
			  struct error *e)
{
	struct cluster *c = self;

	(void)e;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < n; i++) {
		out[i] = 0;
		for (size_t j = 0; j < c->n_entries; j++) {
			const struct memory_entry *en = &c->entries[j];
			out[i] += en->live && record_schema(en->kind)->collection == (int)kind &&
				  memory_has_word(en, terms[i].stem);
		}
	}
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/* --- scans ----------------------------------------------------------------------------------------------- */

static int check_fields(const struct scan *s, struct error *e)
{
	const struct record_schema *schema = record_schema(s->kind);

	for (int i = 0; i < 2; i++) {
		int known = !s->field[i];
		for (int f = 0; f < 4 && schema->fields[f]; f++)
			known |= s->field[i] && strcmp(s->field[i], schema->fields[f]) == 0;
		if (!known)
			return error_set(e, ERR_BAD_VALUE, s->field[i], "%ss cannot be asked for by %s",
					 schema->name, s->field[i]);
	}
	return 0;
}

/* < 0: x was created before the place (created, id). */
static int place(const struct slot *x, uint64_t created, const char *id)
{
	if (x->created != created)
		return x->created < created ? -1 : 1;
	return strcmp(x->id, id);
}

static int scan_wants(const struct cluster *c, const struct scan *s, const struct slot *x)
{
	if (!x->live || x->kind != s->kind || x->created > c->complete || (s->at && x->created > s->at))
		return 0;
	for (int i = 0; i < 2; i++) {
		const char *v = s->field[i] ? json_string_value(json_object_get(x->body, s->field[i])) : NULL;
		if (s->field[i] && (!v || strcmp(v, s->value[i]) != 0))
			return 0;
	}
	if ((s->created_from && x->created_at < s->created_from) ||
	    (s->created_to && x->created_at >= s->created_to))
		return 0;
	if (!s->after)
		return 1;
	int order = place(x, s->after, s->after_id ? s->after_id : "");
	return s->newest_first ? order < 0 : order > 0;
}

static int by_creation(const void *a, const void *b)
{
	const struct slot *x = *(const struct slot *const *)a, *y = *(const struct slot *const *)b;

	return place(x, y->created, y->id);
}

static int op_scan(void *self, const struct scan *s, struct arena *a, struct record **out, size_t *n,
		   struct error *e)
{
	struct cluster *c = self;
	int rc = check_fields(s, e);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&c->lock);
	const struct slot **found = memory_must(malloc((c->n_slots + 1) * sizeof(struct slot *)));
	size_t count = 0;
	for (size_t i = 0; i < c->n_slots; i++)
		if (scan_wants(c, s, &c->slots[i]))
			found[count++] = &c->slots[i];
	qsort(found, count, sizeof(struct slot *), by_creation);
	size_t m = count < s->limit ? count : s->limit;
	struct record *v = memory_must(arena_alloc(a, (m + 1) * sizeof(*v)));
	for (size_t i = 0; i < m; i++)
		hand_out(found[s->newest_first ? count - 1 - i : i], a, &v[i]);
	pthread_mutex_unlock(&c->lock);
	free(found);
	*out = v;
	*n = m;
	return 0;
}

/* --- the rest --------------------------------------------------------------------------------------------- */

static int op_commit(void *self, const struct event *ev, size_t n, struct commit *out)
{
	struct cluster *c = self;

	for (size_t i = 0; i < n; i++) {
		out[i] = (struct commit){ 0 };
		pthread_mutex_lock(&c->lock);
		memory_commit(c, &ev[i], &out[i]);
		pthread_mutex_unlock(&c->lock);
	}
	return 0;
}

static int op_search(void *self, const struct index_query *q, struct arena *a, struct index_result *out,
		     struct error *e)
{
	struct cluster *c = self;

	pthread_mutex_lock(&c->lock);
	int rc = memory_search(c, q, a, out, e);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static int op_status(void *self, struct arena *a, struct engine_status *out, struct error *e)
{
	struct cluster *c = self;
	struct engine_status s = { .ready = 1, .reason = "", .save_error = "", .dim = c->options.dim };

	(void)e;
	s.embedder = memory_must(arena_strdup(a, c->embedder));
	pthread_mutex_lock(&c->lock);
	s.seq = s.index_seq = c->complete;
	for (size_t i = 0; i < c->n_slots; i++)
		s.records[c->slots[i].kind] += (uint64_t)c->slots[i].live;
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct memory_entry *en = &c->entries[i];
		if (!en->live)
			continue;
		s.index.entries[record_schema(en->kind)->collection]++;
		s.index.rows += en->n_rows;
	}
	pthread_mutex_unlock(&c->lock);
	*out = s;
	return 0;
}

static void op_close(void *self)
{
	(void)self; /* the cluster stays */
}

static const struct engine_ops ops = {
	.commit = op_commit,
	.get = op_get,
	.revision = op_revision,
	.scan = op_scan,
	.search = op_search,
	.frequencies = op_frequencies,
	.load = op_load,
	.rows = op_rows,
	.status = op_status,
	.close = op_close,
};

struct engine *memory_engine_open(struct cluster *c)
{
	return memory_must(engine_new(&ops, c));
}
