/* embedded_read.c: reads and searches, each over one connection of the pool. */
#include "engine/embedded_internal.h"

#include <string.h>

#include "base/arena.h"

/*
 * What the store holds was made by json_text(): it is not checked as if it came
 * from outside. The body is the caller's to release.
 */
static int parse_record(enum record_kind k, const struct stored_record *s, struct record *out,
			struct error *e)
{
	json_t *body = json_loadb(s->body, s->body_n, 0, NULL);

	if (!body)
		return error_set(e, ERR_CORRUPT, NULL, "a record's body is not JSON");
	*out = (struct record){ .kind = k,
				.id = s->id,
				.revision = s->revision,
				.created = s->created,
				.changed = s->changed,
				.created_at = s->created_at,
				.changed_at = s->changed_at,
				.subject = s->subject,
				.body = body,
				.text = { s->text, s->text_n } };
	return 0;
}

static int as_record(enum record_kind k, const struct stored_record *s, struct arena *a, struct record *out,
		     struct error *e)
{
	int rc = parse_record(k, s, out, e);

	return rc < 0 || json_keep(a, out->body) ? rc : no_memory(e);
}

int read_get(void *self, enum record_kind k, const char *id, struct arena *a, struct record *out,
	     struct error *e)
{
	struct embedded *g = self;
	struct stored_record s;
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = records_get(d, g->tables, (int)k, id, a, &s, e);
	pool_give(g->readers, d);
	return rc < 0 ? rc : as_record(k, &s, a, out, e);
}

int read_revision(void *self, const char *stream, int64_t *out, struct error *e)
{
	struct embedded *g = self;
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = streams_revision(d, stream, out, e);
	pool_give(g->readers, d);
	return rc;
}

static int scan_stored(struct embedded *g, const struct scan *s, struct arena *a, struct stored_record **out,
		       size_t *n, struct error *e)
{
	const struct record_scan scan = { .kind = (int)s->kind,
					  .field = { s->field[0], s->field[1] },
					  .value = { s->value[0], s->value[1] },
					  .created_from = s->created_from,
					  .created_to = s->created_to,
					  .after = s->after,
					  .after_id = s->after_id,
					  .at = s->at,
					  .limit = s->limit,
					  .newest_first = s->newest_first };
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = records_scan(d, g->tables, &scan, a, out, n, e);
	pool_give(g->readers, d);
	return rc;
}

int read_scan(void *self, const struct scan *s, struct arena *a, struct record **out, size_t *n,
	      struct error *e)
{
	struct stored_record *stored = NULL;
	size_t count = 0;
	int rc = scan_stored(self, s, a, &stored, &count, e);

	if (rc < 0)
		return rc;
	struct record *v = arena_alloc(a, (count + 1) * sizeof(*v));
	if (!v)
		return no_memory(e);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = as_record(s->kind, &stored[i], a, &v[i], e);
	if (rc < 0)
		return rc;
	*out = v;
	*n = count;
	return 0;
}

/* The index, held against being replaced; NULL: there is none. */
static struct index *hold_index(struct embedded *g, struct error *e)
{
	pthread_rwlock_rdlock(&g->index_lock);
	if (g->index)
		return g->index;
	pthread_rwlock_unlock(&g->index_lock);
	error_set(e, ERR_NOT_READY, NULL, "the index could not be built: restart the server");
	return NULL;
}

int read_search(void *self, const struct index_query *q, struct arena *a, struct index_result *out,
		struct error *e)
{
	struct embedded *g = self;
	struct index *x = hold_index(g, e);

	if (!x)
		return ERR_NOT_READY;
	int rc = index_search(x, q, a, out, e);
	pthread_rwlock_unlock(&g->index_lock);
	return rc;
}

int read_frequencies(void *self, enum collection c, const struct term *terms, size_t n, uint64_t *out,
		     struct error *e)
{
	struct embedded *g = self;
	struct index *x = hold_index(g, e);

	if (!x)
		return ERR_NOT_READY;
	index_frequencies(x, c, terms, n, out);
	pthread_rwlock_unlock(&g->index_lock);
	return 0;
}

/* --- records of entries ------------------------------------------------------------------------------- */

static const struct entry_row *as_rows(const struct live_row *live, size_t n, struct arena *a)
{
	struct entry_row *rows = arena_alloc(a, (n + 1) * sizeof(*rows));

	for (size_t i = 0; rows && i < n; i++)
		rows[i] = (struct entry_row){ .field = (enum row_field)live[i].field,
					      .n = live[i].n,
					      .start = live[i].start,
					      .end = live[i].end,
					      .vector = live[i].vector };
	return rows;
}

/* The record of an entry, held for the caller, with all that a search needs of it. */
static int make_cached(struct embedded *g, struct db *d, enum record_kind k, uint64_t entry, struct arena *a,
		       struct cached_record **out, struct error *e)
{
	struct live_row *live = NULL;
	struct stored_record s;
	struct record r = { 0 };
	size_t n = 0;
	int rc = records_load(d, g->tables, (int)k, entry, a, &s, e);

	if (rc < 0 || (rc = entries_places(d, entry, a, &live, &n, e)) < 0 ||
	    (rc = parse_record(k, &s, &r, e)) < 0)
		return rc;
	json_t *acl = s.acl ? json_loads(s.acl, JSON_DECODE_ANY, NULL) : NULL;
	r.rows = as_rows(live, n, a);
	r.n_rows = n;
	if (s.acl && !acl)
		rc = error_set(e, ERR_CORRUPT, NULL, "an entry's ACL is not JSON");
	else if (!r.rows || !(*out = cached_record_new(&r, acl, entry, s.body_n)))
		rc = no_memory(e);
	if (rc < 0) {
		json_decref(r.body);
		json_decref(acl);
	}
	return rc;
}

