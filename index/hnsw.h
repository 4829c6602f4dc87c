/*
 * hnsw.h: a navigable small-world graph over unit vectors (Malkov and Yashunin
 * 2018, arXiv 1603.09320), by FAISS; the one wrapper of FAISS.
 *
 * Vectors get positions 0, 1, 2 … as they are added; none can be removed. Any
 * number of threads may search or write to a file at once, but adding is alone.
 * All failures of FAISS are ERR_INTERNAL with its own message.
 */
#ifndef READBACK_INDEX_HNSW_H
#define READBACK_INDEX_HNSW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct hnsw;

/*
 * How far a walk looks. FAISS 1.7.3 knows no other beam than the graph's own:
 * of more than HNSW_BEAM neighbours asked for, an ever larger part is missing.
 */
#define HNSW_BEAM 256

int hnsw_new(size_t dim, struct hnsw **out, struct error *e);
void hnsw_free(struct hnsw *h);
size_t hnsw_count(const struct hnsw *h);
size_t hnsw_bytes(const struct hnsw *h); /* about */

/* Cores that adding could use. */
int hnsw_cores(void);

/* `n` vectors of `dim` floats, one behind the other. `threads` 0: as many as there are cores. */
int hnsw_add(struct hnsw *h, const float *vectors, size_t n, int threads, struct error *e);

/*
 * The best k <= HNSW_BEAM, best first, as positions and inner products. Returns
 * how many there are, or an error.
 */
long hnsw_search(const struct hnsw *h, const float *q, size_t k, int64_t *at, float *score, struct error *e);

/* FAISS's own format, from the stream's position on. Reading trusts the bytes: check them before. */
int hnsw_write(const struct hnsw *h, FILE *f, struct error *e);
int hnsw_read(FILE *f, size_t dim, struct hnsw **out, struct error *e);

#endif
