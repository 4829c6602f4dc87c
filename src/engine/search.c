#include "engine/search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "embed/embed.h"
#include "engine/fuse.h"
#include "engine/search_internal.h"
#include "engine/search_rules.h"

#define DEFAULT_K 10

/* Candidates wanted of each source at first: enough that fusion has something to choose from, and a walk is wide enough. */
#define LEAST_CANDIDATES 50
#define CANDIDATES_PER_HIT 3

/* By words alone the best are known for sure: a few more, for those that turn out to be gone or hidden. */
#define SPARE_CANDIDATES 6

/* How far candidates grow when too few could be shown. A bot may have next to none: it is not let scan for more. */
#define GROWTH 4
#define MOST_FOR_BOT 4000
#define MOST_FOR_TIES 1000

/* One search on its way; `kind` changes from one kind to the next. */
struct run {
	struct engine *engine;
	const struct rights *rights;
	const struct search_request *q;
	struct arena *arena;
	struct error *err;
	const float *vector;
	const struct term *terms;
	size_t n_terms;
	const struct term *marked; /* what is highlighted */
	size_t n_marked;
	struct rule_effect rules;
	int bot; /* a caller of scope bot and no more */
	size_t k;
	struct search_hit *hits; /* room for k of each kind */
	struct search_result *out;
};

static const enum record_kind record_kinds[COLLECTIONS] = {
	[COLLECTION_DOCUMENT] = RECORD_DOCUMENT,
	[COLLECTION_CASE] = RECORD_CASE,
	[COLLECTION_CONVERSATION] = RECORD_CONVERSATION,
	[COLLECTION_EXAMPLE] = RECORD_EXAMPLE,
};

struct search_weights search_default_weights(enum collection kind)
{
	(void)kind; /* .9 is the best or next to it on each set measured; a learned weight comes per kind */
	return (struct search_weights){ .vector = 0.9, .words = 0.1 };
}

/* A source of weight 0 is not asked, if the other one can be. */
static int is_unasked(double weight, double other)
{
	return weight == 0 && other > 0;
}

int search_by_vector_only(const struct search_weights *w)
{
	return is_unasked(w->words, w->vector);
}

static void warn(struct run *r, const char *text)
{
	struct search_result *out = r->out;

	for (size_t i = 0; text && i < out->n_warnings; i++)
		if (strcmp(out->warnings[i], text) == 0)
			return;
	if (text && out->n_warnings < sizeof(out->warnings) / sizeof(out->warnings[0]))
		out->warnings[out->n_warnings++] = text;
}

static int check_request(const struct search_request *q, struct error *e)
{
	const struct search_weights *w = &q->weights;

	if (q->k > SEARCH_MAX_K)
		return error_set(e, ERR_BAD_VALUE, "k", "k: must be 1 to %d", SEARCH_MAX_K);
	if (q->offset > SEARCH_MAX_DEPTH || q->offset + (q->k ? q->k : DEFAULT_K) > SEARCH_MAX_DEPTH)
		return error_set(e, ERR_BAD_VALUE, "offset", "offset: offset + k must be at most %d",
				 SEARCH_MAX_DEPTH);
	if (!isfinite(w->vector) || !isfinite(w->words) || w->vector < 0 || w->words < 0)
		return error_set(e, ERR_BAD_VALUE, "weights", "weights: must not be negative");
	for (size_t i = 0; i < q->n_kinds; i++)
		assert(q->kinds[i] != COLLECTION_EXAMPLE);
	return 0;
}

/* --- what is asked: terms and a vector -------------------------------------------------------- */

/* The words of an FTS5 expression, its operators left out: they rank what matches when nothing else is asked. */
static struct text words_of_match(struct arena *a, const char *match)
{
	static const char *const operators[] = { "AND", "OR", "NOT", "NEAR" };
	char *s = arena_strdup(a, match);

	for (char *p = s; p && *p;) {
		size_t n = strcspn(p, " \t\n()\"*^:+-,");
		for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
			if (n == strlen(operators[i]) && memcmp(p, operators[i], n) == 0)
				memset(p, ' ', n);
		p += n ? n : 1;
	}
	return (struct text){ s, s ? strlen(s) : 0 };
}

