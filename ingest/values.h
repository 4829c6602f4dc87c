/*
 * values.h: the values of a file of JSON, one after the other, without the
 * file in memory: of an array, or of NDJSON, or of objects that take several
 * lines each. Values are told apart by brackets and quotes alone; whether one
 * is JSON is for its reader to say.
 *
 * Where a value of a file without an array is cut short, the next one begins
 * with the next line that begins with "{". Owned by the caller; one thread.
 */
#ifndef READBACK_INGEST_VALUES_H
#define READBACK_INGEST_VALUES_H

#include "base/file.h"

struct values;

struct value {
	const char *s; /* valid until the next call */
	size_t n;      /* above `max`: s is not all of it */
	/* The line it begins on. In an array, which is one line more often than not: 1 is the first element. */
	uint64_t number;
	int cut; /* the file ends within its array */
};

/* Borrows the lines, of which nothing was read yet. */
int values_open(struct lines *l, struct values **out, struct error *e);
/* 1: a value; 0: the end; < 0: an error of the file. */
int values_next(struct values *v, size_t max, struct value *out, struct error *e);
void values_close(struct values *v); /* NULL is fine */

#endif
