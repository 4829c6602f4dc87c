/*
 * worker.h: a thread that does what waits, one thing after the other, and
 * sleeps until it is told that there is more.
 */
#ifndef READBACK_BASE_WORKER_H
#define READBACK_BASE_WORKER_H

#include "base/error.h"

struct worker;

struct worker_options {
	/* Does the next thing. 1: done; 0: nothing waits; below 0: it could not be done now, and is tried again. */
	int (*next)(void *arg);
	void *arg;
	int nice; /* of this thread alone; 0: as the process */
	int retry_seconds;
};

/* *out is set before the first call of next(). */
int worker_open(const struct worker_options *o, struct worker **out, struct error *e);
/* There is more to do. Any thread. */
void worker_tell(struct worker *w);
/* Set, to be read atomically, from worker_close() on: next() should end soon. */
const volatile int *worker_stop(const struct worker *w);
/* Waits for next() to return. NULL is fine. */
void worker_close(struct worker *w);

#endif
