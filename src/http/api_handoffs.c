#include <string.h>

#include "base/arena.h"
#include "http/exchange.h"

static int open_handoff(struct exchange *x, json_t **result)
{
	return handoff_act(x->api->desk, &x->call, x->body, result);
}

static int opened(struct exchange *x, const json_t *result, json_t **out)
{
	return handoff_show(x->api->desk, &x->call, json_string_value(json_object_get(result, "handoff")),
			    out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : handoff_show(x->api->desk, &x->call, x->params[0], out);
}

/* A misspelt state is told, as a misspelt field is. */
static int check_state(struct exchange *x)
{
	static const char *const states[] = { "offered", "accepted", "resolved", "returned", "abandoned" };
	struct text state = exchange_query(x, "state");

	for (size_t i = 0; state.s && i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(state.s, states[i]) == 0)
			return 0;
	return state.s ? error_set(x->err, ERR_BAD_VALUE, "state",
				   "state must be offered, accepted, resolved, returned or abandoned")
		       : 0;
}

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	size_t limit;
	int rc = exchange_query_known(x, "state|queue|after|limit");

	(void)result;
	if (rc == 0)
		rc = check_state(x);
	if (rc == 0)
		rc = exchange_limit(x, 20, 200, &limit);
	if (rc < 0)
		return rc;
	return handoff_list(x->api->desk, &x->call, exchange_query(x, "state"), exchange_query(x, "queue"),
			    exchange_query(x, "after"), limit, out);
}

static int evidence(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "id|compare");
	struct text id = exchange_query(x, "id"), compare = exchange_query(x, "compare");

	(void)result;
	if (rc < 0)
		return rc;
	if (compare.s && strcmp(compare.s, "now") != 0)
		return error_set(x->err, ERR_BAD_VALUE, "compare", "compare must be now");
	return evidence_show(x->api->desk, &x->call, x->params[0], id.s, compare.s != NULL, out);
}

static int brief(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "format");
	struct text format = exchange_query(x, "format");
	enum brief_format f = BRIEF_JSON;

	(void)result;
	if (rc < 0)
		return rc;
	if (format.s && strcmp(format.s, "text") == 0)
		f = BRIEF_TEXT;
	else if (format.s && strcmp(format.s, "markdown") == 0)
		f = BRIEF_MARKDOWN;
	else if (format.s && strcmp(format.s, "json") != 0)
		return error_set(x->err, ERR_BAD_VALUE, "format", "format must be json, text or markdown");
	rc = brief_show(x->api->desk, &x->call, x->params[0], f, out);
	if (rc < 0 || f == BRIEF_JSON)
		return rc;
	/* a text, not JSON: it goes out as it is */
	x->out->n = json_string_length(*out);
	x->out->body = arena_strndup(x->arena, json_string_value(*out), x->out->n);
	x->out->type = f == BRIEF_TEXT ? "text/plain; charset=utf-8" : "text/markdown; charset=utf-8";
	json_release(out);
	return x->out->body ? 0 : no_memory(x->err);
}

static int read_back(struct exchange *x, json_t **result)
{
	return readback_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int was_read_back(struct exchange *x, const json_t *result, json_t **out)
{
	return readback_show(x->api->desk, &x->call, result, out);
}

static int signals(struct exchange *x, json_t **result)
{
	return signals_act(x->api->desk, &x->call, x->body, result);
}

static int signalled(struct exchange *x, const json_t *result, json_t **out)
{
	return signals_show(x->api->desk, &x->call, result, out);
}

static int resolve(struct exchange *x, json_t **result)
{
	return resolution_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int resolved(struct exchange *x, const json_t *result, json_t **out)
{
	return resolution_show(x->api->desk, &x->call, result, out);
}

static int give_back(struct exchange *x, json_t **result)
{
	return return_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int given_back(struct exchange *x, const json_t *result, json_t **out)
{
	return return_show(x->api->desk, &x->call, result, out);
}

#define READERS (SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR)

const struct route routes_handoffs[] = {
	{ "POST", "/v1/handoffs", SCOPE_BOT | SCOPE_AGENT, BODY_JSON, BODY_DOCUMENT, 201, open_handoff,
	  opened },
	{ "GET", "/v1/handoffs", READERS, BODY_NONE, 0, 200, NULL, list },
	{ "GET", "/v1/handoffs/{id}", READERS, BODY_NONE, 0, 200, NULL, one },
	{ "GET", "/v1/handoffs/{id}/evidence", READERS, BODY_NONE, 0, 200, NULL, evidence },
	{ "GET", "/v1/handoffs/{id}/brief", READERS, BODY_NONE, 0, 200, NULL, brief },
	{ "POST", "/v1/handoffs/{id}/readback", SCOPE_AGENT, BODY_JSON, BODY_SMALL, 200, read_back,
	  was_read_back },
	{ "POST", "/v1/signals", SCOPE_AGENT, BODY_JSON, BODY_SMALL, 200, signals, signalled },
	{ "POST", "/v1/handoffs/{id}/resolution", SCOPE_AGENT, BODY_JSON, BODY_SMALL, 200, resolve,
	  resolved },
	{ "POST", "/v1/handoffs/{id}/return", SCOPE_AGENT, BODY_JSON, BODY_SMALL, 200, give_back,
	  given_back },
	{ 0 },
};
