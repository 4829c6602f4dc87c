#include "desk_fixture.h"

#include "base/clock.h"
#include "desk/query.h"
#include "learn/intent.h"
#include "learn/learner.h"

#define PATIENCE_US 60000000

static int set_up(void **state)
{
	struct learner_options o = { .seed = 1 };
	struct fixture *f = fixture_open("none");

	*state = f;
	if (!f)
		return -1;
	NO_ERROR(f, learner_open(f->desk.engine, &o, &f->desk.learner, &f->err));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	learner_close(f->desk.learner);
	fixture_close(f);
	return 0;
}

static const char *const texts[2][5] = {
	{ "where is my parcel", "the courier is late", "when does it arrive", "track my order",
	  "not delivered" },
	{ "i want my money back", "refund please", "charged twice", "give a credit", "pay me back" },
};

/* n examples of each of two labels. */
static void learn(struct fixture *f, int from, int n)
{
	for (int i = from; i < from + n; i++)
		for (int l = 0; l < 2; l++) {
			json_t *line = json_pack("{s:o, s:s}", "text",
						 json_sprintf("%s number %d", texts[l][i % 5], i), "label",
						 l ? "refund" : "delivery");
			int status;
			NO_ERROR(f, example_import(&f->desk, &f->call, json_keep(f->arena, line), &status));
		}
}

static int train(struct fixture *f, int only_if_due)
{
	int rc = learner_train(f->desk.learner, only_if_due, &f->err);

	NO_ERROR(f, rc);
	return rc;
}

static json_t *predict(struct fixture *f, const char *text)
{
	json_t *body = json_keep(f->arena, json_pack("{s:s}", "text", text));

	return ACT(f, predict_show, body);
}

static void test_learner__trains_when_enough_has_come_and_not_before(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(train(f, 1), 0);
	assert_string_equal(string_at(predict(f, "refund"), "models.intent"), "knn-1");
	learn(f, 0, INTENT_LEAST_LESSONS / 2 - 1);
	assert_int_equal(train(f, 1), 0);
	learn(f, INTENT_LEAST_LESSONS / 2 - 1, 1);
	assert_int_equal(train(f, 1), 1);
	const char *first = string_at(predict(f, "refund"), "models.intent");
	assert_true(first[0] == 'm' && first[1] != '\0');
	assert_int_equal(train(f, 1), 0);
	learn(f, 100, 1);
	assert_int_equal(train(f, 1), 1);
	assert_string_not_equal(string_at(predict(f, "refund"), "models.intent"), first);
}

static void test_learner__what_it_learned_is_used_and_told(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 40);
	train(f, 0);
	json_t *p = predict(f, "my courier has not arrived");
	assert_string_equal(string_at(p, "intent.label"), "delivery");
	assert_string_equal(string_at(predict(f, "i was charged, refund it"), "intent.label"), "refund");
	assert_true(json_is_null(at(p, "models.adapter")));
	json_t *facts = json_keep(f->arena, learner_facts(f->desk.learner));
	assert_int_equal(int_at(facts, "intent.lessons"), 80);
	assert_int_equal(int_at(facts, "intent.labels"), 2);
	assert_true(json_is_null(at(facts, "adapter")));
}

static void test_learner__says_what_is_missing_when_it_is_asked_to_train(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 2);
	assert_int_equal(learner_train(f->desk.learner, 0, &f->err), ERR_NOT_READY);
	assert_non_null(strstr(f->err.message, "4 labelled examples are too few"));
}

/* Who has taken a model goes on with it, whatever comes in its place. */
static void test_learner__a_model_that_is_used_outlives_its_successor(void **state)
{
	struct fixture *f = *state;
	struct learned first, second;

	learn(f, 0, 20);
	train(f, 1);
	learner_take(f->desk.learner, &first);
	learn(f, 20, 20);
	train(f, 1);
	learner_take(f->desk.learner, &second);
	assert_ptr_not_equal(first.intent, second.intent);
	assert_string_not_equal(first.version[LEARNED_INTENT], second.version[LEARNED_INTENT]);
	struct intent_votes votes = { .share = (float[2]){ 0 } };
	struct intent_opinion o;
	assert_int_equal(intent_model_ask(first.intent, f->arena, NULL, text_of("refund"), &votes, &o), 0);
	assert_true(o.p[1] > o.p[0]);
	learner_give(f->desk.learner, &first);
	learner_give(f->desk.learner, &second);
	learner_take(NULL, &first);
	assert_null(first.intent);
	learner_give(NULL, &first);
}

/* A text that only a group may see teaches nobody else: everybody asks the model. */
static void test_learner__what_only_some_may_see_is_not_trained_on(void **state)
{
	struct fixture *f = *state;
	json_t *body = J(f, "{'origin':'agent','backed':true,'at':'2026-06-01T00:00:00Z','label':'secret',"
			    "'text':'merger with acme','acl':['board']}");
	struct entry_row row = { .field = ROW_WHOLE, .end = 16 };
	struct entry entry = { .text = text_of("merger with acme"),
			       .rows = &row,
			       .n_rows = 1,
			       .acl = json_object_get(body, "acl") };
	struct change change = { .kind = RECORD_EXAMPLE, .id = "x", .body = body, .entry = &entry };
	struct event ev = { .stream = "conversation/x", .kind = "test", .changes = &change, .n = 1 };
	struct commit done;
	struct learned learned;

	learn(f, 0, 20);
	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
	train(f, 0);
	learner_take(f->desk.learner, &learned);
	assert_int_equal(intent_model_labels(learned.intent), 2);
	assert_int_equal(intent_model_find(learned.intent, "secret"), -1);
	learner_give(f->desk.learner, &learned);
	/* For whom may see it, it votes at once. */
	assert_string_equal(string_at(predict(f, "merger with acme"), "intent.label"), "secret");
	static const char *const groups[] = { "tier1" };
	fixture_caller(f, fixture_rights("k-1", SCOPE_BOT, groups, 1));
	assert_true(json_is_null(at(predict(f, "merger with acme"), "intent.label")));
}

static void test_learner__trains_in_the_background(void **state)
{
	struct fixture *f = *state;
	struct learner_options o = { .background = 1 };
	struct learner *l;
	struct learned learned = { 0 };
	int64_t until = clock_mono_us() + PATIENCE_US;

	learn(f, 0, 20);
	NO_ERROR(f, learner_open(f->desk.engine, &o, &l, &f->err));
	while (!learned.intent) {
		assert_true(clock_mono_us() < until);
		usleep(2000);
		learner_give(l, &learned);
		learner_take(l, &learned);
	}
	learner_give(l, &learned);
	learner_close(l);
	/* Closed at once: a training under way is given up. */
	NO_ERROR(f, learner_open(f->desk.engine, &o, &l, &f->err));
	learner_close(l);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_learner__trains_when_enough_has_come_and_not_before),
		TEST(test_learner__what_it_learned_is_used_and_told),
		TEST(test_learner__says_what_is_missing_when_it_is_asked_to_train),
		TEST(test_learner__a_model_that_is_used_outlives_its_successor),
		TEST(test_learner__what_only_some_may_see_is_not_trained_on),
		TEST(test_learner__trains_in_the_background),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
