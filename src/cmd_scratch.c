#include "cmd_scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"

#define REST_US 300000
#define SETTLE_US 120000000
#define MAX_DEPTH 16

/* A folder of our own making, and all in it. What cannot be removed stays: nothing depends on it. */
static void remove_folder(const char *path, int depth)
{
	char **names, child[4096];
	size_t n;
	struct error ignored;

	if (folder_list(path, &names, &n, &ignored) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (snprintf(child, sizeof(child), "%s/%s", path, names[i]) >= (int)sizeof(child))
			continue;
		if (file_is_folder(child) && depth < MAX_DEPTH)
			remove_folder(child, depth + 1);
		else
			file_remove(child, &ignored);
	}
	free(names);
	rmdir(path);
}

int scratch_open(const char *keep, const struct workplace_options *options, struct scratch *s,
		 struct error *e)
{
	const char *tmp = getenv("TMPDIR");
	size_t room = sizeof(s->folder);
	int n = keep ? snprintf(s->folder, room, "%s", keep)
		     : snprintf(s->folder, room, "%s/readback-XXXXXX", tmp && *tmp ? tmp : "/tmp");

	s->temporary = !keep;
	if (n >= (int)room)
		return error_set(e, ERR_FOLDER, NULL, "the path of the data folder is too long");
	if (!keep && !mkdtemp(s->folder))
		return error_set(e, ERR_FOLDER, NULL, "cannot make a temporary folder %s: %s", s->folder,
				 strerror(errno));
	struct workplace_options o = *options;
	o.data = s->folder;
	int rc = workplace_open(&o, &s->place, e);
	if (rc < 0 && s->temporary)
		remove_folder(s->folder, 0);
	return rc;
}

void scratch_close(struct scratch *s)
{
	workplace_close(&s->place);
	if (s->temporary)
		remove_folder(s->folder, 0);
}

struct call scratch_call(struct arena *a, struct error *e)
{
	return (struct call){
		.arena = a, .rights = &cli_rights, .err = e, .if_match = CALL_NO_MATCH, .may_set_time = 1
	};
}

static void bad_line(void *arg, const char *file, uint64_t line, const struct error *e)
{
	(void)arg;
	fprintf(stderr, "%s:%llu: %s%s%s\n", file, (unsigned long long)line, e->param,
		e->param[0] ? ": " : "", e->message);
}

static int import_line(struct importer *m, const char *path, uint64_t number, const char *s, size_t n,
		       const char *const *fields, struct error *e)
{
	struct error why;
	JSON_AUTO *line = NULL, *kept = json_object();
	int rc = kept ? json_parse(s, n, &why, &line) : ERR_NO_MEMORY;

	if (rc < 0)
		return importer_refuse(m, path, number, &why, e);
	for (size_t i = 0; fields[i]; i++) {
		json_t *v = json_object_get(line, fields[i]);
		if (v)
			json_object_set(kept, fields[i], v);
	}
	size_t len;
	char *text = json_text(kept, &len);
	rc = text ? importer_add(m, path, number, text, len, e) : no_memory(e);
	free(text);
	return rc;
}

int scratch_import(struct scratch *s, enum import_what what, const char *path, const char *const *fields,
		   struct import_progress *p, struct error *e)
{
	struct importer_options o = {
		.what = what, .rights = &cli_rights, .bad = bad_line, .stop = &cmd_stop
	};
	struct progress bar;
	struct importer *m;
	struct lines *lines = NULL;
	uint64_t number = 0;
	const char *line;
	size_t n;
	int64_t bytes = file_size(path);
	int rc = importer_open(&s->place.desk, &o, &m, e);

	if (rc < 0)
		return rc;
	progress_start(&bar, path);
	rc = lines_open(path, &lines, e);
	while (rc == 0 && (rc = lines_next(lines, IMPORT_MAX_LINE, &line, &n, e)) > 0) {
		number++;
		rc = n ? import_line(m, path, number, line, n, fields, e) : 0;
		int64_t at = lines_offset(lines);
		progress_show(&bar, (int64_t)number,
			      at > 0 ? (int64_t)((double)number * (double)bytes / (double)at) : 0);
	}
	if (rc == 0)
		rc = importer_flush(m, e);
	progress_end(&bar, (int64_t)number);
	lines_close(lines);
	*p = *importer_progress(m);
	importer_close(m);
	return rc;
}

int scratch_settle(struct scratch *s, struct error *e)
{
	int64_t until = clock_mono_us() + SETTLE_US;
	size_t rows = (size_t)-1, segments = 0;

	while (clock_mono_us() < until && !cmd_stop) {
		struct arena *a = arena_new(4096);
		struct engine_status st = { 0 };
		int rc = a ? engine_status(s->place.engine, a, &st, e) : no_memory(e);
		arena_free(a);
		if (rc < 0)
			return rc;
		if (st.index.graph_rows == rows && st.index.segments == segments)
			return 0;
		rows = st.index.graph_rows;
		segments = st.index.segments;
		usleep(REST_US);
	}
	return 0;
}

int each_line(const char *path, int (*each)(void *arg, json_t *line, struct error *e), void *arg,
	      struct error *e)
{
	struct lines *lines;
	unsigned long number = 0;
	const char *s;
	size_t n;
	int rc = lines_open(path, &lines, e);

	if (rc < 0)
		return rc;
	while ((rc = lines_next(lines, IMPORT_MAX_LINE, &s, &n, e)) > 0) {
		JSON_AUTO *line = NULL;
		struct error why = { 0 };
		number++;
		if (n == 0)
			continue;
		if ((rc = json_parse(s, n, &why, &line)) == 0)
			rc = json_is_object(line) ? each(arg, line, &why)
						  : error_set(&why, ERR_WRONG_TYPE, NULL, "is no object");
		if (rc < 0) {
			rc = error_set(e, why.code, NULL, "%s:%lu: %s%s%s", path, number, why.param,
				       why.param[0] ? ": " : "", why.message);
			break;
		}
	}
	lines_close(lines);
	return rc;
}
