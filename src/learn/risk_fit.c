/* risk_fit.c: the weights of a risk, learned from conversations that are over, and whether they are worth having. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "learn/odds.h"
#include "learn/risk.h"

#define SURE 1.64 /* standard errors: wrong in one of twenty cases where it is of no use */
#define FOLDS 5   /* one of them is held out */
#define LEAST_SHARE 1e-6

static int is_held_out(const struct risk_lesson *l)
{
	return l->hash % FOLDS == 0;
}

/* --- learning ---------------------------------------------------------------------------------------------- */

struct samples {
	struct odds_sample *list;
	size_t n, cap;
};

static int collect(const struct risk_lessons *l, int all, struct samples *out)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct risk_lesson *x = &l->list[i];
		for (size_t t = 0; t < x->n && (all || !is_held_out(x)); t++) {
			if (GROW(out->list, out->n, out->cap) < 0)
				return -1;
			out->list[out->n++] = (struct odds_sample){ .x = x->turns[t].x,
								    .yes = x->escalated,
								    .weight = 1 / (float)x->n };
		}
	}
	return 0;
}

static int is_seen(const struct samples *s, int sign)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].x[sign] != 0)
			return 1;
	return 0;
}

/*
 * A sign that no lesson has keeps the rule's weight. So do those of the intent:
 * they stand last, where what is learned from does not reach, and are the same
 * in all lessons, so that what they add comes off the bias.
 */
static void complete(const struct odds *o, const struct samples *s, struct risk_model *out)
{
	struct risk_model m = risk_rule;

	m.bias = o->bias;
	for (int i = 0; i < RISK_LEARNED; i++)
		if (is_seen(s, i))
			m.weight[i] = o->weight[i];
	for (int i = RISK_LEARNED; i < RISK_SIGNS; i++)
		m.bias -= m.weight[i] * s->list[0].x[i];
	*out = m;
}

/* `all` or those that are not held out. */
static int learn(const struct risk_lessons *l, int all, struct risk_model *out, struct error *e)
{
	struct samples s = { 0 };
	struct odds odds;
	int rc = collect(l, all, &s) < 0 ? no_memory(e) : 0;

	if (rc == 0)
		rc = odds_fit(s.list, s.n, RISK_LEARNED, &odds, e);
	if (rc == 0)
		complete(&odds, &s, out);
	free(s.list);
	return rc;
}

/* --- looking at those held out ------------------------------------------------------------------------------- */

static double log_loss(double p, int yes)
{
	return -log(fmax(yes ? p : 1 - p, LEAST_SHARE));
}

static double loss_of(const struct risk_model *m, const struct risk_lesson *x)
{
	double sum = 0;

	for (size_t t = 0; t < x->n; t++)
		sum += log_loss(risk_of(m, &x->turns[t]), x->escalated);
	return sum / (double)x->n;
}

/* The difference of two losses, conversation by conversation. */
struct difference {
	double sum, squares;
	size_t n;
};

static void add(struct difference *d, double x)
{
	d->sum += x;
	d->squares += x * x;
	d->n++;
}

static struct risk_gain gain_of(const struct difference *d)
{
	double n = (double)d->n, mean = n > 0 ? d->sum / n : 0;
	double variance = n > 0 ? fmax(0, d->squares / n - mean * mean) : 0;

	return (struct risk_gain){ mean, n > 1 ? sqrt(variance / (n - 1)) : 1 };
}

/* Of one who has held nothing out: the share of the others that escalated. */
static double share_of_rest(const struct risk_lessons *l)
{
	double n = 0, yes = 0;

	for (size_t i = 0; i < l->n; i++) {
		n += !is_held_out(&l->list[i]);
		yes += !is_held_out(&l->list[i]) && l->list[i].escalated;
	}
	return n > 0 ? yes / n : .5;
}

