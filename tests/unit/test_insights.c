/* Insights: every figure of outcomes and volume by numbers that were worked out by hand, under the caller's rights. */
#include "insights_fixture.h"

static json_t *outcomes(struct fixture *f, struct insight_query q)
{
	return ACT(f, insights_outcomes, &q);
}

static json_t *group(const json_t *answer, const char *by, const char *name)
{
	json_t *g;
	size_t i;

	json_array_foreach(at(answer, "groups"), i, g)
		if (strcmp(body_string(g, by), name) == 0)
			return g;
	fail_msg("there is no group %s", name);
	return NULL;
}

/* --- figures ------------------------------------------------------------------------------------------------- */

static void test_figures__wilson_interval(void **state)
{
	static const struct {
		struct share s;
		double low, high;
	} known[] = {
		{ { 4, 1 }, .0456, .6994 },    { { 10, 0 }, 0, .2775 }, { { 10, 10 }, .7225, 1 },
		{ { 100, 50 }, .4038, .5962 }, { { 1, 1 }, .2065, 1 },
	};
	double low, high;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		share_interval(&known[i].s, &low, &high);
		NEAR(low, known[i].low);
		NEAR(high, known[i].high);
	}
}

static void test_figures__iso_weeks(void **state)
{
	static const char *const known[][2] = {
		{ "2026-06-01", "2026-W23" }, { "2026-05-31T23:59:59.999Z", "2026-W22" },
		{ "2027-01-01", "2026-W53" }, { "2024-12-30", "2025-W01" },
		{ "1970-01-01", "1970-W01" }, { "1969-12-28", "1969-W52" },
	};
	char name[WEEK_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		week_name(week_of(ms(known[i][0])), name);
		assert_string_equal(name, known[i][1]);
	}
}

static void test_figures__quantiles_and_medians(void **state)
{
	static const double sorted[] = { 1, 2, 4, 8 };
	struct fixture *f = *state;
	struct sample s = { 0 };

	NEAR(quantile(sorted, 4, 0), 1);
	NEAR(quantile(sorted, 4, .5), 3);
	NEAR(quantile(sorted, 4, .9), 6.8);
	NEAR(quantile(sorted, 4, 1), 8);
	NEAR(quantile(sorted, 1, .9), 1);
	for (int i = 3; i >= 0; i--)
		assert_int_equal(sample_add(&s, sorted[i]), 0);
	json_t *j = json_keep(f->arena, sample_json(&s));
	NEAR(number_at(j, "median"), 3);
	NEAR(number_at(j, "mean"), 3.75);
	sample_release(&s);
}

/* --- outcomes ------------------------------------------------------------------------------------------------ */

static void test_outcomes__of_all(void **state)
{
	struct fixture *f = *state;

	june(f);
	json_t *t = at(outcomes(f, all), "total");
	assert_int_equal(int_at(t, "handoffs"), 5);
	assert_int_equal(int_at(t, "resolved"), 2);
	assert_int_equal(int_at(t, "unresolved"), 1);
	assert_int_equal(int_at(t, "abandoned"), 1);
	assert_int_equal(int_at(t, "transferred"), 0);
	assert_int_equal(int_at(t, "returned"), 0);
	assert_int_equal(int_at(t, "open"), 1);
	assert_int_equal(int_at(t, "handle_s.n"), 3); /* 120, 60, 300; who went away was not handled */
	NEAR(number_at(t, "handle_s.median"), 120);
	NEAR(number_at(t, "handle_s.mean"), 160);
	share_is(t, "first_contact_resolution", 4, .25);
	NEAR(number_at(t, "first_contact_resolution.interval.0"), .0456);
	NEAR(number_at(t, "first_contact_resolution.interval.1"), .6994);
	share_is(t, "repeat_contact", 2, .5);
	share_is(t, "containment", 6, 1. / 6);
	share_is(t, "suggestion_use", 2, .5);
	share_is(t, "readback_discrepancies", 0, 0);
	assert_int_equal(int_at(t, "csat.n"), 2);
	NEAR(number_at(t, "csat.mean"), 3.5);
}

