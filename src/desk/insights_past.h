/*
 * insights_past.h: conversations, handoffs and resolutions that the caller may
 * see, in memory as plain values, joined by number. Internal to
 * desk/insights*.c.
 *
 * Who sees a conversation sees its handoffs and resolutions; what belongs to
 * one that the caller may not see is not there. Names (of customers and
 * intents) are numbers into a list; number 0 is none.
 */
#ifndef READBACK_DESK_INSIGHTS_PAST_H
#define READBACK_DESK_INSIGHTS_PAST_H

#include "desk/desk.h"

#define NOTHING UINT32_MAX /* no such number */

struct names {
	struct map *numbers;
	const char **list; /* [n]; [0] is NULL */
	size_t n, cap;
};

struct past_conversation {
	uint32_t customer;
	uint32_t handoffs; /* how many it has */
	uint32_t alone;    /* the resolution that came without a handoff, or NOTHING */
	int64_t started;
};

enum past_outcome {
	PAST_NONE,
	PAST_RESOLVED,
	PAST_UNRESOLVED,
	PAST_TRANSFERRED,
	PAST_ABANDONED,
	PAST_OUTCOMES
};

struct past_resolution {
	uint32_t conversation, handoff; /* handoff may be NOTHING */
	enum past_outcome outcome;      /* PAST_NONE: it is not there */
	uint32_t intent;
	int csat; /* 0: not said */
	int64_t at;
};

struct past_handoff {
	const char *id;
	const char *evidence; /* its id, when the bot cited something; else NULL */
	uint32_t conversation;
	uint32_t intent;      /* as it was resolved, else of the package */
	uint32_t said;        /* of the package; of a transfer, whose package a person made, 0 */
	int returned;         /* its state */
	int64_t offered;      /* ms */
	int64_t accepted;     /* of the read-back; 0: never */
	uint64_t readbacks;   /* attempts */
	uint64_t refused;     /* of them */
	int overridden;       /* accepted against discrepancies */
	uint32_t first, last; /* resolutions: the first one and the one in force; may be NOTHING */
};

struct past {
	struct arena *arena; /* the call's: ids and names */
	struct names customers, intents;
	struct map *conversation_of, *resolution_of; /* id -> number + 1 */
	struct past_conversation *conversations;
	struct past_handoff *handoffs;
	struct past_resolution *resolutions;
	size_t n_conversations, n_handoffs, n_resolutions;
	size_t cap_conversations, cap_handoffs, cap_resolutions;
};

/* Nothing has to be released when this fails, but past_release() does no harm. */
int past_read(struct desk *d, const struct call *c, struct past *out);
void past_release(struct past *p);

/* Is a conversation among them? Its number, or NOTHING. */
uint32_t past_conversation_of(const struct past *p, struct text id);

/* The resolution in force of a handoff, NULL if there is none. */
const struct past_resolution *past_resolution_of(const struct past *p, const struct past_handoff *h);

/*
 * The number of the resolution that a RECORD_RELEVANCE is of, when that one is
 * in force and may be seen; else NOTHING: what was superseded does not count.
 */
uint32_t past_relevance_of(const struct past *p, const struct record *relevance);

int names_open(struct names *x); /* -1 without memory */
void names_release(struct names *x);
/* The number of a name, which is new if need be; 0 for an empty one. -1 without memory. */
int names_number(struct names *x, struct arena *a, struct text name, uint32_t *out);

#endif
