/* Rules for searches: what they may say, when they hold, and what they do. */
#include "desk_fixture.h"

#include <pthread.h>

#include "base/strbuf.h"
#include "engine/rules.h"
#include "engine/search_rules.h"
#include "ingest/ingest.h"

static int open_words(void **state)
{
	*state = fixture_open("none");
	return 0;
}

static int close_all(void **state)
{
	fixture_close(*state);
	return 0;
}

static json_t *rule(struct fixture *f, const char *id, const char *body)
{
	return ACT(f, rule_act, id, J(f, body));
}

static void document(struct fixture *f, const char *id, const char *body)
{
	ACT(f, document_act, id, J(f, body));
}

static void five_documents(struct fixture *f)
{
	document(
		f, "couch",
		"{'title':'Couch care','text':'How to clean your couch at home.','attributes':{'lang':'en'}}");
	document(
		f, "sofa",
		"{'title':'Sofa delivery','text':'Delivery of a sofa takes five days.','attributes':{'lang':'en'}}");
	document(f, "hub",
		 "{'title':'Wireless network','text':'Set up the wireless network of the hub.',"
		 "'attributes':{'lang':'de','year':2021,'hot':true,'tags':['x','y']},'source':'help'}");
	document(f, "password", "{'title':'Reset password','text':'Reset your password in the settings.'}");
	document(f, "old", "{'title':'Old password page','text':'The old way to reset a password.'}");
}

static json_t *search(struct fixture *f, const char *body)
{
	return ACT(f, search_act, J(f, body));
}

/* Ids of hits in their order, separated by spaces. */
static const char *ids(struct fixture *f, const char *body)
{
	json_t *answer = search(f, body), *hit;
	const char *all = "";
	size_t i;

	json_array_foreach(at(answer, "data"), i, hit)
		all = arena_printf(f->arena, "%s%s%s", all, i ? " " : "", string_at(hit, "id"));
	return all;
}

static json_t *hit(struct fixture *f, const char *body, const char *id)
{
	json_t *answer = search(f, body), *h;
	size_t i;

	json_array_foreach(at(answer, "data"), i, h)
		if (strcmp(string_at(h, "id"), id) == 0)
			return h;
	fail_msg("%s was not found", id);
	return NULL;
}

static json_t *boost(const json_t *h, const char *name)
{
	json_t *b;
	size_t i;

	json_array_foreach(at(h, "boosts"), i, b)
		if (strcmp(string_at(b, "name"), name) == 0)
			return b;
	return NULL;
}

/* Every hit: its score is the sum of its contributions, and no score is above the one before. */
static void assert_sums(struct fixture *f, const char *body)
{
	json_t *answer = search(f, body), *h, *b, *source;
	double before = 1e9;
	const char *key;
	size_t i, k;

	json_array_foreach(at(answer, "data"), i, h) {
		double sum = 0;
		json_object_foreach(at(h, "sources"), key, source)
			sum += number_at(source, "contribution");
		json_array_foreach(at(h, "boosts"), k, b)
			sum += number_at(b, "contribution");
		assert_float_equal(sum, number_at(h, "score"), 2e-6);
		assert_true(number_at(h, "score") <= before);
		before = number_at(h, "score");
	}
}

/* --- what may be said --------------------------------------------------------------------------------- */

