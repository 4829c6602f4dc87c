/* told.h: what of a file of predictions did not fit the dataset: how many, and the first few by name. */
#ifndef READBACK_DATASETS_TOLD_H
#define READBACK_DATASETS_TOLD_H

#include <stddef.h>

#define TOLD_NAMES 5

struct told_names {
	size_t n;
	const char *names[TOLD_NAMES]; /* borrowed; the first n of them */
};

struct told {
	struct told_names missing; /* in the dataset, not predicted: counts as wrong */
	struct told_names unknown; /* predicted, not in the dataset: does not count */
};

static inline void told_add(struct told_names *t, const char *name)
{
	if (t->n < TOLD_NAMES)
		t->names[t->n] = name;
	t->n++;
}

#endif
