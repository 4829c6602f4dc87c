/*
 * audit.h: random samples for the review queue. Of what the bot would answer a
 * share is looked at by a person, for nobody else looks at it; and of what it is
 * unsure of, for a label teaches most there (uncertainty sampling: Lewis and Gale
 * 1994).
 */
#ifndef READBACK_DESK_AUDIT_H
#define READBACK_DESK_AUDIT_H

#include "desk/conversation.h"

#define AUDIT_SHARE .02 /* unless the operator says otherwise */

/*
 * Adds a review to the changes when the conversation ends with a customer's turn
 * and is among those drawn, by a keyed hash of its id, so that nobody can choose:
 *
 *   "c-1/audit"    it would be answered. What is decided is an outcome, whose
 *                  weight is the inverse of its "propensity", the share
 *   "c-1/review"   it would be clarified although there is an intent to go by, and
 *                  nobody has labelled it or is to look at it; reason "low_confidence"
 *
 * Each is drawn by itself, and at most once a conversation. Body: desk/bodies.h.
 */
int audit_draw(struct desk *d, const struct call *c, const struct conversation *v, struct changes *cs);

#endif
