#include "handoff_fixture.h"

#include "desk/evidence.h"

#define RESOLVED                                                                                              \
	"{'outcome':'resolved','intent':'refund_status','text':'Gave the refund reference to the customer.'," \
	"'problem':'Refund is not on the bank account','steps':['Looked it up'],'evidence_used':['help-refund']}"

/* Three documents, one of them for legal only, and a resolved case of another customer. */
static void knowledge(struct fixture *f)
{
	document(
		f, "help-refund",
		"{'title':'When a refund arrives','text':'A refund is on your bank account after 10 working days.'}");
	document(f, "help-hub",
		 "{'title':'The Hub is offline','text':'Restart the Hub and look at the ring.'}");
	document(
		f, "legal-refund",
		"{'title':'Refund rules','text':'A refund without order needs the legal team.','acl':['legal']}");
	conversation(
		f,
		"{'id':'old','customer':{'id':'cu-2'},'turns':[{'role':'customer','text':'my refund is not on the "
		"bank account'}]}");
	const char *id = open_handoff(f, "{'conversation_id':'old','trigger':'policy'}");
	ACT(f, resolution_act, id, J(f, RESOLVED));
}

static json_t *evidence(struct fixture *f, const char *handoff)
{
	return ACT(f, evidence_show, handoff, NULL, 0);
}

/* The item of this id, NULL if the caller does not see it. */
static json_t *item(const json_t *ev, const char *id)
{
	json_t *data = at(ev, "data"), *v;
	size_t i;

	json_array_foreach(data, i, v)
		if (strcmp(body_string(v, "id"), id) == 0)
			return v;
	return NULL;
}

static size_t withheld(const json_t *ev)
{
	json_t *v;
	size_t i, n = 0;

	json_array_foreach(at(ev, "data"), i, v)
		n += strcmp(body_string(v, "state"), "withheld") == 0;
	return n;
}

static void test_evidence__documents_cases_and_earlier_conversations(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	conversation(
		f,
		"{'id':'c-0','customer':{'id':'cu-7'},'turns':[{'role':'customer','text':'refund for my order'}]}");
	const char *id = refund_handoff(f);
	json_t *ev = evidence(f, id), *doc = item(ev, "help-refund");
	assert_string_equal(string_at(doc, "kind"), "document");
	assert_string_equal(string_at(doc, "status"), "current");
	assert_true(json_is_false(at(doc, "cited_by_bot")));
	assert_int_equal(int_at(doc, "n"), 1);
	assert_non_null(at(doc, "sources.words"));
	assert_string_equal(string_at(item(ev, "old/case"), "kind"), "case");
	assert_string_equal(string_at(item(ev, "c-0"), "kind"), "conversation");
	assert_null(item(ev, "c-1"));
	assert_null(item(ev, "old"));
	assert_int_equal(withheld(ev), 0);
}

static void test_evidence__under_the_queues_groups_not_the_callers(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	const char *id = refund_handoff(f);
	assert_null(item(evidence(f, id), "legal-refund"));
	const char *legal = open_handoff(
		f, "{'conversation':{'id':'c-5','turns':[{'role':'customer','text':'refund rules'}]},"
		   "'queue':'legal','trigger':'policy'}");
	assert_non_null(item(evidence(f, legal), "legal-refund"));
	const char *acl = open_handoff(
		f, "{'conversation':{'id':'c-6','acl':['legal'],'turns':[{'role':'customer',"
		   "'text':'refund rules'}]},'trigger':'policy'}");
	assert_non_null(item(evidence(f, acl), "legal-refund"));
}

static void test_evidence__withheld_from_who_may_not_see_it(void **state)
{
	struct fixture *f = *state;
	const char *none[] = { NULL }, *legal[] = { "legal", NULL };

	knowledge(f);
	const char *id = open_handoff(
		f, "{'conversation':{'id':'c-5','turns':[{'role':'customer','text':'refund rules'}]},"
		   "'queue':'legal','trigger':'policy'}");
	json_t *all = evidence(f, id);
	be(f, "k-1", AGENT, none);
	json_t *part = evidence(f, id);
	assert_int_equal(withheld(part), 1);
	assert_null(item(part, "legal-refund"));
	assert_string_equal(string_at(part, "hash"), string_at(all, "hash"));
	json_t *data = at(all, "data"), *v;
	size_t i;
	json_array_foreach(data, i, v) {
		json_t *w = json_array_get(at(part, "data"), i);
		assert_string_equal(string_at(v, "commitment"), string_at(w, "commitment"));
		if (at(w, "id"))
			assert_true(json_equal(v, w));
		else
			assert_int_equal(json_object_size(w), 3);
	}
	be(f, "k-2", AGENT, legal);
	assert_int_equal(withheld(evidence(f, id)), 0);
}

