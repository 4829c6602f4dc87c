#include "learn/intent.h"

#include <string.h>

#include "base/arena.h"
#include "learn/answering.h"
#include "learn/risk.h"
#include "text/analyser.h"

/*
 * When a conversation is answered, and when it is given to a person: what a
 * fresh tenant starts with. ANSWER_CONFIDENCE is where about 95 of 100 were
 * right in the measurement of intent.c; how predictions come out takes its
 * place (answering.h). The others are chosen by reading.
 */
#define ANSWER_CONFIDENCE .8 /* an intent this sure, and backed, is answered */
#define OUT_OF_SCOPE .5
#define DOCUMENT_FITS .6 /* cosine of an article that speaks of the matter */
#define MAX_CLARIFY 3    /* bot turns after which asking again does not help */

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int among(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return 1;
	return 0;
}

/* Is it denied shortly before: "I don't want to talk to an agent"? */
static int denied(const struct token *t, long i)
{
	static const char *const no[] = { "don", "not", "never", "no", "without", "needn" };

	for (long j = i - 1; j >= 0 && j >= i - 5; j--)
		if (among(t[j].word, no, COUNT(no)))
			return 1;
	return 0;
}

/* A verb of reaching somebody, up to five words before a word for a person. */
static int reaches_person(const struct token *t, long n, long i)
{
	static const char *const person[] = { "human",   "person",   "agent",   "representative",
					      "rep",     "operator", "manager", "supervisor",
					      "someone", "somebody", "advisor", "adviser",
					      "people" };

	for (long j = i + 1; j < n && j <= i + 6; j++)
		if (among(t[j].word, person, COUNT(person)))
			return !denied(t, i);
	return 0;
}

int asks_for_human(struct arena *a, const char *s, size_t n)
{
	static const char *const reach[] = { "speak",    "talk",     "chat",     "connect",
					     "transfer", "escalate", "speaking", "talking" };
	static const char *const want[] = { "want", "need", "get", "give", "prefer", "like" };
	static const char *const sure[] = { "human", "representative", "supervisor", "manager", "operator" };
	static const char *const hand[] = { "give", "get", "want", "prefer" };
	const struct token *t = NULL;
	long count = analyse_text(a, s, n, &t);

	for (long i = 0; i < count; i++) {
		if (among(t[i].word, reach, COUNT(reach)) && reaches_person(t, count, i))
			return 1;
		/* "I want a human", "give me your manager"; not "I need the agent installed" */
		for (long j = i + 1; among(t[i].word, want, COUNT(want)) && j < count && j <= i + 4; j++)
			if (among(t[j].word, sure, COUNT(sure)) && !denied(t, i))
				return 1;
		/* "give me a person"; not "I need a person at home to sign" */
		for (long j = i + 1; among(t[i].word, hand, COUNT(hand)) && j < count && j <= i + 3; j++)
			if (strcmp(t[j].word, "person") == 0 && strcmp(t[j - 1].word, "a") == 0 &&
			    !denied(t, i))
				return 1;
		/* "please a human", "a human please" */
		if (strcmp(t[i].word, "please") == 0 &&
		    ((i + 2 < count && strcmp(t[i + 1].word, "a") == 0 &&
		      among(t[i + 2].word, sure, COUNT(sure))) ||
		     (i >= 2 && strcmp(t[i - 2].word, "a") == 0 && among(t[i - 1].word, sure, COUNT(sure)))))
			return 1;
		if (i + 1 < count && !denied(t, i) &&
		    (strcmp(t[i].word, "real") == 0 || strcmp(t[i].word, "live") == 0 ||
		     strcmp(t[i].word, "actual") == 0) &&
		    (strcmp(t[i + 1].word, "person") == 0 || strcmp(t[i + 1].word, "human") == 0 ||
		     strcmp(t[i + 1].word, "agent") == 0))
			return 1;
	}
	/* "agent", "human please": all that is said */
	return count > 0 && count <= 3 &&
	       (among(t[0].word, sure, COUNT(sure)) || strcmp(t[0].word, "agent") == 0 ||
		strcmp(t[0].word, "person") == 0);
}

static double confidence_of(const struct intent *in)
{
	return in->n ? in->candidates[0].confidence : 0;
}

struct verdict {
	const char *decision, *because;
	size_t ask;
	int unsure;
};

