/* The risk that a conversation ends with a person: what it rests on, what is learned of it, and from what. */
#include "desk_fixture.h"

#include <math.h>

#include "base/dice.h"
#include "desk/situation.h"
#include "learn/learner.h"
#include "learn/packed.h"

/* --- the weights, from made-up signs ------------------------------------------------------------------------- */

#define MOST 2000
#define TURNS 6

struct stream {
	struct risk_signs turns[MOST][TURNS];
	struct risk_lesson list[MOST];
};

static double uniform(struct dice *d)
{
	return (double)(dice_next(d) >> 11) / (double)(UINT64_C(1) << 53);
}

/* Negative words matter; saying the same again is as frequent, and does not. */
static struct risk_lessons draw(struct stream *s, size_t n, uint64_t seed)
{
	struct dice d = { seed };

	for (size_t i = 0; i < n; i++) {
		double negative = uniform(&d) < .5 ? uniform(&d) : 0;
		size_t turns = 1 + dice_below(&d, TURNS);
		for (size_t t = 0; t < turns; t++) {
			const struct situation at = { .sentiment = { "", -negative },
						      .customer_turns = t + 1,
						      .repeats_himself = uniform(&d) < .3 };
			s->turns[i][t] = risk_signs_of(&at);
		}
		s->list[i] = (struct risk_lesson){ .turns = s->turns[i],
						   .n = turns,
						   .escalated = uniform(&d) <
								1 / (1 + exp(1.5 - 5 * negative)),
						   .hash = i };
	}
	return (struct risk_lessons){ s->list, n };
}

static struct risk_report fit(const struct risk_lessons *l, struct risk_model **m)
{
	struct risk_report r;
	struct error e;

	if (risk_fit(l, m, &r, &e) < 0)
		fail_msg("%s", e.message);
	return r;
}

static void test_risk__learns_which_signs_matter(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct risk_lessons l = draw(s, MOST, 1);
	struct risk_model *m = NULL;
	struct risk_report r = fit(&l, &m);

	(void)state;
	assert_non_null(m);
	assert_true(r.worth);
	assert_true(m->weight[RISK_NEGATIVE] > 3);
	assert_true(fabs(m->weight[RISK_REPEATS]) < .5);
	/* What no lesson has shown, and what the intent says, is left as the rule has it. */
	assert_true(m->weight[RISK_ASKS] == risk_rule.weight[RISK_ASKS]);
	assert_true(m->weight[RISK_UNSURE] == risk_rule.weight[RISK_UNSURE]);
	assert_int_equal(r.conversations, MOST);
	assert_int_equal(r.held_out, MOST / 5);
	assert_true(r.learned.loss < r.rule.loss && r.learned.loss < r.share_loss);
	free(m);
	free(s);
}

/* Where the intent is not known, the learned risk is right in the mean whatever the rule says of intents. */
static void test_risk__is_as_frequent_as_it_says(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct risk_lessons l = draw(s, MOST, 2);
	struct risk_model *m = NULL;
	struct risk_report r = fit(&l, &m);
	double sum = 0;

	(void)state;
	for (size_t i = 0; i < l.n; i++)
		for (size_t t = 0; t < l.list[i].n; t++)
			sum += risk_of(m, &l.list[i].turns[t]) / (double)l.list[i].n;
	assert_true(fabs(sum / MOST - (double)r.escalated / MOST) < .02);
	free(m);
	free(s);
}

static void print_pair(const char *what, const struct risk_pair *p)
{
	print_message("%s: threshold %.3f, flagged %zu, recall %.3f, precision %.3f\n", what, p->threshold,
		      p->flagged, p->recall, p->precision);
}

/* Recall and precision belong together: with as many flagged as escalated they are the same. */
static void test_risk__tells_recall_and_precision_as_a_pair(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct risk_lessons l = draw(s, MOST, 3);
	struct risk_model *m = NULL;
	struct risk_report r = fit(&l, &m);
	JSON_AUTO *facts = risk_facts(&r);
	const struct risk_pair *p = &r.learned.at_share;

	(void)state;
	print_pair("learned, at .7", &r.learned.at_risk);
	print_pair("learned, at the share", p);
	print_pair("rule, at .7", &r.rule.at_risk);
	print_pair("rule, at the share", &r.rule.at_share);
	assert_true(r.learned.at_risk.threshold == ESCALATE_RISK);
	assert_true(r.learned.at_risk.precision > r.learned.at_risk.recall);
	assert_true(p->flagged >= r.held_out_escalated);
	assert_true(p->recall > .5 && p->recall < 1);
	assert_true(fabs(p->precision * (double)p->flagged - p->recall * (double)r.held_out_escalated) <
		    1e-6);
	assert_true(p->recall > r.rule.at_share.recall);
	assert_true(number_at(facts, "learned.at_share.recall") == p->recall);
	assert_true(number_at(facts, "learned.at_share.precision") == p->precision);
	assert_true(number_at(facts, "rule.at_risk.threshold") == ESCALATE_RISK);
	assert_true(json_is_null(at(facts, "rule.at_risk.precision")) == (r.rule.at_risk.flagged == 0));
	free(m);
	free(s);
}

