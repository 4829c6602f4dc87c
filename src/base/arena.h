/*
 * arena.h: memory that is freed in one place.
 *
 * One arena a request or ingest item; everything that is made for it lives
 * until arena_free(). One thread at a time. Allocations are zeroed and aligned
 * for any type.
 */
#ifndef READBACK_BASE_ARENA_H
#define READBACK_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* `chunk` is the size of the pieces taken from malloc (larger requests get their own). NULL without memory. */
struct arena *arena_new(size_t chunk);
void arena_free(struct arena *a); /* NULL is fine */

/* `n` zeroed bytes; NULL without memory. */
void *arena_alloc(struct arena *a, size_t n);
/* The same, beginning at a multiple of `align`, a power of two. */
void *arena_alloc_aligned(struct arena *a, size_t n, size_t align);

/* A copy of `n` bytes with a NUL behind them. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * ARENA_GROW(arena, array, n, cap): room for one more element behind n, as
 * grow.h has it for malloc: doubles `cap` when n == cap, and copies. -1 without
 * memory.
 */
int arena_room(struct arena *a, void *array, size_t elem, size_t n, size_t *cap);
#define ARENA_GROW(a, array, n, cap) arena_room((a), &(array), sizeof((array)[0]), (n), &(cap))

/* Calls fn(p) when the arena is freed, last added first: for json_t, statements and the like. */
int arena_defer(struct arena *a, void (*fn)(void *), void *p);

#endif
