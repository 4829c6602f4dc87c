/*
 * document.h: a document on its way in: read and checked, compared with what
 * is stored, cut into rows, embedded, and turned into the changes of an event.
 * Internal to ingest/.
 *
 * The steps are apart, so that an import can prepare many documents in several
 * threads, embed them in one call, and commit them in order:
 *
 *	document_read      body -> struct document             (no engine)
 *	document_compare   what a put would do at the present revision
 *	document_plan      which rows it has, and which texts are to be embedded
 *	document_embed     vectors of the rows of many documents
 *	document_changes   the changes of its event
 *
 * All memory is the arena's; texts and JSON are borrowed from the body, which
 * must live as long. Any thread, one arena a thread.
 */
#ifndef READBACK_INGEST_DOCUMENT_H
#define READBACK_INGEST_DOCUMENT_H

#include "base/crypto.h"
#include "desk/bodies.h"
#include "ingest/ingest.h"

#define DOCUMENT_MAX_TITLE (16u << 10) /* bytes */
#define DOCUMENT_MAX_URL 2048
#define DOCUMENT_MAX_SOURCE 512
#define DOCUMENT_MAX_CHUNKS 20000

/* A passage with a vector of the client's. */
struct document_chunk {
	struct span span;
	const float *vector;
};

struct document {
	const char *id, *stream;
	struct text title, text, url, source; /* s is never NULL; "" for none */
	json_t *acl;                          /* sorted, no group twice; NULL: the whole tenant */
	json_t *attributes;                   /* NULL: none */
	int64_t updated_at;
	int has_time; /* the body gave updated_at; else it is the time of reading and counts as no change */
	const float *vector;
	const struct document_chunk *chunks;
	size_t n_chunks;
	char vectors[SHA256_TEXT]; /* hash of what the client sent as vector or chunks; "" if nothing */
	char version[SHA256_TEXT];
};

/*
 * Reads a body (`id` given) or an import line (`id` NULL: its _id; BEIR's `metadata` counts as attributes).
 * ERR_EMPTY_TEXT, ERR_TOO_LARGE, ERR_BAD_ID, ERR_FORBIDDEN for ACL groups that the caller
 * lacks, and what readers report.
 */
int document_read(struct desk *d, const struct call *c, const char *id, json_t *body, struct document *out);

/*
 * The version of a document: "sha256:" and the hash of the title's bytes, a
 * newline, a NUL, and the text's bytes. Neither holds a NUL, so no two
 * documents have the same bytes.
 */
void document_version(struct text title, struct text text, char out[SHA256_TEXT]);

/* What a put would do. */
struct document_step {
	enum put_status status;
	int64_t revision; /* that the event expects; for PUT_UNCHANGED the stored one */
	int keep_rows;    /* title, text and vectors are as stored: a retag */
};

/* ERR_NOT_FOUND for a stored document that the caller may not see; ERR_PRECONDITION by If-Match. */
int document_compare(struct desk *d, const struct call *c, const struct document *doc,
		     struct document_step *out);

/* Its rows. texts[i] is what row i is embedded from; s NULL where it has a vector already or will have none. */
struct document_rows {
	struct entry_row *rows;
	struct text *texts;
	size_t n;
};

int document_plan(struct desk *d, struct arena *a, const struct document *doc, struct document_rows *out,
		  struct error *e);

/* Fills in the vectors of n plans. Without an embedder nothing. `stop` may be NULL; set: ERR_INTERRUPTED. */
int document_embed(struct desk *d, struct arena *a, struct document_rows *plans, size_t n,
		   const volatile int *stop, struct error *e);

/* The document's record and, unless it is a retag, its version's. `rows` is not read for a retag. */
int document_changes(struct arena *a, const struct document *doc, const struct document_step *step,
		     const struct document_rows *rows, struct changes *cs, struct error *e);

/* Reads, compares, embeds and commits again until no other event is in between. */
int document_put(struct desk *d, const struct call *c, const struct document *doc, struct document_step *step,
		 json_t **result);

extern const char DOCUMENT_PUT_EVENT[]; /* "document.put" */

#endif