/* Outcomes that have nothing to do with the signs: knowing how many escalate is no model of which. */
static void test_risk__shuffled_outcomes_are_refused(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct risk_lessons l = draw(s, MOST, seed);
		struct risk_model *m = NULL;
		struct dice d = { seed };
		for (size_t i = MOST - 1; i > 0; i--) {
			size_t j = dice_below(&d, i + 1);
			int escalated = s->list[i].escalated;
			s->list[i].escalated = s->list[j].escalated;
			s->list[j].escalated = escalated;
		}
		struct risk_report r = fit(&l, &m);
		assert_null(m);
		assert_false(r.worth);
		/* The rule it would beat. */
		assert_true(r.over_rule.mean > 2 * r.over_rule.error);
	}
	free(s);
}

static void test_risk__too_few_says_how_many_are_missing(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct risk_lessons l = draw(s, 60, 1);
	struct risk_model *m = NULL;
	struct risk_report r;
	struct error e;

	(void)state;
	for (size_t i = 0; i < l.n; i++)
		s->list[i].escalated = i < RISK_LEAST - 1;
	assert_int_equal(risk_fit(&l, &m, &r, &e), ERR_NOT_READY);
	assert_string_equal(e.message,
			    "29 conversations that were handed over and 31 that ended without are too few to "
			    "learn risk from: 1 and 0 are missing");
	s->list[59].escalated = 1;
	assert_int_equal(risk_fit(&l, &m, &r, &e), 0);
	free(m);
	l.n = 0;
	assert_int_equal(risk_fit(&l, &m, &r, &e), ERR_NOT_READY);
	free(s);
}

/* Ids are the customer's: all of them may be held out. */
static void test_risk__nothing_to_learn_from_is_not_worth_it(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct risk_lessons l = draw(s, MOST, 1);
	struct risk_model *m = NULL;

	(void)state;
	for (size_t i = 0; i < l.n; i++)
		s->list[i].hash = 0;
	assert_false(fit(&l, &m).worth);
	assert_null(m);
	for (size_t i = 0; i < l.n; i++)
		s->list[i].hash = 1;
	assert_false(fit(&l, &m).worth);
	assert_null(m);
	free(s);
}

/* --- reasons and files ------------------------------------------------------------------------------------------ */

static int arena_up(void **state)
{
	return (*state = arena_new(4096)) ? 0 : -1;
}

static int arena_down(void **state)
{
	arena_free(*state);
	return 0;
}

static const char *because(struct arena *a, const struct risk_model *m, struct situation s)
{
	struct intent in = { .candidates = { { "refund", .9 } }, .n = 1 };
	struct decision d;

	s.intent = &in;
	s.risk = m;
	assert_int_equal(decide(a, &s, &d), 0);
	return d.because;
}

static void test_risk__because_names_the_signs_that_weigh_most(void **state)
{
	struct risk_model m = risk_rule;

	m.bias = 0;
	m.weight[RISK_PROMISES] = 4;
	m.weight[RISK_BOT_REPEATED] = 3;
	m.weight[RISK_NEGATIVE] = 1;
	m.weight[RISK_REPEATS] = -1;
	struct situation s = { .promises_open = 1, .sentiment = { "negative", -.9 } };
	assert_string_equal(because(*state, &m, s),
			    "Promises are open, and the risk of an escalation is high.");
	s.bot_repeated = 1;
	assert_string_equal(because(*state, &m, s), "Promises are open, the bot has said the same twice, and "
						    "the risk of an escalation is high.");
	s.promises_open = 0;
	assert_string_equal(because(*state, &m, s),
			    "The bot has said the same twice, and the risk of an escalation is high.");
	/* Of the rule as before. */
	struct situation stuck = { .customer_turns = 4,
				   .bot_repeated = 1,
				   .repeats_himself = 1,
				   .sentiment = { "negative", -.8 },
				   .promises_open = 1 };
	assert_non_null(strstr(because(*state, NULL, stuck), "and the risk of an escalation is high."));
}