static void test_rule__is_kept_as_it_was_said(void **state)
{
	struct fixture *f = *state;
	json_t *made = rule(f, "r", "{'type':'synonym','from':'wifi','to':['wireless']}");

	assert_true(json_is_true(at(made, "created")));
	assert_int_equal(int_at(made, "revision"), 1);
	json_t *again = rule(f, "r", "{'to':['wireless'],'type':'synonym','from':'wifi'}");
	assert_string_equal(string_at(again, "result"), "unchanged");
	assert_int_equal(int_at(again, "revision"), 1);
	json_t *other = rule(f, "s", "{'type':'pin','documents':['a','b'],'when':{'intent':'refund'}}");
	assert_int_equal(int_at(other, "revision"), 2);
	json_t *changed = rule(f, "r", "{'type':'synonym','from':'wifi','to':['wireless','wlan']}");
	assert_string_equal(string_at(changed, "result"), "updated");
	assert_int_equal(int_at(changed, "revision"), 3);
	json_t *got = ACT(f, rule_get, "s");
	assert_string_equal(string_at(got, "documents.1"), "b");
	assert_string_equal(string_at(got, "when.intent"), "refund");
	assert_int_equal(int_at(got, "revision"), 2);
	json_t *list = ACT(f, rule_list, ((struct text){ NULL, 0 }), 1);
	assert_string_equal(string_at(list, "data.0.id"), "r");
	assert_true(json_is_true(at(list, "has_more")));
	list = ACT(f, rule_list, text_of(string_at(list, "last_id")), 10);
	assert_string_equal(string_at(list, "data.0.id"), "s");
	assert_true(json_is_false(at(list, "has_more")));
}

static void test_rule__wrong_ones_name_the_field(void **state)
{
	static const struct {
		const char *body, *param;
		int code;
	} cases[] = {
		{ "{}", "type", ERR_MISSING_FIELD },
		{ "{'type':'boost'}", "type", ERR_BAD_VALUE },
		{ "{'type':3}", "type", ERR_WRONG_TYPE },
		{ "{'type':'synonym','from':'a'}", "to", ERR_MISSING_FIELD },
		{ "{'type':'synonym','from':'a','to':[]}", "to", ERR_BAD_VALUE },
		{ "{'type':'synonym','from':'a','to':'b'}", "to", ERR_WRONG_TYPE },
		{ "{'type':'synonym','from':'a','to':['b',4]}", "to[1]", ERR_WRONG_TYPE },
		{ "{'type':'synonym','from':'?!','to':['b']}", "from", ERR_BAD_VALUE },
		{ "{'type':'synonym','from':'a','to':['b','--']}", "to[1]", ERR_BAD_VALUE },
		{ "{'type':'synonym','from':'a','to':['b'],'words':['c']}", "words", ERR_UNKNOWN_FIELD },
		{ "{'type':'synonym','from':'a','to':['b'],'when':{'query':'c'}}", "when",
		  ERR_UNKNOWN_FIELD },
		{ "{'type':'synonyms','words':['a']}", "words", ERR_BAD_VALUE },
		{ "{'type':'synonyms','words':['a','\xf0\x9f\x99\x82']}", "words[1]", ERR_BAD_VALUE },
		{ "{'type':'synonyms','words':['a',''],'id':'x'}", "words[1]", ERR_EMPTY_TEXT },
		{ "{'type':'synonyms','words':['a','b'],'id':'x'}", "id", ERR_UNKNOWN_FIELD },
		{ "{'type':'pin','documents':['a']}", "when", ERR_MISSING_FIELD },
		{ "{'type':'pin','documents':['a'],'when':{}}", "when", ERR_MISSING_FIELD },
		{ "{'type':'pin','documents':['a'],'when':{'query':'b','intent':'c'}}", "when",
		  ERR_BAD_VALUE },
		{ "{'type':'pin','documents':['a'],'when':{'query':'?'}}", "when.query", ERR_BAD_VALUE },
		{ "{'type':'pin','documents':['a'],'when':{'qurey':'b'}}", "when.qurey", ERR_UNKNOWN_FIELD },
		{ "{'type':'pin','documents':['a'],'when':{'customer':'c'}}", "when.customer",
		  ERR_UNKNOWN_FIELD },
		{ "{'type':'policy','when':{'intent':'a'}}", "decision", ERR_MISSING_FIELD },
		{ "{'type':'policy','decision':'answer','when':{'intent':'a'}}", "decision", ERR_BAD_VALUE },
		{ "{'type':'policy','decision':'escalate'}", "when", ERR_MISSING_FIELD },
		{ "{'type':'policy','decision':'escalate','when':{}}", "when", ERR_MISSING_FIELD },
		{ "{'type':'policy','decision':'escalate','when':{'intent':'a','customer':'b'}}", "when",
		  ERR_BAD_VALUE },
		{ "{'type':'policy','decision':'escalate','when':{'query':'!'}}", "when.query",
		  ERR_BAD_VALUE },
		{ "{'type':'policy','decision':'escalate','when':{'intent':'a'},'because':3}", "because",
		  ERR_WRONG_TYPE },
		{ "{'type':'hide','documents':[],'when':{'query':'b'}}", "documents", ERR_BAD_VALUE },
		{ "{'type':'hide','documents':['a\\nb'],'when':{'query':'b'}}", "documents[0]", ERR_BAD_ID },
	};
	struct fixture *f = *state;
	json_t *result = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = rule_act(&f->desk, &f->call, "r", J(f, cases[i].body), &result);
		if (rc != cases[i].code || strcmp(f->err.param, cases[i].param) != 0)
			fail_msg("%s: %s at %s", cases[i].body, f->err.message, f->err.param);
	}
	assert_int_equal(
		rule_act(&f->desk, &f->call, "", J(f, "{'type':'synonyms','words':['a','b']}"), &result),
		ERR_BAD_ID);
	assert_int_equal(rule_get(&f->desk, &f->call, "r", &result), ERR_NOT_FOUND);
}

