#include "datasets/provenance.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "datasets/dataset_internal.h"

int provenance_open(const char *folder, struct provenance *out, struct error *e)
{
	char path[DATASET_PATH + 64];
	const void *lines = NULL;

	snprintf(path, sizeof(path), "%.3000s/" DATASET_PROVENANCE, folder);
	int rc = file_map(path, &lines, &out->n, e);
	out->lines = lines;
	return rc;
}

void provenance_close(struct provenance *p)
{
	if (p->lines)
		file_unmap(p->lines, p->n);
	p->lines = NULL;
}

json_t *provenance_next(const struct provenance *p, size_t *at, struct error *e)
{
	const char *line = p->lines + *at, *end = memchr(line, '\n', p->n - *at);
	json_t *j = NULL;
	int rc = end ? json_parse(line, (size_t)(end - line), e, &j) : ERR_CORRUPT;

	if (rc == 0 && *body_string(j, "row")) {
		*at += (size_t)(end - line) + 1;
		return j;
	}
	json_decref(j);
	if (rc == ERR_NO_MEMORY) /* which says nothing of the file */
		return NULL;
	error_set(e, ERR_CORRUPT, NULL, DATASET_PROVENANCE " has a line that is no row, at byte %zu", *at);
	return NULL;
}

json_t *provenance_place(const json_t *row)
{
	return json_pack("{s:s, s:I, s:s, s:s}", "file", body_string(row, "file"), "line",
			 (json_int_t)body_int(row, "line"), "row", body_string(row, "row"), "sha256",
			 body_string(row, "sha256"));
}
