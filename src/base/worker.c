#include "base/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct worker {
	struct worker_options o;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int news;          /* guarded by the lock */
	volatile int stop; /* read and written atomically */
};

static int stopping(const struct worker *w)
{
	return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

static void wait_for_news(struct worker *w, int seconds)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&w->lock);
	while (!w->news && !stopping(w) && rc == 0)
		rc = seconds ? pthread_cond_timedwait(&w->wake, &w->lock, &until)
			     : pthread_cond_wait(&w->wake, &w->lock);
	w->news = 0;
	pthread_mutex_unlock(&w->lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	/* It may fail, and nothing depends on it. */
	if (w->o.nice)
		setpriority(PRIO_PROCESS, (id_t)gettid(), w->o.nice);
	while (!stopping(w)) {
		int rc = w->o.next(w->o.arg);
		if (rc <= 0 && !stopping(w))
			wait_for_news(w, rc < 0 ? w->o.retry_seconds : 0);
	}
	return NULL;
}

static void release(struct worker *w)
{
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int worker_open(const struct worker_options *o, struct worker **out, struct error *e)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return no_memory(e);
	w->o = *o;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	*out = w;
	if (pthread_create(&w->thread, NULL, work, w) == 0)
		return 0;
	*out = NULL;
	release(w);
	return error_set(e, ERR_NO_MEMORY, NULL, "cannot start a thread");
}

void worker_tell(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->news = 1;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

const volatile int *worker_stop(const struct worker *w)
{
	return &w->stop;
}

void worker_close(struct worker *w)
{
	if (!w)
		return;
	__atomic_store_n(&w->stop, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&w->lock);
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	release(w);
}
