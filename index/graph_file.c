/*
 * A graph file. Numbers are of the machine's byte order, which `order` shows;
 * a file of the other order is not used, and made anew from the rows.
 *
 *   file   := header ids faiss
 *   header := magic[8]      "rdbkgrph"
 *             version u32    1
 *             order u32      0x01020304
 *             id u64         of the embedder
 *             dim u32
 *             collection u32
 *             rows u64
 *             size u64       of the whole file, in bytes
 *             sha256[32]     of the whole file, with zeros here
 *   ids    := u64 * rows     row ids in the graph's order; 0: a tombstone
 *   faiss  := bytes          faiss::write_index of an IndexHNSWFlat
 *
 * FAISS trusts what it reads, so that the checksum is compared before.
 */
#include "index/graph_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "index/graph.h"
#include "index/hnsw.h"
#include "index/rows.h"

struct header {
	char magic[8];
	uint32_t version, order;
	uint64_t id;
	uint32_t dim, collection;
	uint64_t rows, size;
	unsigned char sha256[SHA256_SIZE];
};

_Static_assert(sizeof(struct header) == 80, "no padding");

#define MAGIC "rdbkgrph"
#define VERSION 1
#define ORDER 0x01020304u

static void hash_file(const void *p, size_t n, unsigned char out[SHA256_SIZE])
{
	struct sha256 s;
	struct header h;

	memcpy(&h, p, sizeof(h));
	memset(h.sha256, 0, sizeof(h.sha256));
	sha256_init(&s);
	sha256_add(&s, &h, sizeof(h));
	sha256_add(&s, (const char *)p + sizeof(h), n - sizeof(h));
	sha256_end(&s, out);
}

/* The size and the checksum are known when the rest is written. */
static int seal(const char *path, FILE *f, struct header *h, struct error *e)
{
	const void *p;
	size_t n;
	long size = fflush(f) == 0 ? ftell(f) : -1;

	h->size = (uint64_t)size;
	if (size < 0 || fseek(f, 0, SEEK_SET) != 0 || fwrite(h, sizeof(*h), 1, f) != 1 || fflush(f) != 0)
		return error_errno(e, path);
	int rc = file_map(path, &p, &n, e);
	if (rc < 0)
		return rc;
	hash_file(p, n, h->sha256);
	file_unmap(p, n);
	if (fseek(f, 0, SEEK_SET) != 0 || fwrite(h, sizeof(*h), 1, f) != 1 || fflush(f) != 0)
		return error_errno(e, path);
	return 0;
}

static int write_all(const char *path, struct header *h, const struct hnsw *graph, const uint64_t *ids,
		     struct error *e)
{
	FILE *f = fopen(path, "wbe");
	int rc;

	if (!f)
		return error_errno(e, path);
	if (fwrite(h, sizeof(*h), 1, f) != 1 || fwrite(ids, sizeof(*ids), h->rows, f) != h->rows)
		rc = error_errno(e, path);
	else
		rc = hnsw_write(graph, f, e);
	if (rc == ERR_INTERNAL && ferror(f))
		rc = error_errno(e, path); /* a full disk and not a fault of FAISS */
	if (rc == 0)
		rc = seal(path, f, h, e);
	if (fclose(f) != 0 && rc == 0)
		rc = error_errno(e, path);
	return rc;
}

int graph_save(const char *path, struct graph_kind kind, const struct hnsw *h, const uint64_t *ids, size_t n,
	       struct error *e)
{
	char tmp[4096];
	struct header head = { .version = VERSION,
			       .order = ORDER,
			       .id = kind.id,
			       .dim = kind.dim,
			       .collection = kind.collection,
			       .rows = n };

	memcpy(head.magic, MAGIC, sizeof(head.magic));
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= sizeof(tmp))
		return error_set(e, ERR_IO, NULL, "the path is too long");
	int rc = write_all(tmp, &head, h, ids, e);
	if (rc == 0)
		rc = file_publish(tmp, path, e);
	if (rc < 0)
		unlink(tmp);
	return rc;
}

static int broken(struct error *e)
{
	return error_set(e, ERR_CORRUPT, NULL, "an index file is broken");
}

static int check(const void *p, size_t n, struct header *h, struct error *e)
{
	unsigned char sum[SHA256_SIZE];

	if (n < sizeof(*h))
		return broken(e);
	memcpy(h, p, sizeof(*h));
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0 || h->version != VERSION || h->order != ORDER ||
	    h->size != n || h->rows > (n - sizeof(*h)) / sizeof(uint64_t))
		return broken(e);
	hash_file(p, n, sum);
	return memcmp(sum, h->sha256, sizeof(sum)) == 0 ? 0 : broken(e);
}

static int fill(struct graph *g, const char *ids, size_t rows, struct error *e)
{
	for (size_t i = 0; i < rows; i++) {
		uint64_t id;
		memcpy(&id, ids + i * sizeof(id), sizeof(id));
		if (graph_append(g, id, ROW_NONE) < 0 || (id && idmap_put(&g->unbound, id, (uint32_t)i) < 0))
			return error_set(e, ERR_NO_MEMORY, NULL, "out of memory in the index");
		g->expected += id != 0;
	}
	g->changed = 0;
	return 0;
}

static int read_graph(const char *p, size_t n, const struct header *h, struct graph **out, struct error *e)
{
	size_t at = sizeof(*h) + h->rows * sizeof(uint64_t);
	struct hnsw *hnsw = NULL;
	/* Read from the map whose checksum was compared, and not from the file once more. */
	FILE *f = at < n ? fmemopen((void *)(uintptr_t)(p + at), n - at, "rb") : NULL;

	if (!f)
		return at < n ? error_errno(e, "index file") : broken(e);
	int rc = hnsw_read(f, h->dim, &hnsw, e);
	fclose(f);
	if (rc == 0 && hnsw_count(hnsw) != h->rows) {
		hnsw_free(hnsw);
		rc = broken(e);
	}
	if (rc < 0)
		return rc == ERR_INTERNAL ? broken(e) : rc;
	struct graph *g = graph_new(hnsw);
	rc = g ? fill(g, p + sizeof(*h), h->rows, e)
	       : error_set(e, ERR_NO_MEMORY, NULL, "out of memory in the index");
	if (rc == 0)
		*out = g;
	else
		graph_free(g);
	return rc;
}

int graph_load(const char *path, struct graph_kind kind, struct graph **out, struct error *e)
{
	const void *p;
	size_t n;
	struct header h = { 0 };
	struct graph *g = NULL;

	if (!file_exists(path)) {
		*out = NULL;
		return 0;
	}
	int rc = file_map(path, &p, &n, e);
	if (rc < 0)
		return rc;
	rc = check(p, n, &h, e);
	if (rc == 0 && h.id == kind.id && h.dim == kind.dim && h.collection == kind.collection)
		rc = read_graph(p, n, &h, &g, e);
	file_unmap(p, n);
	if (rc == 0)
		*out = g;
	return rc;
}
