/*
 * words_build.c: the words of new documents, and of documents of other
 * segments. Both make the documents' lists in the numbers of one sorted
 * dictionary; postings are the lists turned round.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "index/words_internal.h"

/* A segment's words on their way. */
struct making {
	size_t docs, terms;
	const struct text *text; /* the dictionary, sorted */
	uint32_t *df;            /* by term */
	uint32_t *lengths, *list_at;
	struct strbuf lists;
	uint64_t length;
	uint32_t last; /* term of the list that is being written */
	int begun;
};

static void varint_write(struct strbuf *b, uint32_t v)
{
	char bytes[5];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (char)(v | 0x80);
	bytes[n++] = (char)v;
	strbuf_add(b, bytes, n);
}

static int making_begin(struct making *m, size_t docs, size_t terms, const struct text *text)
{
	*m = (struct making){ .docs = docs, .terms = terms, .text = text };
	m->df = calloc(terms + 1, sizeof(*m->df));
	m->lengths = malloc((docs + 1) * sizeof(*m->lengths));
	m->list_at = malloc((docs + 1) * sizeof(*m->list_at));
	return m->df && m->lengths && m->list_at ? 0 : -1;
}

static void making_release(struct making *m)
{
	free(m->df);
	free(m->lengths);
	free(m->list_at);
	strbuf_release(&m->lists);
}

static void list_start(struct making *m, size_t doc, uint32_t length)
{
	m->lengths[doc] = length;
	m->length += length;
	m->list_at[doc] = (uint32_t)m->lists.n;
	m->begun = 0;
}

static void list_put(struct making *m, uint32_t term, uint32_t tf)
{
	uint32_t gap = m->begun ? term - m->last : term;

	varint_write(&m->lists, gap << 1 | (tf > 1));
	if (tf > 1)
		varint_write(&m->lists, tf);
	m->last = term;
	m->begun = 1;
	m->df[term]++;
}

/* --- writing out ---------------------------------------------------------------------------------------- */

static void put_array(struct strbuf *b, uint64_t *size, const void *p, size_t n)
{
	static const char zeros[8];

	*size = n;
	if (n)
		strbuf_add(b, p, n);
	strbuf_add(b, zeros, (8 - n % 8) % 8);
}

static void put_text(const struct making *m, struct strbuf *b, uint64_t *size, uint32_t *at)
{
	size_t start = b->n;

	for (size_t t = 0; t < m->terms; t++) {
		at[t] = (uint32_t)(b->n - start);
		strbuf_add(b, m->text[t].s, m->text[t].n);
	}
	at[m->terms] = (uint32_t)(b->n - start);
	*size = b->n - start;
	while ((b->n - start) % 8 && !b->failed)
		strbuf_putc(b, '\0');
}

/* The lists turned round: for each term its documents, in order. `next` begins as post_at. */
static void invert(const struct making *m, uint32_t *next, uint32_t *posts)
{
	const struct words w = { .lists = (const unsigned char *)m->lists.p, .list_at = m->list_at };

	for (uint32_t d = 0; d < m->docs; d++) {
		struct list_reader l = list_begin(&w, d);
		while (list_next(&l))
			posts[next[l.term]++] = d << 8 | (l.tf < 255 ? l.tf : 255);
	}
}

static struct words_block block_of(const uint32_t *posts, size_t n, const uint32_t *lengths)
{
	struct words_block b = { .last = posts[n - 1], .shortest = { UINT16_MAX, UINT16_MAX, UINT16_MAX } };

	for (size_t i = 0; i < n; i++) {
		uint32_t tf = posts[i] & 255, len = lengths[posts[i] >> 8];
		int c = tf < 3 ? (int)tf - 1 : 2;
		b.classes |= (uint8_t)(1u << c);
		if (len < b.shortest[c])
			b.shortest[c] = (uint16_t)len;
		if (tf > b.most)
			b.most = (uint8_t)tf;
	}
	return b;
}

static void put_blocks(const struct making *m, struct strbuf *b, const uint32_t *post_at,
		       const uint32_t *posts)
{
	for (size_t t = 0; t < m->terms; t++) {
		for (uint32_t i = post_at[t]; i < post_at[t + 1]; i += WORDS_BLOCK) {
			size_t n = post_at[t + 1] - i < WORDS_BLOCK ? post_at[t + 1] - i : WORDS_BLOCK;
			struct words_block x = block_of(posts + i, n, m->lengths);
			strbuf_add(b, (const char *)&x, sizeof(x));
		}
	}
}

/* Ladders of postings and of blocks; how many postings there are in all. */
static size_t ladders(const struct making *m, uint32_t *post_at, uint32_t *block_at)
{
	uint32_t posts = 0, blocks = 0;

	for (size_t t = 0; t < m->terms; t++) {
		post_at[t] = posts;
		block_at[t] = blocks;
		posts += m->df[t];
		blocks += (m->df[t] + WORDS_BLOCK - 1) / WORDS_BLOCK;
	}
	post_at[m->terms] = posts;
	block_at[m->terms] = blocks;
	return posts;
}