static size_t at_most_terms(struct run *r, size_t n)
{
	if (n <= SEARCH_MAX_TERMS)
		return n;
	warn(r,
	     arena_printf(r->arena, "the query has more than %d different words: the first %d were searched",
			  SEARCH_MAX_TERMS, SEARCH_MAX_TERMS));
	return SEARCH_MAX_TERMS;
}

static int analyse(struct run *r, struct text t, const struct term **terms, size_t *n)
{
	long count = t.s ? analyse_query(r->arena, t.s, t.n, SEARCH_MAX_TERMS + 1, terms) : 0;

	if (count < 0)
		return no_memory(r->err);
	*n = at_most_terms(r, (size_t)count);
	return 0;
}

static int find_terms(struct run *r)
{
	const struct search_request *q = r->q;
	struct text text = q->query;
	int rc = 0;

	if (!text.s && q->match && !q->vector && !q->n_terms)
		text = words_of_match(r->arena, q->match);
	if (q->n_terms) {
		r->terms = q->terms;
		r->n_terms = at_most_terms(r, q->n_terms);
	} else {
		rc = analyse(r, text, &r->terms, &r->n_terms);
	}
	r->marked = r->terms;
	r->n_marked = r->n_terms;
	if (rc == 0 && q->text_for_highlights.s)
		rc = analyse(r, q->text_for_highlights, &r->marked, &r->n_marked);
	if (q->no_words)
		r->n_terms = 0;
	return rc;
}

/* Rules see the query's terms; what they add is searched for and marked as well. */
static int apply_rules(struct run *r)
{
	struct rule_effect *x = &r->rules;
	int alike = r->marked == r->terms, rc = rules_apply(x, r->terms, r->n_terms);
	size_t added = rc == 0 ? x->n_terms - x->n_own : 0;

	if (added == 0)
		return rc;
	r->terms = x->terms;
	r->n_terms = x->n_terms;
	struct term *marked = arena_alloc(r->arena, (r->n_marked + added) * sizeof(*marked));
	if (!alike && marked) {
		if (r->n_marked)
			memcpy(marked, r->marked, r->n_marked * sizeof(*marked));
		memcpy(marked + r->n_marked, x->terms + x->n_own, added * sizeof(*marked));
	}
	r->marked = alike ? r->terms : marked;
	r->n_marked += added;
	return marked ? 0 : no_memory(r->err);
}

static int find_vector(struct run *r, struct embedder *m)
{
	const struct search_request *q = r->q;
	size_t dim = m ? embedder_info(m)->dim : 0;
	float *v;
	int rc;

	if (q->no_vector)
		return 0;
	r->vector = q->vector;
	for (size_t i = 0; q->vector && i < dim; i++)
		if (!isfinite(q->vector[i]))
			return error_set(r->err, ERR_BAD_VECTOR, "vector", "vector: must be finite numbers");
	if (q->vector || !q->query.s || q->query.n == 0)
		return 0;
	if (dim == 0) {
		warn(r, "no embedder is configured: words alone were searched");
		return 0;
	}
	v = arena_alloc(r->arena, dim * sizeof(*v));
	if (!v)
		return no_memory(r->err);
	rc = embedder_embed(m, &q->query, 1, v, r->err);
	r->vector = rc == 0 ? v : NULL;
	if (rc != ERR_EMBEDDER_UNAVAILABLE || q->no_words || search_by_vector_only(&q->weights))
		return rc;
	if (r->err)
		*r->err = (struct error){ 0 };
	warn(r, SEARCH_NOT_EMBEDDED);
	return 0;
}

/* --- one kind ----------------------------------------------------------------------------------- */

/* Candidates of one kind, fused, and how far they have been loaded. */
struct candidates {
	struct index_result found;
	struct fused *fused;
	struct search_hit *live; /* that may be shown, best first */
	size_t n_live, n_loaded;
	struct search_weights weights;
};

