#include "datasets/zip.h"

#include <string.h>

#include "base/gzip.h"

#define LOCAL_HEADER 0x04034b50u
#define DIRECTORY_HEADER 0x02014b50u
#define DIRECTORY_END 0x06054b50u
#define VERSION 20
#define NAMES_ARE_UTF8 0x0800
#define FIRST_DAY 0x0021 /* 1980-01-01 */

/* Little endian, as many bytes as told. */
static void put(struct strbuf *b, uint32_t x, int bytes)
{
	for (int i = 0; i < bytes; i++)
		strbuf_putc(b, (char)(x >> 8 * i));
}

/* What the two headers of a file have in common. */
static void put_file(struct strbuf *b, const char *name, uint32_t sum, uint32_t size)
{
	put(b, VERSION, 2);
	put(b, NAMES_ARE_UTF8, 2);
	put(b, 0, 2); /* stored */
	put(b, 0, 2); /* midnight */
	put(b, FIRST_DAY, 2);
	put(b, sum, 4);
	put(b, size, 4);
	put(b, size, 4);
	put(b, (uint32_t)strlen(name), 2);
	put(b, 0, 2); /* no extra field */
}

void zip_add(struct zip *z, const char *name, const char *data, size_t n, struct strbuf *out)
{
	size_t before = out->n;

	if (z->too_large || n > UINT32_MAX || z->at > UINT32_MAX || z->n == UINT16_MAX ||
	    strlen(name) > UINT16_MAX) {
		z->too_large = 1;
		return;
	}
	uint32_t sum = crc32_more(0, data, n), at = (uint32_t)z->at;
	put(out, LOCAL_HEADER, 4);
	put_file(out, name, sum, (uint32_t)n);
	strbuf_puts(out, name);
	strbuf_add(out, data, n);

	put(&z->directory, DIRECTORY_HEADER, 4);
	put(&z->directory, VERSION, 2);
	put_file(&z->directory, name, sum, (uint32_t)n);
	put(&z->directory, 0, 2); /* comment */
	put(&z->directory, 0, 2); /* disk */
	put(&z->directory, 0, 2);
	put(&z->directory, 0, 4); /* attributes */
	put(&z->directory, at, 4);
	strbuf_puts(&z->directory, name);
	z->at += out->n - before;
	z->n++;
}

void zip_end(struct zip *z, struct strbuf *out)
{
	if (z->at > UINT32_MAX || z->directory.n > UINT32_MAX)
		z->too_large = 1;
	strbuf_add(out, z->directory.p, z->directory.n);
	put(out, DIRECTORY_END, 4);
	put(out, 0, 4); /* disks */
	put(out, z->n, 2);
	put(out, z->n, 2);
	put(out, (uint32_t)z->directory.n, 4);
	put(out, (uint32_t)z->at, 4);
	put(out, 0, 2); /* comment */
	out->failed |= z->directory.failed;
	strbuf_clear(&z->directory);
	z->at = 0;
	z->n = 0;
}

void zip_release(struct zip *z)
{
	strbuf_release(&z->directory);
}
