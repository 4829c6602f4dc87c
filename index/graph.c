#include "index/graph.h"

#include <stdlib.h>

#include "base/grow.h"
#include "index/hnsw.h"
#include "index/rows.h"

struct graph *graph_new(struct hnsw *h)
{
	struct graph *g = calloc(1, sizeof(*g));

	if (g)
		g->hnsw = h;
	else
		hnsw_free(h);
	return g;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	hnsw_free(g->hnsw);
	idmap_release(&g->unbound);
	free(g->row);
	free(g->id);
	free(g);
}

uint32_t graph_bind(struct graph *g, uint64_t id, uint32_t slot)
{
	uint32_t at = idmap_get(&g->unbound, id);

	if (at == IDMAP_NONE)
		return ROW_NONE;
	idmap_remove(&g->unbound, id);
	g->row[at] = slot;
	g->bound++;
	g->expected -= g->expected > 0;
	return at;
}

void graph_unbind(struct graph *g, uint32_t at)
{
	g->row[at] = ROW_NONE;
	g->bound--;
	g->changed = 1;
	if (idmap_put(&g->unbound, g->id[at], at) < 0)
		g->id[at] = 0; /* a row that comes back will grow anew */
}

int graph_append(struct graph *g, uint64_t id, uint32_t slot)
{
	if (g->n >= ROW_NONE || GROW(g->row, g->n, g->cap) < 0 || GROW(g->id, g->n, g->id_cap) < 0)
		return -1;
	g->row[g->n] = slot;
	g->id[g->n++] = id;
	g->bound += slot != ROW_NONE;
	g->changed = 1;
	return 0;
}

size_t graph_dead(const struct graph *g)
{
	size_t tombstones = g->n - g->bound;

	return tombstones > g->expected ? tombstones - g->expected : 0;
}

size_t graph_bytes(const struct graph *g)
{
	if (!g)
		return 0;
	return g->cap * (sizeof(*g->row) + sizeof(*g->id)) + idmap_bytes(&g->unbound) + hnsw_bytes(g->hnsw);
}
