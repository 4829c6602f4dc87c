#include "engine/each.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define PAGE 500
#define CHUNK ((size_t)256 << 10)

int engine_each(struct engine *g, const struct scan *what,
		int (*each)(void *arg, struct arena *a, const struct record *r, struct error *e), void *arg,
		struct error *e)
{
	struct scan s = *what;
	char *after = NULL;
	size_t n = PAGE;
	int rc = 0;

	s.limit = PAGE;
	while (rc == 0 && n == PAGE) {
		struct arena *a = arena_new(CHUNK);
		struct record *page = NULL;
		rc = a ? engine_scan(g, &s, a, &page, &n, e) : no_memory(e);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = each(arg, a, &page[i], e);
		if (rc == 0 && n > 0) {
			free(after);
			after = strdup(page[n - 1].id);
			s.after = page[n - 1].created;
			s.after_id = after;
			rc = after ? 0 : no_memory(e);
		}
		arena_free(a);
	}
	free(after);
	return rc;
}
