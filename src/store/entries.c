#include "store/entries.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "store/db.h"
#include "store/records.h"
#include "store/sql.h"

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

int entries_places(struct db *d, uint64_t entry, struct arena *a, struct live_row **out, size_t *n,
		   struct error *e)
{
	struct query q = query_start(
		d, "SELECT row, field, n, start, stop, NULL FROM rows WHERE entry = ? ORDER BY row");

	query_int(&q, (int64_t)entry);
	return read_rows(&q, 0, a, out, n, e);
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

static int read_text(const struct query *q, int column, struct arena *a, struct text *out, struct error *e)
{
	size_t n = 0;
	const char *s = column_text(q, column, &n);

	*out = (struct text){ NULL, 0 };
	if (!s)
		return 0;
	out->s = arena_strndup(a, s, n);
	out->n = n;
	return out->s ? 0 : no_memory(e);
}

#define SELECT_ENTRY                                                                 \
	"SELECT e.entry, e.collection, e.acl, e.tags, a.body, b.body FROM entries e" \
	" LEFT JOIN texts a ON a.id = e.title LEFT JOIN texts b ON b.id = e.text"

static int read_entry(struct db *d, const struct query *q, size_t dim, struct arena *a, struct live_entry *en,
		      struct error *e)
{
	const char *acl = column_text(q, 2, NULL), *tags = column_text(q, 3, NULL);
	int rc;

	*en = (struct live_entry){ .entry = (uint64_t)column_int(q, 0),
				   .collection = (int)column_int(q, 1),
				   .acl = acl ? arena_strdup(a, acl) : NULL,
				   .tags = tags ? arena_strdup(a, tags) : NULL };
	if (!en->tags || (acl && !en->acl))
		return no_memory(e);
	rc = read_text(q, 4, a, &en->title, e);
	if (rc == 0)
		rc = read_text(q, 5, a, &en->text, e);
	return rc < 0 ? rc : rows_of_entry(d, en->entry, dim, a, en, e);
}

int entries_read(struct db *d, uint64_t after, size_t limit, size_t dim, struct arena *a,
		 struct live_entry **out, size_t *n, struct error *e)
{
	struct live_entry *v = arena_alloc(a, limit * sizeof(*v));
	size_t count = 0;
	int rc;

	if (!v)
		return no_memory(e);
	struct query q = query_start(d, SELECT_ENTRY " WHERE e.entry > ? ORDER BY e.entry LIMIT ?");
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

int entries_get(struct db *d, uint64_t entry, size_t dim, struct arena *a, struct live_entry *out, size_t *n,
		struct error *e)
{
	struct query q = query_start(d, SELECT_ENTRY " WHERE e.entry = ?");

	query_int(&q, (int64_t)entry);
	int rc = query_step(&q, e);
	*n = rc > 0;
	if (rc <= 0)
		return rc;
	rc = read_entry(d, &q, dim, a, out, e);
	query_end(&q);
	return rc;
}

int changes_since(struct db *d, uint64_t seq, struct arena *a, uint64_t **out, size_t *n, struct error *e)
{
	struct query q = query_start(d, "SELECT DISTINCT entry FROM changes WHERE seq > ? ORDER BY entry");
	uint64_t *v = NULL;
	size_t count = 0, cap = 0;
	int rc;

	query_int(&q, (int64_t)seq);
	while ((rc = query_step(&q, e)) > 0) {
		v = room(a, v, count, &cap, sizeof(*v));
		if (!v) {
			query_end(&q);
			return no_memory(e);
		}
		v[count++] = (uint64_t)column_int(&q, 0);
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

int entries_mark(struct db *d, uint64_t seq, unsigned char out[32], struct error *e)
{
	struct query q = query_start(d, "SELECT leaf FROM events WHERE seq = ?");
	size_t n = 0;

	memset(out, 0, 32);
	query_int(&q, (int64_t)seq);
	int rc = query_step(&q, e);
	if (rc <= 0)
		return rc;
	const void *leaf = column_blob(&q, 0, &n);
	if (leaf && n == 32)
		memcpy(out, leaf, 32);
	query_end(&q);
	return 0;
}

int changes_trim(struct db *d, uint64_t seq, size_t limit, struct error *e)
{
	struct query q = query_start(
		d,
		"DELETE FROM changes WHERE n IN (SELECT n FROM changes WHERE seq <= ? ORDER BY n LIMIT ?)");

	char text[24];
	query_int(&q, (int64_t)seq);
	query_int(&q, (int64_t)limit);
	int rc = query_run(&q, e);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)seq);
	return meta_set(d, "trimmed", text, e);
}