/* One view of the database, for many records. */
struct view {
	struct embedded *engine;
	struct db *db;
	uint64_t seq; /* it is not earlier than this commit */
};

/* *out is the arena's, or NULL where the entry is dead. */
static int read_cached(const struct view *v, enum record_kind k, uint64_t entry, struct arena *a,
		       struct cached_record **out, struct error *e)
{
	struct record_cache *cache = v->engine->cache;
	struct cached_record *c = NULL;
	int rc = make_cached(v->engine, v->db, k, entry, a, &c, e);

	*out = NULL;
	if (rc < 0)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	if (arena_defer(a, cached_record_release, c) < 0) {
		cached_record_release(c);
		return no_memory(e);
	}
	if (cache)
		record_cache_put(cache, c, v->seq);
	*out = c;
	return 0;
}

/*
 * Those of `n` that are kept; how many are not. They are of one view: once all
 * are had they are looked at again, since one that was had late may be newer
 * than what the others were when they were had.
 */
static size_t take_kept(struct embedded *g, enum record_kind k, const uint64_t *entries, size_t n,
			struct arena *a, struct cached_record **out)
{
	size_t missing = 0;

	for (size_t i = 0; i < n; i++) {
		out[i] = g->cache ? record_cache_get(g->cache, k, entries[i]) : NULL;
		if (out[i] && arena_defer(a, cached_record_release, out[i]) < 0) {
			cached_record_release(out[i]);
			out[i] = NULL;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (out[i] && !record_cache_current(g->cache, out[i]))
			out[i] = NULL;
		missing += !out[i];
	}
	return missing;
}

/* At least one, which fixes the view; those that are there stay, if they are still current once it is fixed. */
static int read_missing(struct embedded *g, enum record_kind k, const uint64_t *entries, size_t n,
			struct arena *a, struct cached_record **out, struct error *e)
{
	struct view v = { .engine = g, .seq = g->cache ? record_cache_view(g->cache) : 0 };
	struct error dead = { 0 }, *why = e ? e : &dead;
	int rc = pool_take(g->readers, &v.db, e);

	if (rc < 0)
		return rc;
	rc = db_begin(v.db, e);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (!out[i])
			rc = read_cached(&v, k, entries[i], a, &out[i], why);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (out[i] && g->cache && !record_cache_current(g->cache, out[i]))
			rc = read_cached(&v, k, entries[i], a, &out[i], why);
	db_rollback(v.db);
	pool_give(g->readers, v.db);
	return rc;
}

int read_load(void *self, enum record_kind k, const struct rights *r, const uint64_t *entries, size_t n,
	      struct arena *a, struct record **out, struct error *e)
{
	struct embedded *g = self;
	struct cached_record **found = arena_alloc(a, (n + 1) * sizeof(struct cached_record *));
	struct record *v = arena_alloc(a, (n + 1) * sizeof(*v));
	int rc = 0;

	if (!v || !found)
		return no_memory(e);
	if (take_kept(g, k, entries, n, a, found) > 0 &&
	    (rc = read_missing(g, k, entries, n, a, found, e)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (found[i] && (!r || !found[i]->acl || rights_see(r, found[i]->acl)))
			v[i] = found[i]->record;
	*out = v;
	return 0;
}

int read_rows(void *self, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
	      size_t *n, struct error *e)
{
	struct embedded *g = self;
	struct live_row *live = NULL;
	size_t count = 0;
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = entries_rows(d, record_schema(k)->collection, id, g->dim, a, &live, &count, e);
	pool_give(g->readers, d);
	if (rc < 0)
		return rc;
	*out = (struct entry_row *)as_rows(live, count, a);
	if (!*out)
		return no_memory(e);
	*n = count;
	return 0;
}

static int count_all(struct embedded *g, struct db *d, struct engine_status *out, struct error *e)
{
	int64_t seq = 0;
	int rc = db_number(d, "SELECT max(seq) FROM events", &seq, e);

	out->seq = (uint64_t)seq;
	for (int k = 0; k < RECORD_KINDS && rc == 0; k++)
		rc = records_count(d, g->tables, k, &out->records[k], e);
	return rc < 0 ? rc : db_bytes(d, &out->database_bytes, e);
}

int read_status(void *self, struct arena *a, struct engine_status *out, struct error *e)
{
	struct embedded *g = self;
	struct engine_status s = { .dim = g->dim, .embedder = "", .reason = "", .save_error = "" };
	int64_t vectors = 0;
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = count_all(g, d, &s, e);
	if (rc == 0)
		rc = db_number(d, "SELECT EXISTS(SELECT 1 FROM vectors)", &vectors, e);
	pool_give(g->readers, d);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&g->lock);
	s.ready = !g->not_ready;
	s.read_only = g->read_only || g->stopped;
	s.failed_saves = (unsigned)g->failed_saves;
	s.save_error = arena_strdup(a, g->save_error);
	s.reason = arena_strdup(a, g->stopped || g->not_ready ? g->reason : "");
	pthread_mutex_unlock(&g->lock);
	if (vectors)
		s.embedder = arena_strdup(a, g->embedder);
	if (!s.reason || !s.save_error || !s.embedder)
		return no_memory(e);
	pthread_rwlock_rdlock(&g->index_lock);
	if (g->index) {
		s.index_seq = index_seq(g->index);
		index_stats(g->index, &s.index);
	}
	pthread_rwlock_unlock(&g->index_lock);
	*out = s;
	return 0;
}
