/* Models that are kept: the same after a start, listed, rolled back, refused, and never half. */
#include "models_fixture.h"

#include <sys/stat.h>

#include "base/file.h"
#include "learn/intent.h"
#include "learn/models.h"

static void train(struct fixture *f)
{
	int rc = learner_train(f->desk.learner, 0, &f->err);

	NO_ERROR(f, rc);
}

static json_t *predict(struct fixture *f)
{
	return ACT(f, predict_show, J(f, "{'text':'the refund of my parcel'}"));
}

static json_t *list(struct fixture *f, const char *type)
{
	return at(ACT(f, model_list, text_of(type)), "data");
}

static json_t *activate(struct fixture *f, const char *id)
{
	json_t *result = ACT(f, model_activate_act, id);

	return ACT(f, model_act_show, result);
}

static const char *version(struct fixture *f)
{
	return string_at(predict(f), "models.intent");
}

static void test_models__are_the_same_after_a_start(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 20);
	train(f);
	json_t *before = predict(f);
	assert_true(string_at(before, "models.intent")[0] == 'm');
	assert_true(string_at(before, "models.usefulness")[0] == 'u');
	for (int read_only = 0; read_only < 2; read_only++) {
		close_learner(f);
		open_learner(f, read_only);
		/* Nothing is due: as much was learned from as there is. */
		if (!read_only)
			assert_int_equal(learner_train(f->desk.learner, 1, &f->err), 0);
		json_t *after = predict(f);
		assert_true(json_equal(at(before, "models"), at(after, "models")));
		assert_true(json_equal(at(before, "intent"), at(after, "intent")));
		assert_true(json_equal(at(before, "suggestions"), at(after, "suggestions")));
	}
}

static void test_models__are_listed_with_their_figures(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 20);
	train(f);
	json_t *m = json_array_get(list(f, "intent"), 0);
	assert_string_equal(string_at(m, "state"), "active");
	assert_string_equal(string_at(m, "type"), "intent");
	assert_int_equal(int_at(m, "facts.lessons"), 40);
	assert_true(int_at(m, "bytes") > 1000);
	assert_true(strncmp(string_at(m, "hash"), "sha256:", 7) == 0);
	assert_true(json_equal(ACT(f, model_get, string_at(m, "id")), m));
	FAILS(f, ERR_NOT_FOUND, model_get, "m999");
	/* Articles without vectors give no pair: there is nothing to refuse yet, and nothing is told. */
	assert_int_equal(json_array_size(list(f, "adapter")), 0);
	assert_int_equal(json_array_size(list(f, "usefulness")), 1);
}

/* The same labels give the same bytes, wherever they are learned. */
static void test_models__of_the_same_labels_have_the_same_bytes(void **state)
{
	struct fixture *f = *state, *other = fixture_open("none");

	be_curator(other);
	open_learner(other, 0);
	learn(f, 0, 20);
	learn(other, 0, 20);
	train(f);
	train(other);
	for (int i = 0; i < 2; i++) {
		const char *type = i ? "usefulness" : "intent";
		assert_string_equal(string_at(list(f, type), "0.hash"),
				    string_at(list(other, type), "0.hash"));
	}
	close_learner(other);
	fixture_close(other);
}

static void test_models__are_rolled_back_and_forward(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 20);
	train(f);
	const char *first = version(f);
	learn(f, 20, 20);
	train(f);
	const char *second = version(f);
	assert_string_not_equal(first, second);
	json_t *m = activate(f, first);
	assert_string_equal(string_at(m, "state"), "active");
	assert_true(json_is_true(at(m, "chosen")));
	assert_string_equal(version(f), first);
	/* What is chosen stays, over trainings and starts. */
	learn(f, 40, 20);
	train(f);
	assert_string_equal(version(f), first);
	const char *third = string_at(list(f, "intent"), "0.id");
	assert_string_equal(string_at(list(f, "intent"), "0.state"), "standby");
	close_learner(f);
	open_learner(f, 0);
	assert_string_equal(version(f), first);
	/* Once the newest is in force, newer ones follow. */
	assert_null(at(activate(f, third), "chosen"));
	assert_string_equal(version(f), third);
	learn(f, 60, 20);
	train(f);
	assert_string_not_equal(version(f), third);
	assert_string_equal(string_at(list(f, "intent"), "0.state"), "active");
	assert_string_equal(string_at(list(f, "intent"), "1.state"), "standby");
	activate(f, version(f)); /* as it is */
	FAILS(f, ERR_NOT_FOUND, model_activate_act, "m999");
}

