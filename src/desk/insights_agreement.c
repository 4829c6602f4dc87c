/*
 * insights_agreement.c: how far those who label conversations agree: Cohen's
 * kappa of each annotator with what the others say, and of each intent.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"
#include "desk/annotations.h"
#include "desk/insights_figures.h"
#include "desk/insights_past.h"
#include "engine/each.h"

#define BOT 0 /* among the annotators' names, where 0 is none */

/* Two labels of one conversation: an annotator's, and what it is held against. */
struct pair {
	uint32_t who, said, reference;
};

struct pairs {
	struct pair *list;
	size_t n, cap;
};

/* Of an intent: who said it. `first` the bot or the earlier agent, `second` what it is held against. */
struct tally {
	uint64_t both, first, second;
};

struct intent_figures {
	const char *name;
	uint64_t labelled; /* conversations in which it is in force */
	struct tally bot, agents;
};

struct annotator {
	const char *name; /* NULL: the bot */
	int is_key, spoke;
	struct agreement agreement;
};

struct agreements {
	const struct call *call;
	const struct insight_query *query;
	struct past past; /* its intents are the labels' numbers */
	struct names names;
	struct annotator *annotators; /* by number; [BOT] */
	size_t n_annotators, cap_annotators;
	struct annotations *votes; /* [past.n_conversations] */
	uint32_t *bot;             /* the same: what the bot said; 0: nothing */
	uint32_t *in_force;        /* the same: what people say; 0: nothing in the window */
	struct pairs pairs, agents;
	struct agreement between;       /* agents */
	struct intent_figures *intents; /* [past.intents.n] */
	uint64_t conversations;
};

static int label_number(struct agreements *x, struct text label, uint32_t *out)
{
	return names_number(&x->past.intents, x->call->arena, label, out);
}

static int read_vote(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct agreements *x = arg;
	uint32_t i = past_conversation_of(&x->past, body_text(r->body, "conversation"));

	(void)a;
	if (i == NOTHING)
		return 0;
	return annotations_add(&x->votes[i], x->call->arena, r->body) < 0 ? no_memory(e) : 0;
}

/* What was drawn for a review the bot has said something of; what it has handed over with goes before. */
static int read_review(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct agreements *x = arg;
	const char *reason = body_string(r->body, "reason");
	uint32_t i = past_conversation_of(&x->past, body_text(r->body, "conversation"));

	(void)a;
	if (i == NOTHING || x->bot[i] ||
	    (strcmp(reason, "audit") != 0 && strcmp(reason, "low_confidence") != 0))
		return 0;
	return label_number(x, body_text(r->body, "label"), &x->bot[i]) < 0 ? no_memory(e) : 0;
}

static int read_all(struct desk *d, struct agreements *x)
{
	struct arena *a = x->call->arena;
	struct error *e = x->call->err;
	int rc = past_read(d, x->call, &x->past);

	if (rc < 0)
		return rc;
	x->votes = arena_alloc(a, (x->past.n_conversations + 1) * sizeof(*x->votes));
	x->bot = arena_alloc(a, (x->past.n_conversations + 1) * sizeof(*x->bot));
	x->in_force = arena_alloc(a, (x->past.n_conversations + 1) * sizeof(*x->in_force));
	if (!x->votes || !x->bot || !x->in_force)
		return no_memory(e);
	for (size_t i = 0; i < x->past.n_handoffs; i++) {
		const struct past_handoff *h = &x->past.handoffs[i];
		if (!x->bot[h->conversation])
			x->bot[h->conversation] = h->said;
	}
	rc = engine_each(d->engine, &(struct scan){ .kind = RECORD_VOTE }, read_vote, x, e);
	return rc < 0 ? rc
		      : engine_each(d->engine, &(struct scan){ .kind = RECORD_REVIEW }, read_review, x, e);
}

static int add_pair(struct pairs *to, uint32_t who, uint32_t said, uint32_t reference)
{
	if (GROW(to->list, to->n, to->cap) < 0)
		return -1;
	to->list[to->n++] = (struct pair){ who, said, reference };
	return 0;
}

/* Number n, who has spoken; NULL without memory. */
static struct annotator *annotator_at(struct agreements *x, uint32_t n)
{
	while (x->n_annotators <= n) {
		if (GROW(x->annotators, x->n_annotators, x->cap_annotators) < 0)
			return NULL;
		x->annotators[x->n_annotators] = (struct annotator){ .name = x->names.list[x->n_annotators] };
		x->n_annotators++;
	}
	x->annotators[n].spoke = 1;
	return &x->annotators[n];
}

