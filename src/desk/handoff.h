/*
 * handoff.h: what the acts on a handoff share. See handoff_build.h for the bodies.
 */
#ifndef READBACK_DESK_HANDOFF_H
#define READBACK_DESK_HANDOFF_H

#include "desk/handoff_build.h"

/*
 * The handoff and its conversation's record, for showing; ERR_NOT_FOUND for
 * what is not there and for what the caller may not see: who sees the
 * conversation sees its handoffs. Either output may be NULL.
 */
int handoff_get(struct desk *d, const struct call *c, const char *id, struct record *handoff,
		struct record *conversation);

/* As handoff_get, with the whole conversation and If-Match checked, for acts; *body is a copy to be changed. */
struct handoff {
	struct record record;
	json_t *body;
	struct conversation conversation;
};
int handoff_load(struct desk *d, const struct call *c, const char *id, struct handoff *out);

const char *handoff_state(const json_t *body);
int state_in(const char *state, const char *states); /* separated by '|' */

/* ERR_WRONG_STATE, with the state it is in. */
int wrong_state(const struct call *c, const char *state, const char *what);

/* "at" of a body if the caller may set it, else now: ERR_FORBIDDEN when he may not. *given tells which. */
int read_at(const struct call *c, struct reader *r, int64_t *at, int *given);

/* Body, conversation's record and turns into one list and commits. *seq may be NULL. */
int handoff_commit(struct desk *d, const struct call *c, struct conversation *v, struct changes *cs,
		   const char *kind, int64_t at, int status, const json_t *result);

/*
 * A handoff of a package that is read (and not yet filled) already:
 * handoff_build() without the body. `at` 0: now and all turns.
 */
int handoff_offer(struct desk *d, const struct call *c, struct conversation *v, json_t *package,
		  const char *previous, int64_t at, struct changes *cs, struct handoff_built *out);

/* Sets what a conversation says of its handoff. `open`: it is the one that is open now. */
int conversation_set_handoff(struct conversation *v, const char *handoff, const char *state, int open);

#endif
