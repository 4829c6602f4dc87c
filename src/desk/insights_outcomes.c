/* insights_outcomes.c: how handoffs came out, in all and by intent or week. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/grow.h"
#include "base/map.h"
#include "desk/bodies.h"
#include "desk/insights_figures.h"
#include "desk/insights_past.h"
#include "engine/each.h"

#define REPEAT_MS ((int64_t)7 * 86400000)

struct group {
	const char *name; /* intent or week; NULL: no intent is known */
	uint64_t handoffs, ended[PAST_OUTCOMES], returned, open, overridden;
	struct sample handle_s;
	struct share first_contact, repeat, contained, suggested, refused;
	uint64_t csat_n, csat_sum;
};

/* A customer comes with an intent: a conversation begins, or is handed over. Sorted by customer, intent, time. */
struct contact {
	uint32_t customer, intent, conversation, handoff; /* handoff NOTHING: the conversation's beginning */
	int64_t at;
};

/* What of documents a resolution's evidence had. */
struct suggestion {
	unsigned char shown, used; /* used: one of those that were shown */
};

struct outcomes {
	struct past past;
	const struct call *call;
	const struct insight_query *query;
	struct suggestion *suggestions; /* [past.n_resolutions] */
	struct contact *contacts;
	size_t n_contacts, cap_contacts;
	struct group *groups; /* [0]: all together */
	size_t n_groups, cap_groups;
	struct map *group_of;
	int64_t now;
};

static int read_relevance(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct outcomes *o = arg;
	uint32_t i = past_relevance_of(&o->past, r);

	(void)a;
	(void)e;
	if (i == NOTHING || body_int(r->body, "shown_rank") <= 0)
		return 0;
	o->suggestions[i].shown = 1;
	o->suggestions[i].used |= (unsigned char)body_bool(r->body, "used");
	return 0;
}

static int add_contact(struct outcomes *o, struct contact x)
{
	if (x.customer == 0 || x.intent == 0)
		return 0;
	if (GROW(o->contacts, o->n_contacts, o->cap_contacts) < 0)
		return no_memory(o->call->err);
	o->contacts[o->n_contacts++] = x;
	return 0;
}

static int by_customer_intent(const struct contact *x, const struct contact *y)
{
	if (x->customer != y->customer)
		return x->customer < y->customer ? -1 : 1;
	return x->intent < y->intent ? -1 : x->intent > y->intent;
}

static int by_contact(const void *a, const void *b)
{
	const struct contact *x = a, *y = b;
	int order = by_customer_intent(x, y);

	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* A conversation that was resolved without a handoff is a contact as well. */
static int find_contacts(struct outcomes *o)
{
	const struct past *p = &o->past;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < p->n_handoffs; i++) {
		const struct past_handoff *h = &p->handoffs[i];
		const struct past_conversation *v = &p->conversations[h->conversation];
		struct contact x = { v->customer, h->intent, h->conversation, i, h->offered };
		rc = add_contact(o, x);
		x.handoff = NOTHING;
		x.at = v->started;
		if (rc == 0)
			rc = add_contact(o, x);
	}
	for (uint32_t i = 0; rc == 0 && i < p->n_conversations; i++) {
		const struct past_conversation *v = &p->conversations[i];
		if (v->alone != NOTHING)
			rc = add_contact(o, (struct contact){ v->customer, p->resolutions[v->alone].intent, i,
							      NOTHING, v->started });
	}
	if (rc == 0 && o->n_contacts > 1)
		qsort(o->contacts, o->n_contacts, sizeof(*o->contacts), by_contact);
	return rc;
}

/* Did the customer come again with the intent within the days after? */
static int comes_again(const struct outcomes *o, uint32_t handoff, int64_t at)
{
	const struct past_handoff *h = &o->past.handoffs[handoff];
	struct contact from = { .customer = o->past.conversations[h->conversation].customer,
				.intent = h->intent,
				.at = at + 1 };
	size_t low = 0, high = o->n_contacts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_contact(&o->contacts[middle], &from) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < o->n_contacts; low++) {
		const struct contact *x = &o->contacts[low];
		if (by_customer_intent(x, &from) != 0 || x->at > at + REPEAT_MS)
			return 0;
		if (x->handoff == NOTHING ? x->conversation != h->conversation : x->handoff != handoff)
			return 1;
	}
	return 0;
}

