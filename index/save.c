/*
 * Graphs are kept as documents.graph, cases.graph … in the index's folder.
 *
 * Nothing is locked while a graph is written: the mutex of upkeep keeps its
 * inside as it is, and which rows its positions have is copied first.
 */
#include "index/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "index/graph.h"
#include "index/graph_file.h"
#include "index/index_internal.h"

static const char *const names[COLLECTIONS] = { "documents", "cases", "conversations", "examples" };

static int path_of(const struct index *x, unsigned collection, char *out, size_t size, struct error *e)
{
	int n = snprintf(out, size, "%s/%s.graph", x->folder, names[collection]);

	return (size_t)n < size ? 0
				: error_set(e, ERR_IO, NULL, "the path of the index's folder is too long");
}

static struct graph_kind kind_of(const struct index *x, unsigned collection)
{
	return (struct graph_kind){ x->options.id, (uint32_t)x->options.dim, collection };
}

/* The ids as they are now; *out is the caller's. Rows that did not come until now are given up. */
static int copy_ids(struct shelf *c, uint64_t **out, struct error *e)
{
	struct graph *g = c->graph;
	uint64_t *ids;

	pthread_rwlock_wrlock(&c->lock);
	ids = malloc((g->n + 1) * sizeof(*ids));
	for (size_t i = 0; ids && i < g->n; i++)
		ids[i] = g->row[i] == ROW_NONE ? 0 : g->id[i];
	if (ids) {
		g->expected = 0;
		g->changed = 0;
	}
	pthread_rwlock_unlock(&c->lock);
	*out = ids;
	return ids ? 0 : error_set(e, ERR_NO_MEMORY, NULL, "out of memory in the index");
}

static int save_graph(struct index *x, unsigned i, struct error *e)
{
	struct shelf *c = &x->shelves[i];
	struct graph *g = c->graph; /* stays the same while upkeep is ours */
	char path[4096];
	uint64_t *ids;
	int rc = path_of(x, i, path, sizeof(path), e);

	if (rc < 0)
		return rc;
	if (!g)
		return file_remove(path, e);
	pthread_rwlock_rdlock(&c->lock);
	int changed = g->changed;
	pthread_rwlock_unlock(&c->lock);
	if (!changed)
		return 0;
	rc = copy_ids(c, &ids, e);
	if (rc < 0)
		return rc;
	rc = graph_save(path, kind_of(x, i), g->hnsw, ids, g->n, e);
	free(ids);
	if (rc < 0) {
		pthread_rwlock_wrlock(&c->lock);
		g->changed = 1;
		pthread_rwlock_unlock(&c->lock);
	}
	return rc;
}

int index_save(struct index *x, struct error *e)
{
	int rc = 0;

	if (!x->folder || x->options.read_only || x->options.dim == 0)
		return 0;
	pthread_mutex_lock(&x->upkeep);
	for (unsigned i = 0; rc == 0 && i < COLLECTIONS; i++)
		rc = save_graph(x, i, e);
	pthread_mutex_unlock(&x->upkeep);
	return rc;
}

/* What a crash left half written. */
static int remove_leftover(const char *path, struct error *e)
{
	char tmp[4096 + 8];

	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	return file_remove(tmp, e);
}

int index_load(struct index *x, struct error *e)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && x->folder && x->options.dim && i < COLLECTIONS; i++) {
		struct error why = { 0 };
		char path[4096];
		rc = path_of(x, i, path, sizeof(path), e);
		if (rc == 0 && !x->options.read_only)
			rc = remove_leftover(path, e);
		if (rc < 0)
			return rc;
		rc = graph_load(path, kind_of(x, i), &x->shelves[i].graph, &why);
		if (rc == ERR_CORRUPT) {
			x->broken_files++;
			rc = x->options.read_only ? 0 : file_remove(path, e);
		} else if (rc < 0 && e) {
			*e = why;
		}
	}
	return rc;
}
