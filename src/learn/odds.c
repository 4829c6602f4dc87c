#include "learn/odds.h"

#include <math.h>
#include <stdlib.h>

#include "learn/linear.h"

#define L2 1e-3
#define RATE 1.0
#define STEPS 20000
#define MOST_LOG 8

/* The difference of two labels' scores is the log-odds. */
static void take_weights(const struct linear *l, size_t dim, struct odds *out)
{
	float bytes[(ODDS_MOST + 1) * 2];

	linear_write(l, bytes);
	for (size_t i = 0; i < dim; i++)
		out->weight[i] = bytes[2 * i + 1] - bytes[2 * i];
	out->bias = bytes[2 * dim + 1] - bytes[2 * dim];
}

int odds_fit(const struct odds_sample *list, size_t n, size_t dim, struct odds *out, struct error *e)
{
	const struct linear_options o = { .labels = 2, .dim = dim, .l2 = L2, .rate = RATE, .steps = STEPS };
	struct linear_sample *samples = malloc(n * sizeof(*samples));
	struct odds fitted = { .bias = 0 };
	struct linear *l;

	if (!samples)
		return no_memory(e);
	for (size_t i = 0; i < n; i++)
		samples[i] = (struct linear_sample){ .row = { .dense = list[i].x },
						     .label = list[i].yes ? 1 : 0,
						     .weight = list[i].weight };
	int rc = linear_train(samples, n, &o, &l, e);
	free(samples);
	if (rc < 0)
		return rc;
	take_weights(l, dim, &fitted);
	linear_free(l);
	*out = fitted;
	return 0;
}

double odds_of(const struct odds *o, const float *x, size_t dim)
{
	double sum = o->bias;

	for (size_t i = 0; i < dim; i++)
		sum += o->weight[i] * x[i];
	return 1 / (1 + exp(-sum));
}

double odds_log(double p)
{
	double x = log((p + 1e-9) / (1 - p + 1e-9));

	return x > MOST_LOG ? MOST_LOG : x < -MOST_LOG ? -MOST_LOG : x;
}
