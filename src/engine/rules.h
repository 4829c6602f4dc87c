/*
 * rules.h: a knowledge manager's rules for searches and for decisions, as data
 * (RECORD_RULE), and made ready for use.
 *
 * Bodies of rules:
 *
 *   {"type":"synonym","from":"wifi","to":["wireless"]}       one way
 *   {"type":"synonyms","words":["sofa","couch"]}             each finds the others
 *   {"type":"pin|hide","documents":["help-12"],"when":{"query":"…"} | {"intent":"…"}}
 *   {"type":"policy","decision":"escalate|clarify","when":{"query":"…"} | {"intent":"…"} | {"customer":"…"},"because"?:"…"}
 *
 * All rules of a tenant change in one stream, RULES_STREAM, so that one revision
 * tells whether any has changed; a rule's own revision is the stream's when it
 * was put, and no two rules have the same.
 *
 * A ready set is immutable, counted, and kept beside the engine until the
 * stream moves. Any thread. Without rules a search costs one look at the
 * stream's revision.
 */
#ifndef READBACK_ENGINE_RULES_H
#define READBACK_ENGINE_RULES_H

#include "engine/engine.h"

#define RULES_STREAM "rules"
#define RULES_MAX 1000        /* of a tenant */
#define RULE_MAX_WORDS 32     /* words or phrases of one rule */
#define RULE_MAX_PHRASE 200   /* bytes of one */
#define RULE_MAX_DOCUMENTS 32 /* of one pin or hide */
#define RULE_MAX_QUERY 1000   /* bytes */
#define RULE_MAX_INTENT 200   /* bytes */
#define RULE_MAX_BECAUSE 500  /* bytes */

/* A word or phrase, and the terms that it also finds. */
struct rule_synonym {
	const char *const *stems; /* of the phrase, in order; at least one */
	size_t n_stems;
	const struct term *terms; /* distinct; weight 1 */
	size_t n_terms;
	const char *because; /* "\"wifi\" also finds \"wireless\"" */
	size_t next;         /* number + 1 of the next one that begins with the same stem; 0: none */
};

/* One of the three. */
struct rule_condition {
	const char *const *stems; /* all of them must be in the query; distinct */
	size_t n_stems;
	const char *intent, *customer;
};

/* Documents that are put first, or left out, for a query or for an intent. */
struct rule_placement {
	int hide; /* else a pin */
	struct rule_condition when;
	const char *const *documents;
	size_t n_documents;
	const char *because; /* "pinned for \"reset password\"" */
};

/* What is decided whatever is predicted. */
struct rule_policy {
	struct rule_condition when;
	const char *decision, *because;
};

/* In the order in which the rules were made. */
struct rules {
	struct arena *arena;
	unsigned holders; /* guarded by the cache's lock */
	int64_t revision;
	struct rule_synonym *synonyms;
	size_t n_synonyms;
	struct map *first; /* stem to number + 1 of the first synonym that begins with it */
	struct rule_placement *placements;
	size_t n_placements;
	struct rule_policy *policies;
	size_t n_policies;
};

struct map;

/* `stems` are the keys that the query has. `intent` and `customer`: NULL, not known. */
int rule_applies(const struct rule_condition *w, const struct map *stems, const char *intent,
		 const char *customer);

struct rules_cache;

struct rules_cache *rules_cache_new(void); /* NULL without memory */
void rules_cache_free(struct rules_cache *c);

/* The rules in force, to be given back; *out is NULL when there is none. */
int rules_take(struct engine *g, const struct rules **out, struct error *e);
void rules_give(struct engine *g, const struct rules *r); /* NULL is fine */

/* What a conversation is looked at by. */
struct policy_case {
	struct text said; /* by the customer, last */
	const char *intent, *customer;
};

/* The first policy that applies; *decision NULL: none. Both strings are the arena's. */
int policy_find(struct engine *g, struct arena *a, const struct policy_case *x, const char **decision,
		const char **because, struct error *e);

/* The cache that an engine owns (engine.c). */
struct rules_cache *engine_rules(struct engine *g);

#endif
