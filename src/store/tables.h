/*
 * tables.h: the tables of a tenant's database: made, migrated, and the SQL for
 * the tables of records, of which there is one a kind.
 *
 * What kinds there are is told by the layer above; store/ knows no more of a
 * kind than its name, the fields that can be asked for by equality, and the
 * collection its entries are in.
 *
 * A `struct tables` is constant once made and shared by all threads.
 */
#ifndef READBACK_STORE_TABLES_H
#define READBACK_STORE_TABLES_H

#include <stddef.h>

#include "base/error.h"
#include "store/event.h"

struct db;
struct tables;

struct table_spec {
	const char *name; /* of the kind, as "document" */
	const char *fields[STORED_FIELDS];
	int collection; /* -1: not indexed */
};

/* `specs` is borrowed. NULL without memory. */
struct tables *tables_new(const struct table_spec *specs, size_t n, size_t collections);
void tables_free(struct tables *t);

size_t tables_count(const struct tables *t);
const struct table_spec *tables_spec(const struct tables *t, int kind);
int tables_kind(const struct tables *t, const char *name); /* -1: none */
/* The kind whose entries are in collection `c`; -1: none. */
int tables_collection(const struct tables *t, int c);

enum table_sql { TABLE_PUT, TABLE_DELETE, TABLE_GET, TABLE_SELECT, TABLE_LOAD, TABLE_COUNT, TABLE_SQLS };
const char *tables_sql(const struct tables *t, int kind, enum table_sql what);

enum words_sql { WORDS_PUT, WORDS_DELETE, WORDS_MATCH, WORDS_CHECK, WORDS_SQLS };
const char *tables_words_sql(const struct tables *t, int collection, enum words_sql what);

/*
 * Makes the tables in an empty database or migrates an older one, in one
 * transaction. ERR_NEWER_FORMAT; ERR_CORRUPT for a database that is not ours.
 */
int tables_migrate(const struct tables *t, struct db *d, struct error *e);
/* Only looks: as tables_migrate, and ERR_NOT_READY for an empty or older one. */
int tables_check(struct db *d, struct error *e);
/* The tables that are made from events, alone: for a rebuild. */
int tables_make_projections(const struct tables *t, struct db *d, struct error *e);

#endif
