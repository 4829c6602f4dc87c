/*
 * dice.h: chance that can be repeated: a seeded generator (splitmix64, Steele,
 * Lea and Flood 2014). The same seed, the same numbers on every machine. One
 * thread at a time for each.
 */
#ifndef READBACK_BASE_DICE_H
#define READBACK_BASE_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};
uint64_t dice_next(struct dice *d);
size_t dice_below(struct dice *d, size_t n); /* n >= 1 */
/* Fisher-Yates over n indices. */
void dice_shuffle(struct dice *d, size_t *items, size_t n);

#endif
