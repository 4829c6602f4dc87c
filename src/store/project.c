#include "store/project.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "store/db.h"
#include "store/sql.h"
#include "store/tables.h"

struct projection {
	struct db *db;
	const struct tables *t;
	const struct stored_event *ev;
	uint64_t seq;
	int64_t revision;
	int replay;
	struct effects *fx;
	struct error *e;
};

/* --- texts and vectors: stored once per hash and subject ---------------------------------------------- */

struct ref_sql {
	const char *put, *find;
};
static const struct ref_sql text_sql = {
	"INSERT OR IGNORE INTO texts(hash, subject, body) VALUES(?, ?, ?)",
	"SELECT id FROM texts WHERE hash = ? AND subject = ?",
};
static const struct ref_sql vector_sql = {
	"INSERT OR IGNORE INTO vectors(hash, subject, data) VALUES(?, ?, ?)",
	"SELECT id FROM vectors WHERE hash = ? AND subject = ?",
};

static int find_ref(struct projection *p, const char *sql, const struct stored_ref *r, const char *subject,
		    int64_t *id)
{
	struct query q = query_start(p->db, sql);

	query_blob(&q, r->hash, sizeof(r->hash));
	query_text(&q, subject);
	int rc = query_step(&q, p->e);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(p->e, ERR_CORRUPT, NULL,
				 "a text or vector that an event names is not there");
	*id = column_int(&q, 0);
	query_end(&q);
	return 0;
}

/* *id is 0 for none. */
static int put_ref(struct projection *p, const struct ref_sql *sql, const struct stored_ref *r,
		   const char *subject, int64_t *id)
{
	*id = 0;
	if (!r->there)
		return 0;
	if (p->replay)
		return find_ref(p, sql->find, r, subject, id);
	struct query q = query_start(p->db, sql->put);
	query_blob(&q, r->hash, sizeof(r->hash));
	query_text(&q, subject);
	if (sql == &text_sql)
		query_text_n(&q, r->p, r->n);
	else
		query_blob(&q, r->p, r->n);
	int rc = query_run(&q, p->e);
	if (rc < 0)
		return rc;
	if (sqlite3_changes(db_handle(p->db)) == 0)
		return find_ref(p, sql->find, r, subject, id);
	*id = sqlite3_last_insert_rowid(db_handle(p->db));
	return 0;
}

static void query_id(struct query *q, int64_t id)
{
	if (id)
		query_int(q, id);
	else
		query_null(q);
}

/* --- entries -------------------------------------------------------------------------------------- */

static int log_effect(struct projection *p, struct effect fx)
{
	if (GROW(p->fx->v, p->fx->n, p->fx->cap) < 0)
		return no_memory(p->e);
	p->fx->v[p->fx->n++] = fx;
	if (p->replay)
		return 0;
	struct query q = query_start(p->db, "INSERT INTO changes(seq, op, entry) VALUES(?, ?, ?)");
	query_int(&q, (int64_t)p->seq);
	query_int(&q, fx.op);
	query_int(&q, (int64_t)fx.entry);
	return query_run(&q, p->e);
}

/* The live entry of a record: *out is left alone, and 0 returned, if there is none; 1 if there is. */
static int find_entry(struct projection *p, int collection, const char *record, struct effect *out)
{
	struct query q = query_start(
		p->db, "SELECT entry, title, text FROM entries WHERE collection = ? AND record = ?");

	query_int(&q, collection);
	query_text(&q, record);
	int rc = query_step(&q, p->e);
	if (rc <= 0)
		return rc;
	*out = (struct effect){ .collection = collection,
				.entry = (uint64_t)column_int(&q, 0),
				.title = column_int(&q, 1),
				.text = column_int(&q, 2) };
	query_end(&q);
	return 1;
}

static int delete_by_entry(struct projection *p, const char *sql, uint64_t entry)
{
	struct query q = query_start(p->db, sql);

	query_int(&q, (int64_t)entry);
	return query_run(&q, p->e);
}

static int drop_entry(struct projection *p, const struct stored_change *c)
{
	struct effect old;
	int collection = tables_spec(p->t, c->kind)->collection;
	int rc = collection < 0 ? 0 : find_entry(p, collection, c->id, &old);

	if (rc <= 0)
		return rc;
	rc = delete_by_entry(p, "DELETE FROM rows WHERE entry = ?", old.entry);
	if (rc == 0)
		rc = delete_by_entry(p, "DELETE FROM entries WHERE entry = ?", old.entry);
	if (rc < 0)
		return rc;
	old.op = EFFECT_DELETE;
	return log_effect(p, old);
}

static int put_row(struct projection *p, const struct stored_change *c, const struct stored_row *r)
{
	int64_t vector;
	int rc = put_ref(p, &vector_sql, &r->vector, c->subject, &vector);

	if (rc < 0)
		return rc;
	struct query q = query_start(
		p->db,
		"INSERT INTO rows(row, entry, field, n, start, stop, vector) VALUES(?, ?, ?, ?, ?, ?, ?)");
	query_int(&q, (int64_t)r->row);
	query_int(&q, (int64_t)c->entry->entry);
	query_int(&q, r->field);
	query_int(&q, r->n);
	query_int(&q, (int64_t)r->start);
	query_int(&q, (int64_t)r->end);
	query_id(&q, vector);
	return query_run(&q, p->e);
}

