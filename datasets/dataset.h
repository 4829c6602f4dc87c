/*
 * dataset.h: training sets out. A dataset is what was recorded up to a mark,
 * in one format, with a manifest: the same data folder and the same mark give
 * the same bytes on any machine. Nothing is searched or embedded here.
 *
 * A folder is made whole under another name and then renamed, so one that has
 * its name is complete:
 *
 *	train.jsonl            the rows, nothing else in them (strict readers refuse more)
 *	valid.jsonl test.jsonl with a split, also when they have no rows
 *	rows.provenance.jsonl  {"file","line","sha256" of the row,"conversation"?,"resolution"?,"case"?,"example"?,"at"}
 *	manifest.json          {"readback_dataset":1,"format","kind","mark","since"?,"until"?,"pii",
 *	                       "redaction":{"mode","counts"?:{kind: n},"kept"?:{"places","samples"},"limits"?},
 *	                       "split"?:{"by","seed"?,"sizes":{"train","valid","test"},"components",
 *	                       "joined_by_near_duplicates"},"rows",
 *	                       "skipped":{reason: n},"files":[{"name","sha256","bytes","rows"}]}
 *
 * A format is one file, out_x.c, that ends in its descriptor. Kinds:
 *
 *	answers  what a customer said and an agent answered, from resolved conversations. Bot turns are left out: what
 *		 a bot said is never a label
 *	intents  a text and its label, from examples
 */
#ifndef READBACK_DATASETS_DATASET_H
#define READBACK_DATASETS_DATASET_H

#include "base/strbuf.h"
#include "desk/bodies.h"

enum dataset_kind { DATASET_ANSWERS, DATASET_INTENTS, DATASET_KINDS };

enum message_role { ROLE_USER, ROLE_ASSISTANT };

struct message {
	enum message_role role;
	struct text text;
};

/* One row before it has a format: a conversation that ends in the assistant's answer, or a text and its label. */
struct dataset_row {
	enum dataset_kind kind;
	const struct message *messages; /* answers: no two neighbours of one role, the first is the user's */
	size_t n_messages;
	struct text text, label; /* intents */
};

struct dataset_format {
	const char *name, *help;
	unsigned kinds; /* bits 1 << enum dataset_kind */
	/* Appends the row as one line, with its newline. A failure is sticky in `out`. */
	void (*write_row)(const struct dataset_row *row, struct strbuf *out);
};

extern const struct dataset_format dataset_trl_sft; /* out_trl_sft.c */

/* NULL past the end. */
const struct dataset_format *dataset_format_at(size_t i);
const struct dataset_format *dataset_format_find(const char *name); /* NULL: there is none */
const char *dataset_kind_name(enum dataset_kind k);
int dataset_kind_find(const char *name, enum dataset_kind *out); /* -1: there is none */

enum dataset_pii { PII_REDACT, PII_KEEP, PII_MODES };

/*
 * Rows of one component go to one part: all of a customer, or of a
 * conversation (an example) of which no customer is known, and of all that
 * have near-duplicates of its rows (duplicates.h). Eight, one and one tenths of
 * the rows, as near as whole components come to it:
 *
 *	time  by each component's first conversation: the oldest are for training, the youngest for the test
 *	hash  by SHA-256 of the seed in decimal, a newline and the component's name: its first 53 bits are a fraction
 */
enum dataset_split { SPLIT_NONE, SPLIT_TIME, SPLIT_HASH, SPLITS };
enum dataset_part { PART_TRAIN, PART_VALID, PART_TEST, PARTS };

const char *dataset_pii_name(enum dataset_pii p);
int dataset_pii_find(const char *name, enum dataset_pii *out); /* -1: there is none */
const char *dataset_split_name(enum dataset_split s);
int dataset_split_find(const char *name, enum dataset_split *out); /* -1: there is none */

struct dataset_options {
	const struct dataset_format *format;
	enum dataset_kind kind;
	const char *folder;   /* must not be there, or be empty */
	uint64_t mark;        /* 0: now */
	int64_t since, until; /* of the resolution or example, [since, until); 0: open */
	enum dataset_pii pii; /* PII_KEEP: texts as they are; else see redact.h. Labels stay in any case */
	unsigned char secret[32]; /* of the data folder: tokens are made with it and with the request */
	enum dataset_split split;
	uint64_t seed; /* of SPLIT_HASH */
	void (*progress)(void *arg, uint64_t rows);
	void *arg;
	const volatile int *stop; /* ERR_INTERRUPTED; nothing is left behind */
};

struct dataset_summary {
	uint64_t mark, rows, skipped, redacted;
	uint64_t parts[PARTS]; /* rows of each */
	char sha256[72];       /* of the manifest */
};

/*
 * ERR_EXISTS when the folder holds something, ERR_BAD_VALUE when the format
 * lacks the kind, ERR_EMPTY_TEXT when no row came out. On failure nothing
 * that looks like a dataset remains.
 */
int dataset_write(struct engine *g, const struct dataset_options *o, struct dataset_summary *out,
		  struct error *e);

/*
 * The messages of a resolved conversation: customer's turns are the user's, agent's the assistant's, neighbours of one
 * role are joined by a newline. It begins with the user and ends with the assistant: with the agent's last answer, or
 * with `resolution` when no agent answered. 0 messages when there is nothing to learn; -1 without memory.
 */
struct said {
	const char *role; /* "customer", "bot", "agent", "system" */
	struct text text;
};
long dataset_messages(struct arena *a, const struct said *turns, size_t n, struct text resolution,
		      const struct message **out);

#endif
