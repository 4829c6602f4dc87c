/*
 * handoff_build.h: the changes that opening and resolving a handoff make,
 * for a conversation that is in memory (it need not be in the engine yet).
 *
 * handoff_act and resolution_act commit these by themselves;
 * conversation_import puts conversation, turns, handoff and resolution into
 * one event, so it calls the builders in that order and passes the outcome of
 * one to the next. Nothing is written here; searches (evidence) are made.
 *
 * The conversation's own change is left to the caller: each outcome has its
 * new body, to be put under the conversation's id.
 *
 * Any thread; everything lives in the call's arena.
 */
#ifndef READBACK_DESK_HANDOFF_BUILD_H
#define READBACK_DESK_HANDOFF_BUILD_H

#include "desk/desk.h"

/* A conversation as it will stand when the event is committed. Borrowed. */
struct live {
	struct record conversation; /* id, subject, body (desk/bodies.h), created_at */
	const struct record *turns; /* RECORD_TURN, in order of n; body and text as bodies.h has them */
	size_t n_turns;
};

/* Opening one. */
struct handoff_built {
	struct change *changes;   /* handoff and evidence, in this order */
	size_t n;
	struct record handoff;    /* as it will be read back: for resolution_build */
	struct record evidence;
	json_t *conversation;     /* the new body: state "handed_off", "handoff": id */
};

/*
 * `body`: POST /v1/handoffs without conversation_id and conversation (an
 * import line's "handoff", which may hold "at"). `path` is its place in the
 * request, as "handoff"; NULL for the body itself. Only the turns up to the
 * handoff's time are read for what the bot left out, when turns have times.
 * `previous`: the handoff that was transferred, or NULL.
 * Does not check for an open handoff: ERR_HANDOFF_OPEN is handoff_act's.
 */
int handoff_build(struct desk *d, const struct call *c, const struct live *l, json_t *body, const char *path,
		  const char *previous, struct handoff_built *out);

/* Resolving. */
struct resolution_built {
	struct change *changes;   /* resolution, handoff (if any), case.h's; of a transfer the new handoff and evidence */
	size_t n;
	json_t *conversation;     /* the new body */
	const char *resolution;   /* id */
	const char *state;        /* the handoff's: "resolved", "abandoned" */
	const char *case_id;      /* NULL: none was made (abandoned) */
	size_t examples, labels;
	const char *next;         /* the new handoff of a transfer, else NULL */
};

/*
 * `body`: POST …/resolution (an import line's "resolution", which may hold
 * "at"). `handoff` and `evidence` are NULL for a resolution without a handoff.
 * `imported`: labels count as backed, read-back is not required and a
 * document of evidence_used that is not known is recorded instead of refused
 * (history may be older than the knowledge base).
 */
int resolution_build(struct desk *d, const struct call *c, const struct live *l, const struct record *handoff,
		     const struct record *evidence, json_t *body, const char *path, int imported,
		     struct resolution_built *out);

#endif
