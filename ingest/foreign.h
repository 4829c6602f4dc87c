/*
 * foreign.h: files of other tools, made into import lines of ours, which then
 * go the way of all lines. A format is one file, in_x.c, that ends in its
 * descriptor; foreign.c has the list of them. Internal to ingest/.
 *
 * A format knows nothing of files: it is given a line of text or a value of
 * JSON, and makes the object that `readback import` takes. What is wrong is
 * said of the field as the other tool calls it.
 */
#ifndef READBACK_INGEST_FOREIGN_H
#define READBACK_INGEST_FOREIGN_H

#include "base/file.h"
#include "base/json.h"
#include "ingest/import.h"

struct import_format {
	const char *name;
	enum import_what what;
	/* One of the two. *out is the arena's; NULL when there is nothing in it. Errors are of the line. */
	int (*line)(struct arena *a, const json_t *labels, struct text in, json_t **out, struct error *why);
	int (*value)(struct arena *a, json_t *in, json_t **out, struct error *why);
};

/* clang-format off: one a line */
extern const struct import_format in_argilla, in_fasttext, in_label_studio, in_openai, in_vcon;
/* clang-format on */

/* A file of a format on its way to an importer. */
struct foreign;

/*
 * Borrows all. Looks for the manifest of a dataset beside the file or its folder, which knows
 * what labels were before a format changed them.
 */
int foreign_open(const struct import_format *format, struct importer *m, const char *path,
		 struct foreign **out, struct error *e);
void foreign_close(struct foreign *f); /* NULL is fine */

/* True if the format is one of lines, for foreign_line; else foreign_values reads all of the file. */
int foreign_has_lines(const struct foreign *f);
/* As importer_add. */
int foreign_line(struct foreign *f, const char *file, uint64_t line, const char *s, size_t n,
		 struct error *e);
int foreign_values(struct foreign *f, const char *file, struct lines *l, struct error *e);

/* --- what several formats need ------------------------------------------------------------------------ */

/* An import line of an example. `at` may be NULL. */
int example_line(struct arena *a, struct text text, struct text label, const json_t *at, json_t **out,
		 struct error *why);
/* The value of a string of JSON. */
struct text string_text(const json_t *s);

#endif
