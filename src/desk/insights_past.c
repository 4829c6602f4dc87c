#include "desk/insights_past.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"
#include "desk/conversation.h"
#include "desk/package.h"
#include "engine/each.h"

struct reading {
	struct past *past;
	const struct call *call;
};

int names_open(struct names *x)
{
	*x = (struct names){ .numbers = map_new() };
	if (!x->numbers || GROW(x->list, x->n, x->cap) < 0)
		return -1;
	x->list[x->n++] = NULL;
	return 0;
}

void names_release(struct names *x)
{
	map_free(x->numbers);
	free(x->list);
	*x = (struct names){ 0 };
}

int names_number(struct names *x, struct arena *a, struct text name, uint32_t *out)
{
	if (!name.s || name.n == 0) {
		*out = 0;
		return 0;
	}
	uint64_t *number = map_put(x->numbers, name.s, name.n, NULL);
	if (!number)
		return -1;
	if (!*number) {
		if (GROW(x->list, x->n, x->cap) < 0)
			return -1;
		x->list[x->n] = arena_strndup(a, name.s, name.n);
		if (!x->list[x->n])
			return -1;
		*number = x->n++;
	}
	*out = (uint32_t)*number;
	return 0;
}

static uint32_t number_in(const struct map *m, const char *id, size_t n)
{
	const uint64_t *number = map_get(m, id, n);

	return number ? (uint32_t)(*number - 1) : NOTHING;
}

uint32_t past_conversation_of(const struct past *p, struct text id)
{
	return id.s ? number_in(p->conversation_of, id.s, id.n) : NOTHING;
}

const struct past_resolution *past_resolution_of(const struct past *p, const struct past_handoff *h)
{
	if (h->last == NOTHING || p->resolutions[h->last].outcome == PAST_NONE)
		return NULL;
	return &p->resolutions[h->last];
}

uint32_t past_relevance_of(const struct past *p, const struct record *relevance)
{
	const char *end = strstr(relevance->id, "/relevance/");
	uint32_t i = end ? number_in(p->resolution_of, relevance->id, (size_t)(end - relevance->id))
			 : NOTHING;

	if (i == NOTHING || p->resolutions[i].outcome == PAST_NONE)
		return NOTHING;
	const struct past_resolution *r = &p->resolutions[i];
	uint32_t in_force = r->handoff != NOTHING ? p->handoffs[r->handoff].last
						  : p->conversations[r->conversation].alone;
	return in_force == i ? i : NOTHING;
}

static int read_conversation(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct reading *x = arg;
	struct past *p = x->past;
	struct past_conversation v = { .alone = NOTHING, .started = body_time(r->body, "started_at") };

	(void)a;
	if (!conversation_visible(x->call->rights, r->body))
		return 0;
	uint64_t *number = map_put(p->conversation_of, r->id, strlen(r->id), NULL);
	if (!number ||
	    names_number(&p->customers, p->arena, body_text(r->body, "customer"), &v.customer) < 0 ||
	    GROW(p->conversations, p->n_conversations, p->cap_conversations) < 0)
		return no_memory(e);
	p->conversations[p->n_conversations++] = v;
	*number = p->n_conversations;
	return 0;
}

/* A resolution that a handoff names, to be filled in when its record is met. */
static int expect_resolution(struct past *p, const char *id, uint32_t conversation, uint32_t handoff,
			     uint32_t *out)
{
	int fresh;

	*out = NOTHING;
	if (!*id)
		return 0;
	uint64_t *number = map_put(p->resolution_of, id, strlen(id), &fresh);
	if (!number)
		return -1;
	if (fresh) {
		if (GROW(p->resolutions, p->n_resolutions, p->cap_resolutions) < 0)
			return -1;
		p->resolutions[p->n_resolutions++] = (struct past_resolution){ .conversation = conversation,
									       .handoff = handoff };
		*number = p->n_resolutions;
	}
	*out = (uint32_t)(*number - 1);
	return 0;
}

/* What the bot cited stands resolved in the evidence, which is long: it is read of those alone that need it. */
static int set_evidence(struct past *p, const json_t *body, struct past_handoff *h)
{
	const json_t *bot = package_value(json_object_get(body, "package"), "bot");

	if (json_array_size(json_object_get(bot, "cited")) == 0)
		return 0;
	h->evidence = arena_strdup(p->arena, body_string(body, "evidence"));
	return h->evidence ? 0 : -1;
}

