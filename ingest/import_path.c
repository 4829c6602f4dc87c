/*
 * Files and folders as lines: what is read from disk goes to an importer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/utf8.h"
#include "ingest/document.h"
#include "ingest/foreign.h"
#include "ingest/import.h"
#include "ingest/sync.h"

#define MAX_DEPTH 32 /* of folders: a link that points upwards ends somewhere */

struct walk {
	struct importer *importer;
	const struct import_options *o;
	int64_t bytes_done, bytes_total;
	struct lines *lines;     /* the file under way */
	struct sync *sync;       /* of a folder of documents */
	struct foreign *foreign; /* of a file of another tool */
	uint64_t deleted;
};

static struct import_progress progress_of(const struct walk *w)
{
	struct import_progress p = *importer_progress(w->importer);

	p.bytes_total = w->bytes_total;
	p.deleted = w->deleted;
	p.bytes_done = w->lines ? w->bytes_done + lines_offset(w->lines) : w->bytes_done;
	return p;
}

static void bad_line(void *arg, const char *file, uint64_t line, const struct error *error)
{
	struct walk *w = arg;
	struct import_progress p = progress_of(w);

	if (w->o->report)
		w->o->report(w->o->arg, file, line, error, &p);
}

static int batch_done(void *arg, const struct import_progress *done, struct error *e)
{
	struct walk *w = arg;
	struct import_progress p = progress_of(w);

	(void)done;
	(void)e;
	if (w->o->report)
		w->o->report(w->o->arg, NULL, 0, NULL, &p);
	return 0;
}

/* Without a byte order mark on the first line, and without a CR at the end of any. */
static void trim_line(uint64_t line, const char **s, size_t *n)
{
	if (line == 1 && *n >= 3 && memcmp(*s, "\xEF\xBB\xBF", 3) == 0) {
		*s += 3;
		*n -= 3;
	}
	if (*n && (*s)[*n - 1] == '\r')
		--*n;
}

static int add_line(struct walk *w, const char *name, uint64_t line, const char *s, size_t n, struct error *e)
{
	if (n > IMPORT_MAX_LINE) {
		struct error why;
		error_set(&why, ERR_TOO_LARGE, NULL, "the line is longer than %u bytes", IMPORT_MAX_LINE);
		return importer_refuse(w->importer, name, line, &why, e);
	}
	trim_line(line, &s, &n);
	return w->foreign ? foreign_line(w->foreign, name, line, s, n, e)
			  : importer_add(w->importer, name, line, s, n, e);
}

static int add_lines(struct walk *w, const char *name, struct error *e)
{
	uint64_t line = 0;
	const char *s;
	size_t n;
	int rc;

	if (w->foreign && !foreign_has_lines(w->foreign))
		return foreign_values(w->foreign, name, w->lines, e);
	while ((rc = lines_next(w->lines, IMPORT_MAX_LINE, &s, &n, e)) > 0)
		if ((rc = add_line(w, name, ++line, s, n, e)) < 0)
			break;
	return rc;
}

static int import_lines(struct walk *w, const char *path, const char *name, struct error *e)
{
	int rc = lines_open(path, &w->lines, e);

	if (rc < 0)
		return rc;
	rc = add_lines(w, name, e);
	/* A file that breaks off: what came before goes in. */
	if (rc < 0 && (rc == ERR_CORRUPT || rc == ERR_IO))
		importer_flush(w->importer, NULL);
	else if (rc == 0)
		rc = importer_flush(w->importer, e);
	lines_close(w->lines);
	w->lines = NULL;
	return rc;
}

static int has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), k = strlen(ending);

	return n > k && strcmp(name + n - k, ending) == 0;
}

static const char *const text_endings[] = { ".md", ".txt", ".html", ".htm" };

static int is_text_file(const char *path)
{
	for (size_t i = 0; i < sizeof(text_endings) / sizeof(text_endings[0]); i++)
		if (has_ending(path, text_endings[i]))
			return 1;
	return 0;
}

/* The file's name without folders and ending. */
static struct text stem_of(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	return (struct text){ name, (size_t)(strrchr(name, '.') - name) };
}

/* What is wrong with a file's text, if anything. */
static int check_text(const char *s, size_t n, struct error *why)
{
	if (utf8_valid(s, n) != n || (n && memchr(s, '\0', n)))
		return error_set(why, ERR_BAD_UTF8, "text", "invalid UTF-8 or a NUL in the file");
	if (n > DOCUMENT_MAX_TEXT)
		return error_set(why, ERR_TOO_LARGE, "text", "the file is longer than %u bytes",
				 DOCUMENT_MAX_TEXT);
	return 0;
}

/* The text of a file as an import line; the caller frees. NULL: `why` says what is wrong with it. */
static char *line_of_file(struct arena *a, const struct walk *w, const char *path, const char *id,
			  struct text file, size_t *len, struct error *why)
{
	struct text text = file, title = { NULL, 0 };
	int rc = check_text(file.s, file.n, why);