static int put_entry(struct projection *p, const struct stored_change *c)
{
	const struct stored_entry *en = c->entry;
	struct effect fx = { .op = EFFECT_ADD, .entry = en->entry, .change = c };
	int rc = drop_entry(p, c);

	fx.collection = tables_spec(p->t, c->kind)->collection;
	if (rc == 0)
		rc = put_ref(p, &text_sql, &en->title, c->subject, &fx.title);
	if (rc == 0)
		rc = put_ref(p, &text_sql, &en->text, c->subject, &fx.text);
	if (rc < 0)
		return rc;
	struct query q = query_start(p->db,
				     "INSERT INTO entries(entry, collection, record, title, text, acl, tags)"
				     " VALUES(?, ?, ?, ?, ?, ?, ?)");
	query_int(&q, (int64_t)en->entry);
	query_int(&q, fx.collection);
	query_text(&q, c->id);
	query_id(&q, fx.title);
	query_id(&q, fx.text);
	query_text(&q, en->acl);
	query_text(&q, en->tags);
	rc = query_run(&q, p->e);
	for (size_t i = 0; i < en->n_rows && rc == 0; i++)
		rc = put_row(p, c, &en->rows[i]);
	return rc < 0 ? rc : log_effect(p, fx);
}

static int retag_entry(struct projection *p, const struct stored_change *c)
{
	struct effect fx;
	int rc = find_entry(p, tables_spec(p->t, c->kind)->collection, c->id, &fx);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(p->e, ERR_NOT_FOUND, NULL, "keep_rows: the record is not indexed");
	struct query q = query_start(p->db, "UPDATE entries SET acl = ?, tags = ? WHERE entry = ?");
	query_text(&q, c->entry->acl);
	query_text(&q, c->entry->tags);
	query_int(&q, (int64_t)fx.entry);
	rc = query_run(&q, p->e);
	fx.op = EFFECT_RETAG;
	fx.change = c;
	return rc < 0 ? rc : log_effect(p, fx);
}

/* --- records ---------------------------------------------------------------------------------------- */

static int put_record(struct projection *p, const struct stored_change *c)
{
	const struct table_spec *s = tables_spec(p->t, c->kind);
	int64_t text;
	int rc = put_ref(p, &text_sql, &c->text, c->subject, &text);

	if (rc < 0)
		return rc;
	struct query q = query_start(p->db, tables_sql(p->t, c->kind, TABLE_PUT));
	query_text(&q, c->id);
	query_text(&q, c->subject);
	query_int(&q, p->revision);
	query_int(&q, (int64_t)p->seq);
	query_int(&q, p->ev->at);
	query_id(&q, text);
	query_text(&q, c->body);
	for (int i = 0; i < STORED_FIELDS && s->fields[i]; i++)
		query_text(&q, c->fields[i]);
	return query_run(&q, p->e);
}

static int delete_record(struct projection *p, const struct stored_change *c)
{
	struct query q = query_start(p->db, tables_sql(p->t, c->kind, TABLE_DELETE));

	query_text(&q, c->id);
	int rc = query_run(&q, p->e);
	return rc < 0 ? rc : drop_entry(p, c);
}

static int apply_change(struct projection *p, const struct stored_change *c)
{
	int rc;

	if (!c->body)
		return delete_record(p, c);
	rc = put_record(p, c);
	if (rc < 0 || !c->entry)
		return rc;
	return c->entry->keep_rows ? retag_entry(p, c) : put_entry(p, c);
}

/* --- events ----------------------------------------------------------------------------------------- */

/* 1 and *out filled when an event of this id was committed before. */
static int find_event(struct projection *p, struct projected *out)
{
	struct query q = query_start(p->db, "SELECT seq, revision FROM events WHERE id = ?");

	query_text(&q, p->ev->id);
	int rc = query_step(&q, p->e);
	if (rc <= 0)
		return rc;
	*out = (struct projected){ .seq = (uint64_t)column_int(&q, 0),
				   .revision = column_int(&q, 1),
				   .again = 1 };
	query_end(&q);
	return 1;
}

static int take_revision(struct projection *p)
{
	struct query q = query_start(p->db, "SELECT revision FROM streams WHERE stream = ?");
	int64_t at;

	query_text(&q, p->ev->stream);
	int rc = query_step(&q, p->e);
	if (rc < 0)
		return rc;
	at = rc ? column_int(&q, 0) : 0;
	query_end(&q);
	if (p->ev->expect >= 0 && p->ev->expect != at)
		return error_set(p->e, ERR_CONFLICT, NULL, "it was changed meanwhile: read it again");
	p->revision = at + 1;
	return 0;
}

