/* learner_train.c: one training of each kind, from what was recorded to a model and how it was chosen. */
#include <stdlib.h>

#include "base/arena.h"
#include "learn/adapter_fit.h"
#include "learn/learner_internal.h"
#include "learn/lessons.h"

/* The facts, and why the one in force is kept if it is; both are told. */
static json_t *intent_facts(const struct intent_model *m, const struct intent_model *now)
{
	json_t *facts = intent_model_facts(m);
	struct intent_held is = intent_model_held_before(m), was = { 0 };

	if (now)
		was = intent_model_held(now);
	if (facts && now &&
	    json_object_set_new(facts, "compared",
				json_pack("{s:I, s:f, s:I, s:f}", "lessons", (json_int_t)is.n, "accuracy",
					  is.accuracy, "lessons_before", (json_int_t)was.n, "accuracy_before",
					  was.accuracy)) < 0) {
		json_decref(facts);
		return NULL;
	}
	return facts;
}

static int train_intent(struct learner *l, struct arena *a, uint64_t mark, struct trained *out,
			struct error *e)
{
	const struct held *held = l->now[LEARNED_INTENT]; /* who trains is alone in changing it */
	const struct intent_model *now = held ? held->model : NULL;
	struct intent_training o = { .seed = l->o.seed, .stop = &l->stop, .before = held ? held->mark : 0 };
	struct intent_model *m = NULL;
	struct lessons lessons = { 0 };
	int rc = lessons_read(l->engine, mark, a, &lessons, e);

	if (rc == 0)
		rc = intent_model_train(&lessons, &o, &m, e);
	if (rc < 0)
		return rc;
	*out = (struct trained){ .model = m, .facts = intent_facts(m, now) };
	if (now && intent_model_is_worse(now, m))
		out->why =
			"of examples held out that were there already when the model in force was trained, "
			"fewer are right than were then";
	return 0;
}

static json_t *gain_json(const struct adapter_gain *g)
{
	return json_pack("{s:I, s:f, s:f, s:f}", "pairs", (json_int_t)g->n, "mrr_before", g->before,
			 "mrr_after", g->after, "error", g->error);
}

static json_t *report_json(const struct adapter_report *r)
{
	return json_pack("{s:b, s:I, s:I, s:o, s:o, s:f, s:f, s:f}", "in_force", r->worth, "pairs",
			 (json_int_t)r->pairs, "documents", (json_int_t)r->documents, "seen",
			 gain_json(&r->seen), "unseen", gain_json(&r->unseen), "unseen_share",
			 r->unseen_share, "gain", r->gain, "gain_error", r->gain_error);
}

static int train_adapter(struct learner *l, struct arena *a, uint64_t mark, struct trained *out,
			 struct error *e)
{
	struct adapter_options o = { .stop = &l->stop };
	struct adapter_report report = { 0 };
	struct adapter_lessons lessons = { 0 };
	struct adapter *made = NULL;
	int rc = adapter_lessons_read(l->engine, a, &lessons, e);

	(void)mark;
	if (rc == 0)
		rc = adapter_fit(&lessons, &o, l->o.seed, &made, &report, e);
	if (rc == 0)
		*out = (struct trained){ .model = made,
					 .facts = report_json(&report),
					 .why = made ? NULL
						     : "on pairs held out it gains nothing that is sure",
					 .leaves_none = 1 };
	return rc;
}

static json_t *answering_json(const struct answering *a)
{
	return json_pack("{s:I, s:f, s:f, s:f}", "outcomes", (json_int_t)a->outcomes, "threshold",
			 a->threshold, "precision", a->precision, "share", a->share);
}

static int train_answering(struct learner *l, struct arena *a, uint64_t mark, struct trained *out,
			   struct error *e)
{
	double target = l->o.target > 0 ? l->o.target : ANSWERING_TARGET;
	struct answering learned = { 0 }, *kept = NULL;
	struct outcome_seen *list = NULL;
	size_t n = 0;
	int rc = outcomes_read(l->engine, ANSWERING_MOST, a, &list, &n, e);

