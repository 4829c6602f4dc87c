/*
 * predict.h: what a conversation is about and what to do next: intent,
 * decision, risk of escalation, and documents that may help.
 */
#ifndef READBACK_DESK_PREDICT_H
#define READBACK_DESK_PREDICT_H

#include "desk/conversation.h"
#include "learn/answering.h"
#include "learn/intent.h"

#define PREDICT_K 3 /* suggestions unless the caller says otherwise */

/* The prediction of API.md (new reference), as after the conversation's last turn. `k`: how many suggestions; 0: none. */
int predict_conversation(struct desk *d, const struct call *c, const struct conversation *v, size_t k,
			 json_t **out);

/* The intent alone, under the rights of whoever will see it, for packages that leave it out. */
int predict_intent(struct desk *d, const struct call *c, const struct conversation *v, const struct rights *r,
		   struct intent *out);

struct desk_query;
struct learned;

/* The same of a query that was made of a conversation, with what has been taken of what is learned. */
int intent_of_query(struct desk *d, const struct call *c, const struct desk_query *q, const struct rights *r,
		    const struct learned *learned, struct intent *out);

/* A prediction as those look at it who draw samples for review. */
struct predicted {
	const char *label; /* the first; NULL: nothing to go by */
	struct seen seen;  /* of a label */
	int answered;      /* it would be answered as that */
	int unsure;        /* it would be clarified, although there is an intent to go by: struct decision */
};
int predict_sample(struct desk *d, const struct call *c, const struct conversation *v, struct predicted *out);

/* Sentiment of the last few customer turns. */
struct sentiment predict_sentiment(struct arena *a, const struct conversation *v);

#endif
