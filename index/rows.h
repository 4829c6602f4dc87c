/*
 * rows.h: vectors and what they belong to, by row slot.
 *
 * Vectors stand in blocks that never move; slots of removed rows are used
 * again. Written under the collection's write lock, read under its read lock.
 */
#ifndef READBACK_INDEX_ROWS_H
#define READBACK_INDEX_ROWS_H

#include <stddef.h>
#include <stdint.h>

#define ROW_NONE UINT32_MAX

struct row {
	uint64_t id;
	uint32_t entry; /* its slot; ROW_NONE: the row is free */
	uint32_t next;  /* of the same entry; ROW_NONE at the end */
	uint32_t at;    /* where it is in the graph; ROW_NONE: it is not, and gets scanned */
	uint32_t n;
	uint8_t field; /* enum row_field */
};

struct rows {
	size_t dim, stride; /* floats a vector, and with padding */
	struct row *row;    /* owned */
	size_t n, cap, live;
	float **blocks; /* owned */
	size_t n_blocks, blocks_cap;
	uint32_t *free; /* owned: slots to use again */
	size_t n_free, free_cap;
};

void rows_init(struct rows *r, size_t dim);
void rows_release(struct rows *r);

/* A slot with a copy of `vector`; the other fields are the caller's to fill. ROW_NONE: no memory. */
uint32_t rows_add(struct rows *r, const float *vector);

/* Never fails: rows_add() made the room. */
void rows_remove(struct rows *r, uint32_t slot);

#define ROWS_A_BLOCK 1024

static inline float *rows_vector(const struct rows *r, uint32_t slot)
{
	return r->blocks[slot / ROWS_A_BLOCK] + slot % ROWS_A_BLOCK * r->stride;
}

size_t rows_bytes(const struct rows *r);

#endif
