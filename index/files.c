/*
 * files.c: segments and the manifest on disk.
 *
 * A segment's file is written once (files_segment.c), under a number that is
 * never used again, and removed when no manifest names it any more. The
 * manifest says which segments make the index, what is dead in them, and up
 * to which sequence number that is; it is written last, beside its place, and
 * renamed. So the folder always holds one whole state, whenever the power
 * goes. Everything is checked before it is used.
 *
 *   manifest := magic[8] "rdbkmani", version u32 (1), order u32, embedder u64, seq u64, next number u64,
 *               mark[32], dim u32, segments u32, segment*, crc u32 of all before
 *   segment  := number u64, collection u32, docs u32, crc of its header u32, dead u32, (u64 * ceil(docs / 64) if dead > 0)
 *
 * Numbers are of the machine's byte order, which `order` shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/gzip.h"
#include "index/bits.h"
#include "index/files_internal.h"

struct manifest_header {
	char magic[8];
	uint32_t version, order;
	uint64_t embedder, seq, next_number;
	unsigned char mark[INDEX_MARK];
	uint32_t dim, segments;
};

int files_path(const struct index *x, const char *name, char out[FILES_PATH], struct error *e)
{
	int n = snprintf(out, FILES_PATH, "%s/%s", x->folder, name);

	return (size_t)n < FILES_PATH
		       ? 0
		       : error_set(e, ERR_IO, NULL, "the path of the index's folder is too long");
}

int files_broken(struct error *e, const char *path, const char *why)
{
	return error_set(e, ERR_CORRUPT, NULL, "%s: %s", path, why);
}

/* --- the manifest ------------------------------------------------------------------------------------- */

static void put_segment(const struct live *p, struct strbuf *b)
{
	const struct segment *s = p->segment;
	const struct manifest_segment m = { s->number, (uint32_t)s->collection, s->docs, s->crc,
					    p->dead ? p->dead->n : 0 };

	strbuf_add(b, (const char *)&m, sizeof(m));
	if (m.dead)
		strbuf_add(b, (const char *)p->dead->bits, bits_words(s->docs) * sizeof(uint64_t));
}

static int manifest_write(struct index *x, const struct view *v, const unsigned char mark[INDEX_MARK],
			  struct error *e)
{
	struct manifest_header h = { .magic = "rdbkmani",
				     .version = FILES_VERSION,
				     .order = FILES_ORDER,
				     .embedder = x->options.id,
				     .seq = v->seq,
				     .next_number = atomic_load(&x->next_number),
				     .dim = (uint32_t)x->options.dim };
	STRBUF_AUTO b = STRBUF_INIT;
	char path[FILES_PATH];

	memcpy(h.mark, mark, INDEX_MARK);
	for (int c = 0; c < COLLECTIONS; c++)
		h.segments += (uint32_t)v->lists[c]->n;
	strbuf_add(&b, (const char *)&h, sizeof(h));
	for (int c = 0; c < COLLECTIONS; c++)
		for (size_t i = 0; i < v->lists[c]->n; i++)
			put_segment(&v->lists[c]->parts[i], &b);
	uint32_t crc = b.failed ? 0 : crc32_more(0, b.p, b.n);
	strbuf_add(&b, (const char *)&crc, sizeof(crc));
	if (b.failed)
		return no_memory(e);
	int rc = files_path(x, "manifest", path, e);
	return rc < 0 ? rc : file_write(path, b.p, b.n, e);
}

/* The manifest's bytes, checked; the caller frees. */
static int manifest_read(const struct index *x, char **out, size_t *n, struct error *e)
{
	struct manifest_header h;
	char path[FILES_PATH];
	uint32_t crc;
	char *p;
	int rc = files_path(x, "manifest", path, e);

	if (rc == 0)
		rc = file_read_aligned(path, 64, &p, n, e);
	if (rc < 0)
		return rc;
	if (*n < sizeof(h) + sizeof(crc)) {
		free(p);
		return files_broken(e, path, "cut short");
	}
	memcpy(&h, p, sizeof(h));
	memcpy(&crc, p + *n - sizeof(crc), sizeof(crc));
	if (memcmp(h.magic, "rdbkmani", 8) != 0 || h.version != FILES_VERSION || h.order != FILES_ORDER)
		rc = files_broken(e, path, "of another version or byte order");
	else if (crc32_more(0, p, *n - sizeof(crc)) != crc)
		rc = files_broken(e, path, "its checksum is wrong");
	else if (h.embedder != x->options.id || h.dim != x->options.dim)
		rc = error_set(e, ERR_NOT_FOUND, NULL, "%s: of another embedder", path); /* no damage */
	if (rc < 0) {
		free(p);
		return rc;
	}
	*out = p;
	return 0;
}

