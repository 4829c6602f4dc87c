/* expectation.h: what would have been predicted of a conversation, just before it is learned how it ended. */
#ifndef READBACK_DESK_EXPECTATION_H
#define READBACK_DESK_EXPECTATION_H

#include "desk/conversation.h"

/*
 * {"right","seen":{…}}: whether the intent predicted from an opening is `label`,
 * and what was seen of the prediction (learn/answering.h). The arena's. *out
 * NULL: there was nothing to predict from.
 */
int expectation_make(struct desk *d, struct arena *a, struct text opening, const float *vector,
		     struct text label, json_t **out, struct error *e);

#endif
