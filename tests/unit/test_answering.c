#include "desk_fixture.h"

#include <math.h>

#include "base/dice.h"
#include "learn/answering.h"
#include "learn/intent.h"
#include "learn/lessons.h"

static double uniform(struct dice *d)
{
	return (double)(dice_next(d) >> 11) / (double)(UINT64_C(1) << 53);
}

/* A prediction that is right with probability p, and looks like it. */
static struct outcome_seen draw(struct dice *d, double *p_out)
{
	double p = uniform(d);
	struct intent_candidate c = { "x", p };
	struct intent in = {
		.top_similarity = .4 + .5 * p, .out_of_scope = .5 * (1 - p), .agreement = p > .5, .n = 1
	};
	struct outcome_seen o = { .weight = 1 };

	in.candidates[0] = c;
	o.seen = seen_of(&in);
	o.right = uniform(d) < p * p * (3 - 2 * p); /* surer than it looks when it is sure */
	*p_out = p;
	return o;
}

static struct answering learn(size_t n, uint64_t seed, double target)
{
	struct outcome_seen *list = calloc(n + 1, sizeof(*list));
	struct dice d = { seed };
	struct answering a;
	struct error e;
	double p;

	for (size_t i = 0; i < n; i++)
		list[i] = draw(&d, &p);
	assert_int_equal(answering_learn(list, n, target, &a, &e), 0);
	free(list);
	return a;
}

static void test_answering__too_few_outcomes_teach_nothing(void **state)
{
	(void)state;
	assert_int_equal(learn(0, 1, .95).outcomes, 0);
	assert_int_equal(learn(ANSWERING_LEAST - 1, 1, .95).outcomes, 0);
	assert_int_equal(learn(ANSWERING_LEAST, 1, .95).outcomes, ANSWERING_LEAST);
}

/* Of what comes after, the share that is right keeps the target, but for chance. */
static void test_answering__holds_the_target_on_what_comes_later(void **state)
{
	static const double targets[] = { .8, .9, .95 };

	(void)state;
	for (size_t t = 0; t < 3; t++) {
		double right = 0, answered = 0;
		const double n = 20 * 500;
		for (uint64_t seed = 1; seed <= 20; seed++) {
			struct answering a = learn(1000, seed, targets[t]);
			struct dice d = { seed + 1000 };
			double p;
			for (int i = 0; i < 500; i++) {
				struct outcome_seen o = draw(&d, &p);
				if (answering_confidence(&a, &o.seen) < a.threshold)
					continue;
				answered++;
				right += o.right;
			}
		}
		print_message("target %.2f: %.3f of %.0f\n", targets[t], right / answered, answered);
		assert_true(answered / n > .2);
		assert_true(right / answered > targets[t] - .01);
		assert_true(right / answered < targets[t] + .04);
	}
}

static void test_answering__confidence_grows_with_what_speaks_for_it(void **state)
{
	struct answering a = learn(2000, 5, .95);
	struct intent weak = { .n = 1, .top_similarity = .5, .out_of_scope = .4 }, strong = weak;

	(void)state;
	weak.candidates[0] = (struct intent_candidate){ "x", .3 };
	strong.candidates[0] = (struct intent_candidate){ "x", .95 };
	strong.top_similarity = .9;
	strong.out_of_scope = .02;
	strong.agreement = 1;
	struct seen w = seen_of(&weak), s = seen_of(&strong);
	assert_true(answering_confidence(&a, &s) > answering_confidence(&a, &w) + .3);
	assert_true(a.precision >= .95 && a.share > .1 && a.share < .8);
}

/* Where nothing is ever right nothing is answered, and where all is, all. */
static void test_answering__of_hopeless_and_perfect_predictions(void **state)
{
	struct outcome_seen list[200];
	struct dice d = { 3 };
	struct answering a;
	struct error e;
	double p;

	(void)state;
	for (int right = 0; right < 2; right++) {
		for (size_t i = 0; i < 200; i++) {
			list[i] = draw(&d, &p);
			list[i].right = right;
		}
		assert_int_equal(answering_learn(list, 200, .95, &a, &e), 0);
		assert_true(right ? a.share == 1 : a.threshold > 1);
	}
}

