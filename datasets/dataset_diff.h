/*
 * dataset_diff.h: what differs between two exported folders, by the ids of
 * rows, which stay from one dataset to the next (dataset.h). Only manifests and
 * provenance are read, so a reason is what they tell: see docs/formats-datasets.md.
 */
#ifndef READBACK_DATASETS_DATASET_DIFF_H
#define READBACK_DATASETS_DATASET_DIFF_H

#include "base/json.h"

enum diff_what { DIFF_ADDED, DIFF_GONE, DIFF_CHANGED, DIFF_KINDS };

/* "added", "gone", "changed". */
const char *diff_name(enum diff_what what);

struct dataset_diff {
	uint64_t counts[DIFF_KINDS], equal;
	json_t *request; /* {name: {"from","to"}} of what differs in the requests; the caller's */
	json_t *files;   /* names of payload files that one lacks or that differ; NULL: not the same format */
};

/*
 * Compares B with A. Calls row() with each row that differs, in the order of
 * B and then of those that are gone: {"row","conversation"?,"example"?,
 * "handoff"?,"reasons":[{"why", more that it needs}]}, borrowed; below 0 ends
 * it. Memory grows by some 60 bytes a row of A. ERR_NOT_FOUND or ERR_CORRUPT
 * where a folder is no whole dataset, ERR_BAD_VALUE where kinds differ.
 * On failure *out holds nothing.
 */
int dataset_diff(const char *a, const char *b,
		 int (*row)(void *arg, enum diff_what what, const json_t *row, struct error *e), void *arg,
		 struct dataset_diff *out, struct error *e);

#endif