static void test_rule__if_match_guards_changes(void **state)
{
	struct fixture *f = *state;
	json_t *result = NULL, *body = J(f, "{'type':'synonyms','words':['a','c']}");

	rule(f, "r", "{'type':'synonyms','words':['a','b']}");
	rule(f, "s", "{'type':'synonyms','words':['a','b']}");
	f->call.if_match = 2; /* of s, and of the stream, but not of r */
	assert_int_equal(rule_act(&f->desk, &f->call, "r", body, &result), ERR_PRECONDITION);
	assert_int_equal(rule_act(&f->desk, &f->call, "new", body, &result), ERR_PRECONDITION);
	assert_int_equal(rule_delete_act(&f->desk, &f->call, "r", &result), ERR_PRECONDITION);
	f->call.if_match = 1;
	NO_ERROR(f, rule_act(&f->desk, &f->call, "r", body, &result));
	json_decref(result);
	f->call.if_match = CALL_NO_MATCH;
	ACT(f, rule_delete_act, "r");
	assert_int_equal(rule_delete_act(&f->desk, &f->call, "r", &result), ERR_NOT_FOUND);
	assert_int_equal(int_at(rule(f, "r", "{'type':'synonyms','words':['a','b']}"), "revision"), 5);
}

static void test_rule__there_is_room_for_a_thousand(void **state)
{
	struct fixture *f = *state;
	json_t *result = NULL;

	for (int i = 0; i < RULES_MAX; i++)
		rule(f, arena_printf(f->arena, "r%d", i), "{'type':'synonyms','words':['a','b']}");
	assert_int_equal(
		rule_act(&f->desk, &f->call, "more", J(f, "{'type':'synonyms','words':['a','b']}"), &result),
		ERR_TOO_LARGE);
	rule(f, "r7", "{'type':'synonyms','words':['a','c']}");
	ACT(f, rule_delete_act, "r7");
	rule(f, "more", "{'type':'synonyms','words':['a','b']}");
}

/* --- synonyms ------------------------------------------------------------------------------------------- */

static void test_synonym__goes_one_way(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	assert_string_equal(ids(f, "{'query':'settee'}"), "");
	rule(f, "r", "{'type':'synonym','from':'settee','to':['sofas']}");
	assert_string_equal(ids(f, "{'query':'my settees'}"), "sofa");
	json_t *b = boost(hit(f, "{'query':'my settees'}", "sofa"), "synonym");
	assert_non_null(b);
	assert_string_equal(string_at(b, "because"), "\"settee\" also finds \"sofas\"");
	assert_true(number_at(b, "contribution") > 0);
	assert_string_equal(ids(f, "{'query':'sofa'}"), "sofa");
	assert_null(boost(hit(f, "{'query':'sofa'}", "sofa"), "synonym"));
	ACT(f, rule_delete_act, "r");
	assert_string_equal(ids(f, "{'query':'my settees'}"), "");
}

