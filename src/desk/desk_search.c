/* desk_search.c: the body of POST /v1/search, and its answer. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "desk/boosts.h"
#include "desk/draw.h"
#include "desk/predict.h"
#include "desk/query.h"
#include "embed/embed.h"

#define MAX_QUERY (64u << 10)
#define MAX_MATCH (4u << 10)
#define MAX_INTENT 1024
#define MAX_FACET_KEY 200

/* The request as it is read. */
struct wanted {
	struct search_request request;
	struct desk_query query; /* of a conversation */
	int explain;
	const char *warning; /* of ours, NULL: none */
};

static size_t dim_of(const struct desk *d)
{
	return d->embedder ? embedder_info(d->embedder)->dim : 0;
}

static int read_weights(struct reader *r, json_t *weights, struct search_weights *out)
{
	struct search_weights w = { 0, 0 };
	struct reader sub;

	if (!weights)
		return 0;
	reader_init(&sub, weights, "weights", r->err);
	reader_number(&sub, "vector", OPTIONAL, 0, 1000, &w.vector);
	reader_number(&sub, "words", OPTIONAL, 0, 1000, &w.words);
	int rc = reader_done(&sub);
	if (rc < 0)
		return rc;
	if (!(w.vector + w.words > 0))
		return error_set(r->err, ERR_BAD_VALUE, "weights",
				 "weights: one of vector and words must be above 0");
	*out = w;
	return 0;
}

static int read_kind(const char *name, enum collection *out)
{
	static const struct {
		const char *name;
		enum collection kind;
	} kinds[] = { { "document", COLLECTION_DOCUMENT },
		      { "case", COLLECTION_CASE },
		      { "conversation", COLLECTION_CONVERSATION } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*out = kinds[i].kind;
			return 0;
		}
	}
	return -1;
}

static int read_kinds(const struct call *c, json_t *kinds, struct wanted *w)
{
	struct search_request *q = &w->request;
	json_t *item;
	size_t i;

	if (kinds && json_array_size(kinds) == 0)
		return error_set(c->err, ERR_BAD_VALUE, "kinds",
				 "kinds: must name document, case or conversation");
	if (!kinds)
		q->kinds[q->n_kinds++] = COLLECTION_DOCUMENT;
	json_array_foreach(kinds, i, item) {
		enum collection kind;
		char path[32];
		snprintf(path, sizeof(path), "kinds[%zu]", i);
		if (read_kind(json_string_value(item), &kind) < 0)
			return error_set(c->err, ERR_BAD_VALUE, path,
					 "%s: must be document, case or conversation", path);
		for (size_t j = 0; j < i; j++)
			if (strcmp(json_string_value(json_array_get(kinds, j)), json_string_value(item)) == 0)
				return error_set(c->err, ERR_BAD_VALUE, path, "%s: is named twice", path);
		q->kinds[q->n_kinds++] = kind;
	}
	return 0;
}

static int read_facets(const struct call *c, json_t *facets, struct wanted *w)
{
	const char **keys = arena_alloc(c->arena, (json_array_size(facets) + 1) * sizeof(*keys));
	json_t *item;
	size_t i;

	if (!keys)
		return no_memory(c->err);
	if (json_array_size(facets) > SEARCH_MAX_FACETS)
		return error_set(c->err, ERR_BAD_VALUE, "facets", "facets: must name at most %d keys",
				 SEARCH_MAX_FACETS);
	json_array_foreach(facets, i, item) {
		char path[32];
		snprintf(path, sizeof(path), "facets[%zu]", i);
		for (size_t j = 0; j < i; j++)
			if (strcmp(keys[j], json_string_value(item)) == 0)
				return error_set(c->err, ERR_BAD_VALUE, path, "%s: is named twice", path);
		keys[i] = json_string_value(item);
	}
	w->request.facets = keys;
	w->request.n_facets = json_array_size(facets);
	return 0;
}

/* Search answers from the present; a mark of the past is refused rather than ignored. */
static int check_at(struct desk *d, const struct call *c, const json_t *at)
{
	struct engine_status status;

	if (!at)
		return 0;
	if (!json_is_integer(at))
		return error_set(c->err, ERR_WRONG_TYPE, "at", "at: must be a mark");
	int rc = engine_status(d->engine, c->arena, &status, c->err);
	if (rc < 0)
		return rc;
	if (json_integer_value(at) != (json_int_t)status.seq)
		return error_set(
			c->err, ERR_BAD_VALUE, "at",
			"at: a search sees the present only; leave it out, or give the current mark");
	return 0;
}

/* query, conversation_id, vector: what to search for. */
struct subject {
	struct text query, conversation;
	json_t *vector;
};

