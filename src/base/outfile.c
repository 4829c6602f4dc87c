#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER 65536

struct outfile {
	int fd, failed; /* failed: errno of the first write that did */
	enum outfile_use use;
	struct sha256 hash;
	uint64_t written; /* without what is in the buffer */
	size_t n;
	char buffer[BUFFER];
};

int outfile_open(const char *path, enum outfile_use use, struct outfile **out, struct error *e)
{
	struct outfile *o = calloc(1, sizeof(*o));

	if (!o)
		return no_memory(e);
	o->use = use;
	o->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (o->fd < 0 || (use == OUTFILE_SPOOL && unlink(path) < 0)) {
		int rc = error_errno(e, path);
		outfile_drop(o);
		return rc;
	}
	sha256_init(&o->hash);
	*out = o;
	return 0;
}

static void put(struct outfile *o, const char *p, size_t n)
{
	while (n > 0 && !o->failed) {
		ssize_t did = write(o->fd, p, n);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0) {
			o->failed = errno;
			return;
		}
		p += did;
		n -= (size_t)did;
		o->written += (uint64_t)did;
	}
}

static void flush(struct outfile *o)
{
	put(o, o->buffer, o->n);
	o->n = 0;
}

void outfile_add(struct outfile *o, const void *p, size_t n)
{
	if (o->use == OUTFILE_NAMED)
		sha256_add(&o->hash, p, n);
	if (o->n + n > BUFFER)
		flush(o);
	if (n > BUFFER) {
		put(o, p, n);
		return;
	}
	if (n)
		memcpy(o->buffer + o->n, p, n);
	o->n += n;
}

uint64_t outfile_bytes(const struct outfile *o)
{
	return o->written + o->n;
}

static int told(const struct outfile *o, struct error *e)
{
	if (!o->failed)
		return 0;
	errno = o->failed;
	return error_errno(e, "a file of the export cannot be written");
}

int outfile_read(struct outfile *o, uint64_t at, void *p, size_t n, struct error *e)
{
	char *to = p;

	flush(o);
	if (o->failed)
		return told(o, e);
	while (n > 0) {
		ssize_t got = pread(o->fd, to, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_errno(e, "a temporary file cannot be read");
		if (got == 0)
			return error_set(e, ERR_IO, NULL, "a temporary file is shorter than it was");
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int outfile_end(struct outfile *o, char hash[SHA256_TEXT], struct error *e)
{
	int rc;

	flush(o);
	if (!o->failed && fsync(o->fd) < 0)
		o->failed = errno;
	if (close(o->fd) < 0 && !o->failed)
		o->failed = errno;
	o->fd = -1;
	rc = told(o, e);
	if (rc == 0 && hash)
		sha256_end_text(&o->hash, hash);
	outfile_drop(o);
	return rc;
}

void outfile_drop(struct outfile *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}
