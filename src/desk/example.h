/*
 * example.h: a labelled text and the vote that labels it, as changes of an
 * event (bodies: bodies.h). Without memory the changes have failed.
 */
#ifndef READBACK_DESK_EXAMPLE_H
#define READBACK_DESK_EXAMPLE_H

#include "desk/bodies.h"

struct example {
	const char *id;           /* NULL, for a vote alone: there is no text to label */
	const char *conversation; /* NULL: of none */
	const char *case_id;      /* NULL: none */
	const char *subject;      /* NULL: nobody's */
	struct text text, label;  /* the text is borrowed until the commit */
	const float *vector;      /* NULL: no embedder */
	const char *origin;       /* "agent", "import", "qa": whose word it is */
	const char *principal, *agent;
	const char *imported; /* hash; NULL: was not imported */
	int64_t at;           /* ms */
	const json_t *acl;    /* NULL or null: everyone */
	int contested, backed;
};

void example_put(struct changes *cs, const struct example *x);

/* One more vote, under an id of its own. */
void vote_put(struct changes *cs, const char *id, const struct example *x);

const char *example_id(struct arena *a, const char *conversation,
		       int n); /* "c-1/example/1": 1 the opening, 2 the problem */

#endif
