#include "store/records.h"

#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "store/db.h"
#include "store/sql.h"
#include "store/tables.h"

static const char *keep(struct arena *a, const struct query *q, int i, size_t *n, int *failed)
{
	size_t size;
	const char *s = column_text(q, i, &size);
	const char *copy = s ? arena_strndup(a, s, size) : NULL;

	if (!copy && !column_is_null(q, i))
		*failed = 1;
	if (n)
		*n = copy ? size : 0;
	return copy;
}

static int read_record(const struct query *q, struct arena *a, struct stored_record *r, struct error *e)
{
	int failed = 0;

	*r = (struct stored_record){ .revision = column_int(q, 1),
				     .created = (uint64_t)column_int(q, 2),
				     .changed = (uint64_t)column_int(q, 3),
				     .created_at = column_int(q, 4),
				     .changed_at = column_int(q, 5) };
	r->id = keep(a, q, 0, NULL, &failed);
	r->subject = keep(a, q, 6, NULL, &failed);
	r->body = keep(a, q, 7, &r->body_n, &failed);
	r->text = keep(a, q, 8, &r->text_n, &failed);
	if (sqlite3_column_count(q->s) > 9)
		r->acl = keep(a, q, 9, NULL, &failed);
	return failed ? no_memory(e) : 0;
}

static int read_one(struct query *q, struct arena *a, struct stored_record *out, struct error *e)
{
	int rc = query_step(q, e);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(e, ERR_NOT_FOUND, NULL, "there is no such record");
	rc = read_record(q, a, out, e);
	query_end(q);
	return rc;
}

int records_get(struct db *d, const struct tables *t, int kind, const char *id, struct arena *a,
		struct stored_record *out, struct error *e)
{
	struct query q = query_start(d, tables_sql(t, kind, TABLE_GET));

	query_text(&q, id);
	return read_one(&q, a, out, e);
}

int records_load(struct db *d, const struct tables *t, int kind, uint64_t entry, struct arena *a,
		 struct stored_record *out, struct error *e)
{
	struct query q = query_start(d, tables_sql(t, kind, TABLE_LOAD));

	query_int(&q, (int64_t)entry);
	return read_one(&q, a, out, e);
}

int records_count(struct db *d, const struct tables *t, int kind, uint64_t *out, struct error *e)
{
	int64_t n;
	int rc = db_number(d, tables_sql(t, kind, TABLE_COUNT), &n, e);

	if (rc == 0)
		*out = (uint64_t)n;
	return rc;
}

/* --- scans ------------------------------------------------------------------------------------------- */

/*
 * The first n whose record was created at or after `seq` (one above the last
 * if there is none): n and created grow together, so this is a binary search
 * and needs no index on created.
 */
static int first_created(struct db *d, const char *table, uint64_t seq, int64_t *out, struct error *e)
{
	char sql[128];
	int64_t lo = 0, hi = 0;

	sqlite3_snprintf(sizeof(sql), sql, "SELECT max(n) FROM %ss", table);
	int rc = db_number(d, sql, &hi, e);
	sqlite3_snprintf(sizeof(sql), sql, "SELECT n, created FROM %ss WHERE n >= ? ORDER BY n LIMIT 1",
			 table);
	for (hi++; lo < hi && rc == 0;) {
		int64_t mid = lo + (hi - lo) / 2;
		struct query q = query_start(d, sql);
		query_int(&q, mid);
		rc = query_step(&q, e);
		if (rc < 0)
			break;
		if (rc == 0 || (uint64_t)column_int(&q, 1) >= seq)
			hi = mid;
		else
			lo = column_int(&q, 0) + 1;
		query_end(&q);
		rc = 0;
	}
	*out = lo;
	return rc;
}

static int check_fields(const struct tables *t, const struct record_scan *s, struct error *e)
{
	const struct table_spec *spec = tables_spec(t, s->kind);

	for (int i = 0; i < 2; i++) {
		int known = !s->field[i];
		for (int f = 0; f < STORED_FIELDS && spec->fields[f] && !known; f++)
			known = strcmp(spec->fields[f], s->field[i]) == 0;
		if (!known)
			return error_set(e, ERR_BAD_VALUE, s->field[i], "%ss cannot be asked for by %s",
					 spec->name, s->field[i]);
	}
	return 0;
}

