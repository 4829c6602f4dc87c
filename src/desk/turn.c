#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "desk/conversation.h"
#include "desk/audit.h"
#include "desk/predict.h"

/* The turn that a client sent before under this id; NULL if there is none. */
static const struct turn *find_turn(const struct conversation *v, const char *id)
{
	for (size_t i = v->n_turns; id && i > 0; i--)
		if (v->turns[i - 1].id && strcmp(v->turns[i - 1].id, id) == 0)
			return &v->turns[i - 1];
	return NULL;
}

static int make_result(const struct call *c, const struct conversation *v, uint32_t n, json_t **result)
{
	json_t *j = json_pack("{s:s, s:i}", "conversation", v->id, "n", (int)n);

	if (!j)
		return no_memory(c->err);
	*result = j;
	return 0;
}

/* A customer who comes back opens the matter again; a word of thanks of the agent does not. */
static int reopen(struct conversation *v, const struct turn *t)
{
	const char *state = body_string(v->body, "state");

	if (!turn_is(t, "customer") || strcmp(state, "open") == 0 || strcmp(state, "handed_off") == 0)
		return 0;
	return body_set(v->body, "state", "open");
}

/* One try. The turn's vector is made once and kept in *t over the tries. */
static int append(struct desk *d, const struct call *c, const char *id, struct turn *t, json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	struct conversation v;
	struct commit done;
	int rc = conversation_load(d, c, id, &v);

	if (rc < 0)
		return rc;
	const struct turn *same = find_turn(&v, t->id);
	if (same && (strcmp(same->role, t->role) != 0 || same->text.n != t->text.n ||
		     memcmp(same->text.s, t->text.s, t->text.n) != 0))
		return error_set(c->err, ERR_EXISTS, "id", "turn %u has this id and says something else",
				 same->n);
	if (same)
		return make_result(c, &v, same->n, result);
	if ((rc = call_check_match(c, v.revision)) < 0 || (rc = conversation_add_turn(c, &v, t)) < 0 ||
	    (rc = conversation_embed(d, c->arena, &v, c->err)) < 0)
		return rc;
	t->vector = v.turns[v.n_turns - 1].vector;
	if (reopen(&v, t) < 0)
		return no_memory(c->err);
	JSON_AUTO *res = NULL;
	if ((rc = make_result(c, &v, (uint32_t)v.n_turns, &res)) < 0 ||
	    (rc = conversation_changes(&v, &cs, c->err)) < 0 || (rc = audit_draw(d, c, &v, &cs)) < 0)
		return rc;
	rc = conversation_commit(d, c, &v, &cs, "turn.added", 0, 201, res, &done);
	if (rc < 0)
		return rc;
	*result = json_incref(res);
	return 0;
}

int turn_act(struct desk *d, const struct call *c, const char *conversation, json_t *body, json_t **result)
{
	struct reader r;
	struct turn t;

	reader_init(&r, body, NULL, c->err);
	int rc = turn_read(c, &r, clock_wall_ms(), &t);
	if (rc < 0)
		return rc;
	struct retries y = retries_of(d->engine, conversation);
	while (retry(&y, rc))
		rc = append(d, c, conversation, &t, result);
	return rc;
}

/* What was predicted is seen from the turn, also when the answer is asked for again later. */
int turn_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	size_t n = (size_t)body_int(result, "n");
	struct conversation v;
	json_t *prediction = NULL;
	int rc = conversation_load(d, c, body_string(result, "conversation"), &v);

	if (rc < 0)
		return rc;
	if (n == 0 || n > v.n_turns)
		return error_set(c->err, ERR_NOT_FOUND, NULL, "there is no such turn");
	v.n_turns = n;
	const struct turn *t = &v.turns[n - 1];
	if (turn_is(t, "customer") && (rc = predict_conversation(d, c, &v, PREDICT_K, &prediction)) < 0)
		return rc;
	json_t *j = json_pack("{s:{s:s, s:I}, s:o?}", "turn", "id",
			      t->id ? t->id : turn_id(c->arena, v.id, t->n), "n", (json_int_t)n, "prediction",
			      prediction);
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