/* That most conversations end with a person is no reason to hand over one that shows nothing. */
static void test_risk__without_a_sign_nothing_is_handed_over(void **state)
{
	struct risk_model m = risk_rule;
	struct situation s = { .customer_turns = 1 };

	m.bias = 5;
	assert_null(strstr(because(*state, &m, s), "risk"));
	s.sentiment.score = -.1;
	assert_non_null(strstr(because(*state, &m, s), "unhappy"));
}

static void test_risk__a_file_has_what_was_learned(void **state)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct risk_lessons l = draw(s, MOST, 4);
	struct risk_model *m = NULL, *again = NULL, *back = NULL;
	char hash[2][SHA256_TEXT], path[] = "/tmp/readback-risk-XXXXXX";
	struct packed p;
	struct error e;
	size_t size;

	fit(&l, &m);
	fit(&l, &again);
	close(mkstemp(path));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(risk_pack(i ? again : m, *state, &p), 0);
		assert_int_equal(packed_write(path, &p, hash[i], &size, &e), 0);
	}
	assert_string_equal(hash[0], hash[1]);
	assert_int_equal(packed_read(path, hash[0], *state, &p, &e), 0);
	assert_int_equal(risk_unpack(&p, &back, &e), 0);
	assert_memory_equal(back, m, sizeof(*m));
	unlink(path);
	free(back);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(risk_pack(m, *state, &p), 0);
		json_object_del(i ? json_object_get(p.head, "weights") : p.head,
				i ? "promises_open" : "bias");
		assert_int_equal(risk_unpack(&p, &back, &e), ERR_CORRUPT);
	}
	free(m);
	free(again);
	free(s);
}

/* --- from conversations ------------------------------------------------------------------------------------------ */

static int set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	learner_close(f->desk.learner);
	fixture_close(f);
	return 0;
}

/* Turns as "c0:hello|b1:good morning": who speaks, at which minute, and what he says. `more`: other fields, if any. */
static void import(struct fixture *f, const char *id, const char *turns, const char *more)
{
	const char *list = "";
	int status;

	for (const char *t = turns; *t; t += strcspn(t, "|"), t += *t == '|') {
		const char *role = *t == 'c' ? "customer" : *t == 'b' ? "bot" : "agent";
		list = arena_printf(f->arena, "%s%s{'role':'%s','at':'2026-06-01T08:0%c:00Z','text':'%.*s'}",
				    list, *list ? "," : "", role, t[1], (int)strcspn(t, "|") - 3, t + 3);
	}
	const char *line = arena_printf(f->arena, "{'id':'%s','turns':[%s]%s%s}", id, list, *more ? "," : "",
					more);
	NO_ERROR(f, conversation_import(&f->desk, &f->call, J(f, line), &status));
}

static struct risk_lessons lessons(struct fixture *f)
{
	struct risk_lessons l = { 0 };

	NO_ERROR(f, situation_lessons_read(&f->desk, NULL, f->arena, &l, &f->err));
	return l;
}

/* A turn of the customer is a lesson when a handoff came after it. */
static void test_lessons__are_the_turns_before_a_handoff(void **state)
{
	struct fixture *f = *state;

	import(f, "c-1", "c0:my hub is offline again|b1:We will call you.|c2:this is terrible|c5:thanks",
	       "'handoff':{'trigger':'low_confidence','at':'2026-06-01T08:03:00Z'}");
	struct risk_lessons l = lessons(f);
	assert_int_equal(l.n, 1);
	assert_true(l.list[0].escalated);
	assert_int_equal(l.list[0].n, 2);
	const float *first = l.list[0].turns[0].x, *second = l.list[0].turns[1].x;
	assert_true(first[RISK_NEGATIVE] == 0 && second[RISK_NEGATIVE] > .2f);
	assert_true(first[RISK_PROMISES] == 0 && second[RISK_PROMISES] == 1);
	assert_true(first[RISK_EARLIER] == 0 && second[RISK_EARLIER] == 0);
}

static void test_lessons__a_policys_handoff_is_none(void **state)
{
	struct fixture *f = *state;

	import(f, "c-1", "c0:close my account", "'handoff':{'trigger':'policy'}");
	assert_int_equal(lessons(f).n, 0);
}

