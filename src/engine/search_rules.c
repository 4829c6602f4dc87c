#include "engine/search_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "engine/rules.h"
#include "engine/search_internal.h"

#define LOOKED_FOR 200   /* candidates among which a pinned document is looked for under a `match` */
#define LOOKUP_TERMS 32  /* words of it that it is looked for by */
#define LOOKUP_TEXT 2000 /* bytes, where it has no title */

static int rules_no_memory(struct rule_effect *x)
{
	return no_memory(x->err);
}

void search_set_groups(struct index_query *q, const struct rights *r)
{
	q->all_groups = !r || r->all_groups;
	q->groups = r ? r->groups : NULL;
	q->n_groups = r ? r->n_groups : 0;
}

/* What is looked through for rules: the words of the query as they were said, or the terms that stand for it. */
static struct text said(const struct search_request *q)
{
	return q->query.s ? q->query : q->text_for_highlights;
}

/* --- synonyms -------------------------------------------------------------------------------------- */

struct widening {
	struct rule_effect *x;
	const struct rules *rules;
	struct map *places; /* stem to place + 1 in `list` */
	struct term *list;
	size_t n, own; /* own: terms of the query */
	char *used;    /* by number of the synonym */
};

/* The weight that a phrase has in the query: of the heaviest of its words. */
static float weight_of(const struct widening *w, const struct rule_synonym *y)
{
	float most = 0;

	for (size_t i = 0; i < y->n_stems; i++) {
		const uint64_t *at = map_get(w->places, y->stems[i], strlen(y->stems[i]));
		if (at && *at <= w->own && w->list[*at - 1].weight > most)
			most = w->list[*at - 1].weight;
	}
	return most > 0 ? most : 1; /* a phrase of stop words alone is no term */
}

/* 1: added, 0: it was there already (or there is no room), or an error. */
static int add_term(struct widening *w, const struct term *t, float weight)
{
	struct arena *a = w->x->arena;
	const uint64_t *there = map_get(w->places, t->stem, strlen(t->stem));

	if (there) {
		struct term *old = &w->list[*there - 1];
		if (*there > w->own && old->weight < weight)
			old->weight = weight;
		return 0;
	}
	if (w->n - w->own == SYNONYM_MAX_TERMS)
		return 0;
	uint64_t *place = map_put(w->places, t->stem, strlen(t->stem), NULL);
	struct term *fresh = &w->list[w->n];
	*fresh = (struct term){ arena_strdup(a, t->word), arena_strdup(a, t->stem), weight };
	if (!place || !fresh->word || !fresh->stem)
		return rules_no_memory(w->x);
	*place = ++w->n;
	return 1;
}

/* Terms are added at the end, so that those of one synonym stand together. */
static int add_synonym(struct widening *w, size_t number)
{
	const struct rule_synonym *y = &w->rules->synonyms[number];
	struct rule_effect *x = w->x;
	size_t from = w->n;
	int rc = 0;

	if (w->used[number])
		return 0;
	w->used[number] = 1;
	for (size_t i = 0; rc >= 0 && i < y->n_terms; i++)
		rc = add_term(w, &y->terms[i], SYNONYM_WEIGHT * weight_of(w, y));
	if (rc < 0 || w->n == from)
		return rc < 0 ? rc : 0;
	if (x->n_added == SYNONYM_MAX_REASONS) { /* the last one speaks for all that follow */
		x->added[x->n_added - 1].n = w->n - (size_t)(x->added[x->n_added - 1].terms - w->list);
		x->added[x->n_added - 1].because = "synonyms of several words of the query";
		return 0;
	}
	struct rule_added *added = &x->added[x->n_added++];
	*added = (struct rule_added){ &w->list[from], w->n - from, arena_strdup(x->arena, y->because) };
	return added->because ? 0 : rules_no_memory(x);
}

static int begins(const struct rule_synonym *y, const struct token *t, size_t n)
{
	for (size_t i = 0; i < y->n_stems; i++)
		if (i == n || strcmp(y->stems[i], t[i].stem) != 0)
			return 0;
	return 1;
}

