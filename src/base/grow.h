/*
 * grow.h: room in a malloc'ed array for one more element.
 *
 * GROW(array, n, cap) doubles `cap` when n == cap; it is 0, or -1 without
 * memory (the array is then as it was). The array is the caller's to free.
 */
#ifndef READBACK_BASE_GROW_H
#define READBACK_BASE_GROW_H

#include <stddef.h>

int grow_room(void *array, size_t elem, size_t n, size_t *cap);

#define GROW(array, n, cap) grow_room(&(array), sizeof(*(array)), (n), &(cap))

#endif
