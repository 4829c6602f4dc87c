/* A candidate beside the model in force: compared pair by pair, spoken to by a share, ended when it is worse. */
#include "models_fixture.h"

#include <math.h>

#include "desk/draw.h"
#include "learn/shadow.h"

static const char *train(struct fixture *f)
{
	NO_ERROR(f, learner_train(f->desk.learner, 0, &f->err));
	json_t *said = ACT(f, predict_show, J(f, "{'text':'the refund of my parcel'}"));
	return string_at(said, "models.intent");
}

static const char *speaks_in(struct fixture *f, const char *conversation)
{
	json_t *body = json_keep(f->arena, json_pack("{s:s}", "conversation_id", conversation));

	return string_at(ACT(f, predict_show, body), "models.intent");
}

static json_t *shadow(struct fixture *f, const char *id, const char *body)
{
	json_t *result = ACT(f, model_shadow_act, id, J(f, body));

	return ACT(f, model_act_show, result);
}

static json_t *end(struct fixture *f, const char *id)
{
	json_t *result = ACT(f, model_shadow_end_act, id);

	return ACT(f, model_act_show, result);
}

/* Two models; the second is in force. */
struct two {
	const char *first, *second;
};

static struct two two_models(struct fixture *f)
{
	struct two t;

	learn(f, 0, 20);
	t.first = train(f);
	learn(f, 20, 20);
	t.second = train(f);
	assert_string_not_equal(t.first, t.second);
	return t;
}

/* As if n conversations had been resolved since. */
static void resolve(struct fixture *f, int from, int n, int active_right, const char *candidate, int right)
{
	for (int i = from; i < from + n; i++) {
		const char *id = arena_printf(f->arena, "r%d", i);
		struct commit done;
		json_t *body = json_keep(f->arena, json_pack("{s:{s:b, s:{s:s, s:b}}}", "expected", "right",
							     active_right, "shadow", "model", candidate,
							     "right", right));
		struct change put = { .kind = RECORD_RESOLUTION, .id = id, .body = body };
		struct event ev = { .stream = id,
				    .expect = 0,
				    .kind = "test",
				    .principal = "test",
				    .changes = &put,
				    .n = 1 };
		NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
	}
}

static void test_shadow__each_resolution_keeps_what_both_would_have_said(void **state)
{
	struct fixture *f = *state;
	struct two t = two_models(f);
	json_t *m = shadow(f, t.first, "{}");

	assert_string_equal(string_at(m, "state"), "shadow");
	assert_int_equal(int_at(m, "shadow.conversations"), 0);
	assert_null(at(m, "shadow.right"));
	learn(f, 40, 5);
	m = ACT(f, model_get, t.first);
	assert_int_equal(int_at(m, "shadow.conversations"), 10);
	assert_true(number_at(m, "shadow.right") > .9 && number_at(m, "shadow.right_active") > .9);
	assert_true(number_at(m, "shadow.interval.0") <= number_at(m, "shadow.difference"));
	/* It only listens. */
	assert_string_equal(speaks_in(f, "c0-40"), t.second);
	/* What comes meanwhile stands by. */
	learn(f, 45, 20);
	assert_string_equal(train(f), t.second);
	assert_string_equal(string_at(end(f, t.first), "state"), "standby");
	assert_null(at(ACT(f, model_get, t.first), "shadow"));
	FAILS(f, ERR_WRONG_STATE, model_shadow_end_act, t.first);
	learn(f, 70, 20);
	assert_string_not_equal(train(f), t.second);
}

static void test_shadow__speaks_in_its_share_of_conversations_and_always_in_the_same(void **state)
{
	struct fixture *f = *state;
	struct two t = two_models(f);
	const char *first = t.first ? t.first : "";
	int spoke = 0;

	shadow(f, t.first, "{'share':0.5}");
	for (int round = 0; round < 2; round++) {
		int now = 0;
		for (int i = 0; i < 40; i++) {
			const char *id = arena_printf(f->arena, "c0-%d", i);
			int candidate = strcmp(speaks_in(f, id), first) == 0;
			assert_int_equal(candidate, draw(&f->desk, "shadow", id) < .5);
			now += candidate;
		}
		assert_true(now > 5 && now < 35);
		assert_true(!round || now == spoke);
		spoke = now;
		close_learner(f); /* it goes on after a start */
		open_learner(f, 0);
	}
	shadow(f, t.first, "{'share':1}");
	assert_string_equal(speaks_in(f, "c0-1"), t.first);
	/* A text is no conversation. */
	assert_string_equal(string_at(ACT(f, predict_show, J(f, "{'text':'my parcel'}")), "models.intent"),
			    t.second);
}

static void test_shadow__ends_by_itself_when_it_is_worse(void **state)
{
	struct fixture *f = *state;
	struct two t = two_models(f);

	shadow(f, t.first, "{'share':0.2}");
	resolve(f, 0, SHADOW_LEAST - 1, 1, t.first, 0);
	NO_ERROR(f, learner_train(f->desk.learner, 1, &f->err));
	assert_string_equal(string_at(ACT(f, model_get, t.first), "state"), "shadow");
	resolve(f, 100, 1, 1, t.first, 0);
	resolve(f, 200, 5, 1, "m999", 0); /* an earlier candidate's */
	NO_ERROR(f, learner_train(f->desk.learner, 1, &f->err));
	json_t *m = ACT(f, model_get, t.first);
	assert_string_equal(string_at(m, "state"), "standby");
	assert_string_equal(string_at(m, "why"),
			    "in shadow it was right in 0 of 30 conversations, the model in force in 30");
	for (int i = 0; i < 40; i++)
		assert_string_equal(speaks_in(f, arena_printf(f->arena, "c0-%d", i)), t.second);
}

