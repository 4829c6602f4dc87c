/*
 * learner.h: keeps what is learned up to date: trains in the background from
 * what is there, and puts the new in the place of the old in one step. Who asks
 * meanwhile goes on with what he took.
 *
 * What is learned, each on its own: the intent model (intent_model.h), due with
 * INTENT_LEAST_LESSONS examples and then with each twentieth part more; and the
 * query adapter (adapter.h), due likewise by cases, and in force only while it
 * is worth having (adapter_fit.h); when to answer (answering.h), due with each
 * ten resolutions more; and which documents help (usefulness.h), due like the
 * adapter; and how likely a conversation ends with a person (risk.h), due with the
 * conversations and handoffs, and in force only while it is worth having, too; and
 * how much words count beside the vector (fusion.h), likewise, by resolutions.
 * What was in force is so again after a start; where a file is lost or
 * damaged its facts are {"lost":"why"} until it is trained anew. Any thread.
 */
#ifndef READBACK_LEARN_LEARNER_H
#define READBACK_LEARN_LEARNER_H

#include "engine/call.h"
#include "learn/adapter.h"
#include "learn/answering.h"
#include "learn/fusion.h"
#include "learn/intent_model.h"
#include "learn/risk.h"
#include "learn/usefulness.h"

struct learner;

enum learned_kind {
	LEARNED_INTENT,
	LEARNED_ADAPTER,
	LEARNED_ANSWERING,
	LEARNED_USEFULNESS,
	LEARNED_RISK,
	LEARNED_FUSION, /* behind what it is learned in the company of */
	LEARNED_KINDS
};

struct learner_options {
	const char *folder; /* where models are kept (models.h); NULL: nowhere */
	int read_only;      /* what is kept is in force, and nothing is trained */
	int background; /* a thread looks now and then whether training is due; else learner_train() alone trains */
	uint64_t seed;
	double target;         /* precision of answers; 0: ANSWERING_TARGET */
	risk_reader read_risk; /* what escalations teach, from any thread; NULL: nothing is learned of them */
	void *read_arg;        /* its first argument; outlives the learner */
};

int learner_open(struct engine *g, const struct learner_options *o, struct learner **out, struct error *e);
void learner_close(struct learner *l); /* ends a training under way; NULL is fine */

/* What is in force: NULL where there is nothing. Versions name the last event that was learned from: "m1234". */
struct learned {
	const struct intent_model *intent;
	const struct adapter *adapter;
	const struct answering *answering;
	const struct usefulness *usefulness;
	const struct risk_model *risk;
	const struct fusion *fusion;
	const char *version[LEARNED_KINDS]; /* NULL likewise; valid until it is given back */
	struct held *held[LEARNED_KINDS];   /* the learner's */
	/* A candidate for `intent` beside it; NULL: none. It speaks in `share` of all conversations, 0 … 1. */
	const struct intent_model *shadow;
	const char *shadow_version;
	double share;
	struct held *shadow_held;
};

/* `l` may be NULL: nothing is in force. */
void learner_take(struct learner *l, struct learned *out);
void learner_give(struct learner *l, const struct learned *x);

/*
 * Trains now what is due, or everything. How many of them were replaced or
 * taken out of force. ERR_NOT_READY, when everything is asked for: there is too
 * little for any of them, and the message says how much is missing.
 */
int learner_train(struct learner *l, int only_if_due, struct error *e);

/*
 * Puts a model that is kept in force, as the call's act: models.h. ERR_NOT_FOUND,
 * ERR_WRONG_STATE, ERR_CORRUPT; ERR_NOT_READY: nothing is kept here.
 */
int learner_activate(struct learner *l, const struct call *c, const char *id, json_t **result);

/*
 * Puts the candidate in the place of the intent model, for the conversations
 * that are its share: `draw` is uniform in [0, 1), always the same for the same
 * conversation.
 */
void learned_choose(struct learned *l, double draw);

/*
 * Puts an intent model that is kept beside the one in force (shadow.h), with a
 * share of conversations, 0 … 1, as the call's act; in the place of another
 * candidate if there is one. While there is one, newer models stand by. It ends
 * when it is worse for sure, when a model of its type is activated, or by
 * learner_shadow_end(). ERR_NOT_FOUND, ERR_WRONG_STATE (it is in force, none is,
 * it is of another type, it was not kept, it is no candidate), ERR_CORRUPT,
 * ERR_NOT_READY.
 */
int learner_shadow(struct learner *l, const struct call *c, const char *id, double share, json_t **result);
int learner_shadow_end(struct learner *l, const struct call *c, const char *id, json_t **result);

/*
 * {"intent":{…}|null,"adapter":…,"answering":…,"usefulness":…,"risk":…,"fusion":…}: what the last training of each came
 * to: the model's facts, or why there is none. New reference; NULL without memory.
 */
json_t *learner_facts(struct learner *l);

#endif