static void test_outcomes__by_intent(void **state)
{
	struct fixture *f = *state;

	june(f);
	handed_over(f, "p8", "cu-8", "2026-06-11T08:00:00Z", "hello", "}");
	json_t *o = outcomes(f, all);
	assert_string_equal(string_at(o, "by"), "intent");
	assert_int_equal(json_array_size(at(o, "groups")), 3);
	json_t *parcel = json_array_get(at(o, "groups"), 0); /* the most handoffs first */
	assert_string_equal(string_at(parcel, "intent"), "parcel");
	assert_int_equal(int_at(parcel, "handoffs"), 3);
	share_is(parcel, "first_contact_resolution", 3, 1. / 3);
	assert_null(at(parcel, "containment"));
	json_t *refund = group(o, "intent", "refund");
	assert_int_equal(int_at(refund, "handoffs"), 2);
	assert_int_equal(int_at(refund, "open"), 1); /* by the intent of the package */
	share_is(refund, "repeat_contact", 0, 0);
	assert_true(json_is_null(at(o, "groups.2.intent")));
	assert_int_equal(int_at(o, "groups.2.open"), 1);
}

static void test_outcomes__by_week_and_in_a_window(void **state)
{
	struct fixture *f = *state;
	struct insight_query q = { .by_week = 1 };

	june(f);
	json_t *o = outcomes(f, q);
	assert_int_equal(json_array_size(at(o, "groups")), 2);
	assert_string_equal(string_at(o, "groups.0.week"), "2026-W23");
	assert_int_equal(int_at(o, "groups.0.handoffs"), 2);
	share_is(at(o, "groups.0"), "containment", 2, 0);
	assert_string_equal(string_at(o, "groups.1.week"), "2026-W24");
	assert_int_equal(int_at(o, "groups.1.handoffs"), 3);
	share_is(at(o, "groups.1"), "containment", 4, .25);
	assert_null(at(o, "since"));
	q.since = ms("2026-06-05T08:00:00Z");
	q.until = ms("2026-06-09T09:00:00Z"); /* not in it */
	q.has_since = q.has_until = 1;
	o = outcomes(f, q);
	assert_string_equal(string_at(o, "since"), "2026-06-05T08:00:00Z");
	assert_string_equal(string_at(o, "until"), "2026-06-09T09:00:00Z");
	assert_int_equal(int_at(o, "total.handoffs"), 2);
	/* what comes after a window still counts as coming again */
	q.since = ms("2026-06-01");
	q.until = ms("2026-06-02");
	share_is(at(outcomes(f, q), "total"), "repeat_contact", 1, 1);
	q.until = q.since;
	assert_int_equal(int_at(outcomes(f, q), "total.handoffs"), 0);
}

static void test_outcomes__to_come_again_takes_the_customer_the_intent_and_a_week(void **state)
{
	struct fixture *f = *state;

	handed_over(f, "a", "cu-1", "2026-06-01T08:00:00Z", "x",
		    RESOLVED("2026-06-01T09:00:00Z", "parcel", ""));
	handed_over(f, "b", "cu-2", "2026-06-02T08:00:00Z", "x",
		    RESOLVED("2026-06-02T09:00:00Z", "parcel", ""));
	handed_over(f, "c", "cu-1", "2026-06-03T08:00:00Z", "x",
		    RESOLVED("2026-06-03T09:00:00Z", "refund", ""));
	share_is(at(outcomes(f, all), "total"), "repeat_contact", 3, 0);
	handed_over(f, "d", "cu-1", "2026-06-04T08:00:00Z", "hello", "}"); /* no intent: nothing is known */
	handed_over(f, "e", "cu-1", "2026-06-08T09:00:01Z", "x",
		    ",'intent':{'label':'parcel'}}"); /* a second too late */
	share_is(at(outcomes(f, all), "total"), "repeat_contact", 3, 0);
	handed_over(f, "g", "cu-1", "2026-06-08T09:00:00Z", "x", ",'intent':{'label':'parcel'}}");
	share_is(at(outcomes(f, all), "total"), "repeat_contact", 3, 1. / 3);
	/* solved elsewhere, without a handoff */
	import(f, "{'id':'h','customer':{'id':'cu-2'},'started_at':'2026-06-04T10:00:00Z','turns':["
		  "{'role':'customer','text':'x','at':'2026-06-04T10:00:00Z'}],'resolution':{"
		  "'outcome':'resolved','text':'found','intent':'parcel'}}");
	share_is(at(outcomes(f, all), "total"), "repeat_contact", 3, 2. / 3);
	/* of whom the customer is not known nothing is said */
	import(f, "{'id':'n','started_at':'2026-06-04T10:00:00Z','turns':[{'role':'customer','text':'x'}],"
		  "'handoff':{'trigger':'other','at':'2026-06-04T10:00:00Z'" RESOLVED("2026-06-04T11:00:00Z",
										      "parcel", "") "}");
	json_t *t = at(outcomes(f, all), "total");
	share_is(t, "repeat_contact", 3, 2. / 3);
	assert_int_equal(int_at(t, "resolved"), 4);
}