/* Documents alone are looked for with what resolutions have taught of queries. */
static int query_with_learned(struct desk *d, const struct call *c, const struct conversation *v,
			      const struct learned *learned, struct wanted *w)
{
	struct search_request *q = &w->request;
	struct intent in;
	int rc = query_of_conversation(d, c->arena, v, &w->query, c->err);

	if (rc < 0 || (rc = intent_of_query(d, c, &w->query, c->rights, learned, &in)) < 0)
		return rc;
	if (boosts_set(c->arena, learned, &in, q) < 0)
		return no_memory(c->err);
	if (q->n_kinds == 1 && q->kinds[0] == COLLECTION_CASE)
		query_for_cases(&w->query);
	if (q->n_kinds > 1 || q->kinds[0] != COLLECTION_DOCUMENT)
		return 0;
	return query_for_documents(d, c->arena, v, learned->adapter, &w->query, c->err);
}

static int read_subject(struct desk *d, const struct call *c, const struct subject *s, struct wanted *w)
{
	struct search_request *q = &w->request;
	struct conversation v;
	struct learned learned;
	int rc;

	if (!s->query.s && !s->conversation.s && !s->vector && !q->match)
		return error_set(c->err, ERR_MISSING_FIELD, "query",
				 "give query, conversation_id, vector or match");
	if (s->conversation.s && (s->query.s || s->vector))
		return error_set(c->err, ERR_BAD_VALUE, "conversation_id",
				 "conversation_id stands alone, without query and vector");
	if (s->vector && dim_of(d) == 0)
		return error_set(c->err, ERR_NO_EMBEDDER, "vector",
				 "vector: vectors are not kept here: the embedder is none");
	if (s->vector) {
		rc = search_read_vector(c->arena, s->vector, "vector", dim_of(d), &q->vector, c->err);
		if (rc < 0)
			return rc;
	}
	q->query = s->query;
	q->text_for_highlights = s->query;
	if (!s->conversation.s)
		return 0;
	const char *id = text_copy(c->arena, s->conversation);
	if (!id)
		return no_memory(c->err);
	if ((rc = conversation_load(d, c, id, &v)) < 0)
		return rc;
	draw_learned(d, v.id, &learned);
	rc = query_with_learned(d, c, &v, &learned, w);
	learner_give(d->learner, &learned);
	if (rc < 0)
		return rc;
	if (search_by_vector_only(&q->weights) && (rc = query_require_vector(&w->query, c->err)) < 0)
		return rc;
	query_to_request(&w->query, q);
	if (w->query.not_embedded)
		w->warning = SEARCH_NOT_EMBEDDED;
	if (!w->query.text.s)
		w->warning = "no customer has spoken in this conversation: there is nothing to search for";
	return 0;
}

static int read_body(struct desk *d, const struct call *c, json_t *body, struct wanted *w)
{
	json_t *kinds = NULL, *filter = NULL, *weights = NULL, *at = NULL, *facets = NULL;
	struct text match = { 0 }, intent = { 0 };
	struct subject s = { 0 };
	int64_t k = 10, offset = 0;
	int highlight = 1, rc;
	struct reader r;

	reader_init(&r, body, NULL, c->err);
	reader_string(&r, "query", OPTIONAL, MAX_QUERY, &s.query);
	reader_string(&r, "conversation_id", OPTIONAL, MAX_QUERY, &s.conversation);
	reader_any(&r, "vector", OPTIONAL, &s.vector);
	reader_string(&r, "match", OPTIONAL, MAX_MATCH, &match);
	reader_strings(&r, "kinds", OPTIONAL, 64, 32, &kinds); /* more than there are: named twice */
	reader_int(&r, "k", OPTIONAL, 1, SEARCH_MAX_K, &k);
	reader_int(&r, "offset", OPTIONAL, 0, SEARCH_MAX_DEPTH, &offset);
	reader_any(&r, "filter", OPTIONAL, &filter);
	reader_bool(&r, "explain", OPTIONAL, &w->explain);
	reader_bool(&r, "highlight", OPTIONAL, &highlight);
	reader_object(&r, "weights", OPTIONAL, &weights);
	reader_bool(&r, "exact", OPTIONAL, &w->request.exact);
	reader_any(&r, "at", OPTIONAL, &at);
	reader_strings(&r, "facets", OPTIONAL, 10 * SEARCH_MAX_FACETS, MAX_FACET_KEY, &facets);
	reader_string(&r, "intent", OPTIONAL, MAX_INTENT, &intent);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	if (offset + k > SEARCH_MAX_DEPTH)
		return error_set(c->err, ERR_BAD_VALUE, "offset", "offset: offset + k must be at most %d",
				 SEARCH_MAX_DEPTH);
	w->request.k = (size_t)k;
	w->request.offset = (size_t)offset;
	w->request.no_highlight = !highlight;
	w->request.match = match.s ? text_copy(c->arena, match) : NULL;
	w->request.intent = intent.s ? text_copy(c->arena, intent) : NULL;
	if ((match.s && !w->request.match) || (intent.s && !w->request.intent))
		return no_memory(c->err);
	if ((rc = read_kinds(c, kinds, w)) < 0 || (rc = read_weights(&r, weights, &w->request.weights)) < 0 ||
	    (rc = search_read_filter(c->arena, filter, "filter", &w->request.filter, c->err)) < 0 ||
	    (rc = check_at(d, c, at)) < 0 || (rc = read_facets(c, facets, w)) < 0)
		return rc;
	return read_subject(d, c, &s, w);
}

