#include "datasets/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "datasets/rows.h"

#define FASTTEXT "__label__"
#define MAX_LABEL 256 /* bytes; as of an example */

struct row {
	const char *id, *label; /* id: "line 7" where there is none */
	size_t next;            /* the next row with the same text + 1; 0: none */
};

struct labels {
	struct arena *arena;
	struct map *ids, *texts; /* -> row + 1, the last one with the text */
	struct row *rows;
	size_t n, cap;
};

/* Predictions while they are read. */
struct reading {
	struct labels *labels;
	const char **out;
	struct told *told;
	enum { UNKNOWN, LINES, OBJECTS } form;
	size_t lines; /* of labels alone */
};

void labels_free(struct labels *l)
{
	if (!l)
		return;
	map_free(l->ids);
	map_free(l->texts);
	arena_free(l->arena);
	free(l);
}

size_t labels_count(const struct labels *l)
{
	return l->n;
}

const char *labels_true(const struct labels *l, size_t row)
{
	return l->rows[row].label;
}

static int is_fasttext(const char *s)
{
	return strncmp(s, FASTTEXT, strlen(FASTTEXT)) == 0;
}

/* The label of "__label__LABEL …" in the arena, and what follows it; NULL without memory. */
static const char *cut_label(struct arena *a, const char *line, const char **rest)
{
	const char *s = line + strlen(FASTTEXT);
	size_t n = strcspn(s, " \t");

	*rest = s + n + strspn(s + n, " \t");
	return arena_strndup(a, s, n);
}

static int check_label(const char *label, struct error *e)
{
	if (!label || !*label)
		return error_set(e, ERR_MISSING_FIELD, "label", "is required");
	if (strlen(label) > MAX_LABEL)
		return error_set(e, ERR_TOO_LARGE, "label", "has more than %d bytes", MAX_LABEL);
	return 0;
}

/* --- rows ------------------------------------------------------------------------------------------------- */

static int add_row(struct labels *l, struct row row, const char *text, int named, struct error *e)
{
	uint64_t *last = map_put(l->texts, text, strlen(text), NULL);
	uint64_t *same = named ? map_put(l->ids, row.id, strlen(row.id), NULL) : NULL;

	if (!last || (named && !same) || ARENA_GROW(l->arena, l->rows, l->n, l->cap) < 0)
		return no_memory(e);
	if (same && *same)
		return error_set(e, ERR_BAD_VALUE, "id", "%.100s has a line already", row.id);
	row.next = (size_t)*last;
	l->rows[l->n++] = row;
	*last = l->n;
	if (same)
		*same = l->n;
	return 0;
}

static int read_row(void *arg, const char *line, size_t n, unsigned long number, struct error *e)
{
	struct labels *l = arg;
	struct row row = { .id = arena_printf(l->arena, "line %lu", number) };
	const char *text, *id = NULL;
	json_t *j;
	int rc = 0;

	if (n == 0)
		return 0;
	if (is_fasttext(line)) {
		row.label = cut_label(l->arena, line, &text);
		if (is_fasttext(text))
			return error_set(e, ERR_BAD_VALUE, "label", "here are two of them");
	} else {
		if ((rc = json_parse_arena(l->arena, line, n, e, &j)) < 0)
			return rc;
		text = json_string_value(json_object_get(j, "text"));
		row.label = json_string_value(json_object_get(j, "label"));
		id = json_string_value(json_object_get(j, "id"));
	}
	if (!text || !*text)
		return error_set(e, ERR_MISSING_FIELD, "text", "is required");
	if ((rc = check_label(row.label, e)) < 0)
		return rc;
	row.id = id ? id : row.id;
	return row.id ? add_row(l, row, text, id != NULL, e) : no_memory(e);
}

int labels_read(const char *path, struct labels **out, struct error *e)
{
	struct labels *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return no_memory(e);
	l->arena = arena_new(64 << 10);
	l->ids = map_new();
	l->texts = map_new();
	rc = l->arena && l->ids && l->texts ? rows_each(path, read_row, l, e) : no_memory(e);
	if (rc == 0 && l->n == 0)
		rc = error_set(e, ERR_BAD_VALUE, NULL, "%s: no example", path);
	if (rc < 0) {
		labels_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

/* --- predictions ------------------------------------------------------------------------------------------ */

static int predict_line(struct reading *r, const char *line, struct error *e)
{
	struct labels *l = r->labels;
	const char *rest = "", *label = *line ? arena_strdup(l->arena, line) : NULL;

	if (r->lines == l->n)
		return error_set(e, ERR_BAD_VALUE, NULL,
				 "there are more labels than the %zu rows that they are of", l->n);
	if (is_fasttext(line))
		label = cut_label(l->arena, line, &rest);
	if (*line && !label)
		return no_memory(e);
	r->out[r->lines++] = label;
	return label ? check_label(label, e) : 0;
}

static int predict_object(struct reading *r, const char *line, size_t n, unsigned long number,
			  struct error *e)
{
	struct labels *l = r->labels;
	json_t *j;
	int rc = json_parse_arena(l->arena, line, n, e, &j);

	if (rc < 0)
		return rc;
	const char *id = json_string_value(json_object_get(j, "id"));
	const char *text = json_string_value(json_object_get(j, "text"));
	const char *label = json_string_value(json_object_get(j, "label"));
	if (!id && !text)
		return error_set(e, ERR_MISSING_FIELD, "id", "is required, or the text");
	if (!json_is_null(json_object_get(j, "label")) && (rc = check_label(label, e)) < 0)
		return rc;
	const uint64_t *row = id ? map_get(l->ids, id, strlen(id)) : map_get(l->texts, text, strlen(text));
	if (!row) {
		const char *name = id ? id : arena_printf(l->arena, "line %lu", number);
		told_add(&r->told->unknown, name ? name : "");
		return 0;
	}
	for (size_t i = (size_t)*row; label && i > 0; i = id ? 0 : l->rows[i - 1].next) {
		if (r->out[i - 1] && strcmp(r->out[i - 1], label) != 0)
			return error_set(e, ERR_BAD_VALUE, "label", "another one was given for this before");
		r->out[i - 1] = label;
	}
	return 0;
}

static int read_prediction(void *arg, const char *line, size_t n, unsigned long number, struct error *e)
{
	struct reading *r = arg;

	if (r->form == UNKNOWN && n)
		r->form = line[strspn(line, " \t")] == '{' ? OBJECTS : LINES;
	if (r->form == OBJECTS)
		return n ? predict_object(r, line, n, number, e) : 0;
	return predict_line(r, line, e);
}

int labels_predicted(struct labels *l, const char *path, const char **out, struct told *told, struct error *e)
{
	struct reading r = { .labels = l, .out = out, .told = told };

	memset(told, 0, sizeof(*told));
	for (size_t i = 0; i < l->n; i++)
		out[i] = NULL;
	int rc = rows_each(path, read_prediction, &r, e);
	if (rc == 0 && r.form != OBJECTS && r.lines != l->n)
		rc = error_set(e, ERR_BAD_VALUE, NULL,
			       "%s: %zu labels, but there are %zu rows that they are of", path, r.lines,
			       l->n);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		if (!out[i])
			told_add(&told->missing, l->rows[i].id);
	return rc;
}
