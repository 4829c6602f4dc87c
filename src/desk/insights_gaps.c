/* insights_gaps.c: what people had to solve without an article, like with like, and the articles that come nearest. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/utf8.h"
#include "desk/bodies.h"
#include "desk/insights_figures.h"
#include "desk/insights_past.h"
#include "desk/query.h"
#include "embed/embed.h"
#include "engine/each.h"

#define LISTED 20
#define MOST_CASES 2000
#define ALIKE .6f
#define TERMS 5
#define TERMS_READ 64 /* of a problem */
#define EXAMPLES 3
#define NEAREST 3

struct gap {
	const char *case_id, *handoff;
	uint32_t intent;
	const float *vector; /* of the problem; NULL without embedder */
	struct text problem;
	uint32_t next; /* in its cluster, or NOTHING */
};

/* The first member is the newest, and what others are compared with. */
struct cluster {
	uint32_t first, last, size;
};

struct gaps {
	struct desk *desk;
	const struct call *call;
	const struct insight_query *query;
	size_t dim, looked_at, cases; /* cases: of everybody, as the index has them */
	struct names intents;
	struct gap *list;
	struct cluster *clusters;
	size_t n, cap, n_clusters, cap_clusters;
};

/* Was no document used that had been shown? */
static int is_gap(const json_t *body)
{
	const json_t *ranks = json_object_get(body, "ranks");

	for (size_t i = 0; i < json_array_size(ranks); i++)
		if (json_integer_value(json_array_get(ranks, i)) > 0)
			return 0;
	return 1;
}

static int read_vector(const struct gaps *g, struct arena *a, const char *id, const float **out)
{
	const struct call *c = g->call;
	struct entry_row *rows;
	size_t n;
	float *v;

	*out = NULL;
	if (g->dim == 0)
		return 0;
	int rc = engine_rows(g->desk->engine, RECORD_CASE, id, a, &rows, &n, c->err);
	if (rc < 0 || n == 0 || !rows[0].vector)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	v = arena_alloc(c->arena, g->dim * sizeof(*v));
	if (!v)
		return no_memory(c->err);
	*out = memcpy(v, rows[0].vector, g->dim * sizeof(*v));
	return 0;
}

static float likeness(const struct gaps *g, const struct gap *x, const struct gap *y)
{
	float sum = 0;

	if (!x->vector || !y->vector)
		return !x->vector && !y->vector && x->intent == y->intent ? 1 : 0;
	for (size_t i = 0; i < g->dim; i++)
		sum += x->vector[i] * y->vector[i];
	return sum;
}

/* Joins the cluster whose first member it is most like, or begins one. */
static int put_in_cluster(struct gaps *g, uint32_t number)
{
	struct cluster *best = NULL;
	float most = ALIKE;

	for (size_t i = 0; i < g->n_clusters; i++) {
		float like = likeness(g, &g->list[g->clusters[i].first], &g->list[number]);
		if (like >= most && (!best || like > most)) {
			most = like;
			best = &g->clusters[i];
		}
	}
	if (best) {
		g->list[best->last].next = number;
		best->last = number;
		best->size++;
		return 0;
	}
	if (GROW(g->clusters, g->n_clusters, g->cap_clusters) < 0)
		return -1;
	g->clusters[g->n_clusters++] = (struct cluster){ number, number, 1 };
	return 0;
}

/* The newest first; 1 when enough were looked at. */
static int read_case(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct gaps *g = arg;
	struct arena *keep = g->call->arena;
	struct text problem = body_text(r->body, "problem");
	struct gap x = { .next = NOTHING };

	problem.n = utf8_floor(problem.s, problem.n,
			       problem.n < OPENING_MAX_TEXT ? problem.n : OPENING_MAX_TEXT);
	if (!*body_string(r->body, "handoff") ||
	    !insight_within(g->query, body_time(r->body, "resolved_at")) ||
	    !rights_see(g->call->rights, json_object_get(r->body, "acl")))
		return 0;
	g->looked_at++;
	if (is_gap(r->body)) {
		x.case_id = arena_strdup(keep, r->id);
		x.handoff = arena_strdup(keep, body_string(r->body, "handoff"));
		x.problem = (struct text){ arena_strndup(keep, problem.s ? problem.s : "", problem.n),
					   problem.n };
		if (!x.case_id || !x.handoff || !x.problem.s ||
		    names_number(&g->intents, keep, body_text(r->body, "intent"), &x.intent) < 0 ||
		    GROW(g->list, g->n, g->cap) < 0)
			return no_memory(e);
		int rc = read_vector(g, a, r->id, &x.vector);
		if (rc < 0)
			return rc;
		g->list[g->n++] = x;
		if (put_in_cluster(g, (uint32_t)g->n - 1) < 0)
			return no_memory(e);
	}
	return g->looked_at == MOST_CASES;
}

/* --- what a cluster is shown as ------------------------------------------------------------------------------ */

/* A word of the problems of a cluster. */
struct telling {
	struct term term;
	uint32_t members; /* that have it */
	double score;
};

struct cluster_terms {
	struct map *number_of; /* by stem */
	struct telling *list;
	size_t n, cap;
};

