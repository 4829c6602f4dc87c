/*
 * dataset_jobs_internal.h: what the files of dataset_jobs.h share.
 *
 *	dataset_jobs.c       the thread, and what it writes into records
 *	dataset_supersede.c  what follows for datasets that are done when a customer denies training
 *	dataset_export.c     what the command line asks for is told as well
 *	dataset_request.c    what is asked for, read and kept
 *	dataset_show.c       what is told of datasets, and their files
 */
#ifndef READBACK_DATASETS_DATASET_JOBS_INTERNAL_H
#define READBACK_DATASETS_DATASET_JOBS_INTERNAL_H

#include "base/worker.h"
#include "datasets/dataset_jobs.h"

struct dataset_jobs {
	struct desk *desk;
	char *folder;
	struct worker *worker;
	uint64_t rows; /* of the one under way; atomically */
};

/* One that is made, and its record. */
struct making {
	struct engine *engine;
	struct dataset_jobs *jobs; /* NULL: nobody's */
	struct arena *arena;
	const char *id, *stream, *folder;
	json_t *body;
	int64_t revision;
};
/* The record as it is now, by an event of this kind. */
int making_save(struct making *m, const char *event, struct error *e);
/* How it ended; `rc`: 0, or why there is no dataset, which `e` tells. */
int making_end(struct making *m, int rc, struct error *e);

#define DATASET_ID_PREFIX "ds_"

/* Subjects whose denial datasets do not know of yet. */
int subjects_pending(struct dataset_jobs *j, size_t limit, struct arena *a, struct record **out, size_t *n,
		     struct error *e);

/* Supersedes the datasets of subjects that wait for it. 1: some did, 0: none. */
int supersede_next(struct dataset_jobs *j, struct arena *a, struct error *e);

/*
 * What is asked for, as it is kept; the mark is then set, and all is checked
 * that can be before the work. *out is the arena's.
 */
int dataset_request_read(struct engine *g, const struct call *c, json_t *body, json_t **out);
/* What `o` asks for, into `to`. -1 without memory. */
int dataset_request_keep(const struct dataset_options *o, json_t *to);
/* What was kept, for dataset_write(); borrowed from `request` and the arena. ERR_CORRUPT, ERR_NO_MEMORY. */
int dataset_request_load(struct arena *a, const json_t *request, struct dataset_options *out,
			 struct error *e);

/*
 * All files of a finished folder: [{"name","sha256","bytes","rows"?}] by name; *out is the arena's. Of those that the
 * manifest lists it is believed; the few others, which are small, are read.
 */
int dataset_files_list(struct arena *a, const char *folder, const json_t *manifest, json_t **out,
		       struct error *e);

#endif
