#include "learn/fusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "engine/each.h"
#include "learn/packed.h"

#define SURE 1.64 /* standard errors: wrong in one of twenty cases where it is of no use */

const double fusion_weights[FUSION_WEIGHTS] = { .05, .1, .2, .3, .4, .5, .6, .7 };

/* --- what is kept of a resolution ------------------------------------------------------------------------ */

json_t *fusion_ranks_json(const struct fusion_ranks *r)
{
	json_t *ranks = json_array();

	for (size_t i = 0; ranks && i < FUSION_WEIGHTS; i++)
		if (json_array_append_new(ranks, json_integer(r->rank[i])) < 0) {
			json_decref(ranks);
			return NULL;
		}
	return json_pack("{s:b, s:b, s:o}", "adapter", (r->company & FUSION_ADAPTER) != 0, "usefulness",
			 (r->company & FUSION_USEFULNESS) != 0, "ranks", ranks);
}

int fusion_ranks_parse(const json_t *j, struct fusion_ranks *out)
{
	const json_t *ranks = json_object_get(j, "ranks");
	struct fusion_ranks r = {
		.company = (json_is_true(json_object_get(j, "adapter")) ? FUSION_ADAPTER : 0) |
			   (json_is_true(json_object_get(j, "usefulness")) ? FUSION_USEFULNESS : 0)
	};

	if (json_array_size(ranks) != FUSION_WEIGHTS)
		return -1;
	for (size_t i = 0; i < FUSION_WEIGHTS; i++) {
		json_int_t rank = json_integer_value(json_array_get(ranks, i));
		if (rank < 0 || rank > FUSION_DEEP)
			return -1;
		r.rank[i] = (unsigned)rank;
	}
	*out = r;
	return 0;
}

struct reading {
	unsigned company;
	struct fusion_ranks *list; /* [FUSION_WINDOW] */
	size_t n;
};

/* The latest first; 1 when there are enough. */
static int read_resolution(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct reading *to = arg;
	const char *outcome = json_string_value(json_object_get(r->body, "outcome"));
	const json_t *told = json_object_get(json_object_get(r->body, "expected"), "documents");
	struct fusion_ranks ranks;

	(void)a;
	(void)e;
	if (!outcome || strcmp(outcome, "resolved") != 0 || fusion_ranks_parse(told, &ranks) < 0 ||
	    ranks.company != to->company)
		return 0;
	to->list[to->n++] = ranks;
	return to->n == FUSION_WINDOW;
}

int fusion_read(struct engine *g, unsigned company, struct arena *a, struct fusion_ranks **out, size_t *n,
		struct error *e)
{
	const struct scan all = { .kind = RECORD_RESOLUTION, .newest_first = 1 };
	struct reading r = { .company = company, .list = arena_alloc(a, FUSION_WINDOW * sizeof(*r.list)) };
	int rc = r.list ? engine_each(g, &all, read_resolution, &r, e) : no_memory(e);

	*out = r.list;
	*n = r.n;
	return rc < 0 ? rc : 0;
}

/* --- choosing -------------------------------------------------------------------------------------------- */

static double reciprocal(const struct fusion_ranks *r, size_t weight)
{
	return r->rank[weight] ? 1. / r->rank[weight] : 0;
}

/* Over every `step`-th from `from` on. */
static double mean_of(const struct fusion_ranks *list, size_t n, size_t from, size_t step, size_t weight)
{
	double sum = 0;
	size_t count = 0;

	for (size_t i = from; i < n; i += step) {
		sum += reciprocal(&list[i], weight);
		count++;
	}
	return count ? sum / (double)count : 0;
}

/* The usual one where none is better. */
static size_t best_of(const struct fusion_ranks *list, size_t n, size_t from, size_t step)
{
	size_t best = FUSION_USUAL;

	for (size_t w = 0; w < FUSION_WEIGHTS; w++)
		if (mean_of(list, n, from, step, w) > mean_of(list, n, from, step, best))
			best = w;
	return best;
}

/* What each half chose is looked at on the other one. */
static void cross(const struct fusion_ranks *list, size_t n, struct fusion_report *r)
{
	const size_t chosen[2] = { best_of(list, n, 1, 2), best_of(list, n, 0, 2) };
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++) {
		double d = reciprocal(&list[i], chosen[i % 2]) - reciprocal(&list[i], FUSION_USUAL);
		sum += d;
		squares += d * d;
	}
	r->gain = sum / (double)n;
	r->error = sqrt(fmax(0, squares / (double)n - r->gain * r->gain) / (double)(n - 1));
	r->worth = r->gain > SURE * r->error;
}

int fusion_fit(const struct fusion_ranks *list, size_t n, struct fusion_report *out, struct error *e)
{
	struct fusion_report r = { .cases = n };

	if (n < FUSION_LEAST)
		return error_set(e, ERR_NOT_READY, NULL,
				 "%zu resolutions that name the article they used, with what is learned of "
				 "articles now, are too few to weigh words by: %d are wanted",
				 n, FUSION_LEAST);
	size_t best = best_of(list, n, 0, 1);
	r.company = list[0].company;
	r.words = fusion_weights[best];
	r.usual = mean_of(list, n, 0, 1, FUSION_USUAL);
	r.best = mean_of(list, n, 0, 1, best);
	cross(list, n, &r);
	r.worth = r.worth && best != FUSION_USUAL;
	*out = r;
	return 0;
}

json_t *fusion_facts(const struct fusion_report *r)
{
	return json_pack("{s:I, s:b, s:b, s:f, s:f, s:f, s:f, s:f}", "cases", (json_int_t)r->cases, "adapter",
			 (r->company & FUSION_ADAPTER) != 0, "usefulness",
			 (r->company & FUSION_USEFULNESS) != 0, "words", r->words, "mrr_usual", r->usual,
			 "mrr", r->best, "gain", r->gain, "gain_error", r->error);
}

/* --- as bytes ------------------------------------------------------------------------------------------ */

int fusion_pack(const struct fusion *f, struct arena *a, struct packed *out)
{
	*out = (struct packed){ .head = json_keep(a, json_pack("{s:f, s:I}", "words", f->words, "company",
							       (json_int_t)f->company)) };
	return out->head ? 0 : -1;
}

int fusion_unpack(const struct packed *p, struct fusion **out, struct error *e)
{
	json_int_t company;
	struct fusion f;

	if (json_unpack(p->head, "{s:F, s:I}", "words", &f.words, "company", &company) < 0 ||
	    !(f.words > 0 && f.words < 1) || company < 0 || company > (FUSION_ADAPTER | FUSION_USEFULNESS))
		return error_set(e, ERR_CORRUPT, NULL, "the head of a model of fusion lacks something");
	f.company = (unsigned)company;
	if (!(*out = malloc(sizeof(f))))
		return no_memory(e);
	**out = f;
	return 0;
}
