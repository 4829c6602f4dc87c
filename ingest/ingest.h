/*
 * ingest.h: things in: documents (one, or many), rules, files of NDJSON, folders.
 *
 * A document's version is the hash of its title and text; putting the same
 * again changes nothing; a change of ACL or attributes alone is a new
 * revision of the same version.
 */
#ifndef READBACK_INGEST_INGEST_H
#define READBACK_INGEST_INGEST_H

#include "desk/desk.h"

#define DOCUMENT_MAX_TEXT (10u << 20) /* bytes */
#define DOCUMENT_SYNC_TEXT (256u << 10)
#define DOCUMENT_MAX_ID 512

enum put_status { PUT_CREATED, PUT_UPDATED, PUT_UNCHANGED };

/* `id` NULL: from the body's _id (import lines). Text up to DOCUMENT_MAX_TEXT, whatever the length. */
int document_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result);
int document_show(struct desk *d, const struct call *c, const json_t *result,
		  json_t **out); /* the PUT's answer */
int document_get(struct desk *d, const struct call *c, const char *id, json_t **out);
int document_delete_act(struct desk *d, const struct call *c, const char *id, json_t **result);
int document_list(struct desk *d, const struct call *c, struct text source, struct text after, size_t limit,
		  json_t **out);
int source_list(struct desk *d, const struct call *c, json_t **out);

/*
 * Rules of a knowledge manager (engine/rules.h has their bodies). `id` NULL: of
 * an import line, its "id", or else one that derives from what the rule says.
 */
int rule_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result);
int rule_show(struct desk *d, const struct call *c, const json_t *result,
	      json_t **out); /* the PUT's answer */
int rule_get(struct desk *d, const struct call *c, const char *id, json_t **out);
int rule_delete_act(struct desk *d, const struct call *c, const char *id, json_t **result);
int rule_list(struct desk *d, const struct call *c, struct text after, size_t limit, json_t **out);

enum import_what { IMPORT_DOCUMENTS, IMPORT_CONVERSATIONS, IMPORT_EXAMPLES, IMPORT_RULES };

struct import_progress {
	uint64_t lines, imported, updated, unchanged, failed;
	uint64_t deleted;                /* documents whose file is gone */
	int64_t bytes_done, bytes_total; /* total 0: not known */
};

/* A format of another tool: fasttext, label-studio and argilla of examples, openai and vcon of conversations. */
struct import_format;
/* ERR_USAGE, which names those that there are. */
int import_format_find(enum import_what what, const char *name, const struct import_format **out,
		       struct error *e);

struct import_options {
	enum import_what what;
	const struct rights *rights;
	/* Called for each bad line ("file:line: field: what is wrong") and, with error NULL, now and then. */
	void (*report)(void *arg, const char *file, uint64_t line, const struct error *error,
		       const struct import_progress *p);
	void *arg;
	const volatile int *stop; /* Ctrl-C: ends with ERR_INTERRUPTED; what is in stays in */
	const char *source;       /* of a folder's files; NULL: made from the folder's name and path */
	const struct import_format *from; /* of files, not of folders; NULL: lines as we have them */
};

/*
 * A file ("-" is stdin; gzip accepted) or a folder of .txt, .md, .html, .ndjson and .jsonl files. Of documents, a text
 * file is one, and the documents of text files that are gone since the last time are deleted (sync.h).
 */
int import_path(struct desk *d, const char *path, const struct import_options *o, struct import_progress *p,
		struct error *e);

/*
 * Jobs: work with a progress record (RECORD_JOB) on a thread of its own; one at a time, in order. Their inputs are
 * files of `folder`, which is made. Opening goes on with jobs that a crash cut off; closing ends the job under way at
 * the next item, and it goes on after the next start.
 */
struct jobs;
int jobs_open(struct desk *d, const char *folder, struct jobs **out, struct error *e);
void jobs_close(struct jobs *j);
/* Queues NDJSON documents (a batch, or one long document as a line with _id); the result names the job. */
int job_documents_act(struct jobs *j, const struct call *c, const char *ndjson, size_t n, json_t **result);
int job_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);

#endif
