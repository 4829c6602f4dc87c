/*
 * db.h: one connection to a SQLite database, with its cache of statements.
 *
 * A connection is used by one thread at a time. SQL itself is written with
 * sql.h, which only this folder includes.
 *
 * Debian 12's SQLite (3.40.1) can lose commits when two connections reset the
 * WAL at once (fixed in 3.51.3). Therefore one connection of one process, the
 * writer, is the only one that checkpoints, and it does so by db_checkpoint()
 * alone; every other one is opened read-only, with automatic checkpoints off
 * and none on close.
 *
 * Errors: ERR_CORRUPT, ERR_DISK_FULL, ERR_IO, ERR_NO_MEMORY, ERR_READ_ONLY,
 * ERR_OVERLOADED (a lock that was not had in time), ERR_INTERNAL.
 */
#ifndef READBACK_STORE_DB_H
#define READBACK_STORE_DB_H

#include <stdint.h>

#include "base/error.h"

struct db;

struct db_options {
	const char *path;
	int read_only; /* ERR_NOT_FOUND when there is no file; else it is made (mode 0600) */
	int rollback;  /* a rollback journal in place of the WAL: for small databases with several writers */
	int scratch;   /* a temporary database in place of `path`, with nothing safe, for a rebuild */
	int64_t max_bytes; /* 0: no limit */
};

int db_open(const struct db_options *o, struct db **out, struct error *e);
void db_close(struct db *d); /* NULL is fine. No checkpoint is made, nothing is waited for */

/* Transactions. db_begin reads; what is read between it and db_commit is one view. */
int db_begin(struct db *d, struct error *e);
int db_begin_write(struct db *d, struct error *e);
int db_commit(struct db *d, struct error *e);
void db_rollback(struct db *d);
int db_is_open(const struct db *d); /* in a transaction: SQLite ends one by itself on some errors */

/* One level of savepoint inside a write. */
int db_savepoint(struct db *d, struct error *e);
int db_release(struct db *d, struct error *e);
int db_rollback_to(struct db *d, struct error *e);

/* Drops all kept statements, so that a table can be dropped. */
void db_forget(struct db *d);

/* Runs SQL that gives no rows. */
int db_run(struct db *d, const char *sql, struct error *e);
/* The first column of the first row as a number; 0 if there is no row. */
int db_number(struct db *d, const char *sql, int64_t *out, struct error *e);

/* Frames in the WAL after the last commit of this connection. */
int db_wal_frames(const struct db *d);
/*
 * Moves the WAL into the database. `wait`: until readers are gone, for at
 * most a second, so that the WAL starts again from its beginning. A WAL that is in use is no error.
 */
int db_checkpoint(struct db *d, int wait, struct error *e);

/* Bytes of the database without the WAL. */
int db_bytes(struct db *d, int64_t *out, struct error *e);

#endif
