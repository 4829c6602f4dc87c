#include "learn/linear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dice.h"
#include "learn/linear_internal.h"

#define STOP_LOOK 256 /* steps between looks at `stop` */
#define SETTLED \
	1e-2 /* of a probability that is missing: the step would change next to nothing, and is half of the time */
#define MIN_SCALE 1e-4 /* below it the matrix is multiplied out, so that floats keep their digits */

struct linear {
	size_t labels, dim, stride;
	const struct linear_math *math;
	float *weights; /* [dim][stride] */
	float *bias;    /* [stride] */
};

static struct linear *linear_new(size_t labels, size_t dim)
{
	struct linear *l = calloc(1, sizeof(*l));
	size_t stride = (labels + LINEAR_PAD - 1) / LINEAR_PAD * LINEAR_PAD;

	if (!l)
		return NULL;
	*l = (struct linear){ .labels = labels, .dim = dim, .stride = stride, .math = linear_math_best() };
	l->weights = aligned_alloc(LINEAR_ALIGN, (dim + 1) * stride * sizeof(float));
	if (!l->weights) {
		free(l);
		return NULL;
	}
	memset(l->weights, 0, (dim + 1) * stride * sizeof(float));
	l->bias = l->weights + dim * stride;
	return l;
}

void linear_free(struct linear *l)
{
	if (!l)
		return;
	free(l->weights);
	free(l);
}

size_t linear_labels(const struct linear *l)
{
	return l->labels;
}

size_t linear_stride(const struct linear *l)
{
	return l->stride;
}

/* --- asking -------------------------------------------------------------------------------------------- */

#define CHUNK 64

/* Addresses of the rows of weights that belong to some of a row's coordinates, so many as fit on the stack. */
struct chunk {
	float *rows[CHUNK];
	float values[CHUNK]; /* times a factor */
	size_t n;
};

/* The next ones from *i on; 0 when there are none. */
static int next_chunk(const struct linear *l, const struct linear_row *r, double factor, size_t *i,
		      struct chunk *c)
{
	size_t n = r->features ? r->n : l->dim;

	c->n = 0;
	for (; *i < n && c->n < CHUNK; ++*i) {
		struct feature f = r->features ? r->features[*i]
					       : (struct feature){ (uint32_t)*i, r->dense[*i] };
		if (f.n >= l->dim)
			continue;
		c->rows[c->n] = l->weights + f.n * l->stride;
		c->values[c->n++] = (float)(f.value * factor);
	}
	return c->n > 0;
}

static void add_row(const struct linear *l, const struct linear_row *r, double scale, float *out)
{
	struct chunk c;

	for (size_t i = 0; next_chunk(l, r, scale, &i, &c);)
		l->math->add_rows(out, (const float *const *)c.rows, c.values, c.n, l->stride);
}

void linear_scores(const struct linear *l, const struct linear_row *row, float *out)
{
	memcpy(out, l->bias, l->stride * sizeof(*out));
	add_row(l, row, 1, out);
}

double linear_softmax(float *scores, size_t n, double temperature)
{
	double best = scores[0], sum = 0;

	for (size_t i = 1; i < n; i++)
		best = scores[i] > best ? scores[i] : best;
	for (size_t i = 0; i < n; i++) {
		scores[i] = expf((float)((scores[i] - best) / temperature));
		sum += scores[i];
	}
	for (size_t i = 0; i < n; i++)
		scores[i] = (float)(scores[i] / sum);
	return best + temperature * log(sum);
}

/* --- training ------------------------------------------------------------------------------------------ */

struct training {
	struct linear *l;
	const struct linear_options *o;
	double scale;  /* the weights are scale · l->weights; the bias is as it stands */
	float *scores; /* then the gradient */
	size_t *order;
};

static void multiply_out(struct training *t)
{
	for (size_t i = 0; i < t->l->dim * t->l->stride; i++)
		t->l->weights[i] = (float)(t->l->weights[i] * t->scale);
	t->scale = 1;
}

static void step(struct training *t, const struct linear_sample *s, double rate)
{
	struct linear *l = t->l;
	struct chunk c;

	memcpy(t->scores, l->bias, l->stride * sizeof(*t->scores));
	add_row(l, &s->row, t->scale, t->scores);
	linear_softmax(t->scores, l->labels, 1);
	t->scale *= 1 - rate * t->o->l2;
	if (t->scale < MIN_SCALE)
		multiply_out(t);
	if (1 - t->scores[s->label] < SETTLED)
		return;
	t->scores[s->label] -= 1;
	for (size_t j = 0; j < l->labels; j++)
		t->scores[j] *= s->weight;
	memset(t->scores + l->labels, 0, (l->stride - l->labels) * sizeof(*t->scores));

	for (size_t i = 0; next_chunk(l, &s->row, -rate / t->scale, &i, &c);)
		l->math->add_to_rows(c.rows, c.values, c.n, t->scores, l->stride);
	for (size_t j = 0; j < l->labels; j++)
		l->bias[j] -= (float)(rate * t->scores[j]);
}

static int is_stopped(const struct linear_options *o)
{
	return o->stop && __atomic_load_n(o->stop, __ATOMIC_RELAXED);
}

static int descend(struct training *t, const struct linear_sample *samples, size_t n, struct error *e)
{
	struct dice dice = { t->o->seed };

	for (size_t i = 0; i < n; i++)
		t->order[i] = i;
	for (size_t i = 0; i < t->o->steps; i++) {
		if (i % n == 0)
			dice_shuffle(&dice, t->order, n);
		if (i % STOP_LOOK == 0 && is_stopped(t->o))
			return error_set(e, ERR_INTERRUPTED, NULL, "the training was stopped");
		double left = 1 - (double)i / (double)t->o->steps;
		step(t, &samples[t->order[i % n]], t->o->rate * left);
	}
	multiply_out(t);
	return 0;
}

int linear_train(const struct linear_sample *samples, size_t n, const struct linear_options *o,
		 struct linear **out, struct error *e)
{
	struct training t = { .l = linear_new(o->labels, o->dim), .o = o, .scale = 1 };
	int rc = 0;

	t.order = malloc((n + 1) * sizeof(*t.order));
	t.scores = t.l ? aligned_alloc(LINEAR_ALIGN, t.l->stride * sizeof(*t.scores)) : NULL;
	if (!t.order || !t.scores)
		rc = no_memory(e);
	else if (n > 0)
		rc = descend(&t, samples, n, e);
	free(t.order);
	free(t.scores);
	if (rc < 0) {
		linear_free(t.l);
		return rc;
	}
	*out = t.l;
	return 0;
}

/* --- as bytes ------------------------------------------------------------------------------------------ */

size_t linear_bytes(size_t labels, size_t dim)
{
	return (dim + 1) * labels * sizeof(float);
}

void linear_write(const struct linear *l, void *to)
{
	for (size_t i = 0; i <= l->dim; i++)
		memcpy((char *)to + i * l->labels * sizeof(float), l->weights + i * l->stride,
		       l->labels * sizeof(float));
}

int linear_read(const void *from, size_t labels, size_t dim, struct linear **out, struct error *e)
{
	struct linear *l = linear_new(labels, dim);

	if (!l)
		return no_memory(e);
	for (size_t i = 0; i <= dim; i++) {
		float *row = l->weights + i * l->stride;
		memcpy(row, (const char *)from + i * labels * sizeof(float), labels * sizeof(float));
		for (size_t j = 0; j < labels; j++)
			if (!isfinite(row[j])) {
				linear_free(l);
				return error_set(e, ERR_CORRUPT, NULL, "a weight is not a number");
			}
	}
	*out = l;
	return 0;
}
