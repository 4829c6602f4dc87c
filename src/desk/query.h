/*
 * query.h: what to search for on behalf of a conversation or of a text.
 *
 * Up to three customer turns are joined to one text: support chats begin with
 * a greeting. Beyond: vector = normalised(last customer turn + 1/2 * mean of
 * the earlier ones), from the cached vectors of turns; words = those of the
 * last customer turn, and the 4 rarest of earlier turns at weight .3: those
 * that the fewest documents and cases have.
 * Measured: docs/benchmarks.md, "Queries of conversations".
 */
#ifndef READBACK_DESK_QUERY_H
#define READBACK_DESK_QUERY_H

#include "desk/conversation.h"

struct adapter;

struct desk_query {
	const float *vector;      /* unit length; NULL without embedder or text */
	const struct term *terms; /* NULL when n_terms is 0 */
	size_t n_terms;
	struct text text; /* what was said last, for highlights; s NULL when no customer has spoken */
	struct text
		said; /* the beginning of all that the customer has said, for what is learned of intents */
	/*
	 * Vector of `said`, where the query leans on the last turn: for intents, cases
	 * and what resolutions have taught of documents, which go by all that was said.
	 * NULL: `vector` is it.
	 */
	const float *whole;
	int not_embedded; /* the embedder is not available now: the vector is missing or lacks a part, words have to do */
};

int query_of_conversation(struct desk *d, struct arena *a, const struct conversation *v,
			  struct desk_query *out, struct error *e);

/*
 * Leans the query of an opening of two or three customer turns on the last of
 * them, for a search of documents: of two questions the second is asked now.
 * Cases and examples are openings themselves, and are looked for as a whole.
 * With s = the last turn's share of the opening's words that documents have:
 * vector = normalised(vector + 2 s * last turn), words of earlier turns alone
 * at weight 1 - .9 s. `q` is what query_of_conversation() made. Other queries
 * stay as they are.
 */
int query_lean(struct desk *d, struct arena *a, const struct conversation *v, struct desk_query *q,
	       struct error *e);

/*
 * The query of a conversation made one for documents: leaned on the last turn, or
 * all that was said, turned by what resolutions have taught (learn/adapter.h;
 * NULL: nothing).
 */
int query_for_documents(struct desk *d, struct arena *a, const struct conversation *v,
			const struct adapter *adapter, struct desk_query *q, struct error *e);

/* The query of a conversation made one for cases: by all that was said. */
void query_for_cases(struct desk_query *q);

int query_of_text(struct desk *d, struct arena *a, struct text text, struct desk_query *out, struct error *e);

/* ERR_EMBEDDER_UNAVAILABLE for a query that is not embedded, where words do not do. */
int query_require_vector(const struct desk_query *q, struct error *e);

/*
 * The vector of a text that is searched for, to be used now and not kept; *out
 * NULL without embedder, or with q->not_embedded set.
 */
int query_embed(struct desk *d, struct arena *a, struct text text, struct desk_query *q, const float **out,
		struct error *e);

/* v / |v|, in place; `otherwise` where opposite vectors left nothing. */
const float *query_normalise(float *v, size_t dim, const float *otherwise);

/* Vectors of n texts, [n][dim], or *out = NULL without embedder. */
int desk_embed(struct desk *d, struct arena *a, const struct text *texts, size_t n, const float **out,
	       struct error *e);

/* The part of a search_request that a query gives: vector, terms, text_for_highlights. */
void query_to_request(const struct desk_query *q, struct search_request *r);

#endif