static void test_synonym__goes_both_ways_and_no_further(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	rule(f, "r", "{'type':'synonyms','words':['sofa','couch']}");
	rule(f, "s", "{'type':'synonym','from':'couch','to':['wireless']}");
	assert_string_equal(ids(f, "{'query':'sofa'}"), "sofa couch");
	assert_string_equal(ids(f, "{'query':'couch'}"), "couch sofa hub");
	assert_sums(f, "{'query':'sofa'}");
	assert_sums(f, "{'query':'couch delivery'}");
}

static void test_synonym__of_a_phrase_needs_its_words_together(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	rule(f, "r", "{'type':'synonym','from':'log in','to':['password']}");
	assert_string_equal(ids(f, "{'query':'I cannot log in again'}"), "password old");
	assert_string_equal(ids(f, "{'query':'in the log'}"), "");
	assert_string_equal(ids(f, "{'query':'log'}"), "");
	rule(f, "s", "{'type':'synonym','from':'wi-fi','to':['wireless network']}");
	assert_string_equal(ids(f, "{'query':'Wi Fi?'}"), "hub");
}

static void test_synonym__counts_once_and_less_than_the_word_itself(void **state)
{
	struct fixture *f = *state;

	document(f, "own", "{'text':'apple pie'}");
	document(f, "other", "{'text':'pear pie'}");
	for (int i = 0; i < 5; i++)
		document(f, arena_printf(f->arena, "more%d", i), "{'text':'nothing else'}");
	rule(f, "r", "{'type':'synonyms','words':['apple','pear']}");
	json_t *first = hit(f, "{'query':'apple'}", "other");
	double alone = number_at(first, "sources.words.score");
	assert_string_equal(ids(f, "{'query':'apple'}"), "own other");
	assert_float_equal(alone / number_at(hit(f, "{'query':'apple'}", "own"), "sources.words.score"),
			   SYNONYM_WEIGHT, 1e-4);
	rule(f, "s", "{'type':'synonym','from':'apple','to':['pears','pear']}");
	assert_float_equal(number_at(hit(f, "{'query':'apple'}", "other"), "sources.words.score"), alone,
			   1e-6);
	/* what was asked for is not counted again as a synonym of its neighbour */
	json_t *both = hit(f, "{'query':'apple pear'}", "other");
	assert_float_equal(number_at(both, "sources.words.score"),
			   number_at(hit(f, "{'query':'apple pear'}", "own"), "sources.words.score"), 1e-6);
	assert_null(boost(both, "synonym"));
}

static void test_synonym__tells_how_much_each_word_brought(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	document(f, "both", "{'text':'Sofa or couch, and a hub without a network.'}");
	rule(f, "r", "{'type':'synonym','from':'settee','to':['sofa','couch','divan','chesterfield']}");
	rule(f, "s", "{'type':'synonym','from':'router','to':['hub']}");
	json_t *h = hit(f, "{'query':'settee router network'}", "both");
	assert_int_equal(json_array_size(at(h, "boosts")), 2);
	assert_string_equal(string_at(boost(h, "synonym"), "because"), "\"router\" also finds \"hub\"");
	assert_string_equal(string_at(h, "boosts.1.because"),
			    "\"settee\" also finds \"sofa\", \"couch\", \"divan\" and 1 more");
	assert_true(number_at(h, "sources.words.contribution") > 0);
	assert_sums(f, "{'query':'settee router network'}");
	json_t *sofa = hit(f, "{'query':'settee router network'}", "sofa");
	assert_float_equal(number_at(sofa, "sources.words.contribution"), 0, 1e-6);
}