static int write_arrays(struct making *m, uint32_t *ladder, struct strbuf *b, uint64_t *size)
{
	size_t n = m->terms + 1;
	uint32_t *text_at = ladder, *post_at = ladder + n, *block_at = ladder + 2 * n, *next = ladder + 3 * n;
	size_t n_posts = ladders(m, post_at, block_at);
	uint32_t *posts = malloc((n_posts + 1) * sizeof(*posts));
	STRBUF_AUTO blocks = STRBUF_INIT;

	if (!posts)
		return -1;
	memcpy(next, post_at, n * sizeof(*next));
	invert(m, next, posts);
	put_blocks(m, &blocks, post_at, posts);
	put_text(m, b, &size[WORDS_TEXT], text_at);
	put_array(b, &size[WORDS_TEXT_AT], text_at, n * sizeof(*text_at));
	put_array(b, &size[WORDS_POST_AT], post_at, n * sizeof(*post_at));
	put_array(b, &size[WORDS_BLOCK_AT], block_at, n * sizeof(*block_at));
	put_array(b, &size[WORDS_POSTS], posts, n_posts * sizeof(*posts));
	put_array(b, &size[WORDS_BLOCKS], blocks.p, blocks.n);
	put_array(b, &size[WORDS_LENGTHS], m->lengths, m->docs * sizeof(*m->lengths));
	put_array(b, &size[WORDS_LIST_AT], m->list_at, (m->docs + 1) * sizeof(*m->list_at));
	put_array(b, &size[WORDS_LISTS], m->lists.p, m->lists.n);
	free(posts);
	return blocks.failed ? -1 : 0;
}

static int making_write(struct making *m, struct strbuf *b)
{
	const uint32_t head[2] = { (uint32_t)m->docs, (uint32_t)m->terms };
	uint32_t *ladder = malloc(4 * (m->terms + 1) * sizeof(*ladder));
	uint64_t size[WORDS_ARRAYS] = { 0 };

	m->list_at[m->docs] = (uint32_t)m->lists.n;
	if (!ladder || m->lists.failed || m->lists.n >= UINT32_MAX) {
		free(ladder);
		return -1;
	}
	strbuf_add(b, (const char *)head, sizeof(head));
	strbuf_add(b, (const char *)&m->length, sizeof(m->length));
	size_t at = b->n;
	strbuf_add(b, (const char *)size, sizeof(size));
	int rc = write_arrays(m, ladder, b, size);
	if (!b->failed)
		memcpy(b->p + at, size, sizeof(size));
	free(ladder);
	return b->failed ? -1 : rc;
}

/* --- of new documents ------------------------------------------------------------------------------------ */

static int compare_text(struct text a, struct text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.s, b.s, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* A term and its place in the order in which terms were met. */
struct met {
	struct text text;
	uint32_t number;
};

static int by_text(const void *a, const void *b)
{
	return compare_text(((const struct met *)a)->text, ((const struct met *)b)->text);
}

static int meet_all(struct map *terms, const struct bag *docs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < docs[i].n; j++) {
			int fresh;
			uint64_t *v = map_put(terms, docs[i].terms[j].s, docs[i].terms[j].n, &fresh);
			if (!v)
				return -1;
			if (fresh)
				*v = map_count(terms) - 1;
		}
	}
	return 0;
}

static void sort_terms(const struct map *terms, struct met *met, struct text *text, uint32_t *number)
{
	const char *s;
	uint64_t *v;
	size_t n, count = 0;

	for (size_t i = 0; map_each(terms, &i, &s, &n, &v); count++)
		met[count] = (struct met){ { s, n }, (uint32_t)*v };
	qsort(met, count, sizeof(*met), by_text);
	for (size_t i = 0; i < count; i++) {
		text[i] = met[i].text;
		number[met[i].number] = (uint32_t)i;
	}
}

static int build_lists(const struct map *terms, const struct bag *docs, size_t n, const uint32_t *number,
		       struct making *m)
{
	for (size_t i = 0; i < n; i++) {
		list_start(m, i, docs[i].length);
		for (size_t j = 0; j < docs[i].n; j++) {
			const struct bag_term *t = &docs[i].terms[j];
			list_put(m, number[*map_get(terms, t->s, t->n)], t->tf);
		}
	}
	return m->lists.failed ? -1 : 0;
}

int words_build(const struct bag *docs, size_t n, struct strbuf *b)
{
	struct map *terms = map_new();
	struct making m = { 0 };
	struct met *met = NULL;
	struct text *text = NULL;
	uint32_t *number = NULL;
	int rc = terms && n <= WORDS_MAX_DOCS ? meet_all(terms, docs, n) : -1;

	if (rc == 0) {
		size_t count = map_count(terms) + 1;
		met = malloc(count * sizeof(*met));
		text = malloc(count * sizeof(*text));
		number = malloc(count * sizeof(*number));
		rc = met && text && number ? 0 : -1;
	}
	if (rc == 0) {
		sort_terms(terms, met, text, number);
		rc = making_begin(&m, n, map_count(terms), text);
	}
	if (rc == 0)
		rc = build_lists(terms, docs, n, number, &m);
	if (rc == 0)
		rc = making_write(&m, b);
	making_release(&m);
	free(met);
	free(text);
	free(number);
	map_free(terms);
	return rc;
}

