#include "desk/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "embed/embed.h"
#include "learn/adapter.h"

#define EARLIER_WEIGHT .5f /* of the mean of earlier turns beside the last one */
#define EARLIER_WORDS 4
#define EARLIER_WORD_WEIGHT .3f
#define LEAN 2.f    /* of the last turn of an opening, times its share of the opening's words */
#define LOWERED .9f /* of the weight of words of its earlier turns, times that; synonyms live on the rest */
#define EARLIER_BYTES \
	((size_t)16 << 10) /* of earlier turns that are looked through for rare words, newest first */

int desk_embed(struct desk *d, struct arena *a, const struct text *texts, size_t n, const float **out,
	       struct error *e)
{
	size_t dim = d->embedder ? embedder_info(d->embedder)->dim : 0;
	float *vectors;

	if (dim == 0 || n == 0) {
		*out = NULL;
		return 0;
	}
	vectors = arena_alloc(a, n * dim * sizeof(*vectors));
	if (!vectors)
		return no_memory(e);
	int rc = embedder_embed(d->embedder, texts, n, vectors, e);
	if (rc == 0)
		*out = vectors;
	return rc;
}

int query_embed(struct desk *d, struct arena *a, struct text text, struct desk_query *q, const float **out,
		struct error *e)
{
	int rc = desk_embed(d, a, &text, 1, out, e);

	if (rc != ERR_EMBEDDER_UNAVAILABLE)
		return rc;
	if (e)
		*e = (struct error){ 0 };
	q->not_embedded = 1;
	*out = NULL;
	return 0;
}

const float *query_normalise(float *v, size_t dim, const float *otherwise)
{
	float norm = 0;

	for (size_t i = 0; i < dim; i++)
		norm += v[i] * v[i];
	norm = sqrtf(norm);
	if (!(norm > 1e-6f))
		return otherwise;
	for (size_t i = 0; i < dim; i++)
		v[i] /= norm;
	return v;
}

int query_require_vector(const struct desk_query *q, struct error *e)
{
	if (!q->not_embedded)
		return 0;
	return error_set(e, ERR_EMBEDDER_UNAVAILABLE, NULL,
			 "the embedder is not available, and words alone are not asked for: try again");
}

static int set_terms(struct arena *a, struct text text, struct desk_query *q, struct error *e)
{
	const struct term *terms = NULL;
	long n = analyse_query(a, text.s, text.n, SEARCH_MAX_TERMS - EARLIER_WORDS, &terms);

	if (n < 0)
		return no_memory(e);
	q->terms = n ? terms : NULL;
	q->n_terms = (size_t)n;
	return 0;
}

int query_of_text(struct desk *d, struct arena *a, struct text text, struct desk_query *out, struct error *e)
{
	struct desk_query q = { .text = text, .said = text };
	int rc = query_embed(d, a, text, &q, &q.vector, e);

	if (rc < 0 || (rc = set_terms(a, text, &q, e)) < 0)
		return rc;
	*out = q;
	return 0;
}

/* normalised(last + 1/2 * mean(earlier)), from vectors that the turns have. */
static const float *blend(struct arena *a, const struct conversation *v, const struct turn *last, size_t dim)
{
	float *sum = arena_alloc(a, dim * sizeof(*sum));
	size_t earlier = 0;

	if (!sum)
		return NULL;
	for (const struct turn *t = v->turns; t && t < last; t++) {
		if (!turn_is(t, "customer") || !t->vector)
			continue;
		for (size_t i = 0; i < dim; i++)
			sum[i] += t->vector[i];
		earlier++;
	}
	for (size_t i = 0; i < dim; i++)
		sum[i] = last->vector[i] + (earlier ? EARLIER_WEIGHT * sum[i] / (float)earlier : 0);
	return query_normalise(sum, dim, last->vector);
}

struct candidate {
	const struct term *term;
	uint64_t have; /* documents and cases */
	size_t length, order;
};

static int rarer(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->have != b->have)
		return a->have < b->have ? -1 : 1;
	if (a->length != b->length)
		return a->length > b->length ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int has_stem(const struct term *terms, size_t n, const char *stem)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(terms[i].stem, stem) == 0)
			return 1;
	return 0;
}

/* Adds a turn and a newline to a text of at most EARLIER_BYTES. 0: it does not fit. */
static int add_turn(struct text *to, char *s, const struct turn *t)
{
	if (t->text.n + 1 > EARLIER_BYTES - to->n)
		return 0;
	memcpy(s + to->n, t->text.s, t->text.n);
	to->n += t->text.n;
	s[to->n++] = '\n';
	return 1;
}

