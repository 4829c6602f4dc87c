/*
 * Rows get into the graph in two ways:
 *
 *  - a few at a time into the graph that is there, under the write lock, since
 *    FAISS cannot search while it adds;
 *  - all of them into a new graph beside the old one, without a lock, when
 *    there is none yet, when more than half of it is tombstones (it cannot
 *    forget), or when more rows wait than it has. It takes the old one's place
 *    at the end, in one step that looks again which rows are still there.
 *
 * A collection of few rows has no graph: scanning it is as quick, and exact.
 */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "index/graph.h"
#include "index/hnsw.h"
#include "index/index_internal.h"

struct build {
	struct graph *graph; /* rows as they were when they were copied */
	uint32_t next;       /* the row slot to go on from */
	float *vectors;      /* a slice, packed */
	uint64_t *ids;
	uint32_t *slots;
};

#define BUILD_SLICE 256

static int no_memory(struct error *e)
{
	return error_set(e, ERR_NO_MEMORY, NULL, "out of memory in the index");
}

void build_free(struct build *b)
{
	if (!b)
		return;
	graph_free(b->graph);
	free(b->vectors);
	free(b->ids);
	free(b->slots);
	free(b);
}

static int build_new(size_t dim, struct build **out, struct error *e)
{
	struct build *b = calloc(1, sizeof(*b));
	struct hnsw *h = NULL;

	if (!b)
		return no_memory(e);
	b->vectors = malloc(BUILD_SLICE * dim * sizeof(*b->vectors));
	b->ids = malloc(BUILD_SLICE * sizeof(*b->ids));
	b->slots = malloc(BUILD_SLICE * sizeof(*b->slots));
	int rc = b->vectors && b->ids && b->slots ? hnsw_new(dim, &h, e) : no_memory(e);
	if (rc == 0 && !(b->graph = graph_new(h)))
		rc = no_memory(e);
	if (rc == 0)
		*out = b;
	else
		build_free(b);
	return rc;
}

/* Copies the next rows, so that what is slow needs no lock. Under the read lock. */
static size_t build_copy(struct build *b, const struct shelf *c)
{
	size_t n = 0, dim = c->rows.dim;

	for (; b->next < c->rows.n && n < BUILD_SLICE; b->next++) {
		const struct row *row = &c->rows.row[b->next];
		if (row->entry == ROW_NONE)
			continue;
		memcpy(b->vectors + n * dim, rows_vector(&c->rows, b->next), dim * sizeof(*b->vectors));
		b->ids[n] = row->id;
		b->slots[n++] = b->next;
	}
	return n;
}

/* Half of the cores: searches go on meanwhile. */
static int build_threads(void)
{
	int n = hnsw_cores() / 2;

	return n > 0 ? n : 1;
}

static int build_slice(struct shelf *c, struct build *b, size_t *n, struct error *e)
{
	pthread_rwlock_rdlock(&c->lock);
	*n = build_copy(b, c);
	pthread_rwlock_unlock(&c->lock);
	int rc = *n ? hnsw_add(b->graph->hnsw, b->vectors, *n, build_threads(), e) : 0;
	for (size_t i = 0; rc == 0 && i < *n; i++) {
		if (graph_append(b->graph, b->ids[i], b->slots[i]) < 0)
			rc = no_memory(e);
	}
	return rc;
}

/* Under the write lock. */
static void swap_in(struct shelf *c, struct graph *g)
{
	struct graph *old = c->graph;

	for (uint32_t r = 0; old && r < c->rows.n; r++) {
		if (c->rows.row[r].entry == ROW_NONE || c->rows.row[r].at == ROW_NONE)
			continue;
		c->rows.row[r].at = ROW_NONE;
		roaring_bitmap_add(c->growing, r);
	}
	for (uint32_t at = 0; g && at < g->n; at++) {
		struct row *row = &c->rows.row[g->row[at]];
		if (row->entry == ROW_NONE || row->id != g->id[at]) {
			graph_unbind(g, at); /* it went away, or its slot has another now */
			continue;
		}
		row->at = at;
		roaring_bitmap_remove(c->growing, g->row[at]);
	}
	c->graph = g;
}

