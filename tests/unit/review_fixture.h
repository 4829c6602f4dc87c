/* review_fixture.h: a desk that learns, and what brings labels up for review. */
#ifndef READBACK_TESTS_REVIEW_FIXTURE_H
#define READBACK_TESTS_REVIEW_FIXTURE_H

#include "desk_fixture.h"

#include "learn/intent.h"
#include "learn/learner.h"
#include "learn/lessons.h"

static inline int open_with(void **state, const char *embedder)
{
	struct learner_options o = { .seed = 1 };
	struct fixture *f = fixture_open(embedder);

	*state = f;
	if (!f)
		return 0;
	fixture_caller(f, fixture_rights("cli", SCOPE_ADMIN | SCOPE_AGENT | SCOPE_CURATOR, NULL, 0));
	NO_ERROR(f, learner_open(f->desk.engine, &o, &f->desk.learner, &f->err));
	return 0;
}

static inline int set_up(void **state)
{
	return open_with(state, "none");
}

static inline int set_up_model(void **state)
{
	return open_with(state, "minilm");
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f)
		learner_close(f->desk.learner);
	fixture_close(f);
	return 0;
}

static inline void add_examples(struct fixture *f, const char *text, const char *label, int from, int n)
{
	for (int i = from; i < from + n; i++) {
		json_t *line = json_pack("{s:o, s:s}", "text", json_sprintf(text, i), "label", label);
		int status;
		NO_ERROR(f, example_import(&f->desk, &f->call, json_keep(f->arena, line), &status));
	}
}

static inline long long lessons(struct fixture *f)
{
	return int_at(json_keep(f->arena, learner_facts(f->desk.learner)), "intent.lessons");
}

static inline void train(struct fixture *f)
{
	int rc = learner_train(f->desk.learner, 0, &f->err);

	NO_ERROR(f, rc);
}

/* As many as a model must have learned from before it is asked to doubt. */
static inline void history(struct fixture *f)
{
	add_examples(f, "where is my parcel, number %d", "parcel", 0, INTENT_LEAST_TO_DOUBT / 2);
	add_examples(f, "please refund the money of order %d", "refund", 0, INTENT_LEAST_TO_DOUBT / 2);
	train(f);
}

/* A resolved conversation of a history; `more` is JSON. */
static inline void solved(struct fixture *f, const char *id, const char *said, const char *intent,
			  const char *agent)
{
	int status;
	const char *line = arena_printf(
		f->arena,
		"{'id':'%s','customer':{'id':'cu-%s'},'turns':[{'role':'customer','text':'%s'}],'resolution':"
		"{'outcome':'resolved','intent':'%s','text':'done','agent':'%s'}}",
		id, id, said, intent, agent);

	NO_ERROR(f, conversation_import(&f->desk, &f->call, J(f, line), &status));
}

static inline json_t *reviews(struct fixture *f, const char *state)
{
	const struct text none = { 0 };

	return at(ACT(f, review_list, state ? text_of(state) : none, none, 20), "data");
}

static inline const char *predicted(struct fixture *f, const char *text)
{
	json_t *body = json_keep(f->arena, json_pack("{s:s}", "text", text));

	return string_at(ACT(f, predict_show, body), "intent.label");
}

static inline int is_contested(struct fixture *f, enum record_kind kind, const char *id)
{
	struct record r;

	NO_ERROR(f, engine_get(f->desk.engine, kind, id, f->arena, &r, &f->err));
	return json_is_true(at(r.body, "contested"));
}

static inline const char *handed_off(struct fixture *f, const char *id, const char *said)
{
	const char *body = arena_printf(
		f->arena,
		"{'trigger':'other','conversation':{'id':'%s','turns':[{'role':'customer','text':'%s'}]}}",
		id, said);

	return string_at(ACT(f, handoff_act, J(f, body)), "handoff");
}

static inline void resolve(struct fixture *f, const char *handoff, const char *outcome, const char *intent,
			   const char *problem)
{
	const char *body = arena_printf(f->arena, "{'outcome':'%s','intent':'%s','text':'x'%s%s%s}", outcome,
					intent, problem ? ",'problem':'" : "", problem ? problem : "",
					problem ? "'" : "");

	ACT(f, resolution_act, handoff, J(f, body));
}

/* A handoff's worth of trust: two keys, two agents, two customers say the same, so that it can be answered. */
static inline void make_answerable(struct fixture *f)
{
	add_examples(f, "where is my parcel number %d", "parcel", 0, 30);
	add_examples(f, "please refund order %d", "refund", 1000, 30);
}

static inline json_t *turn(struct fixture *f, const char *conversation, const char *text)
{
	json_t *body = json_pack("{s:s, s:s}", "role", "customer", "text", text);
	json_t *result = ACT(f, turn_act, conversation, json_keep(f->arena, body));

	return at(ACT(f, turn_show, result), "prediction");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
#define TEST_MODEL(t) cmocka_unit_test_setup_teardown(t, set_up_model, tear_down)

#endif
