/*
 * format.h: rows, and what a format is. A format is one file, out_x.c, that
 * ends in its descriptor; dataset.c has the list of them.
 *
 * A format turns rows into bytes and knows nothing of files, splits or
 * personal data: its calls append to w->out[i], and dataset_parts.c puts what
 * they added behind what file i has, counts lines and hashes. So a format of a
 * line a row is `files` and `row`; one that groups rows by label adds
 * `label_begin` and `label_end`. The order of the calls:
 *
 *	open  document*  (begin  (label_begin  row*  label_end)*  end) for each part  close
 *
 * A failure of w->out is sticky, as strbufs have it. Formats have no state but
 * what the writer has; they run in one thread.
 */
#ifndef READBACK_DATASETS_FORMAT_H
#define READBACK_DATASETS_FORMAT_H

#include "base/json.h"
#include "base/strbuf.h"
#include "datasets/zip.h"

/* clang-format off: beside their names */
enum dataset_kind {
	DATASET_ANSWERS, /* what a customer said and an agent answered, from resolved conversations */
	DATASET_INTENTS, /* a text and its label, from examples */
	DATASET_PREFERENCES, /* what the bot would have said, and what the agent sent in its place, from handoffs */
	DATASET_RETRIEVAL, /* a question, the documents that helped, and those that were shown and did not */
	DATASET_KINDS
};
/* clang-format on */

enum dataset_part { PART_TRAIN, PART_VALID, PART_TEST, PARTS };

enum message_role { ROLE_USER, ROLE_ASSISTANT };

struct message {
	enum message_role role;
	struct text text;
};

/* A turn as it was said. */
struct said {
	const char *role; /* "customer", "bot", "agent", "system" */
	struct text text;
	int64_t at;       /* ms */
	uint64_t created; /* seq of its event */
};

/* A document, as it was at the mark. */
struct passage {
	const char *id;
	struct text title, text; /* title.s NULL: it has none */
};

/* One row before it has a format. Texts are without personal data, unless that is kept. Unused fields are zero. */
struct dataset_row {
	enum dataset_kind kind;
	const char *id; /* the dataset's own: "r_" and 16 digits of a hash, the same in the next dataset */
	int64_t at;     /* of the resolution, example or handoff, ms */
	/*
	 * answers: ends with the assistant; preferences: with the user. No two
	 * neighbours of one role, the first is the user's. Bots' turns are left out.
	 */
	const struct message *messages;
	size_t n_messages;
	const struct said *turns; /* answers, FORMAT_TURNS: all turns, in the place of the messages */
	size_t n_turns;
	struct text text;  /* intents: the text; retrieval: the question */
	struct text label; /* intents; answers: the intent it was resolved with, s NULL without one */
	struct text chosen, rejected;                /* preferences: the agent's answer, the bot's draft */
	struct text answer;                          /* retrieval: what solved it */
	const struct passage *positives, *negatives; /* retrieval; negatives as ranked, the best first */
	size_t n_positives, n_negatives;
	const struct text
		*contexts; /* retrieval, FORMAT_CONTEXTS: passages as they were shown, the best first */
	size_t n_contexts;
};

/* A setting of a format, "name=value": a number, or one of some words, of which the value is the place. */
struct dataset_option {
	const char *name, *help;
	const char *words; /* "all|last"; NULL: a number */
	long max, otherwise;
};

#define DATASET_FILES 3
#define DATASET_SETTINGS 4

/* Why something recorded made no row. The last two are said by formats alone. */
enum reason {
	SKIP_SUPERSEDED,
	SKIP_OUTCOME,
	SKIP_TIME,
	SKIP_FILTERED,
	SKIP_CONSENT_DENIED,
	SKIP_NOTHING_SAID,
	SKIP_ONLY_PERSONAL,
	SKIP_NO_DRAFT,
	SKIP_NO_ANSWER,
	SKIP_SAME_ANSWER,
	SKIP_OTHER_QUESTION,
	SKIP_NO_EVIDENCE,
	SKIP_FEW_VOTES,
	SKIP_DISAGREEMENT,
	SKIP_CAPPED,
	SKIP_FEW_EXAMPLES,
	SKIP_FEW_NEGATIVES,
	SKIP_TOO_LONG,
	REASONS
};

