#include "store/fts.h"

#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "store/db.h"
#include "store/sql.h"
#include "store/tables.h"

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
		each(arg, (uint64_t)column_int(&q, 0));
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
