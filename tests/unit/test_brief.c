#include "handoff_fixture.h"

#include "desk/brief.h"

static json_t *brief(struct fixture *f, const char *handoff)
{
	return ACT(f, brief_show, handoff, BRIEF_JSON);
}

static const char *text(struct fixture *f, const char *handoff, enum brief_format format)
{
	return json_string_value(ACT(f, brief_show, handoff, format));
}

/* The sentence of a section that holds this; NULL if none does. */
static json_t *find(const json_t *b, const char *section, const char *words)
{
	json_t *s;
	size_t i;

	json_array_foreach(at(b, section), i, s)
		if (strstr(string_at(s, "text"), words))
			return s;
	return NULL;
}

static const char *handoff(struct fixture *f)
{
	document(f, "help-refund",
		 "{'title':'When a refund arrives','text':'We check it first. A refund is on your bank "
		 "account after 10 working days. Write to us then.'}");
	conversation(f, REFUND);
	return open_handoff(
		f, "{'conversation_id':'c-1','trigger':'customer_request','reason':'wants the reference',"
		   "'identity':{'customer_id':'cu-7','name':'Ana Lima','verified':true,'method':'otp'},"
		   "'intent':{'label':'refund_status','confidence':0.9},'sentiment':{'label':'negative',"
		   "'score':-0.5},'steps_tried':[{'action':'explained','outcome':'failed','detail':'twice'}],"
		   "'unresolved_actions':['send the refund reference'],"
		   "'promises':['refund of 149.00 EUR within 10 working days'],"
		   "'bot':{'name':'b','draft_answer':'Wait.','cited':[{'document_id':'help-refund',"
		   "'quote':'after 10 working days'}]}}");
}

static void test_brief__has_what_an_agent_needs(void **state)
{
	struct fixture *f = *state;
	json_t *b = brief(f, handoff(f));

	assert_non_null(find(b, "situation", "Ana Lima (cu-7), verified by otp, was handed to tier1."));
	assert_non_null(find(b, "situation", "the customer asked for a person: wants the reference"));
	assert_int_equal(
		int_at(find(b, "situation", "Where is my refund for order VK-20418?"), "from.0.turn"), 1);
	assert_int_equal(int_at(find(b, "situation", "I did, it still"), "from.0.turn"), 3);
	assert_string_equal(string_at(find(b, "background", "refund of 149.00 EUR"), "from.0.package"),
			    "promises[0]");
	assert_string_equal(string_at(find(b, "background", "explained: failed (twice)"), "from.0.package"),
			    "steps_tried[0]");
	assert_non_null(find(b, "assessment", "Intent refund_status, says the bot (confidence 0.90)."));
	assert_non_null(find(b, "assessment", "The customer sounds negative (-0.5)."));
	assert_int_equal(int_at(find(b, "assessment", "We will refund 149.00 EUR"), "from.0.turn"), 2);
	assert_string_equal(string_at(find(b, "assessment", "Wait."), "from.0.package"), "bot.draft_answer");
	assert_non_null(find(b, "assessment", "\"When a refund arrives\", which is current."));
	assert_string_equal(
		string_at(find(b, "recommendation", "send the refund reference"), "from.0.package"),
		"unresolved_actions[0]");
	assert_string_equal(string_at(find(b, "recommendation", "10 working days"), "from.0.document"),
			    "help-refund");
	assert_int_equal(int_at(b, "withheld"), 0);
}

/* Every sentence has a source, and what is quoted stands there word for word. */
static void test_brief__every_sentence_is_linked_to_its_source(void **state)
{
	struct fixture *f = *state;
	const char *id = handoff(f);
	json_t *b = brief(f, id), *s;
	const char *const sections[] = { "situation", "background", "assessment", "recommendation" };
	size_t i, quoted = 0;

	for (size_t k = 0; k < 4; k++) {
		json_array_foreach(at(b, sections[k]), i, s) {
			assert_int_equal(json_object_size(s), 2);
			assert_true(json_array_size(at(s, "from")) > 0);
			const json_t *from = at(s, "from.0");
			const char *said = string_at(s, "text");
			if (at(from, "turn")) {
				struct record t = record_of(
					f, RECORD_TURN,
					turn_id(f->arena, "c-1", (uint32_t)int_at(from, "turn")));
				assert_non_null(strstr(string_at(t.body, "text"), said));
				quoted++;
			} else if (at(from, "document")) {
				struct record d = record_of(f, RECORD_DOCUMENT, string_at(from, "document"));
				size_t start = (size_t)int_at(from, "start"),
				       end = (size_t)int_at(from, "end");
				assert_int_equal(strlen(said), end - start);
				assert_memory_equal(said, d.text.s + start, end - start);
				quoted++;
			}
		}
	}
	assert_true(quoted >= 4);
}

