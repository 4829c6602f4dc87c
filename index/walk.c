#include "index/walk.h"

#include <stdlib.h>
#include <string.h>

#include "index/bits.h"

/* --- the bytes -------------------------------------------------------------------------------------- */

static int corrupt(struct error *e)
{
	return error_set(e, ERR_CORRUPT, NULL, "the links of a segment do not fit together");
}

static int all_below(const uint32_t *v, size_t n, uint32_t bound)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] >= bound && v[i] != WALK_NONE)
			return 0;
	return 1;
}

static int check_tall(const struct links *l, size_t lists, struct error *e)
{
	uint32_t highest = 0;

	for (uint32_t i = 0; i < l->tall; i++) {
		uint32_t above = l->tall_first[i + 1] - l->tall_first[i];
		highest = above > highest ? above : highest;
		if (l->tall_rows[i] >= l->rows || (i && l->tall_rows[i] <= l->tall_rows[i - 1]) ||
		    l->tall_first[i] > l->tall_first[i + 1])
			return corrupt(e);
	}
	if (l->levels != highest + 1 || l->tall_first[0] != 0 || l->tall_first[l->tall] != lists)
		return corrupt(e);
	return 0;
}

int links_open(const void *p, size_t n, struct links *out, struct error *e)
{
	const uint32_t *head = p;
	struct links l;

	if (n < 4 * sizeof(*head) || n % sizeof(*head))
		return corrupt(e);
	l.rows = head[0];
	l.entry = head[1];
	l.levels = head[2];
	l.tall = head[3];
	size_t left = n / sizeof(*head) - 4, fixed = (size_t)l.rows * WALK_GROUND + 2 * (size_t)l.tall + 1;
	if (l.rows == 0 || l.entry >= l.rows || l.levels == 0 || fixed > left || (left - fixed) % WALK_UPPER)
		return corrupt(e);
	l.ground = head + 4;
	l.tall_rows = l.ground + (size_t)l.rows * WALK_GROUND;
	l.tall_first = l.tall_rows + l.tall;
	l.upper = l.tall_first + l.tall + 1;
	if (!all_below(l.ground, (size_t)l.rows * WALK_GROUND, l.rows) ||
	    !all_below(l.upper, left - fixed, l.rows))
		return corrupt(e);
	int rc = check_tall(&l, (left - fixed) / WALK_UPPER, e);
	if (rc == 0)
		*out = l;
	return rc;
}

/* The neighbours of a row on a level above the ground; NULL if it is not there. */
static const uint32_t *upper_links(const struct links *l, uint32_t row, uint32_t level)
{
	uint32_t low = 0, high = l->tall;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (l->tall_rows[mid] < row)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == l->tall || l->tall_rows[low] != row || level > l->tall_first[low + 1] - l->tall_first[low])
		return NULL;
	return l->upper + (size_t)(l->tall_first[low] + level - 1) * WALK_UPPER;
}

/* --- scratch ---------------------------------------------------------------------------------------- */

struct heap {
	struct walked *p;
	size_t n, cap;
};

struct walk_scratch {
	uint64_t *seen;      /* set of rows; owned */
	size_t words;        /* room in it */
	struct heap next;    /* to be walked from, best on top */
	struct heap held;    /* the beam, worst on top */
	struct heap missed;  /* in any order: met, and not good enough for the beam */
	struct heap dropped; /* in any order: allowed, held once and walked from, or still to be */
	struct walk_report report;
	size_t compared;
};

struct walk_scratch *walk_scratch_new(void)
{
	return calloc(1, sizeof(struct walk_scratch));
}

void walk_scratch_free(struct walk_scratch *s)
{
	if (!s)
		return;
	free(s->seen);
	free(s->next.p);
	free(s->held.p);
	free(s->missed.p);
	free(s->dropped.p);
	free(s);
}

static int scratch_begin(struct walk_scratch *s, size_t rows)
{
	s->next.n = s->held.n = s->missed.n = s->dropped.n = 0;
	s->report = (struct walk_report){ 0 };
	s->compared = 0;
	size_t words = bits_words(rows);
	if (s->words < words) {
		free(s->seen);
		s->words = 0;
		if (!(s->seen = malloc(words * sizeof(*s->seen))))
			return -1;
		s->words = words;
	}
	memset(s->seen, 0, words * sizeof(*s->seen));
	return 0;
}

