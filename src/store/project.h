/*
 * project.h: applies an event to the tables: its own row, the stream's
 * revision, texts, vectors, records, entries and rows, and the change log.
 *
 * What follows for words and index (which cannot take part in an event's
 * savepoint: FTS5 would write out a segment at each) is collected as effects,
 * in order, for project_words() at the end of the transaction and for the
 * index after it.
 */
#ifndef READBACK_STORE_PROJECT_H
#define READBACK_STORE_PROJECT_H

#include "store/event.h"

struct db;
struct tables;

enum effect_op { EFFECT_ADD, EFFECT_DELETE, EFFECT_RETAG };

struct effect {
	enum effect_op op;
	int collection;
	uint64_t entry;
	int64_t title, text;                /* ids of texts, 0: none; not of EFFECT_RETAG */
	const struct stored_change *change; /* NULL for EFFECT_DELETE */
};

struct effects {
	struct effect *v; /* the caller's to free */
	size_t n, cap;
};

struct projected {
	uint64_t seq;
	int64_t revision;
	int again; /* the event's id was known: seq and revision are those of the first time */
};

/*
 * One event as `seq`; inside a transaction, in a savepoint of its own where
 * others share it. ERR_CONFLICT when its stream is not at ev->expect (-1: any);
 * ERR_NOT_FOUND for keep_rows of a record without entry.
 */
int project_event(struct db *d, const struct tables *t, const struct stored_event *ev, uint64_t seq,
		  struct effects *fx, struct projected *out, struct error *e);

/* Only the tables that are made from events: for a rebuild. */
int project_replay(struct db *d, const struct tables *t, const struct stored_event *ev, uint64_t seq,
		   int64_t revision, struct effects *fx, struct error *e);

/* Brings the words up to the effects. */
int project_words(struct db *d, const struct tables *t, const struct effects *fx, struct error *e);

#endif
