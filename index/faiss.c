#include "index/faiss.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FAISS has an OK of its own. */
#define OK FAISS_OK
#include <faiss/c_api/AutoTune_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/c_api/index_io_c.h>
#undef OK

#include "index/walk.h"

/* 32 links a row (64 on the ground), full floats. */
#define KIND "HNSW32,Flat"
#define BEAM_WHEN_ADDING 128
#define SLICE 512

static int faiss_failed(struct error *e, const char *what)
{
	const char *why = faiss_get_last_error();

	return error_set(e, ERR_INTERNAL, NULL, "%s: %s", what, why ? why : "no reason given");
}

/* --- building ------------------------------------------------------------------------------------------ */

static int set_beam(FaissIndex *x, struct error *e)
{
	FaissParameterSpace *space = NULL;

	if (faiss_ParameterSpace_new(&space) != 0)
		return faiss_failed(e, "graph parameters");
	int failed = faiss_ParameterSpace_set_index_parameter(space, x, "efConstruction", BEAM_WHEN_ADDING);
	int rc = failed ? faiss_failed(e, "graph parameters") : 0;
	faiss_ParameterSpace_free(space);
	return rc;
}

static int add_slices(FaissIndex *x, const float *vectors, size_t n, size_t dim, size_t stride,
		      const struct faiss_build_options *o, struct error *e)
{
	float *slice = malloc(SLICE * dim * sizeof(*slice));
	int rc = slice ? 0 : no_memory(e);

	for (size_t at = 0; rc == 0 && at < n; at += SLICE) {
		size_t m = n - at < SLICE ? n - at : SLICE;
		for (size_t i = 0; i < m; i++)
			memcpy(slice + i * dim, vectors + (at + i) * stride, dim * sizeof(*slice));
		if (o->go_on && !o->go_on(o->arg))
			rc = error_set(e, ERR_INTERRUPTED, NULL, "a graph was not built to the end");
		else if (faiss_Index_add(x, (idx_t)m, slice) != 0)
			rc = faiss_failed(e, "adding to the graph");
	}
	free(slice);
	return rc;
}

/* The number of threads is the calling thread's own setting, which others (the embedder) rely on too. */
static int add_all(FaissIndex *x, const float *vectors, size_t n, size_t dim, size_t stride,
		   const struct faiss_build_options *o, struct error *e)
{
	int before = omp_get_max_threads(), half = omp_get_num_procs() / 2;

	omp_set_num_threads(o->threads > 0 ? o->threads : half > 0 ? half : 1);
	int rc = add_slices(x, vectors, n, dim, stride, o, e);
	omp_set_num_threads(before);
	return rc;
}

/* --- reading what it writes ---------------------------------------------------------------------------- */

/*
 * What FAISS 1.7 writes of an IndexHNSWFlat, machine byte order:
 *
 *   index   := "IHNf" dim i32, rows i64, unused i64 * 2, trained u8, metric i32 (0: inner product), hnsw, storage
 *   hnsw    := chances f64[], sums i32[], levels i32[], offsets u64[], links i32[], entry i32, top i32, beams i32 * 3
 *   x[]     := count u64, x * count
 *
 * A row's links begin at its offset; those of level l are from sums[l] to sums[l + 1], -1 where there are fewer.
 */
enum array { CHANCES, SUMS, LEVELS, OFFSETS, LINKS, ARRAYS };
static const size_t item[ARRAYS] = { 8, 4, 4, 8, 4 };
enum { FRONT = 4 + 4 + 3 * 8 + 1 + 4, BACK = 5 * 4 };

struct stream {
	struct strbuf kept; /* all before the storage */
	size_t rows;
	size_t at[ARRAYS], n[ARRAYS]; /* where in `kept`, how many items */
	size_t next;                  /* the array whose count is read next */
	size_t want;                  /* bytes that `kept` needs to go on */
	int wrong;
};

static uint64_t number(const struct stream *s, size_t at, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, s->kept.p + at, size);
	return v;
}

static int front_is_known(const struct stream *s)
{
	return memcmp(s->kept.p, "IHNf", 4) == 0 && number(s, 8, 8) == s->rows && number(s, 33, 4) == 0;
}

/* Goes on as far as there are bytes. */
static void stream_read(struct stream *s)
{
	while (!s->wrong && s->kept.n >= s->want && s->next < ARRAYS) {
		if (s->next == 0 && !front_is_known(s)) {
			s->wrong = 1;
			return;
		}
		uint64_t n = number(s, s->want - 8, 8);
		if (n > (uint64_t)(s->rows + 1) * (WALK_GROUND + 32 * WALK_UPPER)) {
			s->wrong = 1;
			return;
		}
		s->at[s->next] = s->want;
		s->n[s->next] = (size_t)n;
		s->want += (size_t)n * item[s->next++];
		s->want += s->next < ARRAYS ? 8 : BACK;
	}
}

static ssize_t stream_write(void *cookie, const char *p, size_t n)
{
	struct stream *s = cookie;
	size_t used = 0;

	while (used < n && s->kept.n < s->want && !s->wrong) {
		size_t room = s->want - s->kept.n, m = n - used < room ? n - used : room;
		strbuf_add(&s->kept, p + used, m);
		used += m;
		if (s->kept.failed)
			s->wrong = 1;
		else
			stream_read(s);
	}
	return (ssize_t)n; /* what is left is the copy of the vectors */
}

