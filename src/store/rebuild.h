/*
 * rebuild.h: makes all projections again from the events, beside the
 * database, and compares. Texts and vectors are not made anew (events name
 * them by hash); their hashes are checked.
 *
 * Reads one view of the database from beginning to end, which takes longer
 * than reads may beside a busy server: its WAL grows meanwhile. The copy is a
 * temporary file that is gone afterwards.
 */
#ifndef READBACK_STORE_REBUILD_H
#define READBACK_STORE_REBUILD_H

#include <stddef.h>

#include "base/error.h"

struct tables;

/*
 * *differences: how many rows of tables, postings of words, leaves and hashes
 * are not what the events say.
 */
int rebuild_compare(const char *path, const struct tables *t, const unsigned char secret[32],
		    size_t *differences, struct error *e);

#endif
