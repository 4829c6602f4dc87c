/*
 * embedded.h: the engine in this process: one folder with a SQLite database
 * (the truth) and index files (rebuilt from it when missing or broken).
 */
#ifndef READBACK_ENGINE_EMBEDDED_H
#define READBACK_ENGINE_EMBEDDED_H

#include "engine/engine.h"

struct embedder_info;

struct embedded_options {
	const char *folder;                   /* the tenant's; made if it is not there (unless read_only) */
	const struct embedder_info *embedder; /* what vectors will come; dim 0: none */
	int read_only;                        /* beside a server: no lock, no writes */
	int no_background;                    /* no maintenance thread: tests and short commands */
	int no_index;      /* records alone, with read_only: whatever asks the index is ERR_NOT_READY */
	int64_t max_bytes; /* limit of the database's size, 0: none; beyond it ERR_DISK_FULL */
};

/*
 * Takes the folder's lock, opens, migrates and recovers. ERR_FOLDER_IN_USE,
 * ERR_FOLDER, ERR_CORRUPT, ERR_NEWER_FORMAT; ERR_WRONG_DIMENSION when the
 * database holds vectors of another embedder: those are never computed again.
 */
int embedded_open(const struct embedded_options *o, struct engine **out, struct error *e);

/* Drops all index files and builds them again from the database. Before embedded_open, with the lock free. */
int embedded_reindex(const struct embedded_options *o, void (*progress)(void *arg, size_t done, size_t total),
		     void *arg, struct error *e);

/*
 * Rebuilds all projections (record tables, entries, words) from the events
 * and compares: *differences is how many rows are not the same.
 */
int embedded_verify(const struct embedded_options *o, size_t *differences, struct error *e);

#endif