static void test_synonym__many_in_one_query_are_bounded(void **state)
{
	struct fixture *f = *state;
	STRBUF_AUTO body = STRBUF_INIT;

	five_documents(f);
	strbuf_puts(&body, "{'query':'");
	for (int i = 0; i < 40; i++) {
		rule(f, arena_printf(f->arena, "r%d", i),
		     arena_printf(f->arena, "{'type':'synonym','from':'word%d','to':['couch%d','also%d']}", i,
				  i, i));
		strbuf_printf(&body, "word%d ", i);
	}
	rule(f, "first", "{'type':'synonym','from':'start','to':['couch']}");
	strbuf_puts(&body, "'}");
	assert_string_equal(ids(f, body.p), "");
	assert_string_equal(
		ids(f, arena_printf(f->arena, "{'query':'start %s", body.p + strlen("{'query':'"))), "couch");
}

/* --- pins and hides --------------------------------------------------------------------------------------- */

static void test_pin__comes_first_when_the_query_has_all_words(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	rule(f, "r", "{'type':'pin','documents':['hub','old'],'when':{'query':'reset password'}}");
	assert_string_equal(ids(f, "{'query':'how do I reset my passwords?'}"), "hub old password");
	assert_string_equal(ids(f, "{'query':'password'}"), "password old");
	assert_sums(f, "{'query':'how do I reset my passwords?'}");
	json_t *h = hit(f, "{'query':'reset password'}", "hub");
	assert_string_equal(string_at(boost(h, "pin"), "because"), "pinned for \"reset password\"");
	assert_int_equal(json_object_size(at(h, "sources")), 0);
	h = hit(f, "{'query':'reset password'}", "old");
	assert_true(number_at(h, "sources.words.contribution") > 0);
	assert_string_equal(ids(f, "{'query':'reset password','k':1}"), "hub");
	assert_string_equal(ids(f, "{'query':'reset password','k':1,'offset':1}"), "old");
	assert_string_equal(ids(f, "{'query':'reset password','k':1,'offset':2}"), "password");
	assert_string_equal(ids(f, "{'query':'reset password','kinds':['case']}"), "");
}

static void test_pin__has_its_scores_wherever_it_stands(void **state)
{
	struct fixture *f = *state;
	STRBUF_AUTO text = STRBUF_INIT;

	strbuf_puts(&text, "pear");
	for (int i = 0; i < 50; i++) {
		strbuf_puts(&text, " stone");
		document(f, arena_printf(f->arena, "d%02d", i),
			 arena_printf(f->arena, "{'text':'%s'}", text.p));
	}
	double before = number_at(hit(f, "{'query':'pear','k':50}", "d40"), "sources.words.contribution");
	rule(f, "r", "{'type':'pin','documents':['d40'],'when':{'query':'pear'}}");
	json_t *h = hit(f, "{'query':'pear','k':1}", "d40");
	assert_float_equal(number_at(h, "sources.words.contribution"), before, 1e-6);
	assert_int_equal(int_at(h, "sources.words.rank"), 41);
	assert_float_equal(number_at(h, "score"), before + PIN_STEP, 1e-6);
}

static void test_pin__goes_by_intent(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	rule(f, "r", "{'type':'pin','documents':['sofa'],'when':{'intent':'delivery'}}");
	assert_string_equal(ids(f, "{'query':'password','intent':'delivery'}"), "sofa password old");
	assert_string_equal(ids(f, "{'query':'password','intent':'deliver'}"), "password old");
	assert_string_equal(ids(f, "{'query':'password'}"), "password old");
	assert_string_equal(ids(f, "{'query':'zebra','intent':'delivery'}"), "sofa");
	assert_string_equal(ids(f, "{'query':'\xf0\x9f\x99\x82','intent':'delivery'}"), "sofa");
	json_t *h = hit(f, "{'query':'zebra','intent':'delivery'}", "sofa");
	assert_string_equal(string_at(boost(h, "pin"), "because"), "pinned for intent delivery");
}