static void test_evidence__both_the_recorded_and_the_present_acl_count(void **state)
{
	struct fixture *f = *state;
	const char *none[] = { NULL };

	knowledge(f);
	const char *id = refund_handoff(f);
	document(f, "help-refund",
		 "{'title':'When a refund arrives','text':'A refund is on your bank account after 10 working "
		 "days.','acl':['legal']}");
	be(f, "k-1", AGENT, none);
	assert_null(item(evidence(f, id), "help-refund"));
	be_admin(f);
	assert_non_null(item(evidence(f, id), "help-refund"));
	const char *second = open_handoff(
		f, "{'conversation':{'id':'c-6','turns':[{'role':'customer','text':'refund bank'}]},"
		   "'queue':'legal','trigger':'policy'}");
	document(
		f, "help-refund",
		"{'title':'When a refund arrives','text':'A refund is on your bank account after 10 working days.'}");
	be(f, "k-1", AGENT, none);
	assert_null(item(evidence(f, second), "help-refund"));
	assert_non_null(item(evidence(f, id), "help-refund"));
}

static void test_evidence__a_deleted_document_stays_as_it_was_shown(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	const char *id = refund_handoff(f);
	json_t *before = evidence(f, id);
	ACT(f, document_delete_act, "help-refund");
	json_t *after = evidence(f, id);
	assert_true(json_equal(item(before, "help-refund"), item(after, "help-refund")));
	assert_string_equal(string_at(before, "hash"), string_at(after, "hash"));
}

static void test_evidence__cases_are_withheld_from_bots(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	const char *id = refund_handoff(f);
	be(f, "k-all", SCOPE_BOT, NULL);
	json_t *ev = evidence(f, id);
	assert_null(item(ev, "old/case"));
	assert_non_null(item(ev, "help-refund"));
	assert_int_equal(withheld(ev), 1);
}

static void test_evidence__commitments_are_of_salt_and_bytes(void **state)
{
	struct fixture *f = *state;
	struct sha256 all;
	unsigned char hash[SHA256_SIZE], salt[32];
	char hex[72] = "sha256:";

	knowledge(f);
	const char *id = refund_handoff(f);
	json_t *view = evidence(f, id), *v;
	struct record e = record_of(f, RECORD_EVIDENCE, string_at(view, "id"));
	size_t i;
	sha256_init(&all);
	json_array_foreach(at(e.body, "items"), i, v) {
		const char *text = string_at(v, "text"), *salted = string_at(v, "salt");
		struct sha256 s;
		assert_int_equal(hex_decode(salted, strlen(salted), salt, sizeof(salt)), 0);
		sha256_init(&s);
		sha256_add(&s, salt, sizeof(salt));
		sha256_add(&s, text, strlen(text));
		sha256_end(&s, hash);
		hex_encode(hash, sizeof(hash), hex + 7);
		assert_string_equal(string_at(v, "commitment"), hex);
		sha256_add(&all, hex, strlen(hex));
		/* what is shown, less its commitment, is the committed text byte for byte */
		json_t *copy = body_copy(f->arena, json_array_get(at(view, "data"), i));
		json_object_del(copy, "commitment");
		char *bytes = json_text(copy, NULL);
		assert_string_equal(bytes, text);
		free(bytes);
	}
	assert_true(i > 0);
	sha256_end(&all, hash);
	hex_encode(hash, sizeof(hash), hex + 7);
	assert_string_equal(string_at(view, "hash"), hex);
}

/* Takes the text of an item away, as an erasure will. */
static void erase_first(struct fixture *f, const char *evidence)
{
	struct record e = record_of(f, RECORD_EVIDENCE, evidence);
	json_t *body = body_copy(f->arena, e.body);
	struct commit done;

	json_object_del(at(body, "items.0"), "text");
	struct change change = {
		.kind = RECORD_EVIDENCE, .id = evidence, .subject = e.subject, .body = body
	};
	struct event ev = { .stream = "erasure/1",
			    .expect = ENGINE_ANY,
			    .kind = "erased",
			    .principal = "k-all",
			    .changes = &change,
			    .n = 1 };
	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
}

static void test_evidence__erased_items_keep_place_and_commitment(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	const char *id = refund_handoff(f);
	json_t *before = evidence(f, id);
	erase_first(f, string_at(before, "id"));
	json_t *after = evidence(f, id);
	assert_string_equal(string_at(after, "data.0.state"), "erased");
	assert_string_equal(string_at(after, "data.0.commitment"), string_at(before, "data.0.commitment"));
	assert_string_equal(string_at(after, "hash"), string_at(before, "hash"));
}

