/*
 * intent.h: which intent a text has, and what to do with it.
 *
 * Intent: the nearest examples vote (votes.h), effective with the very next
 * request, and a model that was learned from all of them has its say
 * (intent_model.h) once there is one. A label that the model does not know has
 * the share that votes give it. An example votes only where its ACL lets it be
 * seen: a label and its confidence tell of the texts behind them. No text of an
 * example is shown.
 *
 * Confidence: of the first label, how likely it is right; the others have what
 * is left in proportion to their shares, so that all add up to 1 at most. A model
 * has fitted it on lessons that it had not seen, by the share and by how much the
 * text looks like those in scope (intent_model.h). Without one it is the share *
 * how likely the text is in scope at all: a logistic curve over the nearest
 * example's cosine (without vectors: over the Dice overlap of words), fitted on
 * banking77 with CLINC150's out-of-scope texts.
 *
 * Any thread; memory is the arena's.
 *
 * Decision: a plain rule whose reason is said in words; see decide().
 */
#ifndef READBACK_LEARN_INTENT_H
#define READBACK_LEARN_INTENT_H

#include "engine/engine.h"
#include "learn/intent_model.h"

#define INTENT_CANDIDATES 5

struct intent_candidate {
	const char *label;
	double confidence;
};

struct intent {
	struct intent_candidate candidates[INTENT_CANDIDATES]; /* best first */
	size_t n;                                              /* 0: nothing to go by */
	double top_similarity; /* cosine of the nearest example; 0 without vectors */
	double out_of_scope;   /* 0 … 1 */
	double in_all;         /* confidence of all labels together, also of those that are not listed */
	double agreement; /* share of the opinions (votes, and of the model each regression) whose first it is */
	size_t examples; /* that voted */
	/*
	 * The first candidate rests on vouched-for history, or on examples of at
	 * least two keys, two agents and two customers: one key under many names is
	 * one. Contested examples do not count. Without it a conversation is not
	 * answered on its strength.
	 */
	int backed;
	/*
	 * Of intent_query.about: the share of it and of all labels that have no more,
	 * which is how often a right label is as unlikely; negative where the model does not know the label, or there is no model, or it has
	 * learned from too few to be asked.
	 */
	double doubt;
};

struct intent_query {
	const float *vector; /* unit length; NULL without embedder */
	const struct term *terms;
	size_t n_terms;
	struct text text; /* for the model */
	const struct intent_model
		*model;    /* NULL: none yet. Not asked where it wants a vector and there is none */
	const char *about; /* a label that somebody has given; NULL: none */
	const char *own;   /* of examples whose ids begin so no doubt is taken; NULL: of all */
};

/* A label that is right is as unlikely in one of a hundred cases: then it is contested; learning.md. */
#define INTENT_CONTESTED .01
#define INTENT_LEAST_TO_DOUBT 250 /* lessons of the model */

/* `r`: under whose rights examples vote; NULL (all of them) for measurements only. */
int intent_predict(struct engine *g, const struct intent_query *q, const struct rights *r, struct arena *a,
		   struct intent *out, struct error *e);

struct sentiment {
	const char *label; /* "negative", "neutral", "positive" */
	double score;      /* -1 … 1 */
};
/* By a small word list with negation; of the text given (customer turns). */
struct sentiment sentiment_of(struct arena *a, const char *s, size_t n);

struct answering;
struct risk_model;

/* What the rule looks at. */
struct situation {
	const struct intent *intent; /* NULL: not known, which is for risk.h alone */
	struct sentiment sentiment;
	size_t customer_turns, bot_turns;
	int asks_for_human;   /* asks_for_human() of the last customer turn */
	int repeats_himself;  /* the last customer turn says an earlier one again */
	int bot_repeated;     /* the last two bot turns are the same */
	double best_document; /* cosine of the best suggestion; 0 if none, or without vectors */
	int earlier_handoffs;
	int promises_open; /* something was promised, and the customer has not said that he has it */
	const struct risk_model *risk;       /* NULL: the rule (risk.h) */
	const struct answering *answering;   /* NULL: nothing is known of how predictions came out */
	const char *policy, *policy_because; /* what a policy decides; NULL: none applies */
};

struct decision {
	const char *decision; /* "answer", "clarify", "escalate" */
	const char *because;  /* one sentence */
	double escalation_risk;
	/*
	 * To clarify: the first so many candidates, of which the customer is asked which
	 * is meant: the fewest that have DECISION_COVERAGE of the confidence of all labels together
	 * (an adaptive prediction set: Romano, Sesia and Candès 2020, arXiv
	 * 2006.02544). 0: they would be too many to ask about, or there is no question.
	 */
	size_t n_ask;
	int unsure; /* to clarify, although there is an intent in scope to go by */
};

#define DECISION_COVERAGE .95
#define DECISION_MOST_ASKED 4

/* Says the text that a person is wanted? 1 or 0; also 0 without memory. */
int asks_for_human(struct arena *a, const char *s, size_t n);

/* ERR_NO_MEMORY is all that can go wrong. */
int decide(struct arena *a, const struct situation *s, struct decision *out);

#endif
