#include "http/exchange.h"

static int put(struct exchange *x, json_t **result)
{
	return rule_act(x->api->desk, &x->call, x->params[0], x->body, result);
}

static int was_put(struct exchange *x, const json_t *result, json_t **out)
{
	return rule_show(x->api->desk, &x->call, result, out);
}

static int one(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : rule_get(x->api->desk, &x->call, x->params[0], out);
}

static int list(struct exchange *x, const json_t *result, json_t **out)
{
	size_t limit;
	int rc = exchange_query_known(x, "after|limit");

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, 200, &limit);
	return rc < 0 ? rc : rule_list(x->api->desk, &x->call, exchange_query(x, "after"), limit, out);
}

static int delete_one(struct exchange *x, json_t **result)
{
	return rule_delete_act(x->api->desk, &x->call, x->params[0], result);
}

static int was_deleted(struct exchange *x, const json_t *result, json_t **out)
{
	*out = json_pack("{s:O, s:b}", "id", json_object_get(result, "id"), "deleted", 1);
	return *out ? 0 : no_memory(x->err);
}

const struct route routes_rules[] = {
	{ "GET", "/v1/rules", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, list },
	{ "PUT", "/v1/rules/{id}", SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, put, was_put },
	{ "GET", "/v1/rules/{id}", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, one },
	{ "DELETE", "/v1/rules/{id}", SCOPE_CURATOR, BODY_NONE, 0, 200, delete_one, was_deleted },
	{ 0 },
};
