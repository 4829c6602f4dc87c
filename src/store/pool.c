#include "store/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t given;
	char *path;
	size_t max, open, n;
	struct db *idle[];
};

struct pool *pool_new(const char *path, size_t max)
{
	struct pool *p = calloc(1, sizeof(*p) + max * sizeof(struct db *));

	if (!p)
		return NULL;
	p->path = strdup(path);
	if (!p->path) {
		free(p);
		return NULL;
	}
	p->max = max;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->given, NULL);
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	while (p->n > 0)
		db_close(p->idle[--p->n]);
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
	free(p->path);
	free(p);
}

int pool_take(struct pool *p, struct db **out, struct error *e)
{
	struct db_options o = { .path = p->path, .read_only = 1 };
	struct db *d = NULL;
	int rc;

	pthread_mutex_lock(&p->lock);
	while (p->n == 0 && p->open == p->max)
		pthread_cond_wait(&p->given, &p->lock);
	if (p->n > 0)
		d = p->idle[--p->n];
	else
		p->open++;
	pthread_mutex_unlock(&p->lock);
	rc = d ? 0 : db_open(&o, &d, e);
	if (rc == 0) {
		*out = d;
		return 0;
	}
	pthread_mutex_lock(&p->lock);
	p->open--;
	pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

void pool_give(struct pool *p, struct db *d)
{
	pthread_mutex_lock(&p->lock);
	p->idle[p->n++] = d;
	pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
}
