/*
 * fts.h: words of the live entries, in FTS5. One table a collection with the
 * columns title and text; weights of both are 1, k1 and b are FTS5's own (1.2
 * and .75).
 */
#ifndef READBACK_STORE_FTS_H
#define READBACK_STORE_FTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/analyser.h"

struct db;
struct tables;

typedef void fts_each(void *arg, uint64_t entry, float score);

/*
 * Calls each() once for every entry that has any of the terms, with BM25's
 * sum over them, each multiplied by its weight. Score > 0, higher is better.
 */
int fts_search(struct db *d, const struct tables *t, int collection, const struct term *terms, size_t n,
	       fts_each *each, void *arg, struct error *e);

/* Calls each() for every entry that matches an FTS5 expression; ERR_BAD_MATCH when it does not parse. */
int fts_match(struct db *d, const struct tables *t, int collection, const char *expr, fts_each *each,
	      void *arg, struct error *e);

/* ERR_CORRUPT when the words are not those of the entries' texts. Needs a writing connection. */
int fts_check(struct db *d, const struct tables *t, int collection, struct error *e);

#endif