/* Parameters are numbered, so that the text depends on the fields alone and its statement is found again. */
static void scan_sql(const struct tables *t, const struct record_scan *s, struct strbuf *b)
{
	strbuf_puts(b, tables_sql(t, s->kind, TABLE_SELECT));
	strbuf_puts(b, " WHERE r.n >= ?1 AND r.n < ?2");
	for (int i = 0; i < 2; i++)
		if (s->field[i])
			strbuf_printf(b, " AND r.%s = ?%d", s->field[i], 3 + i);
	if (s->after)
		strbuf_printf(b, " AND (r.created %c ?5 OR (r.created = ?5 AND r.id %c ?6))",
			      s->newest_first ? '<' : '>', s->newest_first ? '<' : '>');
	if (s->created_from)
		strbuf_puts(b, " AND r.created_at >= ?7");
	if (s->created_to)
		strbuf_puts(b, " AND r.created_at < ?8");
	strbuf_printf(b, " ORDER BY r.n %s LIMIT ?9", s->newest_first ? "DESC" : "");
}

static int scan_bounds(struct db *d, const struct tables *t, const struct record_scan *s, int64_t *lo,
		       int64_t *hi, struct error *e)
{
	const char *name = tables_spec(t, s->kind)->name;
	uint64_t end = s->at ? s->at + 1 : 0;
	int rc = 0;

	*lo = 0;
	*hi = INT64_MAX;
	if (s->after && !s->newest_first)
		rc = first_created(d, name, s->after, lo, e);
	if (s->after && s->newest_first && (!end || s->after + 1 < end))
		end = s->after + 1;
	if (end && rc == 0)
		rc = first_created(d, name, end, hi, e);
	return rc;
}

/* ?N without its N in the text binds nothing, so these are bound by number. */
static void bind_scan(struct query *q, const struct record_scan *s, int64_t lo, int64_t hi)
{
	const int numbers[] = { 1, 2, 5, 7, 8, 9 };
	const int64_t values[] = {
		lo, hi, (int64_t)s->after, s->created_from, s->created_to, (int64_t)s->limit
	};
	int count = q->s ? sqlite3_bind_parameter_count(q->s) : 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		q->n = numbers[i] - 1;
		if (numbers[i] <= count)
			query_int(q, values[i]);
	}
	for (int i = 0; i < 2; i++) {
		q->n = 2 + i;
		if (s->field[i])
			query_text(q, s->value[i]);
	}
	q->n = 5;
	if (s->after)
		query_text(q, s->after_id ? s->after_id : "");
}

static int collect(struct query *q, size_t limit, struct arena *a, struct stored_record **out, size_t *n,
		   struct error *e)
{
	struct stored_record *v = NULL;
	size_t count = 0, cap = 0;
	int rc;

	while ((rc = query_step(q, e)) > 0) {
		if (count == cap) {
			cap = cap ? 2 * cap : limit < 64 ? limit : 64;
			struct stored_record *more = arena_alloc(a, cap * sizeof(*more));
			if (!more) {
				query_end(q);
				return no_memory(e);
			}
			if (count)
				memcpy(more, v, count * sizeof(*v));
			v = more;
		}
		rc = read_record(q, a, &v[count++], e);
		if (rc < 0) {
			query_end(q);
			return rc;
		}
	}
	if (rc == 0) {
		*out = v;
		*n = count;
	}
	return rc;
}

int records_scan(struct db *d, const struct tables *t, const struct record_scan *s, struct arena *a,
		 struct stored_record **out, size_t *n, struct error *e)
{
	STRBUF_AUTO sql = STRBUF_INIT;
	int64_t lo, hi;
	int rc = check_fields(t, s, e);

	if (rc == 0)
		rc = scan_bounds(d, t, s, &lo, &hi, e);
	if (rc < 0)
		return rc;
	scan_sql(t, s, &sql);
	if (sql.failed)
		return no_memory(e);
	struct query q = query_start(d, sql.p);
	bind_scan(&q, s, lo, hi);
	return collect(&q, s->limit, a, out, n, e);
}

/* --- small tables --------------------------------------------------------------------------------------- */

int streams_revision(struct db *d, const char *stream, int64_t *out, struct error *e)
{
	struct query q = query_start(d, "SELECT revision FROM streams WHERE stream = ?");

	query_text(&q, stream);
	int rc = query_step(&q, e);
	if (rc < 0)
		return rc;
	*out = rc ? column_int(&q, 0) : 0;
	query_end(&q);
	return 0;
}

int meta_get(struct db *d, const char *name, struct arena *a, const char **out, struct error *e)
{
	struct query q = query_start(d, "SELECT value FROM meta WHERE name = ?");
	int failed = 0;

	query_text(&q, name);
	int rc = query_step(&q, e);
	if (rc < 0)
		return rc;
	*out = rc ? keep(a, &q, 0, NULL, &failed) : NULL;
	query_end(&q);
	return failed ? no_memory(e) : 0;
}

int meta_set(struct db *d, const char *name, const char *value, struct error *e)
{
	struct query q = query_start(d, "INSERT INTO meta(name, value) VALUES(?, ?)"
					" ON CONFLICT(name) DO UPDATE SET value = excluded.value");

	query_text(&q, name);
	query_text(&q, value);
	return query_run(&q, e);
}
