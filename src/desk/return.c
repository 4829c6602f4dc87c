/* return.c: an agent gives an accepted handoff back to the bot, with instructions and perhaps an answer. */
#include "base/arena.h"
#include "base/clock.h"
#include "desk/handoff.h"

struct give_back {
	struct text instructions, answer;
};

static int read_body(const struct call *c, json_t *body, struct give_back *out)
{
	struct text agent = { 0 };
	struct reader r;
	int rc;

	reader_init(&r, body, NULL, c->err);
	reader_string(&r, "agent", OPTIONAL, 512, &agent);
	reader_string(&r, "instructions", REQUIRED, TURN_MAX_TEXT, &out->instructions);
	reader_string(&r, "answer", OPTIONAL, TURN_MAX_TEXT, &out->answer);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	return call_check_agent(c, agent);
}

static int add_turn(const struct call *c, struct conversation *v, const char *role, struct text text,
		    int64_t at)
{
	struct turn t = { .role = role, .text = text, .at = at, .author = c->rights->agent };

	return text.s ? conversation_add_turn(c, v, &t) : 0;
}

static int give_back(struct desk *d, const struct call *c, const char *id, const struct give_back *q,
		     json_t **result)
{
	struct changes cs = CHANGES_INIT(c->arena);
	int64_t at = clock_wall_ms();
	struct handoff h;
	int rc = handoff_load(d, c, id, &h);

	if (rc < 0)
		return rc;
	if (!state_in(handoff_state(h.body), "accepted"))
		return wrong_state(c, handoff_state(h.body), "returned");
	if ((rc = add_turn(c, &h.conversation, "agent", q->answer, at)) < 0 ||
	    (rc = add_turn(c, &h.conversation, "system", q->instructions, at)) < 0 ||
	    (rc = conversation_embed(d, c->arena, &h.conversation, c->err)) < 0)
		return rc;
	if (body_set(h.body, "state", "returned") < 0 || body_set_time(h.body, "returned_at", at) < 0 ||
	    conversation_set_handoff(&h.conversation, id, "open", 0) < 0)
		return no_memory(c->err);
	changes_put(&cs, RECORD_HANDOFF, h.record.id, h.record.subject, h.body);
	JSON_AUTO *res = json_pack("{s:s}", "handoff", h.record.id);
	if (!res)
		return no_memory(c->err);
	if ((rc = handoff_commit(d, c, &h.conversation, &cs, "handoff.returned", 0, 200, res)) < 0)
		return rc;
	*result = json_incref(res);
	return 0;
}

int return_act(struct desk *d, const struct call *c, const char *handoff, json_t *body, json_t **result)
{
	struct give_back q = { 0 };
	int rc = read_body(c, body, &q);

	if (rc < 0)
		return rc;
	struct retries y = retries_of(d->engine, handoff);
	while (retry(&y, rc))
		rc = give_back(d, c, handoff, &q, result);
	return rc;
}

int return_show(struct desk *d, const struct call *c, const json_t *result, json_t **out)
{
	struct record h, v;
	int rc = handoff_get(d, c, body_string(result, "handoff"), &h, &v);

	if (rc < 0)
		return rc;
	json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "id", h.id, "state", "returned", "conversation_id",
			      v.id, "returned_at", body_string(h.body, "returned_at"));
	if (!j)
		return no_memory(c->err);
	*out = j;
	return 0;
}
