#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "cmd_replay.h"
#include "datasets/measure.h"

#define MOST_STEP 100

const char *const replay_metrics[METRICS] = { "intent_accuracy",  "answered",   "precision",
					      "deflected",        "case_hit@1", "evidence_recall@1",
					      "evidence_recall@5" };

/* What an outcome adds to a mean; NaN: nothing. */
static double value_of(const struct outcome *o, enum metric m)
{
	const double value[METRICS] = { o->right,    o->answered,  o->right,    o->answered && o->right,
					o->case_hit, o->evidence1, o->evidence5 };

	return !o->measured || (m == PRECISION && !o->answered) ? NAN : value[m];
}

/* Means over outcomes [from, to); NaN where there is nothing to take a mean of. */
static void measure(const struct outcome *o, size_t from, size_t to, double out[METRICS])
{
	for (int m = 0; m < METRICS; m++) {
		double sum = 0, count = 0;
		for (size_t i = from; i < to; i++) {
			double v = value_of(&o[i], m);
			if (isnan(v))
				continue;
			sum += v;
			count++;
		}
		out[m] = count > 0 ? sum / count : NAN;
	}
}

/* Accuracy of always saying the label that was most frequent so far. NaN without memory. */
static double majority_accuracy(const struct replay *r)
{
	struct map *counts = map_new();
	const char *best = NULL;
	uint64_t most = 0;
	size_t right = 0, n = 0;

	for (size_t i = 0; counts && i < r->n; i++) {
		const char *label = r->chats[r->order[i]].label;
		if (!label)
			continue;
		if (i >= r->final_from) {
			n++;
			right += best && strcmp(best, label) == 0;
		}
		uint64_t *count = map_put(counts, label, strlen(label), NULL);
		if (count && ++*count > most) {
			most = *count;
			best = label;
		}
	}
	map_free(counts);
	return n ? (double)right / (double)n : NAN;
}

/* With a history all the rest is measured, and the frozen baseline has learned from the history. */
static void set_places(struct replay *r)
{
	size_t rest = r->n - (size_t)r->o->history;

	r->first = (size_t)r->o->history;
	r->step = rest / 5 > MOST_STEP ? MOST_STEP : rest / 5 < REPLAY_LEAST ? REPLAY_LEAST : rest / 5;
	r->n_points = rest < r->step ? 1 : (rest + r->step / 2) / r->step;
	r->frozen_at = r->first ? r->first : r->n / 10;
	r->final_from = r->first ? r->first : r->n - r->n / 4;
}

int replay_make_room(struct replay *r, struct error *e)
{
	size_t seeds = (size_t)r->o->seeds;
	int bad = 0;

	set_places(r);
	for (int m = 0; m < METRICS; m++) {
		r->points[m] = calloc(r->n_points + 1, sizeof(double));
		r->finals[m] = calloc(seeds, sizeof(double));
		r->frozen[m] = calloc(seeds, sizeof(double));
		bad |= !r->points[m] || !r->finals[m] || !r->frozen[m];
	}
	r->majority = calloc(seeds, sizeof(double));
	r->order = calloc(r->n + 1, sizeof(*r->order));
	r->learned = calloc(r->n + 1, sizeof(*r->learned));
	r->still = calloc(r->n + 1, sizeof(*r->still));
	return bad || !r->majority || !r->order || !r->learned || !r->still ? no_memory(e) : 0;
}

void replay_window(const struct replay *r, size_t i, size_t *from, size_t *to)
{
	*to = i + 1 == r->n_points ? r->n : r->first + (i + 1) * r->step;
	*from = *to - r->first > r->step ? *to - r->step : r->first;
}

void replay_take(struct replay *r, long seed)
{
	double values[METRICS];

	for (size_t i = 0; i < r->n_points; i++) {
		size_t from, to;
		replay_window(r, i, &from, &to);
		measure(r->learned, from, to, values);
		for (int m = 0; m < METRICS; m++)
			r->points[m][i] += values[m] / (double)r->o->seeds;
	}
	measure(r->learned, r->final_from, r->n, values);
	for (int m = 0; m < METRICS; m++)
		r->finals[m][seed - 1] = values[m];
	measure(r->still, r->final_from, r->n, values);
	for (int m = 0; m < METRICS; m++)
		r->frozen[m][seed - 1] = values[m];
	r->majority[seed - 1] = majority_accuracy(r);
}
