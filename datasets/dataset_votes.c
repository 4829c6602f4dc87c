/* dataset_votes.c: how many have labelled an example, and how far they agree. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "datasets/dataset_internal.h"
#include "desk/insights_figures.h"

#define SLACK 1e-9 /* .56 of 25 are 14, and not a little more */

static size_t count_of(const struct annotations *votes, struct text label)
{
	size_t n = 0;

	for (size_t i = 0; i < votes->n; i++)
		n += text_is(label, votes->list[i].label);
	return n;
}

int votes_unfit(const struct writing *w, const struct annotations *votes, struct text label)
{
	const struct dataset_options *o = w->o;

	if (votes->n < o->min_votes)
		return SKIP_FEW_VOTES;
	return (double)count_of(votes, label) + SLACK < o->agreement * (double)votes->n ? SKIP_DISAGREEMENT
											: -1;
}

int votes_note(struct writing *w, const struct annotations *votes)
{
	if (votes->n < 2)
		return 0;
	const char *earlier = votes->list[votes->n - 2].label, *later = votes->list[votes->n - 1].label;
	long said = label_number(w, text_of(earlier)), reference = label_number(w, text_of(later));
	if (said < 0 || reference < 0 || GROW(w->voted, w->n_voted, w->voted_cap) < 0)
		return no_memory(w->err);
	w->voted[w->n_voted++] = (struct voted){ (uint32_t)said, (uint32_t)reference };
	w->unanimous += count_of(votes, text_of(later)) == votes->n;
	return 0;
}

json_t *votes_json(const struct writing *w)
{
	uint64_t *said = calloc(w->n_labels + 1, sizeof(*said)),
		 *reference = calloc(w->n_labels + 1, sizeof(*reference));
	struct agreement x = { .n = w->n_voted };
	json_t *j = NULL;

	for (size_t i = 0; said && reference && i < w->n_voted; i++) {
		said[w->voted[i].earlier]++;
		reference[w->voted[i].later]++;
		x.agreed += w->voted[i].earlier == w->voted[i].later;
	}
	for (size_t i = 0; said && reference && i < w->n_labels; i++)
		x.chance += (double)said[i] * (double)reference[i];
	if (said && reference)
		j = agreement_json(&x);
	free(said);
	free(reference);
	if (j && body_set_int(j, "unanimous", (int64_t)w->unanimous) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}