/* Its number; NOTHING without memory. */
static uint32_t group_of(struct outcomes *o, const char *name)
{
	const char *key = name ? name : "";
	uint64_t *number = map_put(o->group_of, key, strlen(key), NULL);

	if (!number)
		return NOTHING;
	if (*number)
		return (uint32_t)*number;
	if (GROW(o->groups, o->n_groups, o->cap_groups) < 0)
		return NOTHING;
	o->groups[o->n_groups] = (struct group){ .name = name ? arena_strdup(o->call->arena, name) : NULL };
	if (name && !o->groups[o->n_groups].name)
		return NOTHING;
	*number = o->n_groups++; /* [0] is made first, under no name */
	return (uint32_t)*number;
}

static uint32_t week_group(struct outcomes *o, int64_t at)
{
	char name[WEEK_TEXT];

	week_name(week_of(at), name);
	return group_of(o, name);
}

/* Its first resolution: a correction comes later, and ends nothing. NULL if there is none. */
static const struct past_resolution *ended_by(const struct outcomes *o, const struct past_handoff *h)
{
	const struct past_resolution *r = h->first == NOTHING ? NULL : &o->past.resolutions[h->first];

	return r && r->outcome != PAST_NONE ? r : NULL;
}

/*
 * Whether a contact was the only one is known when its days are over, and of
 * whom the customer is known.
 */
static void count_contact(const struct outcomes *o, uint32_t i, const struct past_resolution *r,
			  struct group *g)
{
	const struct past_handoff *h = &o->past.handoffs[i];
	const struct past_resolution *end = ended_by(o, h);
	int64_t at = end ? end->at : r->at;

	if (!o->past.conversations[h->conversation].customer || h->intent == 0 || at > o->now - REPEAT_MS)
		return;
	int resolved = r->outcome == PAST_RESOLVED, again = resolved && comes_again(o, i, at);
	share_add(&g->first_contact, resolved && !again);
	if (resolved)
		share_add(&g->repeat, again);
}

/* From the read-back, else from the offer. Where clocks went backwards it is not known. */
static int count_time(const struct outcomes *o, const struct past_handoff *h, struct group *g)
{
	const struct past_resolution *r = ended_by(o, h);
	int64_t from = h->accepted ? h->accepted : h->offered;

	if (!r || r->outcome == PAST_ABANDONED || r->at < from)
		return 0;
	return sample_add(&g->handle_s, (double)(r->at - from) / 1000);
}

static int count_handoff(struct outcomes *o, uint32_t i, struct group *g)
{
	const struct past_handoff *h = &o->past.handoffs[i];
	const struct past_resolution *r = past_resolution_of(&o->past, h);

	g->handoffs++;
	g->refused.n += h->readbacks;
	g->refused.yes += h->refused;
	g->overridden += (uint64_t)h->overridden;
	if (!r) {
		g->returned += (uint64_t)h->returned;
		g->open += (uint64_t)!h->returned;
		return 0;
	}
	g->ended[r->outcome]++;
	if (r->csat > 0) {
		g->csat_n++;
		g->csat_sum += (uint64_t)r->csat;
	}
	count_contact(o, i, r, g);
	const struct suggestion *s = &o->suggestions[h->last];
	if (r->outcome == PAST_RESOLVED && s->shown)
		share_add(&g->suggested, s->used);
	return count_time(o, h, g);
}

static int count_handoffs(struct outcomes *o)
{
	for (uint32_t i = 0; i < o->past.n_handoffs; i++) {
		const struct past_handoff *h = &o->past.handoffs[i];
		if (!insight_within(o->query, h->offered))
			continue;
		uint32_t g = o->query->by_week ? week_group(o, h->offered)
					       : group_of(o, o->past.intents.list[h->intent]);
		if (g == NOTHING || count_handoff(o, i, &o->groups[0]) < 0 ||
		    count_handoff(o, i, &o->groups[g]) < 0)
			return no_memory(o->call->err);
	}
	return 0;
}

/*
 * A conversation that was resolved without a handoff is history from elsewhere:
 * people did that, so it says nothing of the bot.
 */
static int count_conversations(struct outcomes *o)
{
	for (size_t i = 0; i < o->past.n_conversations; i++) {
		const struct past_conversation *v = &o->past.conversations[i];
		uint32_t g = 0;
		if (!insight_within(o->query, v->started) || (v->handoffs == 0 && v->alone != NOTHING))
			continue;
		if (o->query->by_week && (g = week_group(o, v->started)) == NOTHING)
			return no_memory(o->call->err);
		share_add(&o->groups[0].contained, v->handoffs == 0);
		if (g)
			share_add(&o->groups[g].contained, v->handoffs == 0);
	}
	return 0;
}

