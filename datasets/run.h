/*
 * run.h: what a search engine has found for each query, from a file of one of
 * two forms, told apart by the first line:
 *
 *   q1 Q0 help-12 1 14.2 tag               TREC: six columns, by tabs or spaces
 *   {"query":"q1","ranked":["help-12",…]}  JSON: ids of a query and of its documents, the best first
 *
 * Of TREC the order is that of the scores, and of equal ones of the documents'
 * ids, the last by bytes first; the rank is not looked at: so does trec_eval.
 */
#ifndef READBACK_DATASETS_RUN_H
#define READBACK_DATASETS_RUN_H

#include <stddef.h>

#include "base/error.h"

struct run;

/*
 * "file:line: what is wrong" for a line that is neither, a score that is not
 * finite, and a document that a query has twice.
 */
int run_read(const char *path, struct run **out, struct error *e);
void run_free(struct run *r); /* NULL is fine */

/* The documents found for a query, best first; 0 (and *out as it was) if it is not in the run, or nothing was found. */
size_t run_of(const struct run *r, const char *query, const char *const **out);
/* Its queries in the order of the file: begin with *i = 0; NULL at the end. */
const char *run_each(const struct run *r, size_t *i);
int run_has(const struct run *r, const char *query);

#endif
