#include "http/exchange.h"

static int search(struct exchange *x, const json_t *result, json_t **out)
{
	(void)result;
	return desk_search(x->api->desk, &x->call, x->body, out);
}

static int predict(struct exchange *x, const json_t *result, json_t **out)
{
	(void)result;
	return predict_show(x->api->desk, &x->call, x->body, out);
}

const struct route routes_search[] = {
	{ "POST", "/v1/search", SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, NULL,
	  search },
	{ "POST", "/v1/predict", SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, NULL,
	  predict },
	{ 0 },
};
