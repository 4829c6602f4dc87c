/*
 * index.h: finds entries by vector, by words and by filter, in process.
 *
 * What is indexed is an *entry*: one incarnation of a document, case,
 * conversation or example, known by a number that is never used again. An
 * entry has tags (ACL groups and attributes) and *rows*: each row is one part
 * of it (title, whole, chunk, question, turn) with one unit vector. Rows are
 * searched, entries are answered.
 *
 * The index is a projection: everything in it can be had again from the store,
 * and nothing here is the only copy. Each collection is a list of immutable
 * segments (segment.h, list.h): a search holds the list that was current when
 * it began, and neither waits for a writer nor makes one wait. One thread at a
 * time applies changes; merging (index_maintain) and saving (index_save) may
 * run beside it in another thread.
 *
 * Vectors are scanned, or found by a walk over an HNSW graph (walk.h); words
 * are ranked by BM25 over postings of our own (words.h), with N, document
 * frequencies and the average length of all live entries, whatever segments
 * they are in. `match` expressions are FTS5's, behind a vtable (struct
 * word_source), because its tables are in the store's database.
 */
#ifndef READBACK_INDEX_INDEX_H
#define READBACK_INDEX_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "text/analyser.h"
#include "text/bag.h"

struct arena;
struct index;

enum collection {
	COLLECTION_DOCUMENT,
	COLLECTION_CASE,
	COLLECTION_CONVERSATION,
	COLLECTION_EXAMPLE,
	COLLECTIONS
};

enum row_field { ROW_TITLE, ROW_WHOLE, ROW_CHUNK, ROW_QUESTION, ROW_TURN };

struct index_row {
	uint64_t id; /* never reused; a row id always has the same vector */
	enum row_field field;
	uint32_t n;          /* which chunk or turn */
	const float *vector; /* `dim` floats of unit length; NULL: found by words only */
};

enum value_type { VALUE_STRING, VALUE_NUMBER, VALUE_BOOL };

struct index_value {
	enum value_type type;
	struct text s; /* VALUE_STRING */
	double number; /* VALUE_NUMBER; VALUE_BOOL: 0 or 1 */
};

/* A key may stand several times (a list of values). */
struct index_tag {
	const char *key;
	struct index_value value;
};

struct index_entry {
	enum collection collection;
	uint64_t id; /* not 0 */
	const struct index_row *rows;
	size_t n_rows;
	const struct bag *words;   /* of title and text; NULL: none */
	int everyone;              /* no ACL: the whole tenant may see it */
	const char *const *groups; /* else: who is in any of these; may be empty */
	size_t n_groups;
	const struct index_tag *tags;
	size_t n_tags;
};

enum index_op { INDEX_ADD, INDEX_DELETE, INDEX_RETAG };

/* DELETE reads entry.collection and entry.id only; RETAG those and groups and tags. */
struct index_change {
	enum index_op op;
	struct index_entry entry;
};

enum filter_op {
	FILTER_AND,
	FILTER_OR,
	FILTER_EQ,
	FILTER_NE,
	FILTER_GT,
	FILTER_GTE,
	FILTER_LT,
	FILTER_LTE,
	FILTER_IN,
	FILTER_NIN
};

/*
 * EQ, IN: some value of the key is (among) the given. NE, NIN: the key is
 * there and none of its values is. GT … LTE: numbers by value, strings by
 * bytes. A key that an entry lacks never matches.
 */
struct index_filter {
	enum filter_op op;
	const char *key;
	const struct index_value *values;
	size_t n_values;
	const struct index_filter *children; /* AND, OR */
	size_t n_children;
};

#define INDEX_K1 1.2
#define INDEX_B 0.75

struct index_query {
	enum collection collection;
	const float *vector;      /* unit length; NULL: words only */
	const struct term *terms; /* NULL or 0: vector only */
	size_t n_terms;
	const char *match;                 /* an FTS5 expression that must match; NULL: none */
	const struct index_filter *filter; /* NULL: none */
	int all_groups;                    /* sees every entry, whatever its ACL */
	const char *const *groups;
	size_t n_groups;
	size_t k;                  /* candidates wanted from each source, >= 1 */
	int exact;                 /* scan vectors instead of walking the graph */
	const char *const *facets; /* keys whose values are counted */
	size_t n_facets;
	double k1, b; /* of BM25; both 0: INDEX_K1 and INDEX_B */
	/*
	 * How the caller fuses. With `right`, candidates by words that cannot be
	 * among the best `right` of
	 *
	 *   vector_weight · (vector + 1) / (best vector + 1) + words_weight · words / (best words)
	 *
	 * are left out: a document that is not among the k best by vector is no
	 * nearer than the last of them, as far as a walk finds them. The best one by
	 * words is always there.
	 */
	size_t right; /* 0: none are left out */
	double vector_weight, words_weight;
};

#define INDEX_FACET_VALUES 100

/* A value of a key, and how many of the allowed entries have it (once each, in a list or not). */
struct index_facet_value {
	struct index_value value; /* never NaN */
	size_t count;             /* >= 1 */
};

