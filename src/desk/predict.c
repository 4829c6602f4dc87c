#include "desk/predict.h"

#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "desk/boosts.h"
#include "desk/draw.h"
#include "desk/fusion_look.h"
#include "desk/query.h"
#include "desk/situation.h"
#include "engine/rules.h"

#define MODEL_NEAREST "knn-1" /* of intents, before there is a model */
#define MODEL_RISK "rule-1"   /* likewise, of risk */
#define MODEL_FUSION "tmm-1"  /* likewise, of how much words count */

#define FELT_TURNS 3 /* customer turns whose sentiment counts: what was said long ago is past */

struct sentiment predict_sentiment(struct arena *a, const struct conversation *v)
{
	STRBUF_AUTO text = STRBUF_INIT;
	int turns = 0;

	for (size_t i = v->n_turns; i > 0 && turns < FELT_TURNS; i--) {
		if (!turn_is(&v->turns[i - 1], "customer"))
			continue;
		strbuf_add(&text, v->turns[i - 1].text.s, v->turns[i - 1].text.n);
		strbuf_putc(&text, '\n');
		turns++;
	}
	return sentiment_of(a, text.p ? text.p : "", text.n);
}

int intent_of_query(struct desk *d, const struct call *c, const struct desk_query *q, const struct rights *r,
		    const struct learned *learned, struct intent *out)
{
	struct intent_query iq = { .vector = q->whole ? q->whole : q->vector,
				   .terms = q->terms,
				   .n_terms = q->n_terms,
				   .text = q->said,
				   .model = learned->intent };

	return intent_predict(d->engine, &iq, r, c->arena, out, c->err);
}

int predict_intent(struct desk *d, const struct call *c, const struct conversation *v, const struct rights *r,
		   struct intent *out)
{
	struct learned learned;
	struct desk_query q;
	int rc = query_of_conversation(d, c->arena, v, &q, c->err);

	if (rc < 0)
		return rc;
	draw_learned(d, v->id, &learned);
	rc = intent_of_query(d, c, &q, r, &learned, out);
	learner_give(d->learner, &learned);
	return rc;
}

/* Documents that the caller may see; without anything to search for none. */
static int suggest(struct desk *d, const struct call *c, const struct desk_query *q, const struct intent *in,
		   const struct learned *learned, size_t k, struct search_result *out)
{
	struct search_request r = { .kinds = { COLLECTION_DOCUMENT },
				    .n_kinds = 1,
				    .k = k,
				    .intent = in->n ? in->candidates[0].label : NULL };

	if (k == 0 || (!q->vector && q->n_terms == 0)) {
		*out = (struct search_result){ 0 };
		return 0;
	}
	query_to_request(q, &r);
	if (boosts_set(c->arena, learned, in, &r) < 0)
		return no_memory(c->err);
	return search_run(d->engine, d->embedder, c->rights, &r, c->arena, out, c->err);
}

/* How well the best document fits. A pinned one is there by a rule: what was found besides tells, if there is any. */
static const struct search_hit *best_document(const struct search_result *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (!search_hit_pinned(&found->hits[i]))
			return &found->hits[i];
	return found->n ? &found->hits[0] : NULL;
}

static int look(struct desk *d, const struct call *c, const struct conversation *v, const struct intent *in,
		const struct search_result *found, struct situation *out)
{
	const struct turn *last = conversation_last(v, "customer");
	int handoffs = (int)json_array_size(json_object_get(v->body, "handoffs"));
	struct situation s;

	if (situation_read(d, c->arena, v, handoffs, &s) < 0)
		return no_memory(c->err);
	s.intent = in;
	const char *customer = body_string(v->body, "customer");
	const struct policy_case by = { .said = last ? last->text : (struct text){ 0 },
					.intent = in->n ? in->candidates[0].label : NULL,
					.customer = *customer ? customer : NULL };
	int rc = policy_find(d->engine, c->arena, &by, &s.policy, &s.policy_because, c->err);
	if (rc < 0)
		return rc;
	const struct search_hit *best = best_document(found);
	if (best && best->raw.vector_rank)
		s.best_document = best->raw.vector;
	*out = s;
	return 0;
}

static json_t *intent_json(const struct intent *in)
{
	json_t *candidates = json_array();
	int bad = !candidates;

	for (size_t i = 0; i < in->n && !bad; i++)
		bad = json_array_append_new(candidates,
					    json_pack("{s:s, s:f}", "label", in->candidates[i].label,
						      "confidence", in->candidates[i].confidence)) < 0;
	if (bad) {
		json_decref(candidates);
		return NULL;
	}
	return json_pack("{s:s?, s:f, s:o}", "label", in->n ? in->candidates[0].label : NULL, "confidence",
			 in->n ? in->candidates[0].confidence : 0.0, "candidates", candidates);
}

