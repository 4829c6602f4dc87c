/*
 * embedded_write.c: group commit. The writer thread takes what waits, gives
 * each event a savepoint in one transaction, and commits with one sync; then
 * the index, then the answers: what was answered is on disk and findable.
 */
#include "engine/embedded_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define GROUP_EVENTS 1024      /* a group takes no further batch beyond this */
#define CHECKPOINT_FRAMES 2000 /* of 8 kB */
#define TRUNCATE_FRAMES 16000
#define TRIM_CHANGES 50000 /* lines of the change log a checkpoint */

struct batch {
	struct slot *slots;
	size_t n;
	int done;
	pthread_cond_t finished;
	struct batch *next;
};

/* --- callers --------------------------------------------------------------------------------------- */

static void fail_slot(struct slot *s, int code, const struct error *e)
{
	*s->out = (struct commit){ .code = code, .error = *e };
}

/* 0, or why nothing can be written now. */
static int refused(struct embedded *g, struct error *e)
{
	int rc = 0;

	pthread_mutex_lock(&g->lock);
	if (g->read_only || g->stopped)
		rc = error_set(e, ERR_READ_ONLY, NULL, "%s",
			       g->stopped ? g->reason : "it is open for reading only");
	else if (g->not_ready)
		rc = error_set(e, ERR_NOT_READY, NULL, "%s", g->reason);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

static void queue_and_wait(struct embedded *g, struct batch *b)
{
	pthread_cond_init(&b->finished, NULL);
	pthread_mutex_lock(&g->lock);
	*g->last = b;
	g->last = &b->next;
	pthread_cond_signal(&g->work);
	while (!b->done)
		pthread_cond_wait(&b->finished, &g->lock);
	pthread_mutex_unlock(&g->lock);
	pthread_cond_destroy(&b->finished);
}

int write_events(void *self, const struct event *ev, size_t n, struct commit *out)
{
	struct embedded *g = self;
	struct batch b = { 0 };
	struct error e = { 0 };
	struct arena *a = arena_new(16384);
	struct stored_event *stored = a ? arena_alloc(a, (n + 1) * sizeof(*stored)) : NULL;
	int why = refused(g, &e);

	b.slots = a ? arena_alloc(a, (n + 1) * sizeof(*b.slots)) : NULL;
	if (!stored || !b.slots) {
		arena_free(a);
		return ERR_NO_MEMORY;
	}
	for (size_t i = 0; i < n; i++) {
		struct slot s = { .ev = &stored[i], .out = &out[i] };
		int rc = why;
		if (rc == 0) {
			e = (struct error){ 0 };
			rc = prepare_event(g, &ev[i], a, &stored[i], &e);
		}
		if (rc < 0)
			fail_slot(&s, rc, &e);
		else
			b.slots[b.n++] = s;
	}
	if (b.n > 0)
		queue_and_wait(g, &b);
	arena_free(a);
	return 0;
}

/* --- the writer thread -------------------------------------------------------------------------------- */

void stop_writing(struct embedded *g, const char *why)
{
	db_close(g->writer);
	g->writer = NULL;
	pthread_mutex_lock(&g->lock);
	g->stopped = 1;
	snprintf(g->reason, sizeof(g->reason), "writing has stopped: %s; restart it when the disk is well",
		 why);
	pthread_mutex_unlock(&g->lock);
}

/* < 0: the whole transaction is lost. An event's own failure is in its slot. */
static int write_slot(struct embedded *g, struct slot *s, uint64_t *seq, struct effects *fx, struct error *e)
{
	size_t mark = fx->n;
	struct projected p;
	int rc = db_savepoint(g->writer, e);

	if (rc < 0)
		return rc;
	rc = project_event(g->writer, g->tables, s->ev, *seq, fx, &p, e);
	if (rc == 0) {
		*s->out = (struct commit){ .seq = p.seq, .revision = p.revision };
		*seq += !p.again;
		return db_release(g->writer, e);
	}
	fail_slot(s, rc, e);
	fx->n = mark;
	if (!db_is_open(g->writer) || db_rollback_to(g->writer, NULL) < 0)
		return rc;
	return 0;
}

static int write_slots(struct embedded *g, struct slot *slots, size_t n, uint64_t *seq, struct effects *fx,
		       struct error *e)
{
	int rc = db_begin_write(g->writer, e);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = write_slot(g, &slots[i], seq, fx, e);
	return rc < 0 ? rc : project_words(g->writer, g->tables, fx, e);
}

/* What is kept of the records that these events change is not current from `seq` on. */
static void touch_records(struct embedded *g, const struct slot *slots, size_t n, uint64_t seq)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; slots[i].out->code == 0 && k < slots[i].ev->n; k++) {
			const struct stored_change *x = &slots[i].ev->changes[k];
			record_cache_touch(g->cache, (enum record_kind)x->kind, x->id, seq);
		}
}