static void test_lessons__what_ended_without_a_handoff_is_one_when_it_is_over(void **state)
{
	struct fixture *f = *state;

	import(f, "c-1", "c0:where is my parcel|b1:It comes today.", "");
	struct risk_lessons l = lessons(f);
	assert_int_equal(l.n, 1);
	assert_false(l.list[0].escalated);
	assert_int_equal(l.list[0].n, 1);
	/* One that is going on; one that people resolved, and one in which an agent spoke. */
	ACT(f, conversation_act, J(f, "{'id':'c-2','turns':[{'role':'customer','text':'where is it'}]}"));
	import(f, "c-3", "c0:where is my parcel",
	       "'resolution':{'outcome':'resolved','intent':'parcel','text':'sent'}");
	import(f, "c-4", "c0:where is my parcel|a1:Here.", "");
	import(f, "c-5", "", "");
	assert_int_equal(lessons(f).n, 1);
}

static void test_lessons__what_is_said_to_an_agent_is_left_out(void **state)
{
	struct fixture *f = *state;

	import(f, "c-1", "c0:my hub is offline|a1:Restart it.|c2:I did|c3:twice",
	       "'handoff':{'trigger':'other'}");
	struct risk_lessons l = lessons(f);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.list[0].n, 1);
}

/* Of a transfer the handoff is not the bot's doing: what is said between the two is said to people. */
static void test_lessons__a_transfer_is_no_escalation(void **state)
{
	struct fixture *f = *state;

	import(f, "c-1", "c0:close my account|c4:is anybody there",
	       "'handoff':{'trigger':'other','at':'2026-06-01T08:02:00Z'},'resolution':{'outcome':'transferred',"
	       "'intent':'closing','text':'to tier2','at':'2026-06-01T08:06:00Z'}");
	struct risk_lessons l = lessons(f);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.list[0].n, 1);
}

static void test_lessons__an_earlier_handoff_is_a_sign(void **state)
{
	struct fixture *f = *state;

	import(f, "c-1", "c0:close my account|c4:hello again",
	       "'handoff':{'trigger':'policy','at':'2026-06-01T08:02:00Z'},'resolution':{'outcome':'resolved',"
	       "'intent':'closing','text':'done','at':'2026-06-01T08:03:00Z'}");
	ACT(f, handoff_act, J(f, "{'conversation_id':'c-1','trigger':'customer_request'}"));
	struct risk_lessons l = lessons(f);
	assert_int_equal(l.n, 1);
	assert_true(l.list[0].escalated);
	assert_int_equal(l.list[0].n, 2);
	assert_true(l.list[0].turns[0].x[RISK_EARLIER] == 0);
	assert_true(l.list[0].turns[1].x[RISK_EARLIER] == .25f);
}

static void test_lessons__of_a_long_conversation_are_the_last_turns(void **state)
{
	struct fixture *f = *state;
	const char *turns = "c0:turn";

	for (int i = 1; i < RISK_MOST_TURNS + 5; i++)
		turns = arena_printf(f->arena, "%s|c0:turn %d", turns, i);
	import(f, "c-1", turns, "'handoff':{'trigger':'other'}");
	struct risk_lessons l = lessons(f);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.list[0].n, RISK_MOST_TURNS);
	assert_true(l.list[0].turns[0].x[RISK_TURNS] < 1); /* the sixth, and the rest in order */
	assert_true(l.list[0].turns[RISK_MOST_TURNS - 1].x[RISK_TURNS] == 1);
}

static void test_lessons__reading_ends_when_it_is_told_to(void **state)
{
	struct fixture *f = *state;
	const volatile int stop = 1;
	struct risk_lessons l = { 0 };

	import(f, "c-1", "c0:where is my parcel", "");
	assert_int_equal(situation_lessons_read(&f->desk, &stop, f->arena, &l, &f->err), ERR_INTERRUPTED);
	assert_null(l.list);
}

/* --- in service ---------------------------------------------------------------------------------------------------- */

static void open_learner(struct fixture *f)
{
	struct learner_options o = { .seed = 1,
				     .folder = arena_printf(f->arena, "%s/models", f->folder),
				     .read_risk = situation_lessons_read,
				     .read_arg = &f->desk };

	NO_ERROR(f, learner_open(f->desk.engine, &o, &f->desk.learner, &f->err));
}