/* At most one attempt is accepted, the last; of many only the latest are kept, but they are numbered. */
static void count_readbacks(const json_t *body, struct past_handoff *h)
{
	const json_t *list = json_object_get(body, "readbacks");
	const json_t *last = json_array_get(list, json_array_size(list) - 1);

	if (!last)
		return;
	h->readbacks = (uint64_t)body_int(last, "n");
	h->refused = h->readbacks - (uint64_t)body_bool(last, "accepted");
	h->overridden = json_object_get(body, "override") != NULL;
}

static int read_handoff(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct reading *x = arg;
	struct past *p = x->past;
	const json_t *said = package_value(json_object_get(r->body, "package"), "intent");
	const json_t *first = json_array_get(json_object_get(r->body, "resolutions"), 0);
	struct past_handoff h = { .conversation = past_conversation_of(p, body_text(r->body, "conversation")),
				  .returned = strcmp(body_string(r->body, "state"), "returned") == 0,
				  .offered = body_time(r->body, "created_at"),
				  .accepted = body_time(r->body, "read_back_at") };
	uint32_t self = (uint32_t)p->n_handoffs;

	(void)a;
	if (h.conversation == NOTHING)
		return 0;
	count_readbacks(r->body, &h);
	h.id = arena_strdup(p->arena, r->id);
	if (!h.id || set_evidence(p, r->body, &h) < 0 ||
	    names_number(&p->intents, p->arena, body_text(said, "label"), &h.intent) < 0 ||
	    expect_resolution(p, first ? json_string_value(first) : "", h.conversation, self, &h.first) < 0 ||
	    expect_resolution(p, body_string(r->body, "resolution"), h.conversation, self, &h.last) < 0 ||
	    GROW(p->handoffs, p->n_handoffs, p->cap_handoffs) < 0)
		return no_memory(e);
	h.said = *body_string(r->body, "previous") ? 0 : h.intent;
	p->handoffs[p->n_handoffs++] = h;
	p->conversations[h.conversation].handoffs++;
	return 0;
}

static enum past_outcome outcome_of(const json_t *body)
{
	static const char *const names[PAST_OUTCOMES] = { "", "resolved", "unresolved", "transferred",
							  "abandoned" };
	const char *outcome = body_string(body, "outcome");

	for (int i = 1; i < PAST_OUTCOMES; i++)
		if (strcmp(outcome, names[i]) == 0)
			return (enum past_outcome)i;
	return PAST_NONE;
}

static int read_resolution(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct reading *x = arg;
	struct past *p = x->past;
	uint32_t conversation = past_conversation_of(p, body_text(r->body, "conversation"));
	uint32_t i = number_in(p->resolution_of, r->id, strlen(r->id));
	int alone = !*body_string(r->body, "handoff");

	(void)a;
	if (conversation == NOTHING || (i == NOTHING && !alone))
		return 0;
	if (alone && expect_resolution(p, r->id, conversation, NOTHING, &i) < 0)
		return no_memory(e);
	struct past_resolution *to = &p->resolutions[i];
	to->outcome = outcome_of(r->body);
	to->csat = (int)body_int(r->body, "csat");
	to->at = body_time(r->body, "at");
	if (names_number(&p->intents, p->arena, body_text(r->body, "intent"), &to->intent) < 0)
		return no_memory(e);
	if (alone)
		p->conversations[conversation].alone = i;
	else if (p->handoffs[to->handoff].last == i)
		p->handoffs[to->handoff].intent = to->intent;
	return 0;
}

/* A whole before its parts: what is made meanwhile is then left out, not half there. */
static int read_all(struct engine *g, struct reading *x)
{
	struct error *e = x->call->err;
	int rc = engine_each(g, &(struct scan){ .kind = RECORD_CONVERSATION }, read_conversation, x, e);

	if (rc == 0)
		rc = engine_each(g, &(struct scan){ .kind = RECORD_HANDOFF }, read_handoff, x, e);
	if (rc == 0)
		rc = engine_each(g, &(struct scan){ .kind = RECORD_RESOLUTION }, read_resolution, x, e);
	return rc;
}

int past_read(struct desk *d, const struct call *c, struct past *out)
{
	struct past p = { .arena = c->arena, .conversation_of = map_new(), .resolution_of = map_new() };
	struct reading x = { .past = &p, .call = c };
	int names = names_open(&p.customers) | names_open(&p.intents);
	int rc = names < 0 || !p.conversation_of || !p.resolution_of ? no_memory(c->err)
								     : read_all(d->engine, &x);

	if (rc < 0)
		past_release(&p);
	else
		*out = p;
	return rc;
}

void past_release(struct past *p)
{
	names_release(&p->customers);
	names_release(&p->intents);
	map_free(p->conversation_of);
	map_free(p->resolution_of);
	free(p->conversations);
	free(p->handoffs);
	free(p->resolutions);
	*p = (struct past){ 0 };
}
