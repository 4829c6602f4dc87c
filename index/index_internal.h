/*
 * index_internal.h: what an index is made of, for its own files, and knobs for
 * tests and benchmarks. Nobody else includes it.
 */
#ifndef READBACK_INDEX_INTERNAL_H
#define READBACK_INDEX_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "index/shelf.h"
#include "index/distance.h"

struct index_tuning {
	const struct distance *distance;
	size_t exact_rows;   /* up to so many allowed rows are scanned, and no graph is made for so few */
	size_t growing_rows; /* so many may wait outside of the graph */
	size_t slice;        /* rows that go into the graph under one write lock */
};

struct index {
	struct index_options options;
	char *folder; /* owned; NULL: memory only */
	struct index_tuning tuning;
	pthread_mutex_t upkeep; /* held by index_maintain and index_save: only they touch a graph's inside */
	_Atomic uint64_t seq;
	unsigned broken_files;
	struct shelf shelves[COLLECTIONS];
};

/* The tuning in force; change it before anything is added. */
struct index_tuning *index_tuning(struct index *x);

#endif
