/*
 * dataset_jobs.h: training sets that a server makes. Each is a record
 * (RECORD_DATASET) in a stream of its own, "dataset/ID", and a folder,
 * `folder`/ID, which is whole when the record says "done":
 *
 *	{"state":"queued|running|exporting|done|failed","key","agent"?: of who asked,"requested_at",
 *	 "request":{"format","kind","mark","since"?,"until"? (ms),"filter"?,"pii","split","sizes"?:[3],"seed",
 *	            "settings":["name=value"]} (dataset_request.c),
 *	 "error"?:{"code","message"} of one that failed, and of one that is done:
 *	 "finished_at","rows","skipped":{reason: n},"redacted": n,"sha256": of the manifest,
 *	 "files":[{"name","sha256","bytes","rows"?}]: all files of the folder, "/" between folders,
 *	 "superseded"?:{"at","reason":"consent_withdrawn","rows": that are to be deleted,
 *	                "unchecked"?:true: its folder was gone or damaged, so nobody knows which}}
 *
 * One thread of low priority makes one after the other, in the order in which
 * they were asked for. The mark is taken when it is asked for, so one that was
 * cut off is made again, the same byte for byte (but for whose customers deny
 * training by then).
 *
 * When a customer denies training (desk/consent.c), those that are done and have
 * rows of theirs are superseded: but for the list of these rows, whole or not
 * there, in which later ones join earlier ones, no file is handed out any more.
 *
 *	deletions.jsonl  {"dataset","file","line","row","sha256" of the row}, in the order of the rows
 *
 * A dataset is seen by the key that asked for it and by admins, and only by
 * who has all groups, for it is made of what everybody may see. Any thread.
 */
#ifndef READBACK_DATASETS_DATASET_JOBS_H
#define READBACK_DATASETS_DATASET_JOBS_H

#include "datasets/dataset.h"
#include "desk/desk.h"

struct dataset_jobs;

/* Makes the folder, removes what a crash left in it, and goes on with what is queued or was cut off. */
int dataset_jobs_open(struct desk *d, const char *folder, struct dataset_jobs **out, struct error *e);
/* Ends the one under way; it is made after the next start. NULL is fine. */
void dataset_jobs_close(struct dataset_jobs *j);

#define DATASET_DELETIONS "deletions.jsonl"

/* Somebody said something about training: datasets are superseded soon. */
void dataset_consent_changed(struct dataset_jobs *j);

/* Is the id one of a dataset (and its job)? */
int dataset_is_id(const char *id);

/*
 * Queues one; *result is {"job": id}. ERR_FORBIDDEN without all groups, and
 * for "pii":"keep" without SCOPE_EXPORT_RAW; ERR_BAD_VALUE for what
 * dataset_write() would refuse. One that has nothing to export fails later.
 */
int dataset_act(struct dataset_jobs *j, const struct call *c, json_t *body, json_t **result);

/*
 * dataset_write(), told in the ledger as one that a server makes: who and for what before the first byte is written, and
 * how it ended. It is "exporting" meanwhile, and for ever if the process dies. Its files are in o->folder alone. Any
 * error of the ledger leaves no dataset.
 */
int dataset_export(struct engine *g, const struct rights *who, struct dataset_options *o,
		   struct dataset_summary *out, struct error *e);

/* {"job":{"id","dataset","what":"dataset","state","done": rows so far,"total": rows, 0 before it is done,"errors","error"?}} */
int dataset_job_show(struct dataset_jobs *j, const struct call *c, const json_t *result, json_t **out);

int dataset_get(struct dataset_jobs *j, const struct call *c, const char *id, json_t **out);
/* The newest first; `after` is the last id of the page before. */
int dataset_list(struct dataset_jobs *j, const struct call *c, struct text state, struct text after,
		 size_t limit, json_t **out);

struct dataset_file {
	int fd; /* the caller closes it */
	uint64_t bytes;
	const char *sha256; /* "sha256:" and 64 digits; the arena's */
};
/* ERR_NOT_FOUND for a name that the dataset does not list. ERR_WRONG_STATE before it is done, ERR_SUPERSEDED. */
int dataset_file_open(struct dataset_jobs *j, const struct call *c, const char *id, const char *name,
		      struct dataset_file *out);

#endif
