#include "text/analyser.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <libstemmer.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/utf8.h"
#include "text/fold.h"
#include "text/stopwords.h"

/* Longer words are no words (encoded data); they are found as they are, not stemmed. */
#define MAX_STEMMED 64

/*
 * Stems are costly and words repeat: each thread remembers those that it met
 * last, a word a place. `call` says for which call they were copied, so that a
 * text which repeats a word has one copy of it.
 */
#define MEMO_PLACES 2048
#define MEMO_BYTES 32

struct memo {
	char word[MEMO_BYTES], stem[MEMO_BYTES];
	uint8_t n_word, n_stem; /* n_word 0: nothing is remembered */
	uint64_t call;
	const char *word_copy, *stem_copy;
};

struct memory {
	struct memo places[MEMO_PLACES];
	uint64_t calls;
};

static pthread_key_t memory_key;
static int has_key;

static void make_key(void)
{
	has_key = pthread_key_create(&memory_key, free) == 0;
}

/* This thread's; NULL without memory. */
static struct memory *memory_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_key);
	struct memory *m = has_key ? pthread_getspecific(memory_key) : NULL;
	if (m || !has_key)
		return m;
	m = calloc(1, sizeof(*m));
	if (m && pthread_setspecific(memory_key, m) != 0) {
		free(m);
		return NULL;
	}
	return m;
}

/* What one call works with. A stemmer must not be shared between threads; it is made when a word is new. */
struct analyser {
	struct arena *arena;
	struct memory *memory;
	uint64_t call;
	struct sb_stemmer *stemmer; /* NULL: not needed yet */
	char *word;                 /* the folded word being read */
	size_t n_word, cap_word;
};

/* A word as it was folded, and its stem: the arena's. */
struct form {
	const char *word, *stem;
};

static void analyser_release(struct analyser *x)
{
	sb_stemmer_delete(x->stemmer);
	free(x->word);
}

static int analyser_init(struct analyser *x, struct arena *a)
{
	*x = (struct analyser){ .arena = a, .memory = memory_get() };
	if (!x->memory)
		return -1;
	x->call = ++x->memory->calls;
	return 0;
}

/* Accents written as characters of their own that unicode61 takes for part of the word before them. */
static int is_joined_accent(uint32_t c)
{
	return (c >= 0x300 && c <= 0x304) || (c >= 0x306 && c <= 0x30c) || c == 0x30f || c == 0x311 ||
	       c == 0x31b || (c >= 0x323 && c <= 0x328) || c == 0x32d || c == 0x32e || c == 0x330 ||
	       c == 0x331;
}

/* Of a word, as unicode61 has it: letters, digits, and private characters. */
static int is_word(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	return fold_is_letter(c) || fold_is_digit(c) || (c >= 0xe000 && c <= 0xf8ff);
}

/*
 * unicode61 drops accents where that leaves a letter of ASCII: taking kana or
 * Hangul apart here would give words that FTS5 does not have.
 */
static uint32_t fold_word(uint32_t c)
{
	uint32_t parts[FOLD_MAX];
	size_t n;

	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c < 0x250 || (c >= 0x1e00 && c < 0x1f00)) {
		n = fold_plain(c, parts);
		if (n == 1 && parts[0] < 0x80)
			return parts[0];
	}
	return fold_lower(c);
}

static int word_add(struct analyser *x, uint32_t c)
{
	while (x->n_word + 4 > x->cap_word) {
		size_t cap = x->cap_word ? 2 * x->cap_word : 64;
		char *p = realloc(x->word, cap);
		if (!p)
			return -1;
		x->word = p;
		x->cap_word = cap;
	}
	x->n_word += utf8_put(c, x->word + x->n_word);
	return 0;
}

/* A word's character of ASCII as fold_word() has it; 0: not of a word. Nearly all text is this. */
static unsigned char ascii_of_word(unsigned char c)
{
	unsigned char low = c | 32;

	return low >= 'a' && low <= 'z' ? low : c >= '0' && c <= '9' ? c : 0;
}

/* Where the next word of s begins, from `i` on; n: nowhere. */
static size_t find_word(const char *s, size_t n, size_t i)
{
	for (size_t len; i < n; i += len) {
		unsigned char b = (unsigned char)s[i];
		uint32_t c;
		len = 1;
		if (b < 0x80 ? ascii_of_word(b) != 0 : (len = utf8_next(s + i, n - i, &c), is_word(c)))
			break;
	}
	return i;
}

/*
 * Reads the next word of s from *at on into x->word; *start and *at are its
 * place. 1, 0 at the end of the text, -1 without memory.
 */