/* The customer's turns before `last`, newest first, as one text. */
static struct text earlier_text(struct arena *a, const struct conversation *v, const struct turn *last)
{
	char *s = arena_alloc(a, EARLIER_BYTES);
	struct text all = { s, 0 };

	for (const struct turn *t = last; s && t-- > v->turns;)
		if (turn_is(t, "customer") && !add_turn(&all, s, t))
			break;
	return all;
}

/* The customer's turns in order, as one text, as long as whole turns fit. */
static struct text said_so_far(struct arena *a, const struct conversation *v)
{
	char *s = arena_alloc(a, EARLIER_BYTES);
	struct text all = { s, 0 };

	for (size_t i = 0; s && i < v->n_turns; i++)
		if (turn_is(&v->turns[i], "customer") && !add_turn(&all, s, &v->turns[i]))
			break;
	return all;
}

/* Words of earlier turns that the last one does not have, and by which anything can be found; rarest first. */
static int find_rare(struct desk *d, struct arena *a, struct text earlier, const struct desk_query *q,
		     struct candidate **out, size_t *n_out, struct error *e)
{
	const struct term *terms = NULL;
	long n = analyse_query(a, earlier.s, earlier.n, 1000, &terms);

	if (n < 0)
		return no_memory(e);
	struct candidate *all = arena_alloc(a, ((size_t)n + 1) * sizeof(*all));
	uint64_t *documents = arena_alloc(a, ((size_t)n + 1) * sizeof(*documents));
	uint64_t *cases = arena_alloc(a, ((size_t)n + 1) * sizeof(*cases));
	size_t n_all = 0;
	int rc;
	if (!all || !documents || !cases)
		return no_memory(e);
	if ((rc = engine_frequencies(d->engine, COLLECTION_DOCUMENT, terms, (size_t)n, documents, e)) < 0 ||
	    (rc = engine_frequencies(d->engine, COLLECTION_CASE, terms, (size_t)n, cases, e)) < 0)
		return rc;
	for (size_t i = 0; i < (size_t)n; i++) {
		uint64_t have = documents[i] + cases[i];
		if (have && !has_stem(q->terms, q->n_terms, terms[i].stem))
			all[n_all++] = (struct candidate){ &terms[i], have, strlen(terms[i].word), i };
	}
	if (n_all > 1)
		qsort(all, n_all, sizeof(*all), rarer);
	*out = all;
	*n_out = n_all;
	return 0;
}

/* Adds the rarest words of earlier turns to the terms of the last one. */
static int add_rare(struct desk *d, struct arena *a, struct text earlier, struct desk_query *q,
		    struct error *e)
{
	struct candidate *all = NULL;
	size_t n_all = 0;
	int rc = find_rare(d, a, earlier, q, &all, &n_all, e);

	if (rc < 0)
		return rc;
	struct term *both = arena_alloc(a, (q->n_terms + EARLIER_WORDS) * sizeof(*both));
	if (!both)
		return no_memory(e);
	if (q->n_terms)
		memcpy(both, q->terms, q->n_terms * sizeof(*both));
	for (size_t i = 0; i < n_all && i < EARLIER_WORDS; i++) {
		both[q->n_terms] = *all[i].term;
		both[q->n_terms++].weight = EARLIER_WORD_WEIGHT;
	}
	q->terms = q->n_terms ? both : NULL;
	return 0;
}

int query_of_conversation(struct desk *d, struct arena *a, const struct conversation *v,
			  struct desk_query *out, struct error *e)
{
	const struct turn *last = conversation_last(v, "customer");
	size_t spoken = conversation_count(v, "customer");
	struct desk_query q = { 0 };
	int rc;

	if (!last) {
		*out = q;
		return 0;
	}
	if (spoken == 1 && last->vector && last->text.n <= OPENING_MAX_TEXT) {
		q.text = q.said = last->text;
		q.vector = last->vector;
		rc = set_terms(a, last->text, &q, e);
		if (rc == 0)
			*out = q;
		return rc;
	}
	if (spoken <= OPENING_TURNS) {
		struct text opening = conversation_opening(a, v);
		return opening.s ? query_of_text(d, a, opening, out, e) : no_memory(e);
	}
	q.text = last->text;
	if (last->vector)
		q.vector = blend(a, v, last, embedder_info(d->embedder)->dim);
	else if ((rc = query_embed(d, a, last->text, &q, &q.vector, e)) < 0)
		return rc;
	struct text earlier = earlier_text(a, v, last);
	q.said = said_so_far(a, v);
	if ((last->vector && !q.vector) || !earlier.s || !q.said.s)
		return no_memory(e);
	if ((rc = query_embed(d, a, q.said, &q, &q.whole, e)) < 0)
		return rc;
	if ((rc = set_terms(a, last->text, &q, e)) < 0 || (rc = add_rare(d, a, earlier, &q, e)) < 0)
		return rc;
	*out = q;
	return 0;
}