static int read_index(const FaissIndex *x, struct stream *s, struct error *e)
{
	static const cookie_io_functions_t io = { .write = stream_write };
	FILE *f = fopencookie(s, "w", io);

	s->want = FRONT + 8;
	if (!f)
		return no_memory(e);
	int failed = faiss_write_index(x, f);
	if (fclose(f) != 0 || failed)
		return faiss_failed(e, "writing the graph");
	if (s->kept.failed)
		return no_memory(e);
	if (s->wrong || s->next < ARRAYS || s->kept.n < s->want)
		return error_set(e, ERR_INTERNAL, NULL,
				 "this FAISS writes graphs in another form than 1.7: use the pinned version");
	return 0;
}

/* --- the links ----------------------------------------------------------------------------------------- */

static uint32_t levels_of(const struct stream *s, size_t row)
{
	return (uint32_t)number(s, s->at[LEVELS] + 4 * row, 4);
}

static uint32_t sum_of(const struct stream *s, size_t level)
{
	return (uint32_t)number(s, s->at[SUMS] + 4 * level, 4);
}

/* Does everything fit, so that what follows need not look? */
static int is_sound(const struct stream *s)
{
	if (s->n[LEVELS] != s->rows || s->n[OFFSETS] != s->rows + 1 || s->n[SUMS] < 2 || sum_of(s, 0) != 0 ||
	    sum_of(s, 1) != WALK_GROUND)
		return 0;
	for (size_t l = 1; l + 1 < s->n[SUMS]; l++)
		if (sum_of(s, l + 1) - sum_of(s, l) != WALK_UPPER)
			return 0;
	for (size_t r = 0; r < s->rows; r++) {
		uint32_t levels = levels_of(s, r);
		uint64_t offset = number(s, s->at[OFFSETS] + 8 * r, 8);
		if (levels < 1 || levels >= s->n[SUMS] || offset > s->n[LINKS] ||
		    sum_of(s, levels) > s->n[LINKS] - offset)
			return 0;
	}
	return 1;
}

/* One list of `width`, the missing ones behind. */
static void put_list(const struct stream *s, size_t row, size_t from, size_t width, struct strbuf *out)
{
	size_t offset = (size_t)number(s, s->at[OFFSETS] + 8 * row, 8) + from, n = 0;
	uint32_t list[WALK_GROUND];

	for (size_t i = 0; i < width; i++) {
		uint32_t to = (uint32_t)number(s, s->at[LINKS] + 4 * (offset + i), 4);
		if (to < s->rows)
			list[n++] = to;
	}
	while (n < width)
		list[n++] = WALK_NONE;
	strbuf_add(out, (const char *)list, width * sizeof(*list));
}

static void put_number(struct strbuf *out, uint32_t v)
{
	strbuf_add(out, (const char *)&v, sizeof(v));
}

static void put_tall(const struct stream *s, struct strbuf *out)
{
	uint32_t lists = 0;

	for (size_t r = 0; r < s->rows; r++)
		if (levels_of(s, r) > 1)
			put_number(out, (uint32_t)r);
	for (size_t r = 0; r < s->rows; r++) {
		if (levels_of(s, r) < 2)
			continue;
		put_number(out, lists);
		lists += levels_of(s, r) - 1;
	}
	put_number(out, lists);
	for (size_t r = 0; r < s->rows; r++)
		for (uint32_t l = 1; l < levels_of(s, r); l++)
			put_list(s, r, sum_of(s, l), WALK_UPPER, out);
}

static int put_links(const struct stream *s, struct strbuf *out, struct error *e)
{
	size_t end = s->at[LINKS] + 4 * s->n[LINKS];
	uint32_t tall = 0;

	if (!is_sound(s))
		return error_set(e, ERR_INTERNAL, NULL, "FAISS wrote a graph that does not fit together");
	for (size_t r = 0; r < s->rows; r++)
		tall += levels_of(s, r) > 1;
	put_number(out, (uint32_t)s->rows);
	put_number(out, (uint32_t)number(s, end, 4));
	put_number(out, (uint32_t)number(s, end + 4, 4) + 1);
	put_number(out, tall);
	for (size_t r = 0; r < s->rows; r++)
		put_list(s, r, 0, WALK_GROUND, out);
	put_tall(s, out);
	return out->failed ? no_memory(e) : 0;
}

int faiss_build(const float *vectors, size_t n, size_t dim, size_t stride,
		const struct faiss_build_options *o, struct strbuf *out, struct error *e)
{
	struct stream s = { .rows = n };
	FaissIndex *x = NULL;

	if (faiss_index_factory(&x, (int)dim, KIND, METRIC_INNER_PRODUCT) != 0)
		return faiss_failed(e, "new graph");
	int rc = set_beam(x, e);
	if (rc == 0)
		rc = add_all(x, vectors, n, dim, stride, o, e);
	if (rc == 0)
		rc = read_index(x, &s, e);
	faiss_Index_free(x);
	if (rc == 0)
		rc = put_links(&s, out, e);
	strbuf_release(&s.kept);
	return rc;
}
