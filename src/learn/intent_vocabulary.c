/* intent_vocabulary.c: the n-grams that a model has weights for: those of two texts or more, the most frequent if they are too many. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "learn/intent_vocabulary.h"

#define FEW_LESSONS 300 /* below it n-grams of one text count too */
#define CHUNK 256       /* texts that share memory */

/* In how many texts each hash stands: open addressing; 0 texts is a free place. */
struct counts {
	struct {
		uint32_t hash, texts;
	} * list;
	size_t n, room; /* room: a power of two */
};

static int grow(struct counts *c)
{
	struct counts bigger = { .room = c->room ? 2 * c->room : 1 << 12, .n = c->n };

	bigger.list = calloc(bigger.room, sizeof(*bigger.list));
	if (!bigger.list)
		return -1;
	for (size_t i = 0; i < c->room; i++) {
		if (!c->list[i].texts)
			continue;
		size_t k = c->list[i].hash & (bigger.room - 1);
		while (bigger.list[k].texts)
			k = (k + 1) & (bigger.room - 1);
		bigger.list[k].hash = c->list[i].hash;
		bigger.list[k].texts = c->list[i].texts;
	}
	free(c->list);
	*c = bigger;
	return 0;
}

static int count(struct counts *c, uint32_t hash)
{
	if (2 * c->n >= c->room && grow(c) < 0)
		return -1;
	size_t k = hash & (c->room - 1);
	while (c->list[k].texts && c->list[k].hash != hash)
		k = (k + 1) & (c->room - 1);
	c->n += c->list[k].texts == 0;
	c->list[k].hash = hash;
	c->list[k].texts++;
	return 0;
}

static int count_texts(const struct lessons *l, struct counts *c)
{
	struct arena *a = NULL;
	int bad = 0;

	for (size_t i = 0; i < l->n && !bad; i++) {
		const struct ngram *grams = NULL;
		if (i % CHUNK == 0) {
			arena_free(a);
			a = arena_new(1 << 16);
		}
		long n = a ? ngrams_of(a, l->list[i].text.s, l->list[i].text.n, &grams) : -1;
		bad = n < 0;
		for (long k = 0; k < n && !bad; k++)
			bad = count(c, grams[k].hash) < 0;
	}
	arena_free(a);
	return bad ? -1 : 0;
}

/* The fewest texts that an n-gram must have so that no more than `most` are left. */
static uint32_t least_texts(const struct counts *c, uint32_t from, size_t most)
{
	for (uint32_t least = from;; least++) {
		size_t left = 0;
		for (size_t i = 0; i < c->room; i++)
			left += c->list[i].texts >= least;
		if (left <= most)
			return least;
	}
}

static int by_hash(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

static uint32_t texts_of(const struct counts *c, uint32_t hash)
{
	size_t k = hash & (c->room - 1);

	while (c->list[k].texts && c->list[k].hash != hash)
		k = (k + 1) & (c->room - 1);
	return c->list[k].texts;
}

static int keep(const struct counts *c, uint32_t least, size_t n_lessons, struct vocabulary *out)
{
	struct vocabulary v = { .hashes = malloc((c->n + 1) * sizeof(*v.hashes)),
				.idf = malloc((c->n + 1) * sizeof(*v.idf)) };

	if (!v.hashes || !v.idf) {
		free(v.hashes);
		free(v.idf);
		return -1;
	}
	for (size_t i = 0; i < c->room; i++)
		if (c->list[i].texts >= least)
			v.hashes[v.n++] = c->list[i].hash;
	qsort(v.hashes, v.n, sizeof(*v.hashes), by_hash);
	for (size_t i = 0; i < v.n; i++)
		v.idf[i] = 1 + logf((1 + (float)n_lessons) / (1 + (float)texts_of(c, v.hashes[i])));
	*out = v;
	return 0;
}

int intent_vocabulary_of(const struct lessons *l, size_t most, struct vocabulary *out)
{
	struct counts c = { 0 };
	int rc = grow(&c) < 0 ? -1 : count_texts(l, &c);

	if (rc == 0)
		rc = keep(&c, least_texts(&c, l->n < FEW_LESSONS ? 1 : 2, most), l->n, out);
	free(c.list);
	return rc;
}