/* Synonyms whose phrase stands at the first of n tokens. */
static int add_at(struct widening *w, const struct token *t, size_t n)
{
	const uint64_t *first = map_get(w->rules->first, t[0].stem, strlen(t[0].stem));
	int rc = 0;

	for (size_t i = first ? *first : 0; i && rc == 0; i = w->rules->synonyms[i - 1].next)
		if (begins(&w->rules->synonyms[i - 1], t, n))
			rc = add_synonym(w, i - 1);
	return rc;
}

static int widen(struct widening *w, const struct token *tokens, size_t n_tokens)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n_tokens; i++)
		rc = add_at(w, &tokens[i], n_tokens - i);
	for (size_t i = 0; rc == 0 && i < w->own; i++) {
		struct token one = { .word = w->list[i].word, .stem = w->list[i].stem };
		rc = add_at(w, &one, 1);
	}
	return rc;
}

static int add_synonyms(struct rule_effect *x, const struct rules *rules, const struct token *tokens,
			size_t n_tokens)
{
	struct widening w = { .x = x, .rules = rules, .n = x->n_own, .own = x->n_own };
	int rc = 0;

	w.places = map_new();
	w.list = arena_alloc(x->arena, (w.own + SYNONYM_MAX_TERMS) * sizeof(*w.list));
	w.used = arena_alloc(x->arena, rules->n_synonyms + 1);
	if (!w.places || !w.list || !w.used)
		rc = rules_no_memory(x);
	for (size_t i = 0; rc == 0 && i < w.own; i++) {
		uint64_t *at = map_put(w.places, x->terms[i].stem, strlen(x->terms[i].stem), NULL);
		w.list[i] = x->terms[i];
		if (at)
			*at = i + 1;
		else
			rc = rules_no_memory(x);
	}
	if (rc == 0)
		rc = widen(&w, tokens, n_tokens);
	map_free(w.places);
	if (rc == 0 && w.n > w.own) {
		x->terms = w.list;
		x->n_terms = w.n;
	}
	return rc;
}

/* --- pins and hides: which -------------------------------------------------------------------------- */

static int is_hidden(const struct rule_effect *x, const char *id)
{
	return x->hidden && map_get(x->hidden, id, strlen(id));
}

static int is_pinned(const struct rule_effect *x, const char *id)
{
	for (size_t i = 0; i < x->n_placed; i++)
		if (strcmp(x->placed[i].id, id) == 0)
			return 1;
	return 0;
}

static int add_document(struct rule_effect *x, const struct rule_placement *p, const char *id)
{
	if (p->hide)
		return map_put(x->hidden, id, strlen(id), NULL) ? 0 : rules_no_memory(x);
	if (is_hidden(x, id) || is_pinned(x, id) || x->n_placed == PIN_MAX)
		return 0;
	struct rule_placed pin = { .id = arena_strdup(x->arena, id),
				   .name = SEARCH_PIN,
				   .because = arena_strdup(x->arena, p->because) };
	x->placed[x->n_placed++] = pin;
	return pin.id && pin.because ? 0 : rules_no_memory(x);
}

static void free_map(void *m)
{
	map_free(m);
}

/* Hides first: what they take, no pin brings back. */
static int place(struct rule_effect *x, const struct rules *rules, const struct map *stems)
{
	size_t documents = 0;
	char *force = arena_alloc(x->arena, rules->n_placements + 1);
	int rc = 0;

	for (size_t i = 0; force && i < rules->n_placements; i++) {
		force[i] = (char)rule_applies(&rules->placements[i].when, stems, x->q->intent, NULL);
		documents += force[i] ? rules->placements[i].n_documents : 0;
	}
	if (documents == 0)
		return force ? 0 : rules_no_memory(x);
	x->hidden = map_new();
	if (!x->hidden || arena_defer(x->arena, free_map, x->hidden) < 0) {
		map_free(x->hidden);
		x->hidden = NULL;
		return rules_no_memory(x);
	}
	for (int hide = 1; hide >= 0; hide--) {
		for (size_t i = 0; i < rules->n_placements; i++) {
			const struct rule_placement *p = &rules->placements[i];
			for (size_t d = 0; rc == 0 && force[i] && p->hide == hide && d < p->n_documents; d++)
				rc = add_document(x, p, p->documents[d]);
		}
	}
	for (size_t i = 0; i < x->n_placed; i++)
		x->placed[i].contribution = PIN_STEP * (double)(x->n_placed - i);
	return rc;
}

