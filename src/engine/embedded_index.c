/* embedded_index.c: the index of an embedded engine: its words, its start from the database, its upkeep. */
#include "engine/embedded_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"

#define LOAD_ENTRIES 500
#define SAVE_ROWS 20000   /* changes after which the index is written though more are coming */
#define IDLE_MS 1000      /* without a change: now is the time to merge what is left, and to write it */
#define QUIET_A_SECOND 20 /* with so few changes too, but for writing */
#define SCRUB_LOOK_MS 600000
#define SAVE_AGAIN_MS 5000        /* after a write of the index that failed, though nothing changes */
#define SCRUB_MS INT64_C(3600000) /* files are read again so often */

/* --- match ------------------------------------------------------------------------------------------ */

static int words_match(void *ctx, enum collection c, const char *expr,
		       void (*each)(void *arg, uint64_t entry), void *arg, struct error *e)
{
	struct embedded *g = ctx;
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = fts_match(d, g->tables, (int)c, expr, each, arg, e);
	pool_give(g->readers, d);
	return rc;
}

/* --- start ---------------------------------------------------------------------------------------- */

static int corrupt(struct error *e, const char *what)
{
	return error_set(e, ERR_CORRUPT, NULL, "an entry's %s cannot be read", what);
}

static int read_acl(struct arena *a, const char *acl, struct index_entry *out, struct error *e)
{
	out->everyone = !acl;
	if (!acl)
		return 0;
	json_t *j = json_keep(a, json_loads(acl, JSON_DECODE_ANY, NULL));
	const char **groups = arena_alloc(a, (json_array_size(j) + 1) * sizeof(*groups));
	if (!json_is_array(j) || !groups)
		return corrupt(e, "ACL");
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!(groups[i] = json_string_value(json_array_get(j, i))))
			return corrupt(e, "ACL");
	out->groups = groups;
	out->n_groups = json_array_size(j);
	return 0;
}

static void read_value(const json_t *j, struct index_value *v)
{
	if (json_is_string(j))
		*v = (struct index_value){ .type = VALUE_STRING,
					   .s = { json_string_value(j), json_string_length(j) } };
	else if (json_is_boolean(j))
		*v = (struct index_value){ .type = VALUE_BOOL, .number = json_is_true(j) };
	else
		*v = (struct index_value){ .type = VALUE_NUMBER, .number = json_number_value(j) };
}

static int read_tags(struct arena *a, const char *tags, struct index_entry *out, struct error *e)
{
	if (strcmp(tags, "[]") == 0)
		return 0;
	json_t *j = json_keep(a, json_loads(tags, 0, NULL));
	struct index_tag *v = arena_alloc(a, (json_array_size(j) + 1) * sizeof(*v));
	if (!json_is_array(j) || !v)
		return corrupt(e, "tags");
	for (size_t i = 0; i < json_array_size(j); i++) {
		const json_t *pair = json_array_get(j, i);
		v[i].key = json_string_value(json_array_get(pair, 0));
		if (!v[i].key)
			return corrupt(e, "tags");
		read_value(json_array_get(pair, 1), &v[i].value);
	}
	out->tags = v;
	out->n_tags = json_array_size(j);
	return 0;
}

static int as_addition(struct arena *a, const struct live_entry *live, struct index_change *out,
		       struct error *e)
{
	struct index_row *rows = arena_alloc(a, (live->n_rows + 1) * sizeof(*rows));
	struct bag *words = arena_alloc(a, sizeof(*words));
	int rc;

	if (!rows || !words || bag_of_texts(a, live->title, live->text, words) < 0)
		return no_memory(e);
	for (size_t i = 0; i < live->n_rows; i++)
		rows[i] = (struct index_row){ .id = live->rows[i].row,
					      .field = (enum row_field)live->rows[i].field,
					      .n = live->rows[i].n,
					      .vector = live->rows[i].vector };
	*out = (struct index_change){ .op = INDEX_ADD };
	out->entry = (struct index_entry){ .collection = (enum collection)live->collection,
					   .id = live->entry,
					   .rows = rows,
					   .n_rows = live->n_rows,
					   .words = words };
	rc = read_acl(a, live->acl, &out->entry, e);
	return rc < 0 ? rc : read_tags(a, live->tags, &out->entry, e);
}