/* The status that the bot's only citation comes to. */
static json_t *cited(struct fixture *f, const char *citation)
{
	static int n;
	char body[700];

	snprintf(body, sizeof(body),
		 "{'conversation':{'id':'cite-%d','turns':[{'role':'customer','text':'refund'}]},"
		 "'trigger':'other','bot':{'name':'b','cited':[%s]}}",
		 n++, citation);
	const char *id = open_handoff(f, body);
	return evidence(f, id);
}

static void status(struct fixture *f, const char *expected, const char *citation)
{
	assert_string_equal(string_at(cited(f, citation), "bot_citations.0.status"), expected);
}

static void test_citations__resolved_against_versions(void **state)
{
	struct fixture *f = *state;
	char body[300];

	knowledge(f);
	const char *old = arena_strdup(
		f->arena, body_string(record_of(f, RECORD_DOCUMENT, "help-refund").body, "version"));
	status(f, "current", "{'document_id':'help-refund'}");
	status(f, "current",
	       "{'document_id':'help-refund','quote':'on your **bank account** after 10  Working days'}");
	status(f, "unknown", "{'document_id':'help-refund','quote':'in two minutes'}");
	status(f, "unknown", "{'document_id':'help-nowhere'}");
	snprintf(body, sizeof(body), "{'document_id':'help-refund','version':'%s'}", old);
	status(f, "current", body);
	document(f, "help-refund", "{'title':'When a refund arrives','text':'A refund takes 5 days.'}");
	status(f, "changed_since", body);
	status(f, "changed_since", "{'document_id':'help-refund','quote':'after 10 working days'}");
	status(f, "current", "{'document_id':'help-refund'}");
	status(f, "unknown", "{'document_id':'help-refund','version':'sha256:00'}");
	json_t *ev = cited(f, "{'document_id':'help-refund','quote':'after 10 working days'}");
	assert_true(json_is_true(at(item(ev, "help-refund"), "cited_by_bot")));
	assert_string_equal(string_at(item(ev, "help-refund"), "status"), "changed_since");
	assert_string_equal(string_at(item(ev, "help-refund"), "boosts.0.name"), "cited");
	ACT(f, document_delete_act, "help-refund");
	status(f, "deleted", body);
	status(f, "deleted", "{'document_id':'help-refund'}");
	status(f, "unknown", "{'document_id':'help-refund','version':'sha256:00'}");
}

static void test_citations__what_the_queue_may_not_see_does_not_exist(void **state)
{
	struct fixture *f = *state;
	const char *legal[] = { "legal", NULL };

	knowledge(f);
	const char *id = open_handoff(
		f, "{'conversation':{'id':'c-5','turns':[{'role':'customer','text':'refund'}]},"
		   "'trigger':'other','bot':{'name':'b','cited':[{'document_id':'legal-refund'}]}}");
	assert_string_equal(string_at(evidence(f, id), "bot_citations.0.status"), "not_permitted");
	be(f, "k-1", AGENT, NULL);
	json_t *ev = evidence(f, id);
	assert_string_equal(string_at(ev, "bot_citations.0.status"), "unknown");
	assert_null(at(ev, "bot_citations.0.title"));
	be(f, "k-2", AGENT, legal);
	assert_string_equal(string_at(evidence(f, id), "bot_citations.0.status"), "unknown");
}

static void test_citations__what_the_caller_may_not_see_does_not_exist(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	const char *id = open_handoff(
		f, "{'conversation':{'id':'c-5','turns':[{'role':'customer','text':'refund'}]},"
		   "'queue':'legal','trigger':'other','bot':{'name':'b','cited':"
		   "[{'document_id':'legal-refund'}]}}");
	assert_string_equal(string_at(evidence(f, id), "bot_citations.0.status"), "current");
	be(f, "k-1", AGENT, NULL);
	assert_string_equal(string_at(evidence(f, id), "bot_citations.0.status"), "unknown");
}

static const char *change_of(const json_t *out, const char *id)
{
	json_t *v;
	size_t i;

	json_array_foreach(at(out, "changes"), i, v)
		if (strcmp(string_at(v, "id"), id) == 0)
			return string_at(v, "kind");
	return "";
}

