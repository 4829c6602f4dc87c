/*
 * fts.h: words of the live entries, in FTS5, for exact expressions: phrases,
 * prefixes, error codes. One table a collection with the columns title and
 * text. Words are ranked by the index's own postings, not here.
 */
#ifndef READBACK_STORE_FTS_H
#define READBACK_STORE_FTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct db;
struct tables;

typedef void fts_each(void *arg, uint64_t entry);

/* Calls each() for every entry that matches an FTS5 expression; ERR_BAD_MATCH when it does not parse. */
int fts_match(struct db *d, const struct tables *t, int collection, const char *expr, fts_each *each,
	      void *arg, struct error *e);

/* ERR_CORRUPT when the words are not those of the entries' texts. Needs a writing connection. */
int fts_check(struct db *d, const struct tables *t, int collection, struct error *e);

#endif
