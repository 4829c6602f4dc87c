/*
 * bag.h: the words of a record as a bag: distinct stems with their counts, the
 * form in which they are indexed.
 *
 * Stop words are in it: they are dropped from queries, not from texts, so that
 * "on hold" and phrases of nothing but stop words are found.
 */
#ifndef READBACK_TEXT_BAG_H
#define READBACK_TEXT_BAG_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct arena;

/* How often a word of the title counts: as so many words of the text. */
#define BAG_TITLE_WEIGHT 1

struct bag_term {
	const char *s; /* the stem */
	size_t n;
	uint32_t tf;
};

struct bag {
	const struct bag_term *terms; /* distinct, sorted by bytes */
	size_t n;
	uint32_t length; /* sum of tf */
};

/* Any thread; everything is the arena's. -1: no memory. */
int bag_of_texts(struct arena *a, struct text title, struct text text, struct bag *out);

#endif
