/*
 * learned.h: the kinds of what is learned, and what can be done with one of
 * any kind. Internal to learn/.
 */
#ifndef READBACK_LEARN_LEARNED_H
#define READBACK_LEARN_LEARNED_H

#include "learn/learner.h"
#include "learn/packed.h"

struct learned_type {
	const char *name; /* "intent": also the type of its records */
	char letter;      /* what versions begin with */
	void (*free)(void *model);
	int (*pack)(const void *model, struct arena *a, struct packed *out); /* -1 without memory */
	int (*unpack)(const struct packed *p, void **out, struct error *e);
	size_t (*dim)(const void *model); /* of the vectors that it takes; NULL, or 0: none */
};

extern const struct learned_type learned_types[LEARNED_KINDS];

#endif
