#include "index/segment.h"

#include <assert.h>
#include <stdlib.h>

struct segment *segment_hold(struct segment *s)
{
	atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
	return s;
}

static void free_sections(struct section *section, void *whole)
{
	for (int i = 0; !whole && i < SECTIONS; i++)
		free(section[i].p);
	free(whole);
}

void segment_release(struct segment *s)
{
	if (!s || atomic_fetch_sub(&s->references, 1) > 1)
		return;
	free_sections(s->section, s->whole);
	free((void *)atomic_load(&s->dead_df));
	free(s);
}

static int corrupt(struct error *e)
{
	return error_set(e, ERR_CORRUPT, NULL, "the parts of a segment do not fit together");
}

static int open_sections(struct segment *s, struct error *e)
{
	const struct section *x = s->section;
	int rc = tagset_open(x[SECTION_TAGS].p, x[SECTION_TAGS].n, &s->tags, e);

	if (rc == 0)
		rc = words_open(x[SECTION_WORDS].p, x[SECTION_WORDS].n, &s->words, e);
	if (rc == 0 && x[SECTION_LINKS].n)
		rc = links_open(x[SECTION_LINKS].p, x[SECTION_LINKS].n, &s->links, e);
	if (rc < 0)
		return rc;
	if (s->tags.docs != s->docs || s->words.docs != s->docs ||
	    (s->links.rows && s->links.rows != s->n_rows))
		return corrupt(e);
	s->open_to_all = tagset_open_to_all(&s->tags);
	return 0;
}

static int check_rows(struct segment *s, struct error *e)
{
	for (uint32_t d = 0; d < s->docs; d++) {
		if (s->first[d] > s->first[d + 1] || (d && s->ids[d] <= s->ids[d - 1]))
			return corrupt(e);
		s->with_rows += s->first[d + 1] > s->first[d];
		for (uint32_t r = s->first[d]; r < s->first[d + 1] && r < s->n_rows; r++)
			if (s->rows[r].doc != d)
				return corrupt(e);
	}
	return s->first[0] == 0 && s->first[s->docs] == s->n_rows ? 0 : corrupt(e);
}

static int read_sections(struct segment *s, struct error *e)
{
	const struct section *x = s->section;
	size_t docs = x[SECTION_IDS].n / sizeof(uint64_t);
	size_t rows = x[SECTION_ROWS].n / sizeof(struct segment_row);

	if (docs == 0 || docs >= UINT32_MAX || rows >= UINT32_MAX ||
	    x[SECTION_IDS].n != docs * sizeof(uint64_t) ||
	    x[SECTION_FIRST].n != (docs + 1) * sizeof(uint32_t) ||
	    x[SECTION_ROWS].n != rows * sizeof(struct segment_row) ||
	    x[SECTION_VECTORS].n != rows * s->stride * sizeof(float) ||
	    x[SECTION_UPPER].n != rows * codes_half(s->dim) ||
	    x[SECTION_LOWER].n != rows * codes_half(s->dim) ||
	    x[SECTION_SCALES].n != rows * sizeof(struct code_scale))
		return corrupt(e);
	s->docs = (uint32_t)docs;
	s->n_rows = (uint32_t)rows;
	s->ids = x[SECTION_IDS].p;
	s->first = x[SECTION_FIRST].p;
	s->rows = x[SECTION_ROWS].p;
	s->vectors = x[SECTION_VECTORS].p;
	s->codes = (struct codes){ x[SECTION_UPPER].p, x[SECTION_LOWER].p, codes_half(s->dim),
				   x[SECTION_SCALES].p };
	int rc = check_rows(s, e);
	return rc < 0 ? rc : open_sections(s, e);
}

int segment_new(const struct segment_parts *parts, struct segment **out, struct error *e)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s) {
		struct segment_parts gone = *parts;
		free_sections(gone.section, gone.whole);
		return no_memory(e);
	}
	atomic_init(&s->references, 1);
	s->collection = parts->collection;
	s->number = parts->number;
	s->dim = parts->dim;
	s->stride = distance_stride(parts->dim);
	s->whole = parts->whole;
	for (int i = 0; i < SECTIONS; i++)
		s->section[i] = parts->section[i];
	int rc = read_sections(s, e);
	if (rc < 0) {
		segment_release(s);
		return rc;
	}
	*out = s;
	return 0;
}

uint32_t segment_find(const struct segment *s, uint64_t id)
{
	uint32_t low = 0, high = s->docs;

	if (id < s->ids[0] || id > s->ids[s->docs - 1])
		return SEGMENT_NONE;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (s->ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->docs && s->ids[low] == id ? low : SEGMENT_NONE;
}

static void count_term(void *arg, uint32_t term, uint32_t tf)
{
	_Atomic uint32_t *df = arg;

	(void)tf;
	atomic_fetch_add_explicit(&df[term], 1, memory_order_relaxed);
}

int segment_bury(struct segment *s, uint32_t doc)
{
	_Atomic uint32_t *df = atomic_load_explicit(&s->dead_df, memory_order_relaxed);

	if (!df) {
		df = calloc((size_t)s->words.terms + 1, sizeof(*df));
		if (!df)
			return -1;
		atomic_store_explicit(&s->dead_df, df, memory_order_release);
	}
	words_each_term(&s->words, doc, count_term, df);
	return 0;
}

size_t segment_bytes(const struct segment *s)
{
	size_t sum = sizeof(*s);

	for (int i = 0; i < SECTIONS; i++)
		sum += s->section[i].n;
	return sum + (atomic_load(&s->dead_df) ? s->words.terms * sizeof(uint32_t) : 0);
}
