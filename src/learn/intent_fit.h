/* intent_fit.h: the steps of training an intent model. Internal to learn/. */
#ifndef READBACK_LEARN_INTENT_FIT_H
#define READBACK_LEARN_INTENT_FIT_H

#include "learn/intent_model_internal.h"

struct fit {
	const struct lessons *lessons;
	const struct intent_training *o;
	struct arena *arena;      /* lives as long as the fit */
	struct linear_row *grams; /* [lessons] features by n-grams */
	uint64_t *hashes;         /* [lessons] of the texts */
	size_t *taught, *held;    /* numbers of lessons: to train the trial with, and to try it on */
	size_t n_taught, n_held;
	struct linear *by_vector, *by_ngrams; /* of the trial */
};

/* Chooses m->blend and m->scope by the lessons held out; both are set to fixed values where there are too few. */
int intent_calibrate(struct fit *f, struct intent_model *m, struct error *e);

#endif
