#include "store/tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "store/db.h"
#include "store/sql.h"

#define FORMAT 5               /* PRAGMA user_version */
#define APPLICATION 0x72646270 /* "rdbp": PRAGMA application_id */

struct tables {
	const struct table_spec *specs;
	size_t n, collections;
	char *(*sql)[TABLE_SQLS];
	char *(*words)[WORDS_SQLS];
};

static const char truth[] =
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE events(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, stream TEXT NOT NULL,"
	" revision INTEGER NOT NULL, kind TEXT NOT NULL, principal TEXT NOT NULL, agent TEXT NOT NULL,"
	" at INTEGER NOT NULL, nonce BLOB NOT NULL, commit_hash BLOB NOT NULL, leaf BLOB NOT NULL,"
	" payload TEXT NOT NULL, UNIQUE(stream, revision)) STRICT;"
	"CREATE TABLE texts(id INTEGER PRIMARY KEY, hash BLOB NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,"
	" UNIQUE(hash, subject)) STRICT;"
	"CREATE TABLE vectors(id INTEGER PRIMARY KEY, hash BLOB NOT NULL, subject TEXT NOT NULL, data BLOB NOT NULL,"
	" UNIQUE(hash, subject)) STRICT;"
	"CREATE TABLE changes(n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, op INTEGER NOT NULL,"
	" entry INTEGER NOT NULL) STRICT;"
	"CREATE INDEX changes_seq ON changes(seq);";

static const char projections[] =
	"CREATE TABLE streams(stream TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE entries(entry INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL,"
	" record TEXT NOT NULL, title INTEGER REFERENCES texts, text INTEGER REFERENCES texts, acl TEXT,"
	" tags TEXT NOT NULL, UNIQUE(collection, record)) STRICT;"
	"CREATE TABLE rows(row INTEGER PRIMARY KEY AUTOINCREMENT, entry INTEGER NOT NULL REFERENCES entries,"
	" field INTEGER NOT NULL, n INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,"
	" vector INTEGER REFERENCES vectors) STRICT;"
	"CREATE INDEX rows_entry ON rows(entry);";

static size_t field_count(const struct table_spec *s)
{
	size_t n = 0;

	while (n < STORED_FIELDS && s->fields[n])
		n++;
	return n;
}

static void ddl_of_kind(const struct table_spec *s, struct strbuf *b)
{
	strbuf_printf(
		b,
		"CREATE TABLE IF NOT EXISTS %ss(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, subject TEXT NOT NULL,"
		" revision INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL,"
		" created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, text INTEGER REFERENCES texts",
		s->name);
	for (size_t i = 0; i < field_count(s); i++)
		strbuf_printf(b, ", %s TEXT", s->fields[i]);
	strbuf_puts(b, ", body TEXT NOT NULL) STRICT;");
	for (size_t i = 0; i < field_count(s); i++)
		strbuf_printf(b, "CREATE INDEX IF NOT EXISTS %ss_%s ON %ss(%s);", s->name, s->fields[i],
			      s->name, s->fields[i]);
}

/*
 * The words of a collection. External content: the table holds postings only,
 * and reads texts through a view, so that they are not stored again and
 * `integrity-check` can compare the two.
 */
static void ddl_of_words(size_t c, struct strbuf *b)
{
	strbuf_printf(
		b,
		"CREATE VIEW texts_of_%zu AS SELECT entry, a.body AS title, b.body AS text FROM entries e"
		" LEFT JOIN texts a ON a.id = e.title LEFT JOIN texts b ON b.id = e.text WHERE collection = %zu;"
		"CREATE VIRTUAL TABLE words_%zu USING fts5(title, text, content='texts_of_%zu',"
		" content_rowid='entry', tokenize='porter unicode61 remove_diacritics 2');",
		c, c, c, c);
}

static void ddl_of_projections(const struct tables *t, struct strbuf *b)
{
	strbuf_puts(b, projections);
	for (size_t k = 0; k < t->n; k++)
		ddl_of_kind(&t->specs[k], b);
	for (size_t c = 0; c < t->collections; c++)
		ddl_of_words(c, b);
}

/* --- SQL --------------------------------------------------------------------------------------- */

static void sql_put(const struct table_spec *s, struct strbuf *b)
{
	size_t n = field_count(s);

	strbuf_printf(
		b,
		"INSERT INTO %ss(id, subject, revision, created, changed, created_at, changed_at, text, body",
		s->name);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(b, ", %s", s->fields[i]);
	strbuf_puts(b, ") VALUES(?1, ?2, ?3, ?4, ?4, ?5, ?5, ?6, ?7");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(b, ", ?%zu", 8 + i);
	strbuf_puts(
		b,
		") ON CONFLICT(id) DO UPDATE SET subject = ?2, revision = ?3, changed = ?4, changed_at = ?5,"
		" text = ?6, body = ?7");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(b, ", %s = ?%zu", s->fields[i], 8 + i);
}

#define RECORD_COLUMNS \
	"r.id, r.revision, r.created, r.changed, r.created_at, r.changed_at, r.subject, r.body, t.body"

static void sql_of(const struct table_spec *s, enum table_sql what, struct strbuf *b)
{
	switch (what) {
	case TABLE_PUT:
		sql_put(s, b);
		break;
	case TABLE_DELETE:
		strbuf_printf(b, "DELETE FROM %ss WHERE id = ?", s->name);
		break;
	case TABLE_GET:
		strbuf_printf(b,
			      "SELECT " RECORD_COLUMNS
			      " FROM %ss r LEFT JOIN texts t ON t.id = r.text WHERE r.id = ?",
			      s->name);
		break;
	case TABLE_SELECT:
		strbuf_printf(b, "SELECT " RECORD_COLUMNS " FROM %ss r LEFT JOIN texts t ON t.id = r.text",
			      s->name);
		break;
	case TABLE_LOAD:
		strbuf_printf(b,
			      "SELECT " RECORD_COLUMNS ", e.acl FROM entries e JOIN %ss r ON r.id = e.record"
			      " LEFT JOIN texts t ON t.id = r.text WHERE e.entry = ? AND e.collection = %d",
			      s->name, s->collection);
		break;
	case TABLE_COUNT:
		strbuf_printf(b, "SELECT count(*) FROM %ss", s->name);
		break;
	case TABLE_SQLS:
		break;
	}
}

static void words_sql_of(size_t c, enum words_sql what, struct strbuf *b)
{
	switch (what) {
	case WORDS_PUT:
		strbuf_printf(b, "INSERT INTO words_%zu(rowid, title, text) VALUES(?, ?, ?)", c);
		break;
	case WORDS_DELETE:
		strbuf_printf(
			b, "INSERT INTO words_%zu(words_%zu, rowid, title, text) VALUES('delete', ?, ?, ?)",
			c, c);
		break;
	case WORDS_MATCH:
		strbuf_printf(b, "SELECT rowid FROM words_%zu WHERE words_%zu MATCH ?", c, c);
		break;
	case WORDS_CHECK:
		strbuf_printf(b, "INSERT INTO words_%zu(words_%zu, rank) VALUES('integrity-check', 1)", c, c);
		break;
	case WORDS_SQLS:
		break;
	}
}

static int make_sql(struct tables *t)
{
	struct strbuf b = STRBUF_INIT;

	for (size_t i = 0; i < t->n * TABLE_SQLS; i++) {
		sql_of(&t->specs[i / TABLE_SQLS], (enum table_sql)(i % TABLE_SQLS), &b);
		if (!(t->sql[i / TABLE_SQLS][i % TABLE_SQLS] = strbuf_steal(&b, NULL)))
			return -1;
	}
	for (size_t i = 0; i < t->collections * WORDS_SQLS; i++) {
		words_sql_of(i / WORDS_SQLS, (enum words_sql)(i % WORDS_SQLS), &b);
		if (!(t->words[i / WORDS_SQLS][i % WORDS_SQLS] = strbuf_steal(&b, NULL)))
			return -1;
	}
	return 0;
}

struct tables *tables_new(const struct table_spec *specs, size_t n, size_t collections)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->specs = specs;
	t->sql = calloc(n, sizeof(*t->sql));
	t->words = calloc(collections, sizeof(*t->words));
	if (t->sql && t->words) {
		t->n = n;
		t->collections = collections;
	}
	if (!t->n || make_sql(t) < 0) {
		tables_free(t);
		return NULL;
	}
	return t;
}

