/*
 * draw.h: chance that is the same for the same conversation, and that nobody can
 * choose: a keyed hash of its id. Any thread.
 */
#ifndef READBACK_DESK_DRAW_H
#define READBACK_DESK_DRAW_H

#include "desk/desk.h"
#include "learn/learner.h"

/* Uniform in [0, 1). `what` it is drawn for: draws for different things are independent. */
double draw(const struct desk *d, const char *what, const char *conversation);

/* learner_take(); in a conversation that is drawn for it, with the candidate in the place of the intent model. */
void draw_learned(struct desk *d, const char *conversation, struct learned *out);

#endif