static int next_word(struct analyser *x, const char *s, size_t n, size_t *start, size_t *at)
{
	size_t i = *start = find_word(s, n, *at), len;

	x->n_word = 0;
	for (; i < n; i += len) {
		unsigned char b = (unsigned char)s[i], plain = ascii_of_word(b);
		uint32_t c;
		if (b < 0x80 && x->n_word < x->cap_word) {
			if (!plain)
				break;
			x->word[x->n_word++] = (char)plain;
			len = 1;
			continue;
		}
		len = utf8_next(s + i, n - i, &c);
		if (is_joined_accent(c))
			continue;
		if (!is_word(c))
			break;
		if (word_add(x, fold_word(c)) < 0)
			return -1;
	}
	*at = i;
	return x->n_word > 0;
}

/* The stem of x->word, the stemmer's until it is asked again; NULL without memory. */
static const char *find_stem(struct analyser *x, size_t *n)
{
	if (x->n_word > MAX_STEMMED) {
		*n = x->n_word;
		return x->word;
	}
	if (!x->stemmer && !(x->stemmer = sb_stemmer_new("english", "UTF_8")))
		return NULL;
	const sb_symbol *stem = sb_stemmer_stem(x->stemmer, (const sb_symbol *)x->word, (int)x->n_word);
	*n = stem ? (size_t)sb_stemmer_length(x->stemmer) : 0;
	return (const char *)stem;
}

static int copy_form(struct arena *a, const char *word, size_t n_word, const char *stem, size_t n_stem,
		     struct form *out)
{
	int same = n_word == n_stem && memcmp(word, stem, n_word) == 0;

	out->word = arena_strndup(a, word, n_word);
	out->stem = same ? out->word : arena_strndup(a, stem, n_stem);
	return out->word && out->stem ? 0 : -1;
}

/* The place of x->word, remembered from now on; NULL if it is too long, or without memory. */
static struct memo *remember(struct analyser *x)
{
	struct memo *m = &x->memory->places[hash_fnv1a(x->word, x->n_word) % MEMO_PLACES];
	size_t n;

	if (m->n_word == x->n_word && memcmp(m->word, x->word, x->n_word) == 0)
		return m;
	const char *stem = x->n_word <= MEMO_BYTES ? find_stem(x, &n) : NULL;
	if (!stem || n > MEMO_BYTES)
		return NULL;
	memcpy(m->word, x->word, x->n_word);
	memcpy(m->stem, stem, n);
	m->n_word = (uint8_t)x->n_word;
	m->n_stem = (uint8_t)n;
	m->call = 0;
	return m;
}

/* The form of x->word; -1 without memory. */
static int find_form(struct analyser *x, struct form *out)
{
	struct memo *m = remember(x);

	if (!m) {
		size_t n;
		const char *stem = find_stem(x, &n);
		return stem ? copy_form(x->arena, x->word, x->n_word, stem, n, out) : -1;
	}
	if (m->call != x->call) {
		struct form f;
		if (copy_form(x->arena, m->word, m->n_word, m->stem, m->n_stem, &f) < 0)
			return -1;
		m->call = x->call;
		m->word_copy = f.word;
		m->stem_copy = f.stem;
	}
	*out = (struct form){ m->word_copy, m->stem_copy };
	return 0;
}

/* A copy of a malloc'ed array in the arena, which is freed. */
static long hand_over(struct arena *a, void *items, size_t n, size_t size, const void **out)
{
	void *p = arena_alloc(a, n * size);

	if (p && n)
		memcpy(p, items, n * size);
	free(items);
	if (!p)
		return -1;
	*out = p;
	return (long)n;
}

long analyse_text(struct arena *a, const char *s, size_t n, const struct token **out)
{
	struct analyser x;
	struct token *tokens = NULL;
	size_t count = 0, cap = 0, start, at = 0;
	int rc;

	if (analyser_init(&x, a) < 0)
		return -1;
	while ((rc = next_word(&x, s, n, &start, &at)) > 0) {
		struct form f;
		if (find_form(&x, &f) < 0 || GROW(tokens, count, cap) < 0) {
			rc = -1;
			break;
		}
		tokens[count++] = (struct token){ start, at, f.word, f.stem };
	}
	analyser_release(&x);
	if (rc < 0) {
		free(tokens);
		return -1;
	}
	return hand_over(a, tokens, count, sizeof(*tokens), (const void **)out);
}

/* Terms by stem, and how stems begin. */
struct stems {
	struct map *numbers; /* owned; of each term, from 1; of equal stems the first */
	char begins[256];    /* first bytes of stems of one byte */
	uint64_t pairs[16];  /* first two bytes of the others */
};

/*
 * A stem of two bytes and more has the first two of its word, but for y and i
 * (dying, die): most words of a text are out of the question by these.
 */
static size_t pair_of(const char *s)
{
	return ((unsigned char)s[0] * 31u + (unsigned char)(s[1] == 'y' ? 'i' : s[1])) & 1023;
}

