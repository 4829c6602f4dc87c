#include "engine/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/file.h"
#include "embed/embed.h"
#include "engine/embedded_internal.h"

/* --- closing ------------------------------------------------------------------------------------ */

static void stop_threads(struct embedded *g)
{
	pthread_mutex_lock(&g->lock);
	g->closing = 1;
	pthread_cond_broadcast(&g->idle);
	pthread_mutex_unlock(&g->lock);
	if (g->index && g->has_background)
		index_stop(g->index);
	if (g->has_background)
		pthread_join(g->background_thread, NULL);
	if (!g->has_writer)
		return;
	/* Saved before the writer ends, so that it can trim the change log. Without room it is built again. */
	pthread_mutex_lock(&g->lock);
	int save = g->rows_since_save > 0;
	pthread_mutex_unlock(&g->lock);
	if (save)
		save_index(g, NULL);
	pthread_mutex_lock(&g->lock);
	g->closing = 2;
	pthread_cond_broadcast(&g->work);
	pthread_mutex_unlock(&g->lock);
	pthread_join(g->writer_thread, NULL);
}

void embedded_release(struct embedded *g)
{
	stop_threads(g);
	index_close(g->index);
	pool_free(g->readers);
	record_cache_free(g->cache);
	db_close(g->writer);
	if (g->lock_fd >= 0)
		folder_unlock(g->lock_fd);
	tables_free(g->tables);
	pthread_cond_destroy(&g->work);
	pthread_cond_destroy(&g->idle);
	pthread_mutex_destroy(&g->lock);
	pthread_rwlock_destroy(&g->index_lock);
	free(g->folder);
	free(g->database);
	free(g->index_folder);
	free(g->embedder);
	free(g);
}

static void embedded_close(void *self)
{
	embedded_release(self);
}

static const struct engine_ops ops = {
	.commit = write_events,
	.get = read_get,
	.revision = read_revision,
	.scan = read_scan,
	.search = read_search,
	.frequencies = read_frequencies,
	.load = read_load,
	.rows = read_rows,
	.status = read_status,
	.close = embedded_close,
};

/* --- opening ------------------------------------------------------------------------------------ */

static struct embedded *embedded_new(const struct embedded_options *o)
{
	struct embedded *g = calloc(1, sizeof(*g));
	const char *embedder = o->embedder ? o->embedder->id : "none";

