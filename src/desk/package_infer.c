#include "desk/package.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "desk/facts.h"
#include "learn/intent.h"
#include "text/passage.h"

#define MAX_SENTENCES 400
#define MAX_INFERRED 12
#define MAX_PROMISE_TURNS 100            /* the latest, looked at for a promise that is open */
#define ENTITY_BYTES ((size_t)128 << 10) /* of the last turns, read for entities */
#define MAX_SENTENCE 400                 /* bytes: longer ones are no single promise or step */

long sentences_said(struct arena *a, const struct conversation *v, const char *role, size_t max,
		    const struct said **out)
{
	struct said *list = arena_alloc(a, (max + 1) * sizeof(*list));
	size_t n = max;

	if (!list)
		return -1;
	/* from the end, so that of a long conversation the last part is read */
	for (size_t t = v->n_turns; t > 0 && n > 0; t--) {
		const struct turn *turn = &v->turns[t - 1];
		const struct span *spans;
		if (!turn_is(turn, role))
			continue;
		long count = split_sentences(a, turn->text.s, turn->text.n, &spans);
		if (count < 0)
			return -1;
		for (long i = count; i > 0 && n > 0; i--) {
			struct span p = spans[i - 1];
			list[--n] = (struct said){
				turn, p.start, p.end, { turn->text.s + p.start, p.end - p.start }
			};
		}
	}
	*out = list + n;
	return (long)(max - n);
}

/* A sentence taken apart for looking at its form. */
struct form {
	const struct lexeme *x;
	long n;
	int question;
};

static int form_of(struct arena *a, struct text t, struct form *f)
{
	f->n = lexemes(a, t.s, t.n, &f->x);
	f->question = t.s && t.n > 0 && memchr(t.s, '?', t.n) != NULL;
	return f->n < 0 ? -1 : 0;
}

/* Do the words of one of the phrases ("i will|you will get") stand in the sentence, in a row? */
static int has_phrase(const struct form *f, const char *phrases)
{
	for (const char *p = phrases; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");
		for (long i = 0; i < f->n; i++) {
			const char *w = p;
			long j = i;
			for (; w < p + len && j < f->n; j++) {
				size_t wl = strcspn(w, " |");
				if (f->x[j].n != wl || memcmp(f->x[j].w, w, wl) != 0)
					break;
				w += wl + (w[wl] == ' ');
			}
			if (w >= p + len)
				return 1;
		}
		p += len;
	}
	return 0;
}

static int begins_with(const struct form *f, const char *words)
{
	return f->n > 0 && lexeme_is(&f->x[0], words);
}

#define IMPERATIVES                                                                                                      \
	"please|restart|reset|reboot|open|press|hold|unplug|plug|check|try|switch|turn|install|reinstall|update|remove|" \
	"delete|go|click|tap|choose|select|make|log|sign|enter|clear|look|wait|call|send|upload|set|add|connect|"        \
	"disconnect|charge|move|confirm|verify|use|visit|contact|reply|fill|follow|take|put|keep|change"

static int is_step(const struct form *f)
{
	return !f->question && (begins_with(f, IMPERATIVES) ||
				has_phrase(f, "i have tried|i've tried|i tried|i have reset|i've reset|"
					      "i have restarted|i've restarted|i have checked|i've checked"));
}

/* What a customer says of something that was done, or was to be. */
static int failed(const struct form *f)
{
	return has_phrase(
		f, "still|same|didn't|didnt|doesn't|doesnt|does not|did not|not working|no change|again|"
		   "already|nothing|won't|can't|cant|cannot|tried");
}

static int works(const struct form *f)
{
	return has_phrase(f, "works now|it works|worked|that worked|fixed|solved");
}

#define COURTESY "thank you|thanks|perfect|great" /* of a step that it went well; of a promise nothing */