static const char *kind_name(enum collection kind)
{
	return kind == COLLECTION_DOCUMENT ? "document" : kind == COLLECTION_CASE ? "case" : "conversation";
}

static int add_weights(const struct wanted *w, const struct search_result *found, json_t *weights)
{
	for (size_t i = 0; i < w->request.n_kinds; i++) {
		enum collection kind = w->request.kinds[i];
		json_t *pair = json_pack("{s:f, s:f}", "vector", found->weights[kind].vector, "words",
					 found->weights[kind].words);
		if (body_set_take(weights, kind_name(kind), pair) < 0)
			return -1;
	}
	return 0;
}

static int add_warnings(const struct wanted *w, const struct search_result *found, json_t *warnings)
{
	if (w->warning && json_array_append_new(warnings, json_string(w->warning)) < 0)
		return -1;
	for (size_t i = 0; i < found->n_warnings; i++)
		if (json_array_append_new(warnings, json_string(found->warnings[i])) < 0)
			return -1;
	return 0;
}

/* A whole number comes out as it went in: 3, not 3.0. */
static json_t *number_json(double x)
{
	if (x == floor(x) && fabs(x) < 9e15)
		return json_integer((json_int_t)x);
	return json_real(x);
}

static json_t *value_json(const struct index_value *v)
{
	if (v->type == VALUE_STRING)
		return json_stringn(v->s.s, v->s.n);
	return v->type == VALUE_BOOL ? json_boolean(v->number != 0) : number_json(v->number);
}

/* New reference to [{"value","count"}]; NULL without memory. */
static json_t *facet_json(const struct index_facet *f)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < f->n; i++)
		if (json_array_append_new(list,
					  json_pack("{s:o, s:I}", "value", value_json(&f->values[i].value),
						    "count", (json_int_t)f->values[i].count)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* New reference to {"document":{"lang":[…]}}: kinds and keys as asked. NULL without memory. */
static json_t *facets_json(const struct wanted *w, const struct search_result *found)
{
	json_t *all = json_object();
	int bad = !all;

	for (size_t k = 0; !bad && k < w->request.n_kinds; k++) {
		const struct index_facet *facets = found->facets[w->request.kinds[k]];
		json_t *keys = json_object();
		bad = body_set_take(all, kind_name(w->request.kinds[k]), keys) < 0;
		for (size_t i = 0; !bad && facets && i < w->request.n_facets; i++)
			bad = body_set_take(keys, w->request.facets[i], facet_json(&facets[i])) < 0;
	}
	if (bad) {
		json_decref(all);
		return NULL;
	}
	return all;
}

/* The answer but for its facets and its end. */
static int write_answer(struct desk *d, const struct call *c, const struct wanted *w,
			const struct search_result *found, struct strbuf *out)
{
	JSON_AUTO *weights = json_object();
	JSON_AUTO *warnings = json_array();
	const char *id = search_id_make(c->arena, d->secret, found);
	const char *embedder = d->embedder ? embedder_info(d->embedder)->id : "none";

	if (!weights || !warnings || !id || add_weights(w, found, weights) < 0 ||
	    add_warnings(w, found, warnings) < 0)
		return no_memory(c->err);
	jsonw_open(out, '{');
	jsonw_key(out, "search_id");
	jsonw_string(out, id, strlen(id));
	jsonw_key(out, "data");
	jsonw_open(out, '[');
	for (size_t i = 0; i < found->n; i++)
		search_hit_write(&found->hits[i], w->explain, out);
	jsonw_close(out, ']');
	jsonw_key(out, "weights");
	jsonw_value(out, weights);
	jsonw_key(out, "embedder");
	jsonw_string(out, embedder, strlen(embedder));
	jsonw_key(out, "warnings");
	jsonw_value(out, warnings);
	return 0;
}

int desk_search(struct desk *d, const struct call *c, json_t *body, struct strbuf *out)
{
	int64_t start = clock_mono_us();
	struct search_result found = { 0 };
	struct wanted w = { 0 };
	int rc = read_body(d, c, body, &w);

	if (rc < 0 ||
	    (rc = search_run(d->engine, d->embedder, c->rights, &w.request, c->arena, &found, c->err)) < 0 ||
	    (rc = write_answer(d, c, &w, &found, out)) < 0)
		return rc;
	if (w.request.n_facets) {
		JSON_AUTO *facets = facets_json(&w, &found);
		if (!facets)
			return no_memory(c->err);
		jsonw_key(out, "facets");
		jsonw_value(out, facets);
	}
	jsonw_key(out, "took_ms");
	jsonw_decimal(out, (double)(clock_mono_us() - start) / 1000);
	jsonw_close(out, '}');
	return out->failed ? no_memory(c->err) : 0;
}