	if (!g)
		return NULL;
	g->lock_fd = -1;
	g->read_only = o->read_only;
	g->last = &g->first;
	pthread_mutex_init(&g->lock, NULL);
	pthread_rwlock_init(&g->index_lock, NULL);
	pthread_cond_init(&g->work, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&g->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (int k = 0; k < RECORD_KINDS; k++) {
		const struct record_schema *s = record_schema((enum record_kind)k);
		g->specs[k] = (struct table_spec){ .name = s->name,
						   .fields = { s->fields[0], s->fields[1], s->fields[2] },
						   .collection = s->collection };
	}
	g->tables = tables_new(g->specs, RECORD_KINDS, COLLECTIONS);
	g->folder = strdup(o->folder);
	g->embedder = strdup(embedder);
	if (asprintf(&g->database, "%s/readback.db", o->folder) < 0)
		g->database = NULL;
	if (asprintf(&g->index_folder, "%s/index", o->folder) < 0)
		g->index_folder = NULL;
	if (g->database)
		g->readers = pool_new(g->database, EMBEDDED_READERS);
	if (!g->read_only)
		g->cache = record_cache_new(EMBEDDED_CACHE);
	if ((!g->cache && !g->read_only) || !g->tables || !g->folder || !g->embedder || !g->database ||
	    !g->index_folder || !g->readers) {
		embedded_release(g);
		return NULL;
	}
	return g;
}

/*
 * The key of the ledger's pseudonyms, in a file of its own beside the
 * database. Made before the database is, so that no database is without one.
 */
static int read_secret(struct embedded *g, struct error *e)
{
	char path[4096];
	char *text = NULL;
	size_t n;

	if ((size_t)snprintf(path, sizeof(path), "%s/secret", g->folder) >= sizeof(path))
		return error_set(e, ERR_FOLDER, NULL, "the path is too long");
	if (!file_exists(path)) {
		if (file_exists(g->database))
			return error_set(e, ERR_CORRUPT, NULL, "%s is missing: restore it from a backup",
					 path);
		if (g->read_only)
			return error_set(e, ERR_NOT_FOUND, NULL, "%s: there is no database", g->folder);
		crypto_random(g->secret, sizeof(g->secret));
		return file_write(path, g->secret, sizeof(g->secret), e);
	}
	int rc = file_read(path, &text, &n, e);
	if (rc < 0)
		return rc;
	if (n == sizeof(g->secret))
		memcpy(g->secret, text, n);
	else
		rc = error_set(e, ERR_CORRUPT, NULL, "%s has not 32 bytes: restore it from a backup", path);
	free(text);
	return rc;
}

static int open_folder(struct embedded *g, struct error *e)
{
	int rc;

	if (g->read_only)
		return 0;
	rc = folder_make(g->folder, e);
	if (rc == 0)
		rc = folder_lock(g->folder, &g->lock_fd, e);
	if (rc == 0)
		rc = folder_make(g->index_folder, e);
	return rc;
}

static int open_database(struct embedded *g, const struct embedded_options *o, struct error *e)
{
	const struct db_options writer = { .path = g->database, .max_bytes = o->max_bytes };
	struct db *d;
	int rc;

	if (!o->read_only) {
		rc = db_open(&writer, &g->writer, e);
		return rc < 0 ? rc : tables_migrate(g->tables, g->writer, e);
	}
	rc = pool_take(g->readers, &d, e);
	if (rc < 0)
		return rc;
	rc = tables_check(d, e);
	pool_give(g->readers, d);
	return rc;
}

static int save_embedder(struct db *d, const struct embedder_info *m, struct error *e)
{
	char dim[24];
	int rc = db_begin_write(d, e);

	snprintf(dim, sizeof(dim), "%zu", m->dim);
	if (rc == 0)
		rc = meta_set(d, "embedder", m->id, e);
	if (rc == 0)
		rc = meta_set(d, "weights", m->weights ? m->weights : "", e);
	if (rc == 0)
		rc = meta_set(d, "precision", m->precision ? m->precision : "", e);
	if (rc == 0)
		rc = meta_set(d, "dim", dim, e);
	if (rc == 0)
		rc = db_commit(d, e);
	if (rc < 0)
		db_rollback(d);
	return rc;
}

/* What the vectors in the database are of. Precision may change: bf16 and float32 of the same weights mix. */
struct stored_embedder {
	const char *id, *weights, *dim; /* NULL: nothing was ever set */
	int64_t vectors;
};

static int read_embedder(struct db *d, struct arena *a, struct stored_embedder *s, struct error *e)
{
	int rc = meta_get(d, "embedder", a, &s->id, e);

	if (rc == 0)
		rc = meta_get(d, "weights", a, &s->weights, e);
	if (rc == 0)
		rc = meta_get(d, "dim", a, &s->dim, e);
	if (rc == 0)
		rc = db_number(d, "SELECT EXISTS(SELECT 1 FROM vectors)", &s->vectors, e);
	return rc;
}

static int use_embedder(struct embedded *g, const char *id, const char *weights, size_t dim, struct error *e)
{
	char all[256];
	int n = snprintf(all, sizeof(all), "%s\n%s\n%zu", id, weights, dim);
	char *copy = strdup(id);

	if (!copy)
		return no_memory(e);
	free(g->embedder);
	g->embedder = copy;
	g->dim = dim;
	g->embedder_id = hash_fnv1a(all, (size_t)n < sizeof(all) ? (size_t)n : sizeof(all) - 1);
	return 0;
}

/* Without an embedder (words only) vectors that are there go on to be searched with vectors that clients bring. */
static int settle_embedder(struct embedded *g, struct db *d, const struct embedder_info *m, struct arena *a,
			   struct error *e)
{
	struct stored_embedder s = { 0 };
	int rc = read_embedder(d, a, &s, e);
	size_t dim = s.dim ? (size_t)strtoul(s.dim, NULL, 10) : 0;

