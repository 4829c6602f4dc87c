#include "learn/learner_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"

#define LOOK_SECONDS 5
#define GROWTH 20 /* training is due with each so many-th part more */
#define PRIORITY 15

/* --- what is in force ------------------------------------------------------------------------------------ */

void held_release(struct held *h)
{
	if (!h || --h->users > 0)
		return;
	learned_types[h->kind].free(h->model);
	free(h);
}

struct held *held_new(enum learned_kind kind, const char *version, uint64_t mark, void *model)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	*h = (struct held){ .kind = kind, .model = model, .mark = mark, .users = 1 };
	snprintf(h->version, sizeof(h->version), "%s", version);
	return h;
}

static void hand_out(struct held *h, struct learned *out)
{
	h->users++;
	out->held[h->kind] = h;
	out->version[h->kind] = h->version;
	switch (h->kind) {
	case LEARNED_INTENT:
		out->intent = h->model;
		break;
	case LEARNED_ADAPTER:
		out->adapter = h->model;
		break;
	case LEARNED_USEFULNESS:
		out->usefulness = h->model;
		break;
	case LEARNED_RISK:
		out->risk = h->model;
		break;
	case LEARNED_FUSION:
		out->fusion = h->model;
		break;
	default:
		out->answering = h->model;
	}
}

void learner_take(struct learner *l, struct learned *out)
{
	*out = (struct learned){ 0 };
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	for (int k = 0; k < LEARNED_KINDS; k++)
		if (l->now[k])
			hand_out(l->now[k], out);
	if (l->shadow) {
		l->shadow->users++;
		out->shadow = l->shadow->model;
		out->shadow_version = l->shadow->version;
		out->share = l->share;
		out->shadow_held = l->shadow;
	}
	pthread_mutex_unlock(&l->lock);
}

void learner_give(struct learner *l, const struct learned *x)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	for (int k = 0; k < LEARNED_KINDS; k++)
		held_release(x->held[k]);
	held_release(x->shadow_held);
	pthread_mutex_unlock(&l->lock);
}

void learned_choose(struct learned *l, double draw)
{
	if (!l->shadow || draw >= l->share)
		return;
	l->intent = l->shadow;
	l->version[LEARNED_INTENT] = l->shadow_version;
}

/* Takes `model`, and `facts` with it; NULL: from now on none is in force. */
static int put_in_force(struct learner *l, enum learned_kind kind, const char *version, uint64_t mark,
			void *model, json_t *facts)
{
	struct held *h = model ? held_new(kind, version, mark, model) : NULL;

	if (model && !h) {
		learned_types[kind].free(model);
		json_decref(facts);
		return -1;
	}
	pthread_mutex_lock(&l->lock);
	held_release(l->now[kind]);
	l->now[kind] = h;
	json_decref(l->facts[kind]);
	l->facts[kind] = facts;
	pthread_mutex_unlock(&l->lock);
	return 0;
}

/* The facts of a training that put nothing in the place of what there is. */
static void tell(struct learner *l, enum learned_kind kind, json_t *facts)
{
	pthread_mutex_lock(&l->lock);
	json_decref(l->facts[kind]);
	l->facts[kind] = facts;
	pthread_mutex_unlock(&l->lock);
}

/* A copy: the count of references is no lock, and the next training lets go of these. */
static json_t *known(const json_t *facts)
{
	return facts ? json_deep_copy(facts) : json_null();
}

