#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_replay.h"
#include "datasets/measure.h"

#define MOST_STEP 100
#define NORMAL_95 1.96

const char *const replay_metrics[METRICS] = { "intent_accuracy",   "answered",        "precision",
					      "deflected",         "case_hit@1",      "evidence_recall@1",
					      "evidence_recall@5", "evidence_ndcg@10" };

const enum metric replay_paired[PAIRED] = { EVIDENCE1, EVIDENCE5, NDCG10, ACCURACY };

/* Outcomes [from, to); of one enum met, or of any. */
struct part {
	size_t from, to;
	enum met only; /* MET_NOTHING: any */
};

/* What an outcome adds to a mean; NaN: nothing. */
static double value_of(const struct outcome *o, enum metric m)
{
	const double value[METRICS] = { o->right,    o->answered,  o->right,     o->answered && o->right,
					o->case_hit, o->evidence1, o->evidence5, o->ndcg10 };

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

/* Of the conversations that both have measured. */
static struct difference difference_of(const struct replay *r, enum metric m, struct part part)
{
	double sum = 0, squares = 0, n = 0;

	for (size_t i = part.from; i < part.to; i++) {
		double d = value_of(&r->learned[i], m) - value_of(&r->still[i], m);
		if (isnan(d) || (part.only && r->learned[i].met != part.only))
			continue;
		sum += d;
		squares += d * d;
		n++;
	}
	if (n < 2)
		return (struct difference){ n > 0 ? sum : NAN, NAN };
	double variance = (squares - sum * sum / n) / (n - 1);
	return (struct difference){ sum / n, sqrt((variance > 0 ? variance : 0) / n) };
}

/* Accuracy of always saying the label that was most frequent so far. NaN without memory. */
static double majority_accuracy(const struct replay *r)
{
	struct map *counts = map_new();
	const char *best = NULL;
	uint64_t most = 0;
	size_t right = 0, n = 0;

	for (size_t i = 0; counts && i < r->n; i++) {
		const struct chat *chat = &r->chats[r->order[i]];
		const char *label = chat->label;
		if (!label)
			continue;
		if (i >= r->final_from) {
			n++;
			right += best && strcmp(best, label) == 0;
		}
		label = chat->taught ? chat->taught : label;
		uint64_t *count = map_put(counts, label, strlen(label), NULL);
		if (count && ++*count > most) {
			most = *count;
			best = label;
		}
	}
	map_free(counts);
	return n ? (double)right / (double)n : NAN;
}

/* Over the part of `final`. */
static void take_words(struct replay *r, long seed)
{
	double right = 0, n = 0, found = 0, used = 0;

	for (size_t i = r->final_from; i < r->n; i++) {
		const struct outcome *o = &r->learned[i];
		n += !isnan(o->words_right);
		right += isnan(o->words_right) ? 0 : o->words_right;
		used += !isnan(o->words_evidence1);
		found += isnan(o->words_evidence1) ? 0 : o->words_evidence1;
	}
	r->words_right[seed - 1] = n > 0 ? right / n : NAN;
	r->words_evidence1[seed - 1] = used > 0 ? found / used : NAN;
}

static void take_windows(struct replay *r, long seed)
{
	struct answers *windows = r->windows + ((size_t)seed - 1) * r->n_windows;

	for (size_t i = r->first; i < r->n; i++) {
		const struct outcome *o = &r->learned[i];
		struct answers *w = &windows[(i - r->first) / REPLAY_WINDOW];
		w->n += o->measured && o->answered;
		w->right += o->measured && o->answered && o->right;
	}
}

static struct outside outside_of(const struct replay *r)
{
	double n = 0, answered = 0, right = 0, answers = 0;

	for (size_t i = r->final_from; i < r->n; i++) {
		const struct outcome *o = &r->learned[i];
		n += o->out_of_scope;
		answered += o->out_of_scope && o->answered;
		answers += o->answered;
		right += o->answered && o->right;
	}
	return (struct outside){ (size_t)n, n > 0 ? answered / n : NAN, answers > 0 ? right / answers : NAN };
}

static size_t at_most(long given, size_t otherwise, size_t most)
{
	size_t n = given == REPLAY_NOT_GIVEN ? otherwise : (size_t)given;

	return n < most ? n : most;
}

/* With a history all the rest is measured, and the frozen baseline has learned from the history. */
static void set_places(struct replay *r)
{
	size_t rest = r->n - (size_t)r->o->history;

	r->first = (size_t)r->o->history;
	r->step = rest / 5 > MOST_STEP ? MOST_STEP : rest / 5 < REPLAY_LEAST ? REPLAY_LEAST : rest / 5;
	r->n_points = rest < r->step ? 1 : (rest + r->step / 2) / r->step;
	r->learn_to = at_most(r->o->learn, r->n, r->n);
	r->frozen_at = at_most(r->o->frozen_after, r->first ? r->first : r->n / 10, r->learn_to);
	r->n_windows = (rest + REPLAY_WINDOW - 1) / REPLAY_WINDOW;
	r->final_from = r->first ? r->first : r->n - r->n / 4;
}

static int make_room_for_evidence(struct replay *r, size_t seeds)
{
	int bad = 0;

	for (int w = 0; w < METS; w++) {
		struct evidence *x = &r->evidence[w];
		x->n = calloc(seeds, sizeof(*x->n));
		bad |= !x->n;
		for (int p = 0; p < PAIRED_EVIDENCE; p++) {
			x->values[p] = calloc(seeds, sizeof(*x->values[p]));
			x->against[p] = calloc(seeds, sizeof(*x->against[p]));
			bad |= !x->values[p] || !x->against[p];
		}
	}
	return bad ? -1 : 0;
}

int replay_make_room(struct replay *r, struct error *e)
{
	size_t seeds = (size_t)r->o->seeds;
	int bad = make_room_for_evidence(r, seeds) < 0;

	set_places(r);
	for (int m = 0; m < METRICS; m++) {
		r->points[m] = calloc(r->n_points + 1, sizeof(double));
		r->finals[m] = calloc(seeds, sizeof(double));
		r->frozen[m] = calloc(seeds, sizeof(double));
		bad |= !r->points[m] || !r->finals[m] || !r->frozen[m];
	}
	for (int p = 0; p < PAIRED; p++) {
		r->against[p] = calloc((r->n_points + 1) * seeds, sizeof(*r->against[p]));
		bad |= !r->against[p];
	}
	r->outside = calloc(seeds, sizeof(*r->outside));
	r->wrong = calloc(seeds, sizeof(*r->wrong));
	r->late = calloc(seeds, r->stream.n_labels + 1);
	r->windows = calloc(seeds * r->n_windows + 1, sizeof(*r->windows));
	bad |= !r->windows || !r->outside || !r->wrong || !r->late;
	r->majority = calloc(seeds, sizeof(double));
	r->words_right = calloc(seeds, sizeof(double));
	r->words_evidence1 = calloc(seeds, sizeof(double));
	bad |= !r->majority || !r->words_right || !r->words_evidence1;
	r->order = calloc(r->n + 1, sizeof(*r->order));
	r->learned = calloc(r->n + 1, sizeof(*r->learned));
	r->still = calloc(r->n + 1, sizeof(*r->still));
	return bad || !r->order || !r->learned || !r->still ? no_memory(e) : 0;
}

void replay_window(const struct replay *r, size_t i, size_t *from, size_t *to)
{
	*to = i + 1 == r->n_points ? r->n : r->first + (i + 1) * r->step;
	*from = *to - r->first > r->step ? *to - r->step : r->first;
}

/* Of point i, [from, to) of the stream; of `final` with i = n_points. */
static void take_differences(struct replay *r, long seed, size_t i, size_t from, size_t to)
{
	for (int p = 0; p < PAIRED; p++)
		r->against[p][i * (size_t)r->o->seeds + (size_t)seed - 1] = difference_of(
			r, replay_paired[p], (struct part){ from, to, MET_NOTHING });
}

/* Over the part of `final`. */
static void take_evidence(struct replay *r, long seed, enum met which)
{
	struct evidence *x = &r->evidence[which];
	double sums[PAIRED_EVIDENCE] = { 0 }, n = 0;

	for (size_t i = r->final_from; i < r->n; i++) {
		const struct outcome *o = &r->learned[i];
		if (!o->measured || o->met != which)
			continue;
		n++;
		for (int p = 0; p < PAIRED_EVIDENCE; p++)
			sums[p] += value_of(o, replay_paired[p]);
	}
	x->n[seed - 1] = n;
	for (int p = 0; p < PAIRED_EVIDENCE; p++) {
		x->values[p][seed - 1] = n > 0 ? sums[p] / n : NAN;
		x->against[p][seed - 1] = difference_of(r, replay_paired[p],
							(struct part){ r->final_from, r->n, which });
	}
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
		take_differences(r, seed, i, from, to);
	}
	take_differences(r, seed, r->n_points, r->final_from, r->n);
	measure(r->learned, r->final_from, r->n, values);
	for (int m = 0; m < METRICS; m++)
		r->finals[m][seed - 1] = values[m];
	measure(r->still, r->final_from, r->n, values);
	for (int m = 0; m < METRICS; m++)
		r->frozen[m][seed - 1] = values[m];
	r->majority[seed - 1] = majority_accuracy(r);
	r->outside[seed - 1] = outside_of(r);
	for (int w = MET_SEEN; w < METS; w++)
		take_evidence(r, seed, (enum met)w);
	take_words(r, seed);
	take_windows(r, seed);
}

