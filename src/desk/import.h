/* import.h: what imports of lines have in common: the same line again changes nothing. */
#ifndef READBACK_DESK_IMPORT_H
#define READBACK_DESK_IMPORT_H

#include "base/crypto.h"
#include "desk/bodies.h"

/* sha256 of the JSON, whatever order its fields are in. */
int import_hash(const json_t *line, char out[SHA256_TEXT], struct error *e);

/* What a line would make. All borrowed. */
struct import_record {
	enum record_kind kind;
	const char *id, *stream;
	const char *hash; /* of the line */
};

/*
 * Compares with the record's "imported": 1 when this was imported before, 0
 * when there is no such record, ERR_EXISTS when it is another content. On 0
 * *revision is what to commit upon: what is made after the look is a conflict.
 */
int import_before(struct desk *d, const struct call *c, const struct import_record *x, int64_t *revision);

#endif
