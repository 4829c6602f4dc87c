/*
 * memory_engine.h: a test's engine: a cluster in plain memory, with a
 * cluster's weaknesses, so that nothing above relies on more than engine.h
 * promises.
 *
 * The cluster outlives its engines: memory_engine_open() connects a process to
 * it, engine_close() leaves it. Several may be connected at once. Searches are
 * by brute force, as index.h defines scores; words are counted by
 * text/analyser.h with FTS5's BM25.
 *
 * What others see of an event while it is being committed: its records one
 * after another, in any order, but the record that names the stream last,
 * and the stream's new revision with it. So whoever reads that record first,
 * then its parts, and commits upon its revision either saw all or loses. Scans
 * show what was created by events up to the last one before which all are
 * complete: pages have no gaps.
 *
 * Any thread. Out of memory ends the program: this is a test.
 */
#ifndef READBACK_TESTS_MEMORY_ENGINE_H
#define READBACK_TESTS_MEMORY_ENGINE_H

#include "engine/engine.h"

struct cluster;

/* Weaknesses are chances out of 1,000; all zero: none. */
struct memory_options {
	size_t dim;
	const char *embedder; /* borrowed; NULL: "" */
	uint64_t seed;
	unsigned max_delay_us; /* of what is late or gradual; 0: only yields */
	unsigned gradual;      /* an event's records become visible one after another */
	unsigned
		late_conflict; /* the revision is looked at again after a while: what was free may be taken */
	unsigned repeated;     /* an event is delivered twice */
	unsigned lost; /* the answer is lost, ERR_REMOTE: half of these events were applied, half were not */
	unsigned weak; /* commit.weak */
};

/* All of them, often enough to be met in every test. */
struct memory_options memory_weaknesses(size_t dim, uint64_t seed);

struct cluster *cluster_new(const struct memory_options *o);
void cluster_free(struct cluster *c); /* after all its engines are closed */

struct engine *memory_engine_open(struct cluster *c);

/* How often each weakness was shown, for tests of the tests. */
struct memory_shown {
	unsigned gradual, late_conflict, repeated, lost_applied, lost_unapplied, weak;
};
struct memory_shown cluster_shown(struct cluster *c);

#endif
