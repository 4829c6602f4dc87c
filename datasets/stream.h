/*
 * stream.h: in which order a replay goes through its rows, and what is made
 * hard about it, all by a seed: shuffled, with labels that come late, with rows
 * out of scope in between, with wrong labels. Plain arithmetic; any thread.
 */
#ifndef READBACK_DATASETS_STREAM_H
#define READBACK_DATASETS_STREAM_H

#include <stddef.h>
#include <stdint.h>

/* Rows in scope are numbered from 0, those out of scope from n. */
struct stream {
	size_t n;          /* rows in scope */
	const int *labels; /* [n], numbers from 0; -1: none is known */
	size_t n_labels;
	size_t history;  /* the first so many places are of rows in scope */
	size_t n_others; /* rows out of scope to choose from */
	size_t mixed;    /* how many of them come, <= n_others */
	int shuffle;     /* else rows in scope keep their order */
	int drift;       /* a third of the labels comes in the second half only */
	double wrong;    /* share of labels that are told wrong */
	uint64_t seed;
};

/* How many rows out of scope make up `share` (below 1) of what follows the history; no more than there are. */
size_t stream_mixed(const struct stream *s, double share);

/*
 * The rows in the order of the stream into out[n + mixed]. With drift
 * late[n_labels] says which labels come late, else all are 0. Where there is
 * not enough of the others for half of the rows late labels come sooner. 0, or
 * -1 without memory.
 */
int stream_order(const struct stream *s, size_t *out, unsigned char *late);

/*
 * What the labels are told to be into told[n]: each is replaced with
 * probability `wrong` by another one, all others alike. Returns how many were.
 */
size_t stream_labels(const struct stream *s, int *told);

#endif