struct dataset_writer {
	enum dataset_kind kind;
	enum dataset_part part;
	const long *settings; /* in the order of the format's options */
	/* All labels of the dataset as the format writes them, sorted by the bytes of the labels themselves. */
	const struct text *labels;
	size_t n_labels;
	uint64_t rows, part_rows, label_rows; /* written so far */
	struct strbuf out[DATASET_FILES];
	struct zip zip; /* of the part, for formats that are one */
};

/* clang-format off: beside their names */
enum format_flag {
	FORMAT_BY_LABEL = 1, /* rows of a part come sorted by label, else as they were recorded */
	FORMAT_HOLD = 2,  /* out[0] is written when label_end has returned, which may make it anything else */
	FORMAT_TURNS = 4, /* answers: as row.turns */
	FORMAT_CONTEXTS = 8, /* retrieval: with row.contexts */
	FORMAT_JUDGES = 16,  /* for evaluation: without a split all is the test */
};
/* clang-format on */

struct dataset_format {
	const char *name, *help;
	unsigned kinds; /* bits 1 << enum dataset_kind */
	unsigned flags; /* enum format_flag */
	/*
	 * "%s.jsonl": one a part, named by it; without %s one a dataset. The first
	 * holds the rows. `parts` NULL: train, valid, test.
	 */
	const char *files[DATASET_FILES];
	const char *const *parts;
	const struct dataset_option *options; /* up to DATASET_SETTINGS, ended by a zeroed one; NULL: none */

	/* All but `row` may be NULL. */
	int (*refuses)(const struct dataset_writer *w,
		       const struct dataset_row *row); /* an enum reason, or -1 */
	/*
	 * A label as its reader takes it. Labels that become the same are told
	 * apart by "_2", "_3", in the order of their bytes.
	 */
	void (*label)(struct text label, struct strbuf *out);
	void (*open)(struct dataset_writer *w);
	void (*document)(struct dataset_writer *w, const struct passage *d); /* all of the knowledge, by id */
	void (*begin)(struct dataset_writer *w);
	void (*label_begin)(struct dataset_writer *w, struct text label);
	void (*row)(struct dataset_writer *w,
		    const struct dataset_row *row); /* row->label as the format writes it */
	void (*label_end)(struct dataset_writer *w, struct text label);
	void (*end)(struct dataset_writer *w);
	void (*close)(struct dataset_writer *w);
};

/* clang-format off: one a line */
extern const struct dataset_format dataset_beir, dataset_clu, dataset_dialogflow_cx, dataset_fasttext,
	dataset_lex, dataset_openai, dataset_ragas, dataset_rasa, dataset_sentence_transformers, dataset_trec,
	dataset_trl_dpo, dataset_trl_kto, dataset_trl_sft, dataset_vcon;
/* clang-format on */

/* --- format.c: what several formats need ------------------------------------------------------------- */

/* `"key":[{"role","content"},…]`. */
void put_messages(struct strbuf *b, const char *key, const struct message *list, size_t n);
/* `"key":[{"role":"assistant","content"}]`. */
void put_answer(struct strbuf *b, const char *key, struct text text);
/* `"key":"text"`. */
void put_field(struct strbuf *b, const char *key, struct text text);
/* "{" at the beginning of a line, "}" and a newline at its end. */
void line_begin(struct strbuf *b);
void line_end(struct strbuf *b);
/* The text on one line: white space and controls become a space, runs one space, none at the ends. */
void put_one_line(struct strbuf *b, struct text text);
/* Code units that UTF-16 needs. */
size_t utf16_units(struct text text);

#endif
