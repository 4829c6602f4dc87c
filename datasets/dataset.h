/*
 * dataset.h: training sets out. A dataset is what was recorded up to a mark,
 * in one format, with a manifest: the same data folder and the same mark give
 * the same bytes on any machine. Nothing is searched or embedded here. Rows of
 * customers who deny training now, whatever the mark (consents.h), are left out;
 * all other rows are what they would be with them.
 *
 * A folder is made whole under another name and then renamed, so one that has
 * its name is complete:
 *
 *	data/train.jsonl       the rows, nothing else in them (strict readers refuse more); names are the format's
 *	data/valid.jsonl       with a split, also when they have no rows
 *	data/test.jsonl
 *	rows.provenance.jsonl  {"file","line","part","sha256" of the row,"masked"?,"row": its id,"seq","label"?,
 *	                       "conversation"?,"resolution"?,"handoff"?,"evidence"?,"case"?,"example"?,"at"}
 *	manifest.json          {"readback_dataset":1,"generator":{"name","version"},"format","kind","mark","since"?,"until"?,"filter"?,"agreement"?:{"min_votes","agreement"},"pii",
 *	                       "redaction":{"mode","counts"?:{kind: n},"kept"?:{"places","samples"},"limits"?},
 *	                       "options"?:{name: value},
 *	                       "split"?:{"by","seed"?,"sizes":{"train","valid","test"},"rows":{…},"components",
 *	                       "joined_by_near_duplicates"},"rows",
 *	                       "votes"?:{"n","unanimous","observed","kappa"},
 *	                       "labels"?:[{"label","rows","as"?}],"documents"?: n,
 *	                       "skipped":{reason: n},"files":[{"name","sha256","bytes","rows"?}]}
 *	croissant.json         metadata for catalogues: Croissant 1.1
 *	README.md card.svg     for people
 *	bagit.txt and so on    the folder is a bag (RFC 8493), its payload data/
 *
 * Kinds of rows, and what a format is: format.h. Rows wait in a file without a
 * name until all are there, so memory grows by a few dozen bytes a row.
 */
#ifndef READBACK_DATASETS_DATASET_H
#define READBACK_DATASETS_DATASET_H

#include "datasets/format.h"
#include "desk/bodies.h"

#define DATASET_PAYLOAD "data/" /* in front of the names of a format's files */
#define DATASET_PROVENANCE "rows.provenance.jsonl"

/* NULL past the end. */
const struct dataset_format *dataset_format_at(size_t i);
const struct dataset_format *dataset_format_find(const char *name); /* NULL: there is none */
const char *dataset_kind_name(enum dataset_kind k);
int dataset_kind_find(const char *name, enum dataset_kind *out); /* -1: there is none */
enum dataset_kind dataset_format_kind(
	const struct dataset_format *f); /* its first, where none is asked for */

/* Settings of every format that has the kind, ended by a zeroed one. */
const struct dataset_option *dataset_options_of(enum dataset_kind k);
#define DATASET_COMMON 3

#define DATASET_MOST_VOTES 1000 /* that can be asked for */

enum dataset_pii { PII_REDACT, PII_KEEP, PII_MODES };

/*
 * Rows of one component go to one part: all of a customer, or of a
 * conversation (an example) of which no customer is known, and of all that
 * have near-duplicates of its rows (duplicates.h). By `sizes` (eight, one and one
 * tenths) of the rows, as near as whole components come to it:
 *
 *	time  by each component's first conversation: the oldest are for training, the youngest for the test
 *	hash  by SHA-256 of the seed in decimal, a newline and the component's name: its first 53 bits are a fraction
 */
enum dataset_split { SPLIT_NONE, SPLIT_TIME, SPLIT_HASH, SPLITS };

const char *dataset_pii_name(enum dataset_pii p);
int dataset_pii_find(const char *name, enum dataset_pii *out); /* -1: there is none */
const char *dataset_split_name(enum dataset_split s);
int dataset_split_find(const char *name, enum dataset_split *out); /* -1: there is none */

struct dataset_options {
	const struct dataset_format *format;
	enum dataset_kind kind;
	const char *folder;   /* must not be there, or be empty */
	uint64_t mark;        /* 0: now */
	int64_t since, until; /* of the resolution, example or handoff, [since, until); 0: open */
	/*
	 * As that of a search, upon a row's "intent", "origin" (of examples) and its conversation's "queue",
	 * "channel", "customer" and attributes, none of which change once they are there; upon "outcome", of its
	 * resolution in force at the mark; and upon "consent", "granted" of customers who said so. NULL: all rows.
	 */
	const json_t *filter;
	/*
	 * Intents alone: with so many different annotators at least, of whom this share says what the label is.
	 * Both 0: all.
	 */
	unsigned min_votes;
	double agreement;
	enum dataset_pii pii; /* PII_KEEP: texts as they are; else see redact.h. Labels stay in any case */
	unsigned char secret[32]; /* of the data folder: tokens are made with it and with the request */
	enum dataset_split split;
	double sizes[PARTS];         /* shares of train, valid and test, of the sum 1; all 0: .8, .1, .1 */
	uint64_t seed;               /* of SPLIT_HASH */
	const char *const *settings; /* "name=value" each, of the format's options and its kind's */
	size_t n_settings;
	void (*progress)(void *arg, uint64_t rows);
	void *arg;
	const volatile int *stop; /* ERR_INTERRUPTED; nothing is left behind */
};

/* {"min_votes","agreement"}; NULL without memory. */
json_t *dataset_agreement_json(const struct dataset_options *o);

struct dataset_settings {
	long own[DATASET_SETTINGS], common[DATASET_COMMON]; /* in the order of their tables */
};

/* What the settings come to; ERR_BAD_VALUE, at "options", says what there is. */
int dataset_settings_read(const struct dataset_options *o, struct dataset_settings *out, struct error *e);

struct dataset_summary {
	uint64_t mark, rows, skipped, redacted;
	uint64_t parts[PARTS]; /* rows of each */
	char sha256[72];       /* of the manifest */
};

/* What can be refused before the work: ERR_BAD_VALUE for a kind or setting that the format lacks, and bad sizes; ERR_BAD_FILTER. */
int dataset_check(const struct dataset_options *o, struct error *e);

/*
 * ERR_EXISTS when the folder holds something, ERR_BAD_VALUE when the format
 * lacks the kind or a setting, or the mark is in the future, ERR_EMPTY_TEXT
 * when no row came out. On failure nothing that looks like a dataset remains.
 */
int dataset_write(struct engine *g, const struct dataset_options *o, struct dataset_summary *out,
		  struct error *e);

/*
 * The messages of a resolved conversation: customer's turns are the user's, agent's the assistant's, neighbours of one
 * role are joined by a newline. It begins with the user and ends with the assistant: with the agent's last answer, or
 * with `resolution` when no agent answered. 0 messages when there is nothing to learn; -1 without memory.
 */
long dataset_messages(struct arena *a, const struct said *turns, size_t n, struct text resolution,
		      const struct message **out);

/* The same of what is to be answered: it ends with the user. 0 when the user did not speak last. */
long dataset_prompt(struct arena *a, const struct said *turns, size_t n, const struct message **out);

/* What is said of a role from turn `from` on until the other one speaks, joined; s NULL: nothing. -1 without memory. */
int dataset_answer(struct arena *a, const struct said *turns, size_t n, size_t from, enum message_role role,
		   struct text *out);

#endif
