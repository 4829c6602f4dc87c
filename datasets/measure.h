/* measure.h: figures of merit, as the usual tools compute them. Plain arithmetic; any thread. */
#ifndef READBACK_DATASETS_MEASURE_H
#define READBACK_DATASETS_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* --- retrieval --------------------------------------------------------------------------------------- */

/* A judged document of one query. */
struct judged {
	const char *document;
	int gain; /* > 0: relevant */
};

struct ranking_scores {
	double ndcg10, recall1, recall5, recall10, mrr10;
};

/*
 * Scores of a ranking (best first, no document twice) as trec_eval has them:
 * DCG of the gains over log2(rank + 1), against the best order of the judged;
 * recall of the relevant; reciprocal rank of the first relevant. A query
 * without a relevant document scores 0 everywhere.
 */
void ranking_score(const char *const *ranked, size_t n, const struct judged *judged, size_t n_judged,
		   struct ranking_scores *out);

/* Mean of the precisions at the relevant ranks, over all relevant: average precision of the ranking given. */
double ranking_average_precision(const char *const *ranked, size_t n, const struct judged *judged,
				 size_t n_judged);

/* --- classification ---------------------------------------------------------------------------------- */

/* One prediction. Labels are numbers from 0; `predicted` -1: none was given. */
struct guess {
	int truth, predicted; /* truth -1: out of scope */
	double confidence;    /* of `predicted`, 0 … 1 */
	double out_of_scope;  /* higher is further out */
};

double guess_accuracy(const struct guess *g, size_t n); /* of the in-scope */

/* Mean F1 over the labels that are true or predicted for an in-scope row. `labels`: how many there are. -1: no memory. */
double guess_macro_f1(const struct guess *g, size_t n, size_t labels);

/* Expected calibration error of the in-scope: 15 bins of equal width (Guo et al. 2017). */
double guess_ece(const struct guess *g, size_t n);

/* Probability that an out-of-scope row scores higher than an in-scope one, ties a half. -1: no memory or a side empty. */
double guess_auroc(const struct guess *g, size_t n);

/* Share of the out-of-scope found by the threshold that rejects at most `rejected` of the in-scope. -1 as above. */
double guess_oos_recall(const struct guess *g, size_t n, double rejected);

/* --- numbers ----------------------------------------------------------------------------------------- */

double mean_of(const double *v, size_t n);           /* 0 for none */
double deviation_of(const double *v, size_t n);      /* of a sample; 0 for fewer than two */
double percentile_of(double *v, size_t n, double p); /* sorts v; p in 0 … 1; nearest rank; 0 for none */

/* 95 % interval of the mean by 1,000 bootstrap samples. 0, or -1 without memory. */
int bootstrap_mean(const double *v, size_t n, uint64_t seed, double *lo, double *hi);
/* The same by so many samples (percentiles of their means; Efron and Tibshirani 1993, chapter 13). */
int bootstrap_interval(const double *v, size_t n, size_t samples, uint64_t seed, double out[2]);

/* --- two systems on the same items ------------------------------------------------------------------- */

#define PAIRED_SAMPLES 10000

struct paired_scores {
	double a, b; /* means */
	double a_interval[2], b_interval[2];
	double difference, interval[2]; /* of b - a */
	double p; /* two-sided: how likely so large a difference is if the two are as good */
	size_t n, wins, ties, losses; /* of b */
};

/*
 * Scores of a and b on the same n items. Intervals are 95 %, of PAIRED_SAMPLES
 * bootstrap samples over the items (for searches: Sakai 2006); p is of as many
 * random flips of the differences' signs (a randomisation test, Fisher 1935;
 * Smucker et al. 2007), at least 1 / (PAIRED_SAMPLES + 1). The same seed, the
 * same figures. 0, or -1 without memory.
 */
int paired_measure(const double *a, const double *b, size_t n, uint64_t seed, struct paired_scores *out);

#endif
