#include "index/index_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/grow.h"

static int first_view(struct index *x, struct error *e)
{
	struct list *lists[COLLECTIONS];
	int missing = 0;

	for (int i = 0; i < COLLECTIONS; i++) {
		lists[i] = list_new(NULL, 0);
		missing |= !lists[i];
	}
	if (!missing)
		x->view = view_new(0, lists);
	for (int i = 0; missing && i < COLLECTIONS; i++)
		list_release(lists[i]);
	return x->view ? 0 : no_memory(e);
}

static int open_folder(struct index *x, struct error *e)
{
	if (!x->options.folder)
		return 0;
	x->folder = strdup(x->options.folder);
	x->options.folder = x->folder;
	if (!x->folder)
		return no_memory(e);
	int rc = x->options.read_only ? 0 : folder_make(x->folder, e);
	return rc < 0 || x->options.fresh ? rc : files_load(x, e);
}

int index_open(const struct index_options *o, struct index **out, struct error *e)
{
	struct index *x = calloc(1, sizeof(*x));

	if (!x)
		return no_memory(e);
	x->options = *o;
	x->tuning = (struct index_tuning){ .distance = distance_best(),
					   .scan_rows = 20000,
					   .links_rows = 4096,
					   .large_rows = 16384,
					   .beam = 160,
					   .small_docs = 512,
					   .merge_docs = 4096,
					   .merge_rows = 4000000,
					   .fan = 8 };
	atomic_init(&x->next_number, 1);
	atomic_init(&x->broken_files, o->broken_files);
	pthread_mutex_init(&x->upkeep, NULL);
	pthread_mutex_init(&x->write, NULL);
	pthread_mutex_init(&x->lock, NULL);
	int rc = first_view(x, e);
	if (rc == 0)
		rc = open_folder(x, e);
	if (rc < 0) {
		index_close(x);
		return rc;
	}
	*out = x;
	return 0;
}

void index_close(struct index *x)
{
	if (!x)
		return;
	view_release(x->view);
	for (size_t i = 0; i < x->n_scratch; i++)
		walk_scratch_free(x->scratch[i]);
	free(x->scratch);
	pthread_mutex_destroy(&x->upkeep);
	pthread_mutex_destroy(&x->write);
	pthread_mutex_destroy(&x->lock);
	free(x->folder);
	free(x);
}

struct index_tuning *index_tuning(struct index *x)
{
	return &x->tuning;
}

void index_step(const struct index *x, const char *name)
{
	if (x->tuning.step)
		x->tuning.step(x->tuning.step_arg, name);
}

void index_stop(struct index *x)
{
	atomic_store(&x->stop, 1);
}

/* --- views and scratch ---------------------------------------------------------------------------------- */

struct view *index_view(struct index *x)
{
	pthread_mutex_lock(&x->lock);
	struct view *v = view_hold(x->view);
	pthread_mutex_unlock(&x->lock);
	return v;
}

void index_publish(struct index *x, struct view *v)
{
	pthread_mutex_lock(&x->lock);
	struct view *old = x->view;
	x->view = v;
	pthread_mutex_unlock(&x->lock);
	view_release(old);
}

struct walk_scratch *index_take_scratch(struct index *x)
{
	struct walk_scratch *s = NULL;

	pthread_mutex_lock(&x->lock);
	if (x->n_scratch)
		s = x->scratch[--x->n_scratch];
	pthread_mutex_unlock(&x->lock);
	return s ? s : walk_scratch_new();
}

void index_give_scratch(struct index *x, struct walk_scratch *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&x->lock);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds */
	int kept = GROW(x->scratch, x->n_scratch, x->scratch_cap) == 0;
	if (kept)
		x->scratch[x->n_scratch++] = s;
	pthread_mutex_unlock(&x->lock);
	if (!kept)
		walk_scratch_free(s);
}

/* --- what is there ---------------------------------------------------------------------------------------- */

uint64_t index_seq(struct index *x)
{
	struct view *v = index_view(x);
	uint64_t seq = v->seq;

	view_release(v);
	return seq;
}

const unsigned char *index_mark(const struct index *x)
{
	return x->mark;
}

int index_has(struct index *x, enum collection c, uint64_t entry)
{
	struct view *v = index_view(x);
	const struct list *l = v->lists[c];
	int found = 0;

	for (size_t i = 0; !found && i < l->n; i++) {
		uint32_t doc = segment_find(l->parts[i].segment, entry);
		found = doc != SEGMENT_NONE && live_has(&l->parts[i], doc);
	}
	view_release(v);
	return found;
}

static void count_part(const struct live *p, struct index_stats *out)
{
	const struct segment *s = p->segment;
	size_t dead = 0;

	for (uint32_t d = 0; p->dead && d < s->docs; d++)
		if (!live_has(p, d))
			dead += s->first[d + 1] - s->first[d];
	out->segments++;
	out->rows += s->n_rows - dead;
	out->dead_rows += dead;
	out->graph_rows += s->links.rows ? s->n_rows - dead : 0;
	out->bytes += segment_bytes(s);
}

void index_stats(struct index *x, struct index_stats *out)
{
	struct view *v = index_view(x);

	*out = (struct index_stats){ .bytes = sizeof(*x),
				     .broken_files = atomic_load(&x->broken_files),
				     .failed_merges = atomic_load(&x->failed_merges) };
	for (int i = 0; i < COLLECTIONS; i++) {
		const struct list *l = v->lists[i];
		out->entries[i] = l->docs;
		for (size_t j = 0; j < l->n; j++)
			count_part(&l->parts[j], out);
	}
	view_release(v);
}
