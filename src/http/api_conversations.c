#include "http/exchange.h"

static int create(struct exchange *x, json_t **result)
{
	return conversation_act(x->api->desk, &x->call, x->body, result);
}

static int created(struct exchange *x, const json_t *result, json_t **out)
{
	return conversation_show(x->api->desk, &x->call, result, out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	JSON_AUTO *named = json_pack("{s:s}", "conversation", x->params[0]);

	(void)result;
	int rc = exchange_query_known(x, "");
	return rc < 0 ? rc : conversation_show(x->api->desk, &x->call, named, out);
}

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	size_t limit;
	int rc = exchange_query_known(x, "customer|after|limit");

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, 200, &limit);
	if (rc < 0)
		return rc;
	return conversation_list(x->api->desk, &x->call, exchange_query(x, "customer"),
				 exchange_query(x, "after"), limit, out);
}

static int add_turn(struct exchange *x, json_t **result)
{
	return turn_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int show_turn(struct exchange *x, const json_t *result, json_t **out)
{
	return turn_show(x->api->desk, &x->call, result, out);
}

#define READERS (SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR)

const struct route routes_conversations[] = {
	{ "POST", "/v1/conversations", SCOPE_BOT | SCOPE_AGENT, BODY_JSON, BODY_DOCUMENT, 201, create,
	  created },
	{ "GET", "/v1/conversations", READERS, BODY_NONE, 0, 200, NULL, list },
	{ "GET", "/v1/conversations/{id}", READERS, BODY_NONE, 0, 200, NULL, one },
	{ "POST", "/v1/conversations/{id}/turns", SCOPE_BOT | SCOPE_AGENT, BODY_JSON, BODY_SMALL, 201,
	  add_turn, show_turn },
	{ 0 },
};
