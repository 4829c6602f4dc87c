/*
 * rows.h: text files of which each line is a row: judgements, runs of a search
 * engine, predictions. Any thread.
 */
#ifndef READBACK_DATASETS_ROWS_H
#define READBACK_DATASETS_ROWS_H

#include <stddef.h>

#include "base/error.h"

struct arena;

#define ROWS_MAX_LINE (16u << 20) /* bytes */

/*
 * Calls each() for every line ("\r" and blanks at its end taken away; it may be
 * empty), NUL-terminated, with its number from 1, until it fails. Its error
 * comes back as "file:line: what is wrong", as does a line that is too long, is
 * no UTF-8 or has a NUL.
 */
int rows_each(const char *path,
	      int (*each)(void *arg, const char *line, size_t n, unsigned long number, struct error *e),
	      void *arg, struct error *e);

/*
 * Cuts a line into fields, at most `max`; by tabs if it has any, so that ids may
 * hold spaces, else by spaces. The fields are the arena's. How many; -1: no memory.
 */
long rows_split(struct arena *a, const char *line, const char **fields, size_t max);

#endif
