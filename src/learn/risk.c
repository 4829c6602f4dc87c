#include "learn/risk.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "learn/intent.h"
#include "learn/packed.h"

#define MOST_TURNS 10
#define MOST_EARLIER 4

/* Of turns whose intent was not kept: chosen by reading, between what is plain and what is not. */
#define TYPICAL_OUT_OF_SCOPE .1f
#define TYPICAL_UNSURE .3f

const struct risk_model risk_rule = {
	.weight = {
		[RISK_ASKS] = 4.5,
		[RISK_REPEATS] = 1.3,
		[RISK_BOT_REPEATED] = 1.3,
		[RISK_NEGATIVE] = 1.6,
		[RISK_TURNS] = 1.2,
		[RISK_EARLIER] = 2,
		[RISK_PROMISES] = .5,
		[RISK_OUT_OF_SCOPE] = .9,
		[RISK_UNSURE] = .8,
	},
	.bias = -2.2,
};

static const struct {
	const char *name, *says;
} signs[RISK_SIGNS] = {
	[RISK_ASKS] = { "asks_for_human", "the customer asks for a person" },
	[RISK_REPEATS] = { "repeats_himself", "the customer says the same again" },
	[RISK_BOT_REPEATED] = { "bot_repeated", "the bot has said the same twice" },
	[RISK_NEGATIVE] = { "negative", "the customer is unhappy" },
	[RISK_TURNS] = { "turns", "this has gone on for many turns" },
	[RISK_EARLIER] = { "earlier_handoffs", "the conversation was handed over before" },
	[RISK_PROMISES] = { "promises_open", "promises are open" },
	[RISK_OUT_OF_SCOPE] = { "out_of_scope", "this is unlike anything that was resolved before" },
	[RISK_UNSURE] = { "unsure", "what is meant is unclear" },
};

static double share_of(double n, double most)
{
	return n <= 0 ? 0 : n < most ? n / most : 1;
}

struct risk_signs risk_signs_of(const struct situation *s)
{
	const struct intent *in = s->intent;
	struct risk_signs out = { .x = {
					  [RISK_ASKS] = s->asks_for_human ? 1 : 0,
					  [RISK_REPEATS] = s->repeats_himself ? 1 : 0,
					  [RISK_BOT_REPEATED] = s->bot_repeated ? 1 : 0,
					  [RISK_PROMISES] = s->promises_open ? 1 : 0,
					  [RISK_OUT_OF_SCOPE] = TYPICAL_OUT_OF_SCOPE,
					  [RISK_UNSURE] = TYPICAL_UNSURE,
				  } };

	out.x[RISK_NEGATIVE] = (float)fmax(0, -s->sentiment.score);
	out.x[RISK_TURNS] = (float)share_of((double)s->customer_turns - 2, MOST_TURNS);
	out.x[RISK_EARLIER] = (float)share_of(s->earlier_handoffs, MOST_EARLIER);
	if (in) {
		out.x[RISK_OUT_OF_SCOPE] = in->n ? (float)in->out_of_scope : 0;
		out.x[RISK_UNSURE] = in->n ? (float)(1 - in->candidates[0].confidence) : 1;
	}
	return out;
}

static double contribution(const struct risk_model *m, const struct risk_signs *s, int i)
{
	return m->weight[i] * s->x[i];
}

double risk_of(const struct risk_model *m, const struct risk_signs *s)
{
	double x = m->bias;

	for (int i = 0; i < RISK_SIGNS; i++)
		x += contribution(m, s, i);
	return 1 / (1 + exp(-x));
}

int risk_is_shown(const struct risk_model *m, const struct risk_signs *s)
{
	for (int i = 0; i < RISK_LEARNED; i++)
		if (contribution(m, s, i) > 0)
			return 1;
	return 0;
}

