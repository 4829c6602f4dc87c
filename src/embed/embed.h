/*
 * embed.h: vectors from text.
 *
 * An embedder turns texts into unit vectors of `dim` floats. Kinds: `minilm`
 * (all-MiniLM-L6-v2, built in: minilm.c over oneDNN, English), `http` (another
 * server makes them: http.c) and `none` (words only). Each kind is one file
 * that exports one struct embedder_kind.
 *
 * An embedder is shared by all threads: embedder_embed() may be called from
 * any of them at once; scratch memory and connections are taken from a pool
 * inside. It uses the calling thread only. A text's vector does not depend on
 * its companions (with `http` that is the server's business).
 */
#ifndef READBACK_EMBED_EMBED_H
#define READBACK_EMBED_EMBED_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

struct embedder;

struct embedder_info {
	const char *id;        /* "minilm-l6-v2", "http:MODEL", "none": echoed in answers */
	size_t dim;            /* floats a vector; 0 for none */
	const char *weights;   /* "sha256:…" of the weights' file; "" for http and none */
	const char *precision; /* "bf16", "float32"; "" for none */
	size_t max_tokens;     /* what a text is cut to */
};

enum embed_precision { PRECISION_AUTO, PRECISION_FLOAT32, PRECISION_BF16 };

struct embedder_options {
	const char *kind; /* "minilm", "http", "none"; NULL: minilm where a model is found, else none */
	const char *
		model; /* the model's folder; NULL: READBACK_MODEL, else $XDG_CACHE_HOME or ~/.cache + /readback/model */
	enum embed_precision precision;
	/* Of http alone: */
	const char *url; /* http(s)://host[:port][/path], without credentials; "/embeddings" is added */
	const char *remote_model; /* the model's name there */
	const char *key; /* sent as a bearer token; NULL: READBACK_EMBEDDER_KEY, if it is set; "": none */
	long dimensions; /* floats a vector; 0: asked of the server at open */
	long timeout_ms; /* of a call with one text; with more, six times that. 0: 10,000 */
};

/*
 * ERR_MODEL for a folder that is missing, a file cut short or not what it
 * should be (the message names the file), and for a server that cannot be
 * asked for its dimensions (the message names the URL). With kind NULL a
 * missing folder is no error: the embedder is then `none`; a broken one still
 * is. ERR_CONFIG for options that are wrong or do not belong together.
 */
int embedder_open(const struct embedder_options *o, struct embedder **out, struct error *e);
void embedder_close(struct embedder *m); /* NULL is fine */

const struct embedder_info *embedder_info(const struct embedder *m);

/*
 * Vectors of n texts into out[n][dim], unit length. Text is valid UTF-8; an
 * empty text has a vector too; what is past max_tokens is not read.
 * ERR_NO_EMBEDDER for `none`. Of `http`: ERR_EMBEDDER_UNAVAILABLE for a server
 * that gives no answer, in time or at all, and may give one later; ERR_MODEL
 * for an answer that is of no use.
 */
int embedder_embed(struct embedder *m, const struct text *texts, size_t n, float *out, struct error *e);

/* Tokens of a text as the model counts them, without the two special ones; for `http` and `none` an estimate by words. */
size_t embedder_count(const struct embedder *m, const char *s, size_t n);

#endif
