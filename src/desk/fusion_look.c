#include "desk/fusion_look.h"

#include <string.h>

#include "base/arena.h"
#include "desk/boosts.h"

unsigned fusion_company(const struct learned *l)
{
	return (l->adapter ? FUSION_ADAPTER : 0) | (l->usefulness ? FUSION_USEFULNESS : 0);
}

const struct fusion *fusion_in_force(const struct learned *l)
{
	return l->fusion && l->fusion->company == fusion_company(l) ? l->fusion : NULL;
}

static int is_used(const struct search_hit *h, const struct case_document *documents, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (documents[i].used && strcmp(documents[i].id, h->record.id) == 0)
			return 1;
	return 0;
}

/* The score that a hit would have; `w` is what it was found with. */
static double score_at(const struct search_hit *h, const struct search_weights *w, double words)
{
	double boosts = h->score - h->vector - h->words;

	return (1 - words) * h->vector / w->vector + words * h->words / w->words + boosts;
}

/* How many are better than the best of those that were used; of equal ones the one found first comes first. */
static unsigned rank_at(const struct search_result *found, const char *used, double words)
{
	const struct search_weights *w = &found->weights[COLLECTION_DOCUMENT];
	size_t best = found->n;
	unsigned rank = 1;

	for (size_t i = 0; i < found->n; i++)
		if (used[i] && (best == found->n ||
				score_at(&found->hits[i], w, words) > score_at(&found->hits[best], w, words)))
			best = i;
	if (best == found->n)
		return 0;
	for (size_t i = 0; i < found->n; i++) {
		double d = score_at(&found->hits[i], w, words) - score_at(&found->hits[best], w, words);
		rank += d > 0 || (d == 0 && i < best);
	}
	return rank;
}

static int look(struct desk *d, struct arena *a, const struct search_request *r,
		const struct case_document *documents, size_t n, struct fusion_ranks *out, struct error *e)
{
	struct search_result found;
	int by_vector = 0, by_words = 0;
	int rc = search_run(d->engine, d->embedder, NULL, r, a, &found, e);

	if (rc < 0)
		return rc;
	char *used = arena_alloc(a, found.n + 1);
	if (!used)
		return no_memory(e);
	for (size_t i = 0; i < found.n; i++) {
		used[i] = (char)is_used(&found.hits[i], documents, n);
		by_vector |= found.hits[i].vector > 0;
		by_words |= found.hits[i].words > 0;
	}
	/* Where one source found nothing the other has its weight: all weights are the same. */
	if (!by_vector || !by_words)
		return 0;
	for (size_t w = 0; w < FUSION_WEIGHTS; w++)
		out->rank[w] = rank_at(&found, used, fusion_weights[w]);
	return 1;
}

int fusion_look(struct desk *d, struct arena *a, const struct learned *learned, const struct intent *in,
		const struct intent_query *q, const struct case_document *documents, size_t n, json_t *told,
		struct error *e)
{
	struct search_request r = { .kinds = { COLLECTION_DOCUMENT },
				    .n_kinds = 1,
				    .k = FUSION_DEEP,
				    .no_highlight = 1,
				    .vector = q->vector,
				    .terms = q->terms,
				    .n_terms = q->n_terms };
	struct fusion_ranks ranks = { .company = fusion_company(learned) };
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += documents[i].used != 0;
	if (!used || !q->vector || !q->n_terms)
		return 0;
	if (learned->adapter && !(r.vector = adapter_apply(learned->adapter, a, q->vector)))
		return no_memory(e);
	if (boosts_set(a, learned, in, &r) < 0)
		return no_memory(e);
	int rc = look(d, a, &r, documents, n, &ranks, e);
	if (rc <= 0)
		return rc;
	return json_object_set_new(told, "documents", fusion_ranks_json(&ranks)) < 0 ? no_memory(e) : 0;
}
