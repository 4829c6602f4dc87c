/*
 * embedded_internal.h: what the files of the embedded engine share.
 *
 * Threads: callers prepare their events (embedded_prepare.c) and queue them;
 * one writer thread commits them in groups and applies them to the index
 * (embedded_write.c); callers read through a pool of connections
 * (embedded_read.c); a background thread merges the index's segments and saves
 * them (embedded_index.c).
 */
#ifndef READBACK_ENGINE_EMBEDDED_INTERNAL_H
#define READBACK_ENGINE_EMBEDDED_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/embedded.h"
#include "engine/record_cache.h"
#include "store/db.h"
#include "store/entries.h"
#include "store/event.h"
#include "store/fts.h"
#include "store/pool.h"
#include "store/project.h"
#include "store/records.h"
#include "store/tables.h"

#define EMBEDDED_READERS 8
#define EMBEDDED_CACHE (64u << 20) /* bytes of records kept for searches */

struct batch;

struct embedded {
	struct table_spec specs[RECORD_KINDS];
	struct tables *tables;
	char *folder, *database, *index_folder;
	int lock_fd; /* of the folder, -1: none */
	int read_only;
	size_t dim;
	char *embedder;       /* id */
	uint64_t embedder_id; /* for the index's files */
	unsigned char secret[32];

	struct pool *readers;
	struct record_cache *cache; /* NULL where another process may write */
	struct db *writer;          /* the writer thread's; NULL once writing has stopped */
	uint64_t next_seq;          /* the writer thread's */
	int checkpointed;           /* frames of the WAL at the last checkpoint; the writer thread's */
	_Atomic uint64_t next_entry, next_row;
	_Atomic uint64_t saved_seq; /* the index's files hold all up to here */

	pthread_rwlock_t index_lock; /* written only to put another index in place */
	struct index *index;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t work, idle;
	struct batch *first, **last;
	int closing; /* 1: the background thread ends, 2: the writer too */
	int stopped, not_ready;
	char reason[200];
	uint64_t rows_since_save, changes, failed_saves;
	char save_error[sizeof(
		((struct error *)0)->message)]; /* of the last write of the index's files; "": it went well */

	int has_writer, has_background;
	pthread_t writer_thread, background_thread;
};

/* embedded.c */

/* All of embedded_open() but the index and the threads: for what works on the folder alone. */
int embedded_open_store(const struct embedded_options *o, struct embedded **out, struct error *e);
void embedded_release(struct embedded *g);

/* embedded_prepare.c */

/* An event ready for the writer, and where its result goes. */
struct slot {
	const struct stored_event *ev;
	struct commit *out;
};
/* Does all for `ev` that can fail before the database; everything lives in `a`, or is borrowed from `ev`. */
int prepare_event(struct embedded *g, const struct event *ev, struct arena *a, struct stored_event *out,
		  struct error *e);

/* embedded_write.c */
int write_events(void *self, const struct event *ev, size_t n, struct commit *out);
void *writer_run(void *self);
void stop_writing(struct embedded *g, const char *why);

/* embedded_read.c */
int read_get(void *self, enum record_kind k, const char *id, struct arena *a, struct record *out,
	     struct error *e);
int read_revision(void *self, const char *stream, int64_t *out, struct error *e);
int read_scan(void *self, const struct scan *s, struct arena *a, struct record **out, size_t *n,
	      struct error *e);
int read_search(void *self, const struct index_query *q, struct arena *a, struct index_result *out,
		struct error *e);
int read_frequencies(void *self, enum collection c, const struct term *terms, size_t n, uint64_t *out,
		     struct error *e);
int read_load(void *self, enum record_kind k, const struct rights *r, const uint64_t *entries, size_t n,
	      struct arena *a, struct record **out, struct error *e);
int read_rows(void *self, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
	      size_t *n, struct error *e);
int read_status(void *self, struct arena *a, struct engine_status *out, struct error *e);

/* embedded_index.c */

/* Opens an index with all live entries of the database. */
int load_index(struct embedded *g, uint64_t seq, struct index **out, struct error *e);
/* Puts a new index in the place of one that failed; not ready meanwhile, and for good if that fails too. */
int reload_index(struct embedded *g, uint64_t seq);
void *background_run(void *self);
/* Tells the background thread that `rows` were added. */
void index_grew(struct embedded *g, size_t rows);
int save_index(struct embedded *g, struct error *e);

#endif
