/* json_internal.h: shared by the files of json.h alone. */
#ifndef READBACK_BASE_JSON_INTERNAL_H
#define READBACK_BASE_JSON_INTERNAL_H

#include "base/json.h"

/*
 * If the text is an object with an array of numbers under "vector": a copy of
 * the same length with a 0 in the array's place, and the packed array. Else,
 * and without memory, NULL: then the text is the parser's as it is. The caller
 * frees both.
 */
char *json_unpack_vector(const char *s, size_t n, json_t **vector);

#endif
