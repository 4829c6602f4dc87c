/* How much words count, where that is learned: from ranks that were seen before they were learned from. */
#include "models_fixture.h"

#include "desk/boosts.h"
#include "learn/fusion.h"
#include "learn/packed.h"

#define CASES 100

/* Rank 1 from the weight number `from` on, and `otherwise` below. */
static struct fusion_ranks ranks_from(size_t from, unsigned otherwise)
{
	struct fusion_ranks r = { 0 };

	for (size_t i = 0; i < FUSION_WEIGHTS; i++)
		r.rank[i] = i >= from ? 1 : otherwise;
	return r;
}

static void test_fusion__the_usual_weight_is_the_one_that_searches_have(void **state)
{
	(void)state;
	assert_true(fusion_weights[FUSION_USUAL] == search_default_weights(COLLECTION_DOCUMENT).words);
}

static void test_fusion__chooses_what_puts_the_article_first(void **state)
{
	struct fusion_ranks list[CASES];
	struct fusion_report r;
	struct error e;

	(void)state;
	for (size_t i = 0; i < CASES; i++)
		list[i] = ranks_from(i % 3 ? 4 : 0, i % 2 ? 3 : 0);
	assert_int_equal(fusion_fit(list, CASES, &r, &e), 0);
	assert_true(r.words == fusion_weights[4]);
	assert_true(r.worth && r.gain > .3);
	assert_true(r.best == 1 && r.usual < .7);
}

/* Each half of the cases likes another weight: what one chooses is no good for the other. */
static void test_fusion__what_does_not_hold_for_other_cases_is_not_worth_it(void **state)
{
	struct fusion_ranks list[CASES];
	struct fusion_report r;
	struct error e;

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		list[i] = ranks_from(0, 1);
		list[i].rank[FUSION_USUAL] = 2;
		list[i].rank[i % 2 ? 3 : 5] = 1;
		list[i].rank[i % 2 ? 5 : 3] = 9;
		for (size_t w = 0; w < FUSION_WEIGHTS; w++)
			if (w != FUSION_USUAL && w != 3 && w != 5)
				list[i].rank[w] = 4;
	}
	assert_int_equal(fusion_fit(list, CASES, &r, &e), 0);
	assert_false(r.worth);
	for (size_t i = 0; i < CASES; i++)
		list[i] = ranks_from(0, 1);
	assert_int_equal(fusion_fit(list, CASES, &r, &e), 0);
	assert_false(r.worth); /* all are the same: the usual one stays */
	assert_true(r.words == fusion_weights[FUSION_USUAL]);
}

static void test_fusion__says_what_is_missing(void **state)
{
	struct fusion_ranks list[FUSION_LEAST] = { 0 };
	struct fusion_report r;
	struct error e;

	(void)state;
	assert_int_equal(fusion_fit(list, FUSION_LEAST - 1, &r, &e), ERR_NOT_READY);
	assert_non_null(strstr(e.message, "59 resolutions"));
	assert_int_equal(fusion_fit(list, FUSION_LEAST, &r, &e), 0);
}

static void test_fusion__ranks_are_kept_as_json(void **state)
{
	struct fusion_ranks r = ranks_from(2, 50), back;

	(void)state;
	r.company = FUSION_USEFULNESS;
	JSON_AUTO *j = fusion_ranks_json(&r);
	assert_int_equal(fusion_ranks_parse(j, &back), 0);
	assert_memory_equal(&r, &back, sizeof(r));
	json_array_set_new(json_object_get(j, "ranks"), 0, json_integer(FUSION_DEEP + 1));
	assert_int_equal(fusion_ranks_parse(j, &back), -1);
	json_array_clear(json_object_get(j, "ranks"));
	assert_int_equal(fusion_ranks_parse(j, &back), -1);
	assert_int_equal(fusion_ranks_parse(NULL, &back), -1);
}

