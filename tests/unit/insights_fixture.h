/* insights_fixture.h: histories for the tests of insights. */
#ifndef READBACK_TESTS_INSIGHTS_FIXTURE_H
#define READBACK_TESTS_INSIGHTS_FIXTURE_H

#include "handoff_fixture.h"

#include "base/clock.h"
#include "desk/insights.h"
#include "desk/insights_figures.h"

#define NEAR(x, y) assert_true((x) > (y)-1e-4 && (x) < (y) + 1e-4)

static inline void import(struct fixture *f, const char *line)
{
	int status = 0;

	NO_ERROR(f, conversation_import(&f->desk, &f->call, J(f, line), &status));
	assert_int_equal(status, 1);
}

/* A conversation that is handed over at `at`; `rest` goes on inside the handoff, and closes it. */
static inline void handed_over(struct fixture *f, const char *id, const char *customer, const char *at,
			       const char *said, const char *rest)
{
	import(f,
	       arena_printf(f->arena,
			    "{'id':'%s','customer':{'id':'%s'},'started_at':'%s','turns':[{'role':'customer',"
			    "'text':'%s','at':'%s'}],'handoff':{'trigger':'other','at':'%s'%s}",
			    id, customer, at, said, at, at, rest));
}

static const struct insight_query all;

static inline int64_t ms(const char *time)
{
	int64_t out;

	assert_int_equal(time_parse(time, strlen(time), &out), 0);
	return out;
}

static inline void share_is(const json_t *j, const char *name, int n, double share)
{
	const json_t *s = at(j, name);

	assert_int_equal(int_at(s, "n"), n);
	if (n == 0) {
		assert_true(json_is_null(at(s, "share")));
		assert_true(json_is_null(at(s, "interval")));
		return;
	}
	NEAR(number_at(s, "share"), share);
	assert_true(number_at(s, "interval.0") <= share && share <= number_at(s, "interval.1"));
}

static inline void knowledge(struct fixture *f)
{
	put_document(f, "depot", "Parcels at the depot", "A parcel that nobody took waits at the depot.",
		     NULL);
	put_document(f, "money", "Refunds", "A refund is paid back within five days.", NULL);
}

#define RESOLVED(at, intent, more) \
	"},'resolution':{'outcome':'resolved','text':'done','at':'" at "','intent':'" intent "'" more "}"

/* Two weeks of June 2026: five handoffs, one conversation without, and one that people solved elsewhere. */
static inline void june(struct fixture *f)
{
	knowledge(f);
	handed_over(f, "p1", "cu-1", "2026-06-01T08:00:00Z", "where is my parcel",
		    RESOLVED("2026-06-01T08:02:00Z", "parcel", ",'evidence_used':['depot'],'csat':5"));
	handed_over(f, "p2", "cu-1", "2026-06-05T08:00:00Z", "my parcel again",
		    RESOLVED("2026-06-05T08:01:00Z", "parcel", ",'csat':2"));
	handed_over(
		f, "p3", "cu-2", "2026-06-09T08:00:00Z", "the refund please",
		"},'resolution':{'outcome':'unresolved','text':'none','at':'2026-06-09T08:05:00Z','intent':'refund'}");
	handed_over(f, "p4", "cu-3", "2026-06-09T09:00:00Z", "the refund please",
		    ",'intent':{'label':'refund','confidence':0.9}}");
	import(f, "{'id':'p5','customer':{'id':'cu-5'},'started_at':'2026-06-09T10:00:00Z','turns':["
		  "{'role':'customer','text':'thanks','at':'2026-06-09T10:00:00Z'}]}");
	import(f, "{'id':'p6','customer':{'id':'cu-2'},'started_at':'2026-06-10T10:00:00Z','turns':["
		  "{'role':'customer','text':'refund','at':'2026-06-10T10:00:00Z'}],'resolution':{"
		  "'outcome':'resolved','text':'paid','intent':'refund'}}");
	handed_over(
		f, "p7", "cu-4", "2026-06-10T11:00:00Z", "parcel gone",
		"},'resolution':{'outcome':'abandoned','text':'gone','at':'2026-06-10T11:30:00Z','intent':'parcel'}");
}

static const char *const tier1[] = { "tier1", NULL };

#endif