	if (rc == 0 && file.n >= 3 && memcmp(file.s, "\xEF\xBB\xBF", 3) == 0)
		text = (struct text){ file.s + 3, file.n - 3 };
	if (rc == 0 && has_ending(path, ".md"))
		rc = markdown_text(a, text.s, text.n, &text, &title, why);
	else if (rc == 0 && !has_ending(path, ".txt"))
		rc = html_text(a, text.s, text.n, &text, &title, why);
	if (rc == 0 && text.n == 0)
		rc = error_set(why, ERR_EMPTY_TEXT, "text", "the file has no text");
	if (rc < 0)
		return NULL;
	if (!title.s)
		title = stem_of(path);
	json_t *j = json_keep(a, json_pack("{s:s, s:s%, s:s%, s:s}", "_id", id, "title", title.s, title.n,
					   "text", text.s, text.n, "source", sync_source(w->sync)));
	char *line = j ? json_text(j, len) : NULL;
	if (!line)
		no_memory(why);
	return line;
}

static int import_text(struct walk *w, const char *path, const char *below, struct error *e)
{
	struct arena *a = arena_new(64 << 10);
	struct error why = { 0 };
	const char *id = NULL;
	char *s = NULL, *line = NULL;
	size_t n = 0, len = 0;
	int rc = a ? sync_file(w->sync, a, below, &id, e) : no_memory(e);

	if (rc == 0 && (rc = file_read(path, &s, &n, e)) == 0) {
		line = line_of_file(a, w, below, id, (struct text){ s, n }, &len, &why);
		rc = line ? importer_add(w->importer, path, 1, line, len, e)
			  : importer_refuse(w->importer, path, 1, &why, e);
	}
	w->bytes_done += (int64_t)n;
	free(line);
	free(s);
	arena_free(a);
	return rc;
}

static int import_folder(struct walk *w, const char *path, const char *prefix, int depth, struct error *e);

static int import_entry(struct walk *w, const char *path, const char *below, int depth, struct error *e)
{
	if (file_is_folder(path))
		return depth < MAX_DEPTH ? import_folder(w, path, below, depth + 1, e) : 0;
	if (has_ending(path, ".ndjson") || has_ending(path, ".jsonl"))
		return import_lines(w, path, path, e);
	if (w->o->what == IMPORT_DOCUMENTS && is_text_file(path))
		return import_text(w, path, below, e);
	return 0;
}

/* Entries by name, hidden ones left out. `prefix` is the folder's path below the one that was named, "" for that. */
static int import_folder(struct walk *w, const char *path, const char *prefix, int depth, struct error *e)
{
	char **names, child[4096], below[4096];
	size_t n;
	int rc = folder_list(path, &names, &n, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (names[i][0] == '.')
			continue;
		int long_path = snprintf(child, sizeof(child), "%s/%s", path, names[i]) >= (int)sizeof(child);
		snprintf(below, sizeof(below), "%s%s%s", prefix, *prefix ? "/" : "", names[i]);
		rc = long_path ? error_set(e, ERR_IO, NULL, "%.200s…: the path is too long", child)
			       : import_entry(w, child, below, depth, e);
	}
	free(names);
	return rc;
}

static int import_all(struct walk *w, struct desk *d, const char *folder, struct error *e)
{
	int rc = sync_open(folder, w->o->source, &w->sync, e);

	if (rc == 0)
		rc = import_folder(w, folder, "", 0, e);
	if (rc == 0)
		rc = importer_flush(w->importer, e);
	if (rc == 0 && w->o->what == IMPORT_DOCUMENTS)
		rc = sync_delete(w->sync, d, w->o->rights, w->o->stop, &w->deleted, e);
	return rc;
}

static int import_any(struct walk *w, struct desk *d, const char *path, struct error *e)
{
	int folder = file_is_folder(path);

	if (folder && w->o->from)
		return error_set(e, ERR_USAGE, NULL, "%s is a folder: --from takes files", path);
	if (folder)
		return import_all(w, d, path, e);
	int rc = w->o->from ? foreign_open(w->o->from, w->importer, path, &w->foreign, e) : 0;
	if (rc < 0)
		return rc;
	if (strcmp(path, "-") == 0)
		return import_lines(w, path, "stdin", e);
	w->bytes_total = file_size(path) < 0 ? 0 : file_size(path);
	return import_lines(w, path, path, e);
}

int import_path(struct desk *d, const char *path, const struct import_options *o, struct import_progress *p,
		struct error *e)
{
	struct walk w = { .o = o };
	struct importer_options io = { .what = o->what,
				       .rights = o->rights,
				       .bad = bad_line,
				       .batch_done = batch_done,
				       .arg = &w,
				       .stop = o->stop };
	int rc = importer_open(d, &io, &w.importer, e);

	if (rc < 0)
		return rc;
	rc = import_any(&w, d, path, e);
	*p = progress_of(&w);
	p->bytes_done = rc == 0 && p->bytes_total ? p->bytes_total : p->bytes_done;
	importer_close(w.importer);
	sync_close(w.sync);
	foreign_close(w.foreign);
	return rc;
}
