/*
 * withdrawn.h: which rows of an exported folder have to go, for their customers
 * deny training by now. For folders that `readback export` wrote somewhere;
 * those of a server are superseded by it (dataset_jobs.h).
 */
#ifndef READBACK_DATASETS_WITHDRAWN_H
#define READBACK_DATASETS_WITHDRAWN_H

#include "base/json.h"

struct engine;

struct withdrawn {
	uint64_t rows, withdrawn;
	uint64_t
		unknown; /* rows of conversations that this data folder has not: nothing is known of their customers */
};

/*
 * Calls row() with each that has to go, in the order of the folder:
 * {"file","line","row","sha256"} and what provenance tells of "conversation",
 * "example" and "handoff"; borrowed. Below 0 ends it. ERR_NOT_FOUND, ERR_CORRUPT
 * where the folder has no whole provenance.
 */
int dataset_withdrawn(struct engine *g, const char *folder,
		      int (*row)(void *arg, const json_t *row, struct error *e), void *arg,
		      struct withdrawn *out, struct error *e);

#endif
