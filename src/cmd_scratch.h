/*
 * cmd_scratch.h: a data folder for a measurement, used as everybody uses one:
 * imports, engine, searches. Unless it is to be kept it is removed at the end.
 */
#ifndef READBACK_CMD_SCRATCH_H
#define READBACK_CMD_SCRATCH_H

#include "cmd.h"
#include "ingest/import.h"

struct scratch {
	struct workplace place;
	char folder[4096];
	int temporary;
};

/* `keep` NULL: a new folder under TMPDIR, in the place of options->data. */
int scratch_open(const char *keep, const struct workplace_options *options, struct scratch *s,
		 struct error *e);
void scratch_close(struct scratch *s);

/*
 * Imports a file of lines that may hold more than ours do: only `fields` of
 * each (space separated, NULL-terminated list) go in. Bad lines are said on
 * stderr, counted in p->failed.
 */
int scratch_import(struct scratch *s, enum import_what what, const char *path, const char *const *fields,
		   struct import_progress *p, struct error *e);

/* Waits until the background work on the index comes to rest, two minutes at most. */
int scratch_settle(struct scratch *s, struct error *e);

/*
 * Calls each() with every line of a file of JSON objects. ERR_BAD_VALUE as
 * "file:line: …" for a line that is none; a line's own error likewise.
 */
int each_line(const char *path, int (*each)(void *arg, json_t *line, struct error *e), void *arg,
	      struct error *e);

/* The calling thread's next request by whoever has the folder. */
struct call scratch_call(struct arena *a, struct error *e);

#endif