json_t *learner_facts(struct learner *l)
{
	json_t *j = json_object();
	int bad = !j;

	pthread_mutex_lock(&l->lock);
	for (int k = 0; !bad && k < LEARNED_KINDS; k++)
		bad = json_object_set_new(j, learned_types[k].name, known(l->facts[k])) < 0;
	pthread_mutex_unlock(&l->lock);
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* --- from training to force --------------------------------------------------------------------------------- */

/* On disk and told of, where models are kept; *out: what is in force then. */
static int keep(struct learner *l, enum learned_kind kind, struct arena *a, struct model_made *made,
		const struct trained *t, enum model_standing *out, struct error *e)
{
	struct packed packed;

	*out = !t->why ? MODEL_ACTIVE : t->leaves_none ? MODEL_NONE_LEFT : MODEL_OLD_STAYS;
	if (!l->models)
		return 0;
	made->type = learned_types[kind].name;
	made->facts = t->facts;
	made->why = t->why;
	made->leaves_none = t->leaves_none;
	made->none_in_force = !l->now[kind];
	if (t->model && learned_types[kind].pack(t->model, a, &packed) < 0)
		return no_memory(e);
	made->packed = t->model ? &packed : NULL;
	int rc = models_add(l->models, made, out, e);
	made->packed = NULL;
	return rc;
}

static int take_over(struct learner *l, enum learned_kind kind, struct arena *a, uint64_t mark,
		     uint64_t counted, struct trained *t, struct error *e)
{
	char id[24];
	struct model_made made = { .id = id, .mark = mark, .counted = counted };
	enum model_standing standing;

	snprintf(id, sizeof(id), "%c%llu", learned_types[kind].letter, (unsigned long long)mark);
	int rc = t->facts ? keep(l, kind, a, &made, t, &standing, e) : no_memory(e);
	if (rc == 0 && (standing == MODEL_ACTIVE || standing == MODEL_NONE_LEFT))
		return put_in_force(l, kind, id, mark, t->model, t->facts) < 0 ? no_memory(e) : 1;
	if (t->model)
		learned_types[kind].free(t->model);
	if (rc < 0)
		json_decref(t->facts);
	else
		tell(l, kind, t->facts);
	return rc;
}

/* Is it of the embedder's vectors, or of none? */
static int learned_fits(const struct learned_type *type, const void *model, size_t dim)
{
	return !type->dim || !type->dim(model) || type->dim(model) == dim;
}

int learned_read(enum learned_kind kind, const struct model_found *found, size_t dim, void **out,
		 struct error *e)
{
	const struct learned_type *type = &learned_types[kind];
	void *model = NULL;
	int rc = type->unpack(&found->packed, &model, e);

	if (rc < 0)
		return rc;
	if (!learned_fits(type, model, dim)) {
		type->free(model);
		return error_set(e, ERR_CORRUPT, NULL, "the model is of another embedder");
	}
	*out = model;
	return 0;
}

int learner_keeps(const struct learner *l, struct error *e)
{
	return l && l->models && !l->o.read_only
		       ? 0
		       : error_set(e, ERR_NOT_READY, NULL, "no models are kept here");
}

/* What is kept, as it was before the program ended. A file that is lost is one to be trained anew. */
static int restore(struct learner *l, enum learned_kind kind, size_t dim, struct error *e)
{
	const struct learned_type *type = &learned_types[kind];
	struct arena *a = arena_new(16 << 10);
	struct model_found found;
	struct error why = { 0 };
	void *model = NULL;
	int lost = 0;
	int rc = a ? models_active(l->models, type->name, a, &found, &why) : no_memory(&why);

	if (rc > 0)
		rc = type->unpack(&found.packed, &model, &why) < 0 ? why.code : 1;
	if (rc > 0 && !learned_fits(type, model, dim)) {
		type->free(model); /* of another embedder */
		rc = 0;
		model = NULL;
		lost = 1;
	}
	if (rc > 0 && put_in_force(l, kind, found.id, found.mark, model, json_incref(found.facts)) < 0)
		rc = no_memory(&why);
	if (rc >= 0 && !lost)
		rc = models_counted(l->models, type->name, a, &l->trained_on[kind], &why);
	arena_free(a);
	if (rc == ERR_CORRUPT) {
		tell(l, kind, json_pack("{s:s}", "lost", why.message));
		rc = 0;
	}
	if (rc < 0 && e)
		*e = why;
	return rc;
}

static int restore_all(struct learner *l, struct error *e)
{
	struct arena *a = arena_new(4096);
	struct engine_status s = { 0 };
	int rc = a ? engine_status(l->engine, a, &s, e) : no_memory(e);

	if (rc == 0)
		rc = models_open(l->engine, l->o.folder, l->o.read_only, &l->models, e);
	for (int k = 0; rc == 0 && k < LEARNED_KINDS; k++)
		rc = restore(l, (enum learned_kind)k, s.dim, e);
	if (rc == 0)
		rc = shadow_restore(l, s.dim, e);
	arena_free(a);
	return rc;
}

static int kind_of(const char *type)
{
	int k = 0;

	while (k < LEARNED_KINDS && strcmp(learned_types[k].name, type) != 0)
		k++;
	return k;
}

/* Read, looked at, told of, and then in force. */
static int activate(struct learner *l, const struct call *c, const char *id, json_t **result)
{
	struct model_found found;
	struct engine_status s;
	const char *type = "";
	void *model = NULL;
	int rc = models_find(l->models, c, id, &found, &type), k = kind_of(type);

	if (rc < 0 || (rc = engine_status(l->engine, c->arena, &s, c->err)) < 0)
		return rc;
	if (k == LEARNED_KINDS)
		return error_set(c->err, ERR_CORRUPT, NULL, "the model is of a type that is not known");
	if ((rc = learned_read((enum learned_kind)k, &found, s.dim, &model, c->err)) < 0)
		return rc;
	if ((rc = models_activate(l->models, c, id, result)) < 0) {
		learned_types[k].free(model);
		return rc;
	}
	if (k == LEARNED_INTENT)
		shadow_set(l, NULL, 0);
	return put_in_force(l, (enum learned_kind)k, id, found.mark, model, json_incref(found.facts)) < 0
		       ? no_memory(c->err)
		       : 0;
}

int learner_activate(struct learner *l, const struct call *c, const char *id, json_t **result)
{
	int rc = learner_keeps(l, c->err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&l->training);
	rc = activate(l, c, id, result);
	pthread_mutex_unlock(&l->training);
	return rc;
}

/* --- when ---------------------------------------------------------------------------------------------------- */

static int is_due(enum learned_kind kind, uint64_t now, uint64_t then)
{
	uint64_t step = learner_trainings[kind].step ? learner_trainings[kind].step : then / GROWTH + 1;

	return now >= learner_trainings[kind].least && now >= then + step;
}

/* 1: something changed; 0: it is not due. */
static int train(struct learner *l, enum learned_kind kind, const struct engine_status *s, int only_if_due,
		 struct error *e)
{
	enum record_kind also = learner_trainings[kind].also;
	uint64_t now = s->records[learner_trainings[kind].counted] +
		       (also != learner_trainings[kind].counted ? s->records[also] : 0);

	if (only_if_due && !is_due(kind, now, l->trained_on[kind]))
		return 0;
	struct arena *a = arena_new(1 << 20);
	struct trained t = { 0 };
	int rc = a ? learner_trainings[kind].train(l, a, s->seq, &t, e) : no_memory(e);
	if (rc == 0)
		rc = take_over(l, kind, a, s->seq, now, &t, e);
	arena_free(a);
	if (rc >= 0 || rc == ERR_NOT_READY || rc == ERR_TOO_LARGE)
		l->trained_on[kind] = now;
	return rc;
}

int learner_train(struct learner *l, int only_if_due, struct error *e)
{
	struct arena *a = arena_new(1024);
	struct engine_status s;
	struct error why = { 0 }, first = { 0 };
	int changed = 0, failed = 0;

	pthread_mutex_lock(&l->training);
	int rc = a ? engine_status(l->engine, a, &s, &why) : no_memory(&why);
	for (int k = 0; rc >= 0 && k < LEARNED_KINDS; k++) {
		int one = train(l, (enum learned_kind)k, &s, only_if_due, &why);
		changed += one > 0;
		/* Of one there may be too little while there is enough for another, and one may fail alone. */
		if (one < 0 && (!failed || (failed == ERR_NOT_READY && one != ERR_NOT_READY))) {
			failed = one;
			first = why;
		}
	}
	if (rc >= 0 && shadow_judge(l, s.records[RECORD_RESOLUTION], &why) < 0 && !failed) {
		failed = why.code;
		first = why;
	}
	pthread_mutex_unlock(&l->training);
	arena_free(a);
	if (rc < 0)
		first = why;
	else if (failed && (failed != ERR_NOT_READY || (!changed && !only_if_due)))
		rc = failed;
	if (rc < 0 && e)
		*e = first;
	return rc < 0 ? rc : changed;
}

static void *work(void *arg)
{
	struct learner *l = arg;

	/* Searches go first. It may fail, and nothing depends on it. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), PRIORITY);
	pthread_mutex_lock(&l->lock);
	while (!l->closing) {
		struct timespec until;
		pthread_mutex_unlock(&l->lock);
		learner_train(l, 1, NULL); /* what could not be done now is tried again */
		pthread_mutex_lock(&l->lock);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += LOOK_SECONDS;
		if (!l->closing)
			pthread_cond_timedwait(&l->wake, &l->lock, &until);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

int learner_open(struct engine *g, const struct learner_options *o, struct learner **out, struct error *e)
{
	struct learner *l = calloc(1, sizeof(*l));
	pthread_condattr_t monotonic;

	if (!l)
		return no_memory(e);
	l->engine = g;
	l->o = *o;
	pthread_mutex_init(&l->training, NULL);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (o->folder) {
		int rc = restore_all(l, e);
		if (rc < 0) {
			learner_close(l);
			return rc;
		}
	}
	if (o->background && pthread_create(&l->thread, NULL, work, l) != 0) {
		learner_close(l);
		return error_set(e, ERR_NO_MEMORY, NULL, "cannot start a thread");
	}
	l->has_thread = o->background;
	*out = l;
	return 0;
}

void learner_close(struct learner *l)
{
	if (!l)
		return;
	__atomic_store_n(&l->stop, 1, __ATOMIC_RELAXED);
	if (l->has_thread) {
		pthread_mutex_lock(&l->lock);
		l->closing = 1;
		pthread_cond_signal(&l->wake);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->thread, NULL);
	}
	for (int k = 0; k < LEARNED_KINDS; k++) {
		held_release(l->now[k]);
		json_decref(l->facts[k]);
	}
	held_release(l->shadow);
	models_close(l->models);
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->training);
	free(l);
}
