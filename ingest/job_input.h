/*
 * job_input.h: what a job is to do, as a file of its own: `folder`/ID.ndjson,
 * from before the job is queued until it has ended. It is not in the database,
 * where it would stay, for the ledger forgets nothing.
 *
 * Any thread, one at a time for each id. Errors are file.h's.
 */
#ifndef READBACK_INGEST_JOB_INPUT_H
#define READBACK_INGEST_JOB_INPUT_H

#include <stddef.h>

#include "engine/engine.h"

/* On return of 0 it is on disk. */
int job_input_write(const char *folder, const char *id, const char *s, size_t n, struct error *e);

/* A read-only map of it; job_input_unmap() it. ERR_NOT_FOUND: it is lost. */
int job_input_map(const char *folder, const char *id, struct text *out, struct error *e);
void job_input_unmap(struct text input);

/* A missing one is fine. */
int job_input_remove(const char *folder, const char *id, struct error *e);

/* Makes the folder, and removes what a crash left: inputs of jobs that have ended or never were queued. */
int job_inputs_open(const char *folder, struct engine *g, struct error *e);

#endif
