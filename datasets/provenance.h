/*
 * provenance.h: the rows of an exported folder, from rows.provenance.jsonl
 * (dataset.h), without their texts. A plain value; one thread.
 */
#ifndef READBACK_DATASETS_PROVENANCE_H
#define READBACK_DATASETS_PROVENANCE_H

#include "base/json.h"

struct provenance {
	const char *lines; /* mapped; NULL: not open */
	size_t n;
};

/* ERR_NOT_FOUND, ERR_CORRUPT for an empty one. A zeroed one may be closed. */
int provenance_open(const char *folder, struct provenance *out, struct error *e);
void provenance_close(struct provenance *p);

/* The row at *at, below n, which goes to the next one; the caller's. NULL, with ERR_CORRUPT, where none is. */
json_t *provenance_next(const struct provenance *p, size_t *at, struct error *e);

/* Where a row stands, to find it in a copy: {"file","line","row","sha256"}. New; NULL without memory. */
json_t *provenance_place(const json_t *row);

#endif