/* --- of documents of other segments -------------------------------------------------------------------------- */

struct source {
	const struct words *words;
	uint32_t
		*number; /* owned: of the term in the merged dictionary; WORDS_NONE: nobody has it any more */
	uint32_t next;   /* term, while dictionaries are merged */
};

struct merging {
	struct source *sources;
	size_t n, terms;
	struct text *text; /* the merged dictionary */
};

static struct source *source_of(struct merging *g, const struct words *w, struct source *last)
{
	if (last && last->words == w)
		return last;
	for (size_t i = 0; i < g->n; i++)
		if (g->sources[i].words == w)
			return &g->sources[i];
	return NULL;
}

static int add_source(struct merging *g, const struct words *w)
{
	struct source *more = realloc(g->sources, (g->n + 1) * sizeof(*more));

	if (!more)
		return -1;
	g->sources = more;
	uint32_t *number = malloc(((size_t)w->terms + 1) * sizeof(*number));
	if (!number)
		return -1;
	for (uint32_t t = 0; t < w->terms; t++)
		number[t] = WORDS_NONE;
	g->sources[g->n++] = (struct source){ w, number, 0 };
	return 0;
}

/* Finds the sources, and marks the terms that are still in use. */
static int mark_used(struct merging *g, const struct words_pick *picks, size_t n)
{
	struct source *s = NULL;

	for (size_t i = 0; i < n; i++) {
		s = source_of(g, picks[i].from, s);
		if (!s) {
			if (add_source(g, picks[i].from) < 0)
				return -1;
			s = &g->sources[g->n - 1];
		}
		struct list_reader l = list_begin(s->words, picks[i].doc);
		while (list_next(&l))
			s->number[l.term] = 0;
	}
	return 0;
}

static void skip_unused(struct source *s)
{
	while (s->next < s->words->terms && s->number[s->next] == WORDS_NONE)
		s->next++;
}

static struct text current(const struct source *s)
{
	uint32_t at = s->words->text_at[s->next];

	return (struct text){ s->words->text + at, s->words->text_at[s->next + 1] - at };
}

/* A heap of the sources that have terms left, smallest term on top. */
static void sift(struct source **heap, size_t n, size_t hole)
{
	struct source *s = heap[hole];

	for (size_t child; (child = 2 * hole + 1) < n; hole = child) {
		if (child + 1 < n && compare_text(current(heap[child + 1]), current(heap[child])) < 0)
			child++;
		if (compare_text(current(s), current(heap[child])) <= 0)
			break;
		heap[hole] = heap[child];
	}
	heap[hole] = s;
}

static void merge_dictionaries(struct merging *g, struct source **heap)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		skip_unused(&g->sources[i]);
		if (g->sources[i].next < g->sources[i].words->terms)
			heap[n++] = &g->sources[i];
	}
	for (size_t i = n; i-- > 0;)
		sift(heap, n, i);
	while (n > 0) {
		struct source *s = heap[0];
		struct text t = current(s);
		if (!g->terms || compare_text(g->text[g->terms - 1], t) != 0)
			g->text[g->terms++] = t;
		s->number[s->next++] = (uint32_t)g->terms - 1;
		skip_unused(s);
		if (s->next >= s->words->terms)
			heap[0] = heap[--n];
		if (n)
			sift(heap, n, 0);
	}
}

static int merge_terms(struct merging *g)
{
	size_t most = 0;

	for (size_t i = 0; i < g->n; i++)
		most += g->sources[i].words->terms;
	struct source **heap = malloc((g->n + 1) * sizeof(struct source *));
	g->text = malloc((most + 1) * sizeof(*g->text));
	if (!heap || !g->text) {
		free(heap);
		return -1;
	}
	merge_dictionaries(g, heap);
	free(heap);
	return 0;
}

static int merge_lists(struct merging *g, const struct words_pick *picks, size_t n, struct making *m)
{
	struct source *s = NULL;

	for (size_t i = 0; i < n; i++) {
		s = source_of(g, picks[i].from, s);
		list_start(m, i, s->words->lengths[picks[i].doc]);
		struct list_reader l = list_begin(s->words, picks[i].doc);
		while (list_next(&l))
			list_put(m, s->number[l.term], l.tf);
	}
	return m->lists.failed ? -1 : 0;
}

int words_merge(const struct words_pick *picks, size_t n, struct strbuf *b)
{
	struct merging g = { 0 };
	struct making m = { 0 };
	int rc = n <= WORDS_MAX_DOCS ? mark_used(&g, picks, n) : -1;

	if (rc == 0)
		rc = merge_terms(&g);
	if (rc == 0)
		rc = making_begin(&m, n, g.terms, g.text);
	if (rc == 0)
		rc = merge_lists(&g, picks, n, &m);
	if (rc == 0)
		rc = making_write(&m, b);
	making_release(&m);
	for (size_t i = 0; i < g.n; i++)
		free(g.sources[i].number);
	free(g.sources);
	free(g.text);
	return rc;
}
