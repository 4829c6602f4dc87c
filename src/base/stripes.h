/*
 * stripes.h: locks by name: a few mutexes, each for all names of one hash.
 *
 * Who holds one must not take another.
 */
#ifndef READBACK_BASE_STRIPES_H
#define READBACK_BASE_STRIPES_H

struct stripes;

struct stripes *stripes_new(void); /* NULL without memory */
void stripes_free(struct stripes *s);
void stripes_lock(struct stripes *s, const char *name);
void stripes_unlock(struct stripes *s, const char *name);

#endif
