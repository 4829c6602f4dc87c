/*
 * audit.h: a random share of what the bot would answer is looked at by a person,
 * for nobody else looks at it: audit samples of the review queue.
 */
#ifndef READBACK_DESK_AUDIT_H
#define READBACK_DESK_AUDIT_H

#include "desk/conversation.h"

#define AUDIT_SHARE .02 /* unless the operator says otherwise */

/*
 * Adds a review, "c-1/audit", to the changes when the conversation ends with a
 * customer's turn, would be answered and is among those drawn: by a keyed hash of its id,
 * so that nobody can choose. At most one a conversation. Body: desk/bodies.h;
 * "propensity" is the share, the weight of the outcome its inverse.
 */
int audit_draw(struct desk *d, const struct call *c, const struct conversation *v, struct changes *cs);

#endif
