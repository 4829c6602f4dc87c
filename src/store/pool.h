/*
 * pool.h: reading connections of one database, opened as they are needed, up
 * to a number. Any thread.
 */
#ifndef READBACK_STORE_POOL_H
#define READBACK_STORE_POOL_H

#include <stddef.h>

#include "base/error.h"

struct db;
struct pool;

/* `path` is copied. NULL without memory. */
struct pool *pool_new(const char *path, size_t max);
void pool_free(struct pool *p); /* all connections must have been given back */

/* Waits for one. Whoever holds a connection must not take another: that could wait for ever. */
int pool_take(struct pool *p, struct db **out, struct error *e);
void pool_give(struct pool *p, struct db *d);

#endif
