/*
 * cmd_replay.h: what the files of `readback replay` share.
 *
 *   cmd_replay.c          options; one pass that learns and one that stops, for each seed
 *   cmd_replay_stream.c   what comes in which order, by the seed
 *   cmd_replay_pass.c     one pass: predict, then learn
 *   cmd_replay_figures.c  outcomes to figures
 *   cmd_replay_show.c     figures to JSON, a picture and a few lines
 */
#ifndef READBACK_CMD_REPLAY_H
#define READBACK_CMD_REPLAY_H

#include <limits.h>

#include "base/json.h"
#include "base/map.h"
#include "cmd.h"
#include "datasets/stream.h"
#include "embed/cached.h"

#define REPLAY_LEAST 10 /* conversations that are predicted, at least */
#define REPLAY_NOT_GIVEN LONG_MIN

/* A conversation of the file. */
struct chat {
	json_t *line;
	const char *label;  /* its final intent; NULL: not measured, but learned from */
	const char *taught; /* the label that is learned in its place, in the seed at work; NULL: its own */
	int out_of_scope;   /* is asked, and never learned from */
};

/* Had something that was learned from before used the documents that it used? */
enum met {
	MET_NOTHING, /* it used none */
	MET_SEEN,    /* all of them */
	MET_UNSEEN,  /* none of them */
	MET_MIXED,
	METS
};

/* What was predicted for it before it was known. */
struct outcome {
	int measured;     /* it has a label, and a customer spoke */
	int out_of_scope; /* likewise; then only `answered` counts */
	int right, answered, case_hit;
	enum met met;
	/* Share of the evidence used among the first 1, 5 documents, nDCG of the first 10; NaN: none was used. */
	double evidence1, evidence5, ndcg10;
	/* The same by words alone, what has been learned so far included; NaN: not looked at. */
	double words_right, words_evidence1;
};

struct pass {
	const char *documents; /* NULL: none */
	struct embedder *embedder;
	double target; /* precision of answers */
	const struct chat *chats;
	const size_t *order; /* chats in the order of time */
	size_t n;
	size_t delay;     /* a conversation is learned from so many conversations later */
	size_t learned;   /* only the first so many are ever learned from */
	size_t skip;      /* nothing is predicted for the first so many */
	size_t words;     /* by words alone from here on; n: never */
	size_t turns;     /* of the customer, that are predicted on where agents spoke from the beginning */
	size_t train;     /* nothing is trained before so many have come or all is learned */
	const char *what; /* for the progress bar */
};

/*
 * Fills out[0 … n), in the order of time; what is not predicted is not
 * measured. *bad counts lines that could not be imported (said on stderr).
 */
int replay_pass(const struct pass *p, struct outcome *out, size_t *bad, struct error *e);

struct replay_options {
	const char *conversations, *examples; /* one of the two */
	const char *documents, *svg;
	const char *vectors; /* a file to read and write; NULL: none */
	struct embedder_options embedder;
	long delay, seeds, history;
	long turns;               /* 0: all */
	long learn, frozen_after; /* only the first so many; REPLAY_NOT_GIVEN */
	double target;
	double wrong;              /* share of labels that are learned wrong */
	const char *out_of_scope;  /* a file, or NULL */
	double out_of_scope_share; /* of the stream */
	int drift;                 /* a third of the labels comes in the second half only */
	int train_once;            /* behind the history, and not on the way through it */
	int json;
};

enum metric { ACCURACY, ANSWERED, PRECISION, DEFLECTED, CASE_HIT, EVIDENCE1, EVIDENCE5, NDCG10, METRICS };

extern const char *const replay_metrics[METRICS]; /* names in JSON */

/* What learning bought, conversation by conversation. */
enum paired { PAIRED_EVIDENCE1, PAIRED_EVIDENCE5, PAIRED_NDCG10, PAIRED_ACCURACY, PAIRED };

#define PAIRED_EVIDENCE PAIRED_ACCURACY /* so many, from the first on, are of evidence */

extern const enum metric replay_paired[PAIRED];

struct difference {
	double mean, error; /* the standard error; NaN: there is too little */
};

/* Over the part of `final`, the conversations of one enum met: [seeds] each. */
struct evidence {
	double *n;
	double *values[PAIRED_EVIDENCE];
	struct difference *against[PAIRED_EVIDENCE]; /* to frozen */
};

/* What is told of the texts out of scope, over the same part as `final`. */
struct outside {
	size_t n;
	double answered;  /* share of them */
	double precision; /* of all answers, those out of scope among them, which are wrong */
};

/* Answers in one window of the stream. */
struct answers {
	size_t n, right;
};

#define REPLAY_WINDOW 1000

struct replay {
	const struct replay_options *o;
	struct embedder *model, *embedder; /* the second asks the first once for each text: embed/cached.h */
	char vectors[SHA256_TEXT];         /* hash of all vectors that there were; "" without */
	struct chat *chats;                /* those out of scope last */
	size_t n_rows, cap, bad;
	size_t n_chats;      /* in scope */
	size_t left_out;     /* examples that are out of scope: there is nothing to learn from */
	struct map *numbers; /* label -> number + 1 */
	const char **names;  /* of the labels; n_labels is in `stream` */
	int *labels, *told;  /* numbers, right and as they are learned in the seed at work; [n_chats] */
	struct stream stream;
	size_t *order; /* of the seed at work; [n] */
	size_t n;      /* conversations of the stream */
	/* Places in the stream: */
	size_t first;      /* what is before is history: learned from, not predicted */
	size_t learn_to;   /* nothing is learned from here on */
	size_t frozen_at;  /* the frozen baseline learns from what is before */
	size_t final_from; /* `final` is over the rest */
	size_t step, n_points;
	struct outcome *learned, *still; /* of the seed at work; [n] */
	double *points[METRICS];         /* mean over the seeds, [n_points] */
	double *finals[METRICS];         /* [seeds], as those below */
	double *frozen[METRICS];
	double *majority, *words_right, *words_evidence1;
	struct outside *outside;
	size_t n_windows;
	struct answers *windows;            /* [seeds][n_windows], of REPLAY_WINDOW behind the history */
	size_t *wrong;                      /* labels that were learned wrong */
	unsigned char *late;                /* [seeds][n_labels] */
	struct difference *against[PAIRED]; /* to frozen: [n_points + 1][seeds], that of `final` last */
	struct evidence evidence[METS];
	double interval[METRICS][2]; /* of `final`, 95 % */
};

/* Reads the files and sets `stream`; ERR_BAD_VALUE when there is too little. */
int replay_read(struct replay *r, struct error *e);
/* Sets `order`, and what is taught wrong, by the seed. */
int replay_set_order(struct replay *r, long seed, struct error *e);

/* Room for everything that is kept: sets the places and sizes. */
int replay_make_room(struct replay *r, struct error *e);
/* Point i is over [*from, *to) of the stream; the last ends with it. */
void replay_window(const struct replay *r, size_t i, size_t *from, size_t *to);
/* Takes the figures of a seed (from 1) out of its outcomes. */
void replay_take(struct replay *r, long seed);
/* Over all seeds: point i against frozen, of `final` with i = n_points. */
struct difference replay_against_frozen(const struct replay *r, enum paired p, size_t i);
/* The same of `final`, of the conversations of one enum met. */
struct difference replay_evidence_against_frozen(const struct replay *r, enum met which, enum paired p);
/* Once, behind the last seed: by bootstrap of its conversations when it is the only one, else by the deviation of seeds. */
int replay_set_intervals(struct replay *r, struct error *e);

/* Prints, and writes the picture. */
int replay_show(const struct replay *r, struct error *e);

#endif
