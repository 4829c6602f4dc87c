#include "engine/fuse.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_VECTOR (-1.0)
#define LEAST_WORDS 0.0

struct search_weights fuse_normalise(struct search_weights w, struct search_weights otherwise)
{
	double sum = w.vector + w.words;

	if (!(sum > 0))
		return otherwise;
	if (isinf(sum)) /* two finite weights whose sum is not */
		return fuse_normalise((struct search_weights){ w.vector / 4, w.words / 4 }, otherwise);
	return (struct search_weights){ w.vector / sum, w.words / sum };
}

/* Where s lies between the least that can be and the best that was, 0 … 1. */
static double place(double s, double least, double best)
{
	if (!(best > least))
		return s >= best ? 1 : 0;
	return fmin(1, fmax(0, (s - least) / (best - least)));
}

struct search_weights fuse(const struct index_hit *hits, size_t n, struct search_weights w, struct fused *out)
{
	double best_vector = -INFINITY, best_words = -INFINITY;
	int vectors = 0, words = 0;

	for (size_t i = 0; i < n; i++) {
		if (hits[i].vector_rank) {
			best_vector = fmax(best_vector, hits[i].vector);
			vectors = 1;
		}
		if (hits[i].words_rank) {
			best_words = fmax(best_words, hits[i].words);
			words = 1;
		}
	}
	if (vectors != words)
		w = (struct search_weights){ vectors, words };
	for (size_t i = 0; i < n; i++) {
		struct fused *f = &out[i];
		*f = (struct fused){ .hit = i };
		if (hits[i].vector_rank)
			f->vector = w.vector * place(hits[i].vector, LEAST_VECTOR, best_vector);
		if (hits[i].words_rank)
			f->words = w.words * place(hits[i].words, LEAST_WORDS, best_words);
		f->score = f->vector + f->words;
	}
	return w;
}

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct fused *a = pa, *b = pb;
	const struct index_hit *hits = arg;
	uint64_t ea = hits[a->hit].entry, eb = hits[b->hit].entry;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return (ea > eb) - (ea < eb);
}

void fuse_sort(const struct index_hit *hits, struct fused *f, size_t n)
{
	if (n > 1)
		qsort_r(f, n, sizeof(*f), compare, (void *)hits);
}