void tables_free(struct tables *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n * TABLE_SQLS; i++)
		free(t->sql[i / TABLE_SQLS][i % TABLE_SQLS]);
	for (size_t i = 0; i < t->collections * WORDS_SQLS; i++)
		free(t->words[i / WORDS_SQLS][i % WORDS_SQLS]);
	free(t->sql);
	free(t->words);
	free(t);
}

size_t tables_count(const struct tables *t)
{
	return t->n;
}

const struct table_spec *tables_spec(const struct tables *t, int kind)
{
	return &t->specs[kind];
}

int tables_kind(const struct tables *t, const char *name)
{
	for (size_t k = 0; k < t->n; k++)
		if (strcmp(t->specs[k].name, name) == 0)
			return (int)k;
	return -1;
}

int tables_collection(const struct tables *t, int c)
{
	for (size_t k = 0; k < t->n; k++)
		if (t->specs[k].collection == c)
			return (int)k;
	return -1;
}

const char *tables_sql(const struct tables *t, int kind, enum table_sql what)
{
	return t->sql[kind][what];
}

const char *tables_words_sql(const struct tables *t, int collection, enum words_sql what)
{
	return t->words[collection][what];
}

/* --- making and migrating ------------------------------------------------------------------------ */

static int run_script(struct db *d, struct strbuf *b, struct error *e)
{
	if (b->failed)
		return no_memory(e);
	return db_fail(d, sqlite3_exec(db_handle(d), b->p, NULL, NULL, NULL), e);
}