static int annotator_of(struct agreements *x, const struct annotation *v, uint32_t *out)
{
	struct annotator *to = names_number(&x->names, x->call->arena, text_of(v->who), out) < 0
				       ? NULL
				       : annotator_at(x, *out);

	if (!to)
		return -1;
	to->is_key = v->is_key;
	return 0;
}

/* Each annotator against what is in force without him. */
static int pair_people(struct agreements *x, const struct annotations *votes)
{
	for (size_t i = 0; i < votes->n; i++) {
		const struct annotation *one = &votes->list[i],
					*others = annotations_in_force(votes, one->who);
		uint32_t who, said, reference;
		if (annotator_of(x, one, &who) < 0 || label_number(x, text_of(one->label), &said) < 0)
			return -1;
		if (others && (label_number(x, text_of(others->label), &reference) < 0 ||
			       add_pair(&x->pairs, who, said, reference) < 0))
			return -1;
	}
	return 0;
}

/* The last two agents: the earlier against the later. */
static int pair_agents(struct agreements *x, const struct annotations *votes)
{
	const struct annotation *pair[2];
	uint32_t said, reference;
	size_t n = 0;

	for (size_t i = votes->n; n < 2 && i > 0; i--)
		if (!votes->list[i - 1].qa)
			pair[n++] = &votes->list[i - 1];
	if (n < 2)
		return 0;
	return label_number(x, text_of(pair[1]->label), &said) < 0 ||
			       label_number(x, text_of(pair[0]->label), &reference) < 0
		       ? -1
		       : add_pair(&x->agents, BOT, said, reference);
}

static int pair_conversation(struct agreements *x, size_t i)
{
	const struct annotations *votes = &x->votes[i];
	uint32_t bot = x->bot[i];

	if (votes->n == 0 || !insight_within(x->query, votes->list[votes->n - 1].at))
		return 0;
	x->conversations += votes->n > 1 || bot;
	if (label_number(x, text_of(annotations_in_force(votes, NULL)->label), &x->in_force[i]) < 0 ||
	    pair_people(x, votes) < 0 || pair_agents(x, votes) < 0)
		return -1;
	return bot && (!annotator_at(x, BOT) || add_pair(&x->pairs, BOT, bot, x->in_force[i]) < 0) ? -1 : 0;
}

static int by_who(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->who < y->who ? -1 : x->who > y->who;
}

/* Sum over labels of how often one said it times how often the other did. `count`: [labels], zero, and left so. */
static struct agreement agreement_of(const struct pair *list, size_t n, uint64_t *count)
{
	struct agreement x = { .n = n };

	for (size_t i = 0; i < n; i++)
		count[list[i].reference]++;
	for (size_t i = 0; i < n; i++) {
		x.agreed += list[i].said == list[i].reference;
		x.chance += (double)count[list[i].said];
	}
	for (size_t i = 0; i < n; i++)
		count[list[i].reference] = 0;
	return x;
}

static void count_tally(struct tally *said, struct tally *reference)
{
	said->first++;
	reference->second++;
	said->both += said == reference;
}

/* Pairs are in order of who, the bot first. */
static int count_annotators(struct agreements *x)
{
	uint64_t *count = arena_alloc(x->call->arena, x->past.intents.n * sizeof(*count));
	const struct pair *list = x->pairs.list;

	if (!count)
		return -1;
	if (x->pairs.n > 1)
		qsort(x->pairs.list, x->pairs.n, sizeof(*x->pairs.list), by_who);
	for (size_t i = 0, end; i < x->pairs.n; i = end) {
		for (end = i + 1; end < x->pairs.n && list[end].who == list[i].who; end++)
			;
		x->annotators[list[i].who].agreement = agreement_of(list + i, end - i, count);
	}
	x->between = agreement_of(x->agents.list, x->agents.n, count);
	return 0;
}

