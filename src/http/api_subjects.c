#include "datasets/dataset_jobs.h"
#include "desk/bodies.h"
#include "http/exchange.h"

static int say(struct exchange *x, json_t **result)
{
	int rc = consent_act(x->api->desk, &x->call, x->params[0], x->body, result);

	/* Where no datasets are made now, the next server finds it. */
	if (rc == 0 && x->api->datasets)
		dataset_consent_changed(x->api->datasets);
	return rc;
}

static int was_said(struct exchange *x, const json_t *result, json_t **out)
{
	return consent_get(x->api->desk, &x->call, body_string(result, "customer"), out);
}

static int told(struct exchange *x, const json_t *result, json_t **out)
{
	int rc = exchange_query_known(x, "");

	(void)result;
	return rc < 0 ? rc : consent_get(x->api->desk, &x->call, x->params[0], out);
}

const struct route routes_subjects[] = {
	{ "PUT", "/v1/subjects/{customer}/consent", SCOPE_CURATOR, BODY_JSON, BODY_SMALL, 200, say,
	  was_said },
	{ "GET", "/v1/subjects/{customer}/consent", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, told },
	{ 0 },
};