static void test_fusion__comes_back_from_its_bytes(void **state)
{
	struct fixture *f = *state;
	struct fusion x = { .4, FUSION_ADAPTER }, *back = NULL;
	struct packed p;

	assert_int_equal(fusion_pack(&x, f->arena, &p), 0);
	NO_ERROR(f, fusion_unpack(&p, &back, &f->err));
	assert_true(back->words == .4 && back->company == FUSION_ADAPTER);
	free(back);
	json_object_set_new(p.head, "words", json_real(1.5));
	assert_int_equal(fusion_unpack(&p, &back, &f->err), ERR_CORRUPT);
	json_object_set_new(p.head, "words", json_real(.5));
	json_object_del(p.head, "company");
	assert_int_equal(fusion_unpack(&p, &back, &f->err), ERR_CORRUPT);
}

/* A resolution as a desk with an embedder would have kept it. */
static void put_seen(struct fixture *f, int n, size_t from)
{
	const char *id = arena_printf(f->arena, "r-%d", n);
	struct fusion_ranks ranks = ranks_from(from, 4);
	json_t *expected = json_pack("{s:o}", "documents", fusion_ranks_json(&ranks));
	json_t *body = json_keep(f->arena, json_pack("{s:s, s:s, s:s, s:o}", "handoff", "h", "conversation",
						     "c", "outcome", "resolved", "expected", expected));
	struct change change = { .kind = RECORD_RESOLUTION, .id = id, .body = body };
	struct event ev = { .stream = arena_printf(f->arena, "conversation/%s", id),
			    .kind = "handoff.resolved",
			    .principal = "k",
			    .agent = "k",
			    .changes = &change,
			    .n = 1 };
	struct commit done;

	NO_ERROR(f, engine_commit(f->desk.engine, &ev, &done, &f->err));
}

static const char *fusion_of(struct fixture *f)
{
	return string_at(ACT(f, predict_show, J(f, "{'text':'where is it'}")), "models.fusion");
}

static void test_fusion__is_learned_from_resolutions_and_refused_again(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	assert_string_equal(fusion_of(f), "tmm-1");
	while (n < FUSION_LEAST - 1)
		put_seen(f, n++, 5);
	NO_ERROR(f, learner_train(f->desk.learner, 1, &f->err));
	assert_string_equal(fusion_of(f), "tmm-1");
	put_seen(f, n++, 5);
	assert_int_equal(learner_train(f->desk.learner, 1, &f->err), 1);
	const char *version = arena_strdup(f->arena, fusion_of(f));
	assert_int_equal(version[0], 'f');
	json_t *listed = at(ACT(f, model_list, text_of("fusion")), "data.0");
	assert_string_equal(string_at(listed, "state"), "active");
	assert_true(number_at(listed, "facts.words") == .5);
	close_learner(f);
	open_learner(f, 0);
	assert_string_equal(fusion_of(f), version);
	/* The latest resolutions see no difference any more. */
	while (n < FUSION_LEAST + FUSION_WINDOW)
		put_seen(f, n++, 0);
	assert_int_equal(learner_train(f->desk.learner, 1, &f->err), 1);
	assert_string_equal(fusion_of(f), "tmm-1");
	assert_string_equal(string_at(at(ACT(f, model_list, text_of("fusion")), "data.0"), "state"),
			    "refused");
}

static void test_fusion__weighs_searches_of_documents_in_its_own_company_alone(void **state)
{
	struct fixture *f = *state;
	const struct fusion own = { .3, 0 }, other = { .3, FUSION_ADAPTER };
	struct learned l = { .fusion = &own };
	struct intent in = { 0 };
	struct search_request r = { .kinds = { COLLECTION_DOCUMENT }, .n_kinds = 1 }, cases = r, both = r,
			      chosen = r;

	cases.kinds[0] = both.kinds[1] = COLLECTION_CASE;
	both.n_kinds = 2;
	chosen.weights.words = 1;
	assert_int_equal(boosts_set(f->arena, &l, &in, &r), 0);
	assert_true(r.weights.words == .3 && r.weights.vector == .7);
	assert_int_equal(boosts_set(f->arena, &l, &in, &cases), 0);
	assert_int_equal(boosts_set(f->arena, &l, &in, &both), 0);
	assert_int_equal(boosts_set(f->arena, &l, &in, &chosen), 0);
	assert_true(cases.weights.words == 0 && both.weights.words == 0);
	assert_true(chosen.weights.words == 1 && chosen.weights.vector == 0);
	l.fusion = &other;
	r.weights = (struct search_weights){ 0, 0 };
	assert_int_equal(boosts_set(f->arena, &l, &in, &r), 0);
	assert_true(r.weights.words == 0);
}