/* An error that was looked at with a small propensity stands for many. */
static void test_answering__weighs_what_was_seldom_looked_at(void **state)
{
	struct outcome_seen list[1000];
	struct answering a, b;
	struct dice d = { 7 };
	struct error e;
	double p;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		list[i] = draw(&d, &p);
		list[i].right = i % 50 != 0; /* one in fifty is wrong, however sure */
	}
	assert_int_equal(answering_learn(list, 1000, .95, &a, &e), 0);
	assert_true(a.share > .9 && a.precision > .97);
	for (size_t i = 0; i < 1000; i += 50)
		list[i].weight = 20;
	assert_int_equal(answering_learn(list, 1000, .95, &b, &e), 0);
	assert_true(b.share < .3);
}

/* One audit of a small propensity does not stop all answers. */
static void test_answering__goes_on_with_the_first_audit(void **state)
{
	struct outcome_seen list[1000];
	struct dice d = { 7 };
	struct answering a;
	struct error e;
	double p;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		list[i] = draw(&d, &p);
		list[i].right = 1;
	}
	list[990].weight = 50;
	assert_int_equal(answering_learn(list, 1000, .95, &a, &e), 0);
	assert_true(a.share == 1);
}

static void test_answering__what_was_seen_comes_back_from_json(void **state)
{
	struct dice d = { 9 };
	struct seen back;
	double p;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct outcome_seen o = draw(&d, &p);
		JSON_AUTO *j = seen_json(&o.seen);
		assert_int_equal(seen_read(j, &back), 0);
		for (int k = 0; k < SEEN; k++)
			assert_true(fabsf(back.x[k] - o.seen.x[k]) < 1e-6f);
		json_object_del(j, "margin");
		assert_int_equal(seen_read(j, &back), -1);
	}
	assert_int_equal(seen_read(NULL, &back), -1);
	/* Nothing to go by, and all sure: numbers all the same. */
	struct intent none = { 0 }, sure = { .n = 1, .candidates = { { "x", 1 } } };
	struct seen a = seen_of(&none), b = seen_of(&sure);
	assert_true(isfinite(a.x[SEEN_SURE]) && isfinite(b.x[SEEN_SURE]));
}

/* --- from resolutions ------------------------------------------------------------------------------------ */

static int set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static void import(struct fixture *f, const char *id, const char *text, const char *intent)
{
	json_t *line = J(f, "{'turns':[{'role':'customer','text':''}],"
			    "'resolution':{'outcome':'resolved','intent':'','text':'done'}}");
	int status;

	json_object_set_new(line, "id", json_string(id));
	json_object_set_new(json_array_get(json_object_get(line, "turns"), 0), "text", json_string(text));
	json_object_set_new(json_object_get(line, "resolution"), "intent", json_string(intent));
	NO_ERROR(f, conversation_import(&f->desk, &f->call, line, &status));
}

/* What was predicted is kept just before it is learned how it ended, once a conversation. */
static void test_answering__resolutions_tell_how_predictions_came_out(void **state)
{
	struct fixture *f = *state;
	struct outcome_seen *list;
	size_t n;

	import(f, "c-1", "my parcel is late", "delivery"); /* there was nothing to predict from */
	NO_ERROR(f, outcomes_read(f->desk.engine, 10, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 0);
	import(f, "c-2", "the parcel is late again", "delivery");
	import(f, "c-3", "a parcel so late", "refund");
	NO_ERROR(f, outcomes_read(f->desk.engine, 10, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 2);
	assert_true(list[0].right);
	assert_false(list[1].right);
	NO_ERROR(f, outcomes_read(f->desk.engine, 1, f->arena, &list, &n, &f->err));
	assert_int_equal(n, 1);
	assert_false(list[0].right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answering__too_few_outcomes_teach_nothing),
		cmocka_unit_test(test_answering__holds_the_target_on_what_comes_later),
		cmocka_unit_test(test_answering__confidence_grows_with_what_speaks_for_it),
		cmocka_unit_test(test_answering__of_hopeless_and_perfect_predictions),
		cmocka_unit_test(test_answering__weighs_what_was_seldom_looked_at),
		cmocka_unit_test(test_answering__goes_on_with_the_first_audit),
		cmocka_unit_test(test_answering__what_was_seen_comes_back_from_json),
		cmocka_unit_test_setup_teardown(test_answering__resolutions_tell_how_predictions_came_out,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
