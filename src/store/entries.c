#include "store/entries.h"

#include <string.h>

#include "base/arena.h"
#include "store/db.h"
#include "store/sql.h"

static int no_memory(struct error *e)
{
	return error_set(e, ERR_NO_MEMORY, NULL, "out of memory");
}

static int read_vector(const struct query *q, int column, size_t dim, struct arena *a, const float **out,
		       struct error *e)
{
	size_t n;
	const void *data = column_blob(q, column, &n);

	*out = NULL;
	if (!data)
		return 0;
	if (n != dim * sizeof(float))
		return error_set(e, ERR_CORRUPT, NULL, "a stored vector has %zu bytes in place of %zu", n,
				 dim * sizeof(float));
	float *copy = arena_alloc(a, n);
	if (!copy)
		return no_memory(e);
	memcpy(copy, data, n);
	*out = copy;
	return 0;
}

/* Columns from `at` on: row, field, n, start, stop, data. */
static int read_row(const struct query *q, int at, size_t dim, struct arena *a, struct live_row *r,
		    struct error *e)
{
	*r = (struct live_row){ .row = (uint64_t)column_int(q, at),
				.field = (int)column_int(q, at + 1),
				.n = (uint32_t)column_int(q, at + 2),
				.start = (uint64_t)column_int(q, at + 3),
				.end = (uint64_t)column_int(q, at + 4) };
	return read_vector(q, at + 5, dim, a, &r->vector, e);
}

/* An array in an arena that doubles. */
static void *room(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap ? 2 * *cap : 16;
	void *more = arena_alloc(a, *cap * size);
	if (more && n)
		memcpy(more, v, n * size);
	return more;
}

static int read_rows(struct query *q, size_t dim, struct arena *a, struct live_row **out, size_t *n,
		     struct error *e)
{
	struct live_row *v = NULL;
	size_t count = 0, cap = 0;
	int rc;

	while ((rc = query_step(q, e)) > 0) {
		v = room(a, v, count, &cap, sizeof(*v));
		rc = v ? read_row(q, 0, dim, a, &v[count], e) : no_memory(e);
		if (rc < 0) {
			query_end(q);
			return rc;
		}
		count++;
	}
	if (rc == 0) {
		*out = v;
		*n = count;
	}
	return rc;
}

int entries_rows(struct db *d, int collection, const char *record, size_t dim, struct arena *a,
		 struct live_row **out, size_t *n, struct error *e)
{
	struct query q = query_start(
		d, "SELECT r.row, r.field, r.n, r.start, r.stop, v.data FROM entries e"
		   " JOIN rows r ON r.entry = e.entry LEFT JOIN vectors v ON v.id = r.vector"
		   " WHERE e.collection = ? AND e.record = ? ORDER BY r.row");

	query_int(&q, collection);
	query_text(&q, record);
	return read_rows(&q, dim, a, out, n, e);
}

static int rows_of_entry(struct db *d, uint64_t entry, size_t dim, struct arena *a, struct live_entry *en,
			 struct error *e)
{
	struct live_row *rows = NULL;
	struct query q = query_start(
		d, "SELECT r.row, r.field, r.n, r.start, r.stop, v.data FROM rows r"
		   " LEFT JOIN vectors v ON v.id = r.vector WHERE r.entry = ? ORDER BY r.row");

	query_int(&q, (int64_t)entry);
	int rc = read_rows(&q, dim, a, &rows, &en->n_rows, e);
	en->rows = rows;
	return rc;
}

static int read_entry(struct db *d, const struct query *q, size_t dim, struct arena *a, struct live_entry *en,
		      struct error *e)
{
	const char *acl = column_text(q, 2, NULL), *tags = column_text(q, 3, NULL);

	*en = (struct live_entry){ .entry = (uint64_t)column_int(q, 0),
				   .collection = (int)column_int(q, 1),
				   .acl = acl ? arena_strdup(a, acl) : NULL,
				   .tags = tags ? arena_strdup(a, tags) : NULL };
	if (!en->tags || (acl && !en->acl))
		return no_memory(e);
	return rows_of_entry(d, en->entry, dim, a, en, e);
}

int entries_read(struct db *d, uint64_t after, size_t limit, size_t dim, struct arena *a,
		 struct live_entry **out, size_t *n, struct error *e)
{
	struct live_entry *v = arena_alloc(a, limit * sizeof(*v));
	size_t count = 0;
	int rc;

	if (!v)
		return no_memory(e);
	struct query q = query_start(
		d, "SELECT entry, collection, acl, tags FROM entries WHERE entry > ? ORDER BY entry LIMIT ?");
	query_int(&q, (int64_t)after);
	query_int(&q, (int64_t)limit);
	while ((rc = query_step(&q, e)) > 0) {
		rc = read_entry(d, &q, dim, a, &v[count], e);
		if (rc < 0) {
			query_end(&q);
			return rc;
		}
		count++;
	}
	if (rc == 0) {
		*out = v;
		*n = count;
	}
	return rc;
}

int entries_highest(struct db *d, uint64_t *entry, uint64_t *row, struct error *e)
{
	int64_t v;
	int rc = db_number(d, "SELECT seq FROM sqlite_sequence WHERE name = 'entries'", &v, e);

	if (rc < 0)
		return rc;
	*entry = (uint64_t)v;
	rc = db_number(d, "SELECT seq FROM sqlite_sequence WHERE name = 'rows'", &v, e);
	if (rc == 0)
		*row = (uint64_t)v;
	return rc;
}

int changes_trim(struct db *d, uint64_t seq, size_t limit, struct error *e)
{
	struct query q = query_start(
		d,
		"DELETE FROM changes WHERE n IN (SELECT n FROM changes WHERE seq <= ? ORDER BY n LIMIT ?)");

	query_int(&q, (int64_t)seq);
	query_int(&q, (int64_t)limit);
	return query_run(&q, e);
}
