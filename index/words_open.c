#include <string.h>

#include "index/words_internal.h"

struct header {
	uint32_t docs, terms;
	uint64_t length;
	uint64_t size[WORDS_ARRAYS]; /* bytes, without what aligns the next array */
};

static int corrupt(struct error *e)
{
	return error_set(e, ERR_CORRUPT, NULL, "the words of a segment do not fit together");
}

/* Numbers 0 … n, the first 0, ascending, the last `end`. */
static int is_ladder(const uint32_t *v, size_t n, size_t end)
{
	if (v[0] != 0 || v[n] != end)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (v[i] > v[i + 1])
			return 0;
	return 1;
}

static int posts_fit(const struct words *w)
{
	for (uint32_t t = 0; t < w->terms; t++) {
		uint32_t n = w->post_at[t + 1] - w->post_at[t], at = w->post_at[t];
		if (n == 0 || w->block_at[t + 1] - w->block_at[t] != (n + WORDS_BLOCK - 1) / WORDS_BLOCK)
			return 0;
		for (uint32_t i = 0; i < n; i++)
			if (w->posts[at + i] >> 8 >= w->docs ||
			    (i && w->posts[at + i] >> 8 <= w->posts[at + i - 1] >> 8))
				return 0;
		for (uint32_t b = 0; b * WORDS_BLOCK < n; b++) {
			uint32_t last = (b + 1) * WORDS_BLOCK < n ? (b + 1) * WORDS_BLOCK : n;
			if (w->blocks[w->block_at[t] + b].last != w->posts[at + last - 1])
				return 0;
		}
	}
	return 1;
}

/* A varint ends inside its list, and a term is one of the dictionary's. */
static int lists_fit(const struct words *w)
{
	for (uint32_t d = 0; d < w->docs; d++) {
		struct list_reader l = list_begin(w, d);
		if (l.p < l.end && (l.end[-1] & 0x80))
			return 0;
		while (list_next(&l))
			if (l.term >= w->terms || l.p > l.end)
				return 0;
		if (l.p != l.end)
			return 0;
	}
	return 1;
}

static int fits(const struct words *w, const struct header *h)
{
	size_t ladder = ((size_t)w->terms + 1) * sizeof(uint32_t);

	if (h->size[WORDS_TEXT_AT] != ladder || h->size[WORDS_POST_AT] != ladder ||
	    h->size[WORDS_BLOCK_AT] != ladder || h->size[WORDS_LENGTHS] != (size_t)w->docs * 4 ||
	    h->size[WORDS_LIST_AT] != ((size_t)w->docs + 1) * 4 || h->size[WORDS_POSTS] % 4 ||
	    h->size[WORDS_BLOCKS] % sizeof(struct words_block))
		return 0;
	return is_ladder(w->text_at, w->terms, h->size[WORDS_TEXT]) &&
	       is_ladder(w->post_at, w->terms, h->size[WORDS_POSTS] / 4) &&
	       is_ladder(w->block_at, w->terms, h->size[WORDS_BLOCKS] / sizeof(struct words_block)) &&
	       is_ladder(w->list_at, w->docs, h->size[WORDS_LISTS]) && posts_fit(w) && lists_fit(w);
}

int words_open(const void *p, size_t n, struct words *out, struct error *e)
{
	const struct header *h = p;
	const char *at[WORDS_ARRAYS];
	size_t used = sizeof(*h);

	if (n < sizeof(*h) || h->docs > WORDS_MAX_DOCS || h->terms > UINT32_MAX / 8)
		return corrupt(e);
	for (int i = 0; i < WORDS_ARRAYS; i++) {
		if (h->size[i] > n - used || h->size[i] > UINT32_MAX * UINT64_C(4))
			return corrupt(e);
		at[i] = (const char *)p + used;
		used += (h->size[i] + 7) / 8 * 8;
		if (used > n)
			return corrupt(e);
	}
	const struct words w = { .docs = h->docs,
				 .terms = h->terms,
				 .length = h->length,
				 .text = at[WORDS_TEXT],
				 .text_at = (const uint32_t *)(const void *)at[WORDS_TEXT_AT],
				 .post_at = (const uint32_t *)(const void *)at[WORDS_POST_AT],
				 .block_at = (const uint32_t *)(const void *)at[WORDS_BLOCK_AT],
				 .posts = (const uint32_t *)(const void *)at[WORDS_POSTS],
				 .blocks = (const struct words_block *)(const void *)at[WORDS_BLOCKS],
				 .lengths = (const uint32_t *)(const void *)at[WORDS_LENGTHS],
				 .list_at = (const uint32_t *)(const void *)at[WORDS_LIST_AT],
				 .lists = (const unsigned char *)at[WORDS_LISTS] };
	if (used != n || !fits(&w, h))
		return corrupt(e);
	*out = w;
	return 0;
}

uint32_t words_find(const struct words *w, const char *s, size_t n)
{
	uint32_t low = 0, high = w->terms;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2, at = w->text_at[mid];
		size_t len = w->text_at[mid + 1] - at, least = len < n ? len : n;
		int order = memcmp(w->text + at, s, least);
		if (order == 0 && len == n)
			return mid;
		if (order < 0 || (order == 0 && len < n))
			low = mid + 1;
		else
			high = mid;
	}
	return WORDS_NONE;
}

void words_each_term(const struct words *w, uint32_t doc, void (*each)(void *arg, uint32_t term, uint32_t tf),
		     void *arg)
{
	struct list_reader l = list_begin(w, doc);

	while (list_next(&l))
		each(arg, l.term, l.tf);
}
