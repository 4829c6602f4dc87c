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
 * and nothing here is the only copy. It is written by one thread at a time
 * (index_apply, index_save, index_maintain may run in different threads, they
 * exclude each other inside) and searched by any number.
 *
 * Words are a source behind a vtable (struct word_source), because FTS5 lives
 * in the store's database. It also serves `match` expressions.
 *
 * Behind this header an implementation may hold one HNSW graph under a
 * read-write lock or lists of immutable segments: callers see sequence numbers,
 * entries and scores only.
 */
#ifndef READBACK_INDEX_INDEX_H
#define READBACK_INDEX_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "text/analyser.h"

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
	uint64_t id;
	const struct index_row *rows;
	size_t n_rows;
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
	size_t k;  /* candidates wanted from each source, >= 1 */
	int exact; /* scan vectors instead of walking the graph */
};

/*
 * One candidate. All candidates carry the scores of all sources that were
 * asked, whichever source found them, so that fusion compares like with like.
 * vector: the mean of the inner products of title, whole and best chunk (or
 * question, turn) where the entry has them: `parts`; NaN for a part it lacks.
 */
struct index_hit {
	uint64_t entry;
	uint32_t vector_rank, words_rank; /* 1 is best; 0: no score from that source */
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
};

/* The best `k` of `allowed` by BM25 plus, whatever their rank, those of `wanted`. */
struct word_hit {
	uint64_t entry;
	float score; /* > 0, higher is better */
};

struct word_source {
	void *ctx;
	/*
	 * Calls each(arg, hit) for every live entry that has any of the terms.
	 * The index keeps the best and those that it wants.
	 */
	int (*search)(void *ctx, enum collection c, const struct term *terms, size_t n,
		      void (*each)(void *arg, struct word_hit hit), void *arg, struct error *e);
	/* Calls each(arg, hit) for every entry that matches an FTS5 expression; ERR_BAD_MATCH if it does not parse. */
	int (*match)(void *ctx, enum collection c, const char *expr,
		     void (*each)(void *arg, struct word_hit hit), void *arg, struct error *e);
};

struct index_options {
	const char *folder; /* for its files; NULL: memory only */
	size_t dim;         /* 0: no vectors */
	struct word_source words;
	uint64_t id;   /* a number that changes with the embedder: files of another one are not used */
	int read_only; /* the files are another process's: nothing in the folder is made, written or removed */
};

/*
 * Opens an empty index; graphs kept in the folder by index_save() are taken up
 * again as the rows that they hold are added. Broken files are ignored, removed
 * and counted in index_stats.
 */
int index_open(const struct index_options *o, struct index **out, struct error *e);
void index_close(struct index *x);

/*
 * Applies changes in order; all of them or, on ERR_NO_MEMORY, an index that
 * must be closed. `seq` is what index_seq() says afterwards. Applying a change
 * again is harmless: an ADD of an entry that is there replaces it, a DELETE or
 * RETAG of one that is not does nothing.
 */
int index_apply(struct index *x, uint64_t seq, const struct index_change *changes, size_t n, struct error *e);
uint64_t index_seq(const struct index *x);

int index_search(struct index *x, const struct index_query *q, struct arena *a, struct index_result *out,
		 struct error *e);

/*
 * Moves rows that are scanned into the graph, a slice at a time; returns 1
 * while there is more to do, 0 when not. For a background thread.
 */
int index_maintain(struct index *x, struct error *e);

/* Writes the graphs to the folder, so that the next start reads instead of building; nothing when read_only. */
int index_save(struct index *x, struct error *e);

struct index_stats {
	size_t entries[COLLECTIONS], rows, dead_rows, graph_rows, bytes;
	unsigned broken_files;
};
void index_stats(struct index *x, struct index_stats *out);

#endif
