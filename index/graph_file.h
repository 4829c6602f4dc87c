/*
 * graph_file.h: graphs on disk. The format is above the code, in graph_file.c.
 */
#ifndef READBACK_INDEX_GRAPH_FILE_H
#define READBACK_INDEX_GRAPH_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct graph;
struct hnsw;

/* What a file must be of to be used. */
struct graph_kind {
	uint64_t id; /* struct index_options' */
	uint32_t dim, collection;
};

/* `ids` are those of the graph's positions, 0 for tombstones. Writes `path` anew, whole or not at all. */
int graph_save(const char *path, struct graph_kind kind, const struct hnsw *h, const uint64_t *ids, size_t n,
	       struct error *e);

/*
 * 0 with *out NULL if there is no file, or one of another kind. ERR_CORRUPT if
 * the file is broken or of a format that is not known; nothing of it was read
 * into a graph then. All positions of *out are tombstones that expect their row.
 */
int graph_load(const char *path, struct graph_kind kind, struct graph **out, struct error *e);

#endif