static json_t *hits_json(const struct search_result *found)
{
	json_t *list = json_array();
	int bad = !list;

	for (size_t i = 0; i < found->n && !bad; i++)
		bad = json_array_append_new(list, search_hit_json(&found->hits[i], 0)) < 0;
	if (bad) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *prediction_json(const struct situation *s, const struct decision *what,
			       const struct search_result *found, const struct learned *learned)
{
	const char *const *version = learned->version;
	JSON_AUTO *intent = intent_json(s->intent);
	JSON_AUTO *suggestions = hits_json(found);
	JSON_AUTO *ask = json_array();

	for (size_t i = 0; ask && i < what->n_ask; i++)
		if (json_array_append_new(ask, json_string(s->intent->candidates[i].label)) < 0)
			return NULL;
	if (!intent || !suggestions || !ask)
		return NULL;
	return json_pack(
		"{s:O, s:s, s:s, s:O, s:f, s:f, s:{s:s, s:f}, s:O, s:b, s:{s:s, s:s, s:s, s:s?, s:s?, s:s?}}",
		"intent", intent, "decision", what->decision, "because", what->because, "ask", ask,
		"escalation_risk", what->escalation_risk, "out_of_scope", s->intent->out_of_scope,
		"sentiment", "label", s->sentiment.label, "score", s->sentiment.score, "suggestions",
		suggestions, "unaudited", !learned->answering, "models", "intent",
		learned->intent ? version[LEARNED_INTENT] : MODEL_NEAREST, "risk",
		learned->risk ? version[LEARNED_RISK] : MODEL_RISK, "fusion",
		fusion_in_force(learned) ? version[LEARNED_FUSION] : MODEL_FUSION, "adapter",
		version[LEARNED_ADAPTER], "answering", version[LEARNED_ANSWERING], "usefulness",
		version[LEARNED_USEFULNESS]);
}

/* All that a prediction is made of. */
struct assessment {
	struct intent intent;
	struct search_result found;
	struct situation situation;
	struct decision decision;
};

static int assess(struct desk *d, const struct call *c, const struct conversation *v, size_t k,
		  const struct learned *learned, struct assessment *out)
{
	struct desk_query q;
	int rc;

	if ((rc = query_of_conversation(d, c->arena, v, &q, c->err)) < 0 ||
	    (rc = intent_of_query(d, c, &q, c->rights, learned, &out->intent)) < 0 ||
	    (rc = query_for_documents(d, c->arena, v, learned->adapter, &q, c->err)) < 0 ||
	    (rc = suggest(d, c, &q, &out->intent, learned, k, &out->found)) < 0 ||
	    (rc = look(d, c, v, &out->intent, &out->found, &out->situation)) < 0)
		return rc;
	out->situation.answering = learned->answering;
	out->situation.risk = learned->risk;
	return decide(c->arena, &out->situation, &out->decision) < 0 ? no_memory(c->err) : 0;
}

static int predict_with(struct desk *d, const struct call *c, const struct conversation *v, size_t k,
			const struct learned *learned, json_t **out)
{
	struct assessment x;
	int rc = assess(d, c, v, k, learned, &x);

	if (rc < 0)
		return rc;
	*out = prediction_json(&x.situation, &x.decision, &x.found, learned);
	return *out ? 0 : no_memory(c->err);
}

int predict_sample(struct desk *d, const struct call *c, const struct conversation *v, struct predicted *out)
{
	struct predicted p = { 0 };
	struct learned learned;
	struct assessment x;

	draw_learned(d, v->id, &learned);
	int rc = assess(d, c, v, 1, &learned, &x);
	learner_give(d->learner, &learned);
	if (rc < 0)
		return rc;
	if (x.intent.n) {
		p.label = x.intent.candidates[0].label;
		p.seen = seen_of(&x.intent);
		p.answered = strcmp(x.decision.decision, "answer") == 0;
		p.unsure = x.decision.unsure;
	}
	*out = p;
	return 0;
}

int predict_conversation(struct desk *d, const struct call *c, const struct conversation *v, size_t k,
			 json_t **out)
{
	struct learned learned;

	draw_learned(d, v->id, &learned);
	int rc = predict_with(d, c, v, k, &learned, out);
	learner_give(d->learner, &learned);
	return rc;
}

/* A text alone is a conversation of one customer turn. */
static int of_text(const struct call *c, struct text text, struct conversation *out)
{
	struct conversation v = { .id = "", .subject = "", .fresh = 1, .body = body_new(c->arena) };
	struct turn t = { .role = "customer", .text = text, .author = c->rights->key };
	int rc = v.body ? conversation_add_turn(c, &v, &t) : no_memory(c->err);

	if (rc == 0)
		*out = v;
	return rc;
}

int predict_show(struct desk *d, const struct call *c, json_t *body, json_t **out)
{
	struct text text = { 0 }, id = { 0 };
	struct conversation v = { 0 };
	int64_t k = PREDICT_K;
	struct reader r;

	reader_init(&r, body, NULL, c->err);
	reader_string(&r, "text", OPTIONAL, TURN_MAX_TEXT, &text);
	reader_string(&r, "conversation_id", OPTIONAL, TURN_MAX_TEXT, &id);
	reader_int(&r, "k", OPTIONAL, 1, SEARCH_MAX_K, &k);
	int rc = reader_done(&r);
	if (rc < 0)
		return rc;
	if (!text.s && !id.s)
		return error_set(c->err, ERR_MISSING_FIELD, "text", "give text or conversation_id");
	if (text.s && id.s)
		return error_set(c->err, ERR_BAD_VALUE, "text",
				 "give either text or conversation_id, not both");
	if (text.s) {
		rc = of_text(c, text, &v);
	} else {
		const char *name = text_copy(c->arena, id);
		rc = name ? conversation_load(d, c, name, &v) : no_memory(c->err);
	}
	return rc < 0 ? rc : predict_conversation(d, c, &v, (size_t)k, out);
}
