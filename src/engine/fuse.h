/*
 * fuse.h: one score from the scores of two sources; the numbers of search.h.
 *
 * Convex combination over theoretical min-max (Bruch et al. 2022, arXiv
 * 2210.11934): each source's scores are divided by the best observed, counted
 * from the least that the source can give (-1 for a cosine, 0 for BM25). Pure
 * functions over arrays, any thread, no memory.
 */
#ifndef READBACK_ENGINE_FUSE_H
#define READBACK_ENGINE_FUSE_H

#include <stddef.h>

#include "engine/search.h"

struct fused {
	size_t hit;           /* which candidate */
	double score;         /* 0 … 1; vector + words */
	double vector, words; /* contributions */
};

/* `w` with a sum of 1; `otherwise` when both weights are 0. */
struct search_weights fuse_normalise(struct search_weights w, struct search_weights otherwise);

/*
 * Fuses n candidates into out[n], in the order given. A candidate without a
 * score from a source gets nothing from it; a source without a score for any
 * candidate gives its weight to the other: the weights in force are returned.
 * `w` is normalised.
 */
struct search_weights fuse(const struct index_hit *hits, size_t n, struct search_weights w,
			   struct fused *out);

/* Best first; equal scores by candidate's entry, the older one first. */
void fuse_sort(const struct index_hit *hits, struct fused *f, size_t n);

#endif
