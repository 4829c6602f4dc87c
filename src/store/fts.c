#include "store/fts.h"

#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "store/db.h"
#include "store/sql.h"
#include "store/tables.h"

/* BM25 of a very common word can come out at or below 0 (FTS5 bounds its idf at 1e-6): still found. */
static float positive(double score)
{
	return score > 1e-9 ? (float)score : 1e-9f;
}

static void add_term(struct strbuf *b, const struct term *t)
{
	strbuf_puts(b, b->n ? " OR \"" : "\"");
	for (const char *s = t->word; *s; s++) {
		if (*s == '"')
			strbuf_putc(b, '"');
		strbuf_putc(b, *s);
	}
	strbuf_putc(b, '"');
}

/*
 * FTS5 has no weights of terms, but BM25 is a sum over terms: one query for
 * each distinct weight, all open at once and merged by entry, gives the
 * weighted sum.
 */
#define MAX_WEIGHTS 16

struct cursor {
	sqlite3_stmt *s; /* its own: the connection's kept one cannot be open twice */
	float weight;
	int64_t entry; /* INT64_MAX at the end */
};

static size_t distinct_weights(const struct term *terms, size_t n, float weights[MAX_WEIGHTS])
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t w = 0;
		while (w < count && weights[w] != terms[i].weight)
			w++;
		if (w == count && count < MAX_WEIGHTS)
			weights[count++] = terms[i].weight;
	}
	return count;
}

/* With more weights than are kept apart, a term goes to the nearest of them. */
static size_t nearest(const float *weights, size_t count, float w)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++) {
		float a = weights[i] > w ? weights[i] - w : w - weights[i];
		float b = weights[best] > w ? weights[best] - w : w - weights[best];
		if (a < b)
			best = i;
	}
	return best;
}

static int cursor_next(struct db *d, struct cursor *c, struct error *e)
{
	int rc = sqlite3_step(c->s);

	c->entry = rc == SQLITE_ROW ? sqlite3_column_int64(c->s, 0) : INT64_MAX;
	return db_fail(d, rc, e);
}

static int cursor_open(struct db *d, const char *sql, const struct strbuf *expr, struct cursor *c,
		       struct error *e)
{
	int rc = sqlite3_prepare_v2(db_handle(d), sql, -1, &c->s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(c->s, 1, expr->p, (int)expr->n, SQLITE_TRANSIENT);
	return rc == SQLITE_OK ? cursor_next(d, c, e) : db_fail(d, rc, e);
}

static int merge(struct db *d, struct cursor *c, size_t n, fts_each *each, void *arg, struct error *e)
{
	for (;;) {
		int64_t entry = INT64_MAX;
		double score = 0;
		for (size_t i = 0; i < n; i++)
			if (c[i].entry < entry)
				entry = c[i].entry;
		if (entry == INT64_MAX)
			return 0;
		for (size_t i = 0; i < n; i++) {
			if (c[i].entry != entry)
				continue;
			score += c[i].weight * sqlite3_column_double(c[i].s, 1);
			int rc = cursor_next(d, &c[i], e);
			if (rc < 0)
				return rc;
		}
		each(arg, (uint64_t)entry, positive(score));
	}
}

int fts_search(struct db *d, const struct tables *t, int collection, const struct term *terms, size_t n,
	       fts_each *each, void *arg, struct error *e)
{
	struct cursor cursors[MAX_WEIGHTS] = { 0 };
	float weights[MAX_WEIGHTS];
	size_t count = distinct_weights(terms, n, weights);
	int rc = 0;

	for (size_t w = 0; w < count && rc == 0; w++) {
		STRBUF_AUTO expr = STRBUF_INIT;
		for (size_t i = 0; i < n; i++)
			if (nearest(weights, count, terms[i].weight) == w)
				add_term(&expr, &terms[i]);
		cursors[w] = (struct cursor){ .weight = weights[w], .entry = INT64_MAX };
		if (expr.failed)
			rc = error_set(e, ERR_NO_MEMORY, NULL, "out of memory");
		else if (expr.n)
			rc = cursor_open(d, tables_words_sql(t, collection, WORDS_MATCH), &expr, &cursors[w],
					 e);
	}
	if (rc == 0)
		rc = merge(d, cursors, count, each, arg, e);
	for (size_t w = 0; w < count; w++)
		sqlite3_finalize(cursors[w].s);
	return rc;
}

/* SQLite's own words without their prefix: "syntax error near …", "no such column: …". */
static int bad_match(struct db *d, struct error *e)
{
	const char *why = sqlite3_errmsg(db_handle(d));

	if (strncmp(why, "fts5: ", 6) == 0)
		why += 6;
	return error_set(e, ERR_BAD_MATCH, "match", "match: %.200s", why);
}

int fts_match(struct db *d, const struct tables *t, int collection, const char *expr, fts_each *each,
	      void *arg, struct error *e)
{
	int rc;

	while (isspace((unsigned char)*expr))
		expr++;
	/* A star in front asks FTS5 for its own numbers. */
	if (!*expr || *expr == '*')
		return error_set(e, ERR_BAD_MATCH, "match", "match: %s",
				 *expr ? "it begins with a star" : "it is empty");
	struct query q = query_start(d, tables_words_sql(t, collection, WORDS_MATCH));
	query_text(&q, expr);
	if (q.rc != SQLITE_OK)
		return query_step(&q, e);
	while ((rc = sqlite3_step(q.s)) == SQLITE_ROW)
		each(arg, (uint64_t)column_int(&q, 0), positive(sqlite3_column_double(q.s, 1)));
	if (rc == SQLITE_ERROR)
		rc = bad_match(d, e);
	else
		rc = db_fail(d, rc, e);
	query_end(&q);
	return rc;
}

int fts_check(struct db *d, const struct tables *t, int collection, struct error *e)
{
	return db_run(d, tables_words_sql(t, collection, WORDS_CHECK), e);
}
