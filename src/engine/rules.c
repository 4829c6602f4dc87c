/* Rules made ready, and the cache of the set in force. */
#include "engine/rules.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"

#define PAGE 256
#define NAMED 3 /* targets that a reason lists */

struct rules_cache {
	pthread_mutex_t lock;
	struct rules *now; /* one holder is the cache; NULL before the first rule */
};

static void rules_free(struct rules *r)
{
	if (!r)
		return;
	map_free(r->first);
	free(r->synonyms);
	free(r->placements);
	free(r->policies);
	arena_free(r->arena);
	free(r);
}

static struct rules *rules_new(void)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (r) {
		r->arena = arena_new(16 << 10);
		r->first = map_new();
	}
	if (r && r->arena && r->first)
		return r;
	rules_free(r);
	return NULL;
}

/* --- making ready --------------------------------------------------------------------------------- */

/* A set under construction. Without memory it fails, and stays failed. */
struct builder {
	struct rules *rules;
	size_t cap_synonyms, cap_placements, cap_policies;
	int failed;
};

/* All words of a phrase as stems, in order. 0 for none. */
static size_t stems_of(struct builder *b, const char *phrase, const char *const **out)
{
	const struct token *tokens;
	long n = analyse_text(b->rules->arena, phrase, strlen(phrase), &tokens);
	const char **stems = n < 0 ? NULL : arena_alloc(b->rules->arena, (size_t)n * sizeof(*stems));

	b->failed |= !stems;
	for (long i = 0; stems && i < n; i++)
		stems[i] = tokens[i].stem;
	*out = stems;
	return stems ? (size_t)n : 0;
}

static const char *name_targets(struct builder *b, const char *phrase, const json_t *targets)
{
	struct arena *a = b->rules->arena;
	char *s = arena_printf(a, "\"%s\" also finds", phrase);
	size_t i, n = 0, others = 0;
	json_t *t;

	json_array_foreach(targets, i, t) {
		if (strcmp(json_string_value(t), phrase) == 0)
			continue;
		if (n++ < NAMED && s)
			s = arena_printf(a, "%s%s \"%s\"", s, n == 1 ? "" : ",", json_string_value(t));
		else
			others++;
	}
	if (others && s)
		s = arena_printf(a, "%s and %zu more", s, others);
	b->failed |= !s;
	return s;
}

/* The content words of all targets but the phrase itself, each once. */
static void set_terms(struct builder *b, const char *phrase, const json_t *targets, struct rule_synonym *y)
{
	struct arena *a = b->rules->arena;
	struct term *terms = NULL;
	size_t i, cap = 0, n = 0;
	json_t *t;

	json_array_foreach(targets, i, t) {
		const struct term *found;
		long count = strcmp(json_string_value(t), phrase) == 0
				     ? 0
				     : analyse_query(a, json_string_value(t), json_string_length(t),
						     RULE_MAX_PHRASE, &found);
		b->failed |= count < 0;
		for (long k = 0; k < count; k++) {
			size_t at = 0;
			while (at < n && strcmp(terms[at].stem, found[k].stem) != 0)
				at++;
			if (at < n)
				continue;
			if (GROW(terms, n, cap) < 0) {
				b->failed = 1;
				break;
			}
			terms[n++] = found[k];
		}
	}
	struct term *kept = arena_alloc(a, n * sizeof(*kept));
	b->failed |= !kept;
	if (kept && n)
		memcpy(kept, terms, n * sizeof(*kept));
	free(terms);
	y->terms = kept;
	y->n_terms = n;
}

/* Behind those that begin with the same stem, so that they take effect in the order of the rules. */
static void link_synonym(struct builder *b, size_t number)
{
	struct rules *r = b->rules;
	const char *stem = r->synonyms[number].stems[0];
	uint64_t *first = map_put(r->first, stem, strlen(stem), NULL);

	if (!first) {
		b->failed = 1;
		return;
	}
	if (*first == 0) {
		*first = number + 1;
		return;
	}
	struct rule_synonym *y = &r->synonyms[*first - 1];
	while (y->next)
		y = &r->synonyms[y->next - 1];
	y->next = number + 1;
}

static void add_synonym(struct builder *b, const char *phrase, const json_t *targets)
{
	struct rules *r = b->rules;
	struct rule_synonym y = { 0 };

	y.n_stems = stems_of(b, phrase, &y.stems);
	if (y.n_stems == 0)
		return;
	set_terms(b, phrase, targets, &y);
	y.because = name_targets(b, phrase, targets);
	if (b->failed || y.n_terms == 0 || GROW(r->synonyms, r->n_synonyms, b->cap_synonyms) < 0) {
		b->failed |= y.n_terms > 0;
		return;
	}
	r->synonyms[r->n_synonyms++] = y;
	link_synonym(b, r->n_synonyms - 1);
}

