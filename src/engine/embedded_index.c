/* embedded_index.c: the index of an embedded engine: its words, its start from the database, its upkeep. */
#include "engine/embedded_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"

#define LOAD_ENTRIES 1000
#define SAVE_ROWS 20000 /* new rows after which the graphs are written */

/* --- words -------------------------------------------------------------------------------------- */

struct forward {
	void (*each)(void *arg, struct word_hit hit);
	void *arg;
};

static void forward(void *arg, uint64_t entry, float score)
{
	struct forward *f = arg;

	f->each(f->arg, (struct word_hit){ .entry = entry, .score = score });
}

static int words_search(void *ctx, enum collection c, const struct term *terms, size_t n,
			void (*each)(void *arg, struct word_hit hit), void *arg, struct error *e)
{
	struct embedded *g = ctx;
	struct forward f = { each, arg };
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = fts_search(d, g->tables, (int)c, terms, n, forward, &f, e);
	pool_give(g->readers, d);
	return rc;
}

static int words_match(void *ctx, enum collection c, const char *expr,
		       void (*each)(void *arg, struct word_hit hit), void *arg, struct error *e)
{
	struct embedded *g = ctx;
	struct forward f = { each, arg };
	struct db *d;
	int rc = pool_take(g->readers, &d, e);

	if (rc < 0)
		return rc;
	rc = fts_match(d, g->tables, (int)c, expr, forward, &f, e);
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
	int rc;

	if (!rows)
		return error_set(e, ERR_NO_MEMORY, NULL, "out of memory");
	for (size_t i = 0; i < live->n_rows; i++)
		rows[i] = (struct index_row){ .id = live->rows[i].row,
					      .field = (enum row_field)live->rows[i].field,
					      .n = live->rows[i].n,
					      .vector = live->rows[i].vector };
	*out = (struct index_change){ .op = INDEX_ADD };
	out->entry = (struct index_entry){ .collection = (enum collection)live->collection,
					   .id = live->entry,
					   .rows = rows,
					   .n_rows = live->n_rows };
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

static int add_page(struct embedded *g, struct db *d, uint64_t seq, uint64_t *after, size_t *n,
		    struct index *x, struct arena *a, struct error *e)
{
	struct index_change *changes = arena_alloc(a, LOAD_ENTRIES * sizeof(*changes));
	struct live_entry *live = NULL;

	if (!changes)
		return error_set(e, ERR_NO_MEMORY, NULL, "out of memory");
	int rc = read_page(g, d, *after, a, &live, n, e);
	for (size_t i = 0; rc == 0 && i < *n; i++)
		rc = as_addition(a, &live[i], &changes[i], e);
	if (rc == 0)
		rc = index_apply(x, seq, changes, *n, e);
	if (rc == 0 && *n)
		*after = live[*n - 1].entry;
	return rc;
}

/* One page of entries, read in one short view. *n is how many there were. */
static int load_page(struct embedded *g, struct db *d, uint64_t seq, uint64_t *after, size_t *n,
		     struct index *x, struct error *e)
{
	struct arena *a = arena_new(1 << 20);

	if (!a)
		return error_set(e, ERR_NO_MEMORY, NULL, "out of memory");
	int rc = add_page(g, d, seq, after, n, x, a, e);
	arena_free(a);
	return rc;
}

int load_index(struct embedded *g, uint64_t seq, struct index **out, struct error *e)
{
	const struct index_options o = { .folder = g->index_folder,
					 .dim = g->dim,
					 .words = { .ctx = g, .search = words_search, .match = words_match },
					 .id = g->embedder_id,
					 .read_only = g->read_only };
	uint64_t after = 0;
	size_t n = LOAD_ENTRIES;
	struct index_stats stats;
	struct index *x;
	struct db *d;
	int rc = index_open(&o, &x, e);

	if (rc < 0)
		return rc;
	rc = pool_take(g->readers, &d, e);
	if (rc == 0) {
		while (rc == 0 && n == LOAD_ENTRIES)
			rc = load_page(g, d, seq, &after, &n, x, e);
		pool_give(g->readers, d);
	}
	if (rc < 0) {
		index_close(x);
		return rc;
	}
	/* what the files lack counts as grown: it is built in the background, and should not be built at each start */
	index_stats(x, &stats);
	pthread_mutex_lock(&g->lock);
	g->rows_since_save = stats.rows > stats.graph_rows ? stats.rows - stats.graph_rows : 0;
	pthread_mutex_unlock(&g->lock);
	*out = x;
	return 0;
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
	pthread_cond_signal(&g->idle);
	pthread_mutex_unlock(&g->lock);
}

int save_index(struct embedded *g, struct error *e)
{
	int rc = 0;

	pthread_rwlock_rdlock(&g->index_lock);
	if (g->index) {
		uint64_t seq = index_seq(g->index);
		rc = index_save(g->index, e);
		if (rc == 0)
			atomic_store(&g->saved_seq, seq);
	}
	pthread_rwlock_unlock(&g->index_lock);
	return rc;
}

/* 1 while there is more to do. A failure is not fatal: rows that are not in the graph are scanned. */
static int maintain_once(struct embedded *g)
{
	struct error e = { 0 };
	int more = 0;

	pthread_rwlock_rdlock(&g->index_lock);
	if (g->index)
		more = index_maintain(g->index, &e) > 0;
	pthread_rwlock_unlock(&g->index_lock);
	return more;
}

void *background_run(void *self)
{
	struct embedded *g = self;
	struct error e = { 0 };
	int more = 1, save;

	pthread_mutex_lock(&g->lock);
	while (!g->closing) {
		if (!more)
			pthread_cond_wait(&g->idle, &g->lock);
		if (g->closing)
			break;
		pthread_mutex_unlock(&g->lock);
		more = maintain_once(g);
		pthread_mutex_lock(&g->lock);
		save = !more && g->rows_since_save >= SAVE_ROWS;
		if (!save)
			continue;
		g->rows_since_save = 0;
		pthread_mutex_unlock(&g->lock);
		save_index(g, &e);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}
