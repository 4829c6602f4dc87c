/* embedded_check.c: the two commands that work on a folder as a whole: verify and reindex. */
#include "engine/embedded_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "store/rebuild.h"

int embedded_verify(const struct embedded_options *o, size_t *differences, struct error *e)
{
	struct embedded *g;
	int rc = embedded_open_store(o, &g, e);

	if (rc < 0)
		return rc;
	rc = rebuild_compare(g->database, g->tables, g->secret, differences, e);
	embedded_release(g);
	return rc;
}

static int drop_files(const char *folder, struct error *e)
{
	char path[4096], **names;
	size_t n;
	int rc = folder_list(folder, &names, &n, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, names[i]) >= sizeof(path))
			rc = error_set(e, ERR_FOLDER, NULL, "the path is too long");
		else
			rc = file_remove(path, e);
	}
	free(names);
	return rc;
}

static int build_index(struct index *x, void (*progress)(void *arg, size_t done, size_t total), void *arg,
		       struct error *e)
{
	struct index_stats s;
	int more;

	do {
		more = index_maintain(x, 1, e);
		index_stats(x, &s);
		if (progress && more >= 0)
			progress(arg, more ? s.graph_rows : s.rows, s.rows);
	} while (more > 0);
	return more;
}

int embedded_reindex(const struct embedded_options *o, void (*progress)(void *arg, size_t done, size_t total),
		     void *arg, struct error *e)
{
	struct embedded *g;
	int rc;

	if (o->read_only)
		return error_set(e, ERR_READ_ONLY, NULL,
				 "the index can only be built in a folder that is open for writing");
	rc = embedded_open_store(o, &g, e);
	if (rc < 0)
		return rc;
	rc = drop_files(g->index_folder, e);
	if (rc == 0)
		rc = load_index(g, g->next_seq - 1, &g->index, e);
	if (rc == 0)
		rc = build_index(g->index, progress, arg, e);
	if (rc == 0)
		rc = save_index(g, e);
	embedded_release(g);
	return rc;
}