/* How a step went, by what the customer said right after it. */
static const char *outcome_after(struct arena *a, const struct conversation *v, const struct turn *t)
{
	const struct turn *next = t + 1;
	struct form f;

	while (next < v->turns + v->n_turns && !turn_is(next, "customer"))
		next++;
	if (next >= v->turns + v->n_turns || form_of(a, next->text, &f) < 0)
		return "unknown";
	return failed(&f) ? "failed" : works(&f) || has_phrase(&f, COURTESY) ? "done" : "unknown";
}

static int append_step(struct arena *a, json_t *list, const struct conversation *v, const struct said *s)
{
	json_t *step = json_object();

	if (!step || body_set_text(step, "action", s->text) < 0 ||
	    body_set(step, "outcome", outcome_after(a, v, s->turn)) < 0) {
		json_decref(step);
		return -1;
	}
	return json_array_append_new(list, step);
}

/* Is the text in the list already? A bot says the same again. */
static int in_list(const json_t *list, struct text t)
{
	json_t *v;
	size_t i;

	json_array_foreach((json_t *)list, i, v) {
		const json_t *s = json_is_object(v) ? json_object_get(v, "action") : v;
		if (json_string_length(s) == t.n && memcmp(json_string_value(s), t.s, t.n) == 0)
			return 1;
	}
	return 0;
}

static const char *const helpers[] = { "bot", "agent" };

