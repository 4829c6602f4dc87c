/*
 * conversation.h: a conversation in memory: read from a request or loaded
 * from the engine, changed, and turned into the changes of an event.
 *
 * Every event of a conversation puts its record (the rule of streams). The way
 * of an act, in a loop of CALL_RETRIES because of ERR_CONFLICT:
 *
 *	conversation_load(d, c, id, &v);          rights applied: ERR_NOT_FOUND
 *	body_set(v.body, "state", "handed_off");  change the copy
 *	struct changes cs = CHANGES_INIT(c->arena);
 *	conversation_changes(&v, &cs, c->err);       its record, entry and fresh turns
 *	changes_put(&cs, RECORD_HANDOFF, …);      what else the act makes
 *	conversation_commit(d, c, &v, &cs, "handoff.opened", at, 201, result, &done);
 *
 * All memory is the call's arena's.
 */
#ifndef READBACK_DESK_CONVERSATION_H
#define READBACK_DESK_CONVERSATION_H

#include "desk/bodies.h"

#define CONVERSATION_MAX_TURNS 5000
#define CONVERSATION_MAX_BYTES (8u << 20) /* of all turns together */
#define TURN_MAX_TEXT (64u << 10)
#define OPENING_TURNS 3
#define OPENING_MAX_TEXT 2048

struct turn {
	uint32_t n;       /* from 1 */
	const char *id;   /* the client's; NULL if it gave none */
	const char *role; /* "customer", "bot", "agent", "system" */
	struct text text;
	int64_t at;          /* ms */
	const char *author;  /* principal */
	const float *vector; /* of customer turns; NULL without embedder */
	int fresh;           /* not stored yet */
};

struct conversation {
	const char *id, *subject, *stream;
	int64_t revision; /* of its stream: what the next event expects */
	int fresh;        /* not stored yet */
	json_t *body;     /* a copy of the record's: change it freely */
	struct turn *turns;
	size_t n_turns, cap;
};

/*
 * May the caller see a conversation with this body, and all that belongs to it?
 * By its ACL; a bot's key sees only what it has begun itself.
 */
int conversation_visible(const struct rights *r, const json_t *body);

/*
 * The conversation with its turns and their vectors (as far as they were
 * stored; conversation_embed() adds those that lack). ERR_NOT_FOUND also for
 * what the caller may not see.
 */
int conversation_load(struct desk *d, const struct call *c, const char *id, struct conversation *out);

/*
 * Reads a new conversation from a body: fields of POST /v1/conversations, and
 * "started_at". Fields are asked of `r`, so that a caller can ask for more of
 * the same object before reader_done(). Checks limits, roles (a bot key writes
 * no agent turns), ids, and that only groups of the caller are named in "acl".
 * Does not look whether the id is taken: revision is set by who does.
 */
int conversation_read(const struct call *c, struct reader *r, struct conversation *out);

/*
 * ERR_EXISTS if a conversation of this id is there (hidden or not). Else
 * v->revision is what to commit upon: one that is made after the look is a
 * conflict.
 */
int conversation_check_new(struct desk *d, const struct call *c, struct conversation *v);

/* Appends a turn, marked fresh, and counts it in the body. Texts are borrowed. ERR_TOO_LARGE past the limits. */
int conversation_add_turn(const struct call *c, struct conversation *v, const struct turn *t);

/* Vectors for customer turns that have none; one call of the embedder. Without embedder nothing. */
int conversation_embed(struct desk *d, struct arena *a, struct conversation *v, struct error *e);

/*
 * Adds the conversation's record, with its entry, and its fresh turns. The
 * entry's rows and words are given only when a turn is fresh; else it is a
 * retag. Call conversation_embed() before when there are fresh turns.
 */
int conversation_changes(const struct conversation *v, struct changes *cs, struct error *e);

/* Commits `cs` as one event of the conversation's stream, on v->revision. `at` 0: now. */
int conversation_commit(struct desk *d, const struct call *c, const struct conversation *v,
			const struct changes *cs, const char *kind, int64_t at, int status,
			const json_t *result, struct commit *out);

/* The last turn of a role, NULL if there is none. */
const struct turn *conversation_last(const struct conversation *v, const char *role);
int turn_is(const struct turn *t, const char *role);
size_t conversation_count(const struct conversation *v, const char *role);

/*
 * The opening: the first three customer turns joined by a newline, at most
 * OPENING_MAX_TEXT bytes. s NULL when no customer has spoken; NULL also without memory.
 */
struct text conversation_opening(struct arena *a, const struct conversation *v);

/* Reads a turn's object; `now` where no time is given or it does not count. Does reader_done(). */
int turn_read(const struct call *c, struct reader *r, int64_t now, struct turn *out);

/* ERR_FORBIDDEN unless a key of these rights writes turns of this role. */
int conversation_check_role(const struct rights *r, const char *role, const char *param, struct error *e);

/* A conversation without its turns, as lists have it: new reference, NULL without memory. */
json_t *conversation_head_json(const char *id, int64_t revision, const json_t *body);

/* The body of GET /v1/conversations/{id}: new reference, NULL without memory. */
json_t *conversation_json(const struct conversation *v);

#endif
