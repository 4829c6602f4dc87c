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

static int shadow(struct exchange *x, json_t **result)
{
	return model_shadow_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int end_shadow(struct exchange *x, json_t **result)
{
	return model_shadow_end_act(x->api->desk, &x->call, x->params[0], result);
}

static int was_done(struct exchange *x, const json_t *result, json_t **out)
{
	return model_act_show(x->api->desk, &x->call, result, out);
}

const struct route routes_models[] = {
	{ "GET", "/v1/models", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, list },
	{ "GET", "/v1/models/{id}", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, one },
	{ "POST", "/v1/models/{id}/activate", SCOPE_CURATOR, BODY_NONE, 0, 200, activate, was_done },
	{ "POST", "/v1/models/{id}/shadow", SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, shadow, was_done },
	{ "DELETE", "/v1/models/{id}/shadow", SCOPE_CURATOR, BODY_NONE, 0, 200, end_shadow, was_done },
	{ 0 },
};
