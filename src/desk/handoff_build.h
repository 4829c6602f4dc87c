/*
 * handoff_build.h: what opening and resolving a handoff change, for a
 * conversation that is in memory (it need not be in the engine yet).
 *
 * handoff_act and resolution_act commit these by themselves;
 * conversation_import calls handoff_build() and resolution_build() on one
 * conversation and one list of changes, then conversation_changes(), so that
 * a line of history is one event. Searches are made here, nothing is written.
 * The conversation's body is changed in place (state, handoff, handoffs); its
 * record is the caller's to put. Any thread; memory is the call's arena's.
 *
 * Bodies (times RFC 3339, `?` optional; as bodies.h has the others):
 *
 *   handoff     {"conversation","state":"offered|accepted|resolved|returned|abandoned","queue"?,"priority"?,
 *                "package":{field:{"value","origin":"bot|inferred","confidence"?}},"evidence":id,"previous"?,"next"?,
 *                "created_at","read_back":bool,"read_back_at"?,"override"?:{"reason","agent","at"},
 *                "readbacks":[{"n","agent","at","accepted","discrepancies":[…]}] (the latest 32),"resolution"?: id of the
 *                one in force,"resolutions":[ids, oldest first],"returned_at"?,"principal","agent"?}
 *   evidence    {"handoff","conversation","created_at","queue"?,"groups":[searched under],"hash","items":[…],
 *                "bot_citations":[…],"brief":{…}}: evidence.h and brief.h have the parts
 *   resolution  {"handoff"?,"conversation","outcome","intent"?,"text"?,"problem"?,"steps":[],"evidence_used":[],
 *                "bot_was_right"?,"escalation_needed"?,"disposition"?,"csat"?,"supersedes"?,"case"?,"next"?,"read_back",
 *                "examples","labels","at","principal","agent"?}
 *   signal      {"handoff"?|"search"?: the token,"document"? (kind document),"kind","id","signal","at","principal",
 *                "agent"?,"identifier"?}
 */
#ifndef READBACK_DESK_HANDOFF_BUILD_H
#define READBACK_DESK_HANDOFF_BUILD_H

#include "desk/case.h"
#include "desk/conversation.h"

struct handoff_built {
	struct record handoff, evidence; /* as they will be read back: for resolution_build() */
};

/*
 * `body`: POST /v1/handoffs without conversation_id and conversation (an
 * import line's "handoff"; "at" only with c->may_set_time). `path` is its
 * place in the request, as "handoff"; NULL for the whole body. With an "at",
 * only turns up to it are read for what the bot left out, because history
 * goes on behind the handoff. conversation_embed() must have been called.
 * Does not look for an open handoff: that is handoff_act's.
 */
int handoff_build(struct desk *d, const struct call *c, struct conversation *v, json_t *body,
		  const char *path, struct changes *cs, struct handoff_built *out);

struct resolution_input {
	const struct record *handoff, *evidence; /* both NULL: a resolution without a handoff */
	json_t *body;                            /* POST …/resolution; "at" only with c->may_set_time */
	const char *path;                        /* its place in the request; NULL: the whole body */
	/*
	 * History: labels count as backed, the agent of the body need not be the
	 * caller, a read-back is never required, and an unknown document of
	 * evidence_used is recorded, not refused (it may be older than the knowledge).
	 */
	int imported;
};

struct resolution_built {
	const char *resolution; /* id */
	const char *state;      /* the handoff's: "resolved", "abandoned" */
	struct case_made made;
	const char *next; /* the new handoff of a transfer, else NULL */
};

int resolution_build(struct desk *d, const struct call *c, struct conversation *v,
		     const struct resolution_input *in, struct changes *cs, struct resolution_built *out);

#endif