static void add_documents(struct builder *b, const json_t *list, struct rule_placement *p)
{
	const char **ids = arena_alloc(b->rules->arena, json_array_size(list) * sizeof(*ids));
	json_t *id;
	size_t i;

	b->failed |= !ids;
	json_array_foreach(list, i, id) {
		if (ids)
			ids[p->n_documents] = arena_strdup(b->rules->arena, json_string_value(id));
		if (!ids || !ids[p->n_documents])
			b->failed = 1;
		else
			p->n_documents++;
	}
	p->documents = ids;
}

static const char *copy(struct builder *b, const char *s)
{
	const char *made = s ? arena_strdup(b->rules->arena, s) : NULL;

	b->failed |= s && !made;
	return made;
}

/* How the condition is told; NULL for one that is none, or never met. */
static const char *add_condition(struct builder *b, const json_t *when, struct rule_condition *out)
{
	struct arena *a = b->rules->arena;
	const char *query = json_string_value(json_object_get(when, "query"));
	struct rule_condition w = {
		.intent = copy(b, json_string_value(json_object_get(when, "intent"))),
		.customer = copy(b, json_string_value(json_object_get(when, "customer"))),
	};
	const char *told = NULL;

	if (query) {
		const struct term *terms;
		long n = analyse_query(a, query, strlen(query), RULE_MAX_QUERY, &terms);
		const char **stems = n < 0 ? NULL : arena_alloc(a, ((size_t)n + 1) * sizeof(*stems));
		b->failed |= !stems;
		for (long i = 0; stems && i < n; i++)
			stems[w.n_stems++] = terms[i].stem;
		w.stems = stems;
		if (w.n_stems == 0)
			return NULL;
		told = arena_printf(a, "\"%s\"", query);
	} else if (w.intent) {
		told = arena_printf(a, "intent %s", w.intent);
	} else if (w.customer) {
		told = "this customer";
	} else {
		return NULL;
	}
	b->failed |= !told;
	*out = w;
	return told;
}

static void add_placement(struct builder *b, const json_t *body, int hide)
{
	struct rules *r = b->rules;
	struct rule_placement p = { .hide = hide };
	const char *told = add_condition(b, json_object_get(body, "when"), &p.when);

	if (!told)
		return;
	p.because = arena_printf(r->arena, "pinned for %s", told);
	add_documents(b, json_object_get(body, "documents"), &p);
	if (b->failed || !p.because || GROW(r->placements, r->n_placements, b->cap_placements) < 0)
		b->failed = 1;
	else
		r->placements[r->n_placements++] = p;
}

static void add_policy(struct builder *b, const json_t *body)
{
	struct rules *r = b->rules;
	const char *because = json_string_value(json_object_get(body, "because"));
	const char *decision = json_string_value(json_object_get(body, "decision"));
	struct rule_policy p = { .decision = copy(b, decision) };
	const char *told = add_condition(b, json_object_get(body, "when"), &p.when);

	if (!told || !decision)
		return;
	p.because = because ? arena_printf(r->arena, "Policy: %s", because)
			    : arena_printf(r->arena, "A policy says so for %s.", told);
	if (b->failed || !p.because || GROW(r->policies, r->n_policies, b->cap_policies) < 0)
		b->failed = 1;
	else
		r->policies[r->n_policies++] = p;
}

/* What a later version may have written, and this one does not know, has no effect. */
static void add_rule(struct builder *b, const json_t *body)
{
	const char *type = json_string_value(json_object_get(body, "type"));
	const char *from = json_string_value(json_object_get(body, "from"));
	const json_t *words = json_object_get(body, "words");
	json_t *word;
	size_t i;

	if (!type)
		return;
	if (strcmp(type, "synonym") == 0 && from)
		add_synonym(b, from, json_object_get(body, "to"));
	else if (strcmp(type, "synonyms") == 0)
		json_array_foreach(words, i, word)
			add_synonym(b, json_string_value(word), words);
	else if (strcmp(type, "pin") == 0 || strcmp(type, "hide") == 0)
		add_placement(b, body, *type == 'h');
	else if (strcmp(type, "policy") == 0)
		add_policy(b, body);
}

static int load_page(struct engine *g, struct builder *b, struct scan *s, struct arena *a, size_t *n,
		     struct error *e)
{
	struct record *page;
	int rc = engine_scan(g, s, a, &page, n, e);

	for (size_t i = 0; rc == 0 && i < *n; i++)
		add_rule(b, page[i].body);
	if (rc == 0 && *n) {
		s->after = page[*n - 1].created;
		s->after_id = page[*n - 1].id;
	}
	return rc == 0 && b->failed ? no_memory(e) : rc;
}

