#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "store/sql.h"

struct db {
	sqlite3 *h;
	struct map *statements; /* SQL -> sqlite3_stmt */
	int wal_frames;
};

sqlite3 *db_handle(struct db *d)
{
	return d->h;
}

static int code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ERR_DISK_FULL;
	case SQLITE_NOMEM:
		return ERR_NO_MEMORY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_READONLY:
		return ERR_READ_ONLY;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_OVERLOADED;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return ERR_IO;
	}
	return ERR_INTERNAL;
}

int db_fail(struct db *d, int rc, struct error *e)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	int code = code_of(rc);
	switch (code) {
	case ERR_DISK_FULL:
		return error_set(e, code, NULL, "the disk, or the room given to this database, is full");
	case ERR_NO_MEMORY:
		return error_set(e, code, NULL, "out of memory");
	case ERR_CORRUPT:
		return error_set(e, code, NULL, "the database is damaged (%s); restore a backup",
				 sqlite3_errstr(rc));
	case ERR_OVERLOADED:
		return error_set(e, code, NULL, "the database is locked by another process; try again");
	}
	return error_set(e, code, NULL, "database: %s (%d)",
			 d && d->h ? sqlite3_errmsg(d->h) : sqlite3_errstr(rc), rc);
}

/* --- statements -------------------------------------------------------------------------------- */