static void test_evidence__compared_with_now(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	document(f, "help-card",
		 "{'title':'Refund to a card','text':'The reference of a refund to a card.'}");
	const char *id = refund_handoff(f);
	json_t *same = ACT(f, evidence_show, id, NULL, 1);
	assert_int_equal(json_array_size(at(same, "changes")), 0);
	assert_true(json_array_size(at(same, "then")) > 0);
	document(f, "help-refund", "{'title':'When a refund arrives','text':'A refund takes 5 days.'}");
	document(f, "help-bank",
		 "{'title':'Bank account and refund reference','text':'Send the refund reference.'}");
	ACT(f, document_delete_act, "help-card");
	json_t *out = ACT(f, evidence_show, id, NULL, 1);
	assert_string_equal(change_of(out, "help-refund"), "changed");
	assert_string_equal(change_of(out, "help-bank"), "new");
	assert_string_equal(change_of(out, "help-card"), "gone");
	assert_true(json_equal(at(out, "then"), at(evidence(f, id), "data")));
	document(f, "help-bank",
		 "{'title':'Bank account and refund reference','text':'Send the refund reference.',"
		 "'acl':['legal']}");
	be(f, "k-1", AGENT, NULL);
	out = ACT(f, evidence_show, id, NULL, 1);
	assert_string_equal(change_of(out, "help-bank"), "");
}

static void test_evidence__named_by_id(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	const char *id = refund_handoff(f);
	const char *ev = string_at(evidence(f, id), "id");
	assert_string_equal(string_at(ACT(f, evidence_show, id, ev, 0), "id"), ev);
	const char *other = open_handoff(f, "{'conversation':{'id':'c-5','turns':[]},'trigger':'other'}");
	assert_string_equal(FAILS(f, ERR_NOT_FOUND, evidence_show, other, ev, 0)->param, "id");
	FAILS(f, ERR_NOT_FOUND, evidence_show, id, "ev_no", 0);
}

static void test_evidence__nothing_to_go_by(void **state)
{
	struct fixture *f = *state;

	knowledge(f);
	const char *id = open_handoff(f, "{'conversation':{'id':'c-5','turns':[]},'trigger':'other'}");
	assert_int_equal(json_array_size(at(evidence(f, id), "data")), 0);
	id = open_handoff(
		f, "{'conversation':{'id':'c-6','turns':[]},'trigger':'other','reason':'refund on the bank "
		   "account'}");
	assert_non_null(item(evidence(f, id), "help-refund"));
}

static void test_evidence__with_vectors(void **state)
{
	(void)state;
	struct fixture *f = fixture_open("minilm");

	if (!f)
		skip();
	knowledge(f);
	json_t *ev = evidence(f, refund_handoff(f));
	assert_non_null(at(item(ev, "help-refund"), "sources.vector"));
	fixture_close(f);
}

/* Documents by what was said last; what the bot gives as its reason is not lost by that. */
static void test_evidence__of_two_questions_the_second_comes_first(void **state)
{
	struct fixture *f = *state;

	document(f, "weight", "{'text':'heavy heavy crate'}");
	document(f, "noise", "{'text':'loud crate crate'}");
	conversation(f, "{'id':'two','turns':[{'role':'customer','text':'Is it heavy?'},"
			"{'role':'customer','text':'Is it loud?'}]}");
	conversation(f, "{'id':'same','turns':[{'role':'customer','text':'Is it heavy?'},"
			"{'role':'customer','text':'Is it loud?'}]}");
	const char *by_last = open_handoff(f, "{'conversation_id':'two','trigger':'policy'}");
	assert_int_equal(int_at(item(evidence(f, by_last), "noise"), "n"), 1);
	const char *by_reason = open_handoff(
		f, "{'conversation_id':'same','trigger':'policy','reason':'Too heavy to return'}");
	assert_non_null(item(evidence(f, by_reason), "weight"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_evidence__documents_cases_and_earlier_conversations),
		TEST(test_evidence__under_the_queues_groups_not_the_callers),
		TEST(test_evidence__withheld_from_who_may_not_see_it),
		TEST(test_evidence__both_the_recorded_and_the_present_acl_count),
		TEST(test_evidence__a_deleted_document_stays_as_it_was_shown),
		TEST(test_evidence__cases_are_withheld_from_bots),
		TEST(test_evidence__commitments_are_of_salt_and_bytes),
		TEST(test_evidence__erased_items_keep_place_and_commitment),
		TEST(test_citations__resolved_against_versions),
		TEST(test_citations__what_the_queue_may_not_see_does_not_exist),
		TEST(test_citations__what_the_caller_may_not_see_does_not_exist),
		TEST(test_evidence__compared_with_now),
		TEST(test_evidence__named_by_id),
		TEST(test_evidence__nothing_to_go_by),
		TEST(test_evidence__of_two_questions_the_second_comes_first),
		cmocka_unit_test(test_evidence__with_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
