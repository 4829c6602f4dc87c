/*
 * graph.h: an HNSW graph and which row of the collection stands at which of
 * its positions.
 *
 * A position without a row is a tombstone: walked through, never answered.
 * Its row id is remembered, so that a row that comes back (an entry put again
 * with the same rows, or the adds at start after graph_load()) takes its place
 * again instead of growing anew.
 */
#ifndef READBACK_INDEX_GRAPH_H
#define READBACK_INDEX_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "index/idmap.h"

struct hnsw;
struct rows;

struct graph {
	struct hnsw *hnsw; /* owned, as all */
	uint32_t *row;     /* by position: the row's slot; ROW_NONE: a tombstone */
	uint64_t *id;      /* by position: the row's id; 0: of a row that will not come back */
	size_t n, cap, id_cap;
	struct idmap unbound; /* ids of tombstones to their positions */
	size_t bound;         /* positions with a row */
	size_t expected;      /* tombstones whose rows are still to come: those of a loaded graph */
	int changed;          /* since it was saved or loaded */
};

struct graph *graph_new(struct hnsw *h); /* takes `h`; NULL without memory (h is then freed) */
void graph_free(struct graph *g);

/* The position that has a row with this id already, which is now at `slot`; ROW_NONE: none has. */
uint32_t graph_bind(struct graph *g, uint64_t id, uint32_t slot);
void graph_unbind(struct graph *g, uint32_t at);

/* Appends a position for what was just added to the graph; row ROW_NONE makes a tombstone. -1: no memory. */
int graph_append(struct graph *g, uint64_t id, uint32_t slot);

/* Tombstones whose rows are gone for good, as far as is known. */
size_t graph_dead(const struct graph *g);
size_t graph_bytes(const struct graph *g);

/* A graph in the making, see maintain.c. */
struct build;
void build_free(struct build *b);

#endif
