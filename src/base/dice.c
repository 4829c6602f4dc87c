#include "base/dice.h"

uint64_t dice_next(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

size_t dice_below(struct dice *d, size_t n)
{
	return (size_t)(dice_next(d) % n); /* the bias of 2^64 mod n is below what any figure shows */
}

void dice_shuffle(struct dice *d, size_t *items, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = dice_below(d, i), kept = items[i - 1];
		items[i - 1] = items[k];
		items[k] = kept;
	}
}
