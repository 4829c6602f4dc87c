/* cmd_replay.h: one pass over a history, and what came of each conversation. Internal to `readback replay`. */
#ifndef READBACK_CMD_REPLAY_H
#define READBACK_CMD_REPLAY_H

#include "base/json.h"

/* A conversation of the file. */
struct chat {
	json_t *line;
	const char *label; /* its final intent; NULL: not measured, but learned from */
};

/* What was predicted for it before it was known. */
struct outcome {
	int measured; /* it has a label, and a customer spoke */
	int right, answered, case_hit;
	double evidence1,
		evidence5; /* share of the evidence used among the first 1, 5 documents; NaN: none was used */
};

struct pass {
	const char *documents; /* NULL: none */
	const struct embedder_options *embedder;
	double target; /* precision of answers */
	const struct chat *chats;
	const size_t *order; /* chats in the order of time */
	size_t n;
	size_t delay;     /* a conversation is learned from so many conversations later */
	size_t learned;   /* only the first so many are ever learned from */
	size_t skip;      /* nothing is predicted for the first so many */
	const char *what; /* for the progress bar */
};

/* Fills out[0 … n), in the order of time. *bad counts lines that could not be imported (said on stderr). */
int replay_pass(const struct pass *p, struct outcome *out, size_t *bad, struct error *e);

#endif