/* Terms of an opening: of the last turn, and those that only earlier turns have. */
struct said {
	const struct term *last;
	struct term *earlier;
	size_t n_last, n_earlier;
};

/* Of a query of the opening. */
static int split_opening(struct arena *a, const struct desk_query *q, const struct turn *last,
			 struct said *out, struct error *e)
{
	struct said s = { .earlier = arena_alloc(a, (q->n_terms + 1) * sizeof(*s.earlier)) };
	long n = analyse_query(a, last->text.s, last->text.n, SEARCH_MAX_TERMS, &s.last);

	if (n < 0 || !s.earlier)
		return no_memory(e);
	s.n_last = (size_t)n;
	for (size_t i = 0; i < q->n_terms; i++)
		if (!has_stem(s.last, s.n_last, q->terms[i].stem))
			s.earlier[s.n_earlier++] = q->terms[i];
	*out = s;
	return 0;
}

/* How many of the terms some document has. */
static int count_known(struct desk *d, struct arena *a, const struct term *terms, size_t n, float *out,
		       struct error *e)
{
	uint64_t *have = arena_alloc(a, (n + 1) * sizeof(*have));
	int rc = have ? engine_frequencies(d->engine, COLLECTION_DOCUMENT, terms, n, have, e) : no_memory(e);

	*out = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		*out += have[i] > 0;
	return rc;
}

/*
 * The last turn's share of the opening's words, of those by which a document
 * can be found: next to nothing for a name or an address that was asked for,
 * nearly all behind a greeting.
 */
static int share_of_last(struct desk *d, struct arena *a, const struct said *s, float *out, struct error *e)
{
	float last, earlier;
	int rc = count_known(d, a, s->last, s->n_last, &last, e);

	if (rc == 0)
		rc = count_known(d, a, s->earlier, s->n_earlier, &earlier, e);
	if (rc == 0)
		*out = last + earlier > 0 ? last / (last + earlier) : 0;
	return rc;
}

/* Words that the last turn does not have. */
static int lower_earlier(struct arena *a, const struct said *s, float weight, struct desk_query *q,
			 struct error *e)
{
	struct term *terms = arena_alloc(a, (q->n_terms + 1) * sizeof(*terms));

	if (!terms)
		return no_memory(e);
	for (size_t i = 0; i < q->n_terms; i++) {
		terms[i] = q->terms[i];
		if (!has_stem(s->last, s->n_last, terms[i].stem))
			terms[i].weight *= weight;
	}
	q->terms = q->n_terms ? terms : NULL;
	return 0;
}

int query_lean(struct desk *d, struct arena *a, const struct conversation *v, struct desk_query *q,
	       struct error *e)
{
	const struct turn *last = conversation_last(v, "customer");
	size_t spoken = conversation_count(v, "customer");
	struct said said = { 0 };
	float share = 0;
	int rc;

	if (spoken < 2 || spoken > OPENING_TURNS)
		return 0;
	if ((rc = split_opening(a, q, last, &said, e)) < 0 ||
	    (rc = share_of_last(d, a, &said, &share, e)) < 0 ||
	    (rc = lower_earlier(a, &said, 1 - LOWERED * share, q, e)) < 0)
		return rc;
	if (!q->vector || !last->vector)
		return 0;
	size_t dim = embedder_info(d->embedder)->dim;
	float *sum = arena_alloc(a, dim * sizeof(*sum));
	if (!sum)
		return no_memory(e);
	for (size_t i = 0; i < dim; i++)
		sum[i] = q->vector[i] + LEAN * share * last->vector[i];
	q->vector = query_normalise(sum, dim, q->vector);
	return 0;
}

int query_for_documents(struct desk *d, struct arena *a, const struct conversation *v,
			const struct adapter *adapter, struct desk_query *q, struct error *e)
{
	const float *whole = q->whole ? q->whole : q->vector;
	int rc = query_lean(d, a, v, q, e);

	if (rc < 0 || !adapter || !whole)
		return rc;
	/* Openings as a whole are what it was taught with. */
	q->vector = adapter_apply(adapter, a, whole);
	return q->vector ? 0 : no_memory(e);
}

void query_for_cases(struct desk_query *q)
{
	if (q->whole)
		q->vector = q->whole;
}

void query_to_request(const struct desk_query *q, struct search_request *r)
{
	r->vector = q->vector;
	r->terms = q->terms;
	r->n_terms = q->n_terms;
	r->no_vector = !q->vector;
	r->no_words = q->n_terms == 0;
	r->text_for_highlights = q->text;
}