static void test_brief__outdated_citation_with_what_it_says_now(void **state)
{
	struct fixture *f = *state;

	document(f, "help-refund",
		 "{'title':'When a refund arrives','text':'A refund arrives after 10 working days.'}");
	document(
		f, "help-refund",
		"{'title':'When a refund arrives','text':'Please wait. A refund arrives after 5 working days.'}");
	conversation(f, REFUND);
	json_t *b = brief(
		f, open_handoff(f, "{'conversation_id':'c-1','trigger':'policy','bot':{'name':'b','cited':"
				   "[{'document_id':'help-refund','quote':'refund arrives after 10 working "
				   "days'}]}}"));
	assert_non_null(find(b, "assessment", "in a version that has changed since"));
	json_t *now = find(b, "assessment", "A refund arrives after 5 working days.");
	assert_string_equal(string_at(now, "from.0.document"), "help-refund");
	assert_int_equal(int_at(now, "from.0.start"), 13);
}

static void test_brief__citations_deleted_unknown_and_contradicted(void **state)
{
	struct fixture *f = *state;

	document(f, "gone", "{'title':'Gone','text':'All refunds take a day.'}");
	document(f, "old",
		 "{'title':'Old page','text':'You can return an item within 30 days of delivery.'}");
	document(f, "new",
		 "{'title':'New page','text':'You can return an item within 21 days of delivery. Really.'}");
	ACT(f, document_delete_act, "gone");
	const char *id = open_handoff(
		f, "{'conversation':{'id':'c-5','turns':[{'role':'customer','text':'can I return an "
		   "item after delivery'}]},'trigger':'other','bot':{'name':'b','cited':["
		   "{'document_id':'gone'},{'document_id':'nowhere'},{'document_id':'old','quote':"
		   "'You can return an item within 30 days of delivery.'},{'document_id':'new',"
		   "'quote':'whatever you like'}]}}");
	json_t *b = brief(f, id);
	assert_non_null(find(b, "assessment", "\"gone\", which has been deleted since."));
	assert_non_null(find(b, "assessment", "\"nowhere\", which is not known here."));
	assert_non_null(find(b, "assessment", "\"Old page\", which is current."));
	assert_string_equal(string_at(find(b, "assessment", "within 21 days"), "from.0.document"), "new");
	assert_non_null(find(b, "assessment", "\"New page\", but what it quotes is in no version of it."));
	assert_non_null(strstr(text(f, id, BRIEF_TEXT),
			       "But \"New page\" says: \"You can return an item within 21 days"));
}

static void test_brief__earlier_contacts_and_promises_still_open(void **state)
{
	struct fixture *f = *state;

	conversation(
		f,
		"{'id':'e-1','channel':'mail','customer':{'id':'cu-7'},'turns':[{'role':'customer','text':'hub is "
		"offline'}]}");
	const char *first = open_handoff(
		f, "{'conversation_id':'e-1','trigger':'policy','promises':['a new hub by Friday']}");
	ACT(f, resolution_act, first,
	    J(f, "{'outcome':'resolved','intent':'hub','text':'restarted it','problem':'Hub was offline'}"));
	conversation(
		f,
		"{'id':'e-2','customer':{'id':'cu-7'},'turns':[{'role':'customer','text':'where is my parcel'}]}");
	open_handoff(f, "{'conversation_id':'e-2','trigger':'policy','promises':['a call tomorrow']}");
	const char *id = handoff(f);
	json_t *b = brief(f, id);
	json_t *contact = find(b, "background", "by mail: Hub was offline (resolved)");
	assert_string_equal(string_at(contact, "from.0.conversation"), "e-1");
	assert_string_equal(string_at(contact, "from.1.case"), "e-1/case");
	assert_string_equal(string_at(find(b, "background", "a call tomorrow"), "from.0.conversation"),
			    "e-2");
	assert_null(find(b, "background", "a new hub by Friday"));
	assert_non_null(strstr(text(f, id, BRIEF_TEXT), "Promised earlier and still open: a call tomorrow"));
}

