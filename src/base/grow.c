#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int grow_room(void *array, size_t elem, size_t n, size_t *cap)
{
	void *p;

	if (n < *cap)
		return 0;
	size_t more = *cap ? *cap * 2 : 16;
	while (more <= n)
		more *= 2;
	if (more > SIZE_MAX / elem)
		return -1;
	memcpy(&p, array, sizeof(p)); /* `array` is the address of a pointer of any type */
	p = realloc(p, more * elem);
	if (!p)
		return -1;
	memcpy(array, &p, sizeof(p));
	*cap = more;
	return 0;
}
