/* Insights: articles that did not help, and what no article helped with. */
#include "insights_fixture.h"

/* --- articles ------------------------------------------------------------------------------------------------ */

static json_t *articles(struct fixture *f, struct insight_query q)
{
	return ACT(f, insights_articles, &q);
}

static json_t *article(struct fixture *f, const char *id)
{
	json_t *a = articles(f, all), *one;
	size_t i;

	json_array_foreach(at(a, "data"), i, one)
		if (strcmp(body_string(one, "document_id"), id) == 0)
			return one;
	return NULL;
}

static void test_articles__that_were_contradicted(void **state)
{
	struct fixture *f = *state;
	struct insight_query q = { .has_until = 1, .until = ms("2026-06-03") };

	june(f);
	handed_over(f, "p9", "cu-9", "2026-06-12T08:00:00Z", "where is my parcel",
		    RESOLVED("2026-06-12T08:02:00Z", "parcel", ",'evidence_used':['money']"));
	json_t *a = articles(f, all), *depot = at(a, "data.0");
	assert_string_equal(string_at(depot, "document_id"), "depot");
	assert_string_equal(string_at(depot, "title"), "Parcels at the depot");
	assert_int_equal(int_at(depot, "shown"), 4); /* and to who went away */
	assert_int_equal(int_at(depot, "used"), 1);
	assert_int_equal(int_at(depot, "against"),
			 1); /* where nothing else was used, nothing is against it */
	share_is(depot, "against_share", 3, 1. / 3);
	assert_int_equal(int_at(depot, "superseded"), 0);
	assert_int_equal(json_array_size(at(depot, "examples")), 1);
	assert_string_equal(body_string(shown(f, string_at(depot, "examples.0")), "conversation_id"), "p9");
	json_t *money = at(a, "data.1");
	assert_int_equal(int_at(money, "used"), 1);
	assert_int_equal(int_at(money, "against"), 0);
	assert_true(json_is_false(at(a, "has_more")));
	assert_int_equal(int_at(articles(f, q), "data.0.shown"), 1);
	q = (struct insight_query){ .limit = 1 };
	a = articles(f, q);
	assert_int_equal(json_array_size(at(a, "data")), 1);
	assert_true(json_is_true(at(a, "has_more")));
}

static void test_articles__a_correction_takes_back_what_was_used(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	conversation(f, "{'id':'c-1','turns':[{'role':'customer','text':'where is my parcel'}]}");
	const char *h = open_handoff(f, "{'conversation_id':'c-1','trigger':'other'}");
	ACT(f, resolution_act, h,
	    J(f, "{'outcome':'resolved','intent':'parcel','text':'x','evidence_used':['money']}"));
	assert_int_equal(int_at(article(f, "depot"), "against"), 1);
	ACT(f, resolution_act, h,
	    J(f, "{'outcome':'resolved','intent':'parcel','text':'x','evidence_used':['depot']}"));
	assert_int_equal(int_at(article(f, "depot"), "against"), 0);
	assert_int_equal(int_at(article(f, "depot"), "used"), 1);
	assert_int_equal(int_at(article(f, "depot"), "shown"), 1);
	assert_null(article(f, "money"));
}

static const char *cite(struct fixture *f, const char *citations)
{
	static int n;

	return open_handoff(f,
			    arena_printf(f->arena,
					 "{'conversation':{'id':'cite-%d','turns':[{'role':'customer','text':"
					 "'refund'}]},'trigger':'other','bot':{'name':'b','cited':[%s]}}",
					 n++, citations));
}

#define OLD "{'document_id':'help-1','quote':'after 10 days'}"

