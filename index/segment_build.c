/* segment_build.c: makes a segment of entries that are put and of documents of other segments. */
#include <stdlib.h>
#include <string.h>

#include "index/faiss.h"
#include "index/segment.h"

/* A segment in the making: what is done so far is freed by parts_release(). */
struct making {
	const struct segment_build *b;
	struct segment_parts parts;
	size_t rows, stride;
};

static void *section_room(struct making *m, enum segment_section s, size_t n)
{
	size_t aligned = (n + DISTANCE_ALIGN - 1) / DISTANCE_ALIGN * DISTANCE_ALIGN;
	void *p = aligned_alloc(DISTANCE_ALIGN, aligned ? aligned : DISTANCE_ALIGN);

	if (p)
		m->parts.section[s] = (struct section){ p, n };
	return p;
}

static int section_take(struct making *m, enum segment_section s, struct strbuf *b, struct error *e)
{
	size_t n = 0;
	char *p = b->failed ? NULL : strbuf_steal(b, &n);

	if (!p)
		return no_memory(e);
	m->parts.section[s] = (struct section){ p, n };
	return 0;
}

static int is_row(const struct making *m, const struct index_row *row)
{
	return m->b->dim && row->vector;
}

static size_t rows_of(const struct making *m, const struct segment_source *s)
{
	size_t n = 0;

	if (s->from)
		return s->from->first[s->doc + 1] - s->from->first[s->doc];
	for (size_t i = 0; i < s->entry->n_rows; i++)
		n += (size_t)is_row(m, &s->entry->rows[i]);
	return n;
}

/* --- rows and vectors ------------------------------------------------------------------------------ */

static size_t copy_rows(const struct segment_source *s, uint32_t doc, struct segment_row *rows,
			float *vectors)
{
	const struct segment *from = s->from;
	uint32_t first = from->first[s->doc], n = from->first[s->doc + 1] - first;

	for (uint32_t i = 0; i < n; i++) {
		rows[i] = from->rows[first + i];
		rows[i].doc = doc;
	}
	if (n)
		memcpy(vectors, segment_vector(from, first), n * from->stride * sizeof(float));
	return n;
}

static size_t put_rows(const struct making *m, const struct segment_source *s, uint32_t doc,
		       struct segment_row *rows, float *vectors)
{
	size_t n = 0, dim = m->b->dim;

	for (size_t i = 0; i < s->entry->n_rows; i++) {
		const struct index_row *row = &s->entry->rows[i];
		if (!is_row(m, row))
			continue;
		rows[n] = (struct segment_row){ row->id, doc, row->n, row->field, 0 };
		float *v = vectors + n++ * m->stride;
		memcpy(v, row->vector, dim * sizeof(*v));
		memset(v + dim, 0, (m->stride - dim) * sizeof(*v));
	}
	return n;
}

static int make_codes(struct making *m, const uint32_t *first, const float *vectors, struct error *e)
{
	const struct segment_build *b = m->b;
	size_t half = codes_half(b->dim);
	uint8_t *upper = section_room(m, SECTION_UPPER, m->rows * half);
	uint8_t *lower = section_room(m, SECTION_LOWER, m->rows * half);
	struct code_scale *scales = section_room(m, SECTION_SCALES, m->rows * sizeof(*scales));

	if (!upper || !lower || !scales)
		return no_memory(e);
	for (size_t i = 0; i < b->n; i++) {
		const struct segment *from = b->sources[i].from;
		uint32_t at = first[i], n = first[i + 1] - at;
		if (from && n) {
			uint32_t was = from->first[b->sources[i].doc];
			memcpy(upper + at * half, from->codes.upper + was * half, n * half);
			memcpy(lower + at * half, from->codes.lower + was * half, n * half);
			memcpy(scales + at, from->codes.scales + was, n * sizeof(*scales));
		}
		for (uint32_t r = at; !from && r < at + n; r++)
			codes_make(vectors + r * m->stride, b->dim, upper + r * half, lower + r * half,
				   &scales[r]);
	}
	return 0;
}

static int make_rows(struct making *m, struct error *e)
{
	const struct segment_build *b = m->b;

	for (size_t i = 0; i < b->n; i++)
		m->rows += rows_of(m, &b->sources[i]);
	if (m->rows >= UINT32_MAX)
		return error_set(e, ERR_TOO_LARGE, NULL, "too many rows for one segment of the index");
	uint64_t *ids = section_room(m, SECTION_IDS, b->n * sizeof(*ids));
	uint32_t *first = section_room(m, SECTION_FIRST, (b->n + 1) * sizeof(*first));
	struct segment_row *rows = section_room(m, SECTION_ROWS, m->rows * sizeof(*rows));
	float *vectors = section_room(m, SECTION_VECTORS, m->rows * m->stride * sizeof(*vectors));
	if (!ids || !first || !rows || !vectors)
		return no_memory(e);
	size_t at = 0;
	for (size_t i = 0; i < b->n; i++) {
		const struct segment_source *s = &b->sources[i];
		ids[i] = s->id;
		first[i] = (uint32_t)at;
		at += s->from ? copy_rows(s, (uint32_t)i, rows + at, vectors + at * m->stride)
			      : put_rows(m, s, (uint32_t)i, rows + at, vectors + at * m->stride);
	}
	first[b->n] = (uint32_t)at;
	return make_codes(m, first, vectors, e);
}

