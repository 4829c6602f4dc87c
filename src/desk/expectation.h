/* expectation.h: what would have been predicted of a conversation, just before it is learned how it ended. */
#ifndef READBACK_DESK_EXPECTATION_H
#define READBACK_DESK_EXPECTATION_H

#include "desk/case.h"

struct expectation {
	/*
	 * {"right","seen":{…},"shadow"?:{"model","right"},"documents"?}: whether the intent predicted
	 * from an opening is the label that it got, and what was seen of the prediction
	 * (learn/answering.h); the same of a candidate in shadow (learn/shadow.h);
	 * where the documents that resolved it stood (learn/fusion.h).
	 * The arena's. NULL: there was nothing to predict from.
	 */
	json_t *told;
	/* The label goes against all that was learned: INTENT_CONTESTED. */
	int contested;
	double doubt; /* then: struct intent */
};

/* `own`: what the ids of the conversation's own examples begin with; `documents`: that were used; n 0: nobody asks. */
int expectation_make(struct desk *d, struct arena *a, struct text opening, const float *vector,
		     struct text label, const char *own, const struct case_document *documents,
		     size_t n_documents, struct expectation *out, struct error *e);

#endif
