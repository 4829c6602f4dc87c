/*
 * http_wire.h: what goes over the wire to an embedding server and comes back,
 * without the connection: the form that OpenAI's POST /embeddings has and many
 * servers speak.
 *
 *     request := {"encoding_format":"float","input":[TEXT,…],"model":NAME}
 *     answer  := {"data":[{"index":I,"embedding":[NUMBER,…]},…]}      items in any order, other fields are ignored
 *
 * The answer is from outside: each of its parts is checked, and what is wrong
 * is ERR_MODEL with a message that says it. Pure: any thread.
 */
#ifndef READBACK_EMBED_HTTP_WIRE_H
#define READBACK_EMBED_HTTP_WIRE_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

#define WIRE_TEXTS 64      /* at most, in a request */
#define WIRE_MAX_DIM 16384 /* floats a vector */

/* The body that asks for vectors of n texts, each valid UTF-8. The caller frees; NULL without memory. */
char *wire_request(const char *model, const struct text *texts, size_t n);

/* Bytes that the answer to n texts may have: more than any way to write its numbers takes. */
size_t wire_max_answer(size_t n, size_t dim);

/* The vectors of n <= WIRE_TEXTS texts, each of `dim` numbers, in the texts' order and of unit length. */
int wire_vectors(const char *s, size_t length, size_t n, size_t dim, float *out, struct error *e);

/* How many numbers the vector of the one text has that was asked for: 1 to WIRE_MAX_DIM. */
int wire_dimensions(const char *s, size_t length, size_t *dim, struct error *e);

#endif
