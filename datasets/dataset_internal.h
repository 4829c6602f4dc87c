/*
 * dataset_internal.h: what the files of dataset_write() share.
 *
 *	dataset.c            the whole, step by step; the list of formats
 *	dataset_options.c    settings; which rows they leave out, and consent
 *	rows_x.c             what was recorded becomes rows of a kind
 *	dataset_filter.c     which of them a filter leaves
 *	dataset_votes.c      how far those who label agree
 *	dataset_rows.c       rows are redacted and wait, in a file without a name
 *	dataset_documents.c  the knowledge at the mark
 *	dataset_split.c      whose rows are, and which part those go to
 *	dataset_parts.c      rows become files, by the format
 *	dataset_files.c      the manifest; the folder gets its name
 *	dataset_package.c    what stands beside the rows: the files of a bag
 *	dataset_croissant.c  metadata for catalogues
 *	dataset_card.c       what it is, for people
 */
#ifndef READBACK_DATASETS_DATASET_INTERNAL_H
#define READBACK_DATASETS_DATASET_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "base/outfile.h"
#include "datasets/dataset.h"
#include "datasets/redact.h"
#include "desk/annotations.h"

#define DATASET_PATH 3072

struct kept_row {
	uint64_t at;        /* in the spool */
	uint64_t lot;       /* drawn for caps: the lowest stay; then its place in the order of rows */
	uint32_t n, label;  /* bytes there, 0: it is withdrawn; number of the label */
	uint32_t component; /* its number, or COMPONENT_NONE */
};

struct label {
	struct text name, as; /* as the format writes it; the arena's */
	uint32_t rank;        /* among all, by the bytes of the name */
	uint64_t rows;        /* that stay */
};

/* Numbers of labels: what the last two who labelled an example have said. */
struct voted {
	uint32_t earlier, later;
};

struct writing {
	struct engine *engine;
	const struct dataset_options *o;
	struct dataset_settings settings;
	double sizes[PARTS]; /* shares of the split */
	const struct index_filter *filter;
	struct error *err;
	char folder[DATASET_PATH], tmp[DATASET_PATH + 128];
	uint64_t mark, skipped[REASONS];
	struct outfile *spool;
	struct strbuf packed; /* room for one row */
	struct kept_row *kept;
	size_t rows, cap;
	struct components *components;
	struct map *consents;              /* consents.h */
	struct redactor *redactor, *aside; /* aside: of withdrawn rows, of which nothing is told */
	struct arena *arena;               /* of labels */
	struct map *last;                  /* conversation -> seq of its resolution in force at the mark */
	struct map *outcomes;              /* the same -> number of its outcome + 1; with a filter alone */
	struct voted *voted;               /* of examples with more than one annotator */
	size_t n_voted, voted_cap;
	uint64_t unanimous;
	struct map *label_numbers;
	struct label *labels;
	size_t n_labels, label_cap;
	struct documents *documents; /* retrieval only */
};

/* --- dataset.c --- */

int check_stop(const struct writing *w);
/* All records of the kind up to the mark. */
int each_record(struct writing *w, enum record_kind k,
		int (*each)(struct writing *w, struct arena *a, const struct record *r));
/* The turns of a conversation that were there at `at`. */
int load_turns(struct writing *w, struct arena *a, const char *conversation, uint64_t at, struct said **out,
	       size_t *n);
int in_time(const struct writing *w, int64_t at);
int skip(struct writing *w, enum reason why); /* counts it; 0 */

/* --- dataset_options.c --- */

/* Leaves out what cap, min-examples and balance say, and counts the rows of labels. */
void rows_select(struct writing *w);
/* Ranks the labels and gives them their names in the format. */
int labels_name(struct writing *w);
/* The settings that are not as they are without being given; NULL without memory. */
json_t *settings_json(const struct writing *w);

/* Takes withdrawn rows out, when all that depends on other rows is settled; ranks the labels that stay. */
int rows_drop_withdrawn(struct writing *w);

/* --- rows_x.c: each goes through all that was recorded up to the mark --- */

int collect_answers(struct writing *w);
int collect_intents(struct writing *w);
int collect_preferences(struct writing *w);
int collect_retrieval(struct writing *w);

/* rows_answers.c: notes which resolution of a conversation is in force; then why one makes no row of any kind, or -1. */
int resolutions_note(struct writing *w);
int resolution_unfit(const struct writing *w, const struct record *r);
/* What came of a conversation; "" where nothing is recorded. */
const char *resolution_outcome(const struct writing *w, const char *conversation);
/* Where a resolution's row is from; NULL without memory. */
json_t *from_resolution(const struct record *r);

/* --- dataset_votes.c: each annotator's last word on an example, the latest last --- */

/* Why an example of this label is not asked for, or -1. */
int votes_unfit(const struct writing *w, const struct annotations *votes, struct text label);
/* Counts those of a row. */
int votes_note(struct writing *w, const struct annotations *votes);
/* {"n": examples with more than one annotator,"unanimous","observed","kappa"}: of the last two; NULL without memory. */
json_t *votes_json(const struct writing *w);

/* --- dataset_rows.c --- */

