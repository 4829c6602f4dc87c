/*
 * linear.h: multinomial logistic regression over rows, sparse or dense: a
 * linear score for each label, softmax over them.
 *
 * Trained by stochastic gradient descent, a sample at a time in an order drawn
 * by the seed, on the mean of weight · -log p(label) + l2/2 · |W|² (the bias is
 * not punished), with a rate that falls to 0 along a straight line (Bottou,
 * Curtis and Nocedal 2018, section 4; the same schedule as fastText's). Weights
 * are kept as a scale times a matrix, so that the penalty costs one
 * multiplication a step however many rows there are (Shalev-Shwartz et al.
 * 2007, Pegasos). One thread; the same samples, seed and instruction set give
 * the same bytes.
 *
 * A trained one is never changed: any thread may ask it.
 */
#ifndef READBACK_LEARN_LINEAR_H
#define READBACK_LEARN_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One coordinate of a row that is not 0. */
struct feature {
	uint32_t n;
	float value;
};

/* Either distinct coordinates, or all of them. */
struct linear_row {
	const struct feature *features;
	size_t n;
	const float *dense; /* [dim]; features is then NULL */
};

struct linear_sample {
	struct linear_row row;
	uint32_t label;
	float weight; /* 1: counts once */
};

struct linear_options {
	size_t labels, dim;
	double l2;
	double rate; /* of the first step */
	size_t steps;
	uint64_t seed;
	const volatile int *stop; /* may be NULL; read atomically: ends with ERR_INTERRUPTED */
};

struct linear; /* weights: float [dim][stride], bias: float [stride] */

int linear_train(const struct linear_sample *samples, size_t n, const struct linear_options *o,
		 struct linear **out, struct error *e);
void linear_free(struct linear *l); /* NULL is fine */

size_t linear_labels(const struct linear *l);

/* Floats that linear_scores() writes: the labels, padded. */
size_t linear_stride(const struct linear *l);

/* Scores of all labels, before softmax; what is behind the labels is 0. Coordinates past dim are nothing. */
void linear_scores(const struct linear *l, const struct linear_row *row, float *out);

/* Softmax of scores at a temperature, in place; returns log Σ exp(score / t) · t, minus the free energy. */
double linear_softmax(float *scores, size_t n, double temperature);

/* The weights as they stand in a model's file: [dim][labels], then the bias [labels]; little-endian floats. */
size_t linear_bytes(size_t labels, size_t dim);
void linear_write(const struct linear *l, void *to);
/* `labels` and `dim` of 1 or more; `from` has linear_bytes() bytes. ERR_CORRUPT for a weight that is not finite. */
int linear_read(const void *from, size_t labels, size_t dim, struct linear **out, struct error *e);

#endif