/* Without an intent to go by. */
static struct verdict decide_cold(const struct situation *s)
{
	if (s->bot_turns >= MAX_CLARIFY)
		return (struct verdict){
			.decision = "escalate",
			.because = "No resolved case tells what this is about, and asking has not helped."
		};
	if (s->best_document >= DOCUMENT_FITS)
		return (struct verdict){
			.decision = "clarify",
			.because = "No resolved case tells what this is about, but an article is near: "
				   "ask whether it fits."
		};
	return (struct verdict){ .decision = "clarify",
				 .because = "No resolved case tells what this is about yet: ask for more." };
}

static int is_sure(const struct situation *s)
{
	struct seen seen = seen_of(s->intent);

	return s->answering ? answering_confidence(s->answering, &seen) >= s->answering->threshold
			    : confidence_of(s->intent) >= ANSWER_CONFIDENCE;
}

static const char *because_sure(struct arena *a, const struct situation *s)
{
	const struct intent *in = s->intent;
	const char *label = in->candidates[0].label;

	if (!s->answering)
		return arena_printf(a, "%zu similar texts point to %s with confidence %.2f.", in->examples,
				    label, confidence_of(in));
	return arena_printf(
		a,
		"%zu similar texts point to %s with confidence %.2f; of earlier ones as sure or surer, "
		"%.0f in 100 were right.",
		in->examples, label, confidence_of(in), 100 * s->answering->precision);
}

/* How many candidates cover what may be meant; 0: more than can be asked about, or one alone. */
static size_t to_ask(const struct intent *in)
{
	double covered = 0;

	for (size_t i = 0; i < in->n && i < DECISION_MOST_ASKED; i++) {
		covered += in->candidates[i].confidence;
		if (covered >= DECISION_COVERAGE * in->in_all)
			return i > 0 ? i + 1 : in->n > 1 ? 2 : 0;
	}
	return 0;
}

static const char *because_asked(struct arena *a, const struct intent *in, size_t n)
{
	const char *list = in->candidates[0].label;

	for (size_t i = 1; list && i < n; i++)
		list = arena_printf(a, "%s%s%s", list, i + 1 < n ? ", " : " or ", in->candidates[i].label);
	return list ? arena_printf(a, "It may be %s: ask which is meant.", list) : NULL;
}

static struct verdict decide_by_intent(struct arena *a, const struct situation *s)
{
	const struct intent *in = s->intent;
	const char *label = in->candidates[0].label;
	struct verdict v = { .decision = "clarify", .unsure = 1 };

	if (in->out_of_scope >= OUT_OF_SCOPE) {
		if (s->customer_turns > 1)
			return (struct verdict){
				.decision = "escalate",
				.because = "This is unlike anything that was resolved before."
			};
		return (struct verdict){
			.decision = "clarify",
			.because = "This is unlike anything that was resolved before: ask for more."
		};
	}
	if (is_sure(s) && in->backed)
		return (struct verdict){ .decision = "answer", .because = because_sure(a, s) };
	if (s->bot_turns >= MAX_CLARIFY)
		return (struct verdict){
			.decision = "escalate",
			.because = "What is meant is still not sure enough to answer, and asking has "
				   "not helped."
		};
	if (is_sure(s))
		return (struct verdict){
			.decision = "clarify",
			.because = arena_printf(
				a,
				"%s is likely, but fewer than two keys, agents and customers vouch for "
				"it so far: ask whether it is meant.",
				label),
			.ask = 1,
			.unsure = 1,
		};
	v.ask = to_ask(in);
	v.because = v.ask ? because_asked(a, in, v.ask)
			  : "What is meant is not sure enough to answer: ask for more.";
	return v;
}

int decide(struct arena *a, const struct situation *s, struct decision *out)
{
	const struct risk_model *risk = s->risk ? s->risk : &risk_rule;
	struct risk_signs signs = risk_signs_of(s);
	struct decision d = { .escalation_risk = risk_of(risk, &signs) };
	struct verdict v;

	if (s->policy)
		v = (struct verdict){ .decision = s->policy, .because = s->policy_because };
	else if (s->asks_for_human)
		v = (struct verdict){ .decision = "escalate", .because = "The customer asks for a person." };
	else if (d.escalation_risk >= ESCALATE_RISK && risk_is_shown(risk, &signs))
		v = (struct verdict){ .decision = "escalate", .because = risk_reason(a, risk, &signs) };
	else if (s->intent->n == 0)
		v = decide_cold(s);
	else
		v = decide_by_intent(a, s);
	if (!v.because)
		return ERR_NO_MEMORY;
	d.decision = v.decision;
	d.because = v.because;
	d.n_ask = v.ask;
	d.unsure = v.unsure;
	*out = d;
	return 0;
}
