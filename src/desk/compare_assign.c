#include "desk/compare.h"

#include <math.h>

#include "base/arena.h"

/* The tables of one run, each of n + 1: index 0 is the row that is being placed. */
struct potentials {
	size_t n;
	const double *gains;
	size_t n_left, n_right;
	double *u, *v, *least;
	size_t *row_of, *way;
	char *used;
};

/* Cost of row i and column j (from 1); the square's empty fields cost nothing. */
static double cost(const struct potentials *p, size_t i, size_t j)
{
	return i <= p->n_left && j <= p->n_right ? -p->gains[(i - 1) * p->n_right + j - 1] : 0;
}

/* One step of the search for the shortest augmenting path; returns the next column. */
static size_t advance(struct potentials *p, size_t column)
{
	size_t row = p->row_of[column], next = 0;
	double delta = INFINITY;

	p->used[column] = 1;
	for (size_t j = 1; j <= p->n; j++) {
		if (p->used[j])
			continue;
		double reduced = cost(p, row, j) - p->u[row] - p->v[j];
		if (reduced < p->least[j]) {
			p->least[j] = reduced;
			p->way[j] = column;
		}
		if (p->least[j] < delta) {
			delta = p->least[j];
			next = j;
		}
	}
	for (size_t j = 0; j <= p->n; j++) {
		if (p->used[j]) {
			p->u[p->row_of[j]] += delta;
			p->v[j] -= delta;
		} else {
			p->least[j] -= delta;
		}
	}
	return next;
}

static void place_row(struct potentials *p, size_t row)
{
	size_t column = 0;

	p->row_of[0] = row;
	for (size_t j = 0; j <= p->n; j++) {
		p->least[j] = INFINITY;
		p->used[j] = 0;
	}
	do {
		column = advance(p, column);
	} while (p->row_of[column] != 0);
	while (column) {
		size_t before = p->way[column];
		p->row_of[column] = p->row_of[before];
		column = before;
	}
}

int assign_pairs(struct arena *a, const double *gains, size_t n_left, size_t n_right, long *to)
{
	size_t n = n_left > n_right ? n_left : n_right;
	struct potentials p = { .n = n, .gains = gains, .n_left = n_left, .n_right = n_right };

	p.u = arena_alloc(a, (n + 1) * sizeof(*p.u));
	p.v = arena_alloc(a, (n + 1) * sizeof(*p.v));
	p.least = arena_alloc(a, (n + 1) * sizeof(*p.least));
	p.row_of = arena_alloc(a, (n + 1) * sizeof(*p.row_of));
	p.way = arena_alloc(a, (n + 1) * sizeof(*p.way));
	p.used = arena_alloc(a, n + 1);
	if (!p.u || !p.v || !p.least || !p.row_of || !p.way || !p.used)
		return -1;
	for (size_t i = 1; i <= n; i++)
		place_row(&p, i);
	for (size_t i = 0; i < n_left; i++)
		to[i] = -1;
	for (size_t j = 1; j <= n_right; j++) {
		size_t i = p.row_of[j];
		if (i >= 1 && i <= n_left && gains[(i - 1) * n_right + j - 1] > 0)
			to[i - 1] = (long)j - 1;
	}
	return 0;
}

int compare_assign(struct arena *a, const struct compared *left, size_t n_left, const struct compared *right,
		   size_t n_right, long *to, struct likeness *likeness)
{
	double *gains = arena_alloc(a, (n_left * n_right + 1) * sizeof(*gains));
	struct likeness *all = arena_alloc(a, (n_left * n_right + 1) * sizeof(*all));

	if (!gains || !all)
		return -1;
	for (size_t i = 0; i < n_left; i++) {
		for (size_t j = 0; j < n_right; j++) {
			struct likeness *l = &all[i * n_right + j];
			if (compare_two(a, &left[i], &right[j], l) < 0)
				return -1;
			/* an agreeing pair outweighs any number of likely ones */
			double like = l->words > l->cosine ? l->words : l->cosine;
			gains[i * n_right + j] = l->agree ? 2.0 * COMPARE_MAX + like : l->related ? like : 0;
		}
	}
	if (assign_pairs(a, gains, n_left, n_right, to) < 0)
		return -1;
	for (size_t i = 0; i < n_left; i++)
		if (to[i] >= 0)
			likeness[i] = all[i * n_right + (size_t)to[i]];
	return 0;
}