static void compare(const struct risk_lessons *l, const struct risk_model *trial, struct risk_report *r)
{
	struct difference rule = { 0 }, share = { 0 };
	double p = share_of_rest(l);

	for (size_t i = 0; i < l->n; i++) {
		const struct risk_lesson *x = &l->list[i];
		if (!is_held_out(x))
			continue;
		double learned = loss_of(trial, x), by_rule = loss_of(&risk_rule, x);
		double by_share = log_loss(p, x->escalated);
		add(&rule, by_rule - learned);
		add(&share, by_share - learned);
		r->learned.loss += learned;
		r->rule.loss += by_rule;
		r->share_loss += by_share;
		r->held_out_escalated += (size_t)x->escalated;
	}
	double n = r->held_out ? (double)r->held_out : 1;
	r->learned.loss /= n;
	r->rule.loss /= n;
	r->share_loss /= n;
	r->over_rule = gain_of(&rule);
	r->over_share = gain_of(&share);
	r->worth = r->over_rule.mean > SURE * r->over_rule.error &&
		   r->over_share.mean > SURE * r->over_share.error;
}

/* --- recall and precision ------------------------------------------------------------------------------------- */

struct flag {
	double risk;
	int escalated;
};

static int riskier(const void *x, const void *y)
{
	const struct flag *a = x, *b = y;

	if (a->risk != b->risk)
		return a->risk > b->risk ? -1 : 1;
	return a->escalated - b->escalated;
}

static struct risk_pair pair_at(double threshold, const struct flag *list, size_t n)
{
	struct risk_pair p = { .threshold = threshold };
	size_t right = 0, escalated = 0;

	for (size_t i = 0; i < n; i++) {
		int flagged = list[i].risk >= threshold;
		p.flagged += (size_t)flagged;
		right += (size_t)(flagged && list[i].escalated);
		escalated += (size_t)list[i].escalated;
	}
	p.recall = escalated ? (double)right / (double)escalated : -1;
	p.precision = p.flagged ? (double)right / (double)p.flagged : -1;
	return p;
}

/* By the last turn of each. Where several are as risky as the last that is flagged, they all are. */
static int find_pairs(const struct risk_lessons *l, const struct risk_model *m, struct risk_report *r,
		      struct risk_figures *out)
{
	struct flag *list = malloc((r->held_out + 1) * sizeof(*list));
	size_t n = 0;

	if (!list)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		const struct risk_lesson *x = &l->list[i];
		if (is_held_out(x))
			list[n++] = (struct flag){ risk_of(m, &x->turns[x->n - 1]), x->escalated };
	}
	qsort(list, n, sizeof(*list), riskier);
	out->at_risk = pair_at(ESCALATE_RISK, list, n);
	out->at_share = pair_at(r->held_out_escalated ? list[r->held_out_escalated - 1].risk : 1, list, n);
	free(list);
	return 0;
}

static int try_out(const struct risk_lessons *l, struct risk_report *r, struct error *e)
{
	struct risk_model trial = risk_rule;
	int rc = r->held_out < l->n ? learn(l, 0, &trial, e) : 0;

	if (rc < 0 || r->held_out == l->n)
		return rc;
	compare(l, &trial, r);
	return find_pairs(l, &trial, r, &r->learned) < 0 || find_pairs(l, &risk_rule, r, &r->rule) < 0
		       ? no_memory(e)
		       : 0;
}

static int check_enough(const struct risk_report *r, struct error *e)
{
	size_t ended = r->conversations - r->escalated, least = RISK_LEAST;

	if (r->escalated >= least && ended >= least)
		return 0;
	return error_set(e, ERR_NOT_READY, NULL,
			 "%zu conversations that were handed over and %zu that ended without are too few to "
			 "learn risk from: %zu and %zu are missing",
			 r->escalated, ended, r->escalated < least ? least - r->escalated : 0,
			 ended < least ? least - ended : 0);
}

int risk_fit(const struct risk_lessons *l, struct risk_model **out, struct risk_report *report,
	     struct error *e)
{
	struct risk_report r = { .conversations = l->n };
	struct risk_model all = risk_rule, *made = NULL;
	int rc;

	for (size_t i = 0; i < l->n; i++) {
		r.escalated += (size_t)l->list[i].escalated;
		r.held_out += (size_t)is_held_out(&l->list[i]);
	}
	if ((rc = check_enough(&r, e)) < 0 || (rc = try_out(l, &r, e)) < 0 || (rc = learn(l, 1, &all, e)) < 0)
		return rc;
	memcpy(r.weight, all.weight, sizeof(r.weight));
	r.bias = all.bias;
	if (r.worth && !(made = malloc(sizeof(*made))))
		return no_memory(e);
	if (made)
		*made = all;
	*out = made;
	*report = r;
	return 0;
}