static int add_stem(struct map *stems, const char *stem)
{
	return map_put(stems, stem, strlen(stem), NULL) ? 0 : -1;
}

static int add_placements(struct rule_effect *x, const struct rules *rules, const struct token *tokens,
			  size_t n_tokens)
{
	struct map *stems = map_new();
	int bad = !stems, rc;

	for (size_t i = 0; !bad && i < n_tokens; i++)
		bad = add_stem(stems, tokens[i].stem) < 0;
	for (size_t i = 0; !bad && n_tokens == 0 && i < x->n_own; i++)
		bad = add_stem(stems, x->terms[i].stem) < 0;
	rc = bad ? rules_no_memory(x) : place(x, rules, stems);
	map_free(stems);
	return rc;
}

/* How many documents are useful is not for a bot: it would count cases. */
static void add_useful(struct rule_effect *x)
{
	for (size_t i = 0; i < x->q->n_useful; i++) {
		const struct search_useful *u = &x->q->useful[i];
		if (!is_hidden(x, u->id))
			x->placed[x->n_placed++] = (struct rule_placed){
				.id = u->id,
				.name = "usefulness",
				.because = x->bot ? "helped with cases like this" : u->because,
				.contribution = u->contribution,
			};
	}
}

static int apply(struct rule_effect *x, const struct rules *rules)
{
	const struct token *tokens = NULL;
	struct text text = said(x->q);
	/* The words of a `match` alone are not what somebody asked. */
	int asked = text.s || x->q->n_terms, rc = 0;
	size_t n = x->n_own;

	if (!asked)
		x->n_own = 0;
	long n_tokens = text.s ? analyse_text(x->arena, text.s, text.n, &tokens) : 0;
	if (n_tokens < 0)
		rc = rules_no_memory(x);
	if (rc == 0 && rules->n_synonyms && asked && !x->q->no_words)
		rc = add_synonyms(x, rules, tokens, (size_t)n_tokens);
	if (rc == 0 && rules->n_placements)
		rc = add_placements(x, rules, tokens, (size_t)n_tokens);
	x->n_own = n;
	return rc;
}

int rules_apply(struct rule_effect *x, const struct term *terms, size_t n)
{
	const struct rules *rules;
	int rc = rules_take(x->engine, &rules, x->err);

	x->terms = terms;
	x->n_terms = x->n_own = n;
	if (rc < 0 || (!rules && !x->q->n_useful))
		return rc;
	x->placed = arena_alloc(x->arena, (PIN_MAX + x->q->n_useful) * sizeof(*x->placed));
	if (!x->placed)
		rc = rules_no_memory(x);
	if (rc == 0 && rules)
		rc = apply(x, rules);
	if (rules)
		rules_give(x->engine, rules);
	if (rc == 0)
		add_useful(x);
	return rc;
}

int rules_hide(const struct rule_effect *x, enum collection kind, const char *id)
{
	return kind == COLLECTION_DOCUMENT && is_hidden(x, id);
}

/* --- pins: into the list ------------------------------------------------------------------------------ */

/*
 * Is it among what `match` allows? The index does not say it of one document,
 * so it is looked for by its own title and first vector, which few others beat.
 */
static int matches(struct rule_effect *x, const struct record *r, int *out)
{
	const char *title = json_string_value(json_object_get(r->body, "title"));
	struct text text = { title, title ? strlen(title) : 0 };
	struct index_query iq = { .collection = COLLECTION_DOCUMENT,
				  .match = x->q->match,
				  .filter = x->q->filter,
				  .k = LOOKED_FOR };
	struct index_result found;
	struct entry_row *rows;
	struct record *records;
	size_t n_rows;
	int rc = engine_rows(x->engine, RECORD_DOCUMENT, r->id, x->arena, &rows, &n_rows, x->err);

	if (rc < 0)
		return rc;
	if (text.n == 0)
		text = (struct text){ r->text.s ? r->text.s : "",
				      r->text.n < LOOKUP_TEXT ? r->text.n : LOOKUP_TEXT };
	long n = analyse_query(x->arena, text.s, text.n, LOOKUP_TERMS, &iq.terms);
	if (n < 0)
		return rules_no_memory(x);
	iq.n_terms = (size_t)n;
	iq.vector = n_rows ? rows[0].vector : NULL;
	search_set_groups(&iq, x->rights);
	if ((rc = engine_search(x->engine, &iq, x->arena, &found, x->err)) < 0)
		return rc;
	uint64_t *entries = arena_alloc(x->arena, (found.n + 1) * sizeof(*entries));
	if (!entries)
		return rules_no_memory(x);
	for (size_t i = 0; i < found.n; i++)
		entries[i] = found.hits[i].entry;
	rc = engine_load(x->engine, RECORD_DOCUMENT, x->rights, entries, found.n, x->arena, &records, x->err);
	*out = 0;
	for (size_t i = 0; rc == 0 && i < found.n; i++)
		*out |= records[i].id && strcmp(records[i].id, r->id) == 0;
	return rc;
}

