#include "learn/intent_fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/dice.h"
#include "learn/intent_vocabulary.h"
#include "learn/votes.h"

/* C of the vector is the literature's; the others are by reading, and were not tuned on any set. */
#define VECTOR_C 20.0 /* 1 / (C · lessons) is the penalty, as in the literature's C */
#define VECTOR_RATE 4.0
#define NGRAMS_C 50.0
#define NGRAMS_RATE 8.0
#define STEPS_A_LESSON 40
#define MOST_STEPS ((size_t)250000) /* but each lesson is seen four times; 400,000 are no better held out */
#define LEAST_STEPS ((size_t)20000)
#define MOST_WEIGHTS ((size_t)8 << 20) /* of n-grams: 32 MiB */

#define HOLD_ONE_IN 5
#define MOST_HELD 2000
#define MOST_TAUGHT 40000 /* to a trial: more would change little of how to blend and how sure to be */
#define MOST_HELD_NUMBERS ((size_t)2 << 20) /* held out lessons times labels */

static size_t steps_for(size_t n)
{
	size_t steps = n * STEPS_A_LESSON;

	steps = steps > MOST_STEPS ? MOST_STEPS : steps;
	steps = steps < LEAST_STEPS ? LEAST_STEPS : steps;
	return steps < 4 * n ? 4 * n : steps;
}

/* A regression on some of the lessons, by vector or by n-grams. */
static int train(const struct fit *f, const size_t *which, size_t n, int by_vector, size_t dim,
		 struct linear **out, struct error *e)
{
	struct linear_sample *samples = malloc((n + 1) * sizeof(*samples));
	struct linear_options o = {
		.labels = f->lessons->n_labels,
		.dim = dim,
		.l2 = 1 / ((by_vector ? VECTOR_C : NGRAMS_C) * (double)n),
		.rate = by_vector ? VECTOR_RATE : NGRAMS_RATE,
		.steps = steps_for(n),
		.seed = f->o->seed,
		.stop = f->o->stop,
	};

	if (!samples)
		return no_memory(e);
	for (size_t i = 0; i < n; i++) {
		const struct lesson *l = &f->lessons->list[which[i]];
		samples[i] = (struct linear_sample){
			.row = by_vector ? (struct linear_row){ .dense = l->vector } : f->grams[which[i]],
			.label = l->label,
			.weight = l->weight
		};
	}
	int rc = linear_train(samples, n, &o, out, e);
	free(samples);
	return rc;
}

static int train_both(const struct fit *f, const struct intent_model *m, const size_t *which, size_t n,
		      struct linear **by_vector, struct linear **by_ngrams, struct error *e)
{
	int rc = train(f, which, n, 0, m->words.n, by_ngrams, e);

	return rc < 0 || !m->dim ? rc : train(f, which, n, 1, m->dim, by_vector, e);
}

/* The same text is on one side, whoever wrote it. */
static void split(struct fit *f)
{
	size_t most = MOST_HELD_NUMBERS / f->lessons->n_labels;

	most = most > MOST_HELD ? MOST_HELD : most < 1 ? 1 : most;
	size_t one_in = f->lessons->n / most > HOLD_ONE_IN ? f->lessons->n / most : HOLD_ONE_IN;
	for (size_t i = 0; i < f->lessons->n; i++) {
		struct dice d = { f->hashes[i] ^ f->o->seed };
		if (dice_below(&d, one_in) == 0) {
			f->held[f->n_held++] = i;
			continue;
		}
		f->others[f->n_others++] = i;
		if (f->lessons->n <= MOST_TAUGHT || dice_below(&d, f->lessons->n) < MOST_TAUGHT)
			f->taught[f->n_taught++] = i;
	}
}

static int read_texts(struct fit *f, struct intent_model *m)
{
	const struct lessons *l = f->lessons;

	if (intent_vocabulary_of(l, MOST_WEIGHTS / l->n_labels, &m->words) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		/* What is needed on the way goes away. */
		struct arena *a = arena_new(1 << 14);
		const struct feature *made = NULL;
		size_t n = 0;
		int bad = !a || intent_features(&m->words, a, l->list[i].text, &made, &n) < 0 ||
			  votes_text_hash(a, l->list[i].text, &f->hashes[i]) < 0;
		struct feature *kept = bad ? NULL : arena_alloc(f->arena, (n + 1) * sizeof(*kept));
		if (kept && n)
			memcpy(kept, made, n * sizeof(*kept));
		arena_free(a);
		if (!kept)
			return -1;
		f->grams[i] = (struct linear_row){ .features = kept, .n = n };
	}
	return 0;
}

static int check(const struct lessons *l, struct error *e)
{
	if (l->n_labels > INTENT_MOST_LABELS)
		return error_set(e, ERR_TOO_LARGE, NULL, "%zu labels are more than the %d that a model takes",
				 l->n_labels, INTENT_MOST_LABELS);
	if (l->n < INTENT_LEAST_LESSONS)
		return error_set(e, ERR_NOT_READY, NULL,
				 "%zu labelled examples are too few to train: %zu more are wanted", l->n,
				 INTENT_LEAST_LESSONS - l->n);
	if (l->n_labels < 2)
		return error_set(e, ERR_NOT_READY, NULL, "all examples have one label: two are wanted");
	return 0;
}

static int fit(struct fit *f, struct intent_model *m, struct error *e)
{
	const struct lessons *l = f->lessons;

	f->grams = arena_alloc(f->arena, l->n * sizeof(*f->grams));
	f->hashes = arena_alloc(f->arena, l->n * sizeof(*f->hashes));
	f->held = arena_alloc(f->arena, l->n * sizeof(*f->held));
	f->others = arena_alloc(f->arena, l->n * sizeof(*f->others));
	f->taught = arena_alloc(f->arena, l->n * sizeof(*f->taught));
	m->labels = intent_labels(l->labels, l->n_labels);
	if (!f->grams || !f->hashes || !f->held || !f->others || !f->taught || !m->labels ||
	    read_texts(f, m) < 0)
		return no_memory(e);
	split(f);
	int rc = train_both(f, m, f->taught, f->n_taught, &f->by_vector, &f->by_ngrams, e);
	if (rc == 0)
		rc = intent_calibrate(f, m, e);
	if (rc < 0)
		return rc;
	size_t *all = f->taught;
	for (size_t i = 0; i < l->n; i++)
		all[i] = i;
	return train_both(f, m, all, l->n, &m->by_vector, &m->by_ngrams, e);
}

int intent_model_train(const struct lessons *l, const struct intent_training *o, struct intent_model **out,
		       struct error *e)
{
	struct fit f = { .lessons = l, .o = o };
	int rc = check(l, e);

	if (rc < 0)
		return rc;
	struct intent_model *m = calloc(1, sizeof(*m));
	f.arena = arena_new(1 << 20);
	rc = m && f.arena ? 0 : no_memory(e);
	if (rc == 0) {
		*m = (struct intent_model){ .n_labels = l->n_labels, .dim = l->dim, .n_lessons = l->n };
		rc = fit(&f, m, e);
	}
	linear_free(f.by_vector);
	linear_free(f.by_ngrams);
	arena_free(f.arena);
	if (rc < 0) {
		intent_model_free(m);
		return rc;
	}
	*out = m;
	return 0;
}
