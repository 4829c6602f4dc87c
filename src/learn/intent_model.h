/*
 * intent_model.h: what is learned of intents beyond the nearest examples: two
 * logistic regressions, one on the vector and one on hashed n-grams, how to
 * blend them with the votes of the nearest examples, how sure to be of the
 * blend, and what a text in scope looks like.
 *
 * Blend and temperature are chosen, and the scores in scope taken, on a fifth
 * of the examples (by hash of the text, so that the same text is on one side)
 * that models trained for the purpose have not seen; then all is trained again
 * on everything. Methods and figures: docs/learning.md.
 *
 * The same lessons and seed give the same bytes on the same instruction set.
 * A model is never changed: any thread may ask it.
 */
#ifndef READBACK_LEARN_INTENT_MODEL_H
#define READBACK_LEARN_INTENT_MODEL_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct arena;
struct intent_model;
struct packed;

/* An example to learn from. */
struct lesson {
	struct text text;
	const float *vector; /* [dim], unit length; NULL: none, and then no lesson has one */
	uint32_t label;      /* below n_labels */
	float weight;        /* 1: counts once */
	uint64_t seq;        /* of the event that it came with */
};

struct lessons {
	const char *const *labels; /* sorted, distinct */
	size_t n_labels;
	const struct lesson *list;
	size_t n, dim; /* dim 0: without vectors */
};

#define INTENT_LEAST_LESSONS 20
#define INTENT_MOST_LABELS 4096

struct intent_training {
	uint64_t seed;
	uint64_t before;          /* mark of the model that is in force; 0: none */
	const volatile int *stop; /* may be NULL */
};

/* What trial models got right of lessons that they had not seen. */
struct intent_held {
	size_t n;
	double accuracy;
};

/* Of all lessons held out; and of those that were there at `before`, which its own trial had not seen either. */
struct intent_held intent_model_held(const struct intent_model *m);
struct intent_held intent_model_held_before(const struct intent_model *m);

/*
 * Is a new model worse than the one in force, at 99 %, on the lessons that both
 * have held out? By the normal approximation to two shares; with fewer than 30
 * lessons nothing is.
 */
int intent_model_is_worse(const struct intent_model *now, const struct intent_model *fresh);

/*
 * ERR_NOT_READY, and the message says what is missing: fewer than two labels
 * or than INTENT_LEAST_LESSONS lessons. ERR_TOO_LARGE: too many labels.
 */
int intent_model_train(const struct lessons *l, const struct intent_training *o, struct intent_model **out,
		       struct error *e);
void intent_model_free(struct intent_model *m); /* NULL is fine */

size_t intent_model_dim(const struct intent_model *m); /* 0: it takes no vectors */
size_t intent_model_labels(const struct intent_model *m);
size_t intent_model_lessons(const struct intent_model *m); /* that it was trained on */
const char *intent_model_label(const struct intent_model *m, size_t i);
long intent_model_find(const struct intent_model *m, const char *label); /* -1: it does not know it */

/* Votes of the nearest examples, as they stand in intent.h. */
struct intent_votes {
	const float *share; /* [labels of the model], sums to 1 - unknown */
	double unknown;     /* share of labels that the model does not know */
	double top;         /* cosine of the nearest example; 0 without vectors */
};

struct intent_opinion {
	float *p; /* [labels], sums to 1 - unknown; the arena's */
	size_t by_vector,
		by_ngrams; /* the label that each regression puts first; by_vector SIZE_MAX without vectors */
	double out_of_scope; /* .5 where one in twenty texts in scope is rejected; meaningless without vectors */
	double scope_score; /* what that is made of: higher is more like texts in scope */
};

/* `vector` is NULL for a model without vectors, and only then. -1 without memory. */
int intent_model_ask(const struct intent_model *m, struct arena *a, const float *vector, struct text text,
		     const struct intent_votes *votes, struct intent_opinion *out);

/*
 * How likely the first label is right that has this share: logistic regression
 * over the share's log-odds and the score of the scope, fitted on the lessons
 * held out (Platt 1999). Where those were too few: share * (1 - out_of_scope).
 * Of a model with vectors.
 */
double intent_model_confidence(const struct intent_model *m, double share, const struct intent_opinion *said);

/* As the bytes of a file (packed.h), which may point into the model. -1 without memory. */
int intent_model_pack(const struct intent_model *m, struct arena *a, struct packed *out);
/* ERR_CORRUPT for what intent_model_pack() did not make. */
int intent_model_unpack(const struct packed *p, struct intent_model **out, struct error *e);

/* How it was chosen, for the list of models: {"lessons","labels","features","blend","temperature","holdout":{…}}. */
json_t *intent_model_facts(const struct intent_model *m);

#endif