/* n that ended either way. Who is handed over was unhappy, or (not `told`) was not. */
static void history(struct fixture *f, int n, int told)
{
	for (int i = 0; i < n; i++) {
		int escalated = i % 2, unhappy = escalated == told;
		const char *said = arena_printf(f->arena, "c0:order %d %s", i,
						unhappy ? "is a terrible joke" : "please");
		import(f, arena_printf(f->arena, "%d-%d", told, i), said,
		       escalated ? "'handoff':{'trigger':'negative_sentiment'}" : "");
	}
}

static json_t *predict(struct fixture *f, const char *body)
{
	return ACT(f, predict_show, J(f, body));
}

static void test_risk__is_learned_in_service_and_is_the_same_after_a_start(void **state)
{
	struct fixture *f = *state;
	const char *unhappy = "{'text':'a terrible joke'}";

	open_learner(f);
	history(f, 2 * RISK_LEAST - 2, 1);
	assert_int_equal(learner_train(f->desk.learner, 1, &f->err), 0);
	assert_string_equal(string_at(predict(f, unhappy), "models.risk"), "rule-1");
	double before = number_at(predict(f, unhappy), "escalation_risk");
	history(f, 200, 1);
	assert_true(learner_train(f->desk.learner, 1, &f->err) > 0);
	json_t *p = predict(f, unhappy);
	const char *version = string_at(p, "models.risk");
	assert_int_equal(version[0], 'r');
	assert_true(number_at(p, "escalation_risk") > before);
	assert_string_equal(string_at(p, "decision"), "escalate");
	assert_non_null(strstr(string_at(p, "because"), "The customer is unhappy"));
	json_t *listed = at(ACT(f, model_list, text_of("risk")), "data.0");
	assert_string_equal(string_at(listed, "id"), version);
	assert_int_equal(int_at(listed, "facts.conversations"), 200);
	learner_close(f->desk.learner);
	open_learner(f);
	assert_true(json_equal(predict(f, unhappy), p));
}

/* One that has become no better than the rule is taken out of force. */
static void test_risk__that_is_of_no_use_any_more_gives_way_to_the_rule(void **state)
{
	struct fixture *f = *state;

	open_learner(f);
	history(f, 200, 1);
	assert_true(learner_train(f->desk.learner, 1, &f->err) > 0);
	assert_int_equal(string_at(predict(f, "{'text':'hello'}"), "models.risk")[0], 'r');
	history(f, 200, 0);
	NO_ERROR(f, learner_train(f->desk.learner, 1, &f->err));
	assert_string_equal(string_at(predict(f, "{'text':'hello'}"), "models.risk"), "rule-1");
	json_t *refused = at(ACT(f, model_list, text_of("risk")), "data.0");
	assert_string_equal(string_at(refused, "state"), "refused");
	assert_non_null(strstr(string_at(refused, "why"), "rule"));
	assert_true(number_at(refused, "facts.share_loss") > 0);
}

#define ARENA_TEST(t) cmocka_unit_test_setup_teardown(t, arena_up, arena_down)
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_risk__learns_which_signs_matter),
		cmocka_unit_test(test_risk__is_as_frequent_as_it_says),
		cmocka_unit_test(test_risk__tells_recall_and_precision_as_a_pair),
		cmocka_unit_test(test_risk__shuffled_outcomes_are_refused),
		cmocka_unit_test(test_risk__too_few_says_how_many_are_missing),
		cmocka_unit_test(test_risk__nothing_to_learn_from_is_not_worth_it),
		ARENA_TEST(test_risk__because_names_the_signs_that_weigh_most),
		ARENA_TEST(test_risk__without_a_sign_nothing_is_handed_over),
		ARENA_TEST(test_risk__a_file_has_what_was_learned),
		TEST(test_lessons__are_the_turns_before_a_handoff),
		TEST(test_lessons__a_policys_handoff_is_none),
		TEST(test_lessons__what_ended_without_a_handoff_is_one_when_it_is_over),
		TEST(test_lessons__what_is_said_to_an_agent_is_left_out),
		TEST(test_lessons__a_transfer_is_no_escalation),
		TEST(test_lessons__an_earlier_handoff_is_a_sign),
		TEST(test_lessons__of_a_long_conversation_are_the_last_turns),
		TEST(test_lessons__reading_ends_when_it_is_told_to),
		TEST(test_risk__is_learned_in_service_and_is_the_same_after_a_start),
		TEST(test_risk__that_is_of_no_use_any_more_gives_way_to_the_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
