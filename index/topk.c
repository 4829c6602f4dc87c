#include "index/topk.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"

struct topk {
	struct arena *arena;
	size_t k, n, room;
	struct scored *heap; /* heap[0] is the worst of the kept */
};

static int worse(struct scored a, struct scored b)
{
	return a.score < b.score || (a.score == b.score && a.id > b.id);
}

/* Lets `s` sink from `hole` to where both children are better. */
static void sift_down(struct scored *heap, size_t n, size_t hole, struct scored s)
{
	for (size_t child; (child = 2 * hole + 1) < n; hole = child) {
		if (child + 1 < n && worse(heap[child + 1], heap[child]))
			child++;
		if (!worse(heap[child], s))
			break;
		heap[hole] = heap[child];
	}
	heap[hole] = s;
}

static void sift_up(struct scored *heap, size_t hole, struct scored s)
{
	for (; hole > 0; hole = (hole - 1) / 2) {
		struct scored parent = heap[(hole - 1) / 2];
		if (!worse(s, parent))
			break;
		heap[hole] = parent;
	}
	heap[hole] = s;
}

struct topk *topk_new(struct arena *arena, size_t k)
{
	assert(k > 0);
	struct topk *t = arena_alloc(arena, sizeof(*t));
	if (t)
		*t = (struct topk){ .arena = arena, .k = k };
	return t;
}

/* Doubling within an arena wastes as much again at most; a caller's huge `k` costs nothing by itself. */
static int make_room(struct topk *t)
{
	size_t room = t->room ? t->room * 2 : 64;

	if (room > t->k)
		room = t->k;
	struct scored *heap = arena_alloc(t->arena, room * sizeof(*heap));
	if (!heap)
		return -1;
	if (t->n)
		memcpy(heap, t->heap, t->n * sizeof(*heap));
	t->heap = heap;
	t->room = room;
	return 0;
}

int topk_push(struct topk *t, struct scored s)
{
	assert(!isnan(s.score));
	if (t->n < t->k) {
		if (t->n == t->room && make_room(t) < 0)
			return -1;
		sift_up(t->heap, t->n++, s);
	} else if (worse(t->heap[0], s)) {
		sift_down(t->heap, t->n, 0, s);
	}
	return 0;
}

float topk_threshold(const struct topk *t)
{
	return t->n < t->k ? -INFINITY : t->heap[0].score;
}

size_t topk_count(const struct topk *t)
{
	return t->n;
}

size_t topk_finish(struct topk *t, const struct scored **out)
{
	/* Heapsort: taking the worst off, n times, leaves the best in front. */
	for (size_t n = t->n; n > 1; n--) {
		struct scored worst = t->heap[0];
		sift_down(t->heap, n - 1, 0, t->heap[n - 1]);
		t->heap[n - 1] = worst;
	}
	*out = t->heap;
	return t->n;
}
