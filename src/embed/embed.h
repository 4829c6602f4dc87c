/*
 * embed.h: vectors from text.
 *
 * An embedder turns texts into unit vectors of `dim` floats. Kinds: `minilm`
 * (all-MiniLM-L6-v2, built in: minilm.c over oneDNN, English) and `none`
 * (words only). Each kind is one file that exports one struct embedder_kind.
 *
 * An embedder is shared by all threads: embedder_embed() may be called from
 * any of them at once; scratch memory is taken from a pool inside. It uses the
 * calling thread only. A text's vector does not depend on its companions.
 */
#ifndef READBACK_EMBED_EMBED_H
#define READBACK_EMBED_EMBED_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

struct embedder;

struct embedder_info {
	const char *id;        /* "minilm-l6-v2", "none": echoed in answers */
	size_t dim;            /* floats a vector; 0 for none */
	const char *weights;   /* "sha256:…" of the weights' file; "" for none */
	const char *precision; /* "bf16", "float32"; "" for none */
	size_t max_tokens;     /* what a text is cut to */
};

enum embed_precision { PRECISION_AUTO, PRECISION_FLOAT32, PRECISION_BF16 };

struct embedder_options {
	const char *kind; /* "minilm", "none"; NULL: minilm where a model is found, else none */
	const char *
		model; /* the model's folder; NULL: READBACK_MODEL, else $XDG_CACHE_HOME or ~/.cache + /readback/model */
	enum embed_precision precision;
};

/*
 * ERR_MODEL for a folder that is missing, a file cut short or not what it
 * should be (the message names the file). With kind NULL a missing folder is
 * no error: the embedder is then `none`; a broken one still is.
 */
int embedder_open(const struct embedder_options *o, struct embedder **out, struct error *e);
void embedder_close(struct embedder *m); /* NULL is fine */

const struct embedder_info *embedder_info(const struct embedder *m);

/*
 * Vectors of n texts into out[n][dim], unit length. Text is valid UTF-8; an
 * empty text has a vector too; what is past max_tokens is not read.
 * ERR_NO_EMBEDDER for `none`.
 */
int embedder_embed(struct embedder *m, const struct text *texts, size_t n, float *out, struct error *e);

/* Tokens of a text as the model counts them, without the two special ones; for `none` an estimate by words. */
size_t embedder_count(const struct embedder *m, const char *s, size_t n);

#endif
