/*
 * safetensors.h: named float32 tensors of a .safetensors file, mapped.
 *
 *     file   = u64 length of the header, little-endian; header; data
 *     header = JSON { name: { "dtype": "F32", "shape": [rows, columns], "data_offsets": [begin, end] }, … }
 *
 * with offsets into the data (huggingface.co/docs/safetensors). Every offset
 * of the header is checked against the file at open, so that a file cut short
 * is found out there. Failures are ERR_MODEL with the file's name.
 *
 * Read-only once open: any thread.
 */
#ifndef READBACK_EMBED_SAFETENSORS_H
#define READBACK_EMBED_SAFETENSORS_H

#include <stddef.h>

#include "base/error.h"

struct safetensors;

int safetensors_open(const char *path, struct safetensors **out, struct error *e);
void safetensors_close(struct safetensors *t); /* NULL is fine */

/* The tensor of that name, which must have that shape (rows 0: one dimension); it lives as long as `t`. */
int safetensors_floats(const struct safetensors *t, const char *name, size_t rows, size_t columns,
		       const float **out, struct error *e);

/* All bytes of the file. */
const void *safetensors_bytes(const struct safetensors *t, size_t *n);

/* Gives the file's pages back to the system; they come again when they are read. */
void safetensors_rest(const struct safetensors *t);

#endif