static void test_pin__obeys_acl_filter_and_match(void **state)
{
	static const struct {
		const char *filter;
		int there;
	} cases[] = {
		{ "{'type':'eq','key':'lang','value':'de'}", 1 },
		{ "{'type':'eq','key':'lang','value':'en'}", 0 },
		{ "{'type':'ne','key':'lang','value':'en'}", 1 },
		{ "{'type':'ne','key':'none','value':'en'}", 0 },
		{ "{'type':'in','key':'tags','value':['z','y']}", 1 },
		{ "{'type':'nin','key':'tags','value':['z','y']}", 0 },
		{ "{'type':'gte','key':'year','value':2021}", 1 },
		{ "{'type':'gt','key':'year','value':2021}", 0 },
		{ "{'type':'lt','key':'year','value':'2022'}", 0 },
		{ "{'type':'eq','key':'hot','value':true}", 1 },
		{ "{'type':'eq','key':'hot','value':false}", 0 },
		{ "{'type':'eq','key':'source','value':'help'}", 1 },
		{ "{'type':'and','filters':[{'type':'eq','key':'lang','value':'de'},{'type':'lte','key':'lang','value':'de'}]}",
		  1 },
		{ "{'type':'or','filters':[{'type':'eq','key':'lang','value':'fr'},{'type':'gt','key':'lang','value':'x'}]}",
		  0 },
	};
	static const char *const groups[] = { "tier1" };
	struct fixture *f = *state;

	five_documents(f);
	document(f, "secret", "{'title':'Secret','text':'Only for some.','acl':['tier2']}");
	rule(f, "r", "{'type':'pin','documents':['hub','secret','not-there'],'when':{'query':'password'}}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *body = arena_printf(f->arena, "{'query':'password','filter':%s}",
						cases[i].filter);
		const char *by_index = arena_printf(f->arena, "{'query':'wireless','filter':%s}",
						    cases[i].filter);
		assert_int_equal(strcmp(ids(f, by_index), "hub") == 0, cases[i].there);
		if ((strncmp(ids(f, body), "hub", 3) == 0) != cases[i].there)
			fail_msg("%s: %s", cases[i].filter, ids(f, body));
	}
	assert_string_equal(ids(f, "{'query':'password'}"), "hub secret password old");
	assert_string_equal(ids(f, "{'query':'password','match':'network OR settings'}"), "hub password");
	assert_string_equal(ids(f, "{'query':'password','match':'reset'}"), "password old");
	fixture_caller(f, fixture_rights("k", SCOPE_AGENT, groups, 1));
	assert_string_equal(ids(f, "{'query':'password'}"), "hub password old");
	assert_string_equal(ids(f, "{'query':'password','match':'some OR reset'}"), "password old");
}

static void test_hide__takes_a_document_out_and_others_move_up(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 30; i++)
		document(f, arena_printf(f->arena, "d%02d", i), "{'text':'the same pear'}");
	rule(f, "r", "{'type':'hide','documents':['d00','d01','d03'],'when':{'query':'pears'}}");
	assert_string_equal(ids(f, "{'query':'a pear','k':3}"), "d02 d04 d05");
	assert_string_equal(ids(f, "{'query':'a pear','k':2,'offset':2}"), "d05 d06");
	assert_string_equal(ids(f, "{'query':'same','k':2}"), "d00 d01");
	rule(f, "s", "{'type':'pin','documents':['d01','d09'],'when':{'query':'pear'}}");
	assert_string_equal(ids(f, "{'query':'pear','k':2}"), "d09 d02");
}

static void test_rules__do_not_go_by_what_nobody_said(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	rule(f, "r", "{'type':'pin','documents':['hub'],'when':{'query':'password'}}");
	rule(f, "s", "{'type':'synonyms','words':['password','sofa']}");
	assert_string_equal(ids(f, "{'match':'password'}"), "password old");
	/* a synonym of the query is not the query */
	assert_string_equal(ids(f, "{'query':'sofa','k':1}"), "sofa");
}

