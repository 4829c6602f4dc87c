#include "datasets/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "datasets/redact_find.h"
#include "text/fold.h"

/* Longest part of a name that is looked for, folded. */
#define MAX_PART 64
#define SHORT_PART 3
/* Parts of a name in a row: more are no name. Bounds what a text of nothing but initials costs. */
#define MAX_PARTS 16

/* Of what stays: digits that make it a number to look at, and how much of it is shown. */
#define SAMPLE_DIGITS 5
#define SAMPLE_ROOM 48

/* How a part of a name may stand in a text. */
enum part { PART_BESIDE, PART_ALONE, PART_CAPITAL };

struct redactor {
	unsigned char secret[32];
	uint64_t counts[REDACT_KINDS];
	struct map *parts; /* of the row: folded parts of names -> enum part */
	struct strbuf names, key, word;
	unsigned asked; /* by the row's last text */
	uint64_t kept;
	char samples[REDACT_SAMPLES][SAMPLE_ROOM];
	const char *sample[REDACT_SAMPLES];
	size_t n_samples;
};

struct recogniser {
	const char *name, *token;
	find_fn *find; /* NULL: by the row's names */
};

static const struct recogniser recognisers[REDACT_KINDS] = {
	[REDACT_URL] = { "url", "URL", find_url },
	[REDACT_EMAIL] = { "email", "EMAIL", find_email },
	[REDACT_IBAN] = { "iban", "IBAN", find_iban },
	[REDACT_CRYPTO] = { "crypto", "CRYPTO", find_crypto },
	[REDACT_MAC] = { "mac", "MAC", find_mac },
	[REDACT_IP] = { "ip", "IP", find_ip },
	[REDACT_ORDER] = { "order", "ORDER", find_order },
	[REDACT_CARD] = { "card", "CARD", find_card },
	[REDACT_ACCOUNT] = { "account", "ACCOUNT", find_account },
	[REDACT_FISCAL_CODE] = { "fiscal_code", "FISCAL_CODE", find_fiscal_code },
	[REDACT_NIF] = { "nif", "NIF", find_nif },
	[REDACT_SSN] = { "ssn", "SSN", find_ssn },
	[REDACT_NHS] = { "nhs", "NHS", find_nhs },
	[REDACT_TFN] = { "tfn", "TFN", find_tfn },
	[REDACT_NPI] = { "npi", "NPI", find_npi },
	[REDACT_AADHAAR] = { "aadhaar", "AADHAAR", find_aadhaar },
	[REDACT_PESEL] = { "pesel", "PESEL", find_pesel },
	[REDACT_ABN] = { "abn", "ABN", find_abn },
	[REDACT_PHONE] = { "phone", "PHONE", find_phone },
	[REDACT_NAME] = { "name", "NAME", NULL },
};

const char *redact_kind_name(enum redact_kind k)
{
	return recognisers[k].name;
}

struct redactor *redactor_new(const unsigned char secret[32])
{
	struct redactor *r = calloc(1, sizeof(*r));

	if (r)
		memcpy(r->secret, secret, sizeof(r->secret));
	return r;
}

void redactor_free(struct redactor *r)
{
	if (!r)
		return;
	map_free(r->parts);
	strbuf_release(&r->names);
	strbuf_release(&r->key);
	strbuf_release(&r->word);
	free(r);
}

uint64_t redactor_count(const struct redactor *r, enum redact_kind k)
{
	return r->counts[k];
}

/* --- what stays --------------------------------------------------------------------------------------------- */

uint64_t redactor_kept(const struct redactor *r)
{
	return r->kept;
}

size_t redactor_samples(const struct redactor *r, const char *const **out)
{
	*out = r->sample;
	return r->n_samples;
}

static void add_sample(struct redactor *r, const char *s, size_t n)
{
	char *copy = r->samples[r->n_samples];

	n = n < SAMPLE_ROOM ? n : SAMPLE_ROOM - 1;
	for (size_t i = 0; i < r->n_samples; i++)
		if (strlen(r->sample[i]) == n && memcmp(r->sample[i], s, n) == 0)
			return;
	memcpy(copy, s, n);
	copy[n] = '\0';
	r->sample[r->n_samples++] = copy;
}

static int joins_digits(char c)
{
	return is_alpha(c) || is_digit(c) || (c && strchr("-_/.,:", c));
}

