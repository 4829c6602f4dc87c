#include "desk/expectation.h"

#include <string.h>

#include "base/arena.h"
#include "desk/fusion_look.h"
#include "learn/answering.h"
#include "learn/intent.h"
#include "learn/learner.h"

static int is_right(const struct intent *in, struct text label)
{
	const char *guess = in->candidates[0].label;

	return strlen(guess) == label.n && memcmp(guess, label.s, label.n) == 0;
}

/* Not the label: it may be of texts that not everybody may see. */
static json_t *body_of(struct arena *a, const struct intent *in, struct text label)
{
	struct seen seen = seen_of(in);

	return json_keep(a, json_pack("{s:b, s:o}", "right", is_right(in, label), "seen", seen_json(&seen)));
}

/* What the candidate says, beside what the model in force said. */
static int ask_shadow(struct desk *d, struct arena *a, const struct learned *learned, struct intent_query *q,
		      struct text label, json_t *told, struct error *e)
{
	struct intent in;

	if (!learned->shadow)
		return 0;
	q->model = learned->shadow;
	q->about = NULL; /* whether the label is contested is not his to say */
	int rc = intent_predict(d->engine, q, NULL, a, &in, e);
	if (rc < 0 || in.n == 0)
		return rc;
	return json_object_set_new(told, "shadow",
				   json_pack("{s:s, s:b}", "model", learned->shadow_version, "right",
					     is_right(&in, label))) < 0
		       ? no_memory(e)
		       : 0;
}

int expectation_make(struct desk *d, struct arena *a, struct text opening, const float *vector,
		     struct text label, const char *own, const struct case_document *documents,
		     size_t n_documents, struct expectation *out, struct error *e)
{
	struct intent_query q = {
		.vector = vector, .text = opening, .about = text_copy(a, label), .own = own
	};
	struct expectation x = { 0 };
	long n = analyse_query(a, opening.s, opening.n, SEARCH_MAX_TERMS, &q.terms);
	struct learned learned;
	struct intent in;

	*out = x;
	if (n < 0 || !q.about)
		return no_memory(e);
	q.n_terms = (size_t)n;
	learner_take(d->learner, &learned);
	q.model = learned.intent;
	/* Everything is asked: no label of it is shown to anybody, only counted. */
	int rc = intent_predict(d->engine, &q, NULL, a, &in, e);
	if (rc == 0 && in.n > 0) {
		x.told = body_of(a, &in, label);
		rc = x.told ? fusion_look(d, a, &learned, &in, &q, documents, n_documents, x.told, e)
			    : no_memory(e);
		if (rc == 0)
			rc = ask_shadow(d, a, &learned, &q, label, x.told, e);
	}
	learner_give(d->learner, &learned);
	if (rc < 0 || in.n == 0)
		return rc;
	x.doubt = in.doubt;
	x.contested = in.doubt >= 0 && in.doubt < INTENT_CONTESTED;
	*out = x;
	return 0;
}
