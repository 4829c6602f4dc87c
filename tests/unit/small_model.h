/*
 * small_model.h: a model folder made for a test, with everything that the real
 * one has but meaning: weights by chance, seeded, and a vocabulary of letters.
 * So what does not depend on meaning is tested where no model is installed,
 * and what is wrong with a file can be put into it.
 */
#ifndef READBACK_TESTS_SMALL_MODEL_H
#define READBACK_TESTS_SMALL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define SMALL_MODEL_PATH 256

/* What is wrong with the model; all zero: nothing. */
struct small_model {
	int empty_weights;    /* zeroes, which take no room on disk: for who only opens */
	const char *tensor;   /* the one that the next fields are about */
	const char *name;     /* instead of its own */
	const char *dtype;    /* instead of "F32" */
	const char *shape;    /* instead of its own, as "[384]" */
	const char *offsets;  /* instead of its own, as "[0,4]" */
	uint64_t header_size; /* what the file says of its header, if not 0 */
	const char *header;   /* instead of the JSON, if not NULL */
	size_t cut;           /* bytes that the end of the file lacks */
	size_t keep;          /* bytes that are left of the file, if not 0 */
	size_t tokens;        /* lines of the vocabulary, if not 0 */
	const char *no_token; /* a token of the vocabulary that is left out, another in its place */
};

/* Makes the folder, whose path goes to `folder`. Fails the test if it cannot. */
void small_model_make(const struct small_model *m, char folder[SMALL_MODEL_PATH]);
void small_model_remove(const char *folder);

#endif
