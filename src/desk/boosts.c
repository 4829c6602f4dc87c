#include "desk/boosts.h"

#include <math.h>

#include "base/arena.h"
#include "desk/fusion_look.h"
#include "learn/usefulness.h"

static int set_useful(struct arena *a, const struct usefulness *u, const struct intent *in,
		      struct search_request *r)
{
	struct expected_document *expected = NULL;
	size_t n = 0;

	if (usefulness_expect(u, a, in, &expected, &n) < 0)
		return -1;
	struct search_useful *useful = arena_alloc(a, (n + 1) * sizeof(*useful));
	if (!useful)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct expected_document *d = &expected[i];
		useful[i] = (struct search_useful){
			d->id,
			arena_printf(a, "helped in %zu of %zu resolved %s cases", d->helped, d->of, d->label),
			BOOST_USEFUL * d->share,
		};
		if (!useful[i].because)
			return -1;
	}
	r->useful = useful;
	r->n_useful = n;
	return 0;
}

static int set_labels(struct arena *a, const struct intent *in, struct search_request *r)
{
	struct search_label *labels = arena_alloc(a, (in->n + 1) * sizeof(*labels));

	if (!labels)
		return -1;
	for (size_t i = 0; i < in->n; i++) {
		const struct intent_candidate *c = &in->candidates[i];
		labels[i] = (struct search_label){
			c->label,
			arena_printf(a, "its intent is that of this conversation at %.2f", c->confidence),
			BOOST_INTENT * sqrt(c->confidence),
		};
		if (!labels[i].because)
			return -1;
	}
	r->labels = labels;
	r->n_labels = in->n;
	return 0;
}

/* Of documents alone, by weights that nobody chose. */
static int of_documents(const struct search_request *r)
{
	return r->n_kinds == 1 && r->kinds[0] == COLLECTION_DOCUMENT &&
	       !(r->weights.vector + r->weights.words > 0);
}

int boosts_set(struct arena *a, const struct learned *learned, const struct intent *in,
	       struct search_request *r)
{
	const struct fusion *fusion = fusion_in_force(learned);

	if (fusion && of_documents(r))
		r->weights = (struct search_weights){ 1 - fusion->words, fusion->words };
	if (learned->usefulness && set_useful(a, learned->usefulness, in, r) < 0)
		return -1;
	return set_labels(a, in, r);
}