static int has_source(const struct run *r)
{
	return r->vector || r->n_terms || r->q->match;
}

/* Once a kind is enough: a larger k changes nothing of them. A bot does not see all cases, so it may not count them. */
static int want_facets(struct run *r, enum collection kind)
{
	if (r->q->n_facets && r->bot && kind == COLLECTION_CASE)
		warn(r, "facets of cases are not for a key of scope bot");
	else
		return r->q->n_facets && !r->out->facets[kind];
	return 0;
}

/* Deeper pages have so many candidates that what need not be looked for is not worth telling. */
#define MOST_RIGHT 100

/* Does what is learned, or a rule, change the order of this kind? */
static int is_boosted(const struct run *r, enum collection kind)
{
	return (kind == COLLECTION_DOCUMENT && r->rules.n_placed) ||
	       (kind == COLLECTION_CASE && r->q->n_labels);
}

/* Rules show others than the best, and a bot sees few cases: then candidates are wanted that fusion alone would not miss. */
static size_t must_be_right(const struct run *r, enum collection kind, size_t wanted)
{
	if (is_boosted(r, kind) || r->rules.hidden || (r->bot && kind == COLLECTION_CASE) ||
	    wanted > MOST_RIGHT)
		return 0;
	return wanted;
}

static int find_candidates(struct run *r, enum collection kind, size_t k, size_t right, struct candidates *c)
{
	struct search_weights w = fuse_normalise(r->q->weights, search_default_weights(kind));
	const struct search_request *q = r->q;
	struct index_query iq = {
		.collection = kind,
		.vector = r->vector,
		.terms = r->terms,
		.n_terms = r->n_terms,
		.match = q->match,
		.filter = q->filter,
		.k = k,
		.exact = q->exact,
		.k1 = q->k1,
		.b = q->b,
		.facets = q->facets,
		.right = right,
		.vector_weight = w.vector,
		.words_weight = w.words,
	};
	int rc;

	*c = (struct candidates){ .weights = w };
	search_set_groups(&iq, r->rights);
	iq.n_facets = want_facets(r, kind) ? q->n_facets : 0;
	rc = engine_search(r->engine, &iq, r->arena, &c->found, r->err);
	if (rc < 0)
		return rc;
	if (c->found.facets)
		r->out->facets[kind] = c->found.facets;
	if (!has_source(r)) { /* facets and pins alone */
		c->found.n = 0;
		c->found.exhausted = 1;
	}
	c->fused = arena_alloc(r->arena, c->found.n * sizeof(*c->fused));
	c->live = arena_alloc(r->arena, (c->found.n + r->rules.n_placed) * sizeof(*c->live));
	if (!c->fused || !c->live)
		return no_memory(r->err);
	c->weights = fuse(c->found.hits, c->found.n, w, c->fused);
	fuse_sort(c->found.hits, c->fused, c->found.n);
	return 0;
}

/* Adds candidate f with its record, unless this caller may not have it. */
static int add_live(struct run *r, enum collection kind, struct candidates *c, const struct fused *f,
		    const struct record *record)
{
	struct search_hit *h = &c->live[c->n_live];

	if (!record->id || rules_hide(&r->rules, kind, record->id))
		return 0;
	*h = (struct search_hit){
		.kind = kind,
		.record = *record,
		.raw = c->found.hits[f->hit],
		.score = f->score,
		.vector = f->vector,
		.words = f->words,
	};
	if (r->bot && kind == COLLECTION_CASE) {
		int rc = search_redact_case(r->arena, record->body, &h->record.body);
		if (rc <= 0)
			return rc < 0 ? no_memory(r->err) : 0;
		h->record.text = (struct text){ NULL, 0 };
	}
	c->n_live++;
	return 0;
}

/* Where loading may stop: n candidates, and all that are tied with the last, whose order is by id. */
static size_t through_ties(const struct candidates *c, size_t n)
{
	if (n >= c->found.n)
		return c->found.n;
	while (n > 0 && n < c->found.n && c->fused[n].score == c->fused[n - 1].score)
		n++;
	return n;
}

