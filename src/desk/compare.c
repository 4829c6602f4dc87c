#include "desk/compare.h"

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

/* Which answer of question `q` the word gives: its place in the line, 0 for none. */
static unsigned answer_of(const char *q, const char *stem, const char **first)
{
	size_t n = strlen(stem);
	unsigned answer = 1;
	const char *start = q;

	for (const char *p = q; *p;) {
		size_t len = strcspn(p, "|/");
		if (len == n && memcmp(p, stem, n) == 0) {
			if (first)
				*first = start;
			return answer;
		}
		p += len;
		if (*p == '/') {
			answer++;
			start = p + 1;
		}
		p += *p != '\0';
	}
	return 0;
}

/* The word that stands for `stem` when overlap is counted. */
static const char *canonical(struct arena *a, const char *stem)
{
	const char *first;

	for (size_t i = 0; i < CONTRASTS; i++)
		if (answer_of(contrasts[i], stem, &first))
			return arena_strndup(a, first, strcspn(first, "|/"));
	return stem;
}

static int is_filler(const char *word)
{
	struct lexeme x = { .w = word, .n = strlen(word) };

	return is_stopword(word, x.n) ||
	       lexeme_is(&x, "not|no|never|don|doesn|didn|won|isn|wasn|cannot|please|customer|caller|bot|assistant|agent|"
			     "get|got|say|said|tell|told|want|need|promised|promise|has|now");
}

static int in_facts(const struct compared *c, const struct token *t)
{
	for (long i = 0; i < c->n_facts; i++)
		if (t->start < c->facts[i].end && t->end > c->facts[i].start)
			return 1;
	return 0;
}

static int has_stem(const struct compared *c, const char *stem)
{
	for (size_t i = 0; i < c->n_stems; i++)
		if (strcmp(c->stems[i], stem) == 0)
			return 1;
	return 0;
}

static int add_stems(struct arena *a, struct compared *c)
{
	const struct token *tokens;
	long n = analyse_text(a, c->text.s, c->text.n, &tokens);

	c->stems = n < 0 ? NULL : arena_alloc(a, ((size_t)n + 1) * sizeof(*c->stems));
	for (long i = 0; c->stems && i < n; i++) {
		if (is_filler(tokens[i].word) || in_facts(c, &tokens[i]))
			continue;
		const char *stem = canonical(a, tokens[i].stem);
		if (!stem)
			return -1;
		if (!has_stem(c, stem))
			c->stems[c->n_stems++] = stem;
	}
	return c->stems ? 0 : -1;
}

int compare_prepare(struct desk *d, struct arena *a, const struct text *texts, size_t n, struct compared **out,
		    struct error *e)
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
		c->n_facts = facts_find(a, texts[i].s, texts[i].n, &c->facts);
		c->n_lexemes = lexemes(a, texts[i].s, texts[i].n, &c->lexemes);
		if (c->n_facts < 0 || c->n_lexemes < 0 || add_stems(a, c) < 0)
			return no_memory(e);
		c->vector = vectors ? vectors + i * dim : NULL;
		c->dim = dim;
	}
	*out = list;
	return 0;
}

/* The fact of x that y lacks; NULL if y has them all. */
static const struct fact *lacks(const struct compared *x, const struct compared *y)
{
	for (long i = 0; i < x->n_facts; i++) {
		long j = 0;
		while (j < y->n_facts && !fact_same(&x->facts[i], &y->facts[j]))
			j++;
		if (j == y->n_facts)
			return &x->facts[i];
	}
	return NULL;
}

static int is_negation(const struct compared *c, long i)
{
	const struct lexeme *x = &c->lexemes[i];
	const struct lexeme *next = i + 1 < c->n_lexemes ? &c->lexemes[i + 1] : NULL;

	if (lexeme_is(x, "no") && next && lexeme_is(next, "problem|worries|doubt"))
		return 0;
	if (x->n > 3 && memcmp(x->w + x->n - 3, "n't", 3) == 0)
		return 1;
	return lexeme_is(x, "not|no|never|cannot|cant|dont|wont|isnt|didnt|doesnt|wasnt|couldnt|wouldnt|havent|hasnt|without|"
			    "nobody|nothing|none|neither|nor|unable");
}

static long negations(const struct compared *c)
{
	long n = 0;

	for (long i = 0; i < c->n_lexemes; i++)
		n += is_negation(c, i);
	return n;
}

/* The word that a negation at lexeme i is about: the next that is no filler; NULL if there is none near. */
static const struct lexeme *negated(const struct compared *c, long i)
{
	for (long j = i + 1; j < c->n_lexemes && j <= i + 3; j++)
		if (!is_filler(c->lexemes[j].w))
			return &c->lexemes[j];
	return NULL;
}

/* Does the text have the word, but never as what a negation is about? */
static int affirms(const struct compared *c, const struct lexeme *word)
{
	int there = 0;

	for (long i = 0; i < c->n_lexemes; i++) {
		const struct lexeme *about = is_negation(c, i) ? negated(c, i) : NULL;
		if (about && about->n == word->n && memcmp(about->w, word->w, word->n) == 0)
			return 0;
		there |= c->lexemes[i].n == word->n && memcmp(c->lexemes[i].w, word->w, word->n) == 0;
	}
	return there;
}

/* "Refund, do not replace" and "replace, do not refund": the same words, another one negated. */
static int negates_other(const struct compared *x, const struct compared *y)
{
	for (long i = 0; i < x->n_lexemes; i++) {
		const struct lexeme *about = is_negation(x, i) ? negated(x, i) : NULL;
		if (about && affirms(y, about))
			return 1;
	}
	return 0;
}

/* A question that the two answer differently; NULL if there is none. */
static const char *contrast(const struct compared *x, const struct compared *y)
{
	for (size_t q = 0; q < CONTRASTS; q++) {
		unsigned left = 0, right = 0;
		for (size_t i = 0; i < x->n_stems; i++)
			left |= 1u << answer_of(contrasts[q], x->stems[i], NULL);
		for (size_t i = 0; i < y->n_stems; i++)
			right |= 1u << answer_of(contrasts[q], y->stems[i], NULL);
		left &= ~1u;
		right &= ~1u;
		if (left && right && !(left & right))
			return contrasts[q];
	}
	return NULL;
}

static double dice(const struct compared *x, const struct compared *y)
{
	size_t common = 0;

	for (size_t i = 0; i < x->n_stems; i++)
		common += has_stem(y, x->stems[i]);
	if (x->n_stems + y->n_stems == 0)
		return x->n_facts && y->n_facts ? 1 : 0;
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
	if (negations(x) != negations(y) || negates_other(x, y) || negates_other(y, x))
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
