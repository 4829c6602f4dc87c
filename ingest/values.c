#include "ingest/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

struct values {
	struct lines *lines;
	const char *piece;
	size_t at, have;
	int ended;

	int begun, in_array;
	uint64_t line, element; /* from 1: of the next byte; from 0: of the last value */

	/* The value under way. */
	struct strbuf text;
	size_t max;
	uint64_t first_line;
	unsigned depth;
	int in_string, escaped, new_line;
};

int values_open(struct lines *l, struct values **out, struct error *e)
{
	struct values *v = calloc(1, sizeof(*v));

	if (!v)
		return no_memory(e);
	v->lines = l;
	v->line = 1;
	*out = v;
	return 0;
}

void values_close(struct values *v)
{
	if (!v)
		return;
	strbuf_release(&v->text);
	free(v);
}

static int is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 1: *c is the next byte, which is not taken yet; 0: the end. */
static int peek(struct values *v, char *c, struct error *e)
{
	int rc = 1;

	if (v->at == v->have && !v->ended) {
		v->at = v->have = 0;
		rc = lines_piece(v->lines, &v->piece, &v->have, e);
		v->ended = rc <= 0;
	}
	if (rc < 0 || v->ended)
		return rc < 0 ? rc : 0;
	*c = v->piece[v->at];
	return 1;
}

static void take(struct values *v, char c, int keep)
{
	v->at++;
	v->line += c == '\n';
	v->new_line = c == '\n';
	if (keep && v->text.n <= v->max)
		strbuf_putc(&v->text, c);
}

/* The byte order mark and what is before the first value; then it is known whether there is an array. */
static int begin(struct values *v, struct error *e)
{
	char c;
	int rc;

	while ((rc = peek(v, &c, e)) > 0 && (is_space(c) || (v->line == 1 && strchr("\xEF\xBB\xBF", c) && c)))
		take(v, c, 0);
	v->begun = 1;
	if (rc > 0 && c == '[') {
		v->in_array = 1;
		take(v, c, 0);
	}
	return rc;
}

/* Blanks, and in an array its commas and its end; 1: a value begins, 0: the end of the file. */
static int skip_to_value(struct values *v, struct error *e)
{
	char c;
	int rc;

	while ((rc = peek(v, &c, e)) > 0 && (is_space(c) || (v->in_array && (c == ',' || c == ']')))) {
		v->in_array = v->in_array && c != ']';
		take(v, c, 0);
	}
	return rc;
}

static void step_in_string(struct values *v, char c)
{
	/* No string of JSON goes over a line: what is cut short ends with it. */
	if ((c == '"' && !v->escaped) || c == '\n')
		v->in_string = 0;
	v->escaped = c == '\\' && !v->escaped;
}

/* Takes the next byte into the value; true when the value ends, with this byte or before it. */
static int step(struct values *v, char c)
{
	int open = c == '{' || c == '[', close = c == '}' || c == ']';

	if (!v->in_array && v->new_line && c == '{')
		return 1; /* what came before is cut short */
	if (v->in_string) {
		step_in_string(v, c);
		take(v, c, 1);
		return 0;
	}
	if (v->depth == 0 && (v->in_array ? c == ',' || c == ']' : c == '\n'))
		return 1;
	v->in_string = c == '"';
	v->escaped = 0;
	int ends = close && v->depth == 1 && !v->in_array;
	v->depth += open;
	v->depth -= close && v->depth > 0;
	take(v, c, 1);
	return ends;
}

int values_next(struct values *v, size_t max, struct value *out, struct error *e)
{
	int rc = v->begun ? 1 : begin(v, e), ends = 0;
	char c;

	if (rc < 0 || (rc = skip_to_value(v, e)) < 0)
		return rc;
	strbuf_clear(&v->text);
	v->max = max;
	v->depth = 0;
	v->in_string = v->escaped = v->new_line = 0;
	v->first_line = v->line;
	while (rc > 0 && !ends && (rc = peek(v, &c, e)) > 0)
		ends = step(v, c);
	if (rc < 0)
		return rc;
	if (v->text.failed)
		return no_memory(e);
	if (v->text.n == 0 && !v->in_array)
		return 0;
	*out = (struct value){ .s = v->text.n ? v->text.p : "",
			       .n = v->text.n,
			       .number = v->in_array ? ++v->element : v->first_line,
			       .cut = rc == 0 && v->in_array };
	v->in_array = v->in_array && rc > 0;
	return 1;
}