/*
 * Commits the slots as one transaction. < 0: nothing of it is there, or, with
 * g->writer closed, nobody knows. A COMMIT that found no room wrote no commit
 * frame, so its outcome is known; any other failure of it is not retried.
 */
static int commit_once(struct embedded *g, struct slot *slots, size_t n, struct effects *fx, struct error *e)
{
	uint64_t seq = g->next_seq;
	int rc;

	fx->n = 0;
	for (size_t i = 0; i < n; i++)
		*slots[i].out = (struct commit){ 0 };
	rc = write_slots(g, slots, n, &seq, fx, e);
	if (rc == 0 && seq == g->next_seq) {
		db_rollback(g->writer); /* nothing new: no need to sync */
		return 0;
	}
	if (rc == 0) {
		touch_records(g, slots, n, seq - 1); /* before anybody can see it */
		rc = db_commit(g->writer, e);
		if (rc < 0 && rc != ERR_DISK_FULL) {
			stop_writing(g, "the outcome of a commit is not known");
			return error_set(
				e, rc, NULL,
				"the outcome is not known: send the same event again after a restart");
		}
	}
	if (rc < 0) {
		db_rollback(g->writer);
		if (db_is_open(g->writer))
			stop_writing(g, "a transaction could not be rolled back");
		return rc;
	}
	g->next_seq = seq;
	record_cache_publish(g->cache, seq - 1);
	return 0;
}

static void as_index_change(const struct effect *fx, struct index_change *out)
{
	*out = (struct index_change){ .op = INDEX_DELETE };
	if (fx->op != EFFECT_DELETE) {
		out->op = fx->op == EFFECT_ADD ? INDEX_ADD : INDEX_RETAG;
		out->entry = *(const struct index_entry *)fx->change->context;
	}
	out->entry.collection = (enum collection)fx->collection;
	out->entry.id = fx->entry;
}

static int apply_effects(struct embedded *g, const struct effects *fx, struct error *e)
{
	struct index_change *changes = calloc(fx->n + 1, sizeof(*changes));
	size_t rows = 0;

	if (!changes)
		return no_memory(e);
	for (size_t i = 0; i < fx->n; i++) {
		as_index_change(&fx->v[i], &changes[i]);
		rows += fx->v[i].op == EFFECT_ADD ? changes[i].entry.n_rows : 0;
	}
	int rc = index_apply(g->index, g->next_seq - 1, changes, fx->n, e);
	free(changes);
	if (rc == 0 && fx->n)
		index_grew(g, rows);
	return rc;
}

static void fail_slots(struct slot *slots, size_t n, int code, const struct error *e)
{
	for (size_t i = 0; i < n; i++)
		if (slots[i].out->code == 0)
			fail_slot(&slots[i], code, e);
}

