#include "index/list.h"

#include <stdlib.h>
#include <string.h>

#include "index/bits.h"

struct dead *dead_copy(const struct dead *d, uint32_t docs)
{
	size_t bytes = bits_words(docs) * sizeof(uint64_t);
	struct dead *copy = calloc(1, sizeof(*copy) + bytes);

	if (!copy)
		return NULL;
	atomic_init(&copy->references, 1);
	copy->docs = docs;
	if (d) {
		copy->n = d->n;
		copy->with_rows = d->with_rows;
		copy->length = d->length;
		memcpy(copy->bits, d->bits, bytes);
	}
	return copy;
}

void dead_add(struct dead *d, const struct segment *s, uint32_t doc)
{
	bits_add(d->bits, doc);
	d->n++;
	d->with_rows += s->first[doc + 1] > s->first[doc];
	d->length += words_length(&s->words, doc);
}

struct dead *dead_hold(struct dead *d)
{
	if (d)
		atomic_fetch_add_explicit(&d->references, 1, memory_order_relaxed);
	return d;
}

void dead_release(struct dead *d)
{
	if (d && atomic_fetch_sub(&d->references, 1) == 1)
		free(d);
}

struct list *list_new(const struct live *parts, size_t n)
{
	struct list *l = calloc(1, sizeof(*l) + n * sizeof(*parts));

	if (!l)
		return NULL;
	atomic_init(&l->references, 1);
	l->n = n;
	for (size_t i = 0; i < n; i++) {
		l->parts[i] = (struct live){ segment_hold(parts[i].segment), dead_hold(parts[i].dead) };
		const struct segment *s = parts[i].segment;
		const struct dead *d = parts[i].dead;
		l->docs += live_docs(&parts[i]);
		l->length += s->words.length - (d ? d->length : 0);
		l->with_rows += s->with_rows - (d ? d->with_rows : 0);
	}
	return l;
}

struct list *list_hold(struct list *l)
{
	atomic_fetch_add_explicit(&l->references, 1, memory_order_relaxed);
	return l;
}

void list_release(struct list *l)
{
	if (!l || atomic_fetch_sub(&l->references, 1) > 1)
		return;
	for (size_t i = 0; i < l->n; i++) {
		segment_release(l->parts[i].segment);
		dead_release(l->parts[i].dead);
	}
	free(l);
}

struct view *view_new(uint64_t seq, struct list *const lists[COLLECTIONS])
{
	struct view *v = malloc(sizeof(*v));

	if (!v) {
		for (int i = 0; i < COLLECTIONS; i++)
			list_release(lists[i]);
		return NULL;
	}
	atomic_init(&v->references, 1);
	v->seq = seq;
	for (int i = 0; i < COLLECTIONS; i++)
		v->lists[i] = lists[i];
	return v;
}

struct view *view_hold(struct view *v)
{
	atomic_fetch_add_explicit(&v->references, 1, memory_order_relaxed);
	return v;
}

void view_release(struct view *v)
{
	if (!v || atomic_fetch_sub(&v->references, 1) > 1)
		return;
	for (int i = 0; i < COLLECTIONS; i++)
		list_release(v->lists[i]);
	free(v);
}