/* One page of entries in one short view. *n is how many there were. */
static int read_page(struct embedded *g, struct db *d, uint64_t after, struct arena *a,
		     struct live_entry **out, size_t *n, struct error *e)
{
	int rc = db_begin(d, e);

	if (rc == 0)
		rc = entries_read(d, after, LOAD_ENTRIES, g->dim, a, out, n, e);
	db_rollback(d);
	return rc;
}

/* Puts what the index lacks of a page: all of it, unless some segments were read from files. */
static int add_page(struct embedded *g, struct db *d, uint64_t seq, uint64_t *after, size_t *n,
		    struct index *x, struct arena *a, struct error *e)
{
	struct index_change *changes = arena_alloc(a, LOAD_ENTRIES * sizeof(*changes));
	struct live_entry *live = NULL;
	size_t lacking = 0;

	if (!changes)
		return no_memory(e);
	int rc = read_page(g, d, *after, a, &live, n, e);
	for (size_t i = 0; rc == 0 && i < *n; i++)
		if (!index_has(x, (enum collection)live[i].collection, live[i].entry))
			rc = as_addition(a, &live[i], &changes[lacking++], e);
	if (rc == 0)
		rc = index_apply(x, seq, changes, lacking, e);
	if (rc == 0 && *n)
		*after = live[*n - 1].entry;
	g->rows_since_save += lacking;
	return rc;
}

static int add_lacking(struct embedded *g, struct db *d, uint64_t seq, struct index *x, struct error *e)
{
	uint64_t after = 0;
	size_t n = LOAD_ENTRIES;
	int rc = 0;

	while (rc == 0 && n == LOAD_ENTRIES) {
		struct arena *a = arena_new(1 << 20);
		rc = a ? add_page(g, d, seq, &after, &n, x, a, e) : no_memory(e);
		arena_free(a);
	}
	return rc;
}

/* Brings one entry to what the database says: put anew, or gone. */
static int catch_up_entry(struct embedded *g, struct db *d, uint64_t entry, uint64_t seq, struct index *x,
			  struct arena *a, struct error *e)
{
	struct index_change changes[COLLECTIONS];
	struct live_entry live;
	size_t n = 0;
	int rc = entries_get(d, entry, g->dim, a, &live, &n, e);

	if (rc == 0 && n == 1)
		rc = as_addition(a, &live, &changes[0], e);
	if (rc < 0)
		return rc;
	for (int c = 0; n == 0 && c < COLLECTIONS; c++) {
		changes[c] = (struct index_change){ .op = INDEX_DELETE };
		changes[c].entry.collection = (enum collection)c;
		changes[c].entry.id = entry;
	}
	g->rows_since_save++;
	return index_apply(x, seq, changes, n ? 1 : COLLECTIONS, e);
}

static int catch_up(struct embedded *g, struct db *d, uint64_t seq, struct index *x, struct arena *a,
		    struct error *e)
{
	uint64_t *changed = NULL;
	size_t n = 0;
	int rc = changes_since(d, index_seq(x), a, &changed, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct arena *one = arena_new(16384);
		rc = one ? catch_up_entry(g, d, changed[i], seq, x, one, e) : no_memory(e);
		arena_free(one);
	}
	return rc;
}

/* --- is it the index of this database? ------------------------------------------------------------------ */

/* The leaf of the event at a sequence number tells histories apart. */
static int mark_of(void *arg, uint64_t seq, unsigned char mark[INDEX_MARK])
{
	struct embedded *g = arg;
	struct db *d;
	int rc = pool_take(g->readers, &d, NULL);

	if (rc < 0)
		return rc;
	rc = entries_mark(d, seq, mark, NULL);
	pool_give(g->readers, d);
	return rc;
}

