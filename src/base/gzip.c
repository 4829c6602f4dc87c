#include "base/gzip.h"

#include <zlib.h>

#include "base/arena.h"

#define GZIP_WINDOW (MAX_WBITS + 16) /* 16 more asks zlib for gzip's header */
#define MEMORY_LEVEL 8

int gzip_pack(struct arena *a, const char *s, size_t n, const char **out, size_t *out_n)
{
	z_stream z = { 0 };

	if (n > 0x7fffffff ||
	    deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	size_t cap = deflateBound(&z, n);
	unsigned char *p = arena_alloc(a, cap);
	z.next_in = (z_const Bytef *)s;
	z.avail_in = (uInt)n;
	z.next_out = p;
	z.avail_out = (uInt)cap;
	int rc = p ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	deflateEnd(&z);
	if (rc != Z_STREAM_END)
		return -1;
	*out = (const char *)p;
	*out_n = z.total_out;
	return 0;
}

uint32_t crc32_more(uint32_t before, const void *p, size_t n)
{
	return (uint32_t)crc32_z(before, p, n);
}
