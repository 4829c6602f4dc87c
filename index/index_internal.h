/*
 * index_internal.h: what an index is made of, for its own files, and knobs for
 * tests and benchmarks. Nobody else includes it.
 */
#ifndef READBACK_INDEX_INTERNAL_H
#define READBACK_INDEX_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "index/distance.h"
#include "index/list.h"

struct index_tuning {
	const struct distance *distance;
	size_t scan_rows;  /* up to so many allowed rows of a segment are scanned rather than walked to */
	size_t links_rows; /* a segment of so many rows gets a graph when no writes come */
	size_t large_rows; /* while they do, one of so many */
	size_t beam;       /* rows held in a walk, at least */
	size_t small_docs; /* segments of up to so many documents are merged at once, by the writer */
	size_t merge_docs; /* so many documents in segments below the rest are worth a merge in the background */
	size_t merge_rows; /* a merge takes no more rows than this: it holds their vectors three times */
	size_t fan;        /* so many small segments of a size make one */
	int threads;       /* that build a graph; 0: half of the cores */
	/* Called at the named steps of a merge and of a save, for tests; may block. */
	void (*step)(void *arg, const char *name);
	void *step_arg;
};

struct index {
	struct index_options options;
	char *folder; /* owned; NULL: memory only */
	struct index_tuning tuning;
	pthread_mutex_t upkeep; /* held by index_maintain and index_save */
	pthread_mutex_t write;  /* held by who makes the next view */
	pthread_mutex_t lock;   /* of `view` and `scratch`, for a moment */
	struct view *view;
	struct walk_scratch **scratch; /* that no walk uses now */
	size_t n_scratch, scratch_cap;
	_Atomic uint64_t next_number;
	_Atomic int stop;
	_Atomic unsigned broken_files, failed_merges;
	unsigned char mark[INDEX_MARK]; /* of the manifest that was read */
};

/* The tuning in force; change it before anything is added. */
struct index_tuning *index_tuning(struct index *x);

/* The view that is current, held. */
struct view *index_view(struct index *x);
/* Puts a view in the place of the current one; takes it. Under the write lock. */
void index_publish(struct index *x, struct view *v);

struct walk_scratch *index_take_scratch(struct index *x); /* NULL: no memory */
void index_give_scratch(struct index *x, struct walk_scratch *s);

void index_step(const struct index *x, const char *name);

/* merge.c: the live documents of some parts as one segment. */
struct merge {
	const struct live *parts;
	size_t n;
	size_t links_from; /* so many rows get a graph, and it may be interrupted; 0: in the writer's time */
};
int merge_parts(struct index *x, enum collection c, const struct merge *m, struct segment **out,
		struct error *e);

/* apply.c: a list on its way to become another one, by whoever holds the write lock. */
struct edit {
	struct live *parts; /* held */
	char *fresh;        /* parts[i].dead is this edit's own */
	size_t n, cap;
};
int edit_begin(struct edit *t, const struct list *from, struct error *e);
void edit_release(struct edit *t);
/* Adds a segment; takes it, also when it fails. */
int edit_append(struct edit *t, struct segment *s, struct error *e);
/* Marks a live document of part `at` as dead. */
int edit_bury(struct edit *t, size_t at, uint32_t doc, struct error *e);
/* Takes out a part. */
void edit_remove(struct edit *t, size_t at);

/* files.c: takes up what the folder's manifest names. */
int files_load(struct index *x, struct error *e);

#endif
