/*
 * event.h: an event as the store takes it: everything that could fail before
 * the database (JSON, hashes) is done, and nothing in it needs to be freed
 * (it lives in the caller's arena).
 *
 * The payload (docs/formats.md has its grammar) holds all that the tables are
 * made of, texts and vectors by their hash: payload_write() makes it from the
 * changes, payload_read() makes the changes from it, for a rebuild.
 */
#ifndef READBACK_STORE_EVENT_H
#define READBACK_STORE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/json.h"

struct arena;
struct strbuf;
struct tables;

/* A text or vector by hash; `p` is NULL when it must be stored already (in a rebuild). */
struct stored_ref {
	int there;
	unsigned char hash[SHA256_SIZE];
	const void *p;
	size_t n; /* bytes */
};

struct stored_row {
	uint64_t row;
	int field;
	uint32_t n;
	uint64_t start, end;
	struct stored_ref vector;
};

struct stored_entry {
	uint64_t entry; /* number, and those of its rows, taken before the commit; 0 with keep_rows */
	int keep_rows;
	struct stored_ref title, text;
	const char *acl, *tags; /* JSON; acl NULL: everyone */
	const struct stored_row *rows;
	size_t n_rows;
};

#define STORED_FIELDS 3

struct stored_change {
	int kind;
	const char *id, *subject; /* subject "" if nobody's */
	const char *body;         /* JSON; NULL: delete */
	const char *fields[STORED_FIELDS];
	struct stored_ref text;
	const struct stored_entry *entry;
	const void *context; /* the caller's: the store does not look at it */
};

struct stored_event {
	const char *id, *stream, *kind, *principal, *agent;
	int64_t expect, at;
	const char *payload;
	size_t payload_n;
	unsigned char nonce[SHA256_SIZE], commit[SHA256_SIZE];
	unsigned char tags[3][SHA256_SIZE]; /* pseudonyms of stream, principal, agent */
	const struct stored_change *changes;
	size_t n;
};

void ref_set(struct stored_ref *r, const void *p, size_t n);

/* Fills pseudonyms, commit, and (unless it is a rebuild) the nonce before. */
void event_seal(struct stored_event *ev, const unsigned char secret[32]);
/* RFC 6962 leaf of an event that took place as `seq`, `revision`. */
void event_leaf(const struct stored_event *ev, uint64_t seq, int64_t revision,
		unsigned char out[SHA256_SIZE]);

/* Sticky failure in `out`. */
void payload_write(const struct tables *t, const struct stored_event *ev, struct strbuf *out);

/* The text of an entry's tags, an array of [key, value]. The caller frees; NULL without memory. */
char *payload_tags(const json_t *tags, size_t *n);

/* ERR_CORRUPT when it does not follow the grammar. Sets ev->changes and n. */
int payload_read(const struct tables *t, const char *s, size_t n, struct arena *a, struct stored_event *ev,
		 struct error *e);

#endif