static void test_articles__of_which_the_bot_cites_an_old_version(void **state)
{
	struct fixture *f = *state;

	document(f, "help-1", "{'title':'Refunds','text':'A refund comes after 10 days.'}");
	cite(f, OLD);
	assert_null(article(f, "help-1")); /* current: nothing to tell */
	document(f, "help-1", "{'title':'Refunds','text':'A refund comes after 5 days.'}");
	const char *h = cite(f, OLD "," OLD ",{'document_id':'help-9'}"); /* once a handoff */
	assert_int_equal(int_at(article(f, "help-1"), "superseded"), 1);
	assert_string_equal(string_at(article(f, "help-1"), "examples.0"), h);
	assert_true(json_is_false(at(article(f, "help-1"), "deleted")));
	for (int i = 0; i < 4; i++)
		cite(f, OLD);
	assert_int_equal(int_at(article(f, "help-1"), "superseded"), 5);
	assert_int_equal(json_array_size(at(article(f, "help-1"), "examples")), 3);
	struct insight_query q = { .has_until = 1, .until = ms("2026-01-01") };
	assert_int_equal(json_array_size(at(articles(f, q), "data")), 0);
	ACT(f, document_delete_act, "help-1");
	cite(f, "{'document_id':'help-1'}");
	json_t *a = article(f, "help-1");
	assert_int_equal(int_at(a, "superseded"), 6);
	assert_true(json_is_true(at(a, "deleted")));
	assert_true(json_is_null(at(a, "title")));
	assert_null(article(f, "help-9")); /* never was */
	/* which the queue could not see, as the bot should not have */
	document(f, "help-2", "{'title':'Refunds','text':'Wait 10 days.','acl':['legal']}");
	ACT(f, document_delete_act, "help-2");
	cite(f, "{'document_id':'help-2'}");
	assert_null(article(f, "help-2"));
}

static void test_articles__of_what_the_caller_may_see(void **state)
{
	struct fixture *f = *state;

	put_document(f, "depot", "Parcels", "A parcel waits at the depot.", NULL);
	put_document(f, "secret", "Parcels", "A parcel of a minister.", "['tier2']");
	handed_over(f, "a", "cu-1", "2026-06-01T08:00:00Z", "where is my parcel",
		    RESOLVED("2026-06-01T08:02:00Z", "parcel", ",'evidence_used':['secret']"));
	import(f,
	       "{'id':'b','acl':['tier2'],'turns':[{'role':'customer','text':'parcel'}],'handoff':{'trigger':"
	       "'other'},'resolution':{'outcome':'resolved','intent':'parcel','text':'x'}}");
	assert_int_equal(int_at(article(f, "depot"), "shown"), 2);
	assert_int_equal(int_at(article(f, "depot"), "against"), 1);
	assert_non_null(article(f, "secret"));
	be(f, "k-cur", SCOPE_CURATOR, tier1);
	assert_int_equal(int_at(article(f, "depot"), "shown"), 1);
	assert_int_equal(int_at(article(f, "depot"), "against"),
			 0); /* that another was used would tell of it */
	assert_null(article(f, "secret"));
}

/* --- gaps ---------------------------------------------------------------------------------------------------- */

static json_t *gaps(struct fixture *f, struct insight_query q)
{
	return ACT(f, insights_gaps, &q);
}

/* Solved without what was shown: n times, by the day of June. */
static void unaided(struct fixture *f, const char *said, const char *intent, int day, int n)
{
	static int id;

	for (int i = 0; i < n; i++)
		handed_over(f, arena_printf(f->arena, "g%d", id++), "cu-1",
			    arena_printf(f->arena, "2026-06-%02dT08:00:00Z", day), said,
			    arena_printf(f->arena,
					 "},'resolution':{'outcome':'resolved','intent':'%s','text':'y','at':"
					 "'2026-06-%02dT09:00:00Z'}",
					 intent, day));
}

static int has_string(const json_t *list, const char *s)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), s) == 0)
			return 1;
	return 0;
}

