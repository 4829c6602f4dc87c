/*
 * sync.h: what makes a folder and its documents stay the same: which files a
 * walk met, and that the documents of the others go.
 *
 * The documents of a folder are those of its source. Without a name of its
 * own a folder's source is its name, "-" and eight digits of a hash of its
 * path, so that two folders called "docs" do not delete each other's. One
 * thread.
 */
#ifndef READBACK_INGEST_SYNC_H
#define READBACK_INGEST_SYNC_H

#include "ingest/ingest.h"

struct sync;

/* `name` may be NULL. */
int sync_open(const char *folder, const char *name, struct sync **out, struct error *e);
void sync_close(struct sync *s); /* NULL is fine */

const char *sync_source(const struct sync *s);

/* The id of the file at `path` below the folder: the path, behind the source and ":" if the folder has a name of its own. */
int sync_file(struct sync *s, struct arena *a, const char *path, const char **id, struct error *e);

/*
 * Deletes the documents of the source whose files were not met. A folder in
 * which no file was met deletes nothing: it is more often a disk that is not
 * there than a knowledge base without articles.
 */
int sync_delete(struct sync *s, struct desk *d, const struct rights *rights, const volatile int *stop,
		uint64_t *deleted, struct error *e);

#endif
