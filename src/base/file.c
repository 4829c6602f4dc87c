#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/grow.h"
#include "base/strbuf.h"

static int open_to_read(const char *path, int *fd, struct error *e)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == ENOENT)
		return error_set(e, ERR_NOT_FOUND, NULL, "%s: no such file", path);
	return error_errno(e, path);
}

int file_read(const char *path, char **out, size_t *n, struct error *e)
{
	STRBUF_AUTO b = STRBUF_INIT;
	char piece[65536];
	ssize_t got;
	int fd, rc = open_to_read(path, &fd, e);

	if (rc < 0)
		return rc;
	while ((got = read(fd, piece, sizeof(piece))) > 0)
		strbuf_add(&b, piece, (size_t)got);
	rc = got < 0 ? error_errno(e, path) : 0;
	close(fd);
	if (rc < 0)
		return rc;
	char *p = strbuf_steal(&b, n);
	if (!p)
		return no_memory(e);
	*out = p;
	return 0;
}

static int read_all(int fd, char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -1 : 1;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int read_aligned(int fd, const char *path, size_t align, char **out, size_t *n, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(e, path);
	size_t size = (size_t)st.st_size;
	char *p = aligned_alloc(align, (size / align + 1) * align);
	if (!p)
		return no_memory(e);
	int rc = read_all(fd, p, size);
	if (rc != 0) {
		free(p);
		return rc < 0 ? error_errno(e, path)
			      : error_set(e, ERR_CORRUPT, NULL, "%s: shorter than it was a moment ago", path);
	}
	*out = p;
	*n = size;
	return 0;
}

int file_read_aligned(const char *path, size_t align, char **out, size_t *n, struct error *e)
{
	int fd, rc = open_to_read(path, &fd, e);

	if (rc < 0)
		return rc;
	rc = read_aligned(fd, path, align, out, n, e);
	close(fd);
	return rc;
}

int file_map(const char *path, const void **p, size_t *n, struct error *e)
{
	struct stat st;
	int fd, rc = open_to_read(path, &fd, e);

	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0) {
		rc = error_errno(e, path);
	} else if (st.st_size <= 0) {
		rc = error_set(e, ERR_CORRUPT, NULL, "%s: the file is empty", path);
	} else {
		void *m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (m == MAP_FAILED) {
			rc = error_errno(e, path);
		} else {
			*p = m;
			*n = (size_t)st.st_size;
		}
	}
	close(fd);
	return rc;
}

void file_unmap(const void *p, size_t n)
{
	if (p)
		munmap((void *)(uintptr_t)p, n);
}

int folder_sync(const char *path, struct error *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(e, path);
	int rc = fsync(fd) < 0 ? error_errno(e, path) : 0;
	close(fd);
	return rc;
}

static int sync_folder_of(const char *path, struct error *e)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path) : 1;

	snprintf(folder, sizeof(folder), "%.*s", n, slash ? path : ".");
	return folder_sync(folder[0] ? folder : "/", e);
}

int file_publish(const char *tmp, const char *path, struct error *e)
{
	int fd, rc = open_to_read(tmp, &fd, e);

	if (rc < 0)
		return rc;
	rc = fsync(fd) < 0 ? error_errno(e, tmp) : 0;
	close(fd);
	if (rc == 0 && rename(tmp, path) < 0)
		rc = error_errno(e, path);
	return rc < 0 ? rc : sync_folder_of(path, e);
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

int file_write(const char *path, const void *p, size_t n, struct error *e)
{
	const struct file_part part = { p, n };

	return file_write_parts(path, &part, 1, e);
}

int file_write_parts(const char *path, const struct file_part *parts, size_t n, struct error *e)
{
	int rc = 0;
	char tmp[4096];

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= sizeof(tmp))
		return error_set(e, ERR_IO, NULL, "the path is too long");
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(e, tmp);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = write_all(fd, parts[i].p, parts[i].n) < 0 ? error_errno(e, tmp) : 0;
	if (close(fd) < 0 && rc == 0)
		rc = error_errno(e, tmp);
	if (rc == 0)
		rc = file_publish(tmp, path, e);
	if (rc < 0)
		unlink(tmp);
	return rc;
}

int file_open(const char *path, int *fd, int64_t *size, struct error *e)
{
	int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (opened < 0 && errno != ENOENT && errno != ENOTDIR)
		return error_errno(e, path);
	if (opened < 0 || fstat(opened, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (opened >= 0)
			close(opened);
		return error_set(e, ERR_NOT_FOUND, NULL, "%s: there is no such file", path);
	}
	*fd = opened;
	*size = st.st_size;
	return 0;
}

int file_pull(int fd, void *p, size_t n, size_t *got, const char *what, struct error *e)
{
	ssize_t r;

	do
		r = read(fd, p, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_errno(e, what);
	*got = (size_t)r;
	return 0;
}

int file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int file_is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

int file_remove(const char *path, struct error *e)
{
	return unlink(path) < 0 && errno != ENOENT ? error_errno(e, path) : 0;
}

int folder_make(const char *path, struct error *e)
{
	char part[4096];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return error_set(e, ERR_FOLDER, NULL, "the data folder's path is empty or too long");
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return error_set(e, ERR_FOLDER, NULL, "cannot make the folder %s: %s", part,
					 strerror(errno));
	}
	if (!file_is_folder(path))
		return error_set(e, ERR_FOLDER, NULL, "%s is not a folder", path);
	if (access(path, W_OK | X_OK) < 0)
		return error_set(e, ERR_FOLDER, NULL, "the folder %s is not writable", path);
	return 0;
}

int folder_lock(const char *path, int *fd, struct error *e)
{
	char name[4096], holder[32] = "";

	snprintf(name, sizeof(name), "%s/lock", path);
	int f = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f < 0)
		return error_set(e, ERR_FOLDER, NULL, "cannot open %s: %s", name, strerror(errno));
	if (flock(f, LOCK_EX | LOCK_NB) < 0) {
		ssize_t got = read(f, holder, sizeof(holder) - 1);
		holder[got > 0 ? got : 0] = '\0';
		holder[strcspn(holder, "\n")] = '\0';
		close(f);
		return error_set(e, ERR_FOLDER_IN_USE, NULL, "the folder %s is in use by process %s", path,
				 holder[0] ? holder : "(unknown)");
	}
	int n = snprintf(holder, sizeof(holder), "%ld\n", (long)getpid());
	if (ftruncate(f, 0) < 0 || pwrite(f, holder, (size_t)n, 0) != n) {
		int rc = error_errno(e, name);
		close(f);
		return rc;
	}
	*fd = f;
	return 0;
}

