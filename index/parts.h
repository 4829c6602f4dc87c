/*
 * parts.h: an entry's score by vector, from the scores of its rows: .2 of its
 * title, .4 of its whole and .4 of its best other row (a chunk, a question, a
 * turn), of those that it has (docs/benchmarks.md, "Quality"). Plain values.
 */
#ifndef READBACK_INDEX_PARTS_H
#define READBACK_INDEX_PARTS_H

#include <stdint.h>

#include "index/index.h"

/* The best row of each part; NAN and ROW_NONE where it has none. */
enum { PART_TITLE, PART_WHOLE, PART_CHUNK, PARTS };
#define ROW_NONE UINT32_MAX
struct parts {
	float score[PARTS];
	uint32_t row[PARTS];
};

void parts_clear(struct parts *p);
/* A row with its score; `row` is the caller's number. A NAN is nothing. */
void parts_add(struct parts *p, enum row_field field, uint32_t row, float score);
/* -1 if there is none. Linear in the scores of the parts that are there. */
int parts_score(const struct parts *p, float *out);

#endif
