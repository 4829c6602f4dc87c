#include "index/shelf.h"

#include <stdlib.h>

#include "base/grow.h"
#include "index/graph.h"
#include "index/tags.h"

static int no_memory(struct error *e)
{
	return error_set(e, ERR_NO_MEMORY, NULL, "out of memory in the index");
}

static int lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t a;

	if (pthread_rwlockattr_init(&a) != 0)
		return -1;
	/* A stream of searches must not hold up the writer: it holds the lock for microseconds. */
	pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	int rc = pthread_rwlock_init(lock, &a);
	pthread_rwlockattr_destroy(&a);
	return rc ? -1 : 0;
}

int shelf_init(struct shelf *c, size_t dim, struct error *e)
{
	*c = (struct shelf){ 0 };
	if (lock_init(&c->lock) < 0)
		return no_memory(e);
	rows_init(&c->rows, dim);
	c->live = roaring_bitmap_create();
	c->with_rows = roaring_bitmap_create();
	c->growing = roaring_bitmap_create();
	c->tags = tags_new();
	if (c->live && c->with_rows && c->growing && c->tags)
		return 0;
	shelf_release(c);
	return no_memory(e);
}

void shelf_release(struct shelf *c)
{
	graph_free(c->graph);
	build_free(c->build);
	roaring_release(&c->live);
	roaring_release(&c->with_rows);
	roaring_release(&c->growing);
	tags_free(c->tags);
	rows_release(&c->rows);
	idmap_release(&c->slots);
	free(c->entries);
	free(c->free);
	pthread_rwlock_destroy(&c->lock);
}

static void remove_rows(struct shelf *c, uint32_t slot)
{
	for (uint32_t r = c->entries[slot].first_row, next; r != ROW_NONE; r = next) {
		struct row *row = &c->rows.row[r];
		next = row->next;
		if (row->at == ROW_NONE)
			roaring_bitmap_remove(c->growing, r);
		else
			graph_unbind(c->graph, row->at);
		rows_remove(&c->rows, r);
	}
	c->entries[slot].first_row = ROW_NONE;
	roaring_bitmap_remove(c->with_rows, slot);
}

static int add_rows(struct shelf *c, uint32_t slot, const struct index_entry *e)
{
	uint32_t last = ROW_NONE;

	for (size_t i = 0; i < e->n_rows; i++) {
		const struct index_row *from = &e->rows[i];
		if (!from->vector || c->rows.dim == 0)
			continue;
		uint32_t r = rows_add(&c->rows, from->vector);
		if (r == ROW_NONE)
			return -1;
		if (last == ROW_NONE)
			c->entries[slot].first_row = r;
		else
			c->rows.row[last].next = r;
		last = r;
		struct row *row = &c->rows.row[r];
		row->id = from->id;
		row->entry = slot;
		row->n = from->n;
		row->field = (uint8_t)from->field;
		row->at = c->graph ? graph_bind(c->graph, row->id, r) : ROW_NONE;
		if (row->at == ROW_NONE)
			roaring_bitmap_add(c->growing, r);
	}
	if (last != ROW_NONE)
		roaring_bitmap_add(c->with_rows, slot);
	return 0;
}

static uint32_t new_slot(struct shelf *c)
{
	if (c->n_free)
		return c->free[--c->n_free];
	if (c->n_entries >= IDMAP_NONE || GROW(c->entries, c->n_entries, c->entries_cap) < 0)
		return IDMAP_NONE;
	/* Room to give every slot back, so that a removal cannot fail. */
	if (c->n_entries >= c->free_cap) {
		uint32_t *more = realloc(c->free, c->entries_cap * sizeof(*more));
		if (!more)
			return IDMAP_NONE;
		c->free = more;
		c->free_cap = c->entries_cap;
	}
	return (uint32_t)c->n_entries++;
}

static int add(struct shelf *c, const struct index_entry *e)
{
	uint32_t slot = idmap_get(&c->slots, e->id);

	if (slot != IDMAP_NONE) {
		remove_rows(c, slot);
	} else {
		slot = new_slot(c);
		if (slot == IDMAP_NONE || idmap_put(&c->slots, e->id, slot) < 0)
			return -1;
		c->entries[slot] = (struct entry){ .id = e->id, .first_row = ROW_NONE };
		roaring_bitmap_add(c->live, slot);
	}
	return add_rows(c, slot, e) < 0 || tags_set(c->tags, slot, e) < 0 ? -1 : 0;
}

static void delete (struct shelf *c, uint64_t id)
{
	uint32_t slot = idmap_get(&c->slots, id);

	if (slot == IDMAP_NONE)
		return;
	remove_rows(c, slot);
	tags_clear(c->tags, slot);
	roaring_bitmap_remove(c->live, slot);
	idmap_remove(&c->slots, id);
	c->free[c->n_free++] = slot;
}

int shelf_apply(struct shelf *c, const struct index_change *change, struct error *e)
{
	const struct index_entry *entry = &change->entry;
	uint32_t slot;
	int rc = 0;

	switch (change->op) {
	case INDEX_ADD:
		rc = add(c, entry);
		break;
	case INDEX_DELETE:
		delete (c, entry->id);
		break;
	case INDEX_RETAG:
		slot = idmap_get(&c->slots, entry->id);
		if (slot != IDMAP_NONE)
			rc = tags_set(c->tags, slot, entry);
		break;
	}
	return rc < 0 ? no_memory(e) : 0;
}

size_t shelf_bytes(const struct shelf *c)
{
	return rows_bytes(&c->rows) + tags_bytes(c->tags) + idmap_bytes(&c->slots) + graph_bytes(c->graph) +
	       c->entries_cap * sizeof(*c->entries) + c->free_cap * sizeof(*c->free) +
	       roaring_bitmap_size_in_bytes(c->live) + roaring_bitmap_size_in_bytes(c->with_rows) +
	       roaring_bitmap_size_in_bytes(c->growing);
}
