/* situation_lessons.c: what conversations that are over teach of escalations. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/grow.h"
#include "desk/package.h"
#include "desk/situation.h"
#include "engine/each.h"

#define OVER_MS ((int64_t)86400000) /* without a turn for so long a conversation is over */

struct reading {
	struct desk *desk;
	const volatile int *stop;
	struct arena *arena; /* of what is read */
	struct risk_lesson *list;
	size_t n, cap;
	int64_t now;
};

/* When a conversation was handed over, and when for the last time for a reason that can be learned. */
struct offers {
	int64_t *at; /* oldest first */
	size_t n;
	int64_t last; /* 0: never */
};

/* Weights and counts tell nothing of what was said, so that it is read whoever may see it. */
static const struct rights sees_all = { .key = "readback", .scopes = SCOPE_ADMIN, .all_groups = 1 };

static int teaches(const json_t *handoff)
{
	const json_t *trigger = package_value(json_object_get(handoff, "package"), "trigger");
	const char *name = json_string_value(trigger);

	return !*body_string(handoff, "previous") && (!name || strcmp(name, "policy") != 0);
}

static int read_offers(const struct reading *x, const struct call *c, const json_t *body, struct offers *out)
{
	const json_t *ids = json_object_get(body, "handoffs");
	struct offers o = { .at = arena_alloc(c->arena, (json_array_size(ids) + 1) * sizeof(*o.at)) };

	if (!o.at)
		return no_memory(c->err);
	for (size_t i = 0; i < json_array_size(ids); i++) {
		struct record r;
		int rc = engine_get(x->desk->engine, RECORD_HANDOFF,
				    json_string_value(json_array_get(ids, i)), c->arena, &r, c->err);
		if (rc < 0)
			return rc;
		o.at[o.n] = body_time(r.body, "created_at");
		if (teaches(r.body) && o.at[o.n] > o.last)
			o.last = o.at[o.n];
		o.n++;
	}
	*out = o;
	return 0;
}

static int is_contained(const struct reading *x, const struct conversation *v)
{
	return v->n_turns > 0 && conversation_count(v, "agent") == 0 &&
	       v->turns[v->n_turns - 1].at <= x->now - OVER_MS;
}

/* Did an agent speak last before turn i, but for the customer himself? */
static int is_with_agent(const struct conversation *v, size_t i)
{
	while (i > 0 && turn_is(&v->turns[i - 1], "customer"))
		i--;
	return i > 0 && turn_is(&v->turns[i - 1], "agent");
}

/* The turns to learn from, by their places; the latest. */
static size_t choose_turns(const struct conversation *v, const struct offers *o,
			   size_t places[RISK_MOST_TURNS])
{
	size_t n = 0;

	for (size_t i = v->n_turns; i > 0 && n < RISK_MOST_TURNS; i--)
		if (turn_is(&v->turns[i - 1], "customer") && (!o->n || v->turns[i - 1].at <= o->last) &&
		    !is_with_agent(v, i - 1))
			places[n++] = i - 1;
	for (size_t i = 0; i < n / 2; i++) {
		size_t other = places[n - 1 - i];
		places[n - 1 - i] = places[i];
		places[i] = other;
	}
	return n;
}

static int signs_at(const struct reading *x, const struct call *c, const struct conversation *v,
		    const struct offers *o, size_t place, struct risk_signs *out)
{
	struct conversation part = *v;
	struct situation s;
	int earlier = 0;

	part.n_turns = place + 1;
	for (size_t i = 0; i < o->n; i++)
		earlier += o->at[i] < v->turns[place].at;
	if (situation_read(x->desk, c->arena, &part, earlier, &s) < 0)
		return no_memory(c->err);
	*out = risk_signs_of(&s);
	return 0;
}

static int add_lesson(struct reading *x, const struct call *c, const struct conversation *v,
		      const struct offers *o)
{
	size_t places[RISK_MOST_TURNS], n = choose_turns(v, o, places);
	struct risk_signs *turns = arena_alloc(x->arena, (n + 1) * sizeof(*turns));
	int rc = turns && GROW(x->list, x->n, x->cap) == 0 ? 0 : no_memory(c->err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = signs_at(x, c, v, o, places[i], &turns[i]);
	if (rc == 0 && n > 0)
		x->list[x->n++] = (struct risk_lesson){ .turns = turns,
							.n = n,
							.escalated = o->last > 0,
							.hash = hash_fnv1a(v->id, strlen(v->id)) };
	return rc;
}

static int read_one(struct reading *x, const struct call *c, const struct record *r)
{
	struct offers o = { 0 };
	struct conversation v;
	int rc = read_offers(x, c, r->body, &o);

	if (rc == ERR_NOT_FOUND) /* it went meanwhile */
		return 0;
	/* Only a policy's, or resolved elsewhere: nothing to learn. */
	if (rc < 0 || (o.n && !o.last) || (!o.n && strcmp(body_string(r->body, "state"), "open") != 0))
		return rc;
	rc = conversation_load(x->desk, c, r->id, &v);
	if (rc < 0)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	return o.n || is_contained(x, &v) ? add_lesson(x, c, &v, &o) : 0;
}

/* The latest first; 1 when there are enough. */
static int read_conversation(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct reading *x = arg;
	struct arena *own = arena_new(1 << 16);
	struct call c = { .arena = own, .rights = &sees_all, .err = e, .if_match = CALL_NO_MATCH };
	int rc;

	(void)a;
	if (x->stop && __atomic_load_n(x->stop, __ATOMIC_RELAXED))
		rc = error_set(e, ERR_INTERRUPTED, NULL, "interrupted");
	else
		rc = own ? read_one(x, &c, r) : no_memory(e);
	arena_free(own);
	return rc < 0 ? rc : x->n == RISK_MOST_CONVERSATIONS;
}

int situation_lessons_read(void *desk, const volatile int *stop, struct arena *a, struct risk_lessons *out,
			   struct error *e)
{
	const struct scan s = { .kind = RECORD_CONVERSATION, .newest_first = 1 };
	struct reading x = { .desk = desk, .stop = stop, .arena = a, .now = clock_wall_ms() };
	int rc = engine_each(x.desk->engine, &s, read_conversation, &x, e);
	struct risk_lesson *list = rc < 0 ? NULL : arena_alloc(a, (x.n + 1) * sizeof(*list));

	if (list && x.n)
		memcpy(list, x.list, x.n * sizeof(*list));
	free(x.list);
	if (!list)
		return rc < 0 ? rc : no_memory(e);
	*out = (struct risk_lessons){ list, x.n };
	return 0;
}
