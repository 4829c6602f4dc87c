/*
 * desk.h: conversations, handoffs, evidence, brief, read-back, resolution:
 * what the service is for.
 *
 * Each act comes in two halves, so that a repeated request (Idempotency-Key)
 * is answered again without being done again: `x_act` reads the body, decides,
 * commits one event and gives a small *result* (ids and counts, no texts);
 * `x_show` renders a result under the caller's present rights. Reads have a
 * show only. JSON results are new references.
 *
 * A body's fields are checked here (unknown ones are errors). What the caller
 * may not see answers ERR_NOT_FOUND. Any thread; memory is the call's arena's.
 *
 * Bodies of records are listed in docs/formats.md; desk/bodies.h has helpers.
 */
#ifndef READBACK_DESK_DESK_H
#define READBACK_DESK_DESK_H

#include "engine/call.h"
#include "engine/search.h"

struct embedder;
struct learner;

struct desk {
	struct engine *engine;
	struct embedder *embedder;
	struct learner *learner;  /* NULL: nothing is learned but what the nearest examples say */
	unsigned char secret[32]; /* control_secret() */
	double audit_share;    /* of would-be answers, and of what is unsure, to the review queue, 0 … 1 */
	int readback_required; /* resolving an offered handoff is then ERR_READBACK_REQUIRED */
};

/* conversation.c */
int conversation_act(struct desk *d, const struct call *c, json_t *body, json_t **result);
int conversation_show(struct desk *d, const struct call *c, const json_t *result,
		      json_t **out); /* {"conversation"} */
int conversation_list(struct desk *d, const struct call *c, struct text customer, struct text after,
		      size_t limit, json_t **out);
int turn_act(struct desk *d, const struct call *c, const char *conversation, json_t *body, json_t **result);
int turn_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);

/* predict.c */
int predict_show(struct desk *d, const struct call *c, json_t *body, json_t **out);

/* search of the API: query, conversation_id or vector. Adds the answer to `out`, as JSON. */
int desk_search(struct desk *d, const struct call *c, json_t *body, struct strbuf *out);

/* handoff.c, evidence.c, brief.c, readback.c, resolution.c, signal.c */
int handoff_act(struct desk *d, const struct call *c, json_t *body, json_t **result);
int handoff_show(struct desk *d, const struct call *c, const char *id, json_t **out);
int handoff_list(struct desk *d, const struct call *c, struct text state, struct text queue,
		 struct text after, size_t limit, json_t **out);
/* `evidence` NULL: the handoff's first; `compare_now`: {"then","now","changes"}. */
int evidence_show(struct desk *d, const struct call *c, const char *handoff, const char *evidence,
		  int compare_now, json_t **out);
enum brief_format { BRIEF_JSON, BRIEF_TEXT, BRIEF_MARKDOWN };
/* JSON for BRIEF_JSON, else a JSON string. */
int brief_show(struct desk *d, const struct call *c, const char *handoff, enum brief_format f, json_t **out);
/*
 * Accepted: 0 and a result. Discrepancies: ERR_READBACK_DISCREPANCIES with
 * *result set as well; the event is committed in both cases. readback_show
 * renders either: the 200 body, or the array "discrepancies" filtered by rights.
 */
int readback_act(struct desk *d, const struct call *c, const char *handoff, json_t *body, json_t **result);
int readback_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);
int signals_act(struct desk *d, const struct call *c, json_t *body, json_t **result);
int signals_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);
int resolution_act(struct desk *d, const struct call *c, const char *handoff, json_t *body, json_t **result);
int resolution_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);
int return_act(struct desk *d, const struct call *c, const char *handoff, json_t *body, json_t **result);
int return_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);

/* review.c: labels that somebody is to look at. `state`, `after` may be nothing. */
int review_list(struct desk *d, const struct call *c, struct text state, struct text after, size_t limit,
		json_t **out);
int review_get(struct desk *d, const struct call *c, const char *id, json_t **out);
int review_assign_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result);
/* ERR_WRONG_STATE for one that was decided. */
int review_decide_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result);
int review_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);

/* model.c: what was trained. `type` may be nothing: all. */
int model_list(struct desk *d, const struct call *c, struct text type, json_t **out);
int model_get(struct desk *d, const struct call *c, const char *id, json_t **out);
int model_activate_act(struct desk *d, const struct call *c, const char *id, json_t **result);
/* {"share"?}: beside the model in force, or for a share of conversations; learn/shadow.h. */
int model_shadow_act(struct desk *d, const struct call *c, const char *id, json_t *body, json_t **result);
int model_shadow_end_act(struct desk *d, const struct call *c, const char *id, json_t **result);
/* Of all three. */
int model_act_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);

/* eval.c: comparisons of two systems on a frozen dataset, kept as they were told; the newest first. `after` may be nothing. */
int eval_act(struct desk *d, const struct call *c, json_t *body, json_t **result);
int eval_show(struct desk *d, const struct call *c, const json_t *result, json_t **out);
int eval_list(struct desk *d, const struct call *c, struct text after, size_t limit, json_t **out);
int eval_get(struct desk *d, const struct call *c, const char *id, json_t **out);

/*
 * consent.c: what a customer, who need not be known yet, says about training: {"training":"granted|denied"}. The last
 * word counts. ERR_NOT_FOUND where nothing was said.
 */
int consent_act(struct desk *d, const struct call *c, const char *customer, json_t *body, json_t **result);
int consent_get(struct desk *d, const struct call *c, const char *customer, json_t **out);

/*
 * One line of a conversations file: conversation, turns, handoff and
 * resolution as one event. *status: 1 imported, 0 unchanged (the same line
 * was imported before). An id that exists with other content: ERR_EXISTS.
 * `backed` examples: imported history counts as vouched for.
 */
int conversation_import(struct desk *d, const struct call *c, json_t *line, int *status);
/* One line of an examples file. */
int example_import(struct desk *d, const struct call *c, json_t *line, int *status);

#endif