static int look_up(struct rule_effect *x, struct rule_placed *p)
{
	struct record *r = &p->record;
	struct error missing;
	int rc = engine_get(x->engine, RECORD_DOCUMENT, p->id, x->arena, r, &missing);

	p->looked_up = 1;
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0) {
		if (x->err)
			*x->err = missing;
		return rc;
	}
	if (x->rights && !rights_see(x->rights, json_object_get(r->body, "acl")))
		return 0;
	if (x->q->match)
		return matches(x, r, &p->allowed);
	p->allowed = search_meets(x->q->filter, r->body);
	return 0;
}

static struct search_hit *find_hit(struct search_hit *live, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(live[i].record.id, id) == 0)
			return &live[i];
	return NULL;
}

int rules_place(struct rule_effect *x, struct search_hit *live, size_t *n)
{
	for (size_t i = 0; i < x->n_placed; i++) {
		struct rule_placed *p = &x->placed[i];
		struct search_hit *h = find_hit(live, *n, p->id);
		int rc = h || p->looked_up ? 0 : look_up(x, p);
		if (rc < 0)
			return rc;
		if (!h && !p->allowed)
			continue;
		if (!h) {
			h = &live[(*n)++];
			*h = (struct search_hit){ .kind = COLLECTION_DOCUMENT,
						  .record = p->record,
						  .raw = { .title = NAN, .whole = NAN, .chunk = NAN } };
		}
		struct search_boost b = { p->name, p->because, p->contribution };
		h->score += b.contribution;
		if (search_boost(x->arena, h, b) < 0)
			return rules_no_memory(x);
	}
	return 0;
}

/* --- synonyms: how much came by them -------------------------------------------------------------------- */

static const char SYNONYM[] = "synonym";

/* BM25 is a sum over terms: what the added ones gave is their score alone, scaled as the words' was. */
static int explain(struct rule_effect *x, const struct rule_added *added, const struct index_result *found,
		   struct search_hit *h)
{
	double whole = h->words;
	size_t i = 0;

	for (size_t b = 0; b < h->n_boosts; b++)
		whole += strcmp(h->boosts[b].name, SYNONYM) == 0 ? h->boosts[b].contribution : 0;
	while (i < found->n && found->hits[i].entry != h->raw.entry)
		i++;
	if (i == found->n || !(found->hits[i].words > 0) || !(h->raw.words > 0))
		return 0;
	double part = (double)found->hits[i].words * whole / h->raw.words;
	part = part < h->words ? part : h->words;
	if (!(part > 0))
		return 0;
	h->words -= part;
	return search_boost(x->arena, h, (struct search_boost){ SYNONYM, added->because, part }) < 0
		       ? rules_no_memory(x)
		       : 0;
}

int rules_explain(struct rule_effect *x, enum collection kind, struct search_hit *hits, size_t n)
{
	for (size_t g = 0; n && g < x->n_added; g++) {
		const struct rule_added *added = &x->added[g];
		struct index_query iq = { .collection = kind,
					  .terms = added->terms,
					  .n_terms = added->n,
					  .match = x->q->match,
					  .filter = x->q->filter,
					  .k = SEARCH_MAX_DEPTH };
		struct index_result found;
		search_set_groups(&iq, x->rights);
		int rc = engine_search(x->engine, &iq, x->arena, &found, x->err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = explain(x, added, &found, &hits[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}