static int put_stream(struct projection *p)
{
	struct query q = query_start(p->db,
				     "INSERT INTO streams(stream, revision) VALUES(?, ?)"
				     " ON CONFLICT(stream) DO UPDATE SET revision = excluded.revision");

	query_text(&q, p->ev->stream);
	query_int(&q, p->revision);
	return query_run(&q, p->e);
}

static int put_event(struct projection *p)
{
	const struct stored_event *ev = p->ev;
	unsigned char leaf[SHA256_SIZE];
	struct query q = query_start(
		p->db, "INSERT INTO events(seq, id, stream, revision, kind, principal, agent, at,"
		       " nonce, commit_hash, leaf, payload)"
		       " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	event_leaf(ev, p->seq, p->revision, leaf);
	query_int(&q, (int64_t)p->seq);
	query_text(&q, ev->id);
	query_text(&q, ev->stream);
	query_int(&q, p->revision);
	query_text(&q, ev->kind);
	query_text(&q, ev->principal);
	query_text(&q, ev->agent);
	query_int(&q, ev->at);
	query_blob(&q, ev->nonce, sizeof(ev->nonce));
	query_blob(&q, ev->commit, sizeof(ev->commit));
	query_blob(&q, leaf, sizeof(leaf));
	query_text_n(&q, ev->payload, ev->payload_n);
	return query_run(&q, p->e);
}

static int apply_changes(struct projection *p)
{
	int rc = put_stream(p);

	for (size_t i = 0; i < p->ev->n && rc == 0; i++)
		rc = apply_change(p, &p->ev->changes[i]);
	return rc;
}

int project_event(struct db *d, const struct tables *t, const struct stored_event *ev, uint64_t seq,
		  struct effects *fx, struct projected *out, struct error *e)
{
	struct projection p = { .db = d, .t = t, .ev = ev, .seq = seq, .fx = fx, .e = e };
	int rc = find_event(&p, out);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = take_revision(&p);
	if (rc == 0)
		rc = put_event(&p);
	if (rc == 0)
		rc = apply_changes(&p);
	if (rc == 0)
		*out = (struct projected){ .seq = seq, .revision = p.revision };
	return rc;
}

int project_replay(struct db *d, const struct tables *t, const struct stored_event *ev, uint64_t seq,
		   int64_t revision, struct effects *fx, struct error *e)
{
	struct projection p = {
		.db = d, .t = t, .ev = ev, .seq = seq, .revision = revision, .replay = 1, .fx = fx, .e = e
	};

	return apply_changes(&p);
}

/* --- words -------------------------------------------------------------------------------------------- */

static int by_entry(const void *a, const void *b)
{
	const struct effect *x = a, *y = b;

	return x->entry != y->entry ? (x->entry < y->entry ? -1 : 1) : (int)x->op - (int)y->op;
}

static int start_text(struct db *d, const char *sql, int64_t id, struct query *q, const char **s, size_t *n,
		      struct error *e)
{
	*q = (struct query){ 0 };
	*s = NULL;
	*n = 0;
	if (!id)
		return 0;
	*q = query_start(d, sql);
	query_int(q, id);
	int rc = query_step(q, e);
	if (rc == 0)
		return error_set(e, ERR_CORRUPT, NULL, "a text of an entry is not there");
	if (rc > 0)
		*s = column_text(q, 0, n);
	return rc < 0 ? rc : 0;
}

static int project_word(struct db *d, const struct tables *t, const struct effect *fx, struct error *e)
{
	struct query title, text = { 0 };
	const char *s[2];
	size_t n[2];
	int rc = start_text(d, "SELECT body FROM texts WHERE id = ?", fx->title, &title, &s[0], &n[0], e);

	if (rc == 0)
		rc = start_text(d, "SELECT body FROM texts WHERE id = ?1", fx->text, &text, &s[1], &n[1], e);
	if (rc == 0) {
		struct query q = query_start(
			d,
			tables_words_sql(t, fx->collection, fx->op == EFFECT_ADD ? WORDS_PUT : WORDS_DELETE));
		query_int(&q, (int64_t)fx->entry);
		query_text_n(&q, s[0], n[0]);
		query_text_n(&q, s[1], n[1]);
		rc = query_run(&q, e);
	}
	query_end(&title);
	query_end(&text);
	return rc;
}

/* In order of entries, for FTS5 writes its hash out whenever a rowid is not above the last one. */
int project_words(struct db *d, const struct tables *t, const struct effects *fx, struct error *e)
{
	struct effect *v = malloc((fx->n + 1) * sizeof(*v));
	size_t n = 0;
	int rc = 0;

	if (!v)
		return no_memory(e);
	for (size_t i = 0; i < fx->n; i++)
		if (fx->v[i].op != EFFECT_RETAG)
			v[n++] = fx->v[i];
	qsort(v, n, sizeof(*v), by_entry);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (i + 1 < n && v[i].entry == v[i + 1].entry) {
			i++; /* added and deleted again in this transaction */
			continue;
		}
		rc = project_word(d, t, &v[i], e);
	}
	free(v);
	return rc;
}