/* --- words -------------------------------------------------------------------------------------- */

static int make_words(struct making *m, struct error *e)
{
	static const struct bag none = { 0 };
	const struct segment_build *b = m->b;
	STRBUF_AUTO out = STRBUF_INIT;
	STRBUF_AUTO put = STRBUF_INIT;
	struct words fresh = { 0 };
	struct bag *bags = malloc((b->n + 1) * sizeof(*bags));
	struct words_pick *picks = malloc((b->n + 1) * sizeof(*picks));
	size_t n = 0;
	int rc = bags && picks ? 0 : no_memory(e);

	for (size_t i = 0; rc == 0 && i < b->n; i++)
		if (!b->sources[i].from)
			bags[n++] = b->sources[i].entry->words ? *b->sources[i].entry->words : none;
	if (rc == 0 && n == b->n) {
		rc = words_build(bags, n, &out) < 0 ? no_memory(e) : 0;
	} else if (rc == 0) {
		uint32_t next = 0;
		if (n && words_build(bags, n, &put) < 0)
			rc = no_memory(e);
		if (rc == 0 && n)
			rc = words_open(put.p, put.n, &fresh, e);
		for (size_t i = 0; rc == 0 && i < b->n; i++) {
			const struct segment_source *s = &b->sources[i];
			picks[i] = s->from ? (struct words_pick){ &s->from->words, s->doc }
					   : (struct words_pick){ &fresh, next++ };
		}
		if (rc == 0 && words_merge(picks, b->n, &out) < 0)
			rc = no_memory(e);
	}
	free(bags);
	free(picks);
	return rc < 0 ? rc : section_take(m, SECTION_WORDS, &out, e);
}

/* --- tags --------------------------------------------------------------------------------------- */

/* The tags of a segment's documents that keep theirs; `done` says which sources are of a segment that was dealt with. */
static int merge_tags(const struct segment_build *b, struct tag_builder *t, size_t at, char *done)
{
	const struct segment *from = b->sources[at].from;
	uint32_t *to = malloc((from->docs + 1) * sizeof(*to));

	if (!to)
		return -1;
	for (uint32_t d = 0; d < from->docs; d++)
		to[d] = TAG_GONE;
	for (size_t i = at; i < b->n; i++) {
		if (b->sources[i].from != from || b->sources[i].entry)
			continue;
		to[b->sources[i].doc] = (uint32_t)i;
		done[i] = 1;
	}
	int rc = tag_builder_merge(t, &from->tags, to);
	free(to);
	return rc;
}

static int add_tags(const struct segment_build *b, struct tag_builder *t)
{
	char *done = calloc(b->n + 1, 1);
	int rc = done ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		const struct segment_source *s = &b->sources[i];
		if (s->entry)
			rc = tag_builder_add(t, (uint32_t)i, s->entry);
		else if (!done[i])
			rc = merge_tags(b, t, i, done);
	}
	free(done);
	return rc;
}

static int make_tags(struct making *m, struct error *e)
{
	STRBUF_AUTO out = STRBUF_INIT;
	struct tag_builder *t = tag_builder_new();
	int rc = t ? add_tags(m->b, t) : -1;

	if (rc == 0)
		rc = tag_builder_finish(t, (uint32_t)m->b->n, &out);
	tag_builder_free(t);
	return rc < 0 ? no_memory(e) : section_take(m, SECTION_TAGS, &out, e);
}

/* --- links -------------------------------------------------------------------------------------- */

static int make_links(struct making *m, struct error *e)
{
	const struct segment_build *b = m->b;
	const struct faiss_build_options o = { .go_on = b->go_on, .arg = b->arg, .threads = b->threads };
	STRBUF_AUTO out = STRBUF_INIT;

	if (!b->links_from || m->rows < b->links_from)
		return 0;
	int rc = faiss_build(m->parts.section[SECTION_VECTORS].p, m->rows, b->dim, m->stride, &o, &out, e);
	return rc < 0 ? rc : section_take(m, SECTION_LINKS, &out, e);
}

static int by_id(const void *a, const void *b)
{
	const struct segment_source *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

void segment_sources_sort(struct segment_source *sources, size_t n)
{
	qsort(sources, n, sizeof(*sources), by_id);
}

int segment_build(const struct segment_build *b, struct segment **out, struct error *e)
{
	struct making m = { .b = b, .stride = distance_stride(b->dim) };
	int rc;

	m.parts.collection = b->collection;
	m.parts.number = b->number;
	m.parts.dim = b->dim;
	rc = make_rows(&m, e);
	if (rc == 0)
		rc = make_words(&m, e);
	if (rc == 0)
		rc = make_tags(&m, e);
	if (rc == 0)
		rc = make_links(&m, e);
	if (rc == 0)
		return segment_new(&m.parts, out, e);
	for (int i = 0; i < SECTIONS; i++)
		free(m.parts.section[i].p);
	return rc;
}