static void commit_group(struct embedded *g, struct slot *slots, size_t n, struct effects *fx)
{
	struct error e = { 0 };
	int rc = refused(g, &e);

	if (rc < 0) { /* since they were queued */
		for (size_t i = 0; i < n; i++)
			fail_slot(&slots[i], rc, &e);
		return;
	}
	rc = commit_once(g, slots, n, fx, &e);
	if (rc < 0 && g->writer && n > 1) {
		/* One of them brought the transaction down: each on its own, and only that one fails. */
		for (size_t i = 0; i < n; i++)
			commit_group(g, &slots[i], 1, fx);
		return;
	}
	if (rc < 0) {
		fail_slots(slots, n, rc, &e);
		return;
	}
	rc = apply_effects(g, fx, &e);
	if (rc < 0 && reload_index(g, g->next_seq - 1) < 0)
		fail_slots(slots, n, ERR_NOT_READY, &e);
}

/* Takes batches off the queue until there are enough events; returns them as a list, NULL to end. */
static struct batch *take_batches(struct embedded *g, size_t *n)
{
	struct batch *head, *b;

	pthread_mutex_lock(&g->lock);
	while (!g->first && g->closing < 2)
		pthread_cond_wait(&g->work, &g->lock);
	head = b = g->first;
	*n = b ? b->n : 0;
	while (b && b->next && *n + b->next->n <= GROUP_EVENTS) {
		b = b->next;
		*n += b->n;
	}
	if (b) {
		g->first = b->next;
		b->next = NULL;
		if (!g->first)
			g->last = &g->first;
	}
	pthread_mutex_unlock(&g->lock);
	return head;
}

static void finish_batches(struct embedded *g, struct batch *b)
{
	pthread_mutex_lock(&g->lock);
	while (b) {
		struct batch *next = b->next; /* `b` is on the stack of a thread that may go on now */
		b->done = 1;
		pthread_cond_signal(&b->finished);
		b = next;
	}
	pthread_mutex_unlock(&g->lock);
}

static void write_batches(struct embedded *g, struct batch *head, size_t n, struct effects *fx)
{
	struct slot *slots = head->next ? malloc(n * sizeof(*slots)) : NULL;
	size_t at = 0;

	if (!slots) { /* a single batch, or no memory to make one of them */
		for (; head; head = head->next)
			commit_group(g, head->slots, head->n, fx);
		return;
	}
	for (; head; head = head->next) {
		memcpy(slots + at, head->slots, head->n * sizeof(*slots));
		at += head->n;
	}
	commit_group(g, slots, n, fx);
	free(slots);
}

static int trim_changes(struct embedded *g, struct error *e)
{
	int rc = db_begin_write(g->writer, e);

	if (rc == 0)
		rc = changes_trim(g->writer, atomic_load(&g->saved_seq), TRIM_CHANGES, e);
	if (rc == 0)
		rc = db_commit(g->writer, e);
	if (rc < 0)
		db_rollback(g->writer);
	return rc;
}

/*
 * Moves the WAL into the database now and then. A full disk can wait for the
 * next time; after any other failure pages may be lost that a later sync would
 * not miss, so that nothing more is written.
 */
static void checkpoint(struct embedded *g)
{
	struct error e = { 0 };
	int frames = db_wal_frames(g->writer), rc;

	if (frames < g->checkpointed)
		g->checkpointed = 0;
	if (frames - g->checkpointed < CHECKPOINT_FRAMES)
		return;
	rc = trim_changes(g, &e);
	if (rc == 0)
		rc = db_checkpoint(g->writer, frames > TRUNCATE_FRAMES, &e);
	g->checkpointed = db_wal_frames(g->writer);
	if (rc < 0 && rc != ERR_DISK_FULL)
		stop_writing(g, "a checkpoint has failed");
}

void *writer_run(void *self)
{
	struct embedded *g = self;
	struct effects fx = { 0 };
	struct batch *head;
	size_t n;

	while ((head = take_batches(g, &n))) {
		write_batches(g, head, n, &fx);
		finish_batches(g, head);
		if (g->writer)
			checkpoint(g);
	}
	if (g->writer) {
		struct error e = { 0 };
		trim_changes(g, &e);
		db_checkpoint(g->writer, 1, &e);
	}
	free(fx.v);
	return NULL;
}
