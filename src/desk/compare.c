#include "desk/compare.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "desk/query.h"
#include "embed/embed.h"
#include "text/stopwords.h"

/*
 * Words that stand for different things where one would do. Each line is one
 * question; '/' parts its answers, '|' the words of an answer (as stems). Two
 * texts that answer a question differently do not agree. The first word of an answer
 * also stands for the others when words are counted.
 */
static const char *const contrasts[] = {
	"refund|reimburs|repay|repaid/replac|swap|exchang/repair/credit|voucher",
	"call|phone|ring|callback|telephon/email|mail|e-mail|write/chat/sms",
	"befor|until|till/after",
	"on/off",
	"open/close|shut",
	"enabl|activ/disabl|deactiv",
	"accept|approv|grant/declin|reject|refus|deni",
	"increas|rais/decreas|reduc|lower",
	"keep/cancel",
	"upgrad/downgrad",
	"add/remov|delet",
	"free/charg|pay|paid|cost",
	"earli|earlier/late|later",
	"first/second/third/last",
	"card/paypal|paypath|wallet/bank|transfer",
	"full|whole|entir/partial|part|half",
	"most|maximum/least|minimum",
	"more/less|fewer",
	"lock/unlock",
	"deliv|deliveri|ship/return|collect|pick",
	"billing/shipping",
};
#define CONTRASTS (sizeof(contrasts) / sizeof(contrasts[0]))
static_assert(CONTRASTS <= COMPARE_QUESTIONS, "struct compared has no room for all questions");

/* Which answer of question `q` the word gives: its place in the line, 0 for none; *first is the answer's first word. */
static unsigned answer_of(const char *q, const char *stem, const char **first)
{
	size_t n = strlen(stem);
	unsigned answer = 1;

	*first = q;
	for (const char *p = q; *p;) {
		size_t len = strcspn(p, "|/");
		if (len == n && memcmp(p, stem, n) == 0)
			return answer;
		p += len;
		if (*p == '/') {
			answer++;
			*first = p + 1;
		}
		p += *p != '\0';
	}
	return 0;
}

/* Notes what the word answers; returns the word that stands for it when overlap is counted. NULL without memory. */
static const char *canonical(struct arena *a, struct compared *c, const char *stem)
{
	const char *first, *as = NULL;

	for (size_t i = 0; i < CONTRASTS; i++) {
		unsigned answer = answer_of(contrasts[i], stem, &first);
		c->answers[i] |= answer ? 1u << answer : 0;
		if (answer && !as)
			as = first;
	}
	return as ? arena_strndup(a, as, strcspn(as, "|/")) : stem;
}

static int is_filler(const char *word)
{
	struct lexeme x = { .w = word, .n = strlen(word) };

	return is_stopword(word, x.n) ||
	       lexeme_is(
		       &x,
		       "not|no|never|don|doesn|didn|won|isn|wasn|cannot|please|customer|caller|bot|assistant|agent|"
		       "get|got|say|said|tell|told|want|need|promised|promise|has|now");
}

