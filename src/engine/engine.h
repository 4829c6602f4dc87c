/*
 * engine.h: the narrow waist. All that desk, learn, ingest, datasets and http
 * know of storage and of search.
 *
 * State changes by events. An event belongs to a stream ("document/help-12",
 * "conversation/c-1"), says which revision of the stream it was made upon, and
 * carries the records that it puts or deletes. An event is committed whole or
 * not at all. Order is the commit sequence number (seq).
 *
 * Rule for streams: the record that names a stream (the document, the
 * conversation) is put by every event of it, so that record.revision is the
 * stream's revision. All records of one conversation (turns, handoffs,
 * evidence, resolutions, the case, its examples) change in its stream.
 *
 * Engines: embedded (store/ + index/), and for tests one in memory that has a
 * cluster's weaknesses. What is written here is what callers may rely on:
 * no transaction over two events, no order but creation order, redelivery of
 * an event that was committed already (its id is known) is answered as the
 * first time.
 *
 * Any thread. Records handed out live in the caller's arena.
 */
#ifndef READBACK_ENGINE_ENGINE_H
#define READBACK_ENGINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "engine/rights.h"
#include "index/index.h"

struct arena;
struct engine;

/* Kinds of records, with the fields that scan() can ask for by equality (records.c has the table). */
enum record_kind {
	RECORD_DOCUMENT,     /* source */
	RECORD_VERSION,      /* document: every version of a document; id = version_id() */
	RECORD_CONVERSATION, /* customer */
	RECORD_TURN,         /* conversation; id = turn_id() */
	RECORD_HANDOFF,      /* conversation, state, queue */
	RECORD_EVIDENCE,     /* handoff */
	RECORD_RESOLUTION,   /* handoff, conversation */
	RECORD_CASE,         /* conversation, intent */
	RECORD_EXAMPLE,      /* conversation, label */
	RECORD_VOTE,         /* example, conversation */
	RECORD_RELEVANCE,    /* document, intent: which document served which resolved conversation */
	RECORD_SIGNAL,       /* handoff, document */
	RECORD_JOB,          /* state */
	RECORD_DATASET,      /* state */
	RECORD_REQUEST,      /* an Idempotency-Key's answer */
	RECORD_RULE,         /* type; all in one stream: engine/rules.h */
	RECORD_REVIEW,       /* conversation, state: a label that somebody is to look at */
	RECORD_MODEL,        /* type, state; all in one stream: learn/models.h */
	RECORD_EVAL,         /* type: a comparison of two systems that was kept; never changed */
	RECORD_SUBJECT,      /* datasets: what a customer says about training; id = the customer's */
	RECORD_KINDS
};

struct record_schema {
	const char *name;      /* "document": also the table's name in plural, "documents" */
	const char *fields[4]; /* equality fields: top-level strings of the body; NULL-terminated */
	int collection;        /* enum collection where entries of this kind are indexed, else -1 */
};
const struct record_schema *record_schema(enum record_kind k);

/* Ids of parts derive from the whole's: "help-12@sha256:…", "c-1/000007". */
const char *version_id(struct arena *a, const char *document, const char *version);
const char *turn_id(struct arena *a, const char *conversation, uint32_t n);

/* One part of an indexed record; row ids are given by the engine. `start`, `end`: its place in the record's text. */
struct entry_row {
	enum row_field field;
	uint32_t n;
	size_t start, end;
	const float *vector; /* the index's dim, unit length; NULL without embedder */
};

struct record {
	enum record_kind kind;
	const char *id;
	int64_t revision;   /* of its stream when it was last put */
	uint64_t created;   /* seq of the event that made it */
	uint64_t changed;   /* seq of the event that put it last */
	int64_t created_at; /* wall time, ms: shown, never ordered by */
	int64_t changed_at;
	const char *subject; /* the person whose data it is; "" if nobody's */
	json_t *body;        /* of engine_load it is shared: nobody changes it */
	struct text text;    /* the long text; s is NULL if it has none */
	const struct entry_row
		*rows; /* of engine_load alone: the places of its entry's rows, in order, without vectors */
	size_t n_rows;
};

/*
 * How a record is found. Words are title and text. `keep_rows`: only ACL and
 * tags are new (a retag): title, text and rows stay what they were.
 */
struct entry {
	struct text title, text;
	const struct entry_row *rows;
	size_t n_rows;
	const json_t *acl; /* NULL or null: everyone */
	const struct index_tag *tags;
	size_t n_tags;
	int keep_rows;
};

struct change {
	enum record_kind kind;
	const char *id;
	const char *subject;       /* NULL: nobody's */
	json_t *body;              /* borrowed; NULL: the record is deleted, and its entry with it */
	struct text text;          /* stored once, by hash; s NULL: none */
	const struct entry *entry; /* NULL: the entry, if any, stays as it is */
};

struct event {
	const char *id; /* UUID; NULL: the engine makes one. The same id again is redelivery */
	const char *stream;
	int64_t expect;        /* the revision the stream is at; 0: it must be new; ENGINE_ANY */
	const char *kind;      /* "document.put", "handoff.opened" … */
	const char *principal; /* key id */
	const char *agent;
	int64_t at; /* wall time, ms; 0: now */
	const struct change *changes;
	size_t n;
};

#define ENGINE_ANY (-1)

struct commit {
	uint64_t seq;
	int64_t revision; /* of the stream, after the event */
	int weak;         /* durable, but not on all replicas */
	int code;         /* engine_commit_many: 0, or this event's error */
	struct error error;
};

