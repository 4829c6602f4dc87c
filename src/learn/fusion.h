/*
 * fusion.h: how much words count beside the vector, in a search for documents
 * on behalf of a conversation.
 *
 * One weight of a convex combination (search.h), which few labels suffice for
 * (Bruch et al. 2022, arXiv 2210.11934), by direct search over a few values.
 * Each resolution that names its documents keeps, from just before it was
 * learned from, which rank the first of them had at each of these weights, with
 * all else that was learned by then. So no lesson has been seen by what it is
 * asked of, and none is searched again.
 *
 * Plain values; any thread.
 */
#ifndef READBACK_LEARN_FUSION_H
#define READBACK_LEARN_FUSION_H

#include "engine/engine.h"

struct arena;
struct packed;

#define FUSION_WEIGHTS 8
#define FUSION_USUAL 1    /* of these: what search_default_weights() has for documents */
#define FUSION_DEEP 50    /* documents that are looked at */
#define FUSION_WINDOW 500 /* resolutions: the latest */
#define FUSION_LEAST 60   /* fewer say nothing */

extern const double fusion_weights[FUSION_WEIGHTS]; /* of words; the vector has the rest */

/* What else was learned of documents: with other company a weight is another one. */
enum { FUSION_ADAPTER = 1, FUSION_USEFULNESS = 2 };

/* Where the first document that was used stood. */
struct fusion_ranks {
	unsigned company;
	unsigned rank[FUSION_WEIGHTS]; /* from 1; 0: not among the first FUSION_DEEP */
};

/* {"adapter","usefulness","ranks":[…]}; new reference, NULL without memory. */
json_t *fusion_ranks_json(const struct fusion_ranks *r);
/* 0, or -1 for what fusion_ranks_json() did not make. */
int fusion_ranks_parse(const json_t *j, struct fusion_ranks *out);

struct fusion {
	double words; /* the weight */
	unsigned company;
};

/* How it was chosen: means of 1/rank. */
struct fusion_report {
	size_t cases;
	double words;       /* the best over all */
	double usual, best; /* over all, at the usual weight and at that */
	double gain,
		error; /* of what one half of the cases chose over the usual, on the other half, both ways */
	unsigned company;
	int worth; /* the gain is above 0 at 95 % */
};

/* The latest resolutions whose ranks were seen in this company; the arena's. */
int fusion_read(struct engine *g, unsigned company, struct arena *a, struct fusion_ranks **out, size_t *n,
		struct error *e);

/* Fewer than FUSION_LEAST: ERR_NOT_READY, and the message says how many are missing. */
int fusion_fit(const struct fusion_ranks *list, size_t n, struct fusion_report *out, struct error *e);

/* New reference; NULL without memory. */
json_t *fusion_facts(const struct fusion_report *r);

/* As the bytes of a file (packed.h). -1 without memory. */
int fusion_pack(const struct fusion *f, struct arena *a, struct packed *out);
/* Malloc'ed. ERR_CORRUPT for what fusion_pack() did not make. */
int fusion_unpack(const struct packed *p, struct fusion **out, struct error *e);

#endif
