/*
 * record_cache.h: records as searches read them, by entry, kept parsed: a hit
 * that was shown lately costs no look into the database.
 *
 * What is kept was read from a view of the database that was at least as late
 * as commit `view`; it is current until a later commit changes its record. The
 * writer says so before that commit can be seen (touch, then publish), so that
 * nobody who begins after it gets what was before. A table of hashes tells what
 * was touched: two records that share a place cost a look, nothing else.
 *
 * Bounded by bytes; what was not asked for the longest goes first. Any thread,
 * but touch and publish are the one writer's.
 */
#ifndef READBACK_ENGINE_RECORD_CACHE_H
#define READBACK_ENGINE_RECORD_CACHE_H

#include <stdatomic.h>

#include "engine/engine.h"

struct record_cache;

/*
 * Immutable once it is put, and shared: nobody changes the body, nor holds it by
 * references of its own (jansson's counts are not for two threads).
 */
struct cached_record {
	struct record record;
	json_t *acl; /* of its entry; NULL: everyone */
	uint64_t entry;
	size_t bytes; /* about */

	/* the cache's */
	atomic_uint holders;
	uint64_t view;
	size_t place;
	struct cached_record *next, *newer, *older;
};

/* NULL without memory. */
struct record_cache *record_cache_new(size_t bytes);
void record_cache_free(struct record_cache *c);

/* The commit that a view of the database which begins now has at least. */
uint64_t record_cache_view(const struct record_cache *c);

/* Commit `seq` is about to change this record. */
void record_cache_touch(struct record_cache *c, enum record_kind k, const char *id, uint64_t seq);
/* Commit `seq` can be seen. */
void record_cache_publish(struct record_cache *c, uint64_t seq);

/* The current record of an entry, held for the caller; NULL if it is not kept. */
struct cached_record *record_cache_get(struct record_cache *c, enum record_kind k, uint64_t entry);
int record_cache_current(const struct record_cache *c, const struct cached_record *r);

/*
 * A copy of `r` with its rows, which takes the body and `acl`; held by the
 * caller. `body_n`: bytes of the body as text, by which its memory is
 * estimated. NULL without memory.
 */
struct cached_record *cached_record_new(const struct record *r, json_t *acl, uint64_t entry, size_t body_n);
/* Keeps what was read from a view not earlier than `view`. The caller goes on holding it. */
void record_cache_put(struct record_cache *c, struct cached_record *r, uint64_t view);
void cached_record_release(void *r);

#endif