static int heap_room(struct heap *h)
{
	if (h->n < h->cap)
		return 0;
	size_t cap = h->cap ? 2 * h->cap : 256;
	struct walked *p = realloc(h->p, cap * sizeof(*p));
	if (!p)
		return -1;
	h->p = p;
	h->cap = cap;
	return 0;
}

/* Of equals the smaller row is better, so that a walk is the same whenever it is walked. */
static int better(struct walked a, struct walked b)
{
	return a.score > b.score || (a.score == b.score && a.row < b.row);
}

static int best_push(struct heap *h, struct walked x)
{
	if (heap_room(h) < 0)
		return -1;
	size_t hole = h->n++;
	for (; hole > 0 && better(x, h->p[(hole - 1) / 2]); hole = (hole - 1) / 2)
		h->p[hole] = h->p[(hole - 1) / 2];
	h->p[hole] = x;
	return 0;
}

static struct walked best_pop(struct heap *h)
{
	struct walked top = h->p[0], last = h->p[--h->n];
	size_t hole = 0;

	for (size_t child; (child = 2 * hole + 1) < h->n; hole = child) {
		if (child + 1 < h->n && better(h->p[child + 1], h->p[child]))
			child++;
		if (!better(h->p[child], last))
			break;
		h->p[hole] = h->p[child];
	}
	h->p[hole] = last;
	return top;
}

static void worst_sink(struct heap *h, size_t n, struct walked x)
{
	size_t hole = 0;

	for (size_t child; (child = 2 * hole + 1) < n; hole = child) {
		if (child + 1 < n && better(h->p[child], h->p[child + 1]))
			child++;
		if (!better(x, h->p[child]))
			break;
		h->p[hole] = h->p[child];
	}
	h->p[hole] = x;
}

static int put_aside(struct heap *h, struct walked x)
{
	if (heap_room(h) < 0)
		return -1;
	h->p[h->n++] = x;
	return 0;
}

/* Holds x if it is among the best `beam`; what falls out is put aside. */
static int hold(struct walk_scratch *s, size_t beam, struct walked x)
{
	struct heap *h = &s->held;

	if (h->n == beam) {
		struct walked out = better(x, h->p[0]) ? h->p[0] : x;
		if (out.row != x.row)
			worst_sink(h, h->n, x);
		return put_aside(&s->dropped, out);
	}
	if (heap_room(h) < 0)
		return -1;
	size_t hole = h->n++;
	for (; hole > 0 && better(h->p[(hole - 1) / 2], x); hole = (hole - 1) / 2)
		h->p[hole] = h->p[(hole - 1) / 2];
	h->p[hole] = x;
	return 0;
}

/* --- the walk ------------------------------------------------------------------------------------------ */

static void compare(const struct walk *w, const uint32_t *rows, size_t n, float *score)
{
	(w->look ? codes_look : codes_score)(w->distance, &w->codes, w->query, rows, n, score);
}

static struct walked descend(const struct walk *w)
{
	const struct links *l = w->links;
	struct walked best = { l->entry, 0, 0 };

	compare(w, &best.row, 1, &best.score);
	for (uint32_t level = l->levels - 1; level > 0; level--) {
		for (int moved = 1; moved;) {
			const uint32_t *next = upper_links(l, best.row, level);
			float score[WALK_UPPER];
			size_t n = 0;
			while (next && n < WALK_UPPER && next[n] != WALK_NONE)
				codes_fetch_upper(&w->codes, next[n++]);
			compare(w, next, n, score);
			moved = 0;
			for (size_t i = 0; i < n; i++) {
				struct walked x = { next[i], score[i], 0 };
				if (better(x, best)) {
					best = x;
					moved = 1;
				}
			}
		}
	}
	return best;
}

static int is_allowed(const struct walk *w, uint32_t row)
{
	uint32_t doc = w->doc ? w->doc[row * w->doc_step] : row;

	return !w->allowed || bits_has(w->allowed, doc);
}