/* 1: what the files hold is a state that this database was in, and its change log tells all that came since. */
static int is_ours(struct db *d, struct index *x, uint64_t seq, struct arena *a, struct error *e)
{
	unsigned char mark[INDEX_MARK];
	const char *trimmed = NULL;
	uint64_t held = index_seq(x);

	if (held > seq)
		return 0;
	int rc = entries_mark(d, held, mark, e);
	if (rc == 0)
		rc = meta_get(d, "trimmed", a, &trimmed, e);
	if (rc < 0)
		return rc;
	if (trimmed && strtoull(trimmed, NULL, 10) > held)
		return 0;
	return memcmp(mark, index_mark(x), INDEX_MARK) == 0;
}

static int open_index(struct embedded *g, int fresh, unsigned broken, struct index **out, struct error *e)
{
	const struct index_options o = { .folder = g->index_folder,
					 .dim = g->dim,
					 .words = { .ctx = g, .match = words_match },
					 .id = g->embedder_id,
					 .read_only = g->read_only,
					 .fresh = fresh,
					 .broken_files = broken };

	return index_open(&o, out, e);
}

static int open_ours(struct embedded *g, struct db *d, uint64_t seq, struct arena *a, struct index **out,
		     struct error *e)
{
	struct index_stats s;
	int rc = open_index(g, 0, 0, out, e);

	if (rc < 0)
		return rc;
	index_stats(*out, &s);
	rc = is_ours(d, *out, seq, a, e);
	if (rc == 1)
		return 0;
	index_close(*out);
	return rc < 0 ? rc : open_index(g, 1, s.broken_files, out, e);
}

static int load_from(struct embedded *g, struct db *d, uint64_t seq, struct arena *a, struct index **out,
		     struct error *e)
{
	struct index_stats stats;
	struct index *x;
	int rc = open_ours(g, d, seq, a, &x, e);

	if (rc < 0)
		return rc;
	index_stats(x, &stats);
	g->rows_since_save = 0;
	/* First what changed, so that a later seq is not claimed for what was not looked at. */
	if (index_seq(x) < seq && index_seq(x) > 0)
		rc = catch_up(g, d, seq, x, a, e);
	if (rc == 0 && (stats.broken_files || index_seq(x) == 0))
		rc = add_lacking(g, d, seq, x, e);
	if (rc == 0)
		rc = index_apply(x, seq, NULL, 0, e);
	if (rc < 0)
		index_close(x);
	else
		*out = x;
	return rc;
}

int load_index(struct embedded *g, uint64_t seq, struct index **out, struct error *e)
{
	struct arena *a = arena_new(65536);
	struct db *d;
	int rc = a ? pool_take(g->readers, &d, e) : no_memory(e);

	if (rc == 0) {
		rc = load_from(g, d, seq, a, out, e);
		pool_give(g->readers, d);
	}
	arena_free(a);
	return rc;
}