/* The sign that speaks most for it but for `except`; RISK_SIGNS: none does. */
static int strongest(const struct risk_model *m, const struct risk_signs *s, int except)
{
	int best = RISK_SIGNS;
	double most = 0;

	for (int i = 0; i < RISK_SIGNS; i++) {
		double x = i == except ? 0 : contribution(m, s, i);
		if (x > most) {
			most = x;
			best = i;
		}
	}
	return best;
}

/* The second is named when it weighs at least half as much as the first. */
const char *risk_reason(struct arena *a, const struct risk_model *m, const struct risk_signs *s)
{
	int first = strongest(m, s, RISK_SIGNS), second = strongest(m, s, first);

	if (first == RISK_SIGNS)
		return "The risk of an escalation is high.";
	const char *says = signs[first].says;
	char capital = (char)(says[0] - 'a' + 'A');
	if (second == RISK_SIGNS || contribution(m, s, second) < contribution(m, s, first) / 2)
		return arena_printf(a, "%c%s, and the risk of an escalation is high.", capital, says + 1);
	return arena_printf(a, "%c%s, %s, and the risk of an escalation is high.", capital, says + 1,
			    signs[second].says);
}

/* --- as bytes ------------------------------------------------------------------------------------------ */

static json_t *weights_json(const double *weight)
{
	json_t *j = json_object();
	int bad = !j;

	for (int i = 0; !bad && i < RISK_SIGNS; i++)
		bad = json_object_set_new(j, signs[i].name, json_real(weight[i])) < 0;
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

int risk_pack(const struct risk_model *m, struct arena *a, struct packed *out)
{
	json_t *head = json_pack("{s:o, s:f}", "weights", weights_json(m->weight), "bias", m->bias);

	*out = (struct packed){ .head = json_keep(a, head) };
	return out->head ? 0 : -1;
}

int risk_unpack(const struct packed *p, struct risk_model **out, struct error *e)
{
	struct risk_model m;
	const json_t *weights = json_object_get(p->head, "weights"), *bias = json_object_get(p->head, "bias");
	int known = json_is_number(bias);

	for (int i = 0; i < RISK_SIGNS; i++) {
		const json_t *w = json_object_get(weights, signs[i].name);
		known &= json_is_number(w);
		m.weight[i] = json_number_value(w);
	}
	if (!known)
		return error_set(e, ERR_CORRUPT, NULL, "the head of a model of risk lacks something");
	m.bias = json_number_value(bias);
	if (!(*out = malloc(sizeof(m))))
		return no_memory(e);
	**out = m;
	return 0;
}

/* --- told ---------------------------------------------------------------------------------------------- */

static json_t *share_json(double x)
{
	return x < 0 ? json_null() : json_real(x);
}

static json_t *pair_json(const struct risk_pair *p)
{
	return json_pack("{s:f, s:I, s:o, s:o}", "threshold", p->threshold, "flagged", (json_int_t)p->flagged,
			 "recall", share_json(p->recall), "precision", share_json(p->precision));
}

static json_t *figures_json(const struct risk_figures *f)
{
	return json_pack("{s:f, s:o, s:o}", "loss", f->loss, "at_risk", pair_json(&f->at_risk), "at_share",
			 pair_json(&f->at_share));
}

static json_t *gain_json(const struct risk_gain *g)
{
	return json_pack("{s:f, s:f}", "mean", g->mean, "error", g->error);
}

json_t *risk_facts(const struct risk_report *r)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:f, s:o, s:o, s:o, s:f}", "conversations",
			 (json_int_t)r->conversations, "escalated", (json_int_t)r->escalated, "held_out",
			 (json_int_t)r->held_out, "held_out_escalated", (json_int_t)r->held_out_escalated,
			 "learned", figures_json(&r->learned), "rule", figures_json(&r->rule), "share_loss",
			 r->share_loss, "gain_over_rule", gain_json(&r->over_rule), "gain_over_share",
			 gain_json(&r->over_share), "weights", weights_json(r->weight), "bias", r->bias);
}
