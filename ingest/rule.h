/* rule.h: a rule on its way in. Internal to ingest/. */
#ifndef READBACK_INGEST_RULE_H
#define READBACK_INGEST_RULE_H

#include "desk/bodies.h"
#include "ingest/ingest.h"

struct rule {
	const char *id;
	json_t *body; /* as it is stored; the arena's */
};

/*
 * Reads a body, `id` as for rule_act(). ERR_BAD_ID, ERR_TOO_LARGE, ERR_BAD_VALUE (a phrase without a word, no or both
 * conditions), and what readers report.
 */
int rule_read(const struct call *c, const char *id, json_t *body, struct rule *out);

/* Made, changed or left as it is, in a loop until no other event is in between. */
int rule_put(struct desk *d, const struct call *c, const struct rule *x, enum put_status *status,
	     json_t **result);

#endif