/* Loads candidates, best first, until `wanted` are live or there are no more. */
static int load_candidates(struct run *r, enum collection kind, size_t wanted, struct candidates *c)
{
	while (c->n_live < wanted && c->n_loaded < c->found.n) {
		size_t to = through_ties(c, c->n_loaded + wanted - c->n_live), n = to - c->n_loaded;
		uint64_t *entries = arena_alloc(r->arena, n * sizeof(*entries));
		struct record *records;
		int rc;

		if (!entries)
			return no_memory(r->err);
		for (size_t i = 0; i < n; i++)
			entries[i] = c->found.hits[c->fused[c->n_loaded + i].hit].entry;
		rc = engine_load(r->engine, record_kinds[kind], r->rights, entries, n, r->arena, &records,
				 r->err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = add_live(r, kind, c, &c->fused[c->n_loaded + i], &records[i]);
		if (rc < 0)
			return rc;
		c->n_loaded = to;
	}
	return 0;
}

int search_hit_pinned(const struct search_hit *h)
{
	for (size_t i = 0; i < h->n_boosts; i++)
		if (strcmp(h->boosts[i].name, SEARCH_PIN) == 0)
			return 1;
	return 0;
}

int search_boost(struct arena *a, struct search_hit *h, struct search_boost b)
{
	struct search_boost *list = arena_alloc(a, (h->n_boosts + 1) * sizeof(*list));

	if (!list)
		return -1;
	list[0] = b;
	if (h->n_boosts)
		memcpy(list + 1, h->boosts, h->n_boosts * sizeof(*list));
	h->boosts = list;
	h->n_boosts++;
	return 0;
}

static int compare_hits(const void *pa, const void *pb)
{
	const struct search_hit *a = pa, *b = pb;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return strcmp(a->record.id, b->record.id);
}

static void warn_of_key(struct run *r, const char *key)
{
	warn(r, arena_printf(r->arena, "filter key \"%s\" is not known: nothing matches it", key));
}

static int boost_labels(struct run *r, struct candidates *c)
{
	for (size_t i = 0; i < c->n_live; i++) {
		struct search_hit *h = &c->live[i];
		const char *intent = json_string_value(json_object_get(h->record.body, "intent"));
		if (json_is_true(json_object_get(h->record.body, "contested")))
			continue; /* whose intent it is said to be is in doubt */
		for (size_t j = 0; intent && j < r->q->n_labels; j++) {
			const struct search_label *l = &r->q->labels[j];
			if (strcmp(l->label, intent) != 0)
				continue;
			h->score += l->contribution;
			if (search_boost(r->arena, h,
					 (struct search_boost){ "intent", l->because, l->contribution }) < 0)
				return no_memory(r->err);
			break;
		}
	}
	return 0;
}

/* With boosts all candidates are loaded: one has its scores wherever it stands. */
static int load_and_boost(struct run *r, enum collection kind, size_t wanted, struct candidates *c)
{
	int boosted = is_boosted(r, kind);
	int rc = load_candidates(r, kind, boosted ? c->found.n : wanted, c);

	if (rc < 0 || !boosted)
		return rc;
	return kind == COLLECTION_CASE ? boost_labels(r, c) : rules_place(&r->rules, c->live, &c->n_live);
}

static int show_hits(struct run *r, enum collection kind, const struct candidates *c, size_t wanted)
{
	struct search_hit *first = &r->hits[r->out->n];
	size_t n = 0;
	int rc = 0;

	for (size_t i = r->q->offset; rc == 0 && i < c->n_live && i < wanted; i++) {
		first[n] = c->live[i];
		rc = search_show_part(r->engine, r->arena, r->marked, r->n_marked, !r->q->no_highlight,
				      &first[n++], r->err);
	}
	r->out->n += n;
	return rc < 0 ? rc : rules_explain(&r->rules, kind, first, n);
}

/* Equals of the last hit go by id: those that are not among the candidates have to be fetched too, within reason. */
static int is_tied(const struct candidates *c, size_t wanted)
{
	if (c->n_live < wanted || c->found.n == 0 || c->found.n > MOST_FOR_TIES)
		return 0;
	return c->live[wanted - 1].score == c->fused[c->found.n - 1].score;
}

static size_t candidates_at_first(const struct run *r, enum collection kind, size_t wanted)
{
	size_t k = CANDIDATES_PER_HIT * wanted;

	if (!r->vector && !is_boosted(r, kind))
		return wanted + SPARE_CANDIDATES;
	return k < LEAST_CANDIDATES ? LEAST_CANDIDATES : k;
}

static int search_kind(struct run *r, enum collection kind)
{
	size_t wanted = r->q->offset + r->k, k = candidates_at_first(r, kind, wanted);
	size_t right = must_be_right(r, kind, wanted);
	struct candidates c;
	int rc;

	for (;;) {
		rc = find_candidates(r, kind, k, right, &c);
		if (rc == 0)
			rc = load_and_boost(r, kind, wanted, &c);
		if (rc < 0)
			return rc;
		if (right && c.n_live < c.n_loaded) {
			right = 0; /* some died meanwhile: others come up that were not looked for */
			continue;
		}
		if ((c.n_live >= wanted && !is_tied(&c, wanted)) || c.found.exhausted ||
		    k >= c.found.allowed || (r->bot && k >= MOST_FOR_BOT))
			break;
		k *= GROWTH;
	}
	if (c.found.unknown_key)
		warn_of_key(r, c.found.unknown_key);
	r->out->weights[kind] = c.weights;
	if (c.n_live > 1)
		qsort(c.live, c.n_live, sizeof(*c.live), compare_hits);
	return show_hits(r, kind, &c, wanted);
}

/* --- all kinds ---------------------------------------------------------------------------------- */

static int search_kinds(struct run *r)
{
	static const enum collection documents[] = { COLLECTION_DOCUMENT };
	const enum collection *kinds = r->q->n_kinds ? r->q->kinds : documents;
	size_t n = r->q->n_kinds ? r->q->n_kinds : 1;
	unsigned done = 0;

	for (size_t i = 0; i < n; i++) {
		int rc = 0;
		if (done & 1u << kinds[i])
			continue;
		done |= 1u << kinds[i];
		if (r->bot && kinds[i] == COLLECTION_CONVERSATION)
			warn(r, "conversations are not for a key of scope bot");
		else if (has_source(r) || r->q->n_facets ||
			 (kinds[i] == COLLECTION_DOCUMENT && r->rules.n_placed))
			rc = search_kind(r, kinds[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int search_run(struct engine *g, struct embedder *m, const struct rights *r, const struct search_request *q,
	       struct arena *a, struct search_result *out, struct error *e)
{
	struct search_result result = { 0 };
	struct run run = {
		.engine = g,
		.rights = r,
		.q = q,
		.arena = a,
		.err = e,
		.k = q->k ? q->k : DEFAULT_K,
		.bot = r && (r->scopes & SCOPE_BOT) && !rights_scope(r, SCOPE_AGENT | SCOPE_CURATOR),
		.out = &result,
		.rules = { .engine = g, .rights = r, .q = q, .arena = a, .err = e },
	};
	run.rules.bot = run.bot;
	int rc = check_request(q, e);

	if (rc < 0)
		return rc;
	for (int i = 0; i < COLLECTIONS; i++)
		result.weights[i] = fuse_normalise(q->weights, search_default_weights((enum collection)i));
	run.hits = arena_alloc(a, (q->n_kinds ? q->n_kinds : 1) * run.k * sizeof(*run.hits));
	if (!run.hits)
		return no_memory(e);
	rc = find_terms(&run);
	if (rc == 0)
		rc = apply_rules(&run);
	if (rc == 0 && !(run.n_terms && is_unasked(q->weights.vector, q->weights.words)))
		rc = find_vector(&run, m);
	if (run.vector && search_by_vector_only(&q->weights))
		run.n_terms = 0;
	if (rc == 0)
		rc = search_kinds(&run);
	if (rc < 0)
		return rc;
	result.hits = run.hits;
	*out = result;
	return 0;
}
