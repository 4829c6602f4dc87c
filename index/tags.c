#include "index/tags.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/map.h"

/* Where an entry stands, so that it can be taken out again. */
struct tag_ref {
	struct tag_values *values; /* that `set` belongs to; NULL for flags and the set of everyone */
	struct slotset *set;       /* NULL: a number, at `at` of the key's column */
	struct tag_key *key;       /* NULL: a group */
	size_t at;
};

struct tag_list {
	struct tag_ref *refs;
	size_t n, cap;
};

struct tags {
	struct slotset everyone;
	struct tag_values groups;
	struct map *keys;       /* values are addresses of keys */
	struct tag_list *lists; /* by slot */
	size_t n_lists, lists_cap;
};

#define SWEEP_MIN 64

/* Maps hold 64-bit values: here they are addresses of what the map's owner frees. */
static void *pointer_of(uint64_t v)
{
	return (void *)(uintptr_t)v;
}

static void values_release(struct tag_values *v)
{
	const char *s;
	uint64_t *p;

	if (!v->sets)
		return;
	for (size_t i = 0, n; map_each(v->sets, &i, &s, &n, &p);) {
		if (*p) {
			slotset_release(pointer_of(*p));
			free(pointer_of(*p));
		}
	}
	map_free(v->sets);
	v->sets = NULL;
}

static struct slotset *values_put(struct tag_values *v, const char *s, size_t n)
{
	if (!v->sets && !(v->sets = map_new()))
		return NULL;
	uint64_t *p = map_put(v->sets, s, n, NULL);
	if (!p)
		return NULL;
	struct slotset *set = pointer_of(*p);
	if (!set) {
		set = calloc(1, sizeof(*set));
		*p = (uintptr_t)set;
	} else {
		v->empty -= set->n == 0;
	}
	return set;
}

/* A map cannot forget, so it is made anew when most of its values are of entries that are gone. */
static void values_sweep(struct tag_values *v)
{
	const char *s;
	uint64_t *p, *kept;

	if (v->empty < SWEEP_MIN || v->empty * 2 < map_count(v->sets))
		return;
	struct map *fresh = map_new();
	if (!fresh)
		return; /* later, then */
	for (size_t i = 0, n; map_each(v->sets, &i, &s, &n, &p);) {
		struct slotset *set = pointer_of(*p);
		if (!set || set->n == 0)
			continue;
		if (!(kept = map_put(fresh, s, n, NULL))) {
			map_free(fresh);
			return;
		}
		*kept = *p;
	}
	for (size_t i = 0, n; map_each(v->sets, &i, &s, &n, &p);) {
		struct slotset *set = pointer_of(*p);
		if (set && set->n == 0)
			free(set);
	}
	map_free(v->sets);
	v->sets = fresh;
	v->empty = 0;
}

struct tags *tags_new(void)
{
	struct tags *t = calloc(1, sizeof(*t));

	if (t && !(t->keys = map_new())) {
		free(t);
		return NULL;
	}
	return t;
}

static void key_free(struct tag_key *k)
{
	if (!k)
		return;
	slotset_release(&k->present);
	slotset_release(&k->flag[0]);
	slotset_release(&k->flag[1]);
	values_release(&k->strings);
	free(k->numbers.value);
	free(k->numbers.slot);
	free(k);
}

void tags_free(struct tags *t)
{
	const char *s;
	uint64_t *p;

	if (!t)
		return;
	for (size_t i = 0, n; map_each(t->keys, &i, &s, &n, &p);)
		key_free(pointer_of(*p));
	map_free(t->keys);
	values_release(&t->groups);
	slotset_release(&t->everyone);
	for (size_t i = 0; i < t->n_lists; i++)
		free(t->lists[i].refs);
	free(t->lists);
	free(t);
}

static struct tag_key *key_put(struct tags *t, const char *key)
{
	uint64_t *p = map_put(t->keys, key, strlen(key), NULL);

	if (p && !*p)
		*p = (uintptr_t)calloc(1, sizeof(struct tag_key));
	return p ? pointer_of(*p) : NULL;
}

static struct tag_list *list_of(struct tags *t, uint32_t slot)
{
	while (t->n_lists <= slot) {
		if (GROW(t->lists, t->n_lists, t->lists_cap) < 0)
			return NULL;
		t->lists[t->n_lists++] = (struct tag_list){ 0 };
	}
	return &t->lists[slot];
}

/* Takes element `at` out of a column by putting the last one in its place, whose owner is told. */
static void number_remove(struct tags *t, struct tag_key *k, size_t at)
{
	size_t last = --k->numbers.n;
	uint32_t slot = k->numbers.slot[last];

	struct tag_list *owner = list_of(t, slot);
	assert(owner);
	for (size_t i = 0; i < owner->n; i++) {
		if (!owner->refs[i].set && owner->refs[i].key == k && owner->refs[i].at == last)
			owner->refs[i].at = at;
	}
	k->numbers.value[at] = k->numbers.value[last];
	k->numbers.slot[at] = slot;
}

