#include "datasets/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "datasets/redact_find.h"
#include "text/fold.h"

/* Longest part of a name that is looked for, folded. */
#define MAX_PART 64
#define SHORT_PART 3

struct redactor {
	uint64_t counts[REDACT_KINDS];
	uint64_t numbers[REDACT_KINDS]; /* of the row: the last that was given */
	struct map *seen;               /* of the row: kind and key -> number */
	struct map *parts;              /* of the row: folded parts of names; 1: long enough to stand alone */
	struct strbuf key, word;
};

struct recogniser {
	const char *name, *token;
	find_fn *find; /* NULL: by the row's names */
};

static const struct recogniser recognisers[REDACT_KINDS] = {
	[REDACT_URL] = { "url", "URL", find_url },     [REDACT_EMAIL] = { "email", "EMAIL", find_email },
	[REDACT_IBAN] = { "iban", "IBAN", find_iban }, [REDACT_MAC] = { "mac", "MAC", find_mac },
	[REDACT_IP] = { "ip", "IP", find_ip },         [REDACT_CARD] = { "card", "CARD", find_card },
	[REDACT_SSN] = { "ssn", "SSN", find_ssn },     [REDACT_PHONE] = { "phone", "PHONE", find_phone },
	[REDACT_NAME] = { "name", "NAME", NULL },
};

const char *redact_kind_name(enum redact_kind k)
{
	return recognisers[k].name;
}

struct redactor *redactor_new(void)
{
	return calloc(1, sizeof(struct redactor));
}

static void forget_row(struct redactor *r)
{
	map_free(r->seen);
	map_free(r->parts);
	r->seen = r->parts = NULL;
	memset(r->numbers, 0, sizeof(r->numbers));
}

void redactor_free(struct redactor *r)
{
	if (!r)
		return;
	forget_row(r);
	strbuf_release(&r->key);
	strbuf_release(&r->word);
	free(r);
}

uint64_t redactor_count(const struct redactor *r, enum redact_kind k)
{
	return r->counts[k];
}

/* --- names ------------------------------------------------------------------------------------------------ */

/* The end of the word at `at`; r->word is what it is folded. */
static size_t read_word(struct redactor *r, const char *s, size_t n, size_t at)
{
	size_t end = at;
	uint32_t c;

	while (word_at(s, n, end))
		end += utf8_next(s + end, n - end, &c);
	strbuf_clear(&r->word);
	/* A word of thousands of letters is no name. */
	if (end - at <= (size_t)MAX_PART * 4)
		fold_text(s + at, end - at, &r->word);
	return end;
}

static size_t letters_in(const struct strbuf *word)
{
	size_t letters = 0;
	uint32_t c;

	for (size_t i = 0; i < word->n; letters++)
		i += utf8_next(word->p + i, word->n - i, &c);
	return letters;
}

/* What is in many names, and in many sentences. */
static int is_particle(const struct strbuf *word)
{
	static const char particles[] =
		"|and|the|van|von|der|den|del|des|dos|das|ter|ten|ibn|bin|und|mrs|miss|herr|frau|";
	char s[12];

	if (word->n > 8)
		return 0;
	s[0] = '|';
	memcpy(s + 1, word->p, word->n);
	memcpy(s + 1 + word->n, "|", 2);
	return strstr(particles, s) != NULL;
}

static int add_names(struct redactor *r, struct text names)
{
	size_t at = 0;

	while (names.s && at < names.n) {
		if (!word_at(names.s, names.n, at)) {
			uint32_t c;
			at += utf8_next(names.s + at, names.n - at, &c);
			continue;
		}
		at = read_word(r, names.s, names.n, at);
		if (r->word.failed)
			return -1;
		if (r->word.n == 0)
			continue;
		uint64_t *alone = map_put(r->parts, r->word.p, r->word.n, NULL);
		if (!alone)
			return -1;
		*alone = letters_in(&r->word) >= SHORT_PART && !is_particle(&r->word);
	}
	return 0;
}

