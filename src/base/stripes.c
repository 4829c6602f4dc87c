#include "base/stripes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define STRIPES 64

struct stripes {
	pthread_mutex_t locks[STRIPES];
};

struct stripes *stripes_new(void)
{
	struct stripes *s = malloc(sizeof(*s));

	for (int i = 0; s && i < STRIPES; i++)
		pthread_mutex_init(&s->locks[i], NULL);
	return s;
}

void stripes_free(struct stripes *s)
{
	for (int i = 0; s && i < STRIPES; i++)
		pthread_mutex_destroy(&s->locks[i]);
	free(s);
}

static pthread_mutex_t *lock_of(struct stripes *s, const char *name)
{
	return &s->locks[hash_fnv1a(name, strlen(name)) % STRIPES];
}

void stripes_lock(struct stripes *s, const char *name)
{
	pthread_mutex_lock(lock_of(s, name));
}

void stripes_unlock(struct stripes *s, const char *name)
{
	pthread_mutex_unlock(lock_of(s, name));
}
