/*
 * dataset_internal.h: what the files of dataset_write() share.
 *
 *	dataset.c        what was recorded becomes rows
 *	dataset_split.c  whose they are, and which part those go to
 *	dataset_files.c  rows become a folder
 */
#ifndef READBACK_DATASETS_DATASET_INTERNAL_H
#define READBACK_DATASETS_DATASET_INTERNAL_H

#include "datasets/dataset.h"
#include "datasets/redact.h"

#define DATASET_PATH 3072

/* Why something recorded made no row. */
enum reason { SKIP_SUPERSEDED, SKIP_OUTCOME, SKIP_TIME, SKIP_NOTHING_SAID, REASONS };

struct kept_row {
	const struct component *component; /* NULL: nobody asks */
	size_t start, n;                   /* in the data, with its newline */
	size_t from, from_n;               /* where it is from, as JSON without file and line */
};

struct writing {
	struct engine *engine;
	const struct dataset_options *o;
	struct error *err;
	uint64_t mark, skipped[REASONS];
	struct strbuf data, from;
	struct kept_row *kept;
	size_t rows, cap;
	struct components *components;
	struct redactor *redactor;
	struct arena *arena; /* of votes */
	struct map *last;    /* answers: conversation -> seq of its resolution in force at the mark */
	struct map *votes;   /* intents: example -> its struct vote in force at the mark */
};

/* --- dataset_split.c: components own their strings --- */

struct components *components_new(void); /* NULL without memory */
void components_free(struct components *c);

/* A conversation's record: its customer, the customer's name, its beginning. -1 without memory. */
int components_add(struct components *c, const char *conversation, const json_t *body);

/*
 * The component of a conversation; what was not added, and what is of no
 * conversation, is a component of its own, `kind:id`, that begins `at`. NULL
 * without memory.
 */
struct component *components_of(struct components *c, const char *kind, const char *id, int64_t at);

/* All names that a customer has in conversations, one a line; s NULL: none. `of` may be NULL. */
struct text component_names(const struct component *of);
void component_add_row(struct component *of);

/*
 * What the row's user asks, or its text, for near-duplicates (duplicates.h): with texts as they are, so that a split
 * is the same with and without redaction. Only for a split.
 */
int components_add_text(struct components *c, const struct component *of, const struct dataset_row *row,
			struct error *e);

/* Joins components with near-duplicates, and gives each with rows its part. Once, behind the last row. */
int components_split(struct components *c, enum dataset_split by, uint64_t seed, struct error *e);
enum dataset_part component_part(const struct component *of); /* PART_TRAIN before the split */
uint64_t components_joined(const struct components *c); /* how many fewer there are for near-duplicates */
size_t components_with_rows(const struct components *c);

/* --- dataset_files.c --- */

/* The folder's path without slashes at the end; ERR_EXISTS if there is something in it. */
int dataset_check_folder(const char *folder, char out[DATASET_PATH], struct error *e);
int dataset_publish(struct writing *w, struct dataset_summary *out);

#endif
