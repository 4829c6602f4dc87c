#include "ingest/import.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "embed/embed.h"
#include "ingest/batch.h"

#define MAX_THREADS 32
#define RING (2 * MAX_THREADS)
#define FEW_LINES 16 /* of conversations, which take longer, so that progress is seen */

struct importer {
	struct desk *desk;
	struct importer_options o;
	struct import_progress progress;
	struct batch *filling;
	int rc; /* sticky */
	struct error error;

	/* Batches under way: [tail, taken) with a worker or behind it, [taken, head) not begun. */
	pthread_mutex_t lock;
	pthread_cond_t work, ready;
	struct batch *ring[RING];
	size_t head, taken, tail, room;
	int closing;
	pthread_t threads[MAX_THREADS];
	unsigned n_threads;
};

static void *worker(void *arg)
{
	struct importer *m = arg;

	pthread_mutex_lock(&m->lock);
	for (;;) {
		while (m->taken == m->head && !m->closing)
			pthread_cond_wait(&m->work, &m->lock);
		if (m->closing)
			break;
		struct batch *b = m->ring[m->taken++ % RING];
		pthread_mutex_unlock(&m->lock);
		batch_prepare(b, m->desk, &m->o);
		pthread_mutex_lock(&m->lock);
		b->ready = 1;
		pthread_cond_broadcast(&m->ready);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static unsigned wanted_threads(const struct desk *d, const struct importer_options *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long n = o->threads ? (long)o->threads : cores;

	if (o->what == IMPORT_CONVERSATIONS)
		return 0;
	/* Each waits for a sync, which all that wait share; where texts are embedded, that is what takes the time. */
	if (o->what == IMPORT_EXAMPLES && !o->threads)
		n *= d->embedder && embedder_info(d->embedder)->dim ? 2 : 16;
	return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

int importer_open(struct desk *d, const struct importer_options *o, struct importer **out, struct error *e)
{
	struct importer *m = calloc(1, sizeof(*m));
	unsigned n = wanted_threads(d, o);

	if (!m)
		return no_memory(e);
	m->desk = d;
	m->o = *o;
	m->room = n + 2 < RING ? n + 2 : RING;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->work, NULL);
	pthread_cond_init(&m->ready, NULL);
	for (unsigned i = 0; i < n; i++) {
		if (pthread_create(&m->threads[i], NULL, worker, m) != 0) {
			importer_close(m);
			return error_set(e, ERR_NO_MEMORY, NULL, "cannot start a thread");
		}
		m->n_threads++;
	}
	*out = m;
	return 0;
}

void importer_close(struct importer *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->closing = 1;
	pthread_cond_broadcast(&m->work);
	pthread_mutex_unlock(&m->lock);
	for (unsigned i = 0; i < m->n_threads; i++)
		pthread_join(m->threads[i], NULL);
	for (; m->tail < m->head; m->tail++)
		batch_free(m->ring[m->tail % RING]);
	batch_free(m->filling);
	pthread_cond_destroy(&m->ready);
	pthread_cond_destroy(&m->work);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

const struct import_progress *importer_progress(const struct importer *m)
{
	return &m->progress;
}

static int fail(struct importer *m, int rc, struct error *e)
{
	m->rc = rc;
	if (e)
		*e = m->error;
	return rc;
}

static void count(struct importer *m, const struct item *item)
{
	struct import_progress *p = &m->progress;

	p->lines++;
	if (item->state == ITEM_BAD) {
		p->failed++;
		if (m->o.bad)
			m->o.bad(m->o.arg, item->file, item->line, &item->error);
	} else if (item->step.status == PUT_UNCHANGED) {
		p->unchanged++;
	} else if (item->step.status == PUT_UPDATED) {
		p->updated++;
	} else {
		p->imported++;
	}
}

/* Commits a batch that is ready, and frees it. */
static int finish(struct importer *m, struct batch *b)
{
	int rc = batch_commit(b, m->desk, &m->o, &m->error);

	/* What was reached before an error is in; bad lines will be found again. */
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].state == ITEM_DONE || (rc == 0 && b->items[i].state == ITEM_BAD))
			count(m, &b->items[i]);
	batch_free(b);
	if (rc == 0 && m->o.batch_done)
		rc = m->o.batch_done(m->o.arg, &m->progress, &m->error);
	return rc;
}

static int finish_oldest(struct importer *m)
{
	pthread_mutex_lock(&m->lock);
	struct batch *b = m->ring[m->tail % RING];
	while (!b->ready)
		pthread_cond_wait(&m->ready, &m->lock);
	m->tail++;
	pthread_mutex_unlock(&m->lock);
	return finish(m, b);
}

/* Hands the batch that was filled to the workers; waits for the oldest when too many are under way. */
static int submit(struct importer *m)
{
	struct batch *b = m->filling;
	int rc = 0;

	m->filling = NULL;
	if (!b)
		return 0;
	if (m->n_threads == 0)
		return finish(m, b);
	while (rc == 0 && m->head - m->tail == m->room)
		rc = finish_oldest(m);
	if (rc < 0) {
		batch_free(b);
		return rc;
	}
	pthread_mutex_lock(&m->lock);
	m->ring[m->head++ % RING] = b;
	pthread_cond_signal(&m->work);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

/* Lines that may stand in a batch whose next one is this. */
static size_t most_lines(const struct importer *m, struct text line)
{
	static const char vector[] = "\"vector"; /* or vectors; in a text it does no harm */

	if (m->o.what == IMPORT_CONVERSATIONS)
		return FEW_LINES;
	if (m->o.what == IMPORT_DOCUMENTS && memmem(line.s, line.n, vector, strlen(vector)))
		return BATCH_LINES;
	return BATCH_EMBEDDED;
}

/* A place for the next line, s; the batch before it is handed on when it is full. */
static int next_item(struct importer *m, const char *file, uint64_t line, struct text s, struct item **out)
{
	int full = m->filling && (m->filling->n >= most_lines(m, s) || m->filling->bytes + s.n > BATCH_BYTES);
	int rc = full ? submit(m) : 0;

	if (rc < 0)
		return rc;
	if (!m->filling && !(m->filling = batch_new())) {
		no_memory(&m->error);
		return ERR_NO_MEMORY;
	}
	struct batch *b = m->filling;
	struct item *item = &b->items[b->n];
	item->file = arena_strdup(b->arena, file);
	item->line = line;
	if (!item->file) {
		no_memory(&m->error);
		return ERR_NO_MEMORY;
	}
	*out = item;
	return 0;
}

/* What the workers have done already is not thrown away. */
static void finish_ready(struct importer *m)
{
	int ready = 1;

	while (ready && m->tail < m->head) {
		pthread_mutex_lock(&m->lock);
		ready = m->ring[m->tail % RING]->ready && m->ring[m->tail % RING]->rc == 0;
		pthread_mutex_unlock(&m->lock);
		if (ready && finish_oldest(m) < 0)
			return;
	}
}

static int check_stop(struct importer *m, struct error *e)
{
	if (m->rc < 0)
		return fail(m, m->rc, e);
	if (!m->o.stop || !__atomic_load_n(m->o.stop, __ATOMIC_RELAXED))
		return 0;
	finish_ready(m);
	error_set(&m->error, ERR_INTERRUPTED, NULL, "interrupted; the same command goes on from here");
	return fail(m, ERR_INTERRUPTED, e);
}

static int is_blank(const char *s, size_t n)
{
	while (n > 0 && strchr(" \t\r", s[n - 1]) && s[n - 1])
		n--;
	return n == 0;
}

int importer_add(struct importer *m, const char *file, uint64_t line, const char *s, size_t n,
		 struct error *e)
{
	struct item *item;
	int rc = check_stop(m, e);

	if (rc < 0 || is_blank(s, n))
		return rc;
	if ((rc = next_item(m, file, line, (struct text){ s, n }, &item)) < 0)
		return fail(m, rc, e);
	item->s = arena_strndup(m->filling->arena, s, n);
	item->n = n;
	if (!item->s)
		return fail(m, no_memory(&m->error), e);
	m->filling->bytes += n;
	m->filling->n++;
	return 0;
}

int importer_refuse(struct importer *m, const char *file, uint64_t line, const struct error *why,
		    struct error *e)
{
	struct item *item;
	int rc = check_stop(m, e);

	if (rc < 0)
		return rc;
	if ((rc = next_item(m, file, line, (struct text){ "", 0 }, &item)) < 0)
		return fail(m, rc, e);
	item->state = ITEM_BAD;
	item->error = *why;
	m->filling->n++;
	return 0;
}

int importer_flush(struct importer *m, struct error *e)
{
	int rc = check_stop(m, e);

	if (rc < 0)
		return rc;
	rc = submit(m);
	while (rc == 0 && m->tail < m->head && (rc = check_stop(m, e)) == 0)
		rc = finish_oldest(m);
	return rc < 0 ? fail(m, rc, e) : 0;
}
