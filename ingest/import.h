/*
 * import.h: many lines in, in batches. Internal to ingest/, and for whoever
 * has lines that are not in a file (jobs, `readback eval`).
 *
 * Documents: worker threads parse, compare with what is stored, cut and embed
 * a batch; the caller's thread commits the batches in the order of the lines,
 * each with as few syncs as can be. A line whose document has changed since a
 * worker looked (the same id twice, another writer) is done again, alone, in
 * its turn, so that the last line of an id wins.
 * Examples have no order among themselves: the workers import them one by one.
 * Conversations do, for each sees those before it, and rules, for the last
 * line of an id wins: the caller's thread imports them.
 *
 * One thread at a time calls these; callbacks come in that thread, in the order of the lines.
 */
#ifndef READBACK_INGEST_IMPORT_H
#define READBACK_INGEST_IMPORT_H

#include "ingest/ingest.h"

#define IMPORT_MAX_LINE (24u << 20) /* bytes */

struct importer;

struct importer_options {
	enum import_what what;
	const struct rights *rights; /* outlives the importer */
	unsigned threads;            /* 0: one a core */
	/* A line that was not taken. */
	void (*bad)(void *arg, const char *file, uint64_t line, const struct error *error);
	/* What was added up to now and then is on disk; not 0 ends the import with that error. NULL: nothing to call. */
	int (*batch_done)(void *arg, const struct import_progress *p, struct error *e);
	void *arg;
	const volatile int *stop; /* may be NULL; read atomically */
};

int importer_open(struct desk *d, const struct importer_options *o, struct importer **out, struct error *e);

/*
 * Adds a line (copied, as is `file`). A bad line is reported by `bad`, maybe
 * later. Errors are of the whole import and sticky: ERR_INTERRUPTED, and what
 * the engine cannot get over. A blank line is nothing.
 */
int importer_add(struct importer *m, const char *file, uint64_t line, const char *s, size_t n,
		 struct error *e);

/* Counts and reports a line as bad, in its turn. */
int importer_refuse(struct importer *m, const char *file, uint64_t line, const struct error *why,
		    struct error *e);

/* Everything that was added is done. */
int importer_flush(struct importer *m, struct error *e);

/* lines, imported, updated, unchanged, failed of what is done. */
const struct import_progress *importer_progress(const struct importer *m);

/* What was not flushed is dropped. NULL is fine. */
void importer_close(struct importer *m);

/* True for an error of one line, false for one that the next line would meet too. */
int import_is_line_error(int code);

#endif