/* --- loading ------------------------------------------------------------------------------------------ */

/* The dead of a segment as the manifest has them; counts their terms. */
static int load_dead(struct segment *s, const uint64_t *bits, uint32_t n, struct dead **out, struct error *e)
{
	struct dead *d = n ? dead_copy(NULL, s->docs) : NULL;

	*out = NULL;
	if (n == 0)
		return 0;
	if (!d)
		return no_memory(e);
	for (uint32_t doc = bits_next(bits, s->docs, 0); doc < s->docs;
	     doc = bits_next(bits, s->docs, doc + 1)) {
		if (segment_bury(s, doc) < 0) {
			dead_release(d);
			return no_memory(e);
		}
		dead_add(d, s, doc);
	}
	*out = d;
	return 0;
}

struct loading {
	struct index *x;
	const char *p, *end; /* of the manifest's segments */
	struct edit edits[COLLECTIONS];
	struct error *e;
};

static int load_segment(struct loading *l, const struct manifest_segment *m, const uint64_t *bits)
{
	struct edit *t = &l->edits[m->collection];
	struct error why = { 0 };
	struct segment *s;
	struct dead *dead;
	int rc = segment_file_read(l->x, m, &s, &why);

	if (rc == ERR_NO_MEMORY)
		return no_memory(l->e);
	if (rc < 0) { /* what it held is put again by whoever opened the index */
		atomic_fetch_add(&l->x->broken_files, 1);
		return 0;
	}
	rc = load_dead(s, bits, m->dead, &dead, l->e);
	if (rc < 0) {
		segment_release(s);
		return rc;
	}
	rc = edit_append(t, s, l->e);
	if (rc < 0)
		dead_release(dead);
	else
		t->parts[t->n - 1].dead = dead;
	return rc;
}

static int load_segments(struct loading *l, uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		struct manifest_segment m;
		if ((size_t)(l->end - l->p) < sizeof(m))
			return error_set(l->e, ERR_CORRUPT, NULL, "the manifest of the index is cut short");
		memcpy(&m, l->p, sizeof(m));
		l->p += sizeof(m);
		size_t bytes = m.dead ? bits_words(m.docs) * sizeof(uint64_t) : 0;
		if (m.collection >= COLLECTIONS || bytes > (size_t)(l->end - l->p))
			return error_set(l->e, ERR_CORRUPT, NULL, "the manifest of the index does not fit");
		rc = load_segment(l, &m, (const uint64_t *)(const void *)l->p);
		l->p += bytes;
	}
	return rc;
}

static int publish_loaded(struct index *x, struct loading *l, uint64_t seq)
{
	struct list *lists[COLLECTIONS];
	int missing = 0;

	for (int c = 0; c < COLLECTIONS; c++) {
		lists[c] = list_new(l->edits[c].parts, l->edits[c].n);
		missing |= !lists[c];
	}
	if (missing) {
		for (int c = 0; c < COLLECTIONS; c++)
			list_release(lists[c]);
		return no_memory(l->e);
	}
	struct view *v = view_new(seq, lists);
	if (!v)
		return no_memory(l->e);
	index_publish(x, v);
	return 0;
}

static int load_manifest(struct index *x, const char *p, size_t n, struct error *e)
{
	struct loading l = {
		.x = x, .p = p + sizeof(struct manifest_header), .end = p + n - sizeof(uint32_t), .e = e
	};
	struct manifest_header h;
	int rc = 0;

	memcpy(&h, p, sizeof(h));
	for (int c = 0; rc == 0 && c < COLLECTIONS; c++)
		rc = edit_begin(&l.edits[c], x->view->lists[c], e);
	if (rc == 0)
		rc = load_segments(&l, h.segments);
	if (rc == 0)
		rc = publish_loaded(x, &l, h.seq);
	for (int c = 0; c < COLLECTIONS; c++)
		edit_release(&l.edits[c]);
	if (rc < 0)
		return rc;
	memcpy(x->mark, h.mark, INDEX_MARK);
	atomic_store(&x->next_number, h.next_number);
	return 0;
}

