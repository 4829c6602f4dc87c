#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/grow.h"

struct entry {
	uint64_t hash, value;
	char *key;
	size_t n;
};

/* `slots` holds index + 1 into `entries`, so that 0 is an empty slot. */
struct map {
	struct entry *entries;
	size_t n, cap;
	uint32_t *slots;
	size_t mask;
};

struct map *map_new(void)
{
	struct map *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->mask = 15;
	m->slots = calloc(m->mask + 1, sizeof(*m->slots));
	if (!m->slots) {
		free(m);
		return NULL;
	}
	return m;
}

void map_free(struct map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->entries[i].key);
	free(m->entries);
	free(m->slots);
	free(m);
}

size_t map_count(const struct map *m)
{
	return m->n;
}

static size_t slot_of(const struct map *m, uint64_t hash, const char *key, size_t n)
{
	size_t s = hash & m->mask;

	for (; m->slots[s]; s = (s + 1) & m->mask) {
		const struct entry *e = &m->entries[m->slots[s] - 1];
		if (e->hash == hash && e->n == n && memcmp(e->key, key, n) == 0)
			break;
	}
	return s;
}

uint64_t *map_get(const struct map *m, const char *key, size_t n)
{
	size_t s = slot_of(m, hash_fnv1a(key, n), key, n);

	return m->slots[s] ? &m->entries[m->slots[s] - 1].value : NULL;
}

static int map_rehash(struct map *m)
{
	size_t mask = m->mask * 2 + 1;
	uint32_t *slots = calloc(mask + 1, sizeof(*slots));

	if (!slots)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		size_t s = m->entries[i].hash & mask;
		while (slots[s])
			s = (s + 1) & mask;
		slots[s] = (uint32_t)i + 1;
	}
	free(m->slots);
	m->slots = slots;
	m->mask = mask;
	return 0;
}

uint64_t *map_put(struct map *m, const char *key, size_t n, int *fresh)
{
	uint64_t hash = hash_fnv1a(key, n);
	size_t s = slot_of(m, hash, key, n);

	if (fresh)
		*fresh = !m->slots[s];
	if (m->slots[s])
		return &m->entries[m->slots[s] - 1].value;
	if (GROW(m->entries, m->n, m->cap) < 0)
		return NULL;
	if ((m->n + 1) * 2 > m->mask) {
		if (map_rehash(m) < 0)
			return NULL;
		s = slot_of(m, hash, key, n);
	}
	char *copy = malloc(n + 1);
	if (!copy)
		return NULL;
	memcpy(copy, key, n);
	copy[n] = '\0';
	m->entries[m->n] = (struct entry){ .hash = hash, .key = copy, .n = n };
	m->slots[s] = (uint32_t)++m->n;
	return &m->entries[m->n - 1].value;
}

int map_each(const struct map *m, size_t *i, const char **key, size_t *n, uint64_t **value)
{
	if (*i >= m->n)
		return 0;
	struct entry *e = &m->entries[(*i)++];
	*key = e->key;
	*n = e->n;
	*value = &e->value;
	return 1;
}