static void test_brief__similar_case_with_its_steps(void **state)
{
	struct fixture *f = *state;

	conversation(
		f,
		"{'id':'old','customer':{'id':'cu-2'},'turns':[{'role':'customer','text':'where is my refund'}]}");
	const char *old = open_handoff(f, "{'conversation_id':'old','trigger':'policy'}");
	ACT(f, resolution_act, old,
	    J(f, "{'outcome':'resolved','intent':'refund_status','text':'Gave the refund reference.',"
		 "'steps':['Looked it up','Sent it']}"));
	json_t *b = brief(f, handoff(f));
	assert_string_equal(string_at(find(b, "recommendation", "Gave the refund reference."), "from.0.case"),
			    "old/case");
	assert_string_equal(string_at(find(b, "recommendation", "Sent it"), "from.0.case"), "old/case");
	be(f, "k-all", SCOPE_BOT, NULL);
	assert_null(find(brief(f, string_at(record_of(f, RECORD_CONVERSATION, "c-1").body, "handoff")),
			 "recommendation", "Gave the refund reference."));
}

static void test_brief__sentences_of_withheld_sources_are_counted(void **state)
{
	struct fixture *f = *state;

	document(f, "legal-refund",
		 "{'title':'Refund rules','text':'A refund needs the legal team.','acl':['legal']}");
	const char *id = open_handoff(
		f, "{'conversation':{'id':'c-5','turns':[{'role':'customer','text':'refund rules'}]},"
		   "'queue':'legal','trigger':'policy'}");
	assert_non_null(find(brief(f, id), "recommendation", "needs the legal team"));
	be(f, "k-1", AGENT, NULL);
	json_t *b = brief(f, id);
	assert_null(find(b, "recommendation", "needs the legal team"));
	assert_int_equal(int_at(b, "withheld"), 1);
	assert_non_null(strstr(text(f, id, BRIEF_TEXT), "1 sentence is withheld"));
	assert_int_equal(int_at(shown(f, id), "brief.withheld"), 1);
}

static void test_brief__does_not_change(void **state)
{
	struct fixture *f = *state;
	const char *id = handoff(f), *before = text(f, id, BRIEF_TEXT);

	document(f, "help-refund", "{'title':'When a refund arrives','text':'Nothing is as it was.'}");
	document(f, "help-other",
		 "{'title':'Refund, bank account, reference','text':'A refund to a bank account.'}");
	assert_string_equal(text(f, id, BRIEF_TEXT), before);
}

static void test_brief__text_and_markdown(void **state)
{
	struct fixture *f = *state;
	const char *id = handoff(f), *t = text(f, id, BRIEF_TEXT), *m = text(f, id, BRIEF_MARKDOWN);

	assert_int_equal(strncmp(t, "Situation\n  Ana Lima (cu-7), verified by otp", 44), 0);
	assert_non_null(strstr(t, "\nBackground\n"));
	assert_non_null(strstr(
		t,
		"  Promise still open: refund of 149.00 EUR within 10 working days  [package: promises[0]]\n"));
	assert_non_null(strstr(t, "  To do: send the refund reference"));
	assert_int_equal(strncmp(m, "## Situation\n\n- Ana Lima", 24), 0);
	assert_non_null(strstr(m, "Intent refund\\_status"));
	assert_non_null(strstr(m, "- **To do:** send the refund reference _("));
}

static void test_brief__of_an_empty_conversation(void **state)
{
	struct fixture *f = *state;
	const char *id = open_handoff(f, "{'conversation':{'id':'c-5','turns':[]},'trigger':'other'}");
	json_t *b = brief(f, id);

	assert_non_null(find(b, "situation", "A customer who is not identified was handed to an agent."));
	assert_int_equal(json_array_size(at(b, "background")), 0);
	assert_non_null(strstr(text(f, id, BRIEF_TEXT), "Background\n  nothing\n"));
	assert_non_null(strstr(text(f, id, BRIEF_MARKDOWN), "- nothing\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_brief__has_what_an_agent_needs),
		TEST(test_brief__every_sentence_is_linked_to_its_source),
		TEST(test_brief__outdated_citation_with_what_it_says_now),
		TEST(test_brief__citations_deleted_unknown_and_contradicted),
		TEST(test_brief__earlier_contacts_and_promises_still_open),
		TEST(test_brief__similar_case_with_its_steps),
		TEST(test_brief__sentences_of_withheld_sources_are_counted),
		TEST(test_brief__does_not_change),
		TEST(test_brief__text_and_markdown),
		TEST(test_brief__of_an_empty_conversation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