static int count_intents(struct agreements *x)
{
	size_t n = x->past.intents.n;

	x->intents = arena_alloc(x->call->arena, n * sizeof(*x->intents));
	if (!x->intents)
		return -1;
	for (size_t i = 0; i < n; i++)
		x->intents[i].name = x->past.intents.list[i];
	for (size_t i = 0; i < x->past.n_conversations; i++)
		x->intents[x->in_force[i]].labelled++;
	for (size_t i = 0; i < x->pairs.n && x->pairs.list[i].who == BOT; i++)
		count_tally(&x->intents[x->pairs.list[i].said].bot,
			    &x->intents[x->pairs.list[i].reference].bot);
	for (size_t i = 0; i < x->agents.n; i++)
		count_tally(&x->intents[x->agents.list[i].said].agents,
			    &x->intents[x->agents.list[i].reference].agents);
	return 0;
}

/* The most first; the bot, who has no name, first among equals. */
static int by_size(const void *a, const void *b)
{
	const struct annotator *x = a, *y = b;

	if (x->agreement.n != y->agreement.n)
		return x->agreement.n > y->agreement.n ? -1 : 1;
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static int by_labelled(const void *a, const void *b)
{
	const struct intent_figures *x = a, *y = b;

	if (x->labelled != y->labelled)
		return x->labelled > y->labelled ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int set_annotators(struct agreements *x, json_t *out)
{
	json_t *list = json_array();

	if (body_set_take(out, "annotators", list) < 0)
		return -1;
	if (x->n_annotators > 1)
		qsort(x->annotators, x->n_annotators, sizeof(*x->annotators), by_size);
	for (size_t i = 0; i < x->n_annotators; i++) {
		const struct annotator *one = &x->annotators[i];
		if (!one->spoke)
			continue;
		json_t *j = agreement_json(&one->agreement);
		if (json_array_append_new(list, j) < 0 ||
		    body_set(j, "annotator", one->name ? one->name : "bot") < 0 ||
		    body_set(j, "kind",
			     !one->name    ? "bot"
			     : one->is_key ? "key"
					   : "agent") < 0)
			return -1;
	}
	return 0;
}

static json_t *tally_json(const struct tally *t, uint64_t n)
{
	const struct agreement of_one = agreement_of_one(t->both, t->first, t->second, n);

	return agreement_json(&of_one);
}

/* [0] is no intent. One that was said, and is not in force anywhere, is there as well. */
static int set_intents(struct agreements *x, uint64_t bot, json_t *out)
{
	json_t *list = json_array();
	size_t n = x->past.intents.n;

	if (body_set_take(out, "intents", list) < 0)
		return -1;
	if (n > 2)
		qsort(x->intents + 1, n - 1, sizeof(*x->intents), by_labelled);
	for (size_t i = 1; i < n; i++) {
		const struct intent_figures *one = &x->intents[i];
		if (!one->labelled && !one->bot.first && !one->agents.first && !one->agents.second)
			continue;
		if (json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:o}", "intent", one->name,
							  "labelled", (json_int_t)one->labelled, "bot",
							  tally_json(&one->bot, bot), "agents",
							  tally_json(&one->agents, x->agents.n))) < 0)
			return -1;
	}
	return 0;
}

static int show(struct agreements *x, json_t **out)
{
	uint64_t bot = x->n_annotators ? x->annotators[BOT].agreement.n : 0;
	JSON_AUTO *j = json_pack("{s:s, s:I, s:o}", "object", "agreement", "conversations",
				 (json_int_t)x->conversations, "agents", agreement_json(&x->between));

	if (!j || insight_set_window(j, x->query) < 0 || set_annotators(x, j) < 0 ||
	    set_intents(x, bot, j) < 0)
		return no_memory(x->call->err);
	*out = json_incref(j);
	return 0;
}

static int count_all(struct desk *d, struct agreements *x)
{
	int rc = names_open(&x->names) < 0 ? no_memory(x->call->err) : read_all(d, x);

	for (size_t i = 0; rc == 0 && i < x->past.n_conversations; i++)
		rc = pair_conversation(x, i) < 0 ? no_memory(x->call->err) : 0;
	if (rc == 0 && (count_annotators(x) < 0 || count_intents(x) < 0))
		rc = no_memory(x->call->err);
	return rc;
}

int insights_agreement(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out)
{
	struct agreements x = { .call = c, .query = q };
	int rc = count_all(d, &x);

	if (rc == 0)
		rc = show(&x, out);
	names_release(&x.names);
	past_release(&x.past);
	free(x.annotators);
	free(x.pairs.list);
	free(x.agents.list);
	return rc;
}
