/*
 * batch.h: lines that are imported together: what a worker does with them,
 * and what the committing thread does then. Internal to import.c.
 */
#ifndef READBACK_INGEST_BATCH_H
#define READBACK_INGEST_BATCH_H

#include "ingest/document.h"
#include "ingest/import.h"

#define BATCH_LINES 256 /* at most: one sync for all of them */
#define BATCH_EMBEDDED \
	64 /* of lines without vectors: a batch is one thread's, and Ctrl-C drops what is not committed */
#define BATCH_BYTES (2u << 20) /* a longer line is a batch of its own */

enum item_state {
	ITEM_NEW,   /* not looked at */
	ITEM_BAD,   /* `error` says why */
	ITEM_READY, /* rows have their vectors: to be committed */
	ITEM_SAME,  /* nothing to do, if the revision is still step.revision */
	ITEM_LATE,  /* an earlier line of the batch has the same id */
	ITEM_DONE,  /* step.status says what it was */
};

struct item {
	const char *file, *s;
	uint64_t line;
	size_t n;
	enum item_state state;
	struct error error;
	struct document doc;
	struct document_step step;
	size_t plan; /* its place in the batch's list of plans */
};

struct batch {
	struct arena *arena;
	struct item items[BATCH_LINES];
	size_t n, bytes;
	int ready; /* guarded by the importer's lock */
	int rc;    /* an error that ends the import */
	struct error error;
	struct document_rows plans[BATCH_LINES];
	size_t n_plans;
};

struct batch *batch_new(void); /* NULL without memory */
void batch_free(struct batch *b);

/* The worker's part. */
void batch_prepare(struct batch *b, struct desk *d, const struct importer_options *o);

/* The committing thread's part; afterwards every item is ITEM_BAD or ITEM_DONE, unless an error is returned. */
int batch_commit(struct batch *b, struct desk *d, const struct importer_options *o, struct error *e);

#endif
