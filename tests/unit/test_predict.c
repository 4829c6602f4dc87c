#include "desk_fixture.h"

#include "desk/case.h"
#include "desk/predict.h"
#include "ingest/ingest.h"

static int set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static int set_up_model(void **state)
{
	*state = fixture_open("minilm");
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static json_t *predict(struct fixture *f, const char *body)
{
	json_t *out = NULL;

	NO_ERROR(f, predict_show(&f->desk, &f->call, J(f, body), &out));
	return json_keep(f->arena, out);
}

static json_t *search(struct fixture *f, const char *body)
{
	return ACT(f, search_act, J(f, body));
}

struct resolved {
	const char *conversation, *resolution, *intent, *problem, *text, *outcome;
	const struct case_document *documents;
	size_t n_documents;
	const json_t *acl;
};

/* What resolution_act does with the case. */
static struct case_made resolve(struct fixture *f, const struct resolved *r)
{
	struct changes cs = CHANGES_INIT(f->arena);
	struct conversation v;
	struct case_made made;
	struct commit done;

	NO_ERROR(f, conversation_load(&f->desk, &f->call, r->conversation, &v));
	struct case_input in = { .conversation = &v,
				 .resolution = r->resolution,
				 .intent = text_of(r->intent),
				 .problem = text_of(r->problem),
				 .text = text_of(r->text),
				 .steps = J(f, "['Looked it up']"),
				 .outcome = r->outcome ? r->outcome : "resolved",
				 .at = 1780300800000,
				 .origin = "agent",
				 .principal = "k-all",
				 .agent = "a-7",
				 .documents = r->documents,
				 .n_documents = r->n_documents,
				 .acl = r->acl };
	NO_ERROR(f, case_changes(&f->desk, f->arena, &in, &cs, &made, &f->err));
	NO_ERROR(f, conversation_changes(&v, &cs, &f->err));
	NO_ERROR(f,
		 conversation_commit(&f->desk, &f->call, &v, &cs, "handoff.resolved", 0, 200, NULL, &done));
	return made;
}

static struct record record(struct fixture *f, enum record_kind k, const char *id)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, k, id, f->arena, &r, &f->err));
	return r;
}

static int is_gone(struct fixture *f, enum record_kind k, const char *id)
{
	struct record r;

	return engine_get(f->desk.engine, k, id, f->arena, &r, &f->err) == ERR_NOT_FOUND;
}

static size_t count(struct fixture *f, enum record_kind k)
{
	struct scan s = { .kind = k, .limit = 1000 };
	struct record *list;
	size_t n;

	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &list, &n, &f->err));
	return n;
}

#define CHAT                                                                                        \
	"{'id':'c-1','queue':'tier1','customer':{'id':'cu-1'},'attributes':{'lang':'en'},'turns':[" \
	"{'role':'customer','text':'Hello'},{'role':'bot','text':'How can I help?'},"               \
	"{'role':'customer','text':'The thermostat shows error E7 and the heating stays cold'}]}"

static const struct resolved e7 = {
	.conversation = "c-1",
	.resolution = "r-1",
	.intent = "thermostat_error",
	.problem = "Thermostat shows E7 after a power cut",
	.text = "Reset the boiler relay, then the thermostat",
};

static void check_learned(struct fixture *f, const char *paraphrase)
{
	char body[200];

	snprintf(body, sizeof(body), "{'text':'%s'}", paraphrase);
	json_t *p = predict(f, body);
	assert_string_equal(string_at(p, "intent.label"), "thermostat_error");
	assert_true(number_at(p, "intent.confidence") > .3);
	assert_string_equal(string_at(p, "decision"),
			    "clarify"); /* one agent's word is not enough to answer */
	snprintf(body, sizeof(body), "{'query':'%s','kinds':['case']}", paraphrase);
	json_t *s = search(f, body);
	assert_string_equal(string_at(s, "data.0.id"), "c-1/case");
	assert_string_equal(string_at(s, "data.0.intent"), "thermostat_error");
	assert_string_equal(string_at(s, "data.0.conversation_id"), "c-1");
}

