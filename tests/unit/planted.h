/*
 * planted.h: texts of our own with planted personal data, for measuring the
 * redactor. It shares no code with the recognisers: checks are computed here,
 * by other formulas where there are others.
 *
 * A line has one planted value at most. Lines without one hold look-alikes
 * (dates, prices, versions, tracking numbers, failing checksums) or plain words.
 */
#ifndef READBACK_TESTS_PLANTED_H
#define READBACK_TESTS_PLANTED_H

#include <stddef.h>
#include <stdint.h>

#define PLANTED_ROOM 400

struct planted_rng {
	uint64_t state;
};

struct planted_line {
	const char *kind; /* as redact_kind_name(); NULL: nothing is planted */
	int without_word; /* a value that only a word would tell from other numbers, and there is none: not counted */
	char text[PLANTED_ROOM];
	size_t at, n; /* the value in the text */
};

/* The kinds that are planted; NULL past the end. */
const char *planted_kind(size_t i);

/* A customer's name, and a line of that customer's text. */
void planted_name(struct planted_rng *r, char name[80]);
void planted_line(struct planted_rng *r, const char *name, struct planted_line *out);

#endif