/* The neighbours of a row that the walk has not seen; they are seen now, and asked for. */
static size_t unseen(const struct walk *w, struct walk_scratch *s, uint32_t row, uint32_t *out)
{
	const uint32_t *next = w->links->ground + (size_t)row * WALK_GROUND;
	size_t n = 0;

	for (size_t i = 0; i < WALK_GROUND && next[i] != WALK_NONE; i++) {
		if (bits_has(s->seen, next[i]))
			continue;
		bits_add(s->seen, next[i]);
		codes_fetch_upper(&w->codes, next[i]);
		out[n++] = next[i];
	}
	return n;
}

static int meet(const struct walk *w, struct walk_scratch *s, struct walked x)
{
	int full = s->held.n == w->beam;

	if (full && !better(x, s->held.p[0]))
		return put_aside(&s->missed, x);
	if (best_push(&s->next, x) < 0)
		return -1;
	memory_fetch(w->links->ground + (size_t)x.row * WALK_GROUND, WALK_GROUND * sizeof(*w->links->ground));
	return is_allowed(w, x.row) ? hold(s, w->beam, x) : 0;
}

static int best_first(const void *a, const void *b)
{
	const struct walked *x = a, *y = b;

	return better(*y, *x) - better(*x, *y);
}

/* Rows that were found by a look get the scores of their whole codes. */
static void look_again(const struct walk *w, struct walked *found, size_t n)
{
	uint32_t row[WALK_GROUND];
	float score[WALK_GROUND];

	for (size_t at = 0; at < n; at += WALK_GROUND) {
		size_t m = n - at < WALK_GROUND ? n - at : WALK_GROUND;
		for (size_t i = 0; i < m; i++)
			codes_fetch_lower(&w->codes, row[i] = found[at + i].row);
		codes_score(w->distance, &w->codes, w->query, row, m, score);
		for (size_t i = 0; i < m; i++)
			found[at + i].score = score[i];
	}
}

/* Best first; a copy is sorted, for the walk may go on. */
static long hand_out(const struct walk *w, const struct heap *held, struct walked *out)
{
	if (held->n == 0)
		return 0;
	memcpy(out, held->p, held->n * sizeof(*out));
	if (w->look)
		look_again(w, out, held->n);
	qsort(out, held->n, sizeof(*out), best_first);
	return (long)held->n;
}

static long walk_through(const struct walk *w, struct walk_scratch *s, struct walked *out,
			 struct walk_report *report)
{
	uint32_t rows[WALK_GROUND];
	float score[WALK_GROUND];
	struct walk_report r = s->report;

	while (s->next.n > 0) {
		if (s->held.n == w->beam && !better(s->next.p[0], s->held.p[0]))
			break;
		struct walked x = best_pop(&s->next);
		r.steps++;
		r.allowed_steps += (uint32_t)is_allowed(w, x.row);
		size_t n = unseen(w, s, x.row, rows);
		compare(w, rows, n, score);
		s->compared += n;
		if (w->budget && s->compared > w->budget)
			return WALK_GIVEN_UP;
		for (size_t i = 0; i < n; i++)
			if (meet(w, s, (struct walked){ rows[i], score[i], r.steps }) < 0)
				return -1;
	}
	r.reached = s->held.n ? s->held.p[0].score : 0;
	*report = s->report = r;
	return hand_out(w, &s->held, out);
}

long walk_run(const struct walk *w, struct walk_scratch *s, struct walked *out, struct walk_report *report)
{
	if (scratch_begin(s, w->links->rows) < 0)
		return -1;
	struct walked start = descend(w);
	bits_add(s->seen, start.row);
	if (meet(w, s, start) < 0)
		return -1;
	return walk_through(w, s, out, report);
}

long walk_on(const struct walk *w, struct walk_scratch *s, struct walked *out, struct walk_report *report)
{
	struct heap missed = s->missed, dropped = s->dropped;
	int rc = 0;

	s->missed = s->dropped = (struct heap){ 0 };
	for (size_t i = 0; rc == 0 && i < dropped.n; i++)
		rc = hold(s, w->beam, dropped.p[i]);
	for (size_t i = 0; rc == 0 && i < missed.n; i++)
		rc = meet(w, s, missed.p[i]);
	free(missed.p);
	free(dropped.p);
	return rc < 0 ? -1 : walk_through(w, s, out, report);
}