static void test_predict__next_request_knows_what_was_resolved(void **state)
{
	struct fixture *f = *state;

	ACT(f, conversation_act, J(f, CHAT));
	ACT(f, conversation_act,
	    J(f, "{'id':'c-2','turns':[{'role':'customer','text':'Where is my parcel'}]}"));
	assert_true(json_is_null(at(predict(f, "{'text':'heating is cold'}"), "intent.label")));
	struct case_made made = resolve(f, &e7);
	assert_string_equal(made.case_id, "c-1/case");
	assert_int_equal(made.examples, 2);
	resolve(f, &(struct resolved){
			   .conversation = "c-2", .resolution = "r-2", .intent = "parcel", .text = "Sent" });
	check_learned(f, "error E7, my heating is cold");
}

/* The whole way: conversation, handoff, resolution; then the very next prediction. */
static void test_predict__learns_from_a_handoffs_resolution(void **state)
{
	struct fixture *f = *state;
	json_t *body = J(f,
			 "{'outcome':'resolved','intent':'thermostat_error','text':'Reset the boiler relay',"
			 "'problem':'Thermostat shows E7'}");

	ACT(f, conversation_act, J(f, CHAT));
	ACT(f, conversation_act,
	    J(f, "{'id':'c-2','turns':[{'role':'customer','text':'Where is my parcel'}]}"));
	resolve(f, &(struct resolved){
			   .conversation = "c-2", .resolution = "r-2", .intent = "parcel", .text = "Sent" });
	ACT(f, handoff_act, J(f, "{'conversation_id':'c-1','trigger':'low_confidence'}"));
	json_t *named = J(f, "{'conversation':'c-1'}"), *c = NULL;
	NO_ERROR(f, conversation_show(&f->desk, &f->call, named, &c));
	json_keep(f->arena, c);
	assert_string_equal(string_at(c, "state"), "handed_off");
	ACT(f, resolution_act, string_at(c, "handoff"), body);
	check_learned(f, "error E7, my heating is cold");
}

static void test_predict__with_the_model(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	put_document(f, "d-1", "Heating stays cold",
		     "When the heating stays cold, look at the thermostat first.", NULL);
	put_document(f, "d-2", "Parcels", "A parcel takes three days.", NULL);
	ACT(f, conversation_act, J(f, CHAT));
	ACT(f, conversation_act,
	    J(f, "{'id':'c-2','turns':[{'role':'customer','text':'Where is my parcel'}]}"));
	resolve(f, &e7);
	resolve(f, &(struct resolved){
			   .conversation = "c-2", .resolution = "r-2", .intent = "parcel", .text = "Sent" });
	check_learned(f, "no warmth from the radiators, and E7 on the wall unit");
	json_t *p = predict(f, "{'conversation_id':'c-1','k':2}");
	assert_string_equal(string_at(p, "intent.label"), "thermostat_error");
	assert_string_equal(string_at(p, "suggestions.0.id"), "d-1");
	assert_int_equal(json_array_size(at(p, "suggestions")), 2);
	json_t *s = search(
		f, "{'conversation_id':'c-1','kinds':['document','conversation'],'k':1,'explain':true}");
	assert_string_equal(string_at(s, "data.0.id"), "d-1");
	assert_string_equal(string_at(s, "data.1.id"), "c-1");
	assert_string_equal(string_at(s, "embedder"), "minilm-l6-v2");
}

static void test_predict__has_all_fields(void **state)
{
	static const char *const fields[] = { "intent.candidates", "decision",      "because",
					      "escalation_risk",   "out_of_scope",  "sentiment.label",
					      "sentiment.score",   "suggestions",   "models.intent",
					      "models.risk",       "models.fusion", "intent.confidence" };
	struct fixture *f = *state;
	json_t *p = predict(f, "{'text':'This is terrible, I am furious'}");

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!at(p, fields[i]))
			fail_msg("no %s", fields[i]);
	assert_string_equal(string_at(p, "sentiment.label"), "negative");
	assert_true(json_is_null(at(p, "intent.label")));
	assert_true(number_at(p, "intent.confidence") == 0);
}

static void test_predict__escalates_on_request(void **state)
{
	struct fixture *f = *state;
	json_t *p = predict(f, "{'text':'Let me speak to a human please'}");

	assert_string_equal(string_at(p, "decision"), "escalate");
	assert_true(number_at(p, "escalation_risk") > .7);
}

