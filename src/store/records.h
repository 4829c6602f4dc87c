/*
 * records.h: reads of records, entries and streams over one connection.
 *
 * Strings live in the caller's arena. A read is one short transaction, or part
 * of the caller's between db_begin and db_commit.
 */
#ifndef READBACK_STORE_RECORDS_H
#define READBACK_STORE_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct arena;
struct db;
struct tables;

struct stored_record {
	const char *id, *subject;
	int64_t revision, created_at, changed_at;
	uint64_t created, changed;
	const char *body; /* JSON */
	size_t body_n;
	const char *text; /* NULL: none */
	size_t text_n;
	const char *acl; /* JSON of its entry, NULL: everyone; only of records_load */
};

/* ERR_NOT_FOUND if there is none. */
int records_get(struct db *d, const struct tables *t, int kind, const char *id, struct arena *a,
		struct stored_record *out, struct error *e);

/* The record of a live entry; ERR_NOT_FOUND if the entry is dead. */
int records_load(struct db *d, const struct tables *t, int kind, uint64_t entry, struct arena *a,
		 struct stored_record *out, struct error *e);

/* As engine_scan: order is (created, id), which n follows because events put new records in order of id. */
struct record_scan {
	int kind;
	const char *field[2], *value[2];
	int64_t created_from, created_to;
	uint64_t after;
	const char *after_id;
	uint64_t at;
	size_t limit;
	int newest_first;
};
/* *out is an array in the arena. ERR_BAD_VALUE for a field that the kind does not have. */
int records_scan(struct db *d, const struct tables *t, const struct record_scan *s, struct arena *a,
		 struct stored_record **out, size_t *n, struct error *e);

int records_count(struct db *d, const struct tables *t, int kind, uint64_t *out, struct error *e);

int streams_revision(struct db *d, const char *stream, int64_t *out, struct error *e);

int meta_get(struct db *d, const char *name, struct arena *a, const char **out,
	     struct error *e); /* NULL if not set */
int meta_set(struct db *d, const char *name, const char *value, struct error *e);

#endif
