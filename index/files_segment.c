/*
 * files_segment.c: a segment's file, written once and read whole.
 *
 *   segment  := header section* sum*
 *   header   := magic[8] "rdbksegm", version u32 (1), order u32 (0x01020304), embedder u64, number u64,
 *               collection u32, dim u32, docs u32, zero u32, size u64 (of the file), sums u64 (their number),
 *               (at u64, n u64) * SECTIONS, crc of the sums u32, crc of the header with 0 here u32
 *   section  := bytes (segment.h), beginning at a multiple of 64
 *   sum      := u32, CRC-32 of 64 KiB from the end of the header on; the last of what is left
 *
 * Numbers are of the machine's byte order, which `order` shows. A file is
 * checked before anything in it is used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/gzip.h"
#include "index/files_internal.h"

#define BLOCK (64u << 10)

static const char *const names[COLLECTIONS] = { "documents", "cases", "conversations", "examples" };

struct segment_header {
	char magic[8];
	uint32_t version, order;
	uint64_t embedder, number;
	uint32_t collection, dim, docs, zero;
	uint64_t size, sums;
	struct {
		uint64_t at, n;
	} section[SECTIONS];
	uint32_t sums_crc, crc;
};

void segment_file_name(char out[64], uint32_t collection, uint64_t number)
{
	snprintf(out, 64, "%s-%06llu.segment", names[collection], (unsigned long long)number);
}

/* --- writing a segment -------------------------------------------------------------------------------- */

static size_t up_to(size_t n, size_t step)
{
	return (n + step - 1) / step * step;
}

/* Checksums of blocks that go over the borders of pieces. */
struct summing {
	uint32_t *sums;
	size_t n, filled; /* sums made; bytes of the block so far */
	uint32_t crc;
};

static void sum_piece(struct summing *s, const char *p, size_t n)
{
	while (n > 0) {
		size_t m = BLOCK - s->filled < n ? BLOCK - s->filled : n;
		s->crc = crc32_more(s->crc, p, m);
		s->filled += m;
		p += m;
		n -= m;
		if (s->filled == BLOCK) {
			s->sums[s->n++] = s->crc;
			s->crc = 0;
			s->filled = 0;
		}
	}
}

static void set_header(const struct index *x, const struct segment *s, struct segment_header *h, size_t *body)
{
	size_t at = up_to(sizeof(*h), 64);

	*h = (struct segment_header){ .magic = "rdbksegm",
				      .version = FILES_VERSION,
				      .order = FILES_ORDER,
				      .embedder = x->options.id,
				      .number = s->number,
				      .collection = s->collection,
				      .dim = (uint32_t)s->dim,
				      .docs = s->docs };
	for (int i = 0; i < SECTIONS; i++) {
		h->section[i].at = at;
		h->section[i].n = s->section[i].n;
		at = up_to(at + s->section[i].n, 64);
	}
	*body = at - sizeof(*h);
	h->sums = (*body + BLOCK - 1) / BLOCK;
	h->size = at + h->sums * sizeof(uint32_t);
}

/* The header, what aligns, the sections, the sums. `sums` has room. */
static void seal(struct segment_header *h, const struct file_part *parts, size_t n, uint32_t *sums)
{
	struct summing s = { .sums = sums };

	for (size_t i = 0; i < n; i++)
		sum_piece(&s, parts[i].p, parts[i].n);
	if (s.filled)
		s.sums[s.n++] = s.crc;
	h->sums_crc = crc32_more(0, sums, s.n * sizeof(*sums));
	h->crc = crc32_more(0, h, sizeof(*h));
}

int segment_file_write(const struct index *x, struct segment *s, struct error *e)
{
	static const char zeros[64];
	struct file_part parts[2 * SECTIONS + 3];
	struct segment_header h;
	char name[64];
	char path[FILES_PATH];
	size_t body, n = 0;

	set_header(x, s, &h, &body);
	uint32_t *sums = malloc((h.sums + 1) * sizeof(*sums));
	if (!sums)
		return no_memory(e);
	parts[n++] = (struct file_part){ &h, sizeof(h) };
	parts[n++] = (struct file_part){ zeros, h.section[0].at - sizeof(h) };
	for (int i = 0; i < SECTIONS; i++) {
		parts[n++] = (struct file_part){ s->section[i].p, s->section[i].n };
		parts[n++] = (struct file_part){ zeros, up_to(s->section[i].n, 64) - s->section[i].n };
	}
	seal(&h, parts + 1, n - 1, sums);
	parts[n++] = (struct file_part){ sums, h.sums * sizeof(*sums) };
	segment_file_name(name, s->collection, s->number);
	int rc = files_path(x, name, path, e);
	if (rc == 0)
		rc = file_write_parts(path, parts, n, e);
	free(sums);
	if (rc < 0)
		return rc;
	s->crc = h.crc;
	atomic_store(&s->saved, 1);
	return 0;
}