void tags_clear(struct tags *t, uint32_t slot)
{
	if (slot >= t->n_lists)
		return;
	struct tag_list *l = &t->lists[slot];
	while (l->n > 0) {
		struct tag_ref r = l->refs[--l->n];
		if (r.key)
			slotset_remove(&r.key->present, slot);
		if (!r.set) {
			assert(r.key);
			number_remove(t, r.key, r.at);
			continue;
		}
		slotset_remove(r.set, slot);
		if (r.values && r.set->n == 0) {
			r.values->empty++;
			values_sweep(r.values);
		}
	}
	free(l->refs);
	*l = (struct tag_list){ 0 };
}

/* Adds `slot` to `r.set`, once. */
static int join(struct tag_list *l, uint32_t slot, struct tag_ref r)
{
	if (!r.set || GROW(l->refs, l->n, l->cap) < 0)
		return -1;
	int fresh = slotset_add(r.set, slot);
	if (fresh > 0)
		l->refs[l->n++] = r;
	return fresh < 0 ? -1 : 0;
}

static int number_add(struct tag_list *l, uint32_t slot, struct tag_key *k, double value)
{
	struct tag_numbers *c = &k->numbers;

	if (GROW(l->refs, l->n, l->cap) < 0 || GROW(c->value, c->n, c->cap) < 0 ||
	    GROW(c->slot, c->n, c->slot_cap) < 0)
		return -1;
	l->refs[l->n++] = (struct tag_ref){ .key = k, .at = c->n };
	c->value[c->n] = value;
	c->slot[c->n++] = slot;
	return 0;
}

static int add_tag(struct tags *t, struct tag_list *l, uint32_t slot, const struct index_tag *tag)
{
	struct tag_key *k = key_put(t, tag->key);

	if (!k || slotset_add(&k->present, slot) < 0)
		return -1;
	switch (tag->value.type) {
	case VALUE_STRING:
		return join(l, slot,
			    (struct tag_ref){ &k->strings,
					      values_put(&k->strings, tag->value.s.s, tag->value.s.n), k,
					      0 });
	case VALUE_BOOL:
		return join(l, slot, (struct tag_ref){ NULL, &k->flag[tag->value.number != 0], k, 0 });
	case VALUE_NUMBER:
		break;
	}
	return number_add(l, slot, k, tag->value.number);
}

int tags_set(struct tags *t, uint32_t slot, const struct index_entry *e)
{
	tags_clear(t, slot);
	struct tag_list *l = list_of(t, slot);
	if (!l)
		return -1;
	if (e->everyone && join(l, slot, (struct tag_ref){ .set = &t->everyone }) < 0)
		return -1;
	for (size_t i = 0; !e->everyone && i < e->n_groups; i++) {
		struct slotset *set = values_put(&t->groups, e->groups[i], strlen(e->groups[i]));
		if (join(l, slot, (struct tag_ref){ .values = &t->groups, .set = set }) < 0)
			return -1;
	}
	for (size_t i = 0; i < e->n_tags; i++) {
		if (add_tag(t, l, slot, &e->tags[i]) < 0)
			return -1;
	}
	return 0;
}

const struct tag_key *tags_key(const struct tags *t, const char *key)
{
	uint64_t *p = map_get(t->keys, key, strlen(key));

	return p ? pointer_of(*p) : NULL;
}

void tags_visible(const struct tags *t, const char *const *groups, size_t n, roaring_bitmap_t *to)
{
	slotset_into(&t->everyone, to);
	for (size_t i = 0; t->groups.sets && i < n; i++) {
		uint64_t *p = map_get(t->groups.sets, groups[i], strlen(groups[i]));
		if (p && *p)
			slotset_into(pointer_of(*p), to);
	}
}

static size_t values_bytes(const struct tag_values *v)
{
	const char *s;
	uint64_t *p;
	size_t bytes = 0;

	if (!v->sets)
		return 0;
	for (size_t i = 0, n; map_each(v->sets, &i, &s, &n, &p);)
		bytes += n + 48 + (*p ? slotset_bytes(pointer_of(*p)) : 0); /* 48: the map's own, about */
	return bytes;
}

size_t tags_bytes(const struct tags *t)
{
	const char *s;
	uint64_t *p;
	size_t bytes = values_bytes(&t->groups) + slotset_bytes(&t->everyone);

	for (size_t i = 0, n; map_each(t->keys, &i, &s, &n, &p);) {
		const struct tag_key *k = pointer_of(*p);
		if (k)
			bytes += sizeof(*k) + slotset_bytes(&k->present) + values_bytes(&k->strings) +
				 k->numbers.cap * (sizeof(double) + sizeof(uint32_t));
	}
	for (size_t i = 0; i < t->n_lists; i++)
		bytes += sizeof(t->lists[i]) + t->lists[i].cap * sizeof(struct tag_ref);
	return bytes;
}
