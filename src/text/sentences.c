/*
 * Sentences by rules, one pass. A full stop ends one unless what stands before
 * it is an abbreviation or an initial, or what comes after goes on in lower
 * case behind an ellipsis. White space must follow (that keeps decimals, URLs,
 * versions and file names whole), except after the stops of Chinese and
 * Japanese. A line break ends a sentence unless the lines look wrapped.
 */
#include "text/passage.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/utf8.h"
#include "text/fold.h"

/* Lines of this many bytes are taken for wrapped prose when the text goes on in the next. */
#define WRAPPED_MIN 50
#define WRAPPED_MAX 130

struct splitter {
	const char *s;
	size_t n;
	size_t start;      /* of the sentence being read */
	size_t line_start; /* of the line being read */
	struct span *spans;
	size_t count, cap;
};

static uint32_t char_at(const struct splitter *x, size_t i, size_t *len)
{
	uint32_t c = 0;

	*len = i < x->n ? utf8_next(x->s + i, x->n - i, &c) : 0;
	return c;
}

static size_t skip_space(const struct splitter *x, size_t i)
{
	size_t len;

	while (i < x->n && fold_is_space(char_at(x, i, &len)))
		i += len;
	return i;
}

/* [start, end) without the white space around it. */
static struct span trim(const char *s, size_t start, size_t end)
{
	uint32_t c;

	while (start < end) {
		size_t len = utf8_next(s + start, end - start, &c);
		if (!fold_is_space(c))
			break;
		start += len;
	}
	while (end > start) {
		size_t last = utf8_floor(s, end, end - 1);
		utf8_next(s + last, end - last, &c);
		if (!fold_is_space(c))
			break;
		end = last;
	}
	return (struct span){ start, end };
}

static int end_sentence(struct splitter *x, size_t end)
{
	struct span t = trim(x->s, x->start, end);

	x->start = end;
	if (t.start == t.end)
		return 0;
	if (GROW(x->spans, x->count, x->cap) < 0)
		return -1;
	x->spans[x->count++] = t;
	return 0;
}

static int is_upper(uint32_t c)
{
	return fold_is_letter(c) && fold_lower(c) != c;
}

static int is_lower(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 0xdf && fold_is_letter(c) && !is_upper(c) && c < 0x600);
}

static int is_quote_or_bracket(uint32_t c)
{
	return c == '"' || c == '\'' || c == ')' || c == ']' || c == '}' || c == '*' || c == '_' ||
	       c == 0x2019 || c == 0x201d || c == 0xbb || c == 0x300d || c == 0x300f || c == 0xff09;
}

static int is_wide_stop(uint32_t c)
{
	return c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff61;
}

static int is_stop(uint32_t c)
{
	return c == '.' || c == '!' || c == '?' || c == 0x2026 || is_wide_stop(c);
}

/* When a word of the list, lower case, stands before a full stop. */
enum abbreviation {
	NOT_ONE,
	NEVER_ENDS,         /* "Dr.", "e.g.": something always follows */
	ENDS_BEFORE_UPPER,  /* "etc.", "Inc.": the sentence may end there */
	ENDS_UNLESS_NUMBER, /* "No. 5", "Fig. 3" */
};

