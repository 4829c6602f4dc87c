/*
 * learner_internal.h: what the files of the learner share. Internal to learn/.
 *
 *	learner.c         what is in force, from training to force, the thread
 *	learner_train.c   one training of each kind
 *	learner_shadow.c  a candidate beside the model in force
 */
#ifndef READBACK_LEARN_LEARNER_INTERNAL_H
#define READBACK_LEARN_LEARNER_INTERNAL_H

#include <pthread.h>

#include "learn/learned.h"
#include "learn/learner.h"
#include "learn/models.h"

/* Something learned and how many use it. */
struct held {
	enum learned_kind kind;
	void *model;
	uint64_t mark; /* the last event that it was trained on */
	char version[24];
	unsigned users; /* the learner itself is one while it is in force */
};

struct learner {
	struct engine *engine;
	struct learner_options o;
	struct models *models;              /* NULL: nothing is kept */
	pthread_mutex_t training;           /* one at a time; also of `models` */
	uint64_t trained_on[LEARNED_KINDS]; /* records, at the last try; guarded by `training` */
	uint64_t looked_at;                 /* resolutions, when the shadow was last judged; likewise */

	pthread_mutex_t lock; /* all below */
	pthread_cond_t wake;
	struct held *now[LEARNED_KINDS];
	struct held *shadow; /* NULL: none */
	double share;        /* of conversations that it speaks in */
	json_t *facts[LEARNED_KINDS];
	int closing;

	volatile int stop;
	pthread_t thread;
	int has_thread;
};

/* --- learner.c --- */

/* NULL without memory; the model is then still the caller's. */
struct held *held_new(enum learned_kind kind, const char *version, uint64_t mark, void *model);
/* With the lock. */
void held_release(struct held *h);

/* A kept model that can speak. ERR_CORRUPT also for one of an embedder whose vectors have other dimensions. */
int learned_read(enum learned_kind kind, const struct model_found *found, size_t dim, void **out,
		 struct error *e);

/* 0; ERR_NOT_READY where no models are kept, or none may be changed. `l` may be NULL. */
int learner_keeps(const struct learner *l, struct error *e);

/* --- learner_train.c --- */

/* What a training came to. */
struct trained {
	void *model;
	json_t *facts;
	const char *why; /* it is refused; NULL: it is not */
	int leaves_none; /* refused, and no earlier one stays in force */
};

struct training {
	enum record_kind counted, also; /* what training is due by; the same twice: by one kind alone */
	uint64_t least, step;           /* records at first, and more from time to time; step 0: by a share */
	int (*train)(struct learner *l, struct arena *a, uint64_t mark, struct trained *out, struct error *e);
};

extern const struct training learner_trainings[LEARNED_KINDS];

/* --- learner_shadow.c; all with `training` --- */

/* NULL: from now on there is none. */
void shadow_set(struct learner *l, struct held *h, double share);

int shadow_restore(struct learner *l, size_t dim, struct error *e);

/* Ends a shadow that is worse for sure. Looks only when something was resolved since it last did. */
int shadow_judge(struct learner *l, uint64_t resolutions, struct error *e);

#endif
