/*
 * intent_calibrate.c: how to blend, how sure to be, and what is in scope, from
 * lessons that the trial models have not seen. The nearest examples of a held
 * out lesson are looked for among those that were not.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "index/distance.h"
#include "index/topk.h"
#include "learn/intent_fit.h"
#include "learn/votes.h"

#define BLOCK 512     /* vectors that are laid side by side at a time */
#define LEAST_HELD 30 /* fewer choose nothing */
#define REJECTED .05  /* of texts in scope */
#define LEAST_DEVIATION 1e-3
#define SCOPE_WIDTH .12 /* of the deviation of the score in scope */

static const struct blend blends[] = {
	{ BLEND_MEAN, 1. / 3, 1. / 3, 1. / 3, 1 }, /* the first is what few lessons get */
	{ BLEND_MEAN, .2, .4, .4, 1 },
	{ BLEND_MEAN, .2, .5, .3, 1 },
	{ BLEND_PRODUCT, 0, .7, .3, 1 },
	{ BLEND_PRODUCT, 0, .5, .5, 1 },
	{ BLEND_PRODUCT, .1, .6, .3, 1 },
	{ BLEND_PRODUCT, .2, .5, .3, 1 },
};

/* One lesson that was held out. */
struct trial {
	uint32_t label;
	float *knn; /* [labels]; NULL without votes */
	struct opinions said;
	double top;
	int known; /* its label is among those that were taught */
};

/* --- the nearest ----------------------------------------------------------------------------------------- */

struct near {
	const struct distance *distance;
	size_t stride;
	float *rows;   /* [BLOCK][stride] */
	float *asking; /* [stride] */
	const float **addresses;
	float dots[BLOCK];
	struct topk **best; /* [held] */
};

static void lay(float *to, const float *v, size_t dim)
{
	memcpy(to, v, dim * sizeof(*v)); /* what is behind it is 0 */
}

static int compare_block(const struct fit *f, struct near *w, size_t from, size_t n)
{
	const struct lesson *all = f->lessons->list;

	for (size_t i = 0; i < n; i++)
		lay(w->rows + i * w->stride, all[f->others[from + i]].vector, f->lessons->dim);
	for (size_t k = 0; k < f->n_held; k++) {
		lay(w->asking, all[f->held[k]].vector, f->lessons->dim);
		w->distance->dots(w->asking, w->addresses, n, w->stride, w->dots);
		for (size_t i = 0; i < n; i++)
			if (topk_push(w->best[k], (struct scored){ f->others[from + i], 0, w->dots[i] }) < 0)
				return -1;
	}
	return 0;
}

/* [held]: the lessons nearest to each, of those that were not held out. NULL without memory. */
static struct topk **find_near(const struct fit *f)
{
	struct near w = { .distance = distance_best(), .stride = distance_stride(f->lessons->dim) };

	w.rows = arena_alloc_aligned(f->arena, BLOCK * w.stride * sizeof(float), DISTANCE_ALIGN);
	w.asking = arena_alloc_aligned(f->arena, w.stride * sizeof(float), DISTANCE_ALIGN);
	w.addresses = arena_alloc(f->arena, BLOCK * sizeof(*w.addresses));
	w.best = arena_alloc(f->arena, (f->n_held + 1) * sizeof(struct topk *));
	if (!w.rows || !w.asking || !w.addresses || !w.best)
		return NULL;
	for (size_t i = 0; i < BLOCK; i++)
		w.addresses[i] = w.rows + i * w.stride;
	for (size_t k = 0; k < f->n_held; k++)
		if (!(w.best[k] = topk_new(f->arena, VOTES_FETCHED)))
			return NULL;
	for (size_t from = 0; from < f->n_others; from += BLOCK) {
		size_t n = f->n_others - from < BLOCK ? f->n_others - from : BLOCK;
		if (compare_block(f, &w, from, n) < 0)
			return NULL;
	}
	return w.best;
}

