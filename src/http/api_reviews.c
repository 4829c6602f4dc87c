#include "http/exchange.h"

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	size_t limit;
	int rc = exchange_query_known(x, "state|after|limit");

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, 200, &limit);
	return rc < 0 ? rc
		      : review_list(x->api->desk, &x->call, exchange_query(x, "state"),
				    exchange_query(x, "after"), limit, out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : review_get(x->api->desk, &x->call, x->params[0], out);
}

static int assign(struct exchange *x, json_t **result)
{
	return review_assign_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int decide(struct exchange *x, json_t **result)
{
	return review_decide_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int show(struct exchange *x, const json_t *result, json_t **out)
{
	return review_show(x->api->desk, &x->call, result, out);
}

const struct route routes_reviews[] = {
	{ "GET", "/v1/reviews", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, list },
	{ "GET", "/v1/reviews/{id}", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, one },
	{ "POST", "/v1/reviews/{id}/assign", SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, assign, show },
	{ "POST", "/v1/reviews/{id}/decide", SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, decide, show },
	{ 0 },
};
