#include "http/exchange.h"

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "type");

	(void)result;
	return rc < 0 ? rc : model_list(x->api->desk, &x->call, exchange_query(x, "type"), out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : model_get(x->api->desk, &x->call, x->params[0], out);
}

static int activate(struct exchange *x, json_t **result)
{
	return model_activate_act(x->api->desk, &x->call, x->params[0], result);
}

static int was_activated(struct exchange *x, const json_t *result, json_t **out)
{
	return model_activate_show(x->api->desk, &x->call, result, out);
}

const struct route routes_models[] = {
	{ "GET", "/v1/models", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, list },
	{ "GET", "/v1/models/{id}", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, one },
	{ "POST", "/v1/models/{id}/activate", SCOPE_CURATOR, BODY_NONE, 0, 200, activate, was_activated },
	{ 0 },
};