static const char *path_of(struct fixture *f, const char *id)
{
	return arena_printf(f->arena, "%s/%s.model", models_folder(f), id);
}

static void flip(const char *path, long at)
{
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	int c = fgetc(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	fputc(c ^ 1, file);
	fclose(file);
}

static void test_models__that_are_damaged_or_lost_are_trained_anew(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 20);
	train(f);
	for (int lost = 0; lost < 2; lost++) {
		const char *id = version(f), *path = path_of(f, id);
		close_learner(f);
		if (lost)
			assert_int_equal(unlink(path), 0);
		else
			flip(path, 1000);
		open_learner(f, 0);
		assert_string_equal(version(f), "knn-1");
		json_t *facts = json_keep(f->arena, learner_facts(f->desk.learner));
		assert_non_null(strstr(string_at(facts, "intent.lost"), "model"));
		json_t *result = NULL;
		assert_int_equal(model_activate_act(&f->desk, &f->call, id, &result), ERR_CORRUPT);
		assert_int_equal(learner_train(f->desk.learner, 1, &f->err), 1);
		assert_string_not_equal(version(f), id);
		assert_true(version(f)[0] == 'm');
	}
}

/* A file that no record knows is what a crash left. */
static void test_models__what_a_crash_left_is_removed(void **state)
{
	struct fixture *f = *state;
	const char *left[] = { path_of(f, "m777"),
			       arena_printf(f->arena, "%s/m1.model.tmp", models_folder(f)) };

	learn(f, 0, 20);
	train(f);
	const char *id = version(f);
	close_learner(f);
	for (int i = 0; i < 2; i++)
		NO_ERROR(f, file_write(left[i], "half", 4, &f->err));
	open_learner(f, 0);
	for (int i = 0; i < 2; i++)
		assert_false(file_exists(left[i]));
	assert_true(file_exists(path_of(f, id)));
	assert_string_equal(version(f), id);
}

static struct models *registry(struct fixture *f)
{
	struct models *m;

	close_learner(f);
	NO_ERROR(f, models_open(f->desk.engine, models_folder(f), 0, &m, &f->err));
	return m;
}

static enum model_standing add(struct fixture *f, struct models *m, struct model_made made)
{
	struct packed p = { .head = J(f, "{'x':1}") };
	enum model_standing out = MODEL_OLD_STAYS;

	made.type = "intent";
	made.facts = J(f, "{'accuracy':0.5}");
	if (!made.why)
		made.packed = &p;
	NO_ERROR(f, models_add(m, &made, &out, &f->err));
	return out;
}

static void test_models__refused_ones_are_told_of_and_cannot_be_put_in_force(void **state)
{
	struct fixture *f = *state;
	struct models *m = registry(f);
	struct model_found found;
	const char *type;

	assert_int_equal(add(f, m, (struct model_made){ .id = "m1", .mark = 1 }), MODEL_ACTIVE);
	assert_int_equal(add(f, m, (struct model_made){ .id = "m2", .mark = 2, .why = "worse" }),
			 MODEL_OLD_STAYS);
	assert_string_equal(string_at(list(f, "intent"), "0.why"), "worse");
	assert_string_equal(string_at(list(f, "intent"), "0.state"), "refused");
	assert_false(file_exists(path_of(f, "m2")));
	assert_int_equal(models_active(m, "intent", f->arena, &found, &f->err), 1);
	assert_string_equal(found.id, "m1");
	assert_int_equal(models_find(m, &f->call, "m2", &found, &type), ERR_WRONG_STATE);
	assert_string_equal(f->err.state, "refused");
	assert_int_equal(
		add(f, m, (struct model_made){ .id = "m3", .mark = 3, .why = "of no use", .leaves_none = 1 }),
		MODEL_NONE_LEFT);
	assert_int_equal(models_active(m, "intent", f->arena, &found, &f->err), 0);
	models_close(m);
}

