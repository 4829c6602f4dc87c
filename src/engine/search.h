/*
 * search.h: one search over an engine's candidates: fusion, reasons,
 * snippets and highlights. The same for every engine.
 *
 * Fusion is a convex combination over theoretical min-max (Bruch et al. 2022,
 * arXiv 2210.11934): a vector score s becomes (s + 1) / (best + 1), a BM25
 * score s becomes s / best, where best is the highest observed for the query;
 * score = w_vector * vector' + w_words * words' (+ boosts). A source that was
 * not asked, or found nothing at all, gives its weight to the other.
 *
 * Hits are refilled until k are had or the index is exhausted, because
 * candidates may be dead or forbidden by the time their records are read.
 *
 * A knowledge manager's rules (rules.h) add synonyms, pin documents and hide
 * them; each shows as a boost with its reason: search_rules.h.
 */
#ifndef READBACK_ENGINE_SEARCH_H
#define READBACK_ENGINE_SEARCH_H

#include <stddef.h>

#include "base/strbuf.h"
#include "engine/engine.h"
#include "text/passage.h"

struct embedder;

#define SEARCH_MAX_K 100
#define SEARCH_MAX_DEPTH 1000 /* offset + k */
/*
 * Distinct words of a query: the first so many count. FTS5 takes them as one
 * flat OR, which its limit on nesting (256) does not touch.
 */
#define SEARCH_MAX_TERMS 1024
#define SEARCH_MAX_FACETS 10

struct search_weights {
	double vector, words; /* not negative; their sum is made 1; both 0: the default of the kind */
};
struct search_weights search_default_weights(enum collection kind);

/* Nothing but the vector counts: without one there is no answer. */
int search_by_vector_only(const struct search_weights *w);

/* The warning of a search whose query has no vector since the embedder is not available. */
#define SEARCH_NOT_EMBEDDED "the embedder is not available: words alone were searched"

/* A document that has helped with the like: a boost, wherever it stands and whether found or not. */
struct search_useful {
	const char *id, *because;
	double contribution;
};

/* Cases whose intent this is are boosted. */
struct search_label {
	const char *label, *because;
	double contribution;
};

struct search_request {
	struct text query;   /* analysed for words, embedded for the vector, unless these are given */
	const float *vector; /* unit length, engine's dim */
	const struct term *terms;
	size_t n_terms;
	int no_words, no_vector; /* modes of `eval`; the other source alone */
	const char *match;
	const struct index_filter *filter;
	enum collection kinds[3]; /* document, case, conversation, in the order asked */
	size_t n_kinds;           /* 0: documents */
	size_t k, offset;         /* per kind; k 0: 10 */
	struct search_weights weights;
	int no_highlight, exact;
	double k1, b;                       /* of BM25; both 0: the index's own */
	struct text text_for_highlights;    /* when vector and terms were given; else the query */
	const char *intent;                 /* what rules by intent go by; NULL: not known */
	const struct search_useful *useful; /* of documents */
	size_t n_useful;
	const struct search_label *labels; /* of cases */
	size_t n_labels;
	const char *const *facets; /* keys whose values are counted, of each kind */
	size_t n_facets;
};

struct search_boost {
	const char *name, *because;
	double contribution;
};

struct search_hit {
	enum collection kind;
	struct record record;
	struct index_hit raw;        /* raw scores, ranks, parts */
	double score, vector, words; /* score = vector + words + boosts; the two are contributions */
	const struct search_boost *boosts;
	size_t n_boosts;
	uint32_t part_n;               /* which chunk or turn */
	struct span part;              /* its place in the record's text */
	struct text text;              /* the passage shown */
	const struct span *highlights; /* within `text` */
	size_t n_highlights;
	struct span sentence; /* of `text`: the one with the most that is marked; empty: nothing is */
};

struct search_result {
	const struct search_hit *hits; /* by kind as asked, then by score, ties by id */
	size_t n;
	struct search_weights weights[COLLECTIONS]; /* in force, per kind asked */
	const struct index_facet
		*facets[COLLECTIONS]; /* [n_facets] per kind asked; NULL where none was counted */
	const char *warnings[8];
	size_t n_warnings;
};

/*
 * ERR_BAD_VALUE for k and offset out of range, ERR_WRONG_DIMENSION, ERR_BAD_VECTOR
 * (NaN, infinite, zero), ERR_BAD_MATCH, ERR_NO_EMBEDDER never: without an
 * embedder the words alone answer, with a warning. So they do when it is not
 * available: ERR_EMBEDDER_UNAVAILABLE only where words have no weight.
 */
int search_run(struct engine *g, struct embedder *m, const struct rights *r, const struct search_request *q,
	       struct arena *a, struct search_result *out, struct error *e);

#define SEARCH_PIN "pin" /* the name of a pin's boost */

/* Is the hit first because a rule says so? */
int search_hit_pinned(const struct search_hit *h);

/* Writes a hit as API.md has it; `explain` adds the vector's parts. The caller's rights were applied by search_run. */
void search_hit_write(const struct search_hit *h, int explain, struct strbuf *out);
/* The same as a tree: new reference; NULL without memory. */
json_t *search_hit_json(const struct search_hit *h, int explain);

/* Reads the "filter" of a request into *out (NULL for none); ERR_BAD_FILTER, ERR_WRONG_TYPE with the path. */
int search_read_filter(struct arena *a, json_t *filter, const char *path, const struct index_filter **out,
		       struct error *e);

/* Does what has this body ("attributes", and "source") meet the filter, as the index would have it? NULL: yes. */
int search_meets(const struct index_filter *f, const json_t *body);

/* Reads a "vector": ERR_BAD_VECTOR, ERR_WRONG_DIMENSION (dim given); result is of unit length. */
int search_read_vector(struct arena *a, json_t *vector, const char *path, size_t dim, const float **out,
		       struct error *e);

/*
 * A search id: a signed, self-contained token over what was shown (kind and id
 * of each hit in order, and when), so that a signal can name it without
 * anything having been written. `secret` is the data folder's.
 */
const char *search_id_make(struct arena *a, const unsigned char secret[32], const struct search_result *r);
/* ERR_BAD_ID unless the token is genuine; *shown is the JSON that it holds. */
int search_id_read(struct arena *a, const unsigned char secret[32], struct text id, json_t **shown,
		   struct error *e);

#endif
