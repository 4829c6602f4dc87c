#include "store/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "store/db.h"
#include "store/project.h"
#include "store/sql.h"
#include "store/tables.h"

#define WORDS_BATCH 4096 /* effects after which the words are brought up to date */

/*
 * The scratch database is `main`, the real one is attached as `truth`: SQL
 * that names a projection finds it in main, and texts and vectors, which main
 * does not have, in truth. So the code that replays is the code that writes.
 */
struct rebuild {
	struct db *db;
	const struct tables *t;
	const unsigned char *secret;
	struct effects fx;
	size_t differences;
	struct error *e;
};

static int exec(struct rebuild *r, const char *sql)
{
	return db_fail(r->db, sqlite3_exec(db_handle(r->db), sql, NULL, NULL, NULL), r->e);
}

static void add_uri_path(struct strbuf *b, const char *path)
{
	for (; *path; path++) {
		if (strchr("?#%", *path))
			strbuf_printf(b, "%%%02x", (unsigned)(unsigned char)*path);
		else
			strbuf_putc(b, *path);
	}
}

static int attach(struct rebuild *r, const char *path)
{
	STRBUF_AUTO uri = STRBUF_INIT;

	strbuf_puts(&uri, "file:");
	add_uri_path(&uri, path);
	strbuf_puts(&uri, "?mode=ro");
	if (uri.failed)
		return no_memory(r->e);
	struct query q = query_start(r->db, "ATTACH ? AS truth");
	query_text(&q, uri.p);
	return query_run(&q, r->e);
}

/* --- replay --------------------------------------------------------------------------------------- */

static const char *keep(struct arena *a, const struct query *q, int column, size_t *n)
{
	size_t size;
	const char *s = column_text(q, column, &size);

	if (n)
		*n = size;
	return s ? arena_strndup(a, s, size) : NULL;
}

static int same_blob(const struct query *q, int column, const unsigned char hash[SHA256_SIZE])
{
	size_t n;
	const void *p = column_blob(q, column, &n);

	return n == SHA256_SIZE && memcmp(p, hash, SHA256_SIZE) == 0;
}

static int read_event(struct rebuild *r, const struct query *q, struct arena *a, struct stored_event *ev)
{
	size_t n;
	const void *nonce = column_blob(q, 7, &n);

	*ev = (struct stored_event){ .id = keep(a, q, 1, NULL),
				     .stream = keep(a, q, 2, NULL),
				     .kind = keep(a, q, 4, NULL),
				     .principal = keep(a, q, 5, NULL),
				     .agent = keep(a, q, 6, NULL),
				     .at = column_int(q, 11) };
	ev->payload = keep(a, q, 10, &ev->payload_n);
	if (!ev->id || !ev->stream || !ev->kind || !ev->principal || !ev->agent || !ev->payload)
		return no_memory(r->e);
	if (n == sizeof(ev->nonce))
		memcpy(ev->nonce, nonce, n);
	event_seal(ev, r->secret);
	return 0;
}

static void check_leaf(struct rebuild *r, const struct query *q, const struct stored_event *ev)
{
	unsigned char leaf[SHA256_SIZE];

	event_leaf(ev, (uint64_t)column_int(q, 0), column_int(q, 3), leaf);
	r->differences += !same_blob(q, 8, ev->commit) || !same_blob(q, 9, leaf);
}

/* An event that cannot be replayed is a difference, not the end. */
static int replay(struct rebuild *r, const struct query *q)
{
	struct arena *a = arena_new(16384);
	struct stored_event ev;
	int rc = a ? read_event(r, q, a, &ev) : no_memory(r->e);

	if (rc == 0) {
		check_leaf(r, q, &ev);
		rc = payload_read(r->t, ev.payload, ev.payload_n, a, &ev, r->e);
	}
	if (rc == 0)
		rc = project_replay(r->db, r->t, &ev, (uint64_t)column_int(q, 0), column_int(q, 3), &r->fx,
				    r->e);
	arena_free(a);
	if (rc == ERR_CORRUPT || rc == ERR_NOT_FOUND) {
		r->differences++;
		return 0;
	}
	return rc;
}

static int flush_words(struct rebuild *r)
{
	int rc = project_words(r->db, r->t, &r->fx, r->e);

	r->fx.n = 0;
	return rc;
}