	if (rc < 0)
		return rc;
	if (s.vectors && (!s.id || !s.weights || !dim))
		return error_set(e, ERR_CORRUPT, NULL, "the database does not say whose vectors it holds");
	if (s.vectors && (!m || !m->dim))
		return use_embedder(g, s.id, s.weights, dim, e);
	if (!m || !m->dim)
		return 0;
	if (s.vectors && (strcmp(s.id, m->id) != 0 || dim != m->dim ||
			  strcmp(s.weights, m->weights ? m->weights : "") != 0))
		return error_set(
			e, ERR_WRONG_DIMENSION, NULL,
			"the database holds vectors of %.80s with %zu dimensions, this is %.80s with %zu (or "
			"other weights): run with the embedder that made them, or import into a new folder",
			s.id, dim, m->id, m->dim);
	rc = use_embedder(g, m->id, m->weights ? m->weights : "", m->dim, e);
	if (rc == 0 && !s.vectors && g->writer)
		rc = save_embedder(g->writer, m, e);
	return rc;
}

static int check_embedder(struct embedded *g, const struct embedder_info *m, struct error *e)
{
	struct arena *a = arena_new(4096);
	struct db *d;
	int rc = a ? pool_take(g->readers, &d, e) : no_memory(e);

	if (rc == 0) {
		rc = settle_embedder(g, d, m, a, e);
		pool_give(g->readers, d);
	}
	arena_free(a);
	return rc;
}

static int read_numbers(struct embedded *g, struct error *e)
{
	uint64_t entry = 0, row = 0;
	int64_t last = 0;
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = db_number(d, "SELECT max(seq) FROM events", &last, e);
	if (rc == 0)
		rc = entries_highest(d, &entry, &row, e);
	pool_give(g->readers, d);
	g->next_seq = (uint64_t)last + 1;
	if (g->cache)
		record_cache_publish(g->cache, (uint64_t)last);
	atomic_store(&g->next_entry, entry + 1);
	atomic_store(&g->next_row, row + 1);
	return rc;
}

static int start_threads(struct embedded *g, const struct embedded_options *o, struct error *e)
{
	if (o->read_only)
		return 0;
	if (pthread_create(&g->writer_thread, NULL, writer_run, g) != 0)
		return no_memory(e);
	g->has_writer = 1;
	if (o->no_background)
		return 0;
	if (pthread_create(&g->background_thread, NULL, background_run, g) != 0)
		return no_memory(e);
	g->has_background = 1;
	return 0;
}

static int open_store(struct embedded *g, const struct embedded_options *o, struct error *e)
{
	int rc = open_folder(g, e);

	if (rc == 0)
		rc = read_secret(g, e);
	if (rc == 0)
		rc = open_database(g, o, e);
	if (rc == 0)
		rc = check_embedder(g, o->embedder, e);
	return rc < 0 ? rc : read_numbers(g, e);
}

int embedded_open_store(const struct embedded_options *o, struct embedded **out, struct error *e)
{
	struct embedded *g = embedded_new(o);
	int rc;

	if (!g)
		return no_memory(e);
	rc = open_store(g, o, e);
	if (rc < 0) {
		embedded_release(g);
		return rc;
	}
	*out = g;
	return 0;
}

int embedded_open(const struct embedded_options *o, struct engine **out, struct error *e)
{
	struct embedded *g = NULL;
	int rc = embedded_open_store(o, &g, e);

	if (rc < 0 || !g)
		return rc;
	if (!o->no_index)
		rc = load_index(g, g->next_seq - 1, &g->index, e);
	if (rc == 0)
		rc = start_threads(g, o, e);
	if (rc < 0) {
		embedded_release(g);
		return rc;
	}
	struct engine *engine = engine_new(&ops, g);
	if (!engine)
		return no_memory(e);
	*out = engine;
	return 0;
}