static void publish(struct shelf *c, struct graph *g)
{
	pthread_rwlock_wrlock(&c->lock);
	struct graph *old = c->graph;
	swap_in(c, g);
	pthread_rwlock_unlock(&c->lock);
	graph_free(old);
}

/* Goes on with the new graph; 1, or an error, after which it is begun again. */
static int build_step(struct shelf *c, struct error *e)
{
	size_t n = 0;
	int rc = build_slice(c, c->build, &n, e);

	if (rc == 0 && n > 0)
		return 1;
	if (rc == 0) {
		publish(c, c->build->graph);
		c->build->graph = NULL;
	}
	build_free(c->build);
	c->build = NULL;
	return rc < 0 ? rc : 1;
}

/* Under the write lock: the first waiting rows go into the graph. */
static int append_slice(struct shelf *c, size_t slice, float *vectors, uint32_t *slots, struct error *e)
{
	roaring_uint32_iterator_t i;
	size_t n = 0, dim = c->rows.dim;

	for (roaring_init_iterator(c->growing, &i); i.has_value && n < slice;
	     roaring_advance_uint32_iterator(&i)) {
		memcpy(vectors + n * dim, rows_vector(&c->rows, i.current_value), dim * sizeof(*vectors));
		slots[n++] = i.current_value;
	}
	int rc = hnsw_add(c->graph->hnsw, vectors, n, 0, e);
	for (size_t j = 0; rc == 0 && j < n; j++) {
		struct row *row = &c->rows.row[slots[j]];
		uint32_t at = (uint32_t)c->graph->n;
		if (graph_append(c->graph, row->id, slots[j]) < 0)
			return no_memory(e);
		row->at = at;
		roaring_bitmap_remove(c->growing, slots[j]);
	}
	return rc;
}

static int append_step(struct shelf *c, size_t slice, struct error *e)
{
	float *vectors = malloc(slice * c->rows.dim * sizeof(*vectors));
	uint32_t *slots = malloc(slice * sizeof(*slots));
	int rc;

	if (vectors && slots) {
		pthread_rwlock_wrlock(&c->lock);
		rc = append_slice(c, slice, vectors, slots, e);
		pthread_rwlock_unlock(&c->lock);
	} else {
		rc = no_memory(e);
	}
	free(vectors);
	free(slots);
	return rc < 0 ? rc : 1;
}

enum need { NOTHING, APPEND, BUILD, DROP };

static enum need need_of(const struct shelf *c, const struct index_tuning *t)
{
	const struct graph *g = c->graph;
	size_t growing = (size_t)roaring_bitmap_get_cardinality(c->growing);
	int enough = c->rows.live > t->exact_rows;

	if (!g)
		return enough ? BUILD : NOTHING;
	if (graph_dead(g) * 2 > g->n)
		return enough ? BUILD : DROP;
	if (growing <= t->growing_rows)
		return NOTHING;
	return enough && growing > g->n ? BUILD : APPEND;
}

static int shelf_step(struct shelf *c, const struct index_tuning *t, struct error *e)
{
	int rc;

	if (c->build)
		return build_step(c, e);
	pthread_rwlock_rdlock(&c->lock);
	enum need need = need_of(c, t);
	pthread_rwlock_unlock(&c->lock);
	switch (need) {
	case APPEND:
		return append_step(c, t->slice, e);
	case BUILD:
		rc = build_new(c->rows.dim, &c->build, e);
		return rc < 0 ? rc : build_step(c, e);
	case DROP:
		publish(c, NULL);
		return 1;
	case NOTHING:
		break;
	}
	return 0;
}

int index_maintain(struct index *x, struct error *e)
{
	int rc = 0;

	if (x->options.dim == 0)
		return 0;
	pthread_mutex_lock(&x->upkeep);
	for (size_t i = 0; rc == 0 && i < COLLECTIONS; i++)
		rc = shelf_step(&x->shelves[i], &x->tuning, e);
	pthread_mutex_unlock(&x->upkeep);
	return rc;
}
