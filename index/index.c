#include "index/index_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "index/graph.h"
#include "index/save.h"

static int no_memory(struct error *e)
{
	return error_set(e, ERR_NO_MEMORY, NULL, "out of memory in the index");
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
	return rc < 0 ? rc : index_load(x, e);
}

int index_open(const struct index_options *o, struct index **out, struct error *e)
{
	struct index *x = calloc(1, sizeof(*x));
	size_t n = 0;
	int rc = 0;

	if (!x)
		return no_memory(e);
	x->options = *o;
	x->tuning = (struct index_tuning){
		.distance = distance_best(), .exact_rows = 20000, .growing_rows = 1024, .slice = 32
	};
	if (pthread_mutex_init(&x->upkeep, NULL) != 0) {
		free(x);
		return no_memory(e);
	}
	while (rc == 0 && n < COLLECTIONS && (rc = shelf_init(&x->shelves[n], o->dim, e)) == 0)
		n++;
	if (rc == 0)
		rc = open_folder(x, e);
	if (rc == 0) {
		*out = x;
		return 0;
	}
	while (n > 0)
		shelf_release(&x->shelves[--n]);
	pthread_mutex_destroy(&x->upkeep);
	free(x->folder);
	free(x);
	return rc;
}

void index_close(struct index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < COLLECTIONS; i++)
		shelf_release(&x->shelves[i]);
	pthread_mutex_destroy(&x->upkeep);
	free(x->folder);
	free(x);
}

struct index_tuning *index_tuning(struct index *x)
{
	return &x->tuning;
}

int index_apply(struct index *x, uint64_t seq, const struct index_change *changes, size_t n, struct error *e)
{
	unsigned touched = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		assert((unsigned)changes[i].entry.collection < COLLECTIONS);
		touched |= 1u << changes[i].entry.collection;
	}
	/* All at once and always in this order, so that a search sees all of a change or nothing. */
	for (unsigned i = 0; i < COLLECTIONS; i++) {
		if (touched & 1u << i)
			pthread_rwlock_wrlock(&x->shelves[i].lock);
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = shelf_apply(&x->shelves[changes[i].entry.collection], &changes[i], e);
	if (rc == 0)
		atomic_store(&x->seq, seq);
	for (unsigned i = COLLECTIONS; i-- > 0;) {
		if (touched & 1u << i)
			pthread_rwlock_unlock(&x->shelves[i].lock);
	}
	return rc;
}

uint64_t index_seq(const struct index *x)
{
	return atomic_load(&x->seq);
}

void index_stats(struct index *x, struct index_stats *out)
{
	*out = (struct index_stats){ .bytes = sizeof(*x), .broken_files = x->broken_files };
	for (size_t i = 0; i < COLLECTIONS; i++) {
		struct shelf *c = &x->shelves[i];
		pthread_rwlock_rdlock(&c->lock);
		out->entries[i] = c->slots.n;
		out->rows += c->rows.live;
		out->bytes += shelf_bytes(c);
		if (c->graph) {
			out->graph_rows += c->graph->bound;
			out->dead_rows += graph_dead(c->graph);
		}
		pthread_rwlock_unlock(&c->lock);
	}
}
