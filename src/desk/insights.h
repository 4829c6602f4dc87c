/*
 * insights.h: what the history of a desk tells: outcomes, volume, articles, gaps,
 * agreement.
 *
 * Each is computed from the records when it is asked for, by going through
 * all of them; nothing is kept. What the caller may not see is not counted:
 * handoffs and resolutions go by their conversation's ACL, cases and documents
 * by their own. docs/metrics.md defines every figure.
 *
 * Any thread; memory is the call's arena's. JSON results are new references.
 */
#ifndef READBACK_DESK_INSIGHTS_H
#define READBACK_DESK_INSIGHTS_H

#include "desk/desk.h"

/* The zero value: all of history. Each insight reads what it has a use for. */
struct insight_query {
	int64_t since, until; /* ms, [since, until); they count with has_since, has_until */
	int has_since, has_until;
	int by_week;  /* outcomes: by ISO week, not by intent */
	size_t weeks; /* volume: how many are listed; 0: 12 */
	size_t limit; /* articles, gaps: how many are listed; 0: 20 */
};

/* insights_outcomes.c: handoffs by the time of their offer, conversations by their beginning. */
int insights_outcomes(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out);
/* insights_volume.c: `until` is the present of the forecast. */
int insights_volume(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out);
/* insights_articles.c: resolutions by their time, citations by that of the offer. */
int insights_articles(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out);
/* insights_gaps.c: cases by the time of their resolution. */
int insights_gaps(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out);
/* insights_agreement.c: labelled conversations by the time of their last vote. */
int insights_agreement(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out);

#endif