/* --- under the desk ----------------------------------------------------------------------------------------- */

static void test_predict__pins_for_the_intent_that_it_predicts(void **state)
{
	struct fixture *f = *state;
	json_t *out = NULL;
	int status;

	five_documents(f);
	for (int i = 0; i < 3; i++)
		NO_ERROR(f, example_import(
				    &f->desk, &f->call,
				    J(f, arena_printf(f->arena,
						      "{'text':'my sofa is late %d','label':'delivery'}", i)),
				    &status));
	rule(f, "r", "{'type':'pin','documents':['hub'],'when':{'intent':'delivery'}}");
	NO_ERROR(f, predict_show(&f->desk, &f->call, J(f, "{'text':'the sofa is late'}"), &out));
	json_keep(f->arena, out);
	assert_string_equal(string_at(out, "intent.label"), "delivery");
	assert_string_equal(string_at(out, "suggestions.0.id"), "hub");
	assert_string_equal(string_at(out, "suggestions.0.boosts.0.name"), "pin");
	assert_string_equal(string_at(out, "suggestions.1.id"), "sofa");
}

static json_t *decided(struct fixture *f, const char *body)
{
	return ACT(f, predict_show, J(f, body));
}

/* In the order in which they were made; by the intent, by words that were said, by who says them. */
static void test_policy__decides_whatever_is_predicted(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		const char *line = arena_printf(f->arena,
						"{'text':'a charge i never made %d','label':'fraud'}", i);
		int status;
		NO_ERROR(f, example_import(&f->desk, &f->call, J(f, line), &status));
	}
	json_t *p = decided(f, "{'text':'a charge i never made'}");
	assert_string_equal(string_at(p, "intent.label"), "fraud");
	assert_string_not_equal(string_at(p, "decision"), "escalate");
	rule(f, "b",
	     "{'type':'policy','decision':'escalate','when':{'intent':'fraud'},'because':'fraud is for "
	     "the desk'}");
	rule(f, "a", "{'type':'policy','decision':'clarify','when':{'query':'my lawyer'}}");
	p = decided(f, "{'text':'a charge i never made'}");
	assert_string_equal(string_at(p, "decision"), "escalate");
	assert_string_equal(string_at(p, "because"), "Policy: fraud is for the desk");
	p = decided(f, "{'text':'my lawyer asks of a charge i never made'}");
	assert_string_equal(string_at(p, "decision"), "escalate");
	p = decided(f, "{'text':'I want to talk to a person, or to the lawyer'}");
	assert_string_equal(string_at(p, "decision"), "clarify");
	assert_string_equal(string_at(p, "because"), "A policy says so for \"my lawyer\".");
	/* Not the words of an earlier turn. */
	rule(f, "c", "{'type':'policy','decision':'escalate','when':{'customer':'vip'}}");
	ACT(f, conversation_act,
	    J(f, "{'id':'v','customer':{'id':'vip'},'turns':[{'role':'customer','text':'my lawyer'},"
		 "{'role':'customer','text':'hello there'}]}"));
	p = decided(f, "{'conversation_id':'v'}");
	assert_string_equal(string_at(p, "decision"), "escalate");
	assert_string_equal(string_at(p, "because"), "A policy says so for this customer.");
	ACT(f, rule_delete_act, "c");
	assert_string_equal(string_at(decided(f, "{'conversation_id':'v'}"), "decision"), "clarify");
}

static void test_handoff__evidence_has_what_is_pinned_for_its_intent(void **state)
{
	struct fixture *f = *state;

	five_documents(f);
	rule(f, "r", "{'type':'pin','documents':['hub'],'when':{'intent':'delivery'}}");
	rule(f, "s", "{'type':'hide','documents':['sofa'],'when':{'intent':'delivery'}}");
	json_t *made = ACT(
		f, handoff_act,
		J(f, "{'conversation':{'turns':[{'role':'customer','text':'where is my sofa or couch'}]},"
		     "'trigger':'other','intent':{'label':'delivery'}}"));
	json_t *shown = ACT(f, handoff_show, string_at(made, "handoff"));
	assert_string_equal(string_at(shown, "evidence.data.0.id"), "hub");
	assert_string_equal(string_at(shown, "evidence.data.0.boosts.0.because"),
			    "pinned for intent delivery");
	assert_string_equal(string_at(shown, "evidence.data.1.id"), "couch");
	assert_int_equal(json_array_size(at(shown, "evidence.data")), 2);
}