static void test_shadow__as_good_or_better_it_goes_on(void **state)
{
	struct fixture *f = *state;
	struct two t = two_models(f);

	shadow(f, t.first, "{}");
	resolve(f, 0, 40, 1, t.first, 1);
	resolve(f, 100, 8, 0, t.first, 1);
	resolve(f, 200, 6, 1, t.first, 0);
	NO_ERROR(f, learner_train(f->desk.learner, 1, &f->err));
	json_t *m = ACT(f, model_get, t.first);
	assert_string_equal(string_at(m, "state"), "shadow");
	assert_int_equal(int_at(m, "shadow.conversations"), 54);
	assert_true(fabs(number_at(m, "shadow.difference") - 2. / 54) < 1e-9);
	/* By hand: the deviation of 8 times 1, 6 times -1 and 40 times 0 is .5115; over the root of 54 */
	assert_true(fabs(number_at(m, "shadow.interval.1") - (2. / 54 + 1.96 * .0696)) < 1e-3);
	/* To put it in force ends it as well. */
	json_t *result = ACT(f, model_activate_act, t.first);
	m = ACT(f, model_act_show, result);
	assert_string_equal(string_at(m, "state"), "active");
	assert_null(at(m, "shadow"));
	assert_string_equal(speaks_in(f, "c0-1"), t.first);
}

static void test_shadow__is_of_an_intent_model_that_is_not_in_force(void **state)
{
	struct fixture *f = *state;

	FAILS(f, ERR_NOT_FOUND, model_shadow_act, "m1", J(f, "{}"));
	FAILS(f, ERR_NOT_FOUND, model_shadow_end_act, "m1");
	struct two t = two_models(f);
	FAILS(f, ERR_BAD_VALUE, model_shadow_act, t.first, J(f, "{'share':1.5}"));
	FAILS(f, ERR_UNKNOWN_FIELD, model_shadow_act, t.first, J(f, "{'part':0.5}"));
	struct error *e = FAILS(f, ERR_WRONG_STATE, model_shadow_act, t.second, J(f, "{}"));
	assert_string_equal(e->state, "active");
	json_t *answering = at(ACT(f, model_list, text_of("answering")), "data.0.id");
	assert_non_null(answering);
	FAILS(f, ERR_BAD_VALUE, model_shadow_act, json_string_value(answering), J(f, "{}"));
	close_learner(f);
	FAILS(f, ERR_NOT_READY, model_shadow_act, t.first, J(f, "{}"));
	FAILS(f, ERR_NOT_READY, model_shadow_end_act, t.first);
}

/* To have been in shadow takes no refusal back; to be put in force does. */
static void test_shadow__a_refused_one_is_refused_again(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 100);
	const char *good = train(f);
	for (int i = 0; i < 600; i++) {
		json_t *line = json_pack("{s:o, s:s}", "text", json_sprintf(texts[i % 2], 5000 + i), "label",
					 i % 2 ? "parcel" : "refund");
		int status;
		NO_ERROR(f, example_import(&f->desk, &f->call, json_keep(f->arena, line), &status));
	}
	assert_string_equal(train(f), good);
	json_t *bad = at(ACT(f, model_list, text_of("intent")), "data.0");
	const char *id = string_at(bad, "id"), *why = string_at(bad, "why");
	assert_string_equal(string_at(bad, "state"), "refused");
	for (int i = 0; i < 2; i++)
		assert_string_equal(string_at(shadow(f, id, "{}"), "shadow.was"), "refused");
	json_t *m = end(f, id);
	assert_string_equal(string_at(m, "state"), "refused");
	assert_string_equal(string_at(m, "why"), why);
	json_t *result = ACT(f, model_activate_act, id);
	m = ACT(f, model_act_show, result);
	assert_string_equal(string_at(m, "state"), "active");
	assert_null(at(m, "why"));
}

/* Another one in its place: one at a time. */
static void test_shadow__another_takes_its_place(void **state)
{
	struct fixture *f = *state;
	struct two t = two_models(f);

	learn(f, 40, 20);
	train(f);
	shadow(f, t.first, "{}");
	shadow(f, t.second, "{'share':1}");
	assert_string_equal(string_at(ACT(f, model_get, t.first), "state"), "standby");
	assert_string_equal(string_at(ACT(f, model_get, t.second), "state"), "shadow");
	assert_string_equal(speaks_in(f, "c0-1"), t.second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shadow__each_resolution_keeps_what_both_would_have_said),
		TEST(test_shadow__speaks_in_its_share_of_conversations_and_always_in_the_same),
		TEST(test_shadow__ends_by_itself_when_it_is_worse),
		TEST(test_shadow__as_good_or_better_it_goes_on),
		TEST(test_shadow__is_of_an_intent_model_that_is_not_in_force),
		TEST(test_shadow__another_takes_its_place),
		TEST(test_shadow__a_refused_one_is_refused_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