/*
 * The INDEX_FACET_VALUES most frequent values of a key among the entries that
 * filter, match and groups allow, whether they are candidates or not: by count,
 * then strings by bytes, numbers by value, false, true. n is 0 for a key that
 * none of them has.
 */
struct index_facet {
	const struct index_facet_value *values; /* the arena's, strings too */
	size_t n;
};

/*
 * One candidate. All candidates carry the scores of all sources that were
 * asked, whichever source found them, so that fusion compares like with like.
 * vector: .2 title + .4 whole + .4 best chunk (or question, turn), of the inner
 * products. Of whole and chunk, one that is missing is the other; without
 * either or without a title, what there is counts alone. NaN for a part that
 * the entry lacks.
 */
struct index_hit {
	uint64_t entry;
	uint32_t vector_rank, words_rank; /* among the candidates, 1 is best; 0: no score from that source */
	float vector, words;
	float title, whole,
		chunk; /* parts of `vector`; chunk: the best row that is neither title nor whole */
	uint64_t row;  /* the best chunk's (else whole's, else title's) row id; 0 without vectors */
	uint32_t row_n;
	enum row_field row_field;
};

struct index_result {
	const struct index_hit *hits; /* no order is promised; the arena's */
	size_t n;
	size_t allowed;          /* entries that filter, match and groups allow */
	int exhausted;           /* no entry beyond `hits` can match: a larger k gives no more */
	uint64_t seq;            /* the last change that this search saw */
	const char *unknown_key; /* a filter key that no entry that the groups may see has; NULL if none */
	const struct index_facet *facets; /* as many as were asked, in that order; NULL if none was */
};

/* Who matches expressions. */
struct word_source {
	void *ctx;
	/* Calls each(arg, entry) for every entry that matches an FTS5 expression; ERR_BAD_MATCH if it does not parse. */
	int (*match)(void *ctx, enum collection c, const char *expr, void (*each)(void *arg, uint64_t entry),
		     void *arg, struct error *e);
};

struct index_options {
	const char *folder; /* for its files; NULL: memory only */
	size_t dim;         /* 0: no vectors */
	struct word_source words;
	uint64_t id;   /* a number that changes with the embedder: files of another one are not used */
	int read_only; /* the files are another process's: nothing in the folder is made, written or removed */
	int fresh;     /* what the folder holds is not looked at, and goes at the next save */
	unsigned broken_files; /* that were found before, when it was opened to be looked at */
};

/*
 * Opens the index that the folder's manifest names, or an empty one: index_seq()
 * says up to which change it holds everything, so that the caller goes on from
 * there. Files that are missing, cut or changed are left out, removed and
 * counted in index_stats.broken_files; then index_seq() is still the
 * manifest's, and index_has() tells which entries have to be put again.
 */
int index_open(const struct index_options *o, struct index **out, struct error *e);
void index_close(struct index *x);

/* Is this entry there? Not for use beside index_apply. */
int index_has(struct index *x, enum collection c, uint64_t entry);

/*
 * Applies changes in order; all of them or, on ERR_NO_MEMORY, an index that
 * must be closed. `seq` is what index_seq() says afterwards. Applying a change
 * again is harmless: an ADD of an entry that is there replaces it, a DELETE or
 * RETAG of one that is not does nothing.
 */
int index_apply(struct index *x, uint64_t seq, const struct index_change *changes, size_t n, struct error *e);
uint64_t index_seq(struct index *x);

int index_search(struct index *x, const struct index_query *q, struct arena *a, struct index_result *out,
		 struct error *e);

/* How many live entries have each of the terms: out[n]. */
void index_frequencies(struct index *x, enum collection c, const struct term *terms, size_t n, uint64_t *out);

/*
 * Merges some segments of each collection and builds graphs, in a background
 * thread; 1 while there may be more to do, 0 when not. `idle`: nothing is
 * written now, so that merges that save little are worth it too.
 */
int index_maintain(struct index *x, int idle, struct error *e);
/* Lets an index_maintain() that is under way, and all later ones, end early with ERR_INTERRUPTED. */
void index_stop(struct index *x);

/*
 * Writes what is not on disk yet and then the manifest, so that the next start
 * reads instead of building; nothing when read_only. *seq is what is durable.
 * The mark is the caller's: `mark_of` gives it for the sequence number that is
 * saved, and index_mark() gives it back after a start, so that a database and
 * an index of different histories are told apart.
 */
#define INDEX_MARK 32
int index_save(struct index *x, int (*mark_of)(void *arg, uint64_t seq, unsigned char mark[INDEX_MARK]),
	       void *arg, uint64_t *seq, struct error *e);
const unsigned char *index_mark(const struct index *x);

/*
 * Reads the files again and checks them. Returns how many were broken, the
 * manifest included; they are counted in index_stats, and the next index_save()
 * writes them anew from what is in memory.
 */
long index_scrub(struct index *x);

struct index_stats {
	size_t entries[COLLECTIONS], segments, rows, dead_rows, graph_rows, bytes;
	unsigned broken_files, failed_merges;
};
void index_stats(struct index *x, struct index_stats *out);

#endif
