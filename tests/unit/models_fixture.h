/* models_fixture.h: a desk whose models are kept, and a history of two intents to learn from. */
#ifndef READBACK_TESTS_MODELS_FIXTURE_H
#define READBACK_TESTS_MODELS_FIXTURE_H

#include "desk_fixture.h"

#include "learn/learner.h"

static inline const char *models_folder(struct fixture *f)
{
	return arena_printf(f->arena, "%s/models", f->folder);
}

static inline void open_learner(struct fixture *f, int read_only)
{
	struct learner_options o = { .seed = 1, .folder = models_folder(f), .read_only = read_only };

	NO_ERROR(f, learner_open(f->desk.engine, &o, &f->desk.learner, &f->err));
}

static inline void close_learner(struct fixture *f)
{
	learner_close(f->desk.learner);
	f->desk.learner = NULL;
}

/* As the command line imports: it may say when. */
static inline void be_curator(struct fixture *f)
{
	fixture_caller(f, fixture_rights("cli", SCOPE_ADMIN | SCOPE_AGENT, NULL, 0));
	f->call.may_set_time = 1;
}

static inline int set_up(void **state)
{
	struct fixture *f = fixture_open("none");

	*state = f;
	if (!f)
		return -1;
	be_curator(f);
	open_learner(f, 0);
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	close_learner(f);
	fixture_close(f);
	return 0;
}

static const char *const texts[2] = { "where is my parcel number %d", "please refund order %d" };

/* n conversations of each of two intents, each resolved by its article. */
static inline void learn(struct fixture *f, int from, int n)
{
	for (int i = from; i < from + n; i++)
		for (int l = 0; l < 2; l++) {
			int status;
			const char *said = arena_printf(f->arena, texts[l], i);
			const char *line = arena_printf(
				f->arena,
				"{'id':'c%d-%d','turns':[{'role':'customer','text':'%s'}],'resolution':"
				"{'outcome':'resolved','intent':'%s','text':'done','at':'2026-06-01T00:00:00Z','evidence_used':['%s']}}",
				l, i, said, l ? "refund" : "parcel", l ? "money" : "depot");
			NO_ERROR(f, conversation_import(&f->desk, &f->call, J(f, line), &status));
		}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

#endif