json_t *infer_steps(struct arena *a, const struct conversation *v)
{
	json_t *list = json_array();
	const struct said *said;

	for (size_t h = 0; list && h < 2; h++) {
		long n = sentences_said(a, v, helpers[h], MAX_SENTENCES, &said);
		int bad = n < 0;
		for (long i = 0; i < n && !bad && json_array_size(list) < MAX_INFERRED; i++) {
			struct form f;
			bad = form_of(a, said[i].text, &f) < 0;
			if (!bad && said[i].text.n <= MAX_SENTENCE && is_step(&f) &&
			    !in_list(list, said[i].text))
				bad = append_step(a, list, v, &said[i]) < 0;
		}
		if (bad) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static int has_deadline(struct arena *a, struct text t, const struct form *f)
{
	const struct fact *facts;
	long n = facts_find(a, t.s, t.n, &facts);

	if (!has_phrase(f, "within|by|until|in|at the latest"))
		return 0;
	for (long i = 0; i < n; i++)
		if (facts[i].kind == FACT_DATE || facts[i].kind == FACT_TIME ||
		    (facts[i].kind == FACT_NUMBER && strchr(facts[i].value, ' ')))
			return 1;
	return 0;
}

/* A sentence by which the service binds itself. What hangs on an "if" in front, and courtesies, do not. */
static int is_promise(struct arena *a, struct text t)
{
	struct form f;

	if (t.n > MAX_SENTENCE || form_of(a, t, &f) < 0 || f.question ||
	    begins_with(&f, "if|when|once|unless|please"))
		return 0;
	if (has_phrase(&f, "happy to|glad to|will be happy|i'll be with|will try|i'm afraid"))
		return 0;
	if (has_phrase(
		    &f,
		    "i will|we will|i'll|we'll|i shall|we shall|i promise|we promise|you will receive|you'll receive|"
		    "you will get|you'll get|you get|you will have|you'll have|you will hear|you'll hear|"
		    "colleague will|someone will|somebody will|specialist will|technician will|team will|"
		    "engineer will|fitter will|is on its way|goes out today|leaves today|leaves tomorrow"))
		return 1;
	return has_phrase(
		       &f,
		       "your refund|your money|your order|your parcel|your replacement|the refund|the replacement|"
		       "the parcel|refund of") &&
	       has_deadline(a, t, &f) && has_phrase(&f, "will|arrives|is booked|comes|goes|leaves");
}

json_t *infer_promises(struct arena *a, const struct conversation *v)
{
	json_t *list = json_array();
	const struct said *said;

	for (size_t h = 0; list && h < 2; h++) {
		long n = sentences_said(a, v, helpers[h], MAX_SENTENCES, &said);
		int bad = n < 0;
		for (long i = 0; i < n && !bad && json_array_size(list) < MAX_INFERRED; i++)
			if (is_promise(a, said[i].text) && !in_list(list, said[i].text))
				bad = json_array_append_new(list,
							    json_stringn(said[i].text.s, said[i].text.n)) < 0;
		if (bad) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* 1: the turn promises something; 0: it does not; -1 without memory. */
static int promises(struct arena *a, const struct turn *t)
{
	const struct span *spans;
	long n = split_sentences(a, t->text.s, t->text.n, &spans);

	for (long i = 0; i < n; i++)
		if (is_promise(a, (struct text){ t->text.s + spans[i].start, spans[i].end - spans[i].start }))
			return 1;
	return n < 0 ? -1 : 0;
}

/* The customer says that he has got what he waited for: all that was promised before is settled. 1, 0, -1. */
static int settles(struct arena *a, const struct turn *t)
{
	struct form f;

	if (form_of(a, t->text, &f) < 0)
		return -1;
	if (f.question || failed(&f) || has_phrase(&f, "not|isn't|isnt|hasn't|hasnt|never|no"))
		return 0;
	return works(&f) || has_phrase(&f, "has arrived|it arrived|just arrived|i got it|i received|"
					   "have received|came today");
}

int infer_promise_open(struct arena *a, const struct conversation *v)
{
	size_t first = v->n_turns > MAX_PROMISE_TURNS ? v->n_turns - MAX_PROMISE_TURNS : 0;

	/* from the end: what was said last counts */
	for (size_t i = v->n_turns; i > first; i--) {
		const struct turn *t = &v->turns[i - 1];
		int customer = turn_is(t, "customer");
		int said = customer ? settles(a, t) : turn_is(t, "system") ? 0 : promises(a, t);
		if (said != 0)
			return said < 0 ? -1 : !customer;
	}
	return 0;
}

static int is_request(struct arena *a, struct text t)
{
	struct form f;

	if (t.n > MAX_SENTENCE || form_of(a, t, &f) < 0 || asks_for_human(a, t.s, t.n))
		return 0;
	return f.question || begins_with(&f, "please|cancel|refund|send|give|tell|release|unlock|fix") ||
	       has_phrase(
		       &f,
		       "i want|i need|i would like|i'd like|can you|could you|give me|send me|where is|when will|"
		       "i request|just cancel");
}

json_t *infer_unresolved(struct arena *a, const struct conversation *v)
{
	json_t *list = json_array();
	struct conversation tail = *v;
	const struct said *said;
	size_t first = v->n_turns;

	/* only what nobody has answered yet: customer turns at the end */
	while (first > 0 && turn_is(&v->turns[first - 1], "customer"))
		first--;
	tail.turns = v->turns + first;
	tail.n_turns = v->n_turns - first;
	long n = sentences_said(a, &tail, "customer", MAX_SENTENCES, &said);
	int bad = !list || n < 0;
	for (long i = 0; i < n && !bad && json_array_size(list) < MAX_INFERRED; i++)
		if (is_request(a, said[i].text) && !in_list(list, said[i].text))
			bad = json_array_append_new(list, json_stringn(said[i].text.s, said[i].text.n)) < 0;
	if (bad) {
		json_decref(list);
		return NULL;
	}
	return list;
}

/* An id by its form and by the word before it: "E-4021", "RF-5519207", "#12345", "order VK-20418". */
static const char *id_field(const char *s, size_t n, size_t digits, const struct lexeme *before)
{
	if (digits < 3)
		return NULL;
	if (s[0] == '#')
		return "order_id";
	if ((s[0] == 'E' && n > 1 && (s[1] == '-' || (s[1] >= '0' && s[1] <= '9'))) ||
	    lexeme_is(before, "error|code"))
		return "error_code";
	if (digits < 4 || digits == n)
		return NULL;
	if ((n > 3 && memcmp(s, "RF-", 3) == 0) || lexeme_is(before, "reference|ref"))
		return "reference";
	return lexeme_is(before, "serial") ? "serial" : "order_id";
}

/* The field that a fact goes to, NULL for none. `s` is the turn's text. */
static const char *entity_of(const char *s, const struct fact *f, const struct lexeme *before)
{
	size_t n = f->end - f->start, digits = 0;

	for (size_t i = f->start; i < f->end; i++)
		digits += s[i] >= '0' && s[i] <= '9';
	switch (f->kind) {
	case FACT_EMAIL:
		return "email";
	case FACT_AMOUNT:
		return "amount";
	case FACT_DATE:
		return digits ? "date" : NULL;
	case FACT_NUMBER: /* a bare number is nothing unless the word before says so */
		return digits != n || digits < 3           ? NULL
		       : lexeme_is(before, "error|code")   ? "error_code"
		       : lexeme_is(before, "order|orders") ? "order_id"
							   : NULL;
	case FACT_ID:
		return id_field(s + f->start, n, digits, before);
	default:
		return NULL;
	}
}

/* A second value makes the field a list. */
static int add_entity(json_t *obj, const char *field, struct text t)
{
	json_t *old = json_object_get(obj, field);

	if (!old)
		return body_set_text(obj, field, t);
	if (json_is_string(old)) {
		if (json_string_length(old) == t.n && memcmp(json_string_value(old), t.s, t.n) == 0)
			return 0;
		json_t *list = json_pack("[O]", old);
		if (!list || body_set_take(obj, field, list) < 0)
			return -1;
		old = list;
	}
	return in_list(old, t) || json_array_size(old) >= MAX_INFERRED
		       ? 0
		       : json_array_append_new(old, json_stringn(t.s, t.n));
}

static int turn_entities(struct arena *a, const struct turn *t, json_t *obj)
{
	const struct fact *facts;
	const struct lexeme *x;
	long n = facts_find(a, t->text.s, t->text.n, &facts), words = lexemes(a, t->text.s, t->text.n, &x);
	static const struct lexeme nothing = { .w = "" };

	if (n < 0 || words < 0)
		return -1;
	for (long i = 0, w = 0; i < n; i++) {
		while (w < words && x[w].start < facts[i].start)
			w++;
		const char *field = entity_of(t->text.s, &facts[i], w > 0 ? &x[w - 1] : &nothing);
		struct text value = { t->text.s + facts[i].start, facts[i].end - facts[i].start };
		if (field && add_entity(obj, field, value) < 0)
			return -1;
	}
	return 0;
}

json_t *infer_entities(struct arena *a, const struct conversation *v)
{
	json_t *obj = json_object();
	size_t first = v->n_turns, bytes = 0;

	while (first > 0 && bytes + v->turns[first - 1].text.n <= ENTITY_BYTES)
		bytes += v->turns[--first].text.n;
	for (size_t i = first; obj && i < v->n_turns; i++) {
		if (turn_is(&v->turns[i], "system") || turn_entities(a, &v->turns[i], obj) == 0)
			continue;
		json_decref(obj);
		obj = NULL;
	}
	return obj;
}

struct text infer_reason(struct arena *a, const struct conversation *v)
{
	const struct said *said;
	long n = sentences_said(a, v, "customer", MAX_SENTENCES, &said);
	struct text best = { 0 };

	/* the last request, else the last sentence that is more than a word or two */
	for (long i = n; i > 0; i--) {
		if (is_request(a, said[i - 1].text))
			return said[i - 1].text;
		if (!best.s && said[i - 1].text.n >= 12)
			best = said[i - 1].text;
	}
	if (!best.s && n > 0)
		best = said[n - 1].text;
	if (best.n > PACKAGE_MAX_TEXT)
		best.n = utf8_floor(best.s, best.n, PACKAGE_MAX_TEXT);
	return best;
}