static int prepare(struct db *d, const char *sql, sqlite3_stmt **out)
{
	size_t n = strlen(sql);
	int fresh, rc;
	uint64_t *slot = map_put(d->statements, sql, n, &fresh);

	if (!slot)
		return SQLITE_NOMEM;
	if (*slot) {
		*out = (sqlite3_stmt *)(uintptr_t)*slot;
		return SQLITE_OK;
	}
	rc = sqlite3_prepare_v3(d->h, sql, (int)n + 1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	if (rc == SQLITE_OK)
		*slot = (uintptr_t)*out;
	return rc;
}

struct query query_start(struct db *d, const char *sql)
{
	struct query q = { .db = d };

	q.rc = prepare(d, sql, &q.s);
	assert(q.rc != SQLITE_OK || !sqlite3_stmt_busy(q.s));
	return q;
}

static void bound(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void query_int(struct query *q, int64_t v)
{
	q->n++;
	if (q->s)
		bound(q, sqlite3_bind_int64(q->s, q->n, v));
}

void query_text(struct query *q, const char *s)
{
	query_text_n(q, s, s ? strlen(s) : 0);
}

void query_text_n(struct query *q, const char *s, size_t n)
{
	q->n++;
	if (q->s)
		bound(q, sqlite3_bind_text64(q->s, q->n, s, n, SQLITE_STATIC, SQLITE_UTF8));
}

void query_blob(struct query *q, const void *p, size_t n)
{
	q->n++;
	if (q->s)
		bound(q, sqlite3_bind_blob64(q->s, q->n, p, n, SQLITE_STATIC));
}

void query_null(struct query *q)
{
	q->n++;
	if (q->s)
		bound(q, sqlite3_bind_null(q->s, q->n));
}

int query_step(struct query *q, struct error *e)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_step(q->s);
	if (q->rc == SQLITE_ROW) {
		q->rc = SQLITE_OK;
		return 1;
	}
	int rc = db_fail(q->db, q->rc, e);
	query_end(q);
	return rc;
}

int query_run(struct query *q, struct error *e)
{
	int rc;

	while ((rc = query_step(q, e)) > 0)
		continue;
	return rc;
}

void query_end(struct query *q)
{
	if (!q->s)
		return;
	sqlite3_reset(q->s);
	sqlite3_clear_bindings(q->s);
	q->s = NULL;
}

int64_t column_int(const struct query *q, int i)
{
	return sqlite3_column_int64(q->s, i);
}

const char *column_text(const struct query *q, int i, size_t *n)
{
	const char *s = (const char *)sqlite3_column_text(q->s, i);

	if (n)
		*n = (size_t)sqlite3_column_bytes(q->s, i);
	return s;
}

const void *column_blob(const struct query *q, int i, size_t *n)
{
	const void *p = sqlite3_column_blob(q->s, i);

	*n = (size_t)sqlite3_column_bytes(q->s, i);
	return p;
}

int column_is_null(const struct query *q, int i)
{
	return sqlite3_column_type(q->s, i) == SQLITE_NULL;
}

int db_run(struct db *d, const char *sql, struct error *e)
{
	struct query q = query_start(d, sql);

	return query_run(&q, e);
}

int db_number(struct db *d, const char *sql, int64_t *out, struct error *e)
{
	struct query q = query_start(d, sql);
	int rc = query_step(&q, e);

	if (rc < 0)
		return rc;
	*out = rc ? column_int(&q, 0) : 0;
	query_end(&q);
	return 0;
}

/* --- opening ------------------------------------------------------------------------------------ */

/* Made by hand because SQLite would make it readable for others; its journals take over the mode. */
static int make_file(const char *path, struct error *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(e, path);
	close(fd);
	return 0;
}

static int count_frames(void *arg, sqlite3 *h, const char *name, int frames)
{
	(void)h;
	(void)name;
	((struct db *)arg)->wal_frames = frames;
	return SQLITE_OK;
}

static int exec(struct db *d, const char *sql, struct error *e)
{
	return db_fail(d, sqlite3_exec(d->h, sql, NULL, NULL, NULL), e);
}

static int set_size_limit(struct db *d, int64_t max_bytes, struct error *e)
{
	int64_t page = 0;
	char sql[80];
	int rc = db_number(d, "PRAGMA page_size", &page, e);

	if (rc < 0)
		return rc;
	if (page <= 0)
		return error_set(e, ERR_CORRUPT, NULL, "the database has no size of page");
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA max_page_count = %lld", (long long)(max_bytes / page));
	return exec(d, sql, e);
}

static int set_up(struct db *d, const struct db_options *o, struct error *e)
{
	int rc;

	sqlite3_extended_result_codes(d->h, 1);
	sqlite3_db_config(d->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(d->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_busy_timeout(d->h, 10000);
	rc = exec(d, "PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON;", e);
	if (rc < 0 || o->read_only)
		return rc;
	if (o->scratch)
		return exec(
			d, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;",
			e);
	/* Each savepoint keeps pages as they were: in a temporary file that costs half as much again as the event. */
	rc = exec(d, "PRAGMA temp_store = MEMORY;", e);
	if (rc < 0)
		return rc;
	sqlite3_wal_hook(d->h, count_frames, d);
	if (o->rollback)
		rc = exec(
			d,
			"PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
			e);
	else
		rc = exec(
			d,
			"PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			"PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 134217728;",
			e);
	if (rc == 0 && o->max_bytes > 0)
		rc = set_size_limit(d, o->max_bytes, e);
	return rc;
}

/* Before SQLite starts: its count of bytes in use would cost a lock at each allocation, and nobody reads it. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(const struct db_options *o, struct db **out, struct error *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct db *d;
	int rc = 0;

	pthread_once(&once, configure);
	if (o->read_only && !file_exists(o->path))
		return error_set(e, ERR_NOT_FOUND, NULL, "%s: no such database", o->path);
	if (!o->read_only && !o->scratch)
		rc = make_file(o->path, e);
	if (rc < 0)
		return rc;
	d = calloc(1, sizeof(*d));
	if (!d || !(d->statements = map_new())) {
		free(d);
		return no_memory(e);
	}
	int flags = SQLITE_OPEN_NOMUTEX | (o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	if (o->scratch)
		flags |= SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
	rc = db_fail(d, sqlite3_open_v2(o->scratch ? "" : o->path, &d->h, flags, NULL), e);
	if (rc == 0)
		rc = set_up(d, o, e);
	if (rc < 0) {
		db_close(d);
		return rc;
	}
	*out = d;
	return 0;
}

void db_forget(struct db *d)
{
	const char *key;
	uint64_t *slot;
	size_t i = 0, n;

	while (map_each(d->statements, &i, &key, &n, &slot)) {
		sqlite3_finalize((sqlite3_stmt *)(uintptr_t)*slot);
		*slot = 0;
	}
}

void db_close(struct db *d)
{
	if (!d)
		return;
	db_forget(d);
	map_free(d->statements);
	sqlite3_close(d->h);
	free(d);
}

/* --- transactions ------------------------------------------------------------------------------- */

int db_begin(struct db *d, struct error *e)
{
	return db_run(d, "BEGIN", e);
}

int db_begin_write(struct db *d, struct error *e)
{
	return db_run(d, "BEGIN IMMEDIATE", e);
}

int db_commit(struct db *d, struct error *e)
{
	return db_run(d, "COMMIT", e);
}

void db_rollback(struct db *d)
{
	if (db_is_open(d))
		db_run(d, "ROLLBACK", NULL);
}

int db_is_open(const struct db *d)
{
	return !sqlite3_get_autocommit(d->h);
}

int db_savepoint(struct db *d, struct error *e)
{
	return db_run(d, "SAVEPOINT event", e);
}

int db_release(struct db *d, struct error *e)
{
	return db_run(d, "RELEASE event", e);
}

int db_rollback_to(struct db *d, struct error *e)
{
	int rc = db_run(d, "ROLLBACK TO event", e);

	return rc < 0 ? rc : db_release(d, e);
}

int db_wal_frames(const struct db *d)
{
	return d->wal_frames;
}

int db_checkpoint(struct db *d, int wait, struct error *e)
{
	int left = 0, done = 0, rc;

	sqlite3_busy_timeout(d->h, wait ? 1000 : 0);
	rc = sqlite3_wal_checkpoint_v2(
		d->h, "main", wait ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &left, &done);
	sqlite3_busy_timeout(d->h, 10000);
	if ((rc & 0xff) == SQLITE_BUSY)
		return 0;
	if (rc == SQLITE_OK && left == done)
		d->wal_frames = 0;
	return db_fail(d, rc, e);
}

int db_bytes(struct db *d, int64_t *out, struct error *e)
{
	int64_t pages = 0, page = 0;
	int rc = db_number(d, "PRAGMA page_count", &pages, e);

	if (rc == 0)
		rc = db_number(d, "PRAGMA page_size", &page, e);
	if (rc == 0)
		*out = pages * page;
	return rc;
}
