#include "text/analyser.h"

#include <stdlib.h>
#include <string.h>

#include <libstemmer.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/utf8.h"
#include "text/fold.h"
#include "text/stopwords.h"

/* Longer words are no words (encoded data); they are found as they are, not stemmed. */
#define MAX_STEMMED 64

/*
 * What one call works with. A stemmer must not be shared between threads and
 * is cheap to make, so each call has its own. Each distinct word is stored
 * and stemmed once: long texts repeat theirs.
 */
struct analyser {
	struct arena *arena;
	struct sb_stemmer *stemmer;
	struct map *seen; /* folded word -> index in `forms`, plus 1 */
	struct form {
		const char *word, *stem;
	} * forms;
	size_t n_forms, cap_forms;
	char *word; /* the folded word being read */
	size_t n_word, cap_word;
};

static void analyser_release(struct analyser *x)
{
	sb_stemmer_delete(x->stemmer);
	map_free(x->seen);
	free(x->forms);
	free(x->word);
}

static int analyser_init(struct analyser *x, struct arena *a)
{
	*x = (struct analyser){ .arena = a,
				.stemmer = sb_stemmer_new("english", "UTF_8"),
				.seen = map_new() };
	if (x->stemmer && x->seen)
		return 0;
	analyser_release(x);
	return -1;
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

/*
 * Reads the next word of s from *at on into x->word; *start and *at are its
 * place. 1, 0 at the end of the text, -1 without memory.
 */
static int next_word(struct analyser *x, const char *s, size_t n, size_t *start, size_t *at)
{
	uint32_t c;
	size_t i = *at, len;

	for (; i < n; i += len) {
		len = utf8_next(s + i, n - i, &c);
		if (is_word(c))
			break;
	}
	x->n_word = 0;
	*start = i;
	for (; i < n; i += len) {
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

/* The form of x->word; NULL without memory. */
static const struct form *find_form(struct analyser *x)
{
	uint64_t *v = map_put(x->seen, x->word, x->n_word, NULL);
	const char *stem;

	if (!v)
		return NULL;
	if (*v)
		return &x->forms[*v - 1];
	if (GROW(x->forms, x->n_forms, x->cap_forms) < 0)
		return NULL;
	struct form *f = &x->forms[x->n_forms];
	f->word = f->stem = arena_strndup(x->arena, x->word, x->n_word);
	if (f->word && x->n_word <= MAX_STEMMED) {
		stem = (const char *)sb_stemmer_stem(x->stemmer, (const sb_symbol *)x->word, (int)x->n_word);
		size_t len = stem ? (size_t)sb_stemmer_length(x->stemmer) : 0;
		if (!stem)
			return NULL;
		if (len != x->n_word || memcmp(stem, x->word, len) != 0)
			f->stem = arena_strndup(x->arena, stem, len);
	}
	if (!f->word || !f->stem)
		return NULL;
	*v = ++x->n_forms;
	return f;
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
		const struct form *f = find_form(&x);
		if (!f || GROW(tokens, count, cap) < 0) {
			rc = -1;
			break;
		}
		tokens[count++] = (struct token){ start, at, f->word, f->stem };
	}
	analyser_release(&x);
	if (rc < 0) {
		free(tokens);
		return -1;
	}
	return hand_over(a, tokens, count, sizeof(*tokens), (const void **)out);
}

/* stem -> its number among the terms, from 1; and the bytes that stems begin with. -1 without memory. */
static int map_stems(const struct term *terms, size_t n, struct map **out, char begins[256])
{
	struct map *m = map_new();

	for (size_t i = 0; m && i < n; i++) {
		int fresh;
		uint64_t *v = map_put(m, terms[i].stem, strlen(terms[i].stem), &fresh);
		if (!v) {
			map_free(m);
			return -1;
		}
		if (fresh)
			*v = i + 1;
		begins[(unsigned char)terms[i].stem[0]] = 1;
	}
	*out = m;
	return m ? 0 : -1;
}

/* Adds the word that was read, if it is one of the terms. */
static int add_mark(struct analyser *x, const struct map *stems, struct term_mark **marks, size_t *n,
		    size_t *cap, struct term_mark at)
{
	const struct form *f = find_form(x);
	const uint64_t *term = f ? map_get(stems, f->stem, strlen(f->stem)) : NULL;

	if (!f)
		return -1;
	if (!term)
		return 0;
	if (GROW(*marks, *n, *cap) < 0)
		return -1;
	at.term = (size_t)*term - 1;
	(*marks)[(*n)++] = at;
	return 0;
}

long analyse_marks(struct arena *a, const char *s, size_t n, const struct term *terms, size_t n_terms,
		   const struct term_mark **out)
{
	struct term_mark *marks = NULL;
	size_t count = 0, cap = 0, start, at = 0;
	char begins[256] = { 0 };
	struct map *stems;
	struct analyser x;
	int rc;

	if (map_stems(terms, n_terms, &stems, begins) < 0)
		return -1;
	if (analyser_init(&x, a) < 0) {
		map_free(stems);
		return -1;
	}
	while ((rc = next_word(&x, s, n, &start, &at)) > 0) {
		if (!begins[(unsigned char)x.word[0]])
			continue;
		if (add_mark(&x, stems, &marks, &count, &cap, (struct term_mark){ start, at, 0 }) < 0) {
			rc = -1;
			break;
		}
	}
	analyser_release(&x);
	map_free(stems);
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
