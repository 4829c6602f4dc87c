#include "desk/insights_figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/grow.h"
#include "desk/bodies.h"

#define Z 1.959963984540054 /* 95 % of a normal distribution lie within so many deviations */
#define DAY_MS ((int64_t)86400000)

int insight_within(const struct insight_query *q, int64_t ms)
{
	return (!q->has_since || ms >= q->since) && (!q->has_until || ms < q->until);
}

int insight_set_window(json_t *out, const struct insight_query *q)
{
	return (q->has_since && body_set_time(out, "since", q->since) < 0) ||
			       (q->has_until && body_set_time(out, "until", q->until) < 0)
		       ? -1
		       : 0;
}

void share_add(struct share *s, int yes)
{
	s->n++;
	s->yes += yes != 0;
}

void share_interval(const struct share *s, double *low, double *high)
{
	double n = (double)s->n, p = (double)s->yes / n;
	double scale = 1 + Z * Z / n, middle = (p + Z * Z / (2 * n)) / scale;
	double half = Z / scale * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));

	/* at the ends it is exact; rounding would leave 1e-17 */
	*low = s->yes == 0 ? 0 : fmax(0, middle - half);
	*high = s->yes == s->n ? 1 : fmin(1, middle + half);
}

json_t *share_json(const struct share *s)
{
	double low, high;

	if (s->n == 0)
		return json_pack("{s:i, s:n, s:n}", "n", 0, "share", "interval");
	share_interval(s, &low, &high);
	return json_pack("{s:I, s:f, s:[f, f]}", "n", (json_int_t)s->n, "share",
			 (double)s->yes / (double)s->n, "interval", low, high);
}

json_t *agreement_json(const struct agreement *x)
{
	double n = (double)x->n, all = n * n;

	if (x->n == 0)
		return json_pack("{s:i, s:n, s:n}", "n", 0, "observed", "kappa");
	json_t *kappa = x->chance < all ? json_real((n * (double)x->agreed - x->chance) / (all - x->chance))
					: json_null();
	return json_pack("{s:I, s:f, s:o}", "n", (json_int_t)x->n, "observed", (double)x->agreed / n, "kappa",
			 kappa);
}

struct agreement agreement_of_one(uint64_t both, uint64_t first, uint64_t second, uint64_t n)
{
	double yes = (double)first * (double)second, no = (double)(n - first) * (double)(n - second);

	return (struct agreement){ .n = n, .agreed = n - first - second + 2 * both, .chance = yes + no };
}

int sample_add(struct sample *s, double x)
{
	if (GROW(s->list, s->n, s->cap) < 0)
		return -1;
	s->list[s->n++] = x;
	return 0;
}

void sample_release(struct sample *s)
{
	free(s->list);
	*s = (struct sample){ 0 };
}

int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double quantile(const double *sorted, size_t n, double p)
{
	double place = p * (double)(n - 1);
	size_t i = (size_t)place;

	return i + 1 < n ? sorted[i] + (place - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

json_t *sample_json(struct sample *s)
{
	double sum = 0;

	if (s->n == 0)
		return json_pack("{s:i, s:n, s:n}", "n", 0, "median", "mean");
	qsort(s->list, s->n, sizeof(*s->list), by_value);
	for (size_t i = 0; i < s->n; i++)
		sum += s->list[i];
	return json_pack("{s:I, s:f, s:f}", "n", (json_int_t)s->n, "median", quantile(s->list, s->n, .5),
			 "mean", sum / (double)s->n);
}

static int64_t floor_div(int64_t x, int64_t by)
{
	return x / by - (x % by < 0);
}

/* 1970-01-01 was a Thursday: its week began three days before. */
int64_t week_of(int64_t ms)
{
	return floor_div(floor_div(ms, DAY_MS) + 3, 7);
}

/* A week belongs to the year that its Thursday is in. */
void week_name(int64_t week, char out[WEEK_TEXT])
{
	time_t thursday = (time_t)(week * 7 * (DAY_MS / 1000));
	struct tm tm;

	gmtime_r(&thursday, &tm);
	snprintf(out, WEEK_TEXT, "%04d-W%02d", tm.tm_year + 1900, tm.tm_yday / 7 + 1);
}