int redactor_begin(struct redactor *r, struct text names)
{
	forget_row(r);
	r->seen = map_new();
	r->parts = map_new();
	return r->seen && r->parts ? add_names(r, names) : -1;
}

/* Where the next word begins if little is between: "Ann-Marie", "J. Doe", "O'Brien"; else `at`. */
static size_t next_word(const struct place *p, size_t at)
{
	size_t to = at;

	while (to < p->n && to - at < 3) {
		if (strchr(" .-'", p->s[to]) && p->s[to])
			to++;
		else if (p->n - to >= 3 && memcmp(p->s + to, "\xe2\x80\x99", 3) == 0)
			to += 3;
		else
			break;
	}
	return to > at && word_at(p->s, p->n, to) ? to : at;
}

/* A run of parts of the names, one of which may stand alone. All names of a row are one person's: one key. */
static size_t find_name(struct redactor *r, const struct place *p)
{
	size_t at = p->at, end = p->at;
	int alone = 0;

	if (map_count(r->parts) == 0 || !word_at(p->s, p->n, at) || word_before(p))
		return 0;
	for (;;) {
		size_t stop = read_word(r, p->s, p->n, at);
		const uint64_t *part = r->word.n ? map_get(r->parts, r->word.p, r->word.n) : NULL;
		if (!part)
			break;
		alone |= *part != 0;
		end = stop;
		at = next_word(p, stop);
		if (at == stop)
			break;
	}
	return alone ? end - p->at : 0;
}

/* --- texts ------------------------------------------------------------------------------------------------ */

/* What is at the place: its length, and its key in r->key behind the kind. 0: nothing. */
static size_t find_any(struct redactor *r, const struct place *p, enum redact_kind *kind)
{
	/* Nothing begins inside a word, and most of a text is inside words. */
	if (word_before(p) || !(word_at(p->s, p->n, p->at) || strchr("+(:_", p->s[p->at])))
		return 0;
	for (int k = 0; k < REDACT_KINDS; k++) {
		strbuf_clear(&r->key);
		strbuf_putc(&r->key, (char)('a' + k));
		size_t len = recognisers[k].find ? recognisers[k].find(p, &r->key) : find_name(r, p);
		if (len) {
			*kind = (enum redact_kind)k;
			return len;
		}
	}
	return 0;
}

static int add_token(struct redactor *r, enum redact_kind kind, struct strbuf *out)
{
	int fresh;
	uint64_t *number;

	if (r->key.failed || !(number = map_put(r->seen, r->key.p, r->key.n, &fresh)))
		return -1;
	if (fresh)
		*number = ++r->numbers[kind];
	r->counts[kind]++;
	strbuf_printf(out, "[%s_%llu]", recognisers[kind].token, (unsigned long long)*number);
	return 0;
}

int redactor_text(struct redactor *r, struct arena *a, struct text in, struct text *out)
{
	STRBUF_AUTO plain = STRBUF_INIT;
	struct place p = { .s = in.s, .n = in.n };
	size_t copied = 0;

	while (p.at < p.n) {
		enum redact_kind kind;
		size_t len = find_any(r, &p, &kind);
		if (len == 0) {
			p.at++;
			while (p.at < p.n && (p.s[p.at] & 0xC0) == 0x80)
				p.at++;
			continue;
		}
		strbuf_add(&plain, in.s + copied, p.at - copied);
		if (add_token(r, kind, &plain) < 0)
			return -1;
		copied = p.at += len;
	}
	if (r->word.failed || plain.failed)
		return -1;
	if (copied == 0) {
		*out = in;
		return 0;
	}
	strbuf_add(&plain, in.s + copied, in.n - copied);
	const char *s = plain.failed ? NULL : arena_strndup(a, plain.p, plain.n);
	if (!s)
		return -1;
	*out = (struct text){ s, plain.n };
	return 0;
}