static const struct {
	const char *word;
	enum abbreviation kind;
} abbreviations[] = {
	{ "a.k.a", NEVER_ENDS },        { "a.m", ENDS_BEFORE_UPPER },  { "acct", NEVER_ENDS },
	{ "al", ENDS_BEFORE_UPPER },    { "approx", NEVER_ENDS },      { "apt", ENDS_UNLESS_NUMBER },
	{ "art", ENDS_UNLESS_NUMBER },  { "assn", ENDS_BEFORE_UPPER }, { "attn", NEVER_ENDS },
	{ "aug", ENDS_UNLESS_NUMBER },  { "ave", ENDS_BEFORE_UPPER },  { "bldg", ENDS_UNLESS_NUMBER },
	{ "blvd", ENDS_BEFORE_UPPER },  { "ca", NEVER_ENDS },          { "capt", NEVER_ENDS },
	{ "cf", NEVER_ENDS },           { "ch", ENDS_UNLESS_NUMBER },  { "co", ENDS_BEFORE_UPPER },
	{ "col", NEVER_ENDS },          { "corp", ENDS_BEFORE_UPPER }, { "dec", ENDS_UNLESS_NUMBER },
	{ "dept", ENDS_BEFORE_UPPER },  { "dr", NEVER_ENDS },          { "e.g", NEVER_ENDS },
	{ "eg", NEVER_ENDS },           { "eq", ENDS_UNLESS_NUMBER },  { "esp", NEVER_ENDS },
	{ "est", ENDS_BEFORE_UPPER },   { "etc", ENDS_BEFORE_UPPER },  { "ext", ENDS_UNLESS_NUMBER },
	{ "feb", ENDS_UNLESS_NUMBER },  { "fig", ENDS_UNLESS_NUMBER }, { "figs", ENDS_UNLESS_NUMBER },
	{ "gen", NEVER_ENDS },          { "gov", NEVER_ENDS },         { "hon", NEVER_ENDS },
	{ "i.e", NEVER_ENDS },          { "ie", NEVER_ENDS },          { "inc", ENDS_BEFORE_UPPER },
	{ "incl", NEVER_ENDS },         { "jan", ENDS_UNLESS_NUMBER }, { "jr", ENDS_BEFORE_UPPER },
	{ "lt", NEVER_ENDS },           { "ltd", ENDS_BEFORE_UPPER },  { "max", ENDS_UNLESS_NUMBER },
	{ "messrs", NEVER_ENDS },       { "min", ENDS_UNLESS_NUMBER }, { "mr", NEVER_ENDS },
	{ "mrs", NEVER_ENDS },          { "ms", NEVER_ENDS },          { "mt", NEVER_ENDS },
	{ "no", ENDS_UNLESS_NUMBER },   { "nos", ENDS_UNLESS_NUMBER }, { "nov", ENDS_UNLESS_NUMBER },
	{ "oct", ENDS_UNLESS_NUMBER },  { "p", ENDS_UNLESS_NUMBER },   { "p.m", ENDS_BEFORE_UPPER },
	{ "p.s", NEVER_ENDS },          { "ph.d", ENDS_BEFORE_UPPER }, { "pp", ENDS_UNLESS_NUMBER },
	{ "prof", NEVER_ENDS },         { "qty", ENDS_UNLESS_NUMBER }, { "ref", ENDS_UNLESS_NUMBER },
	{ "rep", NEVER_ENDS },          { "resp", NEVER_ENDS },        { "rev", NEVER_ENDS },
	{ "sec", ENDS_UNLESS_NUMBER },  { "sen", NEVER_ENDS },         { "sep", ENDS_UNLESS_NUMBER },
	{ "sept", ENDS_UNLESS_NUMBER }, { "sgt", NEVER_ENDS },         { "sr", ENDS_BEFORE_UPPER },
	{ "st", ENDS_BEFORE_UPPER },    { "tel", NEVER_ENDS },         { "v", ENDS_UNLESS_NUMBER },
	{ "ver", ENDS_UNLESS_NUMBER },  { "viz", NEVER_ENDS },         { "vol", ENDS_UNLESS_NUMBER },
	{ "vs", NEVER_ENDS },
};

#define LONGEST_ABBREVIATION 6

static int compare_word(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

/* The kind of the word s[start, end), without the stop behind it. */
static enum abbreviation abbreviation_of(const char *s, size_t start, size_t end)
{
	char key[LONGEST_ABBREVIATION + 1];
	size_t n = end - start;
	const char *const *found;

	if (n == 0 || n > LONGEST_ABBREVIATION)
		return NOT_ONE;
	for (size_t i = 0; i < n; i++)
		key[i] = (char)(s[start + i] >= 'A' && s[start + i] <= 'Z' ? s[start + i] + 32
									   : s[start + i]);
	key[n] = '\0';
	found = bsearch(key, abbreviations, sizeof(abbreviations) / sizeof(abbreviations[0]),
			sizeof(abbreviations[0]), compare_word);
	if (found)
		return abbreviations[(size_t)((const char *)found - (const char *)abbreviations) /
				     sizeof(abbreviations[0])]
			.kind;
	/* "U.S", "D.C": letters with stops between them */
	for (size_t i = 0; i < n; i++)
		if (i % 2 ? key[i] != '.' : key[i] < 'a' || key[i] > 'z')
			return NOT_ONE;
	return n > 1 && n % 2 ? ENDS_BEFORE_UPPER : NOT_ONE;
}

/* The start of the word that ends at `end`: back to white space or an opening bracket. */
static size_t word_start(const struct splitter *x, size_t end)
{
	size_t i = end;

	while (i > x->start && end - i <= LONGEST_ABBREVIATION + 1) {
		char c = x->s[i - 1];
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == '[' || c == '"' ||
		    c == '/')
			break;
		i--;
	}
	return i;
}

/* Is s[i, end) a number that opens its line, as "3" in "3. Click on it"? */
static int is_item_number(const struct splitter *x, size_t i, size_t end)
{
	size_t before = i;

	if (i == end || end - i > 3)
		return 0;
	for (; i < end; i++)
		if (x->s[i] < '0' || x->s[i] > '9')
			return 0;
	while (before > x->line_start && (x->s[before - 1] == ' ' || x->s[before - 1] == '\t'))
		before--;
	return before == x->line_start;
}

