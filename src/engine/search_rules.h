/*
 * search_rules.h: what a knowledge manager's rules, and what was learned, do to
 * one search. Internal to search*.c.
 *
 *	rules_apply     before candidates are asked for: terms that synonyms add, which documents are pinned, which hidden
 *	rules_hide      for each candidate
 *	rules_place     once candidates are loaded: pinned and useful ones are boosted, and fetched where no source found them
 *	rules_explain   for the hits that are shown: how much of the words' score came by synonyms
 *
 * Synonyms are of words: a term that is added has SYNONYM_WEIGHT times the
 * weight of the word that it stands for, counts once however many rules add
 * it, never if it is in the query itself, and brings no further synonyms. A
 * text with both words has the score of both.
 *
 * A rule with a query is in force when the query has all of the rule's words,
 * synonyms aside; one with an intent when the search has that intent. What is
 * both pinned and hidden is hidden. A pinned document obeys ACL, filter and
 * `match`. Contributions of pins are multiples of PIN_STEP, which is more than
 * all else can give, so that they come first, in the order of rules and lists,
 * and order by score holds.
 *
 * A useful document (search.h) is placed in the same way, with the contribution
 * that the request gives it.
 */
#ifndef READBACK_ENGINE_SEARCH_RULES_H
#define READBACK_ENGINE_SEARCH_RULES_H

#include "engine/search.h"

#define SYNONYM_WEIGHT .6f
#define SYNONYM_MAX_TERMS 64 /* added to one query */
#define SYNONYM_MAX_REASONS 8
#define PIN_STEP 4.0
#define PIN_MAX 100 /* of one search */

/* The terms that one word or phrase of the query brought. */
struct rule_added {
	const struct term *terms;
	size_t n;
	const char *because;
};

struct rule_placed {
	const char *id, *name, *because; /* name of the boost */
	double contribution;
	int looked_up, allowed; /* when no source found it */
	struct record record;
};

/* Set the first six, then call rules_apply(). What it fills in is the arena's. */
struct rule_effect {
	struct engine *engine;
	const struct rights *rights; /* NULL: sees all */
	const struct search_request *q;
	struct arena *arena;
	struct error *err;
	int bot;                  /* a caller of scope bot and no more */
	const struct term *terms; /* of the query, and behind them those that were added */
	size_t n_terms, n_own;
	struct rule_added added[SYNONYM_MAX_REASONS];
	size_t n_added;
	struct rule_placed *placed; /* pins, then useful documents */
	size_t n_placed;
	struct map *hidden; /* ids; NULL: none */
};

/* `terms` are the query's. */
int rules_apply(struct rule_effect *x, const struct term *terms, size_t n);

int rules_hide(const struct rule_effect *x, enum collection kind, const char *id);

/* live[*n] has room for n_placed more. */
int rules_place(struct rule_effect *x, struct search_hit *live, size_t *n);

int rules_explain(struct rule_effect *x, enum collection kind, struct search_hit *hits, size_t n);

/* Groups of a query from rights (NULL: all). */
void search_set_groups(struct index_query *q, const struct rights *r);

#endif