static void test_predict__bad_bodies(void **state)
{
	static const struct {
		const char *body;
		int code;
	} cases[] = {
		{ "{}", ERR_MISSING_FIELD },
		{ "{'text':'a','conversation_id':'b'}", ERR_BAD_VALUE },
		{ "{'text':''}", ERR_EMPTY_TEXT },
		{ "{'text':1}", ERR_WRONG_TYPE },
		{ "{'text':'a','kk':1}", ERR_UNKNOWN_FIELD },
		{ "{'text':'a','k':0}", ERR_BAD_VALUE },
		{ "{'conversation_id':'nope'}", ERR_NOT_FOUND },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *out = NULL;
		int rc = predict_show(&f->desk, &f->call, J(f, cases[i].body), &out);
		if (rc != cases[i].code)
			fail_msg("%s: %d", cases[i].body, rc);
	}
}

static void test_predict__suggestions_under_the_callers_rights(void **state)
{
	struct fixture *f = *state;
	const char *tier1[] = { "tier1" };

	put_document(f, "open", "Refunds", "How a refund is paid.", NULL);
	put_document(f, "secret", "Refunds", "How a refund is refused.", "['tier2']");
	json_t *p = predict(f, "{'text':'refund'}");
	assert_int_equal(json_array_size(at(p, "suggestions")), 2);
	fixture_caller(f, fixture_rights("k", SCOPE_BOT, tier1, 1));
	p = predict(f, "{'text':'refund'}");
	assert_int_equal(json_array_size(at(p, "suggestions")), 1);
	assert_string_equal(string_at(p, "suggestions.0.id"), "open");
}

static void test_case__second_resolution_supersedes(void **state)
{
	struct fixture *f = *state;
	struct resolved second = e7;

	ACT(f, conversation_act, J(f, CHAT));
	resolve(f, &e7);
	assert_int_equal(count(f, RECORD_VOTE), 2);
	second.resolution = "r-2";
	second.intent = "boiler_relay";
	second.problem = NULL;
	struct case_made made = resolve(f, &second);
	assert_int_equal(made.examples, 1);
	assert_int_equal(count(f, RECORD_CASE), 1);
	assert_string_equal(body_string(record(f, RECORD_CASE, "c-1/case").body, "intent"), "boiler_relay");
	assert_string_equal(body_string(record(f, RECORD_EXAMPLE, "c-1/example/1").body, "label"),
			    "boiler_relay");
	assert_true(is_gone(f, RECORD_EXAMPLE, "c-1/example/2"));
	assert_int_equal(count(f, RECORD_VOTE), 3);
	assert_string_equal(body_string(record(f, RECORD_VOTE, "r-1/vote/1").body, "label"),
			    "thermostat_error");
	assert_string_equal(string_at(predict(f, "{'text':'error E7 and cold'}"), "intent.label"),
			    "boiler_relay");
	second.resolution = "r-3";
	second.outcome = "abandoned";
	made = resolve(f, &second);
	assert_null(made.case_id);
	assert_true(is_gone(f, RECORD_CASE, "c-1/case"));
	assert_int_equal(json_array_size(at(search(f, "{'query':'E7','kinds':['case']}"), "data")), 0);
}

/* An expression of a stop word alone ranks nothing, but it matches, or does not parse. */
static void test_search__a_match_without_words(void **state)
{
	STRBUF_AUTO text = STRBUF_INIT;
	struct fixture *f = *state;

	put_document(f, "d-1", "One", "the first", NULL);
	put_document(f, "d-2", "Two", "no such word", NULL);
	json_t *r = search(f, "{'match':'the'}");
	assert_int_equal(json_array_size(at(r, "data")), 1);
	assert_string_equal(string_at(r, "data.0.id"), "d-1");
	assert_true(json_is_null(at(r, "data.0.url")));
	assert_int_equal(desk_search(&f->desk, &f->call, J(f, "{'match':'*'}"), &text), ERR_BAD_MATCH);
	assert_int_equal(desk_search(&f->desk, &f->call, J(f, "{'vector':[1,2]}"), &text), ERR_NO_EMBEDDER);
}

