#include "learn/intent_model_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "learn/linear_internal.h"

#define FLOOR 1e-6 /* of a probability that is multiplied */

#define SURENESS_SCALE .25f /* of log-odds, and of the score of the scope */

#define LEAST_COMPARED 30
#define SURELY 2.33     /* standard errors: one side, 1 in 100 */
#define LEAST_LOSS .005 /* of accuracy: less is not worth an alarm */

void intent_model_free(struct intent_model *m)
{
	if (!m)
		return;
	linear_free(m->by_vector);
	linear_free(m->by_ngrams);
	free(m->words.hashes);
	free(m->words.idf);
	free(m->labels);
	free(m);
}

char **intent_labels(const char *const *names, size_t n)
{
	size_t bytes = n * sizeof(char *);

	for (size_t i = 0; i < n; i++)
		bytes += strlen(names[i]) + 1;
	char **list = malloc(bytes), *at = (char *)(list + n);
	for (size_t i = 0; list && i < n; i++) {
		size_t size = strlen(names[i]) + 1;
		list[i] = memcpy(at, names[i], size);
		at += size;
	}
	return list;
}

size_t intent_model_dim(const struct intent_model *m)
{
	return m->dim;
}

size_t intent_model_labels(const struct intent_model *m)
{
	return m->n_labels;
}

size_t intent_model_lessons(const struct intent_model *m)
{
	return m->n_lessons;
}

const char *intent_model_label(const struct intent_model *m, size_t i)
{
	return m->labels[i];
}

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, *(char *const *)entry);
}

long intent_model_find(const struct intent_model *m, const char *label)
{
	char **found = bsearch(label, m->labels, m->n_labels, sizeof(*m->labels), by_name);

	return found ? (long)(found - m->labels) : -1;
}

