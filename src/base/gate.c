#include "base/gate.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* A ticket lock with several places: served + places is the first ticket that must wait. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t next, served;
	unsigned places;
};

struct gate *gate_new(unsigned places)
{
	struct gate *g = calloc(1, sizeof(*g));
	long n = places ? (long)places : sysconf(_SC_NPROCESSORS_ONLN);

	if (!g)
		return NULL;
	g->places = n < 1 ? 1 : (unsigned)n;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->moved, NULL);
	return g;
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	pthread_cond_destroy(&g->moved);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

void gate_enter(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	uint64_t ticket = g->next++;
	while (ticket >= g->served + g->places)
		pthread_cond_wait(&g->moved, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

void gate_leave(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->served++;
	pthread_cond_broadcast(&g->moved);
	pthread_mutex_unlock(&g->lock);
}