static void test_outcomes__a_correction_does_not_move_the_days_after(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_HANDOFF, .limit = 1 };
	struct record *h;
	size_t n;

	handed_over(f, "a", "cu-1", "2026-06-01T08:00:00Z", "x",
		    RESOLVED("2026-06-01T09:00:00Z", "parcel", ""));
	handed_over(f, "b", "cu-1", "2026-06-04T08:00:00Z", "x", ",'intent':{'label':'parcel'}}");
	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &h, &n, &f->err));
	f->call.may_set_time = 1;
	ACT(f, resolution_act, h->id,
	    J(f, "{'outcome':'resolved','intent':'parcel','text':'y','at':'2026-06-20T08:00:00Z'}"));
	json_t *t = at(outcomes(f, all), "total");
	share_is(t, "repeat_contact", 1, 1);
	NEAR(number_at(t, "handle_s.mean"), 3600);
}

static void test_outcomes__of_acts(void **state)
{
	struct fixture *f = *state;
	const char *h = refund_handoff(f);

	FAILS(f, ERR_READBACK_DISCREPANCIES, readback_act, h, J(f, "{'identity':{'customer_id':'cu-8'}}"));
	ACT(f, readback_act, h, J(f, REFUND_READ));
	ACT(f, resolution_act, h,
	    J(f, "{'outcome':'resolved','intent':'refund_status','text':'sent','csat':4}"));
	json_t *t = at(outcomes(f, all), "total");
	share_is(t, "readback_discrepancies", 2, .5);
	assert_int_equal(int_at(t, "handle_s.n"), 1);
	assert_int_equal(int_at(t, "resolved"), 1);
	share_is(t, "first_contact_resolution", 0, 0); /* its days are not over */
	/* a correction takes its place, and does not make it take longer */
	ACT(f, resolution_act, h,
	    J(f, "{'outcome':'unresolved','intent':'refund_late','text':'not there','csat':1}"));
	json_t *o = outcomes(f, all);
	assert_int_equal(int_at(o, "total.resolved"), 0);
	assert_int_equal(int_at(o, "total.unresolved"), 1);
	assert_int_equal(int_at(o, "total.handle_s.n"), 1);
	assert_true(number_at(o, "total.handle_s.mean") < 60);
	NEAR(number_at(o, "total.csat.mean"), 1);
	assert_string_equal(string_at(o, "groups.0.intent"), "refund_late");
}

static void test_outcomes__transferred_returned_and_overridden(void **state)
{
	struct fixture *f = *state;

	conversation(f, "{'id':'c-2','turns':[{'role':'customer','text':'hello'}]}");
	const char *h = open_handoff(f, "{'conversation_id':'c-2','trigger':'other'}");
	ACT(f, readback_act, h, J(f, "{}"));
	ACT(f, return_act, h, J(f, "{'instructions':'say hello'}"));
	json_t *t = at(outcomes(f, all), "total");
	assert_int_equal(int_at(t, "returned"), 1);
	assert_int_equal(int_at(t, "overridden"), 0);
	h = refund_handoff(f);
	ACT(f, readback_act, h, J(f, "{'override':{'reason':'the line is bad'}}"));
	ACT(f, resolution_act, h,
	    J(f, "{'outcome':'transferred','intent':'refund_status','text':'to billing'}"));
	t = at(outcomes(f, all), "total");
	assert_int_equal(int_at(t, "handoffs"), 3); /* and the one that the transfer made */
	assert_int_equal(int_at(t, "transferred"), 1);
	assert_int_equal(int_at(t, "returned"), 1);
	assert_int_equal(int_at(t, "open"), 1);
	assert_int_equal(int_at(t, "overridden"), 1);
	assert_int_equal(int_at(t, "handle_s.n"), 1);
	share_is(t, "readback_discrepancies", 2, 0);
	share_is(t, "containment", 2, 0);
}

static void test_outcomes__clocks_that_went_backwards_give_no_negative_times(void **state)
{
	struct fixture *f = *state;

	handed_over(f, "a", "cu-1", "2026-06-01T08:00:00Z", "x",
		    RESOLVED("2026-06-01T07:00:00Z", "parcel", ""));
	json_t *t = at(outcomes(f, all), "total");
	assert_int_equal(int_at(t, "resolved"), 1);
	assert_int_equal(int_at(t, "handle_s.n"), 0);
	assert_true(json_is_null(at(t, "handle_s.median")));
	share_is(t, "repeat_contact", 1, 0); /* itself is not another contact */
	handed_over(f, "b", "cu-1", "2026-06-20T08:00:00Z", "x",
		    RESOLVED("2026-06-20T08:00:00Z", "parcel", ""));
	NEAR(number_at(outcomes(f, all), "total.handle_s.mean"), 0);
}

