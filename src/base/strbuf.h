/*
 * strbuf.h: a string that grows.
 *
 * `STRBUF_INIT`, add, then strbuf_release(); `p` is always NUL-terminated once
 * something was added. Out of memory is sticky: adds become no-ops, and
 * `failed` says so at the end. Not shared between threads.
 */
#ifndef READBACK_BASE_STRBUF_H
#define READBACK_BASE_STRBUF_H

#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *p; /* owned; NULL while empty */
	size_t n, cap;
	int failed;
};

#define STRBUF_INIT \
	{           \
		0   \
	}

void strbuf_release(struct strbuf *b);
void strbuf_clear(struct strbuf *b); /* keeps the memory */
void strbuf_add(struct strbuf *b, const char *s, size_t n);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_putc(struct strbuf *b, char c);
void strbuf_uint(struct strbuf *b, uint64_t x); /* in decimal */
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Hands the string over (never NULL unless out of memory); the caller frees it. */
char *strbuf_steal(struct strbuf *b, size_t *n);

#define STRBUF_AUTO __attribute__((cleanup(strbuf_release))) struct strbuf

#endif
