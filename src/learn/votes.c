#include "learn/votes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "text/analyser.h"

#define TEMPERATURE .05      /* of cosines */
#define WORD_TEMPERATURE .15 /* of BM25 scores relative to the best */

int votes_text_hash(struct arena *a, struct text t, uint64_t *out)
{
	const struct token *tokens = NULL;
	uint64_t h = 0;
	long n = analyse_text(a, t.s, t.n, &tokens);

	if (n < 0)
		return -1;
	for (long i = 0; i < n; i++)
		h = (h ^ hash_fnv1a(tokens[i].word, strlen(tokens[i].word))) * 0x9e3779b97f4a7c15u;
	*out = n ? h : hash_fnv1a(t.s, t.n);
	return 0;
}

/* An earlier one with the same words and label has this one's vote. */
static int is_duplicate(const struct voter *all, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (all[j].hash == all[i].hash && strcmp(all[j].label, all[i].label) == 0)
			return 1;
	return 0;
}

static void vote(struct votes *v, const char *label, double weight)
{
	size_t i = 0;

	while (i < v->n && strcmp(v->list[i].label, label) != 0)
		i++;
	if (i == v->n)
		v->list[v->n++] = (struct vote_share){ label, 0 };
	v->list[i].share += weight;
}

static int more_votes(const void *x, const void *y)
{
	const struct vote_share *a = x, *b = y;

	if (a->share != b->share)
		return a->share > b->share ? -1 : 1;
	return strcmp(a->label, b->label);
}

static const char *group_of(const struct voter *x, int by_key)
{
	return by_key ? x->key : x->customer;
}

/* Lowers the weights of each key, or of each customer, to those of all others together, or to its strongest alone. */
static void cap(const struct voter *const *voters, double *weight, size_t n, int by_key)
{
	for (size_t i = 0; i < n; i++) {
		const char *group = group_of(voters[i], by_key);
		double own = 0, others = 0, strongest = 0;
		size_t first = i;
		for (size_t j = 0; j < n; j++) {
			int same = *group && strcmp(group_of(voters[j], by_key), group) == 0;
			own += same ? weight[j] : 0;
			others += same ? 0 : weight[j];
			strongest = same && weight[j] > strongest ? weight[j] : strongest;
			if (same && j < first)
				first = j;
		}
		double most = others > strongest ? others : strongest;
		if (first < i || !(others > 0) || own <= most)
			continue;
		for (size_t j = 0; j < n; j++)
			if (strcmp(group_of(voters[j], by_key), group) == 0)
				weight[j] *= most / own;
	}
}

void votes_count(const struct voter *voters, size_t n, int vectors, struct votes *out)
{
	const struct voter *who[VOTES_MOST] = { 0 };
	double weight[VOTES_MOST] = { 0 }, total = 0;
	struct votes v = { 0 };

	for (size_t i = 0; i < n && v.voters < VOTES_MOST; i++) {
		if (is_duplicate(voters, i))
			continue;
		double w = vectors ? exp((voters[i].score - voters[0].score) / TEMPERATURE)
				   : exp((voters[i].score / voters[0].score - 1) / WORD_TEMPERATURE);
		weight[v.voters] = voters[i].contested ? VOTES_CONTESTED * w : w;
		who[v.voters++] = &voters[i];
	}
	cap(who, weight, v.voters, 1);
	cap(who, weight, v.voters, 0);
	for (size_t i = 0; i < v.voters; i++) {
		vote(&v, who[i]->label, weight[i]);
		total += weight[i];
	}
	for (size_t i = 0; i < v.n; i++)
		v.list[i].share /= total;
	qsort(v.list, v.n, sizeof(v.list[0]), more_votes);
	*out = v;
}
