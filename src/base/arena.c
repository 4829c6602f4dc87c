#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char bytes[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *p;
};

struct arena {
	size_t chunk_size;
	struct chunk *chunks; /* the first is the one that is being filled */
	struct deferred *deferred;
};

struct arena *arena_new(size_t chunk)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a)
		a->chunk_size = chunk < 1024 ? 1024 : chunk;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct deferred *d = a->deferred; d; d = d->next)
		d->fn(d->p);
	for (struct chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c = malloc(sizeof(*c) + size);

	if (c) {
		c->next = NULL;
		c->used = 0;
		c->size = size;
	}
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (n == 0)
		n = ALIGNMENT;
	struct chunk *c = a->chunks;
	if (!c || c->size - c->used < n) {
		c = chunk_new(n > a->chunk_size ? n : a->chunk_size);
		if (!c)
			return NULL;
		if (n > a->chunk_size && a->chunks) {
			/* a large one goes behind, so that the one being filled goes on being filled */
			c->next = a->chunks->next;
			a->chunks->next = c;
		} else {
			c->next = a->chunks;
			a->chunks = c;
		}
	}
	void *p = c->bytes + c->used;
	c->used += n;
	return memset(p, 0, n);
}

void *arena_alloc_aligned(struct arena *a, size_t n, size_t align)
{
	char *p = n > SIZE_MAX / 2 - align ? NULL : arena_alloc(a, n + align - 1);
	size_t off = (uintptr_t)p & (align - 1);

	return p && off ? p + (align - off) : p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (p && n)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (p) {
		va_start(ap, fmt);
		vsnprintf(p, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	return p;
}

int arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	if (!d)
		return -1;
	*d = (struct deferred){ .next = a->deferred, .fn = fn, .p = p };
	a->deferred = d;
	return 0;
}

int arena_room(struct arena *a, void *array, size_t elem, size_t n, size_t *cap)
{
	void *old;

	if (n < *cap)
		return 0;
	size_t bigger = *cap ? 2 * *cap : 8;
	void *fresh = arena_alloc(a, bigger * elem);
	if (!fresh)
		return -1;
	memcpy(&old, array, sizeof(old)); /* `array` is the address of a pointer of any type */
	if (n)
		memcpy(fresh, old, n * elem);
	memcpy(array, &fresh, sizeof(fresh));
	*cap = bigger;
	return 0;
}