int tables_make_projections(const struct tables *t, struct db *d, struct error *e)
{
	STRBUF_AUTO b = STRBUF_INIT;

	ddl_of_projections(t, &b);
	return run_script(d, &b, e);
}

static int make_all(const struct tables *t, struct db *d, struct error *e)
{
	STRBUF_AUTO b = STRBUF_INIT;

	strbuf_puts(&b, truth);
	ddl_of_projections(t, &b);
	strbuf_printf(&b, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION, FORMAT);
	return run_script(d, &b, e);
}

static int read_version(struct db *d, int64_t *version, struct error *e)
{
	int64_t application = 0, objects = 0;
	int rc = db_number(d, "PRAGMA user_version", version, e);

	if (rc == 0)
		rc = db_number(d, "PRAGMA application_id", &application, e);
	if (rc == 0)
		rc = db_number(d, "SELECT count(*) FROM sqlite_schema", &objects, e);
	if (rc < 0)
		return rc;
	if (application != APPLICATION && (*version || objects))
		return error_set(e, ERR_CORRUPT, NULL, "the database was not made by readback");
	if (*version > FORMAT)
		return error_set(
			e, ERR_NEWER_FORMAT, NULL,
			"the database has format %lld, this program knows up to %d: use a newer readback",
			(long long)*version, FORMAT);
	return 0;
}

int tables_check(struct db *d, struct error *e)
{
	int64_t version = 0;
	int rc = read_version(d, &version, e);

	if (rc == 0 && version < FORMAT)
		rc = error_set(e, ERR_NOT_READY, NULL,
			       "the database is empty or of an older format: open it for writing once");
	return rc;
}

/* A format that knows more kinds of records: theirs have no events yet, so their tables are empty. */
static int make_new_kinds(const struct tables *t, struct db *d, struct error *e)
{
	STRBUF_AUTO b = STRBUF_INIT;

	for (size_t k = 0; k < t->n; k++)
		ddl_of_kind(&t->specs[k], &b);
	strbuf_printf(&b, "PRAGMA user_version = %d;", FORMAT);
	return run_script(d, &b, e);
}

/* Format 2 has rules, 3 has reviews and models, 4 has evals, 5 has subjects. A later format adds its step to this switch. */
static int migrate_from(const struct tables *t, struct db *d, int64_t version, struct error *e)
{
	switch (version) {
	case 0:
		return make_all(t, d, e);
	case 1:
	case 2:
	case 3:
	case 4:
		return make_new_kinds(t, d, e);
	default:
		return 0;
	}
}

int tables_migrate(const struct tables *t, struct db *d, struct error *e)
{
	int64_t version = 0;
	int rc = read_version(d, &version, e);

	if (rc < 0 || version == FORMAT)
		return rc;
	rc = db_begin_write(d, e);
	if (rc < 0)
		return rc;
	rc = migrate_from(t, d, version, e);
	if (rc == 0)
		rc = db_commit(d, e);
	if (rc < 0)
		db_rollback(d);
	return rc;
}
