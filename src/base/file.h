/*
 * file.h: all file I/O outside SQLite, so that faults can be injected under it.
 *
 * Paths are borrowed. Errors: ERR_DISK_FULL, ERR_IO, ERR_FOLDER, ERR_FOLDER_IN_USE,
 * ERR_NO_MEMORY; ERR_NOT_FOUND where a file that must exist does not.
 */
#ifndef READBACK_BASE_FILE_H
#define READBACK_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/* The whole file; *out has a NUL behind it and is the caller's to free. */
int file_read(const char *path, char **out, size_t *n, struct error *e);

/* As file_read, at an address that is a multiple of `align` (a power of two, of pointers at least). */
int file_read_aligned(const char *path, size_t align, char **out, size_t *n, struct error *e);

/* Read-only map of the whole file; file_unmap() it. An empty file is ERR_CORRUPT. */
int file_map(const char *path, const void **p, size_t *n, struct error *e);
void file_unmap(const void *p, size_t n);

/* Temporary file, fsync, rename, fsync of the folder: the old file or the new one, never half. */
int file_write(const char *path, const void *p, size_t n, struct error *e);

/* The same of several pieces, one behind the other. */
struct file_part {
	const void *p;
	size_t n;
};
int file_write_parts(const char *path, const struct file_part *parts, size_t n, struct error *e);

/* The two halves of file_write for whoever writes by another library: make `tmp`, then publish it as `path`. */
int file_publish(const char *tmp, const char *path, struct error *e);

/* To be read; *fd is the caller's to close. ERR_NOT_FOUND, also for what is no file. */
int file_open(const char *path, int *fd, int64_t *size, struct error *e);
/* Up to n bytes from where the last call stopped; *got 0 at the end. */
int file_pull(int fd, void *p, size_t n, size_t *got, const char *what, struct error *e);

int file_exists(const char *path);
int file_is_folder(const char *path);
int64_t file_size(const char *path);                /* -1 if it cannot be had */
int file_remove(const char *path, struct error *e); /* a missing file is fine */

/* Makes the folder and its parents (mode 0700) and checks that it can be written. */
int folder_make(const char *path, struct error *e);

/* Removes the file, or the folder with all that is in it; links are removed, not followed. A missing one is fine. */
int folder_remove(const char *path, struct error *e);
/* What was made in the folder, or renamed, is there after a power cut. */
int folder_sync(const char *path, struct error *e);

/*
 * Takes the writer's lock of a folder: `path`/lock, with the holder's process
 * id in it. ERR_FOLDER_IN_USE names the holder. *fd is the lock: it lasts
 * until folder_unlock() or the end of the process.
 */
int folder_lock(const char *path, int *fd, struct error *e);
void folder_unlock(int fd);

/*
 * Names (not paths) in a folder, sorted by bytes, "." and ".." left out, as
 * one malloc'ed block of NUL-terminated strings. The caller frees *names.
 */
int folder_list(const char *path, char ***names, size_t *n, struct error *e);

/* Lines of a text stream, gzip accepted by its magic, "-" is stdin. */
struct lines;
int lines_open(const char *path, struct lines **out, struct error *e);
/* 1: *line (no newline, valid until the next call) of *n bytes; 0: the end; < 0: an error. `max`: longest line. */
int lines_next(struct lines *l, size_t max, const char **line, size_t *n, struct error *e);
/* As lines_next, but whatever comes next, as the file is read: for what is not parted by lines. */
int lines_piece(struct lines *l, const char **piece, size_t *n, struct error *e);
int64_t lines_offset(const struct lines *l); /* bytes of the file consumed so far, for progress */
void lines_close(struct lines *l);

#endif
