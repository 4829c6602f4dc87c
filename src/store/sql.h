/*
 * sql.h: SQL statements for the files of store/. They are compiled once per
 * connection and text, and kept.
 *
 *	struct query q = query_start(d, "SELECT body FROM texts WHERE id = ?");
 *	query_int(&q, id);                        binds, in order
 *	while ((rc = query_step(&q, e)) > 0)      1 a row, 0 the end, < 0 an error
 *		… column_text(&q, 0, &n) …
 *	query_end(&q);                            always, unless step returned <= 0
 *
 * Errors of start and bind are sticky and come out of query_step. What is
 * bound or read is borrowed until query_end.
 */
#ifndef READBACK_STORE_SQL_H
#define READBACK_STORE_SQL_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct db;

struct query {
	struct db *db;
	sqlite3_stmt *s;
	int rc, n;
};

sqlite3 *db_handle(struct db *d);
/* Fills `e` from what SQLite returned; 0 for SQLITE_OK, SQLITE_ROW and SQLITE_DONE. */
int db_fail(struct db *d, int sqlite_rc, struct error *e);

struct query query_start(struct db *d, const char *sql);
void query_int(struct query *q, int64_t v);
void query_text(struct query *q, const char *s); /* NULL is NULL */
void query_text_n(struct query *q, const char *s, size_t n);
void query_blob(struct query *q, const void *p, size_t n);
void query_null(struct query *q);
int query_step(struct query *q, struct error *e);
int query_run(struct query *q, struct error *e); /* steps to the end and ends */
void query_end(struct query *q);

int64_t column_int(const struct query *q, int i);
const char *column_text(const struct query *q, int i, size_t *n); /* NULL for NULL; n may be NULL */
const void *column_blob(const struct query *q, int i, size_t *n);
int column_is_null(const struct query *q, int i);

#endif