/* Is the token part of a fact? Tokens come in order: *next is the first fact that may still hold one. */
static int in_facts(const struct compared *c, const struct token *t, long *next)
{
	while (*next < c->n_facts && c->facts[*next].end <= t->start)
		++*next;
	return *next < c->n_facts && t->end > c->facts[*next].start;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_stems(struct arena *a, struct compared *c)
{
	const struct token *tokens;
	long n = analyse_text(a, c->text.s, c->text.n, &tokens);
	size_t have = 0;
	long fact = 0;

	c->stems = n < 0 ? NULL : arena_alloc(a, ((size_t)n + 1) * sizeof(*c->stems));
	for (long i = 0; c->stems && i < n; i++) {
		if (is_filler(tokens[i].word) || in_facts(c, &tokens[i], &fact))
			continue;
		if (!(c->stems[have++] = canonical(a, c, tokens[i].stem)))
			return -1;
	}
	if (!c->stems)
		return -1;
	qsort(c->stems, have, sizeof(*c->stems), by_bytes);
	for (size_t i = 0; i < have; i++)
		if (i == 0 || strcmp(c->stems[i], c->stems[i - 1]) != 0)
			c->stems[c->n_stems++] = c->stems[i];
	return 0;
}

static int add_facts(struct arena *a, struct compared *c)
{
	c->n_facts = facts_find(a, c->text.s, c->text.n, &c->facts);
	c->values = c->n_facts < 0 ? NULL : arena_alloc(a, ((size_t)c->n_facts + 1) * sizeof(*c->values));
	if (!c->values)
		return -1;
	for (long i = 0; i < c->n_facts; i++)
		c->values[i] = c->facts[i].value;
	qsort(c->values, (size_t)c->n_facts, sizeof(*c->values), by_bytes);
	return 0;
}

static int is_negation(const struct compared *c, long i)
{
	const struct lexeme *x = &c->lexemes[i];
	const struct lexeme *next = i + 1 < c->n_lexemes ? &c->lexemes[i + 1] : NULL;

	if (lexeme_is(x, "no") && next && lexeme_is(next, "problem|worries|doubt"))
		return 0;
	if (x->n > 3 && memcmp(x->w + x->n - 3, "n't", 3) == 0)
		return 1;
	return lexeme_is(
		x,
		"not|no|never|cannot|cant|dont|wont|isnt|didnt|doesnt|wasnt|couldnt|wouldnt|havent|hasnt|without|"
		"nobody|nothing|none|neither|nor|unable");
}

/* The word that a negation at lexeme i is about: the next that is no filler; NULL if there is none near. */
static const struct lexeme *negated(const struct compared *c, long i)
{
	for (long j = i + 1; j < c->n_lexemes && j <= i + 3; j++)
		if (!is_filler(c->lexemes[j].w))
			return &c->lexemes[j];
	return NULL;
}

static int add_negations(struct arena *a, struct compared *c)
{
	const struct lexeme *list = NULL;
	long n = lexemes(a, c->text.s, c->text.n, &list);

	if (n < 0 || !list)
		return -1;
	c->lexemes = list;
	c->n_lexemes = n;
	for (long i = 0; i < c->n_lexemes; i++) {
		if (!is_negation(c, i))
			continue;
		const struct lexeme *about = negated(c, i);
		c->negations++;
		if (about && c->n_negated < COMPARE_NEGATED)
			c->negated[c->n_negated++] = about;
	}
	return 0;
}

int compare_prepare(struct desk *d, struct arena *a, const struct text *texts, size_t n,
		    struct compared **out, struct error *e)
{
	struct compared *list = arena_alloc(a, (n + 1) * sizeof(*list));
	const float *vectors = NULL;
	size_t dim = 0;
	int rc;

	if (!list)
		return no_memory(e);
	if (d && n) {
		if ((rc = desk_embed(d, a, texts, n, &vectors, e)) < 0)
			return rc;
		dim = vectors ? embedder_info(d->embedder)->dim : 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct compared *c = &list[i];
		c->text = texts[i];
		if (add_facts(a, c) < 0 || add_negations(a, c) < 0 || add_stems(a, c) < 0)
			return no_memory(e);
		c->vector = vectors ? vectors + i * dim : NULL;
		c->dim = dim;
	}
	*out = list;
	return 0;
}

/* A date that one of the two writes without its year is no value of the other's. */
static int has_date(const struct compared *c, const struct fact *date)
{
	for (long i = 0; i < c->n_facts; i++)
		if (fact_same(&c->facts[i], date))
			return 1;
	return 0;
}

/* The fact of x that y lacks; NULL if y has them all. */
static const struct fact *lacks(const struct compared *x, const struct compared *y)
{
	for (long i = 0; i < x->n_facts; i++) {
		const struct fact *f = &x->facts[i];
		if (!bsearch(&f->value, y->values, (size_t)y->n_facts, sizeof(*y->values), by_bytes) &&
		    (f->kind != FACT_DATE || !has_date(y, f)))
			return f;
	}
	return NULL;
}

static int same_word(const struct lexeme *a, const struct lexeme *b)
{
	return a->n == b->n && memcmp(a->w, b->w, a->n) == 0;
}

/* Does the text have the word, but never as what a negation is about? */
static int affirms(const struct compared *c, const struct lexeme *word)
{
	for (size_t i = 0; i < c->n_negated; i++)
		if (same_word(c->negated[i], word))
			return 0;
	for (long i = 0; i < c->n_lexemes; i++)
		if (same_word(&c->lexemes[i], word))
			return 1;
	return 0;
}

/* "Refund, do not replace" and "replace, do not refund": the same words, another one negated. */
static int negates_other(const struct compared *x, const struct compared *y)
{
	for (size_t i = 0; i < x->n_negated; i++)
		if (affirms(y, x->negated[i]))
			return 1;
	return 0;
}

/* Is there a question that the two answer differently? */
static int contrast(const struct compared *x, const struct compared *y)
{
	for (size_t q = 0; q < CONTRASTS; q++)
		if (x->answers[q] && y->answers[q] && !(x->answers[q] & y->answers[q]))
			return 1;
	return 0;
}

static double dice(const struct compared *x, const struct compared *y)
{
	size_t i = 0, j = 0, common = 0;

	if (x->n_stems + y->n_stems == 0)
		return x->n_facts && y->n_facts ? 1 : 0;
	while (i < x->n_stems && j < y->n_stems) {
		int order = strcmp(x->stems[i], y->stems[j]);
		common += order == 0;
		i += order <= 0;
		j += order >= 0;
	}
	return 2.0 * (double)common / (double)(x->n_stems + y->n_stems);
}

static double cosine(const struct compared *x, const struct compared *y)
{
	double sum = 0;

	if (!x->vector || !y->vector)
		return 0;
	for (size_t i = 0; i < x->dim; i++)
		sum += (double)x->vector[i] * y->vector[i];
	return sum > 1 ? 1 : sum;
}

static const char *why_not(struct arena *a, const struct compared *x, const struct compared *y,
			   const struct likeness *l)
{
	const struct fact *f = lacks(x, y);
	const struct compared *of = f ? x : y;

	if (!f)
		f = lacks(y, x);
	if (f)
		return arena_printf(a, "%s \"%.*s\"", of == x ? "lacks" : "adds", (int)(f->end - f->start),
				    of->text.s + f->start);
	if (x->negations != y->negations || negates_other(x, y) || negates_other(y, x))
		return "negation differs";
	if (contrast(x, y))
		return "says the contrary";
	if (l->words < AGREE_WORDS && l->cosine < AGREE_COSINE)
		return "says something else";
	return NULL;
}

int compare_two(struct arena *a, const struct compared *x, const struct compared *y, struct likeness *out)
{
	struct likeness l = { .words = dice(x, y), .cosine = cosine(x, y) };

	l.because = why_not(a, x, y, &l);
	l.agree = l.because == NULL;
	l.related = l.agree || l.words >= RELATED_WORDS || l.cosine >= RELATED_COSINE;
	*out = l;
	return 0;
}
