/* learner_shadow.c: a candidate beside the model in force: begun, judged, ended. */
#include <string.h>

#include "base/arena.h"
#include "learn/learner_internal.h"
#include "learn/shadow.h"

static const struct learned_type *intents(void)
{
	return &learned_types[LEARNED_INTENT];
}

void shadow_set(struct learner *l, struct held *h, double share)
{
	pthread_mutex_lock(&l->lock);
	held_release(l->shadow);
	l->shadow = h;
	l->share = share;
	pthread_mutex_unlock(&l->lock);
	l->looked_at = 0;
}

static int read_candidate(const struct model_found *found, size_t dim, struct held **out, struct error *e)
{
	void *model;
	int rc = learned_read(LEARNED_INTENT, found, dim, &model, e);

	if (rc < 0)
		return rc;
	if ((*out = held_new(LEARNED_INTENT, found->id, found->mark, model)))
		return 0;
	intents()->free(model);
	return no_memory(e);
}

/* A candidate whose file is lost is none: nobody waits for it. */
int shadow_restore(struct learner *l, size_t dim, struct error *e)
{
	struct arena *a = arena_new(16 << 10);
	struct model_found found;
	struct held *h = NULL;
	struct error why = { 0 };
	uint64_t since;
	double share = 0;
	int rc = a ? models_shadow(l->models, intents()->name, a, &found, &share, &since, &why)
		   : no_memory(&why);

	if (rc > 0)
		rc = read_candidate(&found, dim, &h, &why);
	if (h)
		shadow_set(l, h, share);
	arena_free(a);
	if (rc == ERR_CORRUPT)
		return 0;
	if (rc < 0 && e)
		*e = why;
	return rc;
}

int shadow_judge(struct learner *l, uint64_t resolutions, struct error *e)
{
	struct shadow_tally t = { 0 };
	uint64_t since = 0;
	double share;

	if (!l->shadow || !l->models || l->o.read_only || resolutions == l->looked_at)
		return 0;
	struct arena *a = arena_new(16 << 10);
	struct model_found found;
	int rc = a ? models_shadow(l->models, intents()->name, a, &found, &share, &since, e) : no_memory(e);
	if (rc > 0)
		rc = shadow_count(l->engine, found.id, since, &t, e);
	if (rc == 0 && shadow_is_worse(&t)) {
		const char *why = arena_printf(
			a, "in shadow it was right in %zu of %zu conversations, the model in force in %zu",
			t.shadow_right, t.n, t.active_right);
		rc = why ? models_shadow_end(l->models, NULL, found.id, why, NULL, e) : no_memory(e);
		if (rc == 0)
			shadow_set(l, NULL, 0);
	}
	arena_free(a);
	if (rc == 0)
		l->looked_at = resolutions;
	return rc;
}

static int begin(struct learner *l, const struct call *c, const char *id, double share, json_t **result)
{
	struct model_found found;
	struct engine_status s;
	const char *type = "";
	struct held *h = NULL;
	int rc = models_find(l->models, c, id, &found, &type);

	if (rc == 0 && strcmp(type, intents()->name) != 0)
		return error_set(
			c->err, ERR_BAD_VALUE, NULL,
			"only models of intents can be in shadow: their predictions are what is told "
			"right from wrong");
	if (rc == 0)
		rc = engine_status(l->engine, c->arena, &s, c->err);
	if (rc == 0)
		rc = read_candidate(&found, s.dim, &h, c->err);
	if (rc == 0)
		rc = models_shadow_begin(l->models, c, id, share, result);
	if (rc == 0)
		shadow_set(l, h, share);
	else
		held_release(h); /* nobody else knows of it */
	return rc;
}

int learner_shadow(struct learner *l, const struct call *c, const char *id, double share, json_t **result)
{
	int rc = learner_keeps(l, c->err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&l->training);
	rc = begin(l, c, id, share, result);
	pthread_mutex_unlock(&l->training);
	return rc;
}

int learner_shadow_end(struct learner *l, const struct call *c, const char *id, json_t **result)
{
	int rc = learner_keeps(l, c->err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&l->training);
	rc = models_shadow_end(l->models, c, id, NULL, result, c->err);
	if (rc == 0)
		shadow_set(l, NULL, 0);
	pthread_mutex_unlock(&l->training);
	return rc;
}