static void test_models__only_the_newest_and_the_active_one_are_kept(void **state)
{
	struct fixture *f = *state;
	struct models *m = registry(f);
	struct model_found found;
	json_t *result = NULL;
	const char *type;

	add(f, m, (struct model_made){ .id = "m1", .mark = 1 });
	add(f, m, (struct model_made){ .id = "m2", .mark = 2 });
	NO_ERROR(f, models_find(m, &f->call, "m1", &found, &type));
	assert_string_equal(type, "intent");
	NO_ERROR(f, models_activate(m, &f->call, "m1", &result));
	json_keep(f->arena, result);
	for (int i = 3; i < 3 + MODELS_KEPT; i++)
		assert_int_equal(add(f, m,
				     (struct model_made){ .id = arena_printf(f->arena, "m%d", i),
							  .mark = (uint64_t)i }),
				 MODEL_STANDS_BY);
	assert_int_equal(json_array_size(list(f, "intent")), MODELS_KEPT + 1);
	assert_true(file_exists(path_of(f, "m1")));
	assert_false(file_exists(path_of(f, "m2")));
	assert_true(file_exists(path_of(f, "m3")));
	FAILS(f, ERR_NOT_FOUND, model_get, "m2");
	models_close(m);
}

static void add_examples(struct fixture *f, const char *text, const char *label, int n)
{
	for (int i = 0; i < n; i++) {
		json_t *line = json_pack("{s:o, s:s}", "text", json_sprintf(text, i), "label", label);
		int status;
		NO_ERROR(f, example_import(&f->desk, &f->call, json_keep(f->arena, line), &status));
	}
}

/* What is taught wrong, in a flood, does not take the place of what is right; something new does. */
static void test_models__a_worse_one_is_refused_and_the_old_one_stays(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 100);
	train(f);
	const char *good = version(f);
	add_examples(f, "close the account %d of mine", "closing", 100);
	train(f);
	assert_string_not_equal(version(f), good);
	good = version(f);
	add_examples(f, "where is my parcel number %d now", "refund", 300);
	add_examples(f, "please refund order %d now", "parcel", 300);
	train(f);
	assert_string_equal(version(f), good);
	json_t *m = json_array_get(list(f, "intent"), 0);
	assert_string_equal(string_at(m, "state"), "refused");
	assert_non_null(strstr(string_at(m, "why"), "held out"));
	assert_true(int_at(m, "facts.compared.lessons") >= 30);
	assert_true(number_at(m, "facts.compared.accuracy") + .1 <
		    number_at(m, "facts.compared.accuracy_before"));
	/* Who knows better can have it all the same. */
	assert_string_equal(string_at(activate(f, string_at(m, "id")), "state"), "active");
	assert_string_equal(version(f), string_at(m, "id"));
}

/* Chosen or not, a file that is lost is trained anew, and what comes is in force. */
static void test_models__a_chosen_one_that_is_lost_is_replaced(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 20);
	train(f);
	const char *first = version(f);
	learn(f, 20, 20);
	train(f);
	activate(f, first);
	close_learner(f);
	assert_int_equal(unlink(path_of(f, first)), 0);
	open_learner(f, 0);
	assert_string_equal(version(f), "knn-1");
	train(f);
	assert_true(version(f)[0] == 'm');
	const char *now = version(f);
	close_learner(f);
	open_learner(f, 0);
	assert_string_equal(version(f), now);
}

static void test_models__nothing_is_kept_without_a_folder(void **state)
{
	struct fixture *f = *state;
	struct learner_options o = { .seed = 1 };
	json_t *result = NULL;

	close_learner(f);
	assert_int_equal(model_activate_act(&f->desk, &f->call, "m1", &result), ERR_NOT_READY);
	NO_ERROR(f, learner_open(f->desk.engine, &o, &f->desk.learner, &f->err));
	learn(f, 0, 20);
	train(f);
	assert_true(version(f)[0] == 'm');
	assert_int_equal(json_array_size(list(f, "intent")), 0);
	assert_int_equal(model_activate_act(&f->desk, &f->call, version(f), &result), ERR_NOT_READY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_models__are_the_same_after_a_start),
		TEST(test_models__are_listed_with_their_figures),
		TEST(test_models__of_the_same_labels_have_the_same_bytes),
		TEST(test_models__are_rolled_back_and_forward),
		TEST(test_models__that_are_damaged_or_lost_are_trained_anew),
		TEST(test_models__what_a_crash_left_is_removed),
		TEST(test_models__refused_ones_are_told_of_and_cannot_be_put_in_force),
		TEST(test_models__only_the_newest_and_the_active_one_are_kept),
		TEST(test_models__a_worse_one_is_refused_and_the_old_one_stays),
		TEST(test_models__a_chosen_one_that_is_lost_is_replaced),
		TEST(test_models__nothing_is_kept_without_a_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
