/* words_internal.h: reading a document's list of terms. */
#ifndef READBACK_INDEX_WORDS_INTERNAL_H
#define READBACK_INDEX_WORDS_INTERNAL_H

#include "index/words.h"

static inline uint32_t varint_read(const unsigned char **p)
{
	uint32_t v = *(*p)++;

	if (v < 0x80)
		return v;
	v &= 0x7f;
	for (unsigned shift = 7; shift < 35; shift += 7) {
		uint32_t c = *(*p)++;
		v |= (c & 0x7f) << shift;
		if (c < 0x80)
			break;
	}
	return v;
}

/* Walks a list: while (list_next(&l)) … l.term, l.tf. */
struct list_reader {
	const unsigned char *p, *end;
	uint32_t term, tf, begun;
};

static inline struct list_reader list_begin(const struct words *w, uint32_t doc)
{
	return (struct list_reader){ .p = w->lists + w->list_at[doc], .end = w->lists + w->list_at[doc + 1] };
}

static inline int list_next(struct list_reader *l)
{
	if (l->p >= l->end)
		return 0;
	uint32_t v = varint_read(&l->p);
	l->term = l->begun ? l->term + (v >> 1) : v >> 1;
	l->begun = 1;
	l->tf = v & 1 ? varint_read(&l->p) : 1;
	return 1;
}

#endif
