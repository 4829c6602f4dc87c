#include "unit.h"

#include <string.h>

#include "base/arena.h"
#include "learn/intent.h"

static int set_up(void **state)
{
	return (*state = arena_new(1 << 14)) ? 0 : -1;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

struct labelled {
	const char *text, *label;
};

static void check(struct arena *a, const struct labelled *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct sentiment s = sentiment_of(a, cases[i].text, strlen(cases[i].text));
		if (strcmp(s.label, cases[i].label) != 0)
			fail_msg("\"%s\" is %s (%.2f)", cases[i].text, s.label, s.score);
		assert_true(s.score >= -1 && s.score <= 1);
	}
}

static void test_sentiment__of_chats(void **state)
{
	static const struct labelled cases[] = {
		{ "", "neutral" },
		{ "Where is my parcel?", "neutral" },
		{ "I have a problem with my order and need help", "neutral" },
		{ "This is ridiculous, I am furious", "negative" },
		{ "You are useless. Worst service ever!", "negative" },
		{ "Thank you so much, that was great", "positive" },
		{ "Perfect, thanks", "positive" },
		{ "D\xc3\xa9j\xc3\xa0 vu. TERRIBLE service", "negative" },
	};

	check(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_sentiment__negation_turns_it_round(void **state)
{
	static const struct labelled cases[] = {
		{ "I am not happy with this", "negative" },
		{ "This isn't good", "negative" },
		{ "not bad at all", "positive" },
		{ "It's never been great", "negative" },
	};

	check(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_sentiment__more_of_it_scores_higher(void **state)
{
	struct sentiment one = sentiment_of(*state, "bad", 3), two = sentiment_of(*state, "very bad", 8),
			 three = sentiment_of(*state, "very bad and awful", 18);

	assert_true(one.score > two.score && two.score > three.score && three.score > -1);
}

static void test_asks_for_human__says_so(void **state)
{
	static const char *const yes[] = {
		"I want to speak to a human",
		"can I talk to someone please",
		"agent",
		"Human please!",
		"Connect me with a representative.",
		"give me your supervisor",
		"I need a real person",
		"let me chat with a live agent",
		"Please transfer me to an agent now",
		"This leads nowhere. Give me a person.",
		"Please, a human.",
		"The code never comes. A human please, I have no time.",
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!asks_for_human(*state, yes[i], strlen(yes[i])))
			fail_msg("not seen: %s", yes[i]);
}

static void test_asks_for_human__does_not(void **state)
{
	static const char *const no[] = {
		"",
		"My agent number is 12",
		"I don't want to talk to an agent",
		"How do I transfer money to a friend?",
		"the delivery person left it at the neighbour's house",
		"no need to speak to a human",
		"I need the update agent installed on my laptop",
		"I need a person at home to sign for the parcel",
		"Please get the parcel to the person next door",
	};

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (asks_for_human(*state, no[i], strlen(no[i])))
			fail_msg("seen in: %s", no[i]);
}

static struct intent sure(double confidence, int backed)
{
	return (struct intent){ .candidates = { { "refund", confidence }, { "late", .1 } },
				.n = 2,
				.in_all = 1,
				.examples = 10,
				.backed = backed };
}

static const char *decision_of(struct arena *a, const struct situation *s, struct decision *d)
{
	assert_int_equal(decide(a, s, d), 0);
	assert_true(strlen(d->because) > 0);
	assert_true(d->escalation_risk > 0 && d->escalation_risk < 1);
	return d->decision;
}

static void test_decide__answers_what_is_sure_and_backed(void **state)
{
	struct intent in = sure(.85, 1), alone = sure(.85, 0), unsure = sure(.5, 1);
	struct situation s = { .intent = &in, .customer_turns = 1 };
	struct decision d;

	assert_string_equal(decision_of(*state, &s, &d), "answer");
	s.intent = &alone;
	assert_string_equal(decision_of(*state, &s, &d), "clarify");
	assert_non_null(strstr(d.because, "vouch"));
	assert_int_equal(d.n_ask, 1);
	s.intent = &unsure;
	assert_string_equal(decision_of(*state, &s, &d), "clarify");
	assert_non_null(strstr(d.because, "ask for more"));
	assert_int_equal(d.n_ask, 0);
}

/* Asked about are the fewest candidates that nearly surely have the right one among them, if they are few. */
static void test_decide__asks_which_of_a_few_is_meant(void **state)
{
	struct intent in = {
		.candidates = { { "a", .5 }, { "b", .2 }, { "c", .15 }, { "d", .12 }, { "e", .02 } },
		.n = 5,
		.in_all = 1
	};
	struct situation s = { .intent = &in, .customer_turns = 1 };
	struct decision d;

	assert_string_equal(decision_of(*state, &s, &d), "clarify");
	assert_string_equal(d.because, "It may be a, b, c or d: ask which is meant.");
	assert_int_equal(d.n_ask, 4);
	in.candidates[0].confidence = .45; /* .92 together */
	decision_of(*state, &s, &d);
	assert_int_equal(d.n_ask, 0);
	in.in_all = .95; /* of what all labels have together that is enough */
	decision_of(*state, &s, &d);
	assert_int_equal(d.n_ask, 4);
	in = (struct intent){ .candidates = { { "a", .7 }, { "b", .28 } }, .n = 2, .in_all = 1 };
	decision_of(*state, &s, &d);
	assert_string_equal(d.because, "It may be a or b: ask which is meant.");
	assert_int_equal(d.n_ask, 2);
}

static void test_decide__escalates(void **state)
{
	struct intent in = sure(.85, 1), none = { .n = 0 }, far = sure(.1, 1);
	struct decision d;

	far.out_of_scope = .9;
	struct situation asks = { .intent = &in, .customer_turns = 1, .asks_for_human = 1 };
	assert_string_equal(decision_of(*state, &asks, &d), "escalate");
	struct situation stuck = { .intent = &in,
				   .customer_turns = 4,
				   .bot_turns = 3,
				   .repeats_himself = 1,
				   .bot_repeated = 1,
				   .sentiment = { "negative", -.7 } };
	assert_string_equal(decision_of(*state, &stuck, &d), "escalate");
	assert_true(d.escalation_risk > .7);
	struct situation cold = { .intent = &none, .customer_turns = 4, .bot_turns = 3 };
	assert_string_equal(decision_of(*state, &cold, &d), "escalate");
	cold.bot_turns = 0;
	assert_string_equal(decision_of(*state, &cold, &d), "clarify");
	struct situation foreign = { .intent = &far, .customer_turns = 2 };
	assert_string_equal(decision_of(*state, &foreign, &d), "escalate");
	foreign.customer_turns = 1;
	assert_string_equal(decision_of(*state, &foreign, &d), "clarify");
}

static void test_decide__risk_grows_with_each_sign(void **state)
{
	struct intent in = sure(.85, 1);
	struct situation s = { .intent = &in, .customer_turns = 1 };
	struct decision d;
	double before;

	decision_of(*state, &s, &d);
	before = d.escalation_risk;
	assert_true(before < .3);
	s.repeats_himself = 1;
	decision_of(*state, &s, &d);
	assert_true(d.escalation_risk > before);
	before = d.escalation_risk;
	s.sentiment = (struct sentiment){ "negative", -.6 };
	decision_of(*state, &s, &d);
	assert_true(d.escalation_risk > before);
	before = d.escalation_risk;
	s.earlier_handoffs = 1;
	decision_of(*state, &s, &d);
	assert_true(d.escalation_risk > before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sentiment__of_chats),
		TEST(test_sentiment__negation_turns_it_round),
		TEST(test_sentiment__more_of_it_scores_higher),
		TEST(test_asks_for_human__says_so),
		TEST(test_asks_for_human__does_not),
		TEST(test_decide__answers_what_is_sure_and_backed),
		TEST(test_decide__asks_which_of_a_few_is_meant),
		TEST(test_decide__escalates),
		TEST(test_decide__risk_grows_with_each_sign),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
