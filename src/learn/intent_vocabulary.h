/* intent_vocabulary.h: which n-grams of the lessons a model looks at. Internal to learn/. */
#ifndef READBACK_LEARN_INTENT_VOCABULARY_H
#define READBACK_LEARN_INTENT_VOCABULARY_H

#include "learn/intent_model_internal.h"

/* At most so many. *out's parts are malloc'ed. -1 without memory. */
int intent_vocabulary_of(const struct lessons *l, size_t most, struct vocabulary *out);

#endif