static void test_case__acl_is_of_all_that_went_in(void **state)
{
	struct fixture *f = *state;
	const char *groups[] = { "tier2", "emea" };
	struct case_document used[] = { { .id = "d-1", .used = 1, .shown_rank = 1 },
					{ .id = "d-2", .used = 0, .shown_rank = 2 },
					{ .id = "gone", .used = 1 } };
	struct resolved r = { .conversation = "c-1",
			      .resolution = "r-1",
			      .intent = "x",
			      .text = "done",
			      .documents = used,
			      .n_documents = 3,
			      .acl = J(f, "['tier1','tier2']") };

	ACT(f, conversation_act,
	    J(f, "{'id':'c-1','acl':['tier1','emea'],'turns':[{'role':'customer','text':'zebra'}]}"));
	struct case_made made = resolve(f, &r);
	assert_int_equal(made.labels, 1 + 3);
	const json_t *acl = json_object_get(record(f, RECORD_CASE, "c-1/case").body, "acl");
	assert_int_equal(json_array_size(acl), 1);
	assert_string_equal(json_string_value(json_array_get(acl, 0)), "tier1");
	assert_string_equal(string_at(record(f, RECORD_RELEVANCE, "r-1/relevance/2").body, "document"),
			    "d-2");
	assert_false(body_bool(record(f, RECORD_RELEVANCE, "r-1/relevance/2").body, "used"));
	assert_int_equal(json_array_size(at(record(f, RECORD_CASE, "c-1/case").body, "documents")), 2);
	/* who has the conversation's group, but not the document's, does not see the case */
	fixture_caller(f, fixture_rights("k", SCOPE_AGENT, groups, 2));
	assert_int_equal(json_array_size(at(search(f, "{'query':'zebra','kinds':['case']}"), "data")), 0);
	assert_int_equal(json_array_size(at(search(f, "{'query':'zebra','kinds':['conversation']}"), "data")),
			 1);
}

static void test_case__bot_text_is_never_an_example(void **state)
{
	struct fixture *f = *state;
	struct scan s = { .kind = RECORD_EXAMPLE, .limit = 10 };
	struct record *list;
	size_t n;

	ACT(f, conversation_act,
	    J(f, "{'id':'c-1','turns':[{'role':'bot','text':'Greetings from the bot'},"
		 "{'role':'customer','text':'lamp broken'},{'role':'bot','text':'Which lamp?'}]}"));
	ACT(f, conversation_act, J(f, "{'id':'c-2','turns':[{'role':'bot','text':'Anyone there?'}]}"));
	resolve(f,
		&(struct resolved){ .conversation = "c-1", .resolution = "r-1", .intent = "x", .text = "y" });
	struct case_made made = resolve(
		f,
		&(struct resolved){ .conversation = "c-2", .resolution = "r-2", .intent = "x", .text = "y" });
	assert_int_equal(made.examples, 0);
	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 1);
	assert_string_equal(body_string(list[0].body, "text"), "lamp broken");
	assert_string_equal(list[0].subject, "conversation:c-1");
}

static void test_search__bodies(void **state)
{
	static const struct {
		const char *body, *param;
		int code;
	} cases[] = {
		{ "{}", "query", ERR_MISSING_FIELD },
		{ "{'query':' '}", "query", ERR_EMPTY_TEXT },
		{ "{'query':'a','conversation_id':'c'}", "conversation_id", ERR_BAD_VALUE },
		{ "{'conversation_id':'c'}", "", ERR_NOT_FOUND },
		{ "{'query':'a','k':101}", "k", ERR_BAD_VALUE },
		{ "{'query':'a','k':50,'offset':951}", "offset", ERR_BAD_VALUE },
		{ "{'query':'a','kinds':[]}", "kinds", ERR_BAD_VALUE },
		{ "{'query':'a','kinds':['example']}", "kinds[0]", ERR_BAD_VALUE },
		{ "{'query':'a','kinds':['case','case']}", "kinds[1]", ERR_BAD_VALUE },
		{ "{'query':'a','weights':{'vector':0,'words':0}}", "weights", ERR_BAD_VALUE },
		{ "{'query':'a','weights':{'vector':-1}}", "weights.vector", ERR_BAD_VALUE },
		{ "{'query':'a','weights':{'title':1}}", "weights.title", ERR_UNKNOWN_FIELD },
		{ "{'query':'a','at':99999}", "at", ERR_BAD_VALUE },
		{ "{'query':'a','at':'now'}", "at", ERR_WRONG_TYPE },
		{ "{'query':'a','limit':3}", "limit", ERR_UNKNOWN_FIELD },
		{ "{'query':'a','explain':1}", "explain", ERR_WRONG_TYPE },
		{ "{'query':'a','match':'\\\"open'}", "match", ERR_BAD_MATCH },
	};
	struct fixture *f = *state;

	put_document(f, "d-1", "A", "a b c", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		STRBUF_AUTO text = STRBUF_INIT;
		f->err = (struct error){ 0 };
		int rc = desk_search(&f->desk, &f->call, J(f, cases[i].body), &text);
		if (rc != cases[i].code || strcmp(f->err.param, cases[i].param) != 0)
			fail_msg("%s: %d at %s (%s)", cases[i].body, rc, f->err.param, f->err.message);
	}
}