	(void)mark;
	if (rc == 0)
		rc = answering_learn(list, n, target, &learned, e);
	if (rc < 0)
		return rc;
	if (!learned.outcomes)
		return error_set(e, ERR_NOT_READY, NULL,
				 "%zu predictions whose outcome is known are too few: %d are wanted", n,
				 ANSWERING_LEAST);
	if (!(kept = malloc(sizeof(*kept))))
		return no_memory(e);
	*kept = learned;
	*out = (struct trained){ .model = kept, .facts = answering_json(kept) };
	return 0;
}

static int train_usefulness(struct learner *l, struct arena *a, uint64_t mark, struct trained *out,
			    struct error *e)
{
	struct usefulness *made = NULL;
	int rc = usefulness_read(l->engine, &made, e);

	(void)a;
	(void)mark;
	if (rc == 0)
		*out = (struct trained){ .model = made, .facts = usefulness_facts(made) };
	return rc;
}

static int train_risk(struct learner *l, struct arena *a, uint64_t mark, struct trained *out, struct error *e)
{
	struct risk_lessons lessons = { 0 };
	struct risk_report report;
	struct risk_model *made = NULL;
	int rc = l->o.read_risk ? l->o.read_risk(l->o.read_arg, &l->stop, a, &lessons, e) : 0;

	(void)mark;
	if (rc == 0)
		rc = risk_fit(&lessons, &made, &report, e);
	if (rc == 0)
		*out = (struct trained){
			.model = made,
			.facts = risk_facts(&report),
			.why = made ? NULL
				    : "of conversations held out it tells no better than the rule, or than "
				      "their share, how they end",
			.leaves_none = 1
		};
	return rc;
}

static int train_fusion(struct learner *l, struct arena *a, uint64_t mark, struct trained *out,
			struct error *e)
{
	unsigned company = (l->now[LEARNED_ADAPTER] ? FUSION_ADAPTER : 0) |
			   (l->now[LEARNED_USEFULNESS] ? FUSION_USEFULNESS : 0);
	struct fusion_ranks *list = NULL;
	struct fusion_report report = { 0 };
	struct fusion *made = NULL;
	size_t n = 0;
	int rc = fusion_read(l->engine, company, a, &list, &n, e);

	(void)mark;
	if (rc == 0)
		rc = fusion_fit(list, n, &report, e);
	if (rc < 0)
		return rc;
	if (report.worth) {
		if (!(made = malloc(sizeof(*made))))
			return no_memory(e);
		*made = (struct fusion){ report.words, report.company };
	}
	*out = (struct trained){
		.model = made,
		.facts = fusion_facts(&report),
		.why = made ? NULL
			    : "no weight of words gains anything that is sure over the usual "
			      "one, on cases that did not choose it",
		.leaves_none = 1
	};
	return 0;
}

const struct training learner_trainings[LEARNED_KINDS] = {
	[LEARNED_INTENT] = { RECORD_EXAMPLE, RECORD_EXAMPLE, INTENT_LEAST_LESSONS, 0, train_intent },
	[LEARNED_ADAPTER] = { RECORD_CASE, RECORD_CASE, ADAPTER_LEAST_PAIRS, 0, train_adapter },
	[LEARNED_ANSWERING] = { RECORD_RESOLUTION, RECORD_REVIEW, ANSWERING_LEAST, 10, train_answering },
	[LEARNED_USEFULNESS] = { RECORD_CASE, RECORD_CASE, USEFULNESS_LEAST, 0, train_usefulness },
	/* Who was handed over is two records. */
	[LEARNED_RISK] = { RECORD_CONVERSATION, RECORD_HANDOFF, (uint64_t)3 * RISK_LEAST, 0, train_risk },
	[LEARNED_FUSION] = { RECORD_RESOLUTION, RECORD_RESOLUTION, FUSION_LEAST, 0, train_fusion },
};
