/*
 * words.h: the words of one segment: dictionary, postings with block maxima,
 * and for each document its list of terms; and the k best documents over many
 * segments by BM25 (Robertson, Zaragoza 2009).
 *
 * The unit is a document of the segment (an indexed entry), numbered 0 … n-1
 * in the order of its id. Everything is one immutable run of bytes, made by
 * words_build() or words_merge(), read in place by words_open().
 *
 *   score(d) = sum over query terms t, in the order of the query, of
 *              weight_t · idf_t · tf·(k1 + 1) / (tf + k1·(1 − b + b·len_d / avglen))
 *   idf_t    = ln(1 + (N − df_t + 0.5) / (df_t + 0.5))
 *
 * N, df and avglen count live documents of all segments. Scores are summed in
 * double, in this order, by one function, so that pruning changes nothing: the
 * answer equals a look at every document, ties by entry id.
 *
 * The bytes, numbers in the machine's order, each array 8-byte aligned:
 *
 *   words    := docs u32, terms u32, length u64, size u64 * WORDS_ARRAYS, array*
 *   text     bytes                 all terms, sorted by bytes, one behind the other
 *   text_at  u32 * (terms + 1)     where each begins
 *   post_at  u32 * (terms + 1)     where its postings begin
 *   block_at u32 * (terms + 1)     where its blocks begin: one for WORDS_BLOCK postings or fewer
 *   posts    u32*                  document << 8 | tf (255: 255 or more; the list has it exactly)
 *   blocks   struct words_block*
 *   lengths  u32 * docs
 *   list_at  u32 * (docs + 1)      where each document's list begins
 *   lists    bytes                 for each term, ascending: varint(gap << 1 | (tf > 1)), varint(tf) if > 1
 */
#ifndef READBACK_INDEX_WORDS_H
#define READBACK_INDEX_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "text/analyser.h"
#include "text/bag.h"

struct arena;

#define WORDS_BLOCK 128
#define WORDS_MAX_DOCS (1u << 24) /* of one segment: a posting has 24 bits for the document */

enum words_array {
	WORDS_TEXT,
	WORDS_TEXT_AT,
	WORDS_POST_AT,
	WORDS_BLOCK_AT,
	WORDS_POSTS,
	WORDS_BLOCKS,
	WORDS_LENGTHS,
	WORDS_LIST_AT,
	WORDS_LISTS,
	WORDS_ARRAYS
};

/*
 * What a block's postings can add to a score at most, whatever k1, b and the
 * average length are: the shortest documents with tf 1, 2 and more, and the
 * largest tf. (A frontier of (tf, length) pairs, as Lucene's impacts.)
 */
struct words_block {
	uint32_t last;        /* the last posting */
	uint16_t shortest[3]; /* tf 1, tf 2, tf 3 and more; UINT16_MAX: none, or that long */
	uint8_t most;         /* largest tf, 255: or more */
	uint8_t classes;      /* bit i: there is one of shortest[i] */
};

/* An opened run of bytes; a plain value that borrows them. */
struct words {
	uint32_t docs, terms;
	uint64_t length; /* sum of the lengths of all documents */
	const char *text;
	const uint32_t *text_at, *post_at, *block_at, *posts, *lengths, *list_at;
	const struct words_block *blocks;
	const unsigned char *lists;
};

/* Appends the words of n documents to `b`, which begins 8-byte aligned. -1: no memory. */
int words_build(const struct bag *docs, size_t n, struct strbuf *b);

/* Document `doc` of `from`, the next one of the merged segment. Terms that nobody has any more are gone. */
struct words_pick {
	const struct words *from;
	uint32_t doc;
};
int words_merge(const struct words_pick *picks, size_t n, struct strbuf *b);

/* ERR_CORRUPT if lengths, offsets and numbers do not fit together. `p` is 8-byte aligned. */
int words_open(const void *p, size_t n, struct words *out, struct error *e);

#define WORDS_NONE UINT32_MAX
/* The number of a term; WORDS_NONE. */
uint32_t words_find(const struct words *w, const char *s, size_t n);

/* Calls each(arg, term number, tf) for the terms of a document. */
void words_each_term(const struct words *w, uint32_t doc, void (*each)(void *arg, uint32_t term, uint32_t tf),
		     void *arg);

static inline uint32_t words_length(const struct words *w, uint32_t doc)
{
	return w->lengths[doc];
}

struct words_part {
	const struct words *words;
	const uint64_t *ids;     /* of the entries, ascending; by document */
	const uint64_t *allowed; /* set of documents that may be answered; NULL: all */
	uint32_t n_allowed;
	const uint32_t *
		dead_df; /* by term: deleted documents that have it; NULL: none. A writer may add meanwhile */
};

/* Live documents of the part that have the term. A writer may count one that died meanwhile. */
uint32_t words_frequency(const struct words_part *p, uint32_t term);

struct words_query {
	const struct term *terms;
	size_t n_terms;
	double k1, b;
	uint64_t docs, length; /* live documents of all parts, and the sum of their lengths */
	const struct words_part *parts;
	size_t n_parts;
};

/* A query with its terms looked up; the arena's, one thread. NULL: no memory. */
struct words_plan;
struct words_plan *words_plan_new(struct arena *a, const struct words_query *q);

struct words_hit {
	uint32_t part, doc;
	double score; /* > 0 */
};

/*
 * A bar that rises with the best score that there is: the `right`-th largest
 * of lead[i] · best + words[i].
 */
struct words_floor {
	const double *lead;  /* n, >= 0 */
	const double *words; /* n; scores of documents that may be answered, or less */
	size_t n, right;     /* 1 <= right <= n */
};

/*
 * The best k allowed documents that have any term, best first, ties by entry
 * id. Fewer than k: there are no more, or none above the floor (NULL: there is
 * none); the best of all is there wherever it stands. -1: no memory.
 */
long words_best(struct words_plan *p, struct arena *a, size_t k, const struct words_floor *floor,
		const struct words_hit **out);

/* The score of one document, 0 if it has none of the terms: to the bit what words_best() gives. */
double words_score(const struct words_plan *p, uint32_t part, uint32_t doc);

#endif