struct engine_status {
	uint64_t seq, index_seq;
	int ready, read_only;
	const char *reason; /* why not ready or read-only; "" */
	size_t dim;
	const char *embedder; /* id that the vectors are of; "" until the first */
	struct index_stats index;
	unsigned failed_saves;  /* of the index's files; tried again in seconds */
	const char *save_error; /* of the last one; "" when it went well */
	uint64_t records[RECORD_KINDS];
	int64_t database_bytes;
};

struct scan;

struct engine_ops {
	/* See the functions below; each has the contract of the function of its name. */
	int (*commit)(void *self, const struct event *ev, size_t n, struct commit *out);
	int (*get)(void *self, enum record_kind k, const char *id, struct arena *a, struct record *out,
		   struct error *e);
	int (*revision)(void *self, const char *stream, int64_t *out, struct error *e);
	int (*scan)(void *self, const struct scan *s, struct arena *a, struct record **out, size_t *n,
		    struct error *e);
	int (*search)(void *self, const struct index_query *q, struct arena *a, struct index_result *out,
		      struct error *e);
	int (*frequencies)(void *self, enum collection c, const struct term *terms, size_t n, uint64_t *out,
			   struct error *e);
	int (*load)(void *self, enum record_kind k, const struct rights *r, const uint64_t *entries, size_t n,
		    struct arena *a, struct record **out, struct error *e);
	int (*rows)(void *self, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
		    size_t *n, struct error *e);
	int (*status)(void *self, struct arena *a, struct engine_status *out, struct error *e);
	void (*close)(void *self);
};

/*
 * Losers of a revision take turns: between these two, on one name, one thread
 * of this process at a time. Used by call.h's retries.
 */
void engine_lock(struct engine *g, const char *name);
void engine_unlock(struct engine *g, const char *name);

/* For implementations: takes `self`, which close() frees. NULL without memory (self is then closed). */
struct engine *engine_new(const struct engine_ops *ops, void *self);
void engine_close(struct engine *g);

/*
 * On return of 0 the event is on disk and findable by all reads and searches
 * that begin now. ERR_CONFLICT: another event has taken that revision (read
 * again, decide again). ERR_DISK_FULL, ERR_READ_ONLY, ERR_NOT_READY, ERR_NO_MEMORY:
 * it is not there. After any other error, a lost connection or a crash nobody
 * knows: the outcome is learned by committing the same event, with the same
 * id, again.
 *
 * While an event is being committed others may see a part of it; the record
 * that names its stream, and the stream's revision, show last. So read that
 * record first and its parts after it. expect 0 is for a stream that never
 * was: a deleted one has a revision. An event without changes moves the
 * revision. A put after a delete makes a new record (a new `created`). Text of
 * length 0 is a text; only s == NULL is none.
 */
int engine_commit(struct engine *g, const struct event *ev, struct commit *out, struct error *e);

/*
 * Many events, each on its own (a failed one does not take the others with
 * it), in order, with as few syncs as can be: out[i].code is event i's result.
 * The return value is not 0 only if nothing could be tried.
 */
int engine_commit_many(struct engine *g, const struct event *ev, size_t n, struct commit *out,
		       struct error *e);

/* ERR_NOT_FOUND if there is none. */
int engine_get(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct record *out,
	       struct error *e);

/* The same where it may be missing: 1, 0 if there is none (`e` is then as it was), or an error. */
int engine_find(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct record *out,
		struct error *e);

/* 1 if there is one, 0, or an error. */
int engine_has(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct error *e);

/* The revision a stream is at, 0 for one that never was; deletion does not reset it. */
int engine_revision(struct engine *g, const char *stream, int64_t *out, struct error *e);

/*
 * Records of a kind in creation order. `n` returned may be fewer than `limit`
 * only at the end. Pass the last one's `created` and id as `after`, `after_id`.
 * A scan goes as far as all before is complete: who follows it meets no gap,
 * and what was there at a mark does not grow. A field that the kind does not
 * have is ERR_BAD_VALUE.
 */
struct scan {
	enum record_kind kind;
	const char *field[2], *value[2];  /* equality; NULL: none */
	int64_t created_from, created_to; /* created_at, [from, to); 0: open */
	uint64_t after;                   /* created > after, or = after and id > after_id */
	const char *after_id;             /* NULL: "" */
	uint64_t at;                      /* only what was created up to this seq; 0: now */
	size_t limit;
	int newest_first; /* reverse creation order; `after` then means before */
};
int engine_scan(struct engine *g, const struct scan *s, struct arena *a, struct record **out, size_t *n,
		struct error *e);

/* Candidates of every source with raw scores; ERR_WRONG_DIMENSION is the caller's to prevent. */
int engine_search(struct engine *g, const struct index_query *q, struct arena *a, struct index_result *out,
		  struct error *e);

/* How many live entries of the collection have each of the terms: out[n]. For choosing words, not for showing. */
int engine_frequencies(struct engine *g, enum collection c, const struct term *terms, size_t n, uint64_t *out,
		       struct error *e);

/*
 * The records of entries found by a search, in one view of the store that is
 * later than the search. out[i].id is NULL where the entry is dead meanwhile or
 * `r` may not see it (r NULL: sees all).
 */
int engine_load(struct engine *g, enum record_kind k, const struct rights *r, const uint64_t *entries,
		size_t n, struct arena *a, struct record **out, struct error *e);

/* The rows of a record's entry with their vectors, in order; n = 0 if it is not indexed. */
int engine_rows(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
		size_t *n, struct error *e);

int engine_status(struct engine *g, struct arena *a, struct engine_status *out, struct error *e);

#endif