/* The number of a label, made when it is new; -1 without memory. */
long label_number(struct writing *w, struct text name);

/*
 * The row, of a conversation or of an example that has none; `from`, where it
 * is from, is taken (NULL: no memory). What the format refuses is skipped.
 * row->id is set here.
 */
struct row_of {
	const char *kind; /* "conversation"; NULL: an example */
	const char *id;   /* of it */
	int64_t at;       /* when it began */
	const char *name; /* that the row's id is made of */
};
int add_row(struct writing *w, struct arena *a, struct dataset_row *row, const struct row_of *of,
	    json_t *from);

/* dataset_filter.c: 1, 0, or an error; `from` is what add_row() takes. */
int row_meets_filter(struct writing *w, struct arena *a, const struct row_of *of, const json_t *from);

/* The row in the arena, with its documents; *from is JSON. */
int load_row(struct writing *w, const struct kept_row *kept, struct arena *a, struct dataset_row *row,
	     struct text *from);

/* --- dataset_documents.c --- */

/* All documents that there are at the mark, or were. */
int documents_open(struct writing *w, struct documents **out);
void documents_free(struct documents *d);
/* Is one of this id known? It is then kept, also if it was deleted. */
int documents_use(struct documents *d, const char *id);
/* Loads the texts of those that were used, with `all` of those that are there too, without personal data. */
int documents_load(struct writing *w, struct documents *d, int all);
/* The title and text of p->id into the arena. */
int documents_get(struct writing *w, struct documents *d, struct arena *a, struct passage *p);
/* Calls each() with every loaded one, by id. */
int documents_each(struct writing *w, struct documents *d, int (*each)(void *arg, const struct passage *p),
		   void *arg);
size_t documents_count(const struct documents *d); /* loaded */

/* --- dataset_split.c: components are numbers, from 0 --- */

struct splitting {
	const char *folder; /* where texts may wait; borrowed */
	enum dataset_split by;
	uint64_t seed;
	double sizes[PARTS];
};

#define COMPONENT_NONE UINT32_MAX   /* nobody asks whose the row is */
#define COMPONENT_EXAMPLE "example" /* the kind of one that is of no conversation */

/* NULL without memory. */
struct components *components_new(const struct splitting *how);
void components_free(struct components *c);

/* A conversation's record: its customer, the customer's name, its beginning. -1 without memory. */
int components_add(struct components *c, const char *conversation, const json_t *body);

/*
 * The component of a conversation; what was not added, and what is of no
 * conversation, is a component of its own, `kind:id`, that begins `at`. To be
 * asked once of an example. -1 without memory.
 */
long components_of(struct components *c, const char *kind, const char *id, int64_t at);

/* All names that a customer has in conversations, one a line; s NULL: none. `of` may be COMPONENT_NONE. */
struct text component_names(const struct components *c, uint32_t of);
void component_add_row(struct components *c, uint32_t of);

/*
 * What the row's user asks, or its text, for near-duplicates (duplicates.h): with texts as they are, so that a split
 * is the same with and without redaction. Only for a split.
 */
int components_add_text(struct components *c, uint32_t of, const struct dataset_row *row, struct error *e);

/* Joins components with near-duplicates, and gives each with rows its part. Once, behind the last row. */
int components_split(struct components *c, struct error *e);
enum dataset_part component_part(const struct components *c, uint32_t of); /* behind the split */
uint64_t components_joined(const struct components *c); /* how many fewer there are for near-duplicates */
size_t components_with_rows(const struct components *c);

/* --- dataset_parts.c --- */
/* All files of the format and the provenance, into w->tmp; `files` gets what the manifest tells of them. */
int write_parts(struct writing *w, json_t *files, struct dataset_summary *done);

/* --- dataset_package.c --- */

/* All files but those of write_parts(), into w->tmp; `sha256` is the manifest's. */
int write_package(struct writing *w, const json_t *manifest, char sha256[SHA256_TEXT]);
/* Is the file of this name one of the format's? */
int is_payload(const char *name);

/* --- dataset_croissant.c --- */

/* The metadata of the files that are in w->tmp; *out is the caller's, also on failure, where it may be NULL. */
int croissant_make(const struct writing *w, const json_t *manifest, json_t **out);

/* --- dataset_card.c: both from the manifest alone --- */

/* README.md. */
void card_text(const json_t *manifest, struct strbuf *out);
/* card.svg: rows by part, and by label. */
void card_svg(const json_t *manifest, struct strbuf *out);

/* --- dataset_files.c --- */

/* The folder's path without slashes at the end; ERR_EXISTS if there is something in it. */
int dataset_check_folder(const char *folder, char out[DATASET_PATH], struct error *e);
/* "superseded 2, no_draft 7": what made no row. */
void reasons_list(const struct writing *w, struct strbuf *out);
/* Makes w->tmp, in which the dataset is made. */
int dataset_begin(struct writing *w);
/* Writes the files and gives the folder its name. */
int dataset_publish(struct writing *w, struct dataset_summary *out);
/* Removes w->tmp with all that is in it. */
void dataset_discard(struct writing *w);

#endif
