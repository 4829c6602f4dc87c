/*
 * case.h: what a resolution makes besides its own record: the case, the
 * examples with their vote, and which documents were shown and used.
 *
 * Ids derive from the conversation ("c-1/case", "c-1/example/1" for the
 * opening, "c-1/example/2" for the problem in the agent's words when it
 * differs) and from the resolution ("RESOLUTION/vote/1", "RESOLUTION/relevance/1"),
 * so that redoing is harmless. A later resolution of the conversation puts
 * case and examples again with the new label; votes and relevance are added,
 * never overwritten.
 *
 * Outcomes: every one labels the texts and records relevance; `resolved` and
 * `unresolved` make a case; a later `transferred` or `abandoned` takes the case
 * back. Bot-made text is never an example: examples are what the customer said
 * and what the agent wrote as problem.
 *
 * A label that goes against all that was learned, or against what QA has
 * decided, is contested; one that goes against another agent's, where QA has
 * decided nothing, is disputed (annotations.h). Either makes the conversation's
 * review, "c-1/review", and the label that was given last goes on being the
 * example's. When nobody contradicts any more an undecided review goes away.
 *
 * The case's and the examples' ACL is the intersection of the conversation's
 * and of all that was used.
 */
#ifndef READBACK_DESK_CASE_H
#define READBACK_DESK_CASE_H

#include "desk/conversation.h"

/* A document that was shown as evidence or used. */
struct case_document {
	const char *id;
	int used;
	int shown_rank; /* from 1; 0: was not shown */
};

struct case_input {
	const struct conversation *conversation;
	const char *handoff;    /* NULL: none */
	const char *resolution; /* id of the resolution's record; what ids of votes derive from */
	struct text intent;     /* final label; required */
	struct text problem;    /* s NULL: the opening */
	struct text text;       /* what solved it */
	const json_t *steps;    /* array of strings; NULL: none */
	const char *outcome;    /* "resolved", "unresolved", "transferred", "abandoned" */
	int64_t at;             /* ms; not 0 */
	const char *origin;     /* "agent", "import"; of a curator who corrects another it is made "qa" */
	const char *principal, *agent;
	int backed;        /* vouched for: imported history */
	int decided;       /* a curator says so: it is neither contested nor disputed */
	const json_t *acl; /* who may see all that was used; NULL: everyone */
	const struct case_document *documents;
	size_t n_documents;
};

struct case_made {
	const char *case_id; /* NULL: the outcome makes none */
	size_t examples;     /* texts labelled */
	size_t labels;       /* votes and relevance records */
	json_t *expected;    /* struct expectation's, when there was no case before; else NULL */
};

/* Adds the changes. Embeds the problem and the opening: call it before, not inside, what holds a lock. */
int case_changes(struct desk *d, struct arena *a, const struct case_input *in, struct changes *cs,
		 struct case_made *out, struct error *e);

const char *case_id(struct arena *a, const char *conversation);   /* "c-1/case" */
const char *review_id(struct arena *a, const char *conversation); /* "c-1/review" */

#endif
