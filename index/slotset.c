#include "index/slotset.h"

void roaring_release(roaring_bitmap_t **r)
{
	if (*r)
		roaring_bitmap_free(*r);
}

void slotset_release(struct slotset *s)
{
	roaring_release(&s->many);
	*s = (struct slotset){ 0 };
}

int slotset_add(struct slotset *s, uint32_t slot)
{
	if (s->n == 0 && !s->many) {
		s->one = slot;
		s->n = 1;
		return 1;
	}
	if (!s->many) {
		if (s->one == slot)
			return 0;
		s->many = roaring_bitmap_create();
		if (!s->many)
			return -1;
		roaring_bitmap_add(s->many, s->one);
	}
	if (!roaring_bitmap_add_checked(s->many, slot))
		return 0;
	s->n++;
	return 1;
}

void slotset_remove(struct slotset *s, uint32_t slot)
{
	if (s->many)
		s->n -= roaring_bitmap_remove_checked(s->many, slot);
	else if (s->n && s->one == slot)
		s->n = 0;
	if (s->n == 0)
		slotset_release(s);
}

void slotset_into(const struct slotset *s, roaring_bitmap_t *to)
{
	if (s->many)
		roaring_bitmap_or_inplace(to, s->many);
	else if (s->n)
		roaring_bitmap_add(to, s->one);
}

int slotset_meets(const struct slotset *s, const roaring_bitmap_t *others)
{
	if (s->many)
		return roaring_bitmap_intersect(s->many, others);
	return s->n && roaring_bitmap_contains(others, s->one);
}

size_t slotset_bytes(const struct slotset *s)
{
	return sizeof(*s) + (s->many ? sizeof(*s->many) + roaring_bitmap_size_in_bytes(s->many) : 0);
}
