/* intent_model_internal.h: the parts of an intent model. Internal to learn/intent_model*.c. */
#ifndef READBACK_LEARN_INTENT_MODEL_INTERNAL_H
#define READBACK_LEARN_INTENT_MODEL_INTERNAL_H

#include "learn/intent_model.h"
#include "learn/linear.h"
#include "learn/ngrams.h"
#include "learn/odds.h"

/* n-grams that the model has weights for, by hash; the place is the feature's number. */
struct vocabulary {
	uint32_t *hashes; /* ascending */
	float *idf;
	size_t n;
};

/*
 * PRODUCT: p ~ knn^a · vector^b · ngrams^c; MEAN: a·knn + b·vector + c·ngrams.
 * Then p^(1/temperature), of sum 1.
 */
struct blend {
	enum { BLEND_MEAN, BLEND_PRODUCT } kind;
	double knn, vector, ngrams;
	double temperature;
};

/* z(energy) + z(top similarity), as they are of texts in scope; `reject` is where one in twenty of them is below. */
struct scope {
	double energy_mean, energy_deviation, top_mean, top_deviation;
	double reject, width;
};

/* How likely the first label is right, by its share and the score of the scope. */
enum { SURENESS_SHARE, SURENESS_SCOPE, SURENESS_SEEN };
struct sureness_seen {
	float x[SURENESS_SEEN];
};
struct sureness {
	int fitted; /* 0: there were too few to fit it */
	struct odds odds;
};

struct intent_model {
	char **labels; /* sorted; one block behind the list */
	size_t n_labels, dim, n_lessons;
	struct linear *by_vector; /* NULL without vectors */
	struct linear *by_ngrams;
	struct vocabulary words;
	struct blend blend;
	struct scope scope;
	struct sureness sureness;
	struct intent_held before; /* not kept with the model */
	size_t held_out;
	double held_out_accuracy, held_out_loss, knn_accuracy; /* on the lessons held out; 0 without any */
};

/* The names in one block behind the list; malloc'ed. NULL without memory. */
char **intent_labels(const char *const *names, size_t n);

/* Features of a text; *n of them, the arena's. -1 without memory. */
int intent_features(const struct vocabulary *v, struct arena *a, struct text text, const struct feature **out,
		    size_t *n);

/* Distributions of one text before they are blended: [labels] each. */
struct opinions {
	float *vector, *ngrams; /* vector NULL without vectors */
	double energy;
};
/* By two regressions that may be others than the model's own. -1 without memory. */
int intent_opinions(const struct linear *by_vector, const struct linear *by_ngrams, struct arena *a,
		    const float *vector, const struct feature *features, size_t n, struct opinions *out);

/* ln p, of 1e-6 at least: what is impossible to one opinion is not impossible. */
double intent_log(double p);

/* p[labels] of the blend; `knn` sums to 1, or is NULL when no known label has a vote. */
void intent_blend(const struct blend *b, const float *knn, const struct opinions *o, size_t labels, float *p);

/* The largest of n >= 1; the first of equal ones. */
size_t intent_first(const float *p, size_t n);

double intent_scope_score(const struct scope *s, double energy, double top);
struct sureness_seen sureness_seen_of(double share, double scope_score);
/* .5 at s->reject. */
double intent_out_of_scope(const struct scope *s, double score);

#endif