int reload_index(struct embedded *g, uint64_t seq)
{
	struct error e = { 0 };
	struct index *x = NULL;

	/* The old one goes first: it is short of memory that has brought us here. */
	pthread_rwlock_wrlock(&g->index_lock);
	index_close(g->index);
	g->index = NULL;
	int rc = load_index(g, seq, &x, &e);
	g->index = x;
	pthread_rwlock_unlock(&g->index_lock);
	pthread_mutex_lock(&g->lock);
	g->not_ready = rc < 0;
	if (rc < 0)
		snprintf(g->reason, sizeof(g->reason), "the index could not be built: %.120s", e.message);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

/* --- upkeep ----------------------------------------------------------------------------------------- */

void index_grew(struct embedded *g, size_t rows)
{
	pthread_mutex_lock(&g->lock);
	g->rows_since_save += rows;
	g->changes++;
	pthread_cond_signal(&g->idle);
	pthread_mutex_unlock(&g->lock);
}

int save_index(struct embedded *g, struct error *e)
{
	uint64_t seq = 0;
	int rc = 0;

	pthread_rwlock_rdlock(&g->index_lock);
	if (g->index) {
		rc = index_save(g->index, mark_of, g, &seq, e);
		if (rc == 0 && seq)
			atomic_store(&g->saved_seq, seq);
	}
	pthread_rwlock_unlock(&g->index_lock);
	return rc;
}

/* 1 while there is more to do. A failure is not fatal: what is not merged is searched as it is. */
static int maintain_once(struct embedded *g, int idle)
{
	struct error e = { 0 };
	int more = 0;

	pthread_rwlock_rdlock(&g->index_lock);
	if (g->index)
		more = index_maintain(g->index, idle, &e) > 0;
	pthread_rwlock_unlock(&g->index_lock);
	return more;
}

/* Reads all files again: bytes that rot are written anew from memory while they are still there. */
static void scrub(struct embedded *g)
{
	long broken = 0;

	pthread_rwlock_rdlock(&g->index_lock);
	if (g->index)
		broken = index_scrub(g->index);
	pthread_rwlock_unlock(&g->index_lock);
	if (broken > 0)
		save_index(g, NULL);
}

static struct timespec after_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Waits for changes; 1: none came for so long. */
static int wait_for_changes(struct embedded *g, int64_t ms)
{
	struct timespec until = after_ms(ms);
	uint64_t grown = g->changes;
	int rc = 0;

	while (!g->closing && g->changes == grown && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&g->idle, &g->lock, &until);
	return rc == ETIMEDOUT && g->changes == grown;
}

/*
 * With the lock held; lets go of it meanwhile. `quiet`: few changes come, so
 * that large merges are worth it; `still`: none does, so that it is worth it to write.
 */
static void upkeep(struct embedded *g, int quiet, int still)
{
	int more = 1;

	while (more && !g->closing) {
		pthread_mutex_unlock(&g->lock);
		more = maintain_once(g, quiet);
		pthread_mutex_lock(&g->lock);
		g->rows_since_save += more > 0; /* what was merged is worth saving too */
	}
	if (g->closing || g->rows_since_save < (still ? 1 : SAVE_ROWS))
		return;
	g->rows_since_save = 0;
	pthread_mutex_unlock(&g->lock);
	struct error e = { 0 };
	int rc = save_index(g, &e);
	pthread_mutex_lock(&g->lock);
	snprintf(g->save_error, sizeof(g->save_error), "%s", rc < 0 ? e.message : "");
	if (rc < 0) {
		g->failed_saves++;
		g->rows_since_save += 1; /* tried again when it is idle */
	}
}

/* How fast changes come, looked at once a second. */
struct pace {
	int64_t at;
	uint64_t changes;
	int quiet;
};

static int is_quiet(struct pace *p, const struct embedded *g)
{
	int64_t now = clock_mono_us(), took = now - p->at;

	if (took >= IDLE_MS * INT64_C(1000)) {
		p->quiet = (double)(g->changes - p->changes) * 1e6 < (double)took * QUIET_A_SECOND;
		p->at = now;
		p->changes = g->changes;
	}
	return p->quiet;
}

void *background_run(void *self)
{
	struct embedded *g = self;
	int64_t scrubbed = clock_mono_us();
	struct pace pace = { .at = scrubbed };
	int quiet = 0, still = 0;

	/* Searches go first. Of this thread only; it may fail, and nothing depends on it. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
	pthread_mutex_lock(&g->lock);
	while (!g->closing) {
		upkeep(g, quiet, still);
		int64_t look_ms = g->save_error[0] ? SAVE_AGAIN_MS : SCRUB_LOOK_MS;
		still = wait_for_changes(g, still ? look_ms : IDLE_MS);
		quiet = is_quiet(&pace, g) || still;
		if (still && !g->closing && clock_mono_us() - scrubbed > SCRUB_MS * 1000) {
			pthread_mutex_unlock(&g->lock);
			scrub(g);
			scrubbed = clock_mono_us();
			pthread_mutex_lock(&g->lock);
		}
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}