static void add_beginning(struct stems *t, const char *stem)
{
	if (!stem[0] || !stem[1]) {
		t->begins[(unsigned char)stem[0]] = 1;
		return;
	}
	size_t pair = pair_of(stem);
	t->pairs[pair / 64] |= UINT64_C(1) << (pair % 64);
}

static int may_begin(const struct stems *t, const char *word, size_t n)
{
	size_t pair = n > 1 ? pair_of(word) : 0;

	return t->begins[(unsigned char)word[0]] || (n > 1 && t->pairs[pair / 64] >> (pair % 64) & 1);
}

static int stems_init(struct stems *t, const struct term *terms, size_t n)
{
	*t = (struct stems){ .numbers = map_new() };
	for (size_t i = 0; t->numbers && i < n; i++) {
		int fresh;
		uint64_t *v = map_put(t->numbers, terms[i].stem, strlen(terms[i].stem), &fresh);
		if (!v)
			return -1;
		if (fresh)
			*v = i + 1;
		add_beginning(t, terms[i].stem);
	}
	return t->numbers ? 0 : -1;
}

/* Which of the terms the word is that was read: its number from 1, 0: none, -1 without memory. */
static long which_term(struct analyser *x, const struct stems *t)
{
	const struct memo *m = remember(x);
	size_t n = m ? m->n_stem : 0;
	const char *stem = m ? m->stem : find_stem(x, &n);
	const uint64_t *number = stem ? map_get(t->numbers, stem, n) : NULL;

	return !stem ? -1 : number ? (long)*number : 0;
}

long analyse_marks(struct arena *a, const char *s, size_t n, const struct term *terms, size_t n_terms,
		   const struct term_mark **out)
{
	struct term_mark *marks = NULL;
	size_t count = 0, cap = 0, start, at = 0;
	struct analyser x = { 0 };
	struct stems stems;
	long rc = stems_init(&stems, terms, n_terms) < 0 ? -1 : analyser_init(&x, a);

	while (rc >= 0 && (rc = next_word(&x, s, n, &start, &at)) > 0) {
		long term = may_begin(&stems, x.word, x.n_word) ? which_term(&x, &stems) : 0;
		if (term > 0 && GROW(marks, count, cap) < 0)
			term = -1;
		if (term > 0)
			marks[count++] = (struct term_mark){ start, at, (size_t)term - 1 };
		rc = term;
	}
	map_free(stems.numbers);
	analyser_release(&x);
	if (rc < 0) {
		free(marks);
		return -1;
	}
	return hand_over(a, marks, count, sizeof(*marks), (const void **)out);
}

/* Is token i one half of "can't", "isn't", "won't"? Then both halves tell issues apart. */
static int is_negation(const char *s, const struct token *t, size_t n, size_t i)
{
	const struct token *head, *tail;
	size_t gap;

	if (strcmp(t[i].word, "t") == 0)
		tail = i > 0 ? &t[i] : NULL;
	else
		tail = i + 1 < n && strcmp(t[i + 1].word, "t") == 0 ? &t[i + 1] : NULL;
	if (!tail)
		return 0;
	head = tail - 1;
	gap = tail->start - head->end;
	if (head->word[strlen(head->word) - 1] != 'n')
		return 0;
	return (gap == 1 && s[head->end] == '\'') ||
	       (gap == 3 && memcmp(s + head->end, "\xe2\x80\x99", 3) == 0);
}

/* Adds the words of s that are distinct by stem; `all`: stop words too. */
static long collect_terms(struct map *stems, const char *s, const struct token *t, size_t n, int all,
			  size_t max, struct term *terms)
{
	size_t count = 0;
	int fresh;

	for (size_t i = 0; i < n && count < max; i++) {
		if (!all && is_stopword(t[i].word, strlen(t[i].word)) && !is_negation(s, t, n, i))
			continue;
		if (!map_put(stems, t[i].stem, strlen(t[i].stem), &fresh))
			return -1;
		if (fresh)
			terms[count++] = (struct term){ t[i].word, t[i].stem, 1.0f };
	}
	return (long)count;
}

long analyse_query(struct arena *a, const char *s, size_t n, size_t max, const struct term **out)
{
	const struct token *tokens;
	long n_tokens = analyse_text(a, s, n, &tokens);
	struct map *stems;
	struct term *terms;
	long count;

	if (n_tokens < 0)
		return -1;
	terms = arena_alloc(a, ((size_t)n_tokens < max ? (size_t)n_tokens : max) * sizeof(*terms));
	stems = map_new();
	if (!terms || !stems) {
		map_free(stems);
		return -1;
	}
	count = collect_terms(stems, s, tokens, (size_t)n_tokens, 0, max, terms);
	if (count == 0)
		count = collect_terms(stems, s, tokens, (size_t)n_tokens, 1, max, terms);
	map_free(stems);
	if (count >= 0)
		*out = terms;
	return count;
}