static void test_outcomes__of_what_the_caller_may_see(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= 2; i++)
		import(f, arena_printf(
				  f->arena,
				  "{'id':'t%d','customer':{'id':'cu-1'},'acl':['tier%d'],'started_at':"
				  "'2026-06-0%dT08:00:00Z','turns':[{'role':'customer','text':'parcel'}],"
				  "'handoff':{'trigger':'other','at':'2026-06-0%dT08:00:00Z'},'resolution':{"
				  "'outcome':'resolved','intent':'parcel','text':'x','at':"
				  "'2026-06-0%dT09:00:00Z'}}",
				  i, i, i, i, i));
	share_is(at(outcomes(f, all), "total"), "repeat_contact", 2, .5);
	be(f, "k-cur", SCOPE_CURATOR, tier1);
	json_t *t = at(outcomes(f, all), "total");
	assert_int_equal(int_at(t, "handoffs"), 1);
	share_is(t, "repeat_contact", 1, 0); /* that he came again is not told */
	share_is(t, "containment", 1, 0);
	be(f, "k-cur", SCOPE_CURATOR, NULL);
	assert_int_equal(int_at(outcomes(f, all), "total.handoffs"), 0);
	assert_int_equal(json_array_size(at(outcomes(f, all), "groups")), 0);
}

static void test_outcomes__of_nothing(void **state)
{
	struct fixture *f = *state;
	json_t *o = outcomes(f, all);

	assert_int_equal(int_at(o, "total.handoffs"), 0);
	share_is(at(o, "total"), "containment", 0, 0);
	assert_true(json_is_null(at(o, "total.csat.mean")));
	assert_int_equal(json_array_size(at(o, "groups")), 0);
}

/* --- volume -------------------------------------------------------------------------------------------------- */

/* `n` conversations of an intent that were resolved on a day so many weeks after 2026-05-11, the Monday of W20. */
static void resolved(struct fixture *f, const char *intent, int week, int n)
{
	static int id;
	char at_[TIME_TEXT];

	time_format(ms("2026-05-12T12:00:00Z") + week * (int64_t)7 * 86400000, at_);
	for (int i = 0; i < n; i++)
		import(f,
		       arena_printf(f->arena,
				    "{'id':'v%d','started_at':'%s','turns':[{'role':'customer','text':'x'}],"
				    "'resolution':{'outcome':'resolved','intent':'%s','text':'y','at':'%s'}}",
				    id++, at_, intent, at_));
}

static json_t *volume(struct fixture *f, size_t weeks, const char *until)
{
	struct insight_query q = { .weeks = weeks, .has_until = 1, .until = ms(until) };

	return ACT(f, insights_volume, &q);
}

static void spring(struct fixture *f)
{
	static const int weekly[] = { 1, 2, 1, 3, 2, 2, 4 };

	for (int i = 0; i < 7; i++)
		resolved(f, "parcel", i, weekly[i]);
	resolved(f, "parcel", 7, 1); /* the Tuesday of the week under way */
	resolved(f, "parcel", 8, 1); /* yet to come */
	handed_over(
		f, "u", "cu-1", "2026-06-16T08:00:00Z", "x",
		"},'resolution':{'outcome':'unresolved','intent':'parcel','text':'y','at':'2026-06-16T09:00:00Z'}");
}

static void test_volume__by_week_with_a_naive_forecast(void **state)
{
	struct fixture *f = *state;

	spring(f);
	json_t *v = volume(f, 0, "2026-07-01T00:00:00Z");
	assert_string_equal(string_at(v, "method"), "naive");
	assert_string_equal(string_at(v, "forecast_week"), "2026-W27");
	assert_int_equal(int_at(v, "history_weeks"), 7);
	assert_int_equal(json_array_size(at(v, "weeks")), 7);
	assert_string_equal(string_at(v, "weeks.0"), "2026-W20");
	assert_string_equal(string_at(v, "weeks.6"), "2026-W26");
	json_t *p = at(v, "intents.0");
	assert_string_equal(string_at(p, "intent"), "parcel");
	assert_int_equal(int_at(p, "resolved.0"), 1);
	assert_int_equal(int_at(p, "resolved.3"), 3);
	assert_int_equal(int_at(p, "resolved.6"), 4);
	assert_int_equal(int_at(p, "so_far"), 1);
	assert_int_equal(int_at(p, "forecast"), 4);
	/* errors of "as the week before": 1, -1, 2, -1, 0, 2 */
	NEAR(number_at(p, "interval.0"), 3);
	NEAR(number_at(p, "interval.1"), 6);
	assert_int_equal(int_at(v, "total.forecast"), 4);
	v = volume(f, 3, "2026-07-01T00:00:00Z");
	assert_int_equal(json_array_size(at(v, "weeks")), 3);
	assert_string_equal(string_at(v, "weeks.0"), "2026-W24");
	assert_int_equal(int_at(v, "intents.0.resolved.0"), 2);
	NEAR(number_at(v, "intents.0.interval.1"), 6); /* of all that is known all the same */
}