/* The rules are read after the revision: they are of it or later, and then the revision moves once more. */
static int load(struct engine *g, int64_t revision, struct rules **out, struct error *e)
{
	struct builder b = { .rules = rules_new() };
	struct arena *a = arena_new(64 << 10);
	struct scan s = { .kind = RECORD_RULE, .limit = PAGE };
	size_t n = PAGE;
	int rc = b.rules && a ? 0 : no_memory(e);

	while (rc == 0 && n == PAGE)
		rc = load_page(g, &b, &s, a, &n, e);
	arena_free(a);
	if (rc < 0) {
		rules_free(b.rules);
		return rc;
	}
	b.rules->revision = revision;
	b.rules->holders = 1;
	*out = b.rules;
	return 0;
}

/* --- conditions ------------------------------------------------------------------------------------ */

int rule_applies(const struct rule_condition *w, const struct map *stems, const char *intent,
		 const char *customer)
{
	if (w->intent)
		return intent && strcmp(w->intent, intent) == 0;
	if (w->customer)
		return customer && strcmp(w->customer, customer) == 0;
	for (size_t i = 0; i < w->n_stems; i++)
		if (!map_get(stems, w->stems[i], strlen(w->stems[i])))
			return 0;
	return w->n_stems > 0;
}

static const struct rule_policy *first_policy(const struct rules *r, const struct map *stems,
					      const struct policy_case *x)
{
	for (size_t i = 0; i < r->n_policies; i++)
		if (rule_applies(&r->policies[i].when, stems, x->intent, x->customer))
			return &r->policies[i];
	return NULL;
}

static int find_policy(const struct rules *r, struct arena *a, const struct policy_case *x,
		       const char **decision, const char **because)
{
	const struct token *tokens = NULL;
	struct map *stems = map_new();
	long n = x->said.s ? analyse_text(a, x->said.s, x->said.n, &tokens) : 0;
	int bad = !stems || n < 0;

	for (long i = 0; !bad && i < n; i++)
		bad = !map_put(stems, tokens[i].stem, strlen(tokens[i].stem), NULL);
	const struct rule_policy *p = bad ? NULL : first_policy(r, stems, x);
	if (p) {
		*decision = arena_strdup(a, p->decision);
		*because = arena_strdup(a, p->because);
		bad = !*decision || !*because;
	}
	map_free(stems);
	return bad ? -1 : 0;
}

int policy_find(struct engine *g, struct arena *a, const struct policy_case *x, const char **decision,
		const char **because, struct error *e)
{
	const struct rules *r;
	int rc = rules_take(g, &r, e);

	*decision = *because = NULL;
	if (rc < 0 || !r)
		return rc;
	if (r->n_policies && find_policy(r, a, x, decision, because) < 0)
		rc = no_memory(e);
	rules_give(g, r);
	return rc;
}

/* --- the set in force ------------------------------------------------------------------------------ */

struct rules_cache *rules_cache_new(void)
{
	struct rules_cache *c = calloc(1, sizeof(*c));

	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void rules_cache_free(struct rules_cache *c)
{
	if (!c)
		return;
	rules_free(c->now);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* One more holder of the set, if it is of this revision. */
static const struct rules *take_kept(struct rules_cache *c, int64_t revision)
{
	struct rules *r = NULL;

	pthread_mutex_lock(&c->lock);
	if (c->now && c->now->revision == revision) {
		r = c->now;
		r->holders++;
	}
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* The cache's hold goes to `fresh`, unless a later set is there by now; the caller has one as well. */
static void keep(struct rules_cache *c, struct rules *fresh)
{
	struct rules *old = NULL;

	pthread_mutex_lock(&c->lock);
	if (!c->now || c->now->revision < fresh->revision) {
		old = c->now;
		c->now = fresh;
		fresh->holders++;
		if (old && --old->holders > 0)
			old = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	rules_free(old);
}

void rules_give(struct engine *g, const struct rules *held)
{
	struct rules_cache *c = engine_rules(g);
	struct rules *r = (struct rules *)held;

	if (!r)
		return;
	pthread_mutex_lock(&c->lock);
	unsigned left = --r->holders;
	pthread_mutex_unlock(&c->lock);
	if (left == 0)
		rules_free(r);
}

int rules_take(struct engine *g, const struct rules **out, struct error *e)
{
	struct rules_cache *c = engine_rules(g);
	const struct rules *r = NULL;
	struct rules *fresh;
	int64_t revision;
	int rc = engine_revision(g, RULES_STREAM, &revision, e);

	if (rc < 0)
		return rc;
	if (revision > 0 && !(r = take_kept(c, revision))) {
		if ((rc = load(g, revision, &fresh, e)) < 0)
			return rc;
		keep(c, fresh);
		r = fresh;
	}
	if (r && r->n_synonyms + r->n_placements + r->n_policies == 0) {
		rules_give(g, r);
		r = NULL;
	}
	*out = r;
	return 0;
}