static int replay_all(struct rebuild *r)
{
	struct query q = query_start(r->db, "SELECT seq, id, stream, revision, kind, principal, agent, nonce,"
					    " commit_hash, leaf, payload, at FROM truth.events ORDER BY seq");
	int rc;

	while ((rc = query_step(&q, r->e)) > 0) {
		rc = replay(r, &q);
		if (rc == 0 && r->fx.n >= WORDS_BATCH)
			rc = flush_words(r);
		if (rc < 0) {
			query_end(&q);
			return rc;
		}
	}
	return rc < 0 ? rc : flush_words(r);
}

/* --- comparison ------------------------------------------------------------------------------------- */

/* A row that differs is in both one-sided differences, a missing one in one of them: the larger counts rows. */
static int compare(struct rebuild *r, const char *columns, const char *mine, const char *theirs)
{
	int64_t n[2] = { 0, 0 };
	int rc = 0;

	for (int i = 0; i < 2 && rc == 0; i++) {
		STRBUF_AUTO sql = STRBUF_INIT;
		strbuf_printf(&sql, "SELECT count(*) FROM (SELECT %s FROM %s EXCEPT SELECT %s FROM %s)",
			      columns, i ? theirs : mine, columns, i ? mine : theirs);
		rc = sql.failed ? no_memory(r->e) : db_number(r->db, sql.p, &n[i], r->e);
	}
	if (rc == 0)
		r->differences += (size_t)(n[0] > n[1] ? n[0] : n[1]);
	return rc;
}

static int compare_table(struct rebuild *r, const char *name)
{
	char mine[64], theirs[64];

	sqlite3_snprintf(sizeof(mine), mine, "main.%s", name);
	sqlite3_snprintf(sizeof(theirs), theirs, "truth.%s", name);
	return compare(r, "*", mine, theirs);
}

static int compare_words(struct rebuild *r, size_t c)
{
	char sql[256];
	int rc;

	sqlite3_snprintf(sizeof(sql), sql,
			 "CREATE VIRTUAL TABLE temp.mine USING fts5vocab('main', 'words_%d', 'instance');"
			 "CREATE VIRTUAL TABLE temp.theirs USING fts5vocab('truth', 'words_%d', 'instance');",
			 (int)c, (int)c);
	rc = exec(r, sql);
	if (rc == 0)
		rc = compare(r, "term, doc, col, offset", "temp.mine", "temp.theirs");
	db_forget(r->db);
	return rc < 0 ? rc : exec(r, "DROP TABLE temp.mine; DROP TABLE temp.theirs;");
}

static int check_hashes(struct rebuild *r, const char *sql)
{
	struct query q = query_start(r->db, sql);
	int rc;

	while ((rc = query_step(&q, r->e)) > 0) {
		unsigned char hash[SHA256_SIZE];
		size_t n;
		const void *p = column_blob(&q, 1, &n);
		crypto_sha256(p ? p : "", n, hash);
		r->differences += !same_blob(&q, 0, hash);
	}
	return rc;
}

static int compare_all(struct rebuild *r)
{
	static const char *const names[] = { "streams", "entries", "rows" };
	char name[64];
	int rc = 0;

	for (size_t i = 0; i < 3 && rc == 0; i++)
		rc = compare_table(r, names[i]);
	for (size_t k = 0; k < tables_count(r->t) && rc == 0; k++) {
		sqlite3_snprintf(sizeof(name), name, "%ss", tables_spec(r->t, (int)k)->name);
		rc = compare_table(r, name);
	}
	for (size_t c = 0; tables_collection(r->t, (int)c) >= 0 && rc == 0; c++)
		rc = compare_words(r, c);
	if (rc == 0)
		rc = check_hashes(r, "SELECT hash, body FROM truth.texts");
	if (rc == 0)
		rc = check_hashes(r, "SELECT hash, data FROM truth.vectors");
	return rc;
}

static int run(struct rebuild *r, const char *path)
{
	int rc = attach(r, path);

	if (rc == 0)
		rc = exec(r, "BEGIN");
	if (rc == 0)
		rc = tables_make_projections(r->t, r->db, r->e);
	if (rc == 0)
		rc = replay_all(r);
	if (rc == 0)
		rc = compare_all(r);
	db_rollback(r->db);
	return rc;
}

int rebuild_compare(const char *path, const struct tables *t, const unsigned char secret[32],
		    size_t *differences, struct error *e)
{
	const struct db_options o = { .path = path, .scratch = 1 };
	struct rebuild r = { .t = t, .secret = secret, .e = e };
	int rc = db_open(&o, &r.db, e);

	if (rc < 0)
		return rc;
	rc = run(&r, path);
	db_close(r.db);
	free(r.fx.v);
	if (rc == 0)
		*differences = r.differences;
	return rc;
}
