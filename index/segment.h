/*
 * segment.h: an immutable part of a collection.
 *
 * Documents (entries) are numbered 0 … docs-1 in the order of their ids; rows
 * with their vectors stand together by document. A segment is a handful of
 * runs of bytes (sections), the same in memory and in its file, read in place:
 *
 *   ids      u64 * docs
 *   first    u32 * (docs + 1)   a document's rows are first[d] … first[d + 1] - 1
 *   rows     struct segment_row * rows
 *   vectors  f32 * stride * rows
 *   upper    u8 * code half * rows, the halves of codes (codes.h)
 *   lower    the same
 *   scales   struct code_scale * rows
 *   links    walk.h; empty where the rows are few enough to be scanned
 *   words    words.h
 *   tags     tagset.h
 *
 * Nothing in it ever changes but `dead_df`, which only counts for ranking: how
 * many deleted documents have a term. What is deleted is told by the list that
 * the segment is in (list.h). A retag makes the document anew in another
 * segment.
 *
 * Shared by any number of threads; counted references.
 */
#ifndef READBACK_INDEX_SEGMENT_H
#define READBACK_INDEX_SEGMENT_H

#include <stdatomic.h>

#include "index/codes.h"
#include "index/index.h"
#include "index/tagset.h"
#include "index/walk.h"
#include "index/words.h"

struct segment_row {
	uint64_t id;
	uint32_t doc, n;
	uint32_t field; /* enum row_field */
	uint32_t unused;
};

enum segment_section {
	SECTION_IDS,
	SECTION_FIRST,
	SECTION_ROWS,
	SECTION_VECTORS,
	SECTION_UPPER,
	SECTION_LOWER,
	SECTION_SCALES,
	SECTION_LINKS,
	SECTION_WORDS,
	SECTION_TAGS,
	SECTIONS
};

struct section {
	void *p;
	size_t n; /* bytes */
};

struct segment {
	atomic_uint references;
	enum collection collection;
	uint64_t number;   /* names its file; never used twice in an index */
	_Atomic int saved; /* its file is there */
	uint32_t crc;      /* of the file's header; under the index's upkeep */
	int merging;       /* a merge works on it; under the index's write lock */
	struct section section[SECTIONS];
	void *whole; /* owned: holds all sections of a segment that was read; else each is owned */

	uint32_t docs, n_rows, with_rows; /* documents that have rows */
	size_t dim, stride;
	const uint64_t *ids;
	const uint32_t *first;
	const struct segment_row *rows;
	const float *vectors;
	struct codes codes;
	struct links links; /* links.rows is 0 without a graph */
	struct words words;
	struct tagset tags;
	int open_to_all;
	_Atomic(_Atomic uint32_t *) dead_df; /* by term; NULL while nothing is dead */
};

struct segment *segment_hold(struct segment *s);
void segment_release(struct segment *s);

/*
 * A segment of these sections, which it takes, also when it fails: ERR_CORRUPT
 * if they do not fit together, ERR_NO_MEMORY. `whole` as above.
 */
struct segment_parts {
	enum collection collection;
	uint64_t number;
	size_t dim;
	struct section section[SECTIONS];
	void *whole;
};
int segment_new(const struct segment_parts *parts, struct segment **out, struct error *e);

static inline const float *segment_vector(const struct segment *s, uint32_t row)
{
	return s->vectors + (size_t)row * s->stride;
}

/* The document of an entry; SEGMENT_NONE if it has none, dead or not. */
#define SEGMENT_NONE UINT32_MAX
uint32_t segment_find(const struct segment *s, uint64_t id);

/* By term number, for words.h: what a writer may add to meanwhile; NULL while nothing is dead. */
static inline const uint32_t *segment_dead_df(const struct segment *s)
{
	return (const uint32_t *)(const void *)atomic_load_explicit(&s->dead_df, memory_order_acquire);
}

/* A document died: its terms count less. -1: no memory. */
int segment_bury(struct segment *s, uint32_t doc);

size_t segment_bytes(const struct segment *s);

/*
 * Where a document of a new segment comes from: an entry that is put, or
 * document `doc` of another segment, with its tags or with those of `entry`.
 */
struct segment_source {
	uint64_t id;
	const struct index_entry
		*entry; /* rows, words and tags; only tags where `from` is set; NULL: those of `from` */
	const struct segment *from;
	uint32_t doc;
};

/* By id, as a build wants them. */
void segment_sources_sort(struct segment_source *sources, size_t n);

struct segment_build {
	enum collection collection;
	uint64_t number;
	size_t dim;
	const struct segment_source *sources; /* in ascending order of ids, which are distinct */
	size_t n;
	size_t links_from; /* so many rows get a graph; 0: never */
	int threads;       /* that build it */
	int (*go_on)(
		void *arg); /* asked now and then while a graph is built; 0: stop, ERR_INTERRUPTED. NULL: go on */
	void *arg;
};
int segment_build(const struct segment_build *b, struct segment **out, struct error *e);

#endif