static int set_votes(const struct fit *f, const struct intent_model *m, struct topk *near, struct trial *t)
{
	struct voter voters[VOTES_FETCHED];
	const struct scored *found = NULL;
	size_t n = topk_finish(near, &found);
	struct votes votes;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct lesson *l = &f->lessons->list[found[i].id];
		voters[i] = (struct voter){ .label = m->labels[l->label],
					    .score = found[i].score,
					    .hash = f->hashes[found[i].id],
					    .key = "",
					    .customer = "" };
	}
	votes_count(voters, n, 1, &votes);
	t->top = found[0].score;
	t->knn = arena_alloc(f->arena, m->n_labels * sizeof(*t->knn));
	if (!t->knn)
		return -1;
	for (size_t i = 0; i < votes.n; i++)
		t->knn[intent_model_find(m, votes.list[i].label)] = (float)votes.list[i].share;
	return 0;
}

/* --- the blend --------------------------------------------------------------------------------------------- */

static struct trial *try_all(struct fit *f, struct intent_model *m)
{
	struct trial *list = arena_alloc(f->arena, (f->n_held + 1) * sizeof(*list));
	unsigned char *taught = arena_alloc(f->arena, m->n_labels);
	struct topk **near = m->dim ? find_near(f) : NULL;

	if (!list || !taught || (m->dim && !near))
		return NULL;
	for (size_t i = 0; i < f->n_taught; i++)
		taught[f->lessons->list[f->taught[i]].label] = 1;
	for (size_t k = 0; k < f->n_held; k++) {
		const struct lesson *l = &f->lessons->list[f->held[k]];
		const struct linear_row *grams = &f->grams[f->held[k]];
		struct trial *t = &list[k];
		t->label = l->label;
		t->known = taught[l->label];
		if (intent_opinions(f->by_vector, f->by_ngrams, f->arena, l->vector, grams->features,
				    grams->n, &t->said) < 0 ||
		    (near && set_votes(f, m, near[k], t) < 0))
			return NULL;
	}
	return list;
}

struct fitness {
	double loss, accuracy;
};

/* A label that was never taught cannot be told: such lessons say nothing of the blend. */
static struct fitness fitness_of(const struct blend *b, const struct trial *list, size_t n, size_t labels,
				 float *p)
{
	struct fitness f = { 0 };
	double count = 0;

	for (size_t i = 0; i < n; i++) {
		if (!list[i].known)
			continue;
		intent_blend(b, list[i].knn, &list[i].said, labels, p);
		f.loss -= intent_log(p[list[i].label]);
		f.accuracy += intent_first(p, labels) == list[i].label;
		count++;
	}
	if (count > 0)
		f = (struct fitness){ f.loss / count, f.accuracy / count };
	return f;
}

/* The temperature with the least loss, by golden section (Kiefer 1953) over its logarithm. */
static double find_temperature(struct blend b, const struct trial *list, size_t n, size_t labels, float *p)
{
	const double ratio = .6180339887498949;
	double low = log(.1), high = log(5.);
	double x = high - ratio * (high - low), y = low + ratio * (high - low);
	double fx, fy;

	b.temperature = exp(x);
	fx = fitness_of(&b, list, n, labels, p).loss;
	b.temperature = exp(y);
	fy = fitness_of(&b, list, n, labels, p).loss;
	while (high - low > .02) {
		if (fx < fy) {
			high = y, y = x, fy = fx;
			b.temperature = exp(x = high - ratio * (high - low));
			fx = fitness_of(&b, list, n, labels, p).loss;
		} else {
			low = x, x = y, fx = fy;
			b.temperature = exp(y = low + ratio * (high - low));
			fy = fitness_of(&b, list, n, labels, p).loss;
		}
	}
	return exp((low + high) / 2);
}

static void choose_blend(struct intent_model *m, const struct trial *list, size_t n, float *p)
{
	struct fitness best = { .loss = INFINITY };

	for (size_t i = 0; i < sizeof(blends) / sizeof(blends[0]); i++) {
		struct blend b = blends[i];
		if (n >= LEAST_HELD)
			b.temperature = find_temperature(b, list, n, m->n_labels, p);
		struct fitness now = fitness_of(&b, list, n, m->n_labels, p);
		if (now.loss < best.loss) {
			best = now;
			m->blend = b;
		}
		/* Too few to choose by, or without vectors nothing to choose from. */
		if (n < LEAST_HELD || !m->dim)
			break;
	}
	m->held_out = n;
	m->held_out_accuracy = best.accuracy;
	m->held_out_loss = best.loss;
	size_t right = 0;
	for (size_t i = 0; i < n; i++)
		right += list[i].knn && intent_first(list[i].knn, m->n_labels) == list[i].label;
	m->knn_accuracy = n ? (double)right / (double)n : 0;
}

