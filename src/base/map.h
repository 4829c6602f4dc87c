/*
 * map.h: strings to 64-bit values, open addressing, keys copied.
 *
 * Not shared between threads without a lock. No removal: set a value that
 * means "gone" where that is needed.
 */
#ifndef READBACK_BASE_MAP_H
#define READBACK_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map;

struct map *map_new(void); /* NULL without memory */
void map_free(struct map *m);
size_t map_count(const struct map *m);

/* The address of the value of `key`, NULL if it is not there. Valid until the next map_put. */
uint64_t *map_get(const struct map *m, const char *key, size_t n);

/* As map_get, but makes a missing entry with value 0 (`*fresh` = 1 then; may be NULL). NULL without memory. */
uint64_t *map_put(struct map *m, const char *key, size_t n, int *fresh);

/* Walks all entries in order of insertion: start with *i = 0; 0 at the end. */
int map_each(const struct map *m, size_t *i, const char **key, size_t *n, uint64_t **value);

#endif
