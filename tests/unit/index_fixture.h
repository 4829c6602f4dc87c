/*
 * index_fixture.h: seeded random vectors, and a plain model of an index that
 * answers every question by looking at everything: the oracle of the tests.
 */
#ifndef READBACK_TESTS_INDEX_FIXTURE_H
#define READBACK_TESTS_INDEX_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "index/index.h"

/* xorshift64*; any seed but 0. */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *r);
size_t rng_below(struct rng *r, size_t n);
double rng_real(struct rng *r); /* [0, 1) */

void random_unit(struct rng *r, size_t dim, float *out);
/* A unit vector near `centre`: cosines of about 1 / sqrt(1 + spread^2). */
void random_near(struct rng *r, size_t dim, const float *centre, double spread, float *out);
double inner(const float *a, const float *b, size_t dim);

#define MODEL_ROWS 6
#define MODEL_TAGS 6
#define MODEL_GROUPS 3
#define MODEL_WORDS 12

struct model_entry {
	uint64_t id;
	int live, everyone;
	size_t n_rows, n_groups, n_tags;
	struct index_row rows[MODEL_ROWS];
	float *vectors; /* MODEL_ROWS * dim */
	const char *groups[MODEL_GROUPS];
	struct index_tag tags[MODEL_TAGS];
	uint32_t words[MODEL_WORDS]; /* how often word "w<i>" is in it */
	struct bag bag;              /* of these */
	struct bag_term terms[MODEL_WORDS];
};

struct model {
	size_t dim, n;
	struct model_entry *entries; /* ids 1 … n */
	struct rng rng;
	uint64_t next_row;
};

struct model *model_new(size_t dim, size_t n, uint64_t seed);
void model_free(struct model *m);

/* Gives an entry new rows, groups, tags and words, all random; it is live then. */
void model_fill(struct model *m, struct model_entry *e);
void model_retag(struct model *m, struct model_entry *e);

/* The entry as index_apply() wants it; points into the model. */
struct index_change model_change(const struct model_entry *e, enum index_op op);

/* Match expressions are one word, "w0" …; served from the model, which is ctx. */
struct word_source model_words(struct model *m);

int model_filter(const struct model_entry *e, const struct index_filter *f);
int model_allows(const struct model_entry *e, const struct index_query *q);
/* The score by vector, and parts as in index_hit; 0 if it has no vectors. */
int model_vector(const struct model *m, const struct model_entry *e, const float *q, struct index_hit *out);
/* BM25 by looking at every entry. */
float model_score(const struct model *m, const struct model_entry *e, const struct index_query *q);

/* Fails the test unless the index answers just the live entries, with the scores that the model gives them. */
void model_check(struct index *x, const struct model *m);

/* A random condition, or tree of depth `depth`, in static storage of the model's keys; `pool` of `n` filters holds it. */
struct filter_pool {
	struct index_filter filters[64];
	struct index_value values[128];
	size_t n_filters, n_values;
};
const struct index_filter *random_filter(struct rng *r, struct filter_pool *p, int depth);

#endif