/* --- reading a segment -------------------------------------------------------------------------------- */

static int check_header(const struct index *x, const char *p, size_t n, const char *path, struct error *e)
{
	struct segment_header h;

	if (n < sizeof(h))
		return files_broken(e, path, "cut short");
	memcpy(&h, p, sizeof(h));
	uint32_t crc = h.crc;
	h.crc = 0;
	if (memcmp(h.magic, "rdbksegm", 8) != 0 || h.version != FILES_VERSION || h.order != FILES_ORDER)
		return files_broken(e, path, "of another version or byte order");
	if (crc32_more(0, &h, sizeof(h)) != crc)
		return files_broken(e, path, "the header's checksum is wrong");
	if (h.embedder != x->options.id || h.dim != x->options.dim)
		return files_broken(e, path, "of another embedder");
	if (h.size != n || h.collection >= COLLECTIONS || h.sums * sizeof(uint32_t) > n - sizeof(h))
		return files_broken(e, path, "cut short");
	size_t end = n - (size_t)h.sums * sizeof(uint32_t);
	if (h.sums != (end - sizeof(h) + BLOCK - 1) / BLOCK)
		return files_broken(e, path, "the header does not fit");
	for (int i = 0; i < SECTIONS; i++)
		if (h.section[i].at % 64 || h.section[i].at > end || h.section[i].n > end - h.section[i].at)
			return files_broken(e, path, "the header does not fit");
	return 0;
}

static int check_sums(const char *p, size_t n, const char *path, struct error *e)
{
	const struct segment_header *h = (const struct segment_header *)(const void *)p;
	size_t end = n - (size_t)h->sums * sizeof(uint32_t);

	if (crc32_more(0, p + end, n - end) != h->sums_crc)
		return files_broken(e, path, "the checksums' checksum is wrong");
	for (size_t i = 0; i < h->sums; i++) {
		size_t at = sizeof(*h) + i * BLOCK, m = end - at < BLOCK ? end - at : BLOCK;
		uint32_t sum;
		memcpy(&sum, p + end + i * sizeof(sum), sizeof(sum));
		if (crc32_more(0, p + at, m) != sum)
			return files_broken(e, path, "a block's checksum is wrong");
	}
	return 0;
}

/* The whole file, checked; the caller frees. */
static int read_checked(const struct index *x, const struct manifest_segment *m, char **out, size_t *n,
			struct error *e)
{
	char name[64], *p;
	char path[FILES_PATH];

	segment_file_name(name, m->collection, m->number);
	int rc = files_path(x, name, path, e);
	if (rc == 0)
		rc = file_read_aligned(path, 64, &p, n, e);
	if (rc < 0)
		return rc;
	rc = check_header(x, p, *n, path, e);
	if (rc == 0)
		rc = check_sums(p, *n, path, e);
	const struct segment_header *h = (const struct segment_header *)(const void *)p;
	if (rc == 0 && (h->number != m->number || h->collection != m->collection || h->docs != m->docs ||
			h->crc != m->crc))
		rc = files_broken(e, path, "not the file that the manifest names");
	if (rc < 0) {
		free(p);
		return rc;
	}
	*out = p;
	return 0;
}

int segment_file_read(const struct index *x, const struct manifest_segment *m, struct segment **out,
		      struct error *e)
{
	size_t n;
	char *p;
	int rc = read_checked(x, m, &p, &n, e);

	if (rc < 0)
		return rc;
	const struct segment_header *h = (const struct segment_header *)(const void *)p;
	struct segment_parts parts = { .collection = (enum collection)m->collection,
				       .number = m->number,
				       .dim = x->options.dim,
				       .whole = p };
	for (int i = 0; i < SECTIONS; i++)
		parts.section[i] = (struct section){ p + h->section[i].at, h->section[i].n };
	rc = segment_new(&parts, out, e);
	if (rc < 0)
		return rc;
	(*out)->crc = m->crc;
	atomic_store(&(*out)->saved, 1);
	return 0;
}

int segment_file_check(const struct index *x, const struct manifest_segment *m, struct error *e)
{
	size_t n;
	char *p;
	int rc = read_checked(x, m, &p, &n, e);

	if (rc == 0)
		free(p);
	return rc;
}