static void test_volume__has_no_interval_of_three_errors(void **state)
{
	struct fixture *f = *state;

	spring(f);
	json_t *v = volume(f, 12, "2026-06-08T00:00:00Z");
	assert_int_equal(int_at(v, "history_weeks"), 4);
	assert_int_equal(int_at(v, "total.forecast"), 3);
	assert_true(json_is_null(at(v, "total.interval")));
	assert_true(json_is_null(at(v, "intents.0.interval")));
	assert_false(json_is_null(at(volume(f, 12, "2026-06-15T00:00:00Z"), "total.interval")));
}

static void test_volume__of_a_year_looks_back_a_year(void **state)
{
	struct fixture *f = *state;

	spring(f);
	resolved(f, "refund", 6 - 59, 1); /* 60 weeks are known */
	resolved(f, "refund", 6 - 51, 5); /* 52 weeks before the forecast's */
	json_t *v = volume(f, 1, "2026-07-01T00:00:00Z");
	assert_string_equal(string_at(v, "method"), "seasonal_naive");
	assert_int_equal(int_at(v, "history_weeks"), 60);
	assert_string_equal(string_at(v, "intents.0.intent"),
			    "parcel"); /* more in the weeks that are listed */
	assert_int_equal(int_at(v, "intents.0.forecast"), 0);
	json_t *r = at(v, "intents.1");
	assert_int_equal(int_at(r, "forecast"), 5);
	/* errors: 0 seven times, and -1 */
	NEAR(number_at(r, "interval.0"), 4.7);
	NEAR(number_at(r, "interval.1"), 5);
	/* what is older than ten years is not looked at */
	resolved(f, "refund", 6 - 520, 1);
	assert_int_equal(int_at(volume(f, 1, "2026-07-01T00:00:00Z"), "history_weeks"), 60);
	resolved(f, "refund", 6 - 519, 1);
	v = volume(f, 520, "2026-07-01T00:00:00Z");
	assert_int_equal(int_at(v, "history_weeks"), 520);
	assert_int_equal(json_array_size(at(v, "weeks")), 520);
}

static void test_volume__of_what_the_caller_may_see(void **state)
{
	struct fixture *f = *state;

	import(f, "{'id':'a','acl':['tier2'],'started_at':'2026-06-01T08:00:00Z','turns':[{'role':'customer',"
		  "'text':'x'}],'resolution':{'outcome':'resolved','intent':'secret','text':'y'}}");
	assert_int_equal(json_array_size(at(volume(f, 0, "2026-07-01T00:00:00Z"), "intents")), 1);
	be(f, "k-cur", SCOPE_CURATOR, tier1);
	json_t *v = volume(f, 0, "2026-07-01T00:00:00Z");
	assert_int_equal(int_at(v, "history_weeks"), 0);
	assert_int_equal(json_array_size(at(v, "weeks")), 0);
	assert_int_equal(json_array_size(at(v, "intents")), 0);
	assert_true(json_is_null(at(v, "method")));
	assert_true(json_is_null(at(v, "total.forecast")));
	v = ACT(f, insights_volume, &all); /* by the clock */
	assert_int_equal(int_at(v, "total.so_far"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_figures__wilson_interval),
		TEST(test_figures__iso_weeks),
		TEST(test_figures__quantiles_and_medians),
		TEST(test_outcomes__of_all),
		TEST(test_outcomes__by_intent),
		TEST(test_outcomes__by_week_and_in_a_window),
		TEST(test_outcomes__to_come_again_takes_the_customer_the_intent_and_a_week),
		TEST(test_outcomes__a_correction_does_not_move_the_days_after),
		TEST(test_outcomes__of_acts),
		TEST(test_outcomes__transferred_returned_and_overridden),
		TEST(test_outcomes__clocks_that_went_backwards_give_no_negative_times),
		TEST(test_outcomes__of_what_the_caller_may_see),
		TEST(test_outcomes__of_nothing),
		TEST(test_volume__by_week_with_a_naive_forecast),
		TEST(test_volume__has_no_interval_of_three_errors),
		TEST(test_volume__of_a_year_looks_back_a_year),
		TEST(test_volume__of_what_the_caller_may_see),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
