#include "learn/ngrams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/utf8.h"
#include "text/analyser.h"

#define SHORTEST 2
#define LONGEST 5

/* Kinds have hashes of their own. */
enum { WORD = 1, PAIR, CHARACTERS };

struct list {
	uint32_t *hashes;
	size_t n;
};

static void add(struct list *l, uint64_t kind, uint64_t hash)
{
	uint64_t h = (hash ^ kind * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	l->hashes[l->n++] = (uint32_t)(h >> 32);
}

static void add_words(struct list *l, const struct token *t, size_t n)
{
	uint64_t before = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t h = hash_fnv1a(t[i].word, strlen(t[i].word));
		add(l, WORD, h);
		if (i > 0)
			add(l, PAIR, before * 31 + h);
		before = h;
	}
}

/* The words with spaces around them, and where each character begins. */
struct letters {
	char *s;
	uint32_t *begin; /* n + 1 */
	size_t n;
};

static int is_begin(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static int spell(struct arena *a, const struct token *t, size_t n, struct letters *out)
{
	struct letters l = { 0 };
	size_t bytes = 1, at = 0;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(t[i].word) + 1;
	l.s = arena_alloc(a, bytes);
	l.begin = arena_alloc(a, (bytes + 1) * sizeof(*l.begin));
	if (!l.s || !l.begin)
		return -1;
	l.s[at++] = ' ';
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(t[i].word);
		memcpy(l.s + at, t[i].word, k);
		at += k;
		l.s[at++] = ' ';
	}
	for (size_t i = 0; i < bytes; i++)
		if (is_begin(l.s[i]))
			l.begin[l.n++] = (uint32_t)i;
	l.begin[l.n] = (uint32_t)bytes;
	*out = l;
	return 0;
}

static void add_characters(struct list *l, const struct letters *c)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = SHORTEST; k <= LONGEST && i + k <= c->n; k++)
			add(l, CHARACTERS, hash_fnv1a(c->s + c->begin[i], c->begin[i + k] - c->begin[i]));
}

static int by_hash(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

long ngrams_of(struct arena *a, const char *s, size_t n, const struct ngram **out)
{
	const struct token *tokens = NULL;
	struct letters letters;
	long count = analyse_text(a, s, utf8_floor(s, n, n < NGRAMS_MAX_TEXT ? n : NGRAMS_MAX_TEXT), &tokens);

	if (count <= 0)
		return count;
	if (spell(a, tokens, (size_t)count, &letters) < 0)
		return -1;
	size_t room = 2 * (size_t)count + (LONGEST - SHORTEST + 1) * letters.n, kept = 0;
	struct list l = { .hashes = arena_alloc(a, room * sizeof(*l.hashes)) };
	struct ngram *grams = arena_alloc(a, room * sizeof(*grams));
	if (!l.hashes || !grams)
		return -1;
	add_words(&l, tokens, (size_t)count);
	add_characters(&l, &letters);
	qsort(l.hashes, l.n, sizeof(*l.hashes), by_hash);
	for (size_t i = 0; i < l.n;) {
		size_t j = i;
		while (j < l.n && l.hashes[j] == l.hashes[i])
			j++;
		grams[kept++] = (struct ngram){ l.hashes[i], 1 + logf((float)(j - i)) };
		i = j;
	}
	*out = grams;
	return (long)kept;
}