/* Order numbers and amounts name nothing. */
static int has_letter(const char *word)
{
	return word[strspn(word, "0123456789")] != '\0';
}

static int add_terms(struct cluster_terms *t, struct arena *a, struct text problem)
{
	const struct term *terms;
	long n = analyse_query(a, problem.s, problem.n, TERMS_READ, &terms);

	for (long i = 0; i < n; i++) {
		if (!has_letter(terms[i].word))
			continue;
		uint64_t *number = map_put(t->number_of, terms[i].stem, strlen(terms[i].stem), NULL);
		if (!number)
			return -1;
		if (!*number) {
			if (GROW(t->list, t->n, t->cap) < 0)
				return -1;
			t->list[t->n++] = (struct telling){ .term = terms[i] };
			*number = t->n;
		}
		assert(t->list); /* a number is given with a place in it */
		t->list[*number - 1].members++;
	}
	return n < 0 ? -1 : 0;
}

static int by_score(const void *a, const void *b)
{
	const struct telling *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return strcmp(x->term.stem, y->term.stem);
}

/* tf: the members that have it; idf: of all cases. */
static int score_terms(const struct gaps *g, struct cluster_terms *t, struct arena *a)
{
	struct term *terms = arena_alloc(a, (t->n + 1) * sizeof(*terms));
	uint64_t *have = arena_alloc(a, (t->n + 1) * sizeof(*have));

	if (!terms || !have)
		return no_memory(g->call->err);
	if (t->n == 0)
		return 0;
	for (size_t i = 0; i < t->n; i++)
		terms[i] = t->list[i].term;
	int rc = engine_frequencies(g->desk->engine, COLLECTION_CASE, terms, t->n, have, g->call->err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t->n; i++)
		t->list[i].score = t->list[i].members *
				   log(1 + (double)g->cases / (double)(have[i] ? have[i] : 1));
	if (t->n > 1)
		qsort(t->list, t->n, sizeof(*t->list), by_score);
	return 0;
}

static int set_terms(const struct gaps *g, const struct cluster *c, struct arena *a, json_t *out)
{
	struct cluster_terms t = { .number_of = map_new() };
	json_t *list = json_array();
	int bad = body_set_take(out, "terms", list) < 0 || !t.number_of;

	for (uint32_t i = c->first; !bad && i != NOTHING; i = g->list[i].next)
		bad = add_terms(&t, a, g->list[i].problem) < 0;
	int rc = bad ? no_memory(g->call->err) : score_terms(g, &t, a);
	for (size_t i = 0; rc == 0 && i < t.n && i < TERMS; i++)
		if (json_array_append_new(list, json_string(t.list[i].term.word)) < 0)
			rc = no_memory(g->call->err);
	map_free(t.number_of);
	free(t.list);
	return rc;
}

struct counted {
	const char *intent;
	int64_t n;
};

static int by_count(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return x->n != y->n ? (x->n > y->n ? -1 : 1) : strcmp(x->intent, y->intent);
}

static int set_intents(const struct gaps *g, const struct cluster *c, struct arena *a, json_t *out)
{
	struct counted *counts = arena_alloc(a, g->intents.n * sizeof(*counts));
	json_t *list = json_array();

	if (body_set_take(out, "intents", list) < 0 || !counts)
		return no_memory(g->call->err);
	for (size_t i = 0; i < g->intents.n; i++)
		counts[i].intent = i ? g->intents.list[i] : "";
	for (uint32_t i = c->first; i != NOTHING; i = g->list[i].next)
		counts[g->list[i].intent].n++;
	qsort(counts, g->intents.n, sizeof(*counts), by_count);
	for (size_t i = 0; i < g->intents.n && counts[i].n; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:I}", "intent", counts[i].intent, "n",
							  (json_int_t)counts[i].n)) < 0)
			return no_memory(g->call->err);
	return 0;
}

static int set_examples(const struct gaps *g, const struct cluster *c, json_t *out)
{
	json_t *list = json_array();

	if (body_set_take(out, "examples", list) < 0)
		return no_memory(g->call->err);
	for (uint32_t i = c->first; i != NOTHING && json_array_size(list) < EXAMPLES; i = g->list[i].next)
		if (json_array_append_new(list, json_pack("{s:s, s:s}", "case_id", g->list[i].case_id,
							  "handoff_id", g->list[i].handoff)) < 0)
			return no_memory(g->call->err);
	return 0;
}

/* The middle of a cluster; NULL without vectors. *failed without memory. */
static const float *middle(const struct gaps *g, const struct cluster *c, struct arena *a, int *failed)
{
	const float *first = g->list[c->first].vector;
	float *sum = first ? arena_alloc(a, g->dim * sizeof(*sum)) : NULL;

	*failed = first && !sum;
	if (!sum)
		return NULL;
	for (uint32_t i = c->first; i != NOTHING; i = g->list[i].next)
		for (size_t k = 0; k < g->dim; k++)
			sum[k] += g->list[i].vector[k];
	return query_normalise(sum, g->dim, first);
}