static json_t *csat_json(const struct group *g)
{
	return g->csat_n ? json_pack("{s:I, s:f}", "n", (json_int_t)g->csat_n, "mean",
				     (double)g->csat_sum / (double)g->csat_n)
			 : json_pack("{s:i, s:n}", "n", 0, "mean");
}

static json_t *counts_json(const struct group *g)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "handoffs", (json_int_t)g->handoffs,
			 "resolved", (json_int_t)g->ended[PAST_RESOLVED], "unresolved",
			 (json_int_t)g->ended[PAST_UNRESOLVED], "transferred",
			 (json_int_t)g->ended[PAST_TRANSFERRED], "abandoned",
			 (json_int_t)g->ended[PAST_ABANDONED], "returned", (json_int_t)g->returned, "open",
			 (json_int_t)g->open, "overridden", (json_int_t)g->overridden);
}

/* New reference, NULL without memory. `contained`: conversations are counted, too. */
static json_t *group_json(struct group *g, int contained)
{
	json_t *j = counts_json(g);

	if (!j || body_set_take(j, "handle_s", sample_json(&g->handle_s)) < 0 ||
	    body_set_take(j, "first_contact_resolution", share_json(&g->first_contact)) < 0 ||
	    body_set_take(j, "repeat_contact", share_json(&g->repeat)) < 0 ||
	    (contained && body_set_take(j, "containment", share_json(&g->contained)) < 0) ||
	    body_set_take(j, "suggestion_use", share_json(&g->suggested)) < 0 ||
	    body_set_take(j, "readback_discrepancies", share_json(&g->refused)) < 0 ||
	    body_set_take(j, "csat", csat_json(g)) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int by_week(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->name, ((const struct group *)b)->name);
}

/* The most handoffs first; without an intent last among equals. */
static int by_size(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->handoffs != y->handoffs)
		return x->handoffs > y->handoffs ? -1 : 1;
	if (!x->name || !y->name)
		return !x->name - !y->name;
	return strcmp(x->name, y->name);
}

static int set_groups(struct outcomes *o, json_t *out)
{
	json_t *list = json_array();
	int week = o->query->by_week;

	if (body_set_take(out, "groups", list) < 0)
		return -1;
	if (o->n_groups > 2)
		qsort(o->groups + 1, o->n_groups - 1, sizeof(*o->groups), week ? by_week : by_size);
	for (size_t i = 1; i < o->n_groups; i++) {
		json_t *j = group_json(&o->groups[i], week), *name;
		name = o->groups[i].name ? json_string(o->groups[i].name) : json_null();
		if (json_array_append_new(list, j) < 0) {
			json_decref(name);
			return -1;
		}
		if (body_set_take(j, week ? "week" : "intent", name) < 0)
			return -1;
	}
	return 0;
}

static int show(struct outcomes *o, json_t **out)
{
	JSON_AUTO *j = json_pack("{s:s, s:s}", "object", "outcomes", "by",
				 o->query->by_week ? "week" : "intent");

	if (!j || insight_set_window(j, o->query) < 0 ||
	    body_set_take(j, "total", group_json(&o->groups[0], 1)) < 0 || set_groups(o, j) < 0)
		return no_memory(o->call->err);
	*out = json_incref(j);
	return 0;
}

static int count_all(struct desk *d, struct outcomes *o)
{
	const struct call *c = o->call;
	int rc;

	o->suggestions = arena_alloc(c->arena, (o->past.n_resolutions + 1) * sizeof(*o->suggestions));
	o->group_of = map_new();
	if (!o->suggestions || !o->group_of || GROW(o->groups, 0, o->cap_groups) < 0)
		return no_memory(c->err);
	o->groups[o->n_groups++] = (struct group){ 0 };
	rc = engine_each(d->engine, &(struct scan){ .kind = RECORD_RELEVANCE }, read_relevance, o, c->err);
	if (rc == 0)
		rc = find_contacts(o);
	if (rc == 0)
		rc = count_handoffs(o);
	return rc == 0 ? count_conversations(o) : rc;
}

static void release(struct outcomes *o)
{
	for (size_t i = 0; i < o->n_groups; i++)
		sample_release(&o->groups[i].handle_s);
	free(o->groups);
	free(o->contacts);
	map_free(o->group_of);
	past_release(&o->past);
}

int insights_outcomes(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out)
{
	struct outcomes o = { .call = c, .query = q, .now = clock_wall_ms() };
	int rc = past_read(d, c, &o.past);

	if (rc == 0)
		rc = count_all(d, &o);
	if (rc == 0)
		rc = show(&o, out);
	release(&o);
	return rc;
}