/* Is it a file of ours that the view does not need? */
static int is_leftover(const char *name, const struct view *v)
{
	size_t n = strlen(name);
	char used[FILES_NAME];

	if (n > 4 && strcmp(name + n - 4, ".tmp") == 0)
		return 1;
	if (n < 8 || strcmp(name + n - 8, ".segment") != 0)
		return n > 6 && strcmp(name + n - 6, ".graph") == 0; /* of the first format */
	for (int c = 0; c < COLLECTIONS; c++) {
		for (size_t i = 0; i < v->lists[c]->n; i++) {
			segment_file_name(used, (uint32_t)c, v->lists[c]->parts[i].segment->number);
			if (strcmp(used, name) == 0)
				return 0;
		}
	}
	return 1;
}

static int remove_leftovers(const struct index *x, const struct view *v, struct error *e)
{
	char **found;
	size_t n;
	int rc = folder_list(x->folder, &found, &n, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		char path[FILES_PATH];
		if (!is_leftover(found[i], v))
			continue;
		rc = files_path(x, found[i], path, e);
		if (rc == 0)
			rc = file_remove(path, e);
	}
	free(found);
	return rc;
}

/* A reader beside the writer's process may find a file gone that the manifest named when it was read. */
#define READER_TRIES 5

int files_load(struct index *x, struct error *e)
{
	struct error why = { 0 };
	size_t n;
	char *p;
	int rc = 0;

	for (int i = 0; i < (x->options.read_only ? READER_TRIES : 1); i++) {
		rc = manifest_read(x, &p, &n, &why);
		if (rc < 0)
			break;
		atomic_store(&x->broken_files, 0);
		rc = load_manifest(x, p, n, &why);
		free(p);
		if (rc < 0 || !atomic_load(&x->broken_files))
			break;
	}
	if (rc == ERR_CORRUPT)
		atomic_fetch_add(&x->broken_files, 1);
	if (rc < 0 && rc != ERR_CORRUPT && rc != ERR_NOT_FOUND) {
		if (e)
			*e = why;
		return rc;
	}
	return x->options.read_only ? 0 : remove_leftovers(x, x->view, e);
}

/* --- saving ------------------------------------------------------------------------------------------- */

static int save_view(struct index *x, const struct view *v, const unsigned char mark[INDEX_MARK],
		     struct error *e)
{
	int rc = 0;

	for (int c = 0; c < COLLECTIONS; c++) {
		for (size_t i = 0; rc == 0 && i < v->lists[c]->n; i++) {
			struct segment *s = v->lists[c]->parts[i].segment;
			if (!atomic_load(&s->saved))
				rc = segment_file_write(x, s, e);
		}
	}
	index_step(x, "save: segments");
	if (rc == 0)
		rc = manifest_write(x, v, mark, e);
	index_step(x, "save: manifest");
	return rc < 0 ? rc : remove_leftovers(x, v, e);
}

int index_save(struct index *x, int (*mark_of)(void *arg, uint64_t seq, unsigned char mark[INDEX_MARK]),
	       void *arg, uint64_t *seq, struct error *e)
{
	unsigned char mark[INDEX_MARK] = { 0 };
	int rc = 0;

	if (!x->folder || x->options.read_only)
		return 0;
	pthread_mutex_lock(&x->upkeep);
	struct view *v = index_view(x);
	if (mark_of && mark_of(arg, v->seq, mark) < 0)
		rc = error_set(e, ERR_IO, NULL, "the mark of the index's state cannot be read");
	if (rc == 0)
		rc = save_view(x, v, mark, e);
	if (rc == 0 && seq)
		*seq = v->seq;
	view_release(v);
	pthread_mutex_unlock(&x->upkeep);
	return rc;
}

static long scrub_view(struct index *x, const struct view *v)
{
	struct error why = { 0 };
	long bad = 0;
	size_t n;
	char *p;

	for (int c = 0; c < COLLECTIONS; c++) {
		for (size_t i = 0; i < v->lists[c]->n; i++) {
			struct segment *s = v->lists[c]->parts[i].segment;
			const struct manifest_segment m = { s->number, (uint32_t)c, s->docs, s->crc, 0 };
			if (!atomic_load(&s->saved))
				continue;
			if (segment_file_check(x, &m, &why) == 0)
				continue;
			atomic_store(&s->saved, 0);
			bad++;
		}
	}
	if (manifest_read(x, &p, &n, &why) == 0)
		free(p);
	else
		bad++;
	return bad;
}

long index_scrub(struct index *x)
{
	if (!x->folder || x->options.read_only)
		return 0;
	pthread_mutex_lock(&x->upkeep);
	struct view *v = index_view(x);
	long bad = scrub_view(x, v);
	view_release(v);
	pthread_mutex_unlock(&x->upkeep);
	if (bad)
		atomic_fetch_add(&x->broken_files, (unsigned)bad);
	return bad;
}
