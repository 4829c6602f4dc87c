/*
 * outfile.h: a file that is written piece by piece, because nobody wants to
 * hold the whole of it in memory.
 *
 * A *named* one is hashed as it is written, and is on disk after outfile_end().
 * A *spool* has no name from the beginning on: it is read back, and is gone
 * with the process. One thread at a time. Failures of adding are sticky:
 * outfile_read() and outfile_end() tell.
 */
#ifndef READBACK_BASE_OUTFILE_H
#define READBACK_BASE_OUTFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/error.h"

enum outfile_use { OUTFILE_NAMED, OUTFILE_SPOOL };

struct outfile;

/* Makes the file, which must not be there. ERR_IO, ERR_DISK_FULL, ERR_NO_MEMORY. */
int outfile_open(const char *path, enum outfile_use use, struct outfile **out, struct error *e);

void outfile_add(struct outfile *o, const void *p, size_t n);
uint64_t outfile_bytes(const struct outfile *o); /* added so far */

/* `n` bytes that were added from `at` on. */
int outfile_read(struct outfile *o, uint64_t at, void *p, size_t n, struct error *e);

/* Syncs, closes and frees it, also on failure; `hash` may be NULL. What is left of a failed file is the caller's. */
int outfile_end(struct outfile *o, char hash[SHA256_TEXT], struct error *e);

/* Closes and frees it, whatever became of it; NULL is fine. */
void outfile_drop(struct outfile *o);

#endif