/* Of the lessons that were there when the model in force was trained. */
static void look_back(const struct fit *f, struct intent_model *m, const struct trial *list, float *p)
{
	size_t n = 0, right = 0;

	for (size_t i = 0; i < f->n_held; i++) {
		if (!list[i].known || f->lessons->list[f->held[i]].seq > f->o->before)
			continue;
		intent_blend(&m->blend, list[i].knn, &list[i].said, m->n_labels, p);
		right += intent_first(p, m->n_labels) == list[i].label;
		n++;
	}
	m->before = (struct intent_held){ n, n ? (double)right / (double)n : 0 };
}

/* --- the scope --------------------------------------------------------------------------------------------- */

static void moments(const double *v, size_t n, double *mean, double *deviation)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	*mean = n ? sum / (double)n : 0;
	for (size_t i = 0; i < n; i++)
		squares += (v[i] - *mean) * (v[i] - *mean);
	*deviation = n > 1 ? sqrt(squares / (double)(n - 1)) : 1;
	if (*deviation < LEAST_DEVIATION)
		*deviation = LEAST_DEVIATION;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static int find_scope(struct fit *f, struct intent_model *m, const struct trial *list, size_t n)
{
	double *energy = arena_alloc(f->arena, (n + 1) * sizeof(*energy));
	double *top = arena_alloc(f->arena, (n + 1) * sizeof(*top)), mean, deviation;
	struct scope s = { 0 };

	if (!energy || !top)
		return -1;
	for (size_t i = 0; i < n; i++) {
		energy[i] = list[i].said.energy;
		top[i] = list[i].top;
	}
	moments(energy, n, &s.energy_mean, &s.energy_deviation);
	moments(top, n, &s.top_mean, &s.top_deviation);
	for (size_t i = 0; i < n; i++)
		energy[i] = intent_scope_score(&s, energy[i], top[i]);
	moments(energy, n, &mean, &deviation);
	qsort(energy, n, sizeof(*energy), by_value);
	s.reject = n ? energy[(size_t)(REJECTED * (double)n)] : 0;
	s.width = SCOPE_WIDTH * deviation;
	m->scope = s;
	return 0;
}

/* --- how sure ---------------------------------------------------------------------------------------------- */

/* Of all that were held out: what has a label that was not taught is wrong, and looks as such texts do. */
static int fit_sureness(struct fit *f, struct intent_model *m, const struct trial *list, float *p,
			struct error *e)
{
	struct odds_sample *samples = arena_alloc(f->arena, f->n_held * sizeof(*samples));
	struct sureness_seen *seen = arena_alloc(f->arena, f->n_held * sizeof(*seen));

	if (!samples || !seen)
		return no_memory(e);
	for (size_t i = 0; i < f->n_held; i++) {
		const struct trial *t = &list[i];
		intent_blend(&m->blend, t->knn, &t->said, m->n_labels, p);
		size_t first = intent_first(p, m->n_labels);
		double scope = intent_scope_score(&m->scope, t->said.energy, t->top);
		seen[i] = sureness_seen_of(p[first], scope);
		samples[i] = (struct odds_sample){ seen[i].x, t->known && first == t->label, 1 };
	}
	m->sureness.fitted = 1;
	return odds_fit(samples, f->n_held, SURENESS_SEEN, &m->sureness.odds, e);
}

int intent_calibrate(struct fit *f, struct intent_model *m, struct error *e)
{
	struct trial *list = try_all(f, m);
	float *p = arena_alloc(f->arena, m->n_labels * sizeof(*p));

	if (!list || !p)
		return no_memory(e);
	choose_blend(m, list, f->n_held, p);
	look_back(f, m, list, p);
	if (find_scope(f, m, list, f->n_held) < 0)
		return no_memory(e);
	return f->n_held >= LEAST_HELD && m->dim ? fit_sureness(f, m, list, p, e) : 0;
}
