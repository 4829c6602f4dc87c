#include "datasets/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dice.h"

#define BINS 15
#define SAMPLES 1000
#define SAME 1e-9 /* scores that differ by less differ by rounding */

static int gain_of(const char *document, const struct judged *judged, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(judged[i].document, document) == 0)
			return judged[i].gain;
	return 0;
}

static size_t count_relevant(const struct judged *judged, size_t n)
{
	size_t relevant = 0;

	for (size_t i = 0; i < n; i++)
		relevant += judged[i].gain > 0;
	return relevant;
}

/* DCG at 10 of the judged in their best order: the largest gain left, ten times. */
static double best_dcg(const struct judged *judged, size_t n)
{
	double dcg = 0;
	int below = 0; /* gains >= this were taken already */

	for (size_t rank = 1; rank <= 10;) {
		int best = 0;
		size_t times = 0;
		for (size_t i = 0; i < n; i++) {
			if (judged[i].gain <= 0 || (below && judged[i].gain >= below))
				continue;
			times = judged[i].gain > best ? 1 : times + (judged[i].gain == best);
			best = judged[i].gain > best ? judged[i].gain : best;
		}
		if (best == 0)
			break;
		for (; times > 0 && rank <= 10; times--, rank++)
			dcg += best / log2((double)rank + 1);
		below = best;
	}
	return dcg;
}

void ranking_score(const char *const *ranked, size_t n, const struct judged *judged, size_t n_judged,
		   struct ranking_scores *out)
{
	size_t relevant = count_relevant(judged, n_judged), hits = 0;
	double ideal = best_dcg(judged, n_judged);

	*out = (struct ranking_scores){ 0 };
	if (relevant == 0)
		return;
	for (size_t i = 0; i < n && i < 10; i++) {
		int gain = gain_of(ranked[i], judged, n_judged);
		if (gain <= 0)
			continue;
		hits++;
		out->ndcg10 += gain / log2((double)i + 2) / ideal;
		if (hits == 1)
			out->mrr10 = 1.0 / (double)(i + 1);
		if (i < 1)
			out->recall1 = (double)hits / (double)relevant;
		if (i < 5)
			out->recall5 = (double)hits / (double)relevant;
		out->recall10 = (double)hits / (double)relevant;
	}
	out->ndcg10 = out->ndcg10 > 1 ? 1 : out->ndcg10; /* by rounding */
}

double ranking_average_precision(const char *const *ranked, size_t n, const struct judged *judged,
				 size_t n_judged)
{
	size_t relevant = count_relevant(judged, n_judged), hits = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		if (gain_of(ranked[i], judged, n_judged) > 0)
			sum += (double)++hits / (double)(i + 1);
	return relevant ? sum / (double)relevant : 0;
}

double guess_accuracy(const struct guess *g, size_t n)
{
	size_t in = 0, right = 0;

	for (size_t i = 0; i < n; i++) {
		in += g[i].truth >= 0;
		right += g[i].truth >= 0 && g[i].truth == g[i].predicted;
	}
	return in ? (double)right / (double)in : 0;
}

double guess_macro_f1(const struct guess *g, size_t n, size_t labels)
{
	struct tally {
		size_t both, truth, predicted;
	} *t = calloc(labels + 1, sizeof(*t));
	double sum = 0;
	size_t met = 0;

	if (!t)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (g[i].truth < 0)
			continue;
		t[g[i].truth].truth++;
		if (g[i].predicted >= 0)
			t[g[i].predicted].predicted++;
		t[g[i].truth].both += g[i].truth == g[i].predicted;
	}
	for (size_t k = 0; k < labels; k++) {
		if (t[k].truth + t[k].predicted == 0)
			continue;
		met++;
		sum += 2.0 * (double)t[k].both / (double)(t[k].truth + t[k].predicted);
	}
	free(t);
	return met ? sum / (double)met : 0;
}

double guess_ece(const struct guess *g, size_t n)
{
	double confidence[BINS] = { 0 }, right[BINS] = { 0 }, sum = 0;
	size_t in = 0;

	for (size_t i = 0; i < n; i++) {
		if (g[i].truth < 0)
			continue;
		double c = g[i].confidence < 0 ? 0 : g[i].confidence;
		int bin = c >= 1 ? BINS - 1 : (int)(c * BINS);
		confidence[bin] += c;
		right[bin] += g[i].truth == g[i].predicted;
		in++;
	}
	for (int b = 0; b < BINS; b++)
		sum += fabs(confidence[b] - right[b]);
	return in ? sum / (double)in : 0;
}

static int by_score(const void *a, const void *b)
{
	double x = ((const struct guess *)a)->out_of_scope, y = ((const struct guess *)b)->out_of_scope;

	return x < y ? -1 : x > y;
}

/* A copy by rising score, and how many of each side. NULL without memory or when a side is empty. */
static struct guess *sorted_by_score(const struct guess *g, size_t n, size_t *in, size_t *out)
{
	struct guess *copy;