void folder_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lays pointers and names out in one block, so that the caller frees one thing. */
static char **pack_names(char **found, size_t n, size_t bytes)
{
	char **block = malloc(n * sizeof(*block) + bytes + 1);

	if (!block)
		return NULL;
	char *p = (char *)(block + n);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(found[i]) + 1;
		block[i] = memcpy(p, found[i], len);
		p += len;
	}
	return block;
}

int folder_list(const char *path, char ***names, size_t *n, struct error *e)
{
	DIR *d = opendir(path);
	char **found = NULL;
	size_t count = 0, cap = 0, bytes = 0;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? error_set(e, ERR_NOT_FOUND, NULL, "%s: no such folder", path)
				       : error_errno(e, path);
	for (struct dirent *f; rc == 0 && (f = readdir(d));) {
		if (strcmp(f->d_name, ".") == 0 || strcmp(f->d_name, "..") == 0)
			continue;
		if (GROW(found, count, cap) < 0 || !(found[count] = strdup(f->d_name)))
			rc = no_memory(e);
		else
			bytes += strlen(found[count++]) + 1;
	}
	closedir(d);
	if (rc == 0 && count)
		qsort(found, count, sizeof(*found), by_bytes);
	char **block = rc == 0 ? pack_names(found, count, bytes) : NULL;
	if (rc == 0 && !block)
		rc = no_memory(e);
	for (size_t i = 0; i < count; i++)
		free(found[i]);
	free(found);
	if (rc < 0)
		return rc;
	*names = block;
	*n = count;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int folder_remove(const char *path, struct error *e)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT ? error_errno(e, path)
										       : 0;
}

struct lines {
	gzFile gz;
	struct strbuf line;
	char piece[65536];
	size_t at, have;
	int ended;
};

int lines_open(const char *path, struct lines **out, struct error *e)
{
	int fd;

	if (strcmp(path, "-") == 0) {
		fd = dup(STDIN_FILENO);
		if (fd < 0)
			return error_errno(e, "stdin");
	} else {
		int rc = open_to_read(path, &fd, e);
		if (rc < 0)
			return rc;
	}
	struct lines *l = calloc(1, sizeof(*l));
	if (l)
		l->gz = gzdopen(fd, "rb"); /* plain text is passed through */
	if (!l || !l->gz) {
		close(fd);
		free(l);
		return no_memory(e);
	}
	*out = l;
	return 0;
}

static int lines_fill(struct lines *l, struct error *e)
{
	int got = gzread(l->gz, l->piece, sizeof(l->piece));
	int code = Z_OK;
	const char *why = got <= 0 ? gzerror(l->gz, &code) : "";

	/* a file cut short reads as its end, with Z_BUF_ERROR behind it */
	if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
		return error_set(e, code == Z_ERRNO ? ERR_IO : ERR_CORRUPT, NULL, "cannot read: %s",
				 code == Z_ERRNO       ? strerror(errno)
				 : code == Z_BUF_ERROR ? "the file is cut short"
						       : why);
	l->at = 0;
	l->have = (size_t)got;
	l->ended = got == 0;
	return 0;
}

int lines_next(struct lines *l, size_t max, const char **line, size_t *n, struct error *e)
{
	int found = 0, any = 0;

	strbuf_clear(&l->line);
	while (!found) {
		if (l->at == l->have) {
			int rc = l->ended ? 0 : lines_fill(l, e);
			if (rc < 0)
				return rc;
			if (l->ended)
				break;
		}
		const char *from = l->piece + l->at;
		const char *nl = memchr(from, '\n', l->have - l->at);
		size_t take = nl ? (size_t)(nl - from) : l->have - l->at;
		any = 1;
		if (l->line.n <= max) /* what is past the limit is read and dropped */
			strbuf_add(&l->line, from, take);
		l->at += take + (nl ? 1 : 0);
		found = nl != NULL;
	}
	if (l->line.failed)
		return no_memory(e);
	if (!found && !any)
		return 0;
	strbuf_add(&l->line, "", 0);
	*line = l->line.p;
	*n = l->line.n;
	return 1;
}

int lines_piece(struct lines *l, const char **piece, size_t *n, struct error *e)
{
	int rc = l->at == l->have && !l->ended ? lines_fill(l, e) : 0;

	if (rc < 0)
		return rc;
	if (l->ended)
		return 0;
	*piece = l->piece + l->at;
	*n = l->have - l->at;
	l->at = l->have;
	return 1;
}

int64_t lines_offset(const struct lines *l)
{
	return (int64_t)gzoffset(l->gz);
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	gzclose(l->gz);
	strbuf_release(&l->line);
	free(l);
}
