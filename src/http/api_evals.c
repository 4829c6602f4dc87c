#include "http/exchange.h"

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	size_t limit;
	int rc = exchange_query_known(x, "after|limit");

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, 200, &limit);
	return rc < 0 ? rc : eval_list(x->api->desk, &x->call, exchange_query(x, "after"), limit, out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : eval_get(x->api->desk, &x->call, x->params[0], out);
}

static int save(struct exchange *x, json_t **result)
{
	return eval_act(x->api->desk, &x->call, x->body, result);
}

static int show(struct exchange *x, const json_t *result, json_t **out)
{
	return eval_show(x->api->desk, &x->call, result, out);
}

const struct route routes_evals[] = {
	{ "GET", "/v1/evals", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, list },
	{ "POST", "/v1/evals", SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 201, save, show },
	{ "GET", "/v1/evals/{id}", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, one },
	{ 0 },
};