/* Does the single full stop at `dot` end its sentence, if `next` is what comes after? */
static int full_stop_ends(const struct splitter *x, size_t dot, uint32_t next)
{
	size_t start = word_start(x, dot);
	int number = next < 0x80 ? next >= '0' && next <= '9' : fold_is_digit(next);

	if (is_item_number(x, start, dot))
		return 0;
	if (dot - start == 1 && x->s[start] >= 'A' && x->s[start] <= 'Z' && x->s[start] != 'I')
		return !is_upper(next); /* an initial: "J. Smith" */
	switch (abbreviation_of(x->s, start, dot)) {
	case NEVER_ENDS:
		return 0;
	case ENDS_BEFORE_UPPER:
		/* "St. Mary" is no end, but "Main St. The" is one too: names are the rarer in support texts */
		return !is_lower(next) && !number;
	case ENDS_UNLESS_NUMBER:
		return !number && next != '#';
	case NOT_ONE:
		break;
	}
	return 1;
}

/*
 * At a stop: *end is where the sentence ends if it does (after the stops,
 * quotes and brackets that follow). 1 if it ends there.
 */
static int stop_ends(const struct splitter *x, size_t at, size_t *end)
{
	size_t len, i = at, stops = 0;
	uint32_t c = char_at(x, i, &len), last = c;
	int closed = 0, ellipsis;

	for (; i < x->n && is_stop(c); c = char_at(x, i, &len), stops++) {
		last = c;
		i += len;
	}
	for (; i < x->n && is_quote_or_bracket(c); c = char_at(x, i, &len)) {
		i += len;
		closed = 1;
	}
	*end = i;
	if (i == x->n || is_wide_stop(last))
		return 1;
	if (!fold_is_space(c))
		return 0;
	uint32_t next = char_at(x, skip_space(x, i), &len);
	ellipsis = last == 0x2026 || (stops > 1 && last == '.');
	if (ellipsis || closed)
		return !is_lower(next);
	return last != '.' || full_stop_ends(x, at, next);
}

/* Does a list item, a heading or a table row start at i? */
static int is_item(const struct splitter *x, size_t i)
{
	size_t digits = 0, len;
	uint32_t c = char_at(x, i, &len);

	if (c == '#' || c == '|' || c == '>' || c == 0x2022 || c == 0x25cf || c == 0x25aa || c == 0x2013)
		return 1;
	if (c == '-' || c == '*' || c == '+')
		return i + 1 < x->n && (x->s[i + 1] == ' ' || x->s[i + 1] == '\t' || x->s[i + 1] == x->s[i]);
	while (i + digits < x->n && digits < 4 && x->s[i + digits] >= '0' && x->s[i + digits] <= '9')
		digits++;
	i += digits;
	return digits > 0 && i + 1 < x->n && (x->s[i] == '.' || x->s[i] == ')') && x->s[i + 1] == ' ';
}

/* Does the line break at i end a sentence? *next is where the next line begins. */
static int line_break_ends(const struct splitter *x, size_t i, size_t *next)
{
	size_t width = i - x->line_start, j = i, breaks = 0;

	while (j < x->n && (x->s[j] == '\n' || x->s[j] == '\r' || x->s[j] == ' ' || x->s[j] == '\t'))
		breaks += x->s[j++] == '\n';
	*next = j;
	return breaks != 1 || width < WRAPPED_MIN || width > WRAPPED_MAX || x->s[x->line_start] == '|' ||
	       is_item(x, j);
}

static int run(struct splitter *x)
{
	size_t i = 0, len, next;

	while (i < x->n) {
		uint32_t c = char_at(x, i, &len);
		next = i + len;
		if (c == '\n') {
			int ends = line_break_ends(x, i, &next);
			x->line_start = next;
			if (ends && end_sentence(x, next) < 0)
				return -1;
		} else if (c >= 0x2028 && c <= 0x2029) {
			x->line_start = next;
			if (end_sentence(x, next) < 0)
				return -1;
		} else if (is_stop(c) && stop_ends(x, i, &next) && end_sentence(x, next) < 0) {
			return -1;
		}
		i = next;
	}
	return end_sentence(x, x->n);
}

long split_sentences(struct arena *a, const char *s, size_t n, const struct span **out)
{
	struct splitter x = { .s = s, .n = n };
	struct span *spans = NULL;

	if (run(&x) == 0)
		spans = arena_alloc(a, x.count * sizeof(*spans));
	if (spans) {
		if (x.count)
			memcpy(spans, x.spans, x.count * sizeof(*spans));
		*out = spans;
	}
	free(x.spans);
	return spans ? (long)x.count : -1;
}