/* --- the set in force ------------------------------------------------------------------------------------------ */

struct churn {
	struct fixture *f;
	int stop;
};

static void *change_rules(void *arg)
{
	struct churn *c = arg;

	for (int i = 0; i < 60; i++) {
		struct arena *a = arena_new(1 << 16);
		struct error e = { 0 };
		struct call call = {
			.arena = a, .rights = &c->f->rights, .err = &e, .if_match = CALL_NO_MATCH
		};
		json_t *result = NULL, *body = json_pack("{s:s, s:s, s:[s]}", "type", "synonym", "from",
							 "settee", "to", i % 2 ? "couch" : "sofa");
		assert_int_equal(rule_act(&c->f->desk, &call, "r", body, &result), 0);
		json_decref(result);
		json_decref(body);
		arena_free(a);
	}
	__atomic_store_n(&c->stop, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void test_rules__may_change_while_others_search(void **state)
{
	struct fixture *f = *state;
	struct churn c = { .f = f };
	pthread_t writer;
	int searches = 0;

	five_documents(f);
	rule(f, "r", "{'type':'synonym','from':'settee','to':['sofa']}");
	assert_int_equal(pthread_create(&writer, NULL, change_rules, &c), 0);
	while (!__atomic_load_n(&c.stop, __ATOMIC_ACQUIRE) || searches < 10) {
		const char *found = ids(f, "{'query':'settee'}");
		assert_true(strcmp(found, "sofa") == 0 || strcmp(found, "couch") == 0);
		searches++;
	}
	pthread_join(writer, NULL);
	assert_string_equal(ids(f, "{'query':'settee'}"), "couch");
}

static void test_rules__are_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct embedded_options o = { .folder = f->folder,
				      .embedder = embedder_info(f->desk.embedder),
				      .no_background = 1 };

	five_documents(f);
	rule(f, "r", "{'type':'synonym','from':'settee','to':['sofa']}");
	engine_close(f->desk.engine);
	NO_ERROR(f, embedded_open(&o, &f->desk.engine, &f->err));
	assert_string_equal(ids(f, "{'query':'settee'}"), "sofa");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_words, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rule__is_kept_as_it_was_said),
		TEST(test_rule__wrong_ones_name_the_field),
		TEST(test_rule__if_match_guards_changes),
		TEST(test_rule__there_is_room_for_a_thousand),
		TEST(test_synonym__goes_one_way),
		TEST(test_synonym__goes_both_ways_and_no_further),
		TEST(test_synonym__of_a_phrase_needs_its_words_together),
		TEST(test_synonym__counts_once_and_less_than_the_word_itself),
		TEST(test_synonym__tells_how_much_each_word_brought),
		TEST(test_synonym__many_in_one_query_are_bounded),
		TEST(test_pin__comes_first_when_the_query_has_all_words),
		TEST(test_pin__has_its_scores_wherever_it_stands),
		TEST(test_pin__goes_by_intent),
		TEST(test_pin__obeys_acl_filter_and_match),
		TEST(test_hide__takes_a_document_out_and_others_move_up),
		TEST(test_rules__do_not_go_by_what_nobody_said),
		TEST(test_predict__pins_for_the_intent_that_it_predicts),
		TEST(test_policy__decides_whatever_is_predicted),
		TEST(test_handoff__evidence_has_what_is_pinned_for_its_intent),
		TEST(test_rules__may_change_while_others_search),
		TEST(test_rules__are_there_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
