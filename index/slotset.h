/*
 * slotset.h: a set of entry slots: one number while it holds one, else a
 * roaring bitmap (Chambi, Lemire et al. 2016). Keys whose values are all
 * different (order numbers, customers) have one slot a value.
 *
 * A plain value: zero it to start. Not shared between threads without a lock.
 */
#ifndef READBACK_INDEX_SLOTSET_H
#define READBACK_INDEX_SLOTSET_H

#include <roaring/roaring.h>
#include <stddef.h>
#include <stdint.h>

struct slotset {
	uint32_t n, one;        /* `one` is the member while `many` is NULL and n is 1 */
	roaring_bitmap_t *many; /* owned */
};

void slotset_release(struct slotset *s);
int slotset_add(struct slotset *s, uint32_t slot); /* 1: it is new, 0: it was there, -1: no memory */
void slotset_remove(struct slotset *s, uint32_t slot);
void slotset_into(const struct slotset *s, roaring_bitmap_t *to);           /* adds all members to `to` */
int slotset_meets(const struct slotset *s, const roaring_bitmap_t *others); /* 1: they share a member */
size_t slotset_bytes(const struct slotset *s);

/* For locals: frees the bitmap at the end of the scope. */
#define ROARING_AUTO __attribute__((cleanup(roaring_release))) roaring_bitmap_t
void roaring_release(roaring_bitmap_t **r);

#endif