static void test_gaps__without_vectors_are_put_together_by_label(void **state)
{
	struct fixture *f = *state;
	struct insight_query q = { .limit = 1 };

	june(f);
	unaided(f, "the warranty of my kettle 4711", "warranty", 15, 4);
	json_t *g = gaps(f, all);
	/* four, and p2 and p3: p1 used what was shown, p6 had no handoff, p7 was given up */
	assert_int_equal(int_at(g, "cases"), 7);
	assert_int_equal(int_at(g, "gaps"), 6);
	assert_int_equal(json_array_size(at(g, "data")), 3);
	json_t *w = at(g, "data.0");
	assert_int_equal(int_at(w, "size"), 4);
	assert_true(has_string(at(w, "terms"), "warranty"));
	assert_true(has_string(at(w, "terms"), "kettle"));
	assert_false(has_string(at(w, "terms"), "4711"));
	assert_string_equal(string_at(w, "intents.0.intent"), "warranty");
	assert_int_equal(int_at(w, "intents.0.n"), 4);
	assert_int_equal(json_array_size(at(w, "intents")), 1);
	assert_int_equal(json_array_size(at(w, "examples")), 3);
	assert_string_equal(string_at(w, "examples.0.case_id"), "g3/case"); /* the newest first */
	shown(f, string_at(w, "examples.0.handoff_id"));
	assert_int_equal(json_array_size(at(w, "nearest")), 0);
	g = gaps(f, q);
	assert_int_equal(json_array_size(at(g, "data")), 1);
	assert_true(json_is_true(at(g, "has_more")));
	q = (struct insight_query){ .has_until = 1, .until = ms("2026-06-06") };
	g = gaps(f, q);
	assert_int_equal(int_at(g, "cases"), 2);
	assert_int_equal(int_at(g, "gaps"), 1);
}

static void test_gaps__of_what_the_caller_may_see(void **state)
{
	struct fixture *f = *state;

	import(f,
	       "{'id':'b','acl':['tier2'],'turns':[{'role':'customer','text':'minister'}],'handoff':{'trigger':"
	       "'other'},'resolution':{'outcome':'resolved','intent':'secret','text':'x'}}");
	assert_int_equal(int_at(gaps(f, all), "gaps"), 1);
	be(f, "k-cur", SCOPE_CURATOR, tier1);
	json_t *g = gaps(f, all);
	assert_int_equal(int_at(g, "cases"), 0);
	assert_int_equal(json_array_size(at(g, "data")), 0);
}

static void test_gaps__with_vectors_are_put_together_by_meaning(void **state)
{
	struct fixture *f = fixture_open("minilm");

	(void)state;
	if (!f)
		skip();
	put_document(f, "warranty", "Warranty", "Appliances have a warranty of two years.", NULL);
	put_document(f, "secret", "Warranty of kettles", "The warranty of a broken kettle.", "['tier2']");
	unaided(f, "my kettle broke, is it under warranty?", "warranty", 10, 1);
	unaided(f, "is there a warranty on a broken kettle?", "repair", 11, 1);
	unaided(f, "I want to change the address of my order", "address", 12, 1);
	be(f, "k-cur", SCOPE_CURATOR, tier1);
	json_t *g = gaps(f, all);
	assert_int_equal(json_array_size(at(g, "data")), 2);
	json_t *w = at(g, "data.0");
	assert_int_equal(int_at(w, "size"), 2);
	assert_int_equal(json_array_size(at(w, "intents")), 2);
	assert_true(has_string(at(w, "terms"), "kettle"));
	assert_int_equal(json_array_size(at(w, "nearest")), 1);
	assert_string_equal(string_at(w, "nearest.0.document_id"), "warranty");
	assert_string_equal(string_at(w, "nearest.0.title"), "Warranty");
	assert_true(number_at(w, "nearest.0.score") > .4);
	be_admin(f);
	w = at(gaps(f, all), "data.0");
	assert_int_equal(json_array_size(at(w, "nearest")), 2);
	assert_true(number_at(w, "nearest.0.score") >= number_at(w, "nearest.1.score"));
	fixture_close(f);
}

static void test_insights__of_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(json_array_size(at(articles(f, all), "data")), 0);
	assert_int_equal(json_array_size(at(gaps(f, all), "data")), 0);
	assert_int_equal(int_at(gaps(f, all), "cases"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_articles__that_were_contradicted),
		TEST(test_articles__a_correction_takes_back_what_was_used),
		TEST(test_articles__of_which_the_bot_cites_an_old_version),
		TEST(test_articles__of_what_the_caller_may_see),
		TEST(test_gaps__without_vectors_are_put_together_by_label),
		TEST(test_gaps__of_what_the_caller_may_see),
		cmocka_unit_test(test_gaps__with_vectors_are_put_together_by_meaning),
		TEST(test_insights__of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
