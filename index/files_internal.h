/*
 * files_internal.h: what files.c (manifest, loading, saving) and
 * files_segment.c (a segment's file) share. Nobody else includes it.
 */
#ifndef READBACK_INDEX_FILES_INTERNAL_H
#define READBACK_INDEX_FILES_INTERNAL_H

#include "index/index_internal.h"

#define FILES_VERSION 2
#define FILES_ORDER 0x01020304u

/* What a manifest says of a segment. */
struct manifest_segment {
	uint64_t number;
	uint32_t collection, docs, crc, dead;
};

#define FILES_PATH 4096
#define FILES_NAME 64

int files_path(const struct index *x, const char *name, char out[FILES_PATH], struct error *e);
/* ERR_CORRUPT, with the path and the reason. */
int files_broken(struct error *e, const char *path, const char *why);

void segment_file_name(char out[FILES_NAME], uint32_t collection, uint64_t number);
/* Writes a segment and marks it as saved. */
int segment_file_write(const struct index *x, struct segment *s, struct error *e);
/* The file that the manifest names, if it is whole: ERR_CORRUPT if not, ERR_NOT_FOUND if it is not there. */
int segment_file_check(const struct index *x, const struct manifest_segment *m, struct error *e);
int segment_file_read(const struct index *x, const struct manifest_segment *m, struct segment **out,
		      struct error *e);

#endif
