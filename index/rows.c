#include "index/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "index/distance.h"

void rows_init(struct rows *r, size_t dim)
{
	*r = (struct rows){ .dim = dim, .stride = distance_stride(dim) };
}

void rows_release(struct rows *r)
{
	for (size_t i = 0; i < r->n_blocks; i++)
		free(r->blocks[i]);
	free(r->blocks);
	free(r->row);
	free(r->free);
	rows_init(r, r->dim);
}

static int add_block(struct rows *r)
{
	if (GROW(r->blocks, r->n_blocks, r->blocks_cap) < 0)
		return -1;
	float *block = aligned_alloc(DISTANCE_ALIGN, ROWS_A_BLOCK * r->stride * sizeof(float));
	if (!block)
		return -1;
	r->blocks[r->n_blocks++] = block;
	return 0;
}

static uint32_t new_slot(struct rows *r)
{
	if (r->n >= ROW_NONE || GROW(r->row, r->n, r->cap) < 0)
		return ROW_NONE;
	/* Room to give every slot back, so that a removal cannot fail. */
	if (r->n >= r->free_cap) {
		uint32_t *more = realloc(r->free, r->cap * sizeof(*more));
		if (!more)
			return ROW_NONE;
		r->free = more;
		r->free_cap = r->cap;
	}
	if (r->n == r->n_blocks * ROWS_A_BLOCK && add_block(r) < 0)
		return ROW_NONE;
	return (uint32_t)r->n++;
}

uint32_t rows_add(struct rows *r, const float *vector)
{
	uint32_t slot = r->n_free ? r->free[--r->n_free] : new_slot(r);

	if (slot == ROW_NONE)
		return ROW_NONE;
	float *v = rows_vector(r, slot);
	memcpy(v, vector, r->dim * sizeof(*v));
	memset(v + r->dim, 0, (r->stride - r->dim) * sizeof(*v));
	r->row[slot] = (struct row){ .entry = ROW_NONE, .next = ROW_NONE, .at = ROW_NONE };
	r->live++;
	return slot;
}

void rows_remove(struct rows *r, uint32_t slot)
{
	r->row[slot].entry = ROW_NONE;
	r->free[r->n_free++] = slot;
	r->live--;
}

size_t rows_bytes(const struct rows *r)
{
	return r->n * r->stride * sizeof(float) + r->cap * sizeof(*r->row) + r->free_cap * sizeof(*r->free);
}