	*in = *out = 0;
	for (size_t i = 0; i < n; i++)
		++*(g[i].truth < 0 ? out : in);
	if (!*in || !*out || !(copy = malloc(n * sizeof(*copy))))
		return NULL;
	memcpy(copy, g, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_score);
	return copy;
}

double guess_auroc(const struct guess *g, size_t n)
{
	size_t in, out, below = 0;
	struct guess *s = sorted_by_score(g, n, &in, &out);
	double wins = 0;

	if (!s)
		return -1;
	for (size_t i = 0, end; i < n; i = end) {
		size_t ties_in = 0, ties_out = 0;
		for (end = i; end < n && s[end].out_of_scope == s[i].out_of_scope; end++)
			++*(s[end].truth < 0 ? &ties_out : &ties_in);
		wins += (double)ties_out * ((double)below + .5 * (double)ties_in);
		below += ties_in;
	}
	free(s);
	return wins / ((double)in * (double)out);
}

double guess_oos_recall(const struct guess *g, size_t n, double rejected)
{
	size_t in, out, in_above = 0, out_above = 0, found = 0;
	struct guess *s = sorted_by_score(g, n, &in, &out);

	if (!s)
		return -1;
	/* From the top, a whole tie at a time, while the in-scope above stay few enough. */
	for (size_t end = n, i; end > 0; end = i) {
		for (i = end; i > 0 && s[i - 1].out_of_scope == s[end - 1].out_of_scope; i--)
			++*(s[i - 1].truth < 0 ? &out_above : &in_above);
		if ((double)in_above > rejected * (double)in)
			break;
		found = out_above;
	}
	free(s);
	return (double)found / (double)out;
}

double mean_of(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return n ? sum / (double)n : 0;
}

double deviation_of(const double *v, size_t n)
{
	double mean = mean_of(v, n), sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (v[i] - mean) * (v[i] - mean);
	return n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double percentile_of(double *v, size_t n, double p)
{
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), by_value);
	size_t rank = (size_t)ceil(p * (double)n);
	return v[rank == 0 ? 0 : rank > n ? n - 1 : rank - 1];
}

int bootstrap_interval(const double *v, size_t n, size_t samples, uint64_t seed, double out[2])
{
	double *means = malloc(samples * sizeof(*means));
	struct dice d = { seed };

	if (!means)
		return -1;
	for (size_t s = 0; s < samples; s++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += v[dice_below(&d, n)];
		means[s] = n ? sum / (double)n : 0;
	}
	out[0] = percentile_of(means, samples, .025);
	out[1] = percentile_of(means, samples, .975);
	free(means);
	return 0;
}

int bootstrap_mean(const double *v, size_t n, uint64_t seed, double *lo, double *hi)
{
	double interval[2];

	if (bootstrap_interval(v, n, SAMPLES, seed, interval) < 0)
		return -1;
	*lo = interval[0];
	*hi = interval[1];
	return 0;
}

/* Share of random signs under which the sum is as far from 0; the signs as they are count as one sample more. */
static double sign_flip_p(const double *v, size_t n, size_t samples, uint64_t seed)
{
	struct dice d = { seed };
	double found = 0;
	size_t as_far = 0;

	for (size_t i = 0; i < n; i++)
		found += v[i];
	for (size_t s = 0; s < samples; s++) {
		double sum = 0;
		uint64_t signs = 0;
		for (size_t i = 0; i < n; i++) {
			signs = i % 64 == 0 ? dice_next(&d) : signs >> 1;
			sum += signs & 1 ? v[i] : -v[i];
		}
		as_far += fabs(sum) >= fabs(found) - SAME;
	}
	return (double)(as_far + 1) / (double)(samples + 1);
}

/* The same seed draws the same queries for all three intervals: that is what makes them paired. */
int paired_measure(const double *a, const double *b, size_t n, uint64_t seed, struct paired_scores *out)
{
	struct paired_scores p = { .n = n, .a = mean_of(a, n), .b = mean_of(b, n) };
	double *v = calloc(n + 1, sizeof(*v));
	size_t differ = 0;

	if (!v)
		return -1;
	for (size_t i = 0; i < n; i++) {
		v[i] = b[i] - a[i];
		p.wins += v[i] > SAME;
		p.losses += v[i] < -SAME;
	}
	p.ties = n - p.wins - p.losses;
	p.difference = mean_of(v, n);
	int rc = bootstrap_interval(a, n, PAIRED_SAMPLES, seed, p.a_interval) < 0 ||
				 bootstrap_interval(b, n, PAIRED_SAMPLES, seed, p.b_interval) < 0 ||
				 bootstrap_interval(v, n, PAIRED_SAMPLES, seed, p.interval) < 0
			 ? -1
			 : 0;
	for (size_t i = 0; i < n; i++) /* a tie is the same under either sign */
		if (fabs(v[i]) > SAME)
			v[differ++] = v[i];
	p.p = sign_flip_p(v, differ, PAIRED_SAMPLES, seed);
	free(v);
	if (rc == 0)
		*out = p;
	return rc;
}
