/*
 * labels.h: rows with a label that is taken for true, and what a classifier has
 * said of them.
 *
 * Rows are examples, {"text","label","id"?} a line, or fastText's
 * "__label__LABEL text". Predictions are
 *
 *   {"id"|"text","label","confidence"?}   in any order; label null: none
 *   LABEL                                 a line a row, in the order of the rows; an empty line: none;
 *                                         "__label__" and what follows its label is taken away
 *
 * A label is a name like any other, also "oos".
 */
#ifndef READBACK_DATASETS_LABELS_H
#define READBACK_DATASETS_LABELS_H

#include <stddef.h>

#include "base/error.h"
#include "datasets/told.h"

struct labels;

/* "file:line: what is wrong"; ERR_BAD_VALUE for a file without rows and an id that comes twice. */
int labels_read(const char *path, struct labels **out, struct error *e);
void labels_free(struct labels *l); /* NULL is fine */
size_t labels_count(const struct labels *l);
const char *labels_true(const struct labels *l, size_t row);

/*
 * Reads predictions: out[row] is NULL where there is none; the strings are the
 * labels' own. What is said by text is said of all rows with this text. What is
 * missing, and what is said of no row, goes into `told`. ERR_BAD_VALUE for two
 * labels of one row, and for a file of labels alone that has not a line a row.
 */
int labels_predicted(struct labels *l, const char *path, const char **out, struct told *told,
		     struct error *e);

#endif
