#include "desk_fixture.h"

#include <math.h>

#include "desk/query.h"
#include "learn/intent.h"

static int set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static int set_up_model(void **state)
{
	*state = fixture_open("minilm"); /* NULL: no model, the test skips */
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static int learn_rc(struct fixture *f, const char *line, int *status)
{
	return example_import(&f->desk, &f->call, J(f, line), status);
}

static void learn(struct fixture *f, const char *text, const char *label)
{
	json_t *line = json_keep(f->arena, json_pack("{s:s, s:s}", "text", text, "label", label));
	int status;

	NO_ERROR(f, example_import(&f->desk, &f->call, line, &status));
	assert_int_equal(status, 1);
}

/* An example as a resolution makes it. */
static void learn_from(struct fixture *f, const char *id, const char *text, const char *label,
		       const char *principal, const char *customer)
{
	json_t *body = J(f, "{'origin':'agent','backed':false,'at':'2026-06-01T00:00:00Z'}");
	struct text t = text_of(text);
	const float *v;
	struct commit done;

	body_set(body, "label", label);
	body_set(body, "text", text);
	body_set(body, "principal", principal);
	NO_ERROR(f, desk_embed(&f->desk, f->arena, &t, 1, &v, &f->err));
	struct entry_row row = { .field = ROW_WHOLE, .end = t.n, .vector = v };
	struct entry entry = { .text = t, .rows = &row, .n_rows = 1 };
	struct change change = {
		.kind = RECORD_EXAMPLE, .id = id, .subject = customer, .body = body, .entry = &entry
	};
	struct event ev = { .stream = stream_of(f->arena, "conversation", id),
			    .kind = "test",
			    .principal = principal,
			    .changes = &change,
			    .n = 1 };
	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
}

static struct intent predict(struct fixture *f, const char *text)
{
	struct desk_query q;
	struct intent out;

	NO_ERROR(f, query_of_text(&f->desk, f->arena, text_of(text), &q, &f->err));
	struct intent_query iq = { .vector = q.vector, .terms = q.terms, .n_terms = q.n_terms };
	NO_ERROR(f, intent_predict(f->desk.engine, &iq, NULL, f->arena, &out, &f->err));
	return out;
}

static void teach(struct fixture *f)
{
	learn(f, "Where is my refund, I still have no money back", "refund_status");
	learn(f, "I am waiting for the refund of my return", "refund_status");
	learn(f, "My parcel has not arrived", "late_delivery");
	learn(f, "The delivery of my parcel is late", "late_delivery");
	learn(f, "How do I reset my password", "password");
	learn(f, "I forgot my password and cannot log in", "password");
}

static void test_intent__nothing_to_go_by(void **state)
{
	struct intent in = predict(*state, "where is my refund");

	assert_int_equal(in.n, 0);
	assert_true(in.out_of_scope == 0);
}

static void test_intent__words_alone(void **state)
{
	struct fixture *f = *state;

	teach(f);
	struct intent in = predict(f, "when do I get the refund of my return?");
	assert_true(in.n >= 1);
	assert_string_equal(in.candidates[0].label, "refund_status");
	assert_true(in.candidates[0].confidence > .5 && in.candidates[0].confidence <= 1);
	assert_true(in.backed);
	in = predict(f, "please reset my password");
	assert_string_equal(in.candidates[0].label, "password");
	assert_int_equal(predict(f, "xylophone lessons").n, 0);
	assert_int_equal(predict(f, "?!").n, 0);
}

static void test_intent__confidences_add_up_to_what_is_in_scope(void **state)
{
	struct fixture *f = *state;
	double sum = 0;

	teach(f);
	struct intent in = predict(f, "my refund and my parcel and my password");
	assert_int_equal(in.n, 3);
	for (size_t i = 0; i < in.n; i++) {
		sum += in.candidates[i].confidence;
		assert_true(i == 0 || in.candidates[i - 1].confidence >= in.candidates[i].confidence);
	}
	assert_true(fabs(sum - in.in_all) < 1e-6 && in.in_all <= 1);
	assert_true(fabs(sum - (1 - in.out_of_scope)) < 1e-6); /* without a model */
}

static void test_intent__duplicates_have_one_vote(void **state)
{
	struct fixture *f = *state;
	char id[16];

	/* One customer's phrase, said twelve times, against two of the other label. */
	for (int i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "e-%d", i);
		learn_from(f, id, i % 2 ? "charged twice!" : "Charged TWICE", "wrong", "a-1", "cu-1");
	}
	learn(f, "I was charged twice for it", "double_charge");
	learn(f, "why was I charged twice today", "double_charge");
	struct intent in = predict(f, "charged twice");
	assert_int_equal(in.examples, 3);
}

static void test_intent__takes_two_agents_and_two_customers_to_back(void **state)
{
	struct fixture *f = *state;

	learn_from(f, "e-1", "the lamp blinks red", "lamp", "a-1", "cu-1");
	assert_false(predict(f, "lamp blinks").backed);
	learn_from(f, "e-2", "my lamp blinks", "lamp", "a-1", "cu-2");
	assert_false(predict(f, "lamp blinks").backed);
	learn_from(f, "e-3", "lamp blinks again", "lamp", "a-2", "cu-2");
	assert_true(predict(f, "lamp blinks").backed);
}

static void test_example_import__again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	int status;

	NO_ERROR(f, learn_rc(f, "{'text':'Where is it?','label':'status'}", &status));
	assert_int_equal(status, 1);
	NO_ERROR(f, learn_rc(f, "{'text':'where is it','label':'status'}", &status));
	assert_int_equal(status, 0);
	NO_ERROR(f, learn_rc(f, "{'text':'where is it','label':'other'}", &status));
	assert_int_equal(status, 1);
	NO_ERROR(f, learn_rc(f, "{'id':'x','text':'a b','label':'l'}", &status));
	NO_ERROR(f, learn_rc(f, "{'id':'x','text':'a b','label':'l','at':'2020-01-01T00:00:00Z'}", &status));
	assert_int_equal(status, 0);
	assert_int_equal(learn_rc(f, "{'id':'x','text':'a c','label':'l'}", &status), ERR_EXISTS);
	assert_int_equal(learn_rc(f, "{'id':'c/example/1','text':'a c','label':'l'}", &status), ERR_BAD_ID);
	assert_int_equal(learn_rc(f, "{'text':'a c'}", &status), ERR_MISSING_FIELD);
	assert_int_equal(learn_rc(f, "{'text':'a','label':'l','origin':'bot'}", &status), ERR_BAD_VALUE);
}

static void test_intent__with_the_model(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	teach(f);
	/* no word is shared with the examples of the label that is right */
	struct intent in = predict(f, "My package should have been here yesterday");
	assert_string_equal(in.candidates[0].label, "late_delivery");
	assert_true(in.top_similarity > .5);
	double near = in.out_of_scope;
	in = predict(f, "What is the capital of Mongolia?");
	assert_true(in.out_of_scope > .9 && near < .5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_intent__nothing_to_go_by),
		TEST(test_intent__words_alone),
		TEST(test_intent__confidences_add_up_to_what_is_in_scope),
		TEST(test_intent__duplicates_have_one_vote),
		TEST(test_intent__takes_two_agents_and_two_customers_to_back),
		TEST(test_example_import__again_changes_nothing),
		cmocka_unit_test_setup_teardown(test_intent__with_the_model, set_up_model, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