static long feature_of(const struct vocabulary *v, uint32_t hash)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (v->hashes[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < v->n && v->hashes[low] == hash ? (long)low : -1;
}

int intent_features(const struct vocabulary *v, struct arena *a, struct text text, const struct feature **out,
		    size_t *n_out)
{
	const struct ngram *grams = NULL;
	long count = ngrams_of(a, text.s, text.n, &grams);
	struct feature *f = count < 0 ? NULL : arena_alloc(a, ((size_t)count + 1) * sizeof(*f));
	double norm = 0;
	size_t n = 0;

	if (!f)
		return -1;
	for (long i = 0; i < count; i++) {
		long k = feature_of(v, grams[i].hash);
		if (k < 0)
			continue;
		f[n] = (struct feature){ (uint32_t)k, grams[i].weight * v->idf[k] };
		norm += (double)f[n].value * f[n].value;
		n++;
	}
	for (size_t i = 0; i < n; i++)
		f[i].value = (float)(f[i].value / sqrt(norm));
	*out = f;
	*n_out = n;
	return 0;
}

static float *scores_by(const struct linear *l, struct arena *a, const struct linear_row *row)
{
	float *s = arena_alloc_aligned(a, linear_stride(l) * sizeof(*s), LINEAR_ALIGN);

	if (s)
		linear_scores(l, row, s);
	return s;
}

int intent_opinions(const struct linear *by_vector, const struct linear *by_ngrams, struct arena *a,
		    const float *vector, const struct feature *features, size_t n, struct opinions *out)
{
	struct opinions o = { 0 };
	size_t labels = linear_labels(by_ngrams);

	if (by_vector) {
		o.vector = scores_by(by_vector, a, &(struct linear_row){ .dense = vector });
		if (!o.vector)
			return -1;
		o.energy = linear_softmax(o.vector, labels, 1);
	}
	o.ngrams = scores_by(by_ngrams, a, &(struct linear_row){ .features = features, .n = n });
	if (!o.ngrams)
		return -1;
	linear_softmax(o.ngrams, labels, 1);
	*out = o;
	return 0;
}

double intent_log(double p)
{
	return log(p > FLOOR ? p : FLOOR);
}

void intent_blend(const struct blend *b, const float *knn, const struct opinions *o, size_t labels, float *p)
{
	double w_knn = knn ? b->knn : 0, w_vector = o->vector ? b->vector : 0;
	double all = w_knn + w_vector + b->ngrams;

	for (size_t i = 0; i < labels; i++) {
		double near = knn ? knn[i] : 0, vector = o->vector ? o->vector[i] : 0;
		if (b->kind == BLEND_MEAN)
			p[i] = (float)intent_log(
				(w_knn * near + w_vector * vector + b->ngrams * o->ngrams[i]) / all);
		else
			p[i] = (float)((w_knn ? w_knn * intent_log(near) : 0) +
				       (w_vector ? w_vector * intent_log(vector) : 0) +
				       b->ngrams * intent_log(o->ngrams[i]));
	}
	linear_softmax(p, labels, b->temperature);
}

size_t intent_first(const float *p, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (p[i] > p[best])
			best = i;
	return best;
}

double intent_scope_score(const struct scope *s, double energy, double top)
{
	return (energy - s->energy_mean) / s->energy_deviation + (top - s->top_mean) / s->top_deviation;
}

struct sureness_seen sureness_seen_of(double share, double scope_score)
{
	struct sureness_seen s;

	s.x[SURENESS_SHARE] = (float)odds_log(share) * SURENESS_SCALE;
	s.x[SURENESS_SCOPE] = (float)scope_score * SURENESS_SCALE;
	return s;
}

double intent_model_confidence(const struct intent_model *m, double share, const struct intent_opinion *said)
{
	struct sureness_seen seen = sureness_seen_of(share, said->scope_score);

	return m->sureness.fitted ? odds_of(&m->sureness.odds, seen.x, SURENESS_SEEN)
				  : share * (1 - said->out_of_scope);
}

double intent_out_of_scope(const struct scope *s, double score)
{
	return 1 / (1 + exp((score - s->reject) / s->width));
}

int intent_model_ask(const struct intent_model *m, struct arena *a, const float *vector, struct text text,
		     const struct intent_votes *votes, struct intent_opinion *out)
{
	const struct feature *features;
	struct intent_opinion said = { .p = arena_alloc(a, m->n_labels * sizeof(*said.p)) };
	float *knn = arena_alloc(a, m->n_labels * sizeof(*knn));
	double known = 1 - votes->unknown;
	struct opinions o;
	size_t n;

	if (!said.p || !knn || intent_features(&m->words, a, text, &features, &n) < 0 ||
	    intent_opinions(m->by_vector, m->by_ngrams, a, vector, features, n, &o) < 0)
		return -1;
	for (size_t i = 0; i < m->n_labels && known > 0; i++)
		knn[i] = (float)(votes->share[i] / known);
	intent_blend(&m->blend, known > 0 ? knn : NULL, &o, m->n_labels, said.p);
	for (size_t i = 0; i < m->n_labels; i++)
		said.p[i] = (float)(said.p[i] * known);
	said.by_vector = o.vector ? intent_first(o.vector, m->n_labels) : SIZE_MAX;
	said.by_ngrams = intent_first(o.ngrams, m->n_labels);
	said.scope_score = intent_scope_score(&m->scope, o.energy, votes->top);
	said.out_of_scope = intent_out_of_scope(&m->scope, said.scope_score);
	*out = said;
	return 0;
}

struct intent_held intent_model_held(const struct intent_model *m)
{
	return (struct intent_held){ m->held_out, m->held_out_accuracy };
}

struct intent_held intent_model_held_before(const struct intent_model *m)
{
	return m->before;
}

static double variance(struct intent_held h)
{
	return h.accuracy * (1 - h.accuracy) / (double)h.n;
}

int intent_model_is_worse(const struct intent_model *now, const struct intent_model *fresh)
{
	struct intent_held was = intent_model_held(now), is = fresh->before;

	if (was.n < LEAST_COMPARED || is.n < LEAST_COMPARED)
		return 0;
	return was.accuracy - is.accuracy > SURELY * sqrt(variance(was) + variance(is)) + LEAST_LOSS;
}

json_t *intent_model_facts(const struct intent_model *m)
{
	return json_pack("{s:I, s:I, s:I, s:{s:s, s:f, s:f, s:f}, s:f, s:{s:I, s:f, s:f, s:f}}", "lessons",
			 (json_int_t)m->n_lessons, "labels", (json_int_t)m->n_labels, "features",
			 (json_int_t)m->words.n, "blend", "kind",
			 m->blend.kind == BLEND_MEAN ? "mean" : "product", "knn", m->blend.knn, "vector",
			 m->blend.vector, "ngrams", m->blend.ngrams, "temperature", m->blend.temperature,
			 "held_out", "lessons", (json_int_t)m->held_out, "accuracy", m->held_out_accuracy,
			 "loss", m->held_out_loss, "knn_accuracy", m->knn_accuracy);
}
