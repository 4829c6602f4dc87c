/*
 * brief.h: the handoff on one page: Situation, Background, Assessment,
 * Recommendation (SBAR).
 *
 * Extractive: a sentence is a piece of a turn, a document, a case or the
 * package, word for word, or a line put together from fields of the package;
 * "from" names where each is from. Made once and stored with the evidence, so
 * that it does not change, as {"situation":[…],"background":[…],"assessment":[…],
 * "recommendation":[…]} of {"label","text","from":[…],"quote"?,"needs"?:[{"kind","id","acl"?}]}.
 * `label` (for people), `quote` and `needs` stay inside. Whoever may not see all that a
 * sentence needs does not get it: it is counted in "withheld".
 *
 * What is said of a document that the bot cited has "cited", a need as well: to
 * whoever may not see that one it must not be told from one that never was.
 * He reads "instead", or nothing, and that is not counted.
 */
#ifndef READBACK_DESK_BRIEF_H
#define READBACK_DESK_BRIEF_H

#include "desk/evidence.h"

struct brief_input {
	const struct conversation *conversation; /* as far as it is to be read */
	const json_t *package;
	const char *queue; /* "" for none */
	const struct evidence_found *found;
};

/* New reference. */
int brief_build(struct desk *d, const struct call *c, const struct brief_input *in, json_t **out);

/* What this caller may see of a stored one (new reference); with `labels` as rendering needs it. */
int brief_view(struct desk *d, const struct call *c, const struct record *evidence, int labels, json_t **out);

/* A view with labels as text or Markdown: a JSON string. NULL without memory. */
json_t *brief_render(const json_t *view, enum brief_format f);

/*
 * For the parts of brief_build(): a brief under construction. Failures are
 * sticky in rc.
 */
struct brief {
	struct desk *desk;
	const struct call *call;
	const struct brief_input *in;
	json_t *sections; /* the result */
	const char *section;
	int rc;
};

#define BRIEF_SENTENCE 400 /* bytes a quoted sentence is cut to */

struct sentence {
	const char *label; /* "Customer", "Promise still open"; NULL: the text stands alone */
	struct text text;
	int quote;           /* somebody's words */
	json_t *from[3];     /* new references, taken; the first NULL ends */
	json_t *needs[3];    /* as from; brief_need() */
	json_t *cited;       /* a need, taken; NULL: none */
	const char *instead; /* for who may not see `cited`; "from" is then the first alone. NULL: nothing */
};
void brief_say(struct brief *b, const struct sentence *s);
/* A line put together from fields; takes the references. `text` NULL: without memory. */
void brief_line(struct brief *b, const char *text, json_t *from, json_t *from2);

json_t *brief_from_turn(const struct turn *t);
json_t *brief_from_package(const char *field, long i); /* i < 0: the field itself */
json_t *brief_from_document(const char *id, size_t start, size_t end);
json_t *brief_need(const char *kind, const struct record *r);
struct text brief_cut(struct text t); /* to BRIEF_SENTENCE bytes */

void brief_assess(struct brief *b);
void brief_recommend(struct brief *b);

#endif
