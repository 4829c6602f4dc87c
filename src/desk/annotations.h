/*
 * annotations.h: who has said which intent a conversation has, and which label
 * is in force. Every vote is kept (RECORD_VOTE, bodies.h); of one annotator the
 * latest counts. QA goes before agents: what a curator decides in a review, or
 * by resolving again what another has resolved.
 *
 * Plain values over an arena's strings; any thread.
 */
#ifndef READBACK_DESK_ANNOTATIONS_H
#define READBACK_DESK_ANNOTATIONS_H

#include "desk/bodies.h"

struct annotation {
	const char *who;   /* the agent; where none is named the key */
	const char *label; /* neither is NULL */
	int is_key;        /* who: no agent under a name of his own */
	int qa;
	int64_t at; /* ms */
};

struct annotations {
	struct annotation *list; /* [n], the latest last; each annotator once. The arena's */
	size_t n, cap;
};

/* Adds a vote that is later than those before. -1 without memory. */
int annotations_add(struct annotations *x, struct arena *a, const json_t *vote);

/* The latest of QA, else the latest; `but`: whose word is left out, NULL: nobody's. NULL if there is none. */
const struct annotation *annotations_in_force(const struct annotations *x, const char *but);

/* The votes of a conversation that the engine has. */
int annotations_read(struct engine *g, const char *conversation, struct arena *a, struct annotations *out,
		     struct error *e);

#endif
