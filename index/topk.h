/*
 * topk.h: the k best of a stream of scored entries.
 *
 * Ties go to the smaller number, so that the same entries give the same answer
 * in whatever order they come. A binary heap with the worst on top: a push
 * costs O(log k), and O(1) for what cannot enter.
 *
 * One per search, one thread. All memory is the arena's.
 */
#ifndef READBACK_INDEX_TOPK_H
#define READBACK_INDEX_TOPK_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct topk;

struct scored {
	uint64_t id;
	uint32_t slot; /* the caller's; does not matter for the order */
	float score;   /* higher is better; never NaN */
};

/* A collector of the best `k` >= 1. Its memory grows with what is held, not with `k`. NULL without memory. */
struct topk *topk_new(struct arena *arena, size_t k);

/* -1: no memory. */
int topk_push(struct topk *t, struct scored s);

/* What must be beaten to enter: -INFINITY until k are held. */
float topk_threshold(const struct topk *t);
size_t topk_count(const struct topk *t);

/* Ends the collection and hands out what is held, best first; it lives as long as the arena. Returns how many. */
size_t topk_finish(struct topk *t, const struct scored **out);

#endif
