/*
 * onednn.h: matrix products y = x · wᵀ + b, with GELU if asked for; the one
 * wrapper of oneDNN (its C API, version 2).
 *
 * Weights are packed once into the layout that the processor likes best. A
 * kernel is made for each number of rows when it is first met, and kept: rows
 * are rounded up (onednn_rows()) so that there are few of them, and so that a
 * row of y depends on its row of x alone. On processors without AVX-512
 * oneDNN computes the last rows of some products in another order of
 * additions: the test of every number of rows under every instruction set
 * (test_embed_math.c) is why the steps are what they are.
 *
 * All may be called from any thread at once; a lane is for one thread at a time.
 */
#ifndef READBACK_EMBED_ONEDNN_H
#define READBACK_EMBED_ONEDNN_H

#include <stddef.h>

#include "base/error.h"
#include "embed/embed.h"

struct onednn;  /* the engine and its precision */
struct product; /* a shape of products, shared by all weights of that shape */
struct packed;  /* one matrix of weights, and its bias */
struct lane;    /* what a thread needs to compute */

struct product_shape {
	size_t in, out; /* x is [rows][in], y is [rows][out] */
	int gelu;       /* y = GELU(y), by the error function */
	int narrow;     /* y has the type of x, else float32 */
};

/*
 * `max_rows` bounds the rows of a product. ERR_CONFIG for bf16 on a processor
 * that has no instructions for it; AUTO takes it only where it has.
 */
int onednn_open(enum embed_precision p, size_t max_rows, struct onednn **out, struct error *e);
void onednn_close(struct onednn *o); /* after its products and lanes */

int onednn_is_bf16(const struct onednn *o);

/* Rows that a product of `rows` computes: x and y have room for as many; what is in those of x does not matter. */
size_t onednn_rows(const struct onednn *o, size_t rows);

int product_new(struct onednn *o, const struct product_shape *shape, struct product **out, struct error *e);
void product_free(struct product *p);

/* Copies w[out][in] and bias[out]. */
int packed_new(struct product *p, const float *w, const float *bias, struct packed **out, struct error *e);
void packed_free(struct packed *k);

int lane_new(struct onednn *o, struct lane **out, struct error *e);
void lane_free(struct lane *l);

/*
 * Between these two the calling thread computes alone: OpenMP, which oneDNN
 * and FAISS share, would start more threads. lane_enter() returns what
 * lane_leave() restores.
 */
int lane_enter(void);
void lane_leave(int saved);

/* x (bf16 or float32, as onednn_is_bf16() says) and y are aligned to 64 bytes and do not overlap. */
int product_run(struct product *p, const struct packed *k, struct lane *l, const void *x, size_t rows,
		void *y, struct error *e);

#endif
