#include "learn/shadow.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "engine/each.h"

struct counting {
	const char *model;
	uint64_t since;
	struct shadow_tally tally;
	double sum, squares; /* of the differences */
};

/* 1 when what follows is older. */
static int count_pair(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct counting *c = arg;
	const json_t *told = json_object_get(r->body, "expected");
	const json_t *shadow = json_object_get(told, "shadow");
	const char *model = json_string_value(json_object_get(shadow, "model"));

	(void)a;
	(void)e;
	if (r->created <= c->since)
		return 1;
	if (!model || strcmp(model, c->model) != 0)
		return 0;
	int active = json_is_true(json_object_get(told, "right"));
	int candidate = json_is_true(json_object_get(shadow, "right"));
	c->tally.n++;
	c->tally.active_right += (size_t)active;
	c->tally.shadow_right += (size_t)candidate;
	c->sum += candidate - active;
	c->squares += (candidate - active) * (candidate - active);
	return 0;
}

int shadow_count(struct engine *g, const char *model, uint64_t since, struct shadow_tally *out,
		 struct error *e)
{
	const struct scan all = { .kind = RECORD_RESOLUTION, .newest_first = 1 };
	struct counting c = { .model = model, .since = since };
	int rc = engine_each(g, &all, count_pair, &c, e);
	double n = (double)c.tally.n;

	if (rc < 0)
		return rc;
	if (c.tally.n > 0)
		c.tally.difference = c.sum / n;
	if (c.tally.n > 1)
		c.tally.error = sqrt((c.squares - c.sum * c.sum / n) / (n - 1) / n);
	*out = c.tally;
	return 0;
}

int shadow_is_worse(const struct shadow_tally *t)
{
	return t->n >= SHADOW_LEAST && t->difference + SHADOW_SURELY * t->error < 0;
}
