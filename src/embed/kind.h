/*
 * kind.h: what a kind of embedder implements; only files of src/embed include it.
 *
 * A kind's own struct begins with a struct embedder. embed.h has the contract
 * of each call.
 */
#ifndef READBACK_EMBED_KIND_H
#define READBACK_EMBED_KIND_H

#include "embed/embed.h"

struct embedder_kind {
	const char *name; /* as in struct embedder_options */
	int from_folder;  /* needs a model's folder */

	/* `folder` is the model's, which is there; "" for a kind that needs none. Sets (*out)->kind and ->info. */
	int (*open)(const struct embedder_options *o, const char *folder, struct embedder **out,
		    struct error *e);
	void (*close)(struct embedder *m);
	int (*embed)(struct embedder *m, const struct text *texts, size_t n, float *out, struct error *e);
	size_t (*count)(const struct embedder *m, const char *s, size_t n);
};

struct embedder {
	const struct embedder_kind *kind;
	struct embedder_info info;
};

extern const struct embedder_kind embedder_minilm, embedder_http, embedder_none;

/* Turns the failure `rc` to read a model's file into ERR_MODEL; the message, which names the file, stays. */
int model_error(struct error *e, int rc);

#endif
