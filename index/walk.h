/*
 * walk.h: nearest rows over the links of an HNSW graph (Malkov, Yashunin 2016,
 * arXiv 1603.09320), under a filter.
 *
 * FAISS builds the graph (faiss.h); it is walked here, over the codes of the
 * rows (codes.h), or a half of them until it has arrived: FAISS 1.7.3 has
 * neither filters nor a beam of each query's own in its C API, and keeps a copy
 * of the vectors.
 *
 * A graph is one immutable run of bytes, read in place, numbers in the
 * machine's order:
 *
 *   links  := rows u32, entry u32, levels u32, tall u32, ground, tall_rows, tall_first, upper
 *   ground := (u32 * WALK_GROUND) * rows   neighbours of each row; WALK_NONE behind the last
 *   tall_rows  := u32 * tall               rows that are above the ground too, ascending
 *   tall_first := u32 * (tall + 1)         where their neighbours begin in `upper`, in lists
 *   upper  := (u32 * WALK_UPPER)*          a list for each level above the ground, from below
 */
#ifndef READBACK_INDEX_WALK_H
#define READBACK_INDEX_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "index/codes.h"

#define WALK_GROUND 64
#define WALK_UPPER 32
#define WALK_NONE UINT32_MAX

/* An opened run of bytes; a plain value that borrows them. */
struct links {
	uint32_t rows, entry, levels, tall;
	const uint32_t *ground, *tall_rows, *tall_first, *upper;
};

/* ERR_CORRUPT unless every number is inside. `p` is 4-byte aligned. */
int links_open(const void *p, size_t n, struct links *out, struct error *e);

/* What a walk works with, one at a time; kept and used again, so that nothing is cleared. */
struct walk_scratch;
struct walk_scratch *walk_scratch_new(void); /* NULL: no memory */
void walk_scratch_free(struct walk_scratch *s);

struct walk {
	const struct links *links;
	const struct distance *distance;
	struct codes codes; /* of the rows */
	const struct code_query *query;
	int look; /* find the way by the upper halves of codes; they are far off where there are few dimensions */
	size_t beam;             /* how many allowed rows are held (ef), >= 1 */
	const uint64_t *allowed; /* set of documents; NULL: all */
	const uint32_t *doc;     /* document of row r at doc[r * doc_step]; NULL: it is r */
	size_t doc_step;
	size_t budget; /* so many rows may be compared; 0: no limit */
};

struct walked {
	uint32_t row;
	float score;   /* by its code */
	uint32_t step; /* of the walk at which it was met */
};

/* How it went. */
struct walk_report {
	uint32_t steps, allowed_steps; /* rows walked from, and how many of them were allowed */
	float reached;                 /* the last held row's score, as the walk compared it */
};

/*
 * The best allowed rows that the walk finds, best first, ties by row, into
 * `out` (room for beam). Rows that are not allowed are walked through. Returns
 * how many; WALK_GIVEN_UP when the budget is used up; -1 without memory.
 */
#define WALK_GIVEN_UP (-2)
long walk_run(const struct walk *w, struct walk_scratch *s, struct walked *out, struct walk_report *report);

/*
 * Goes on with the last walk of this scratch, which differs in its beam alone:
 * the same as if it had been that wide from the start, or better. What was met
 * is not compared again; steps and the budget go on counting.
 */
long walk_on(const struct walk *w, struct walk_scratch *s, struct walked *out, struct walk_report *report);

#endif
