#include "index/idmap.h"

#include <assert.h>
#include <stdlib.h>

void idmap_release(struct idmap *m)
{
	free(m->pairs);
	*m = (struct idmap){ 0 };
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014): numbers that count up spread over the table. */
static size_t hash(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (size_t)(x ^ (x >> 31));
}

/* Where `key` is, or the free place where it would go. */
static size_t place(const struct idmap *m, uint64_t key)
{
	size_t i = hash(key) & m->mask;

	while (m->pairs[i].value != IDMAP_NONE && m->pairs[i].key != key)
		i = (i + 1) & m->mask;
	return i;
}

uint32_t idmap_get(const struct idmap *m, uint64_t key)
{
	return m->n ? m->pairs[place(m, key)].value : IDMAP_NONE;
}

static int widen(struct idmap *m)
{
	struct idmap wide = { .mask = m->pairs ? m->mask * 2 + 1 : 15, .n = m->n };

	wide.pairs = malloc((wide.mask + 1) * sizeof(*wide.pairs));
	if (!wide.pairs)
		return -1;
	for (size_t i = 0; i <= wide.mask; i++)
		wide.pairs[i] = (struct idmap_pair){ 0, IDMAP_NONE };
	for (size_t i = 0; m->pairs && i <= m->mask; i++) {
		if (m->pairs[i].value != IDMAP_NONE)
			wide.pairs[place(&wide, m->pairs[i].key)] = m->pairs[i];
	}
	free(m->pairs);
	*m = wide;
	return 0;
}

int idmap_put(struct idmap *m, uint64_t key, uint32_t value)
{
	assert(value != IDMAP_NONE);
	/* At most two thirds full. */
	if ((!m->pairs || (m->n + 1) * 3 > m->mask * 2) && widen(m) < 0)
		return -1;
	struct idmap_pair *p = &m->pairs[place(m, key)];
	m->n += p->value == IDMAP_NONE;
	*p = (struct idmap_pair){ key, value };
	return 0;
}

void idmap_remove(struct idmap *m, uint64_t key)
{
	if (idmap_get(m, key) == IDMAP_NONE)
		return;
	/* Followers move up, so that no mark of a removal is left behind (Knuth, vol. 3, 6.4, algorithm R). */
	size_t hole = place(m, key);
	for (size_t i = (hole + 1) & m->mask; m->pairs[i].value != IDMAP_NONE; i = (i + 1) & m->mask) {
		size_t home = hash(m->pairs[i].key) & m->mask;
		if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
			m->pairs[hole] = m->pairs[i];
			hole = i;
		}
	}
	m->pairs[hole].value = IDMAP_NONE;
	m->n--;
}

size_t idmap_bytes(const struct idmap *m)
{
	return m->pairs ? (m->mask + 1) * sizeof(*m->pairs) : 0;
}
