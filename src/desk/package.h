/*
 * package.h: what the bot passes on, and what readback infers where the bot
 * said nothing.
 *
 * Each field of a package is {"value","origin":"bot"|"inferred","confidence"?}.
 * Inferring is extractive and simple: sentences of turns by their form. It
 * would rather miss than invent, and says how sure it is.
 */
#ifndef READBACK_DESK_PACKAGE_H
#define READBACK_DESK_PACKAGE_H

#include "desk/conversation.h"

#define PACKAGE_MAX_LIST 100
#define PACKAGE_MAX_TEXT 4096

/* Asks `r` for the fields of POST /v1/handoffs that make the package. NULL if the reader has failed. The arena's. */
json_t *package_read(const struct call *c, struct reader *r);

/* Adds what `package` lacks, from the conversation. */
int package_fill(struct desk *d, const struct call *c, const struct conversation *v, json_t *package);

/* The "value" of a field, NULL where there is none. */
json_t *package_value(const json_t *package, const char *field);
int package_inferred(const json_t *package, const char *field);
double package_confidence(const json_t *package, const char *field); /* 1 where none is said */

/* Sets a field; takes `value`. `confidence` below 0: none. -1 without memory. */
int package_set(json_t *package, const char *field, json_t *value, const char *origin, double confidence);

/* package_infer.c: lists and objects from turns (new references; NULL without memory). */
json_t *infer_steps(struct arena *a, const struct conversation *v);
json_t *infer_promises(struct arena *a, const struct conversation *v);
/* Has the service promised something since the customer last said that he has what he waited for? 1, 0; -1: no memory. */
int infer_promise_open(struct arena *a, const struct conversation *v);
json_t *infer_unresolved(struct arena *a, const struct conversation *v);
json_t *infer_entities(struct arena *a, const struct conversation *v);
/* What the customer wants, in his words: his sentence that says it best; s NULL if he said nothing. */
struct text infer_reason(struct arena *a, const struct conversation *v);

/* One sentence of a turn. */
struct said {
	const struct turn *turn;
	size_t start, end; /* of turn->text */
	struct text text;
};
/* The sentences of turns of a role, at most `max`, of the last turns if there are more. -1: no memory. */
long sentences_said(struct arena *a, const struct conversation *v, const char *role, size_t max,
		    const struct said **out);

#endif