static void test_search__answers(void **state)
{
	struct fixture *f = *state;

	put_document(f, "d-1", "Router", "The router blinks orange when it has no network.", NULL);
	put_document(f, "d-2", "Billing", "A bill is sent each month.", NULL);
	ACT(f, conversation_act,
	    J(f,
	      "{'id':'c-1','turns':[{'role':'customer','text':'hello'},{'role':'customer','text':'router orange'}]}"));
	json_t *s = search(f, "{'query':'router orange'}");
	assert_int_equal(json_array_size(at(s, "data")), 1);
	assert_string_equal(string_at(s, "data.0.id"), "d-1");
	assert_string_equal(string_at(s, "data.0.kind"), "document");
	assert_true(strncmp(string_at(s, "search_id"), "s_", 2) == 0);
	assert_string_equal(string_at(s, "embedder"), "none");
	assert_true(json_is_array(at(s, "warnings")));
	assert_non_null(at(s, "weights.document"));
	assert_true(number_at(s, "took_ms") >= 0);
	s = search(f, "{'conversation_id':'c-1','kinds':['document','conversation']}");
	assert_string_equal(string_at(s, "data.0.id"), "d-1");
	assert_string_equal(string_at(s, "data.1.id"), "c-1");
	assert_int_equal(int_at(s, "data.1.turn.n"), 2);
	s = search(f, "{'match':'\\\"orange when\\\"'}");
	assert_string_equal(string_at(s, "data.0.id"), "d-1");
	ACT(f, conversation_act, J(f, "{'id':'c-2'}"));
	s = search(f, "{'conversation_id':'c-2'}");
	assert_int_equal(json_array_size(at(s, "data")), 0);
	assert_int_equal(json_array_size(at(s, "warnings")), 1);
}

/* Two questions in a row: documents are looked for by the second, whatever else is asked for by the whole. */
static void test_predict__documents_are_of_what_was_said_last(void **state)
{
	struct fixture *f = *state;

	ACT(f, document_act, "weight", J(f, "{'text':'heavy heavy crate'}"));
	ACT(f, document_act, "noise", J(f, "{'text':'loud crate crate'}"));
	ACT(f, conversation_act,
	    J(f, "{'id':'two','turns':[{'role':'customer','text':'Is it heavy?'},"
		 "{'role':'customer','text':'Is it loud?'}]}"));
	assert_string_equal(string_at(predict(f, "{'conversation_id':'two'}"), "suggestions.0.id"), "noise");
	assert_string_equal(string_at(search(f, "{'conversation_id':'two'}"), "data.0.id"), "noise");
	assert_string_equal(
		string_at(search(f, "{'conversation_id':'two','kinds':['document','case']}"), "data.0.id"),
		"weight");
	assert_string_equal(string_at(search(f, "{'query':'heavy loud'}"), "data.0.id"), "weight");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_predict__next_request_knows_what_was_resolved),
		TEST(test_predict__learns_from_a_handoffs_resolution),
		cmocka_unit_test_setup_teardown(test_predict__with_the_model, set_up_model, tear_down),
		TEST(test_predict__has_all_fields),
		TEST(test_predict__escalates_on_request),
		TEST(test_predict__bad_bodies),
		TEST(test_predict__suggestions_under_the_callers_rights),
		TEST(test_predict__documents_are_of_what_was_said_last),
		TEST(test_case__second_resolution_supersedes),
		TEST(test_search__a_match_without_words),
		TEST(test_case__acl_is_of_all_that_went_in),
		TEST(test_case__bot_text_is_never_an_example),
		TEST(test_search__bodies),
		TEST(test_search__answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
