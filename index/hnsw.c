#include "index/hnsw.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

/* FAISS has an OK of its own. */
#define OK FAISS_OK
#include <faiss/c_api/AutoTune_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/c_api/index_io_c.h>
#undef OK

/* 32 links a vector (64 on the ground floor), full floats. */
#define KIND "HNSW32,Flat"
#define BEAM_WHEN_ADDING 128

struct hnsw {
	FaissIndex *faiss;
};

static int faiss_failed(struct error *e, const char *what)
{
	const char *why = faiss_get_last_error();

	return error_set(e, ERR_INTERNAL, NULL, "%s: %s", what, why ? why : "no reason given");
}

static int set_beams(FaissIndex *faiss, struct error *e)
{
	FaissParameterSpace *space = NULL;

	if (faiss_ParameterSpace_new(&space) != 0)
		return faiss_failed(e, "graph parameters");
	int failed = faiss_ParameterSpace_set_index_parameter(space, faiss, "efConstruction",
							      BEAM_WHEN_ADDING) != 0 ||
		     faiss_ParameterSpace_set_index_parameter(space, faiss, "efSearch", HNSW_BEAM) != 0;
	int rc = failed ? faiss_failed(e, "graph parameters") : 0;
	faiss_ParameterSpace_free(space);
	return rc;
}

/* Takes `faiss`. */
static int wrap(FaissIndex *faiss, struct hnsw **out, struct error *e)
{
	int rc = set_beams(faiss, e);
	struct hnsw *h = rc < 0 ? NULL : malloc(sizeof(*h));

	if (!h) {
		faiss_Index_free(faiss);
		return rc < 0 ? rc : error_set(e, ERR_NO_MEMORY, NULL, "out of memory in the index");
	}
	h->faiss = faiss;
	*out = h;
	return 0;
}

int hnsw_new(size_t dim, struct hnsw **out, struct error *e)
{
	FaissIndex *faiss = NULL;

	if (faiss_index_factory(&faiss, (int)dim, KIND, METRIC_INNER_PRODUCT) != 0)
		return faiss_failed(e, "new graph");
	return wrap(faiss, out, e);
}

void hnsw_free(struct hnsw *h)
{
	if (!h)
		return;
	faiss_Index_free(h->faiss);
	free(h);
}

size_t hnsw_count(const struct hnsw *h)
{
	return (size_t)faiss_Index_ntotal(h->faiss);
}

int hnsw_cores(void)
{
	return omp_get_num_procs();
}

size_t hnsw_bytes(const struct hnsw *h)
{
	/* Links of four bytes: 64 on the ground floor, on average two above it; the rest is bookkeeping. */
	size_t vector = (size_t)faiss_Index_d(h->faiss) * sizeof(float);

	return hnsw_count(h) * (vector + (64 + 2) * 4 + 12);
}

/* The number of threads is the calling thread's own setting, which others (the embedder) rely on too. */
static int set_threads(int n)
{
	int before = omp_get_max_threads();

	omp_set_num_threads(n);
	return before;
}

int hnsw_add(struct hnsw *h, const float *vectors, size_t n, int threads, struct error *e)
{
	int before = set_threads(threads > 0 ? threads : hnsw_cores());
	int failed = faiss_Index_add(h->faiss, (idx_t)n, vectors);

	set_threads(before);
	return failed ? faiss_failed(e, "adding to the graph") : 0;
}

long hnsw_search(const struct hnsw *h, const float *q, size_t k, int64_t *at, float *score, struct error *e)
{
	size_t n = 0;

	assert(k > 0 && k <= HNSW_BEAM);
	/* One query has nothing to share out, and each thread would clear a table of visited vectors. */
	int before = set_threads(1);
	int failed = faiss_Index_search(h->faiss, 1, q, (idx_t)k, score, at);
	set_threads(before);
	if (failed)
		return faiss_failed(e, "searching the graph");
	while (n < k && at[n] >= 0)
		n++;
	return (long)n;
}

int hnsw_write(const struct hnsw *h, FILE *f, struct error *e)
{
	return faiss_write_index(h->faiss, f) ? faiss_failed(e, "writing the graph") : 0;
}

int hnsw_read(FILE *f, size_t dim, struct hnsw **out, struct error *e)
{
	FaissIndex *faiss = NULL;

	if (faiss_read_index(f, 0, &faiss) != 0)
		return faiss_failed(e, "reading the graph");
	if ((size_t)faiss_Index_d(faiss) != dim || faiss_Index_metric_type(faiss) != METRIC_INNER_PRODUCT) {
		faiss_Index_free(faiss);
		return error_set(e, ERR_CORRUPT, NULL, "the graph is of another kind");
	}
	return wrap(faiss, out, e);
}
