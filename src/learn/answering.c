#include "learn/answering.h"

#include <math.h>
#include <stdlib.h>

#include "learn/intent.h"
#include "learn/packed.h"

#define SURE_SCALE .25f /* of log-odds */

static const char *const names[SEEN] = { "sure", "margin", "nearest", "in_scope", "agreement" };

struct seen seen_of(const struct intent *in)
{
	double first = in->n > 0 ? in->candidates[0].confidence : 0;
	double second = in->n > 1 ? in->candidates[1].confidence : 0;
	struct seen s;

	s.x[SEEN_SURE] = (float)odds_log(first) * SURE_SCALE;
	s.x[SEEN_MARGIN] = (float)(first - second);
	s.x[SEEN_NEAREST] = (float)in->top_similarity;
	s.x[SEEN_IN_SCOPE] = (float)(1 - in->out_of_scope);
	s.x[SEEN_AGREEMENT] = (float)in->agreement;
	return s;
}

json_t *seen_json(const struct seen *s)
{
	json_t *j = json_object();
	int bad = !j;

	for (int i = 0; !bad && i < SEEN; i++)
		bad = json_object_set_new(j, names[i], json_real(s->x[i])) < 0;
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

int seen_read(const json_t *j, struct seen *out)
{
	struct seen s;

	for (int i = 0; i < SEEN; i++) {
		const json_t *v = json_object_get(j, names[i]);
		if (!json_is_number(v))
			return -1;
		s.x[i] = (float)json_number_value(v);
	}
	*out = s;
	return 0;
}

double answering_confidence(const struct answering *a, const struct seen *s)
{
	return odds_of(&a->odds, s->x, SEEN);
}

static int learn_confidence(const struct outcome_seen *list, size_t n, struct answering *a, struct error *e)
{
	struct odds_sample *samples = malloc(n * sizeof(*samples));

	if (!samples)
		return no_memory(e);
	for (size_t i = 0; i < n; i++)
		samples[i] = (struct odds_sample){ list[i].seen.x, list[i].right, list[i].weight };
	int rc = odds_fit(samples, n, SEEN, &a->odds, e);
	free(samples);
	return rc;
}

struct ranked {
	double confidence, weight;
	int right;
};

static int surer(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;

	if (a->confidence != b->confidence)
		return a->confidence > b->confidence ? -1 : 1;
	return a->right - b->right;
}

/* Upper end of Wilson's interval of a share, at z = 1. */
static double wilson(double errors, double n)
{
	double p = errors / n;

	return (p + .5 / n + sqrt(p * (1 - p) / n + .25 / (n * n))) / (1 + 1 / n);
}

/* Outcomes that would be answered: sums of weights, of those of errors, and of squares. */
struct answered {
	double all, wrong, squares;
};

/* Of weights that differ: as many as would be as good if all had the same (Kish 1965). */
static int holds(const struct answered *x, size_t window, double target)
{
	double n = x->all * x->all / x->squares, wrong = x->wrong / x->all * n;
	double bound = window < ANSWERING_WINDOW ? wilson(wrong, n) : (wrong + 1) / (n + 1);

	return bound <= 1 - target;
}

static void find_threshold(const struct ranked *r, size_t n, double target, struct answering *a)
{
	struct answered x = { 0 };
	double all = 0;

	for (size_t i = 0; i < n; i++)
		all += r[i].weight;
	a->threshold = 2;
	for (size_t i = 0; i < n; i++) {
		x.all += r[i].weight;
		x.squares += r[i].weight * r[i].weight;
		x.wrong += r[i].right ? 0 : r[i].weight;
		/* Who is as sure is answered too. */
		if (i + 1 < n && r[i + 1].confidence == r[i].confidence)
			continue;
		if (!holds(&x, n, target))
			continue;
		a->threshold = r[i].confidence;
		a->precision = 1 - x.wrong / x.all;
		a->share = x.all / all;
	}
}

int answering_learn(const struct outcome_seen *list, size_t n, double target, struct answering *out,
		    struct error *e)
{
	size_t window = n < ANSWERING_WINDOW ? n : ANSWERING_WINDOW;
	size_t learned = n < ANSWERING_MOST ? n : ANSWERING_MOST;
	struct answering a = { .outcomes = learned };

	if (n < ANSWERING_LEAST) {
		*out = (struct answering){ 0 };
		return 0;
	}
	struct ranked *r = malloc(window * sizeof(*r));
	int rc = r ? learn_confidence(list + n - learned, learned, &a, e) : no_memory(e);
	for (size_t i = 0; rc == 0 && i < window; i++) {
		const struct outcome_seen *x = &list[n - window + i];
		r[i] = (struct ranked){ answering_confidence(&a, &x->seen), x->weight, x->right };
	}
	if (rc == 0) {
		qsort(r, window, sizeof(*r), surer);
		find_threshold(r, window, target, &a);
		*out = a;
	}
	free(r);
	return rc;
}

/* --- as bytes ------------------------------------------------------------------------------------------ */

int answering_pack(const struct answering *a, struct arena *arena, struct packed *out)
{
	json_t *weights = json_array();

	for (int i = 0; weights && i < SEEN; i++)
		if (json_array_append_new(weights, json_real(a->odds.weight[i])) < 0) {
			json_decref(weights);
			return -1;
		}
	*out = (struct packed){ .head = json_keep(arena,
						  json_pack("{s:o, s:f, s:f, s:I, s:f, s:f}", "weights",
							    weights, "bias", a->odds.bias, "threshold",
							    a->threshold, "outcomes", (json_int_t)a->outcomes,
							    "precision", a->precision, "share", a->share)) };
	return out->head ? 0 : -1;
}

int answering_unpack(const struct packed *p, struct answering **out, struct error *e)
{
	struct answering a = { 0 };
	json_int_t outcomes;
	json_t *weights;

	if (json_unpack(p->head, "{s:o, s:F, s:F, s:I, s:F, s:F}", "weights", &weights, "bias", &a.odds.bias,
			"threshold", &a.threshold, "outcomes", &outcomes, "precision", &a.precision, "share",
			&a.share) < 0 ||
	    json_array_size(weights) != SEEN || outcomes <= 0)
		return error_set(e, ERR_CORRUPT, NULL, "the head of a model of answers lacks something");
	for (size_t i = 0; i < SEEN; i++)
		a.odds.weight[i] = json_number_value(json_array_get(weights, i));
	a.outcomes = (size_t)outcomes;
	if (!(*out = malloc(sizeof(a))))
		return no_memory(e);
	**out = a;
	return 0;
}
