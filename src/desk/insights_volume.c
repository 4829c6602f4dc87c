/* insights_volume.c: resolved conversations by intent and week, and what the next week may bring. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/grow.h"
#include "desk/bodies.h"
#include "desk/insights_figures.h"
#include "desk/insights_past.h"
#include "engine/each.h"

#define HISTORY 520 /* weeks that are looked back at */
#define WEEKS_LISTED 12
#define SEASON 52
#define FEWEST_ERRORS 4
#define TAIL .1 /* so that 80 % lie between the tails */

struct series {
	const char *intent;
	uint32_t *week;  /* [HISTORY]; [0]: the last complete one; [1]: the one before it … */
	uint32_t so_far; /* of the week that is under way */
	uint64_t listed; /* in the weeks that are listed */
};

struct volume {
	const struct call *call;
	struct names intents;
	struct series *series; /* by number of the intent; [0]: all together */
	size_t n, cap;
	int64_t now, last; /* last: the last complete week */
	size_t known;      /* complete weeks since the first resolution, at most HISTORY */
	size_t listed;
};

static struct series *series_of(struct volume *v, uint32_t intent)
{
	while (v->n <= intent) {
		uint32_t *week = arena_alloc(v->call->arena, HISTORY * sizeof(*week));
		if (!week || GROW(v->series, v->n, v->cap) < 0)
			return NULL;
		v->series[v->n] = (struct series){ .intent = v->intents.list[v->n], .week = week };
		v->n++;
	}
	return &v->series[intent];
}

static void count(struct series *s, int64_t ago)
{
	if (ago < 0)
		s->so_far++;
	else
		s->week[ago]++;
}

static int read_case(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct volume *v = arg;
	int64_t at = body_time(r->body, "resolved_at"), ago = v->last - week_of(at);
	uint32_t intent;

	(void)a;
	if (strcmp(body_string(r->body, "outcome"), "resolved") != 0 || at >= v->now || ago >= HISTORY ||
	    !rights_see(v->call->rights, json_object_get(r->body, "acl")))
		return 0;
	if (names_number(&v->intents, v->call->arena, body_text(r->body, "intent"), &intent) < 0)
		return no_memory(e);
	struct series *s = series_of(v, intent);
	if (!s)
		return no_memory(e);
	count(&v->series[0], ago);
	if (intent)
		count(s, ago);
	if (ago >= 0 && (size_t)ago >= v->known)
		v->known = (size_t)ago + 1;
	return 0;
}

/* The rule: the next week is as the one a year, else a week, before it. */
static size_t lag_of(const struct volume *v)
{
	return v->known >= SEASON ? SEASON : 1;
}

/* [low,high]: the forecast with the rule's own errors, but for the tails; json null when too few are known. */
static json_t *interval_json(const struct volume *v, const struct series *s)
{
	size_t lag = lag_of(v), n = v->known > lag ? v->known - lag : 0;
	double errors[HISTORY], forecast;

	if (n < FEWEST_ERRORS)
		return json_null();
	for (size_t i = 0; i < n; i++)
		errors[i] = (double)s->week[i] - (double)s->week[i + lag];
	qsort(errors, n, sizeof(*errors), by_value);
	forecast = s->week[lag - 1];
	return json_pack("[f, f]", fmax(0, forecast + quantile(errors, n, TAIL)),
			 fmax(0, forecast + quantile(errors, n, 1 - TAIL)));
}

static json_t *weeks_json(const struct volume *v, const struct series *s)
{
	json_t *list = json_array();

	for (size_t i = v->listed; list && i > 0; i--)
		if (json_array_append_new(list, json_integer(s->week[i - 1])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *series_json(const struct volume *v, const struct series *s)
{
	json_t *forecast = v->known ? json_integer(s->week[lag_of(v) - 1]) : json_null();

	return json_pack("{s:o, s:I, s:o, s:o}", "resolved", weeks_json(v, s), "so_far",
			 (json_int_t)s->so_far, "forecast", forecast, "interval", interval_json(v, s));
}

static json_t *names_json(const struct volume *v)
{
	json_t *list = json_array();
	char name[WEEK_TEXT];

	for (size_t i = v->listed; list && i > 0; i--) {
		week_name(v->last - (int64_t)i + 1, name);
		if (json_array_append_new(list, json_string(name)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int by_volume(const void *a, const void *b)
{
	const struct series *x = a, *y = b;

	if (x->listed != y->listed)
		return x->listed > y->listed ? -1 : 1;
	return strcmp(x->intent, y->intent);
}

static int set_intents(struct volume *v, json_t *out)
{
	json_t *list = json_array();

	if (body_set_take(out, "intents", list) < 0)
		return -1;
	for (size_t i = 0; i < v->n; i++)
		for (size_t w = 0; w < v->listed; w++)
			v->series[i].listed += v->series[i].week[w];
	if (v->n > 2)
		qsort(v->series + 1, v->n - 1, sizeof(*v->series), by_volume);
	for (size_t i = 1; i < v->n; i++) {
		json_t *j = series_json(v, &v->series[i]);
		if (json_array_append_new(list, j) < 0 || body_set(j, "intent", v->series[i].intent) < 0)
			return -1;
	}
	return 0;
}

static int show(struct volume *v, json_t **out)
{
	char next[WEEK_TEXT];

	week_name(v->last + 1, next);
	JSON_AUTO *j = json_pack("{s:s, s:o, s:I, s:s, s:s?, s:o}", "object", "volume", "weeks",
				 names_json(v), "history_weeks", (json_int_t)v->known, "forecast_week", next,
				 "method",
				 !v->known             ? NULL
				 : lag_of(v) == SEASON ? "seasonal_naive"
						       : "naive",
				 "total", series_json(v, &v->series[0]));
	if (!j || set_intents(v, j) < 0)
		return no_memory(v->call->err);
	*out = json_incref(j);
	return 0;
}

int insights_volume(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out)
{
	struct volume v = { .call = c, .now = q->has_until ? q->until : clock_wall_ms() };
	size_t weeks = q->weeks ? q->weeks : WEEKS_LISTED;
	int rc = names_open(&v.intents) < 0 || !series_of(&v, 0) ? no_memory(c->err) : 0;

	v.last = week_of(v.now) - 1;
	if (rc == 0)
		rc = engine_each(d->engine, &(struct scan){ .kind = RECORD_CASE }, read_case, &v, c->err);
	v.listed = weeks < v.known ? weeks : v.known;
	if (rc == 0)
		rc = show(&v, out);
	names_release(&v.intents);
	free(v.series);
	return rc;
}
