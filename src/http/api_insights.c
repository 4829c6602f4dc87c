#include <string.h>

#include "base/clock.h"
#include "desk/insights.h"
#include "http/exchange.h"

#define MOST_WEEKS 520
#define MOST_LISTED 200

static int read_time(struct exchange *x, const char *name, int64_t *ms, int *has)
{
	struct text t = exchange_query(x, name);

	*has = t.s != NULL;
	if (t.s && time_parse(t.s, t.n, ms) < 0)
		return error_set(x->err, ERR_BAD_VALUE, name,
				 "%s must be an RFC 3339 time such as 2026-06-01T08:00:00Z, or a date", name);
	return 0;
}

/* `known`: the parameters that this insight has. */
static int read_query(struct exchange *x, const char *known, struct insight_query *q)
{
	int rc = exchange_query_known(x, known);

	if (rc == 0)
		rc = read_time(x, "since", &q->since, &q->has_since);
	if (rc == 0)
		rc = read_time(x, "until", &q->until, &q->has_until);
	return rc;
}

static int outcomes(struct exchange *x, const json_t *result, json_t **out)
{
	struct text by = exchange_query(x, "by");
	struct insight_query q = { 0 };
	int rc = read_query(x, "since|until|by", &q);

	(void)result;
	if (rc < 0)
		return rc;
	q.by_week = by.s && strcmp(by.s, "week") == 0;
	if (by.s && !q.by_week && strcmp(by.s, "intent") != 0)
		return error_set(x->err, ERR_BAD_VALUE, "by", "by must be intent or week");
	return insights_outcomes(x->api->desk, &x->call, &q, out);
}

static int volume(struct exchange *x, const json_t *result, json_t **out)
{
	struct insight_query q = { 0 };
	int rc = read_query(x, "weeks|until", &q);

	(void)result;
	if (rc == 0)
		rc = exchange_number(x, "weeks", 12, MOST_WEEKS, &q.weeks);
	return rc < 0 ? rc : insights_volume(x->api->desk, &x->call, &q, out);
}

static int articles(struct exchange *x, const json_t *result, json_t **out)
{
	struct insight_query q = { 0 };
	int rc = read_query(x, "since|until|limit", &q);

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, MOST_LISTED, &q.limit);
	return rc < 0 ? rc : insights_articles(x->api->desk, &x->call, &q, out);
}

static int gaps(struct exchange *x, const json_t *result, json_t **out)
{
	struct insight_query q = { 0 };
	int rc = read_query(x, "since|until|limit", &q);

	(void)result;
	if (rc == 0)
		rc = exchange_limit(x, 20, MOST_LISTED, &q.limit);
	return rc < 0 ? rc : insights_gaps(x->api->desk, &x->call, &q, out);
}

static int agreement(struct exchange *x, const json_t *result, json_t **out)
{
	struct insight_query q = { 0 };
	int rc = read_query(x, "since|until", &q);

	(void)result;
	return rc < 0 ? rc : insights_agreement(x->api->desk, &x->call, &q, out);
}

const struct route routes_insights[] = {
	{ "GET", "/v1/insights/outcomes", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, outcomes },
	{ "GET", "/v1/insights/volume", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, volume },
	{ "GET", "/v1/insights/articles", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, articles },
	{ "GET", "/v1/insights/gaps", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, gaps },
	{ "GET", "/v1/insights/agreement", SCOPE_CURATOR, BODY_NONE, 0, 200, NULL, agreement },
	{ 0 },
};
