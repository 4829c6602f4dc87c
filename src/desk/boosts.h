/*
 * boosts.h: what a conversation is about, as boosts of a search on its behalf:
 * documents that helped with that intent, and cases that had it; and how much
 * words count in a search of documents alone, where that is learned (fusion.h).
 */
#ifndef READBACK_DESK_BOOSTS_H
#define READBACK_DESK_BOOSTS_H

#include "engine/search.h"
#include "learn/intent.h"
#include "learn/learner.h"

/*
 * A document's boost is BOOST_USEFUL times the share that usefulness.h expects;
 * a case's is BOOST_INTENT times the root of its intent's confidence. Chosen on
 * the first 700 chats of ABCD's validation set: docs/learning.md.
 */
#define BOOST_USEFUL .25
#define BOOST_INTENT 1.0

/* Sets useful and labels of `r`, and its weights where they are 0; what they point to is the arena's. -1 without memory. */
int boosts_set(struct arena *a, const struct learned *learned, const struct intent *in,
	       struct search_request *r);

#endif