/* Seeds share their conversations, so the error of several is that of the orders alone. */
static struct difference over_seeds(const struct difference *d, size_t seeds)
{
	double sum = 0, squares = 0;

	if (seeds == 1)
		return *d;
	for (size_t s = 0; s < seeds; s++)
		sum += d[s].mean;
	double mean = sum / (double)seeds;
	for (size_t s = 0; s < seeds; s++)
		squares += (d[s].mean - mean) * (d[s].mean - mean);
	return (struct difference){ mean, sqrt(squares / (double)(seeds - 1) / (double)seeds) };
}

struct difference replay_against_frozen(const struct replay *r, enum paired p, size_t i)
{
	size_t seeds = (size_t)r->o->seeds;

	return over_seeds(r->against[p] + i * seeds, seeds);
}

struct difference replay_evidence_against_frozen(const struct replay *r, enum met which, enum paired p)
{
	return over_seeds(r->evidence[which].against[p], (size_t)r->o->seeds);
}

/* `v` has room for all values. -1 without memory. */
static int bootstrap(const struct replay *r, enum metric m, double *v, double out[2])
{
	size_t n = 0;

	for (size_t i = r->final_from; i < r->n; i++) {
		double x = value_of(&r->learned[i], m);
		if (!isnan(x))
			v[n++] = x;
	}
	out[0] = out[1] = NAN;
	return n ? bootstrap_mean(v, n, 1, &out[0], &out[1]) : 0;
}

int replay_set_intervals(struct replay *r, struct error *e)
{
	size_t seeds = (size_t)r->o->seeds;
	double *v = calloc(r->n + 1, sizeof(*v));
	int bad = !v;

	for (int m = 0; m < METRICS && !bad; m++) {
		double mean = mean_of(r->finals[m], seeds);
		double half = NORMAL_95 * deviation_of(r->finals[m], seeds) / sqrt((double)seeds);
		r->interval[m][0] = mean - half;
		r->interval[m][1] = mean + half;
		bad = seeds == 1 && bootstrap(r, m, v, r->interval[m]) < 0;
	}
	free(v);
	return bad ? no_memory(e) : 0;
}
