/*
 * packed.h: a learned model as it stands in a file: a small JSON head and runs
 * of bytes behind it. Grammar: docs/formats.md, "Models".
 *
 * The same model has the same bytes. Any thread.
 */
#ifndef READBACK_LEARN_PACKED_H
#define READBACK_LEARN_PACKED_H

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"

struct arena;

#define PACKED_PARTS 4

struct packed {
	json_t *head; /* the arena's that it was made in */
	struct file_part parts[PACKED_PARTS];
	size_t n;
};

/* The old file or the new one. `hash` is of the whole file, `size` in bytes. */
int packed_write(const char *path, const struct packed *p, char hash[SHA256_TEXT], size_t *size,
		 struct error *e);

/* All is the arena's. ERR_NOT_FOUND: there is no file; ERR_CORRUPT: it is not what `hash` says. */
int packed_read(const char *path, const char *hash, struct arena *a, struct packed *out, struct error *e);

/* Part i, which must have so many bytes: ERR_CORRUPT otherwise. */
int packed_part(const struct packed *p, size_t i, size_t bytes, const void **out, struct error *e);

#endif
