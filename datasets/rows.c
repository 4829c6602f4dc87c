#include "datasets/rows.h"

#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "base/utf8.h"

static int check(const char *s, size_t n, struct error *e)
{
	size_t bad;

	if (n > ROWS_MAX_LINE)
		return error_set(e, ERR_TOO_LARGE, NULL, "the line is too long");
	if (memchr(s, '\0', n))
		return error_set(e, ERR_BAD_UTF8, NULL, "a NUL byte is not allowed");
	if ((bad = utf8_valid(s, n)) != n)
		return error_set(e, ERR_BAD_UTF8, NULL, "invalid UTF-8 at byte %zu", bad);
	return 0;
}

static int is_blank(char c)
{
	return c == '\r' || c == ' ' || c == '\t';
}

int rows_each(const char *path,
	      int (*each)(void *arg, const char *line, size_t n, unsigned long number, struct error *e),
	      void *arg, struct error *e)
{
	STRBUF_AUTO line = STRBUF_INIT;
	struct lines *lines;
	unsigned long number = 0;
	const char *s;
	size_t n;
	int rc = lines_open(path, &lines, e);

	if (rc < 0)
		return rc;
	while ((rc = lines_next(lines, ROWS_MAX_LINE, &s, &n, e)) > 0) {
		struct error why = { 0 };
		number++;
		rc = check(s, n, &why);
		while (rc == 0 && n && is_blank(s[n - 1]))
			n--;
		strbuf_clear(&line);
		strbuf_add(&line, s, n);
		if (rc == 0)
			rc = line.failed ? no_memory(&why) : each(arg, line.p, n, number, &why);
		if (rc < 0) {
			rc = error_set(e, rc, NULL, "%s:%lu: %s%s%s", path, number, why.param,
				       why.param[0] ? ": " : "", why.message);
			break;
		}
	}
	lines_close(lines);
	return rc;
}

long rows_split(struct arena *a, const char *line, const char **fields, size_t max)
{
	const char *between = strchr(line, '\t') ? "\t" : " ";
	char *copy = arena_strdup(a, line), *rest = NULL;
	size_t n = 0;

	if (!copy)
		return -1;
	for (char *p = strtok_r(copy, between, &rest); p && n < max; p = strtok_r(NULL, between, &rest))
		fields[n++] = p;
	return (long)n;
}