/* --- with vectors ---------------------------------------------------------------------------------------- */

static int set_up_vectors(void **state)
{
	struct fixture *f = fixture_open("minilm");

	*state = f;
	if (!f)
		return 0; /* no model: the test skips */
	be_curator(f);
	open_learner(f, 0);
	return 0;
}

static int tear_down_vectors(void **state)
{
	return *state ? tear_down(state) : 0;
}

static json_t *kept_of(struct fixture *f, const char *conversation)
{
	const struct scan s = {
		.kind = RECORD_RESOLUTION, .field = { "conversation" }, .value = { conversation }, .limit = 2
	};
	struct record *found;
	size_t n;

	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &found, &n, &f->err));
	assert_int_equal(n, 1);
	return at(found[0].body, "expected.documents");
}

/* The words name one article, and the sense is nearer to another: with more weight on words the first one rises. */
static void test_fusion__a_resolution_keeps_where_its_article_stood(void **state)
{
	struct fixture *f = *state;
	int status;

	if (!f) {
		skip();
		return;
	}
	put_document(f, "sense", "Veterinary clinic",
		     "Animals that are ill, dogs above all, are treated here by a vet.", NULL);
	put_document(f, "words", "Council",
		     "The council, what the council says, and the report of the council on taxes.", NULL);
	put_document(f, "third", "Bread", "How to bake bread with yeast.", NULL);
	const char *const line =
		"{'id':'%s','turns':[{'role':'customer','text':'my puppy is sick, says the council'}],"
		"'resolution':{'outcome':'resolved','intent':'vet','text':'done','evidence_used':%s}}";
	const char *const used[] = { "[]", "['words']", "['sense']", "['gone']" };
	for (int i = 0; i < 4; i++)
		NO_ERROR(f,
			 conversation_import(&f->desk, &f->call,
					     J(f, arena_printf(f->arena, line,
							       arena_printf(f->arena, "c-%d", i), used[i])),
					     &status));
	assert_null(kept_of(f, "c-0"));
	struct fusion_ranks words, sense, gone;
	assert_int_equal(fusion_ranks_parse(kept_of(f, "c-1"), &words), 0);
	assert_int_equal(fusion_ranks_parse(kept_of(f, "c-2"), &sense), 0);
	assert_int_equal(words.company, 0);
	assert_true(words.rank[0] > 1);
	assert_int_equal(words.rank[FUSION_WEIGHTS - 1], 1);
	assert_int_equal(sense.rank[0], 1);
	assert_true(sense.rank[FUSION_WEIGHTS - 1] > 1);
	assert_int_equal(fusion_ranks_parse(kept_of(f, "c-3"), &gone), 0);
	for (size_t i = 0; i < FUSION_WEIGHTS; i++)
		assert_int_equal(gone.rank[i], 0); /* there is no such article */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fusion__the_usual_weight_is_the_one_that_searches_have),
		cmocka_unit_test(test_fusion__chooses_what_puts_the_article_first),
		cmocka_unit_test(test_fusion__what_does_not_hold_for_other_cases_is_not_worth_it),
		cmocka_unit_test(test_fusion__says_what_is_missing),
		cmocka_unit_test(test_fusion__ranks_are_kept_as_json),
		cmocka_unit_test_setup_teardown(test_fusion__comes_back_from_its_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fusion__is_learned_from_resolutions_and_refused_again,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_fusion__weighs_searches_of_documents_in_its_own_company_alone, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_fusion__a_resolution_keeps_where_its_article_stood,
						set_up_vectors, tear_down_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