/* Looks at the word around the digit at the place, of letters, digits and what joins them, and returns its end. */
static size_t note_kept(struct redactor *r, const struct place *p)
{
	size_t start = p->at, end = p->at, digits = 0;

	for (; end < p->n && joins_digits(p->s[end]); end++)
		digits += is_digit(p->s[end]);
	if (digits < SAMPLE_DIGITS || date_at(p, p->at))
		return end;
	while (start > p->from && joins_digits(p->s[start - 1]))
		start--;
	for (size_t stop = end;; stop--)
		if (is_alpha(p->s[stop - 1]) || is_digit(p->s[stop - 1])) {
			r->kept++;
			if (r->n_samples < REDACT_SAMPLES)
				add_sample(r, p->s + start, stop - start);
			return end;
		}
}

/* --- names ------------------------------------------------------------------------------------------------ */

/* The end of the word at `at`; r->word is what it is folded. */
static size_t read_word(struct redactor *r, const char *s, size_t n, size_t at)
{
	size_t end = at;
	uint32_t c;

	while (name_at(s, n, end))
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

/* 1 if the word is in the list; all there have eight letters at most. */
static int is_in(const char *list, const struct strbuf *word)
{
	char s[12];

	if (word->n > 8)
		return 0;
	s[0] = '|';
	memcpy(s + 1, word->p, word->n);
	memcpy(s + 1 + word->n, "|", 2);
	return strstr(list, s) != NULL;
}

/* Names that are words as well: "will", "mark", "rose". */
static const char common_words[] =
	"|will|may|mark|rose|grace|hope|bill|frank|art|rob|sue|pat|drew|chase|grant|rich|guy|faith|joy|june|april|"
	"august|summer|dawn|daisy|lily|pearl|amber|ray|miles|wade|clay|reed|lane|cliff|young|long|short|white|"
	"black|brown|green|gray|grey|king|price|cook|baker|page|cash|wells|stone|wood|woods|rivers|love|best|"
	"good|day|small|little|sharp|case|head|church|field|hill|forest|bush|park|bond|penny|olive|star|sky|"
	"sunny|trip|wolf|fox|bird|fish|lamb|steel|storm|frost|snow|winter|north|west|east|";

static enum part part_of(const struct strbuf *word)
{
	static const char particles[] =
		"|and|the|van|von|der|den|del|des|dos|das|ter|ten|ibn|bin|und|mrs|miss|herr|frau|";

	if (letters_in(word) < SHORT_PART || is_in(particles, word))
		return PART_BESIDE;
	return is_in(common_words, word) ? PART_CAPITAL : PART_ALONE;
}

/* The first letter of a part, as in "J. Roe". */
static int add_initial(struct redactor *r)
{
	uint32_t c;

	return map_put(r->parts, r->word.p, utf8_next(r->word.p, r->word.n, &c), NULL) ? 0 : -1;
}

static int add_names(struct redactor *r, struct text names)
{
	size_t at = 0;

	while (names.s && at < names.n) {
		if (!name_at(names.s, names.n, at)) {
			uint32_t c;
			at += utf8_next(names.s + at, names.n - at, &c);
			continue;
		}
		at = read_word(r, names.s, names.n, at);
		if (r->word.failed)
			return -1;
		if (r->word.n == 0)
			continue;
		uint64_t *part = map_put(r->parts, r->word.p, r->word.n, NULL);
		if (!part)
			return -1;
		*part = part_of(&r->word);
		if (add_initial(r) < 0)
			return -1;
	}
	return 0;
}

int redactor_begin(struct redactor *r, struct text names)
{
	/* The same customer again: one with thousands of names ("guest") costs once. */
	if (r->parts && names.s && names.n == r->names.n && memcmp(names.s, r->names.p, names.n) == 0) {
		r->asked = 0;
		return 0;
	}
	map_free(r->parts);
	r->parts = map_new();
	r->asked = 0;
	strbuf_clear(&r->names);
	if (names.s)
		strbuf_add(&r->names, names.s, names.n);
	return r->parts && !r->names.failed ? add_names(r, names) : -1;
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
	return to > at && name_at(p->s, p->n, to) ? to : at;
}

/* Whether it is written as a name is: "J.", "Will", "WILL". */
static int is_capital(const struct place *p, size_t at)
{
	uint32_t c;

	utf8_next(p->s + at, p->n - at, &c);
	return fold_lower(c) != c;
}

/* 1 if the word behind the one that ends there makes that no name: "Will you", "Mark it". */
static int asks_or_tells(const struct place *p, size_t end)
{
	static const char objects[] =
		"|you|i|we|he|she|it|they|the|this|that|there|my|your|our|his|their|me|us|"
		"him|her|them|a|an|any|some|";
	char word[WORD_ROOM] = "|";
	size_t n = 0;

	if (end >= p->n || p->s[end] != ' ')
		return 0;
	for (end++; end + n < p->n && n < 8 && is_alpha(p->s[end + n]); n++)
		word[n + 1] = lower(p->s[end + n]);
	memcpy(word + 1 + n, "|", 2);
	return n > 0 && strstr(objects, word) != NULL;
}

/* A run of parts of the names, one of which may stand alone. All names of a row are one person's: one key. */
static size_t find_name(struct redactor *r, const struct place *p)
{
	size_t at = p->at, end = p->at;
	int alone = 0;

	if (map_count(r->parts) == 0 || !name_at(p->s, p->n, at) || word_before(p))
		return 0;
	/* Not at each letter of a run without spaces. */
	if (!word_at(p->s, p->n, at) && at > 0 && name_at(p->s, p->n, utf8_floor(p->s, p->n, at - 1)))
		return 0;
	for (int parts = 0; parts < MAX_PARTS; parts++) {
		size_t stop = read_word(r, p->s, p->n, at);
		const uint64_t *part = r->word.n ? map_get(r->parts, r->word.p, r->word.n) : NULL;
		if (!part || (letters_in(&r->word) == 1 && !is_capital(p, at)))
			break;
		alone |= *part == PART_ALONE ||
			 (*part == PART_CAPITAL && is_capital(p, at) && !asks_or_tells(p, stop));
		end = stop;
		at = next_word(p, stop);
		if (at == stop)
			break;
	}
	if (!alone)
		return 0;
	strbuf_add(&r->key, r->names.p, r->names.n);
	return end - p->at;
}

/* --- texts ------------------------------------------------------------------------------------------------ */

/* What is at the place: its length, and its key in r->key. 0: nothing. */
static size_t find_any(struct redactor *r, const struct place *p, enum redact_kind *kind)
{
	/* Nothing begins inside a word, and most of a text is inside words. */
	if (word_before(p) || !(name_at(p->s, p->n, p->at) || strchr("+(:_", p->s[p->at])))
		return 0;
	for (int k = 0; k < REDACT_KINDS; k++) {
		strbuf_clear(&r->key);
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
	unsigned char hash[SHA256_SIZE];
	char digits[REDACT_DIGITS + 1];

	/* The kind and the key are what is hashed. */
	strbuf_clear(&r->word);
	strbuf_printf(&r->word, "%s\n", recognisers[kind].name);
	strbuf_add(&r->word, r->key.p, r->key.n);
	if (r->key.failed || r->word.failed)
		return -1;
	crypto_hmac(r->secret, r->word.p, r->word.n, hash);
	hex_encode(hash, REDACT_DIGITS / 2, digits);
	r->counts[kind]++;
	strbuf_printf(out, "[%s_%s]", recognisers[kind].token, digits);
	return 0;
}

size_t redact_token(const char *s, size_t n)
{
	const size_t digits = REDACT_DIGITS;

	if (n == 0 || *s != '[')
		return 0;
	for (int k = 0; k < REDACT_KINDS; k++) {
		size_t len = strlen(recognisers[k].token), all = len + digits + 3;
		if (n < all || memcmp(s + 1, recognisers[k].token, len) != 0 || s[1 + len] != '_' ||
		    s[all - 1] != ']')
			continue;
		if (strspn(s + len + 2, "0123456789abcdef") == digits)
			return all;
	}
	return 0;
}

int redactor_text(struct redactor *r, struct arena *a, struct text in, struct text *out)
{
	STRBUF_AUTO plain = STRBUF_INIT;
	struct place p = { .s = in.s, .n = in.n, .asked = r->asked };
	size_t copied = 0, noted = 0;

	while (p.at < p.n) {
		enum redact_kind kind;
		size_t token = redact_token(p.s + p.at, p.n - p.at);
		if (token) { /* it was redacted before */
			p.from = p.at += token;
			continue;
		}
		size_t len = find_any(r, &p, &kind);
		if (len == 0) {
			if (p.at >= noted && is_digit(p.s[p.at]))
				noted = note_kept(r, &p);
			p.at++;
			while (p.at < p.n && (p.s[p.at] & 0xC0) == 0x80)
				p.at++;
			continue;
		}
		strbuf_add(&plain, in.s + copied, p.at - copied);
		if (add_token(r, kind, &plain) < 0)
			return -1;
		copied = p.from = p.at += len;
		p.before = recognisers[kind].find;
	}
	if (r->word.failed || plain.failed)
		return -1;
	r->asked = asked_for(in.s, in.n);
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
