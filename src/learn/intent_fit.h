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
	/* Numbers of lessons: to try the trial on; all others; and of these those that it is trained with. */
	size_t *held, *others, *taught;
	size_t n_held, n_others, n_taught;
	struct linear *by_vector, *by_ngrams; /* of the trial */
};

/* Chooses m->blend and m->scope by the lessons held out; both are set to fixed values where there are too few. */
int intent_calibrate(struct fit *f, struct intent_model *m, struct error *e);

#endif
