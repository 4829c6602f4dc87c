/*
 * qrels.h: which documents answer which query, from a file of judgements:
 * BEIR's three columns (query-id, corpus-id, score; a header line) or TREC's
 * four (query, 0, document, score), separated by tabs or spaces.
 */
#ifndef READBACK_DATASETS_QRELS_H
#define READBACK_DATASETS_QRELS_H

#include "base/error.h"
#include "datasets/measure.h"

struct qrels;

/* ERR_BAD_VALUE as "file:line: what is wrong" for a line that is no judgement. */
int qrels_read(const char *path, struct qrels **out, struct error *e);
void qrels_free(struct qrels *q); /* NULL is fine */

/* The judgements of a query; 0 if it has none. */
size_t qrels_of(const struct qrels *q, const char *query, const struct judged **out);
size_t qrels_queries(const struct qrels *q);
/* The queries in the order of the file: begin with *i = 0; NULL at the end. */
const char *qrels_each(const struct qrels *q, size_t *i);

#endif
