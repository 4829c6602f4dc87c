/*
 * zip.h: a zip of stored files (APPNOTE 6.3, without zip64), appended to a
 * strbuf. All times are 1980-01-01, so the same files give the same bytes.
 * A plain value, zero at the beginning.
 */
#ifndef READBACK_DATASETS_ZIP_H
#define READBACK_DATASETS_ZIP_H

#include "base/strbuf.h"

struct zip {
	struct strbuf directory; /* its own: zip_release() */
	uint64_t at;             /* bytes of the zip so far */
	uint32_t n;
	int too_large; /* sticky: past 4 GiB or 65,535 files; the zip is of no use then */
};

void zip_add(struct zip *z, const char *name, const char *data, size_t n, struct strbuf *out);
/* Appends the directory; `z` is as new then, but for too_large. */
void zip_end(struct zip *z, struct strbuf *out);
void zip_release(struct zip *z);

#endif
