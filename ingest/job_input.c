#include "ingest/job_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "desk/bodies.h"

static const char suffix[] = ".ndjson";

static int path_of(const char *folder, const char *id, char *path, size_t room, struct error *e)
{
	int n = snprintf(path, room, "%s/%s%s", folder, id, suffix);

	return n < 0 || (size_t)n >= room ? error_set(e, ERR_IO, NULL, "%s: the path is too long", folder)
					  : 0;
}

int job_input_write(const char *folder, const char *id, const char *s, size_t n, struct error *e)
{
	char path[4096];
	int rc = path_of(folder, id, path, sizeof(path), e);

	return rc < 0 ? rc : file_write(path, s, n, e);
}

int job_input_map(const char *folder, const char *id, struct text *out, struct error *e)
{
	char path[4096];
	const void *p;
	int rc = path_of(folder, id, path, sizeof(path), e);

	if (rc == 0)
		rc = file_map(path, &p, &out->n, e);
	if (rc == 0)
		out->s = p;
	return rc;
}

void job_input_unmap(struct text input)
{
	file_unmap(input.s, input.n);
}

int job_input_remove(const char *folder, const char *id, struct error *e)
{
	char path[4096];
	int rc = path_of(folder, id, path, sizeof(path), e);

	return rc < 0 ? rc : file_remove(path, e);
}

/* 1: the job is still to be done, or goes on. */
static int is_wanted(struct engine *g, struct arena *a, const char *id, struct error *e)
{
	struct record job;
	int rc = engine_get(g, RECORD_JOB, id, a, &job, e);

	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0)
		return rc;
	const char *state = body_string(job.body, "state");
	return strcmp(state, "queued") == 0 || strcmp(state, "running") == 0;
}

static int sweep(const char *folder, const char *name, struct engine *g, struct arena *a, struct error *e)
{
	size_t n = strlen(name), k = strlen(suffix);
	char path[4096];

	/* What has another name is a write that was cut off. */
	if (n > k && strcmp(name + n - k, suffix) == 0) {
		int rc = is_wanted(g, a, arena_strndup(a, name, n - k), e);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	int len = snprintf(path, sizeof(path), "%s/%s", folder, name);
	return len < 0 || (size_t)len >= sizeof(path) ? 0 : file_remove(path, e);
}

int job_inputs_open(const char *folder, struct engine *g, struct error *e)
{
	struct arena *a;
	char **names = NULL;
	size_t n = 0;
	int rc = folder_make(folder, e);

	if (rc == 0)
		rc = folder_list(folder, &names, &n, e);
	if (rc < 0)
		return rc;
	a = arena_new(4096);
	rc = a ? 0 : no_memory(e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = sweep(folder, names[i], g, a, e);
	free(names);
	arena_free(a);
	return rc;
}