static int nearer(const void *a, const void *b)
{
	const struct index_hit *x = a, *y = b;

	return x->vector > y->vector ? -1 : x->vector < y->vector;
}

/* Hits in order, and their entries. */
static int sort_hits(const struct index_result *r, struct arena *a, struct index_hit **hits,
		     uint64_t **entries)
{
	*hits = arena_alloc(a, (r->n + 1) * sizeof(**hits));
	*entries = arena_alloc(a, (r->n + 1) * sizeof(**entries));
	if (!*hits || !*entries)
		return -1;
	if (r->n)
		memcpy(*hits, r->hits, r->n * sizeof(**hits));
	qsort(*hits, r->n, sizeof(**hits), nearer);
	for (size_t i = 0; i < r->n; i++)
		(*entries)[i] = (*hits)[i].entry;
	return 0;
}

static int add_nearest(const struct gaps *g, const struct index_result *found, struct arena *a, json_t *list)
{
	const struct call *c = g->call;
	struct record *records;
	struct index_hit *hits;
	uint64_t *entries;

	if (sort_hits(found, a, &hits, &entries) < 0)
		return no_memory(c->err);
	int rc = engine_load(g->desk->engine, RECORD_DOCUMENT, c->rights, entries, found->n, a, &records,
			     c->err);
	for (size_t i = 0; rc == 0 && i < found->n && json_array_size(list) < NEAREST; i++)
		if (records[i].id &&
		    json_array_append_new(list, json_pack("{s:s, s:s, s:f}", "document_id", records[i].id,
							  "title", body_string(records[i].body, "title"),
							  "score", (double)hits[i].vector)) < 0)
			rc = no_memory(c->err);
	return rc;
}

static int set_nearest(const struct gaps *g, const struct cluster *c, struct arena *a, json_t *out)
{
	const struct rights *r = g->call->rights;
	struct index_query q = { .collection = COLLECTION_DOCUMENT,
				 .k = NEAREST,
				 .all_groups = r->all_groups,
				 .groups = r->groups,
				 .n_groups = r->n_groups };
	struct index_result found;
	json_t *list = json_array();
	int failed;

	q.vector = middle(g, c, a, &failed);
	if (body_set_take(out, "nearest", list) < 0 || failed)
		return no_memory(g->call->err);
	if (!q.vector)
		return 0;
	int rc = engine_search(g->desk->engine, &q, a, &found, g->call->err);
	return rc < 0 || found.n == 0 ? rc : add_nearest(g, &found, a, list);
}

/* Words and documents of one cluster live in `a`. */
static int show_cluster(const struct gaps *g, const struct cluster *c, struct arena *a, json_t *data)
{
	json_t *j = json_pack("{s:I}", "size", (json_int_t)c->size);
	int rc;

	if (json_array_append_new(data, j) < 0)
		return no_memory(g->call->err);
	if ((rc = set_terms(g, c, a, j)) < 0 || (rc = set_intents(g, c, a, j)) < 0 ||
	    (rc = set_examples(g, c, j)) < 0)
		return rc;
	return set_nearest(g, c, a, j);
}

/* The largest first, then the one with the newest case. */
static int by_size(const void *a, const void *b)
{
	const struct cluster *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static int show(struct gaps *g, json_t **out)
{
	size_t limit = g->query->limit ? g->query->limit : LISTED;
	json_t *data = json_array();
	JSON_AUTO *j = json_pack("{s:s, s:o, s:I, s:I, s:b}", "object", "gaps", "data", data, "cases",
				 (json_int_t)g->looked_at, "gaps", (json_int_t)g->n, "has_more",
				 g->n_clusters > limit);
	int rc = !j || insight_set_window(j, g->query) < 0 ? no_memory(g->call->err) : 0;

	if (g->n_clusters > 1)
		qsort(g->clusters, g->n_clusters, sizeof(*g->clusters), by_size);
	for (size_t i = 0; rc == 0 && i < g->n_clusters && i < limit; i++) {
		struct arena *a = arena_new(1 << 16);
		rc = a ? show_cluster(g, &g->clusters[i], a, data) : no_memory(g->call->err);
		arena_free(a);
	}
	if (rc == 0)
		*out = json_incref(j);
	return rc;
}

static int read_all(struct gaps *g)
{
	const struct call *c = g->call;
	const struct scan s = { .kind = RECORD_CASE, .newest_first = 1 };
	struct engine_status status;
	int rc = names_open(&g->intents) < 0 ? no_memory(c->err)
					     : engine_status(g->desk->engine, c->arena, &status, c->err);

	if (rc < 0)
		return rc;
	g->cases = status.index.entries[COLLECTION_CASE];
	rc = engine_each(g->desk->engine, &s, read_case, g, c->err);
	return rc < 0 ? rc : 0;
}

int insights_gaps(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out)
{
	struct gaps g = {
		.desk = d, .call = c, .query = q, .dim = d->embedder ? embedder_info(d->embedder)->dim : 0
	};
	int rc = read_all(&g);

	if (rc == 0)
		rc = show(&g, out);
	names_release(&g.intents);
	free(g.list);
	free(g.clusters);
	return rc;
}
