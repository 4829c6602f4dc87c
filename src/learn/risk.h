/*
 * risk.h: how likely a conversation is to end with a person, by signs that can
 * be named: log-odds are a bias and, of each sign, weight · value (a logistic
 * regression; odds.h).
 *
 * The rule's weights were chosen by reading. Learned ones (risk_fit()) take the
 * place of those of the signs that turns have shown. What is thought of the
 * intent keeps the rule's: what the intent model said at a turn is not kept,
 * and the model of today was taught how that conversation ended, so that asking
 * it of old turns would tell it the answer. Where the intent is not known, as
 * in all that is learned from, those two signs have a value in the middle
 * (TYPICAL in risk.c), and the learned bias is what is left beside them.
 *
 * Plain values; any thread.
 */
#ifndef READBACK_LEARN_RISK_H
#define READBACK_LEARN_RISK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct arena;
struct packed;
struct situation;

#define ESCALATE_RISK .7 /* a conversation of this risk is given to a person */

enum {
	RISK_ASKS,                        /* for a person: 0 or 1 */
	RISK_REPEATS,                     /* the customer says the same again: 0 or 1 */
	RISK_BOT_REPEATED,                /* 0 or 1 */
	RISK_NEGATIVE,                    /* how negative his last turns are, 0 … 1 */
	RISK_TURNS,                       /* customer turns after the second, up to ten, / 10 */
	RISK_EARLIER,                     /* handoffs of the conversation, up to four, / 4 */
	RISK_PROMISES,                    /* one is open: 0 or 1 */
	RISK_LEARNED,                     /* so many are learned */
	RISK_OUT_OF_SCOPE = RISK_LEARNED, /* 0 … 1 */
	RISK_UNSURE,                      /* 1 - confidence */
	RISK_SIGNS
};

struct risk_signs {
	float x[RISK_SIGNS];
};

/* What a situation shows; of one without an intent (NULL) the signs of that are taken as typical. */
struct risk_signs risk_signs_of(const struct situation *s);

struct risk_model {
	double weight[RISK_SIGNS], bias;
};

/* Chosen by reading: what a fresh tenant starts with. */
extern const struct risk_model risk_rule;

/* 0 … 1 */
double risk_of(const struct risk_model *m, const struct risk_signs *s);

/* Does a sign of the turns speak for it? What is so of all conversations is no reason to give up this one. */
int risk_is_shown(const struct risk_model *m, const struct risk_signs *s);

/* A sentence that names the one or two signs that speak most for it. NULL without memory. */
const char *risk_reason(struct arena *a, const struct risk_model *m, const struct risk_signs *s);

/* As the bytes of a file (packed.h). -1 without memory. */
int risk_pack(const struct risk_model *m, struct arena *a, struct packed *out);
/* Malloc'ed. ERR_CORRUPT for what risk_pack() did not make. */
int risk_unpack(const struct packed *p, struct risk_model **out, struct error *e);

/* --- learning (risk_fit.c) ------------------------------------------------------------------------------- */

#define RISK_LEAST 30                /* conversations of each outcome */
#define RISK_MOST_CONVERSATIONS 4000 /* the latest */
#define RISK_MOST_TURNS 30           /* of each, the latest */

/*
 * A conversation that is over, at each of its customer turns: it was handed
 * over after them, or never.
 */
struct risk_lesson {
	const struct risk_signs *turns;
	size_t n; /* 1 or more; each weighs 1 / n, so that a conversation counts once */
	int escalated;
	uint64_t hash; /* of its id: a fifth is held out by it */
};

struct risk_lessons {
	const struct risk_lesson *list;
	size_t n;
};

/*
 * Reads the lessons of whoever trains: conversations are above this layer. All
 * is the arena's. ERR_INTERRUPTED when *stop (read atomically; may be NULL) is set.
 */
typedef int (*risk_reader)(void *arg, const volatile int *stop, struct arena *a, struct risk_lessons *out,
			   struct error *e);

/* Of conversations held out, by their last turn: who is flagged at a threshold. */
struct risk_pair {
	double threshold;
	size_t flagged;
	double recall, precision; /* -1: of none */
};

struct risk_figures {
	double loss;                        /* mean over conversations of the mean log-loss of their turns */
	struct risk_pair at_risk, at_share; /* at ESCALATE_RISK; where as many are flagged as escalated */
};

/* How much lower the loss is, with the standard error of the difference over conversations. */
struct risk_gain {
	double mean, error;
};

struct risk_report {
	size_t conversations, escalated, held_out, held_out_escalated;
	struct risk_figures learned, rule; /* learned: by a trial model that has not seen them */
	double share_loss;                 /* of who always says the share that escalated */
	struct risk_gain over_rule, over_share;
	double weight[RISK_SIGNS], bias; /* of all conversations */
	int worth;                       /* both gains are above 0 at 95 % */
};

/*
 * Learns from all, and looks what one that does not see a fifth of the
 * conversations does for these: it must be better than the rule, and than
 * the bare share, which beats a rule that is merely off the mark. *out is
 * malloc'ed; NULL where it is not worth it. ERR_NOT_READY: fewer than RISK_LEAST
 * of an outcome, and the message says how many are missing. The same lessons
 * give the same weights.
 */
int risk_fit(const struct risk_lessons *l, struct risk_model **out, struct risk_report *report,
	     struct error *e);

/* New reference; NULL without memory. */
json_t *risk_facts(const struct risk_report *r);

#endif
