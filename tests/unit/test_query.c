#include "desk_fixture.h"

#include <math.h>

#include "desk/query.h"
#include "ingest/ingest.h"

static int set_up(void **state)
{
	return (*state = fixture_open("none")) ? 0 : -1;
}

static int set_up_model(void **state)
{
	*state = fixture_open("minilm");
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static struct conversation load(struct fixture *f, const char *body)
{
	struct conversation v;
	json_t *r = ACT(f, conversation_act, J(f, body));

	NO_ERROR(f, conversation_load(&f->desk, &f->call, string_at(r, "conversation"), &v));
	return v;
}

static struct desk_query query(struct fixture *f, const struct conversation *v)
{
	struct desk_query q;

	NO_ERROR(f, query_of_conversation(&f->desk, f->arena, v, &q, &f->err));
	return q;
}

static float weight_of(const struct desk_query *q, const char *word)
{
	for (size_t i = 0; i < q->n_terms; i++)
		if (strcmp(q->terms[i].word, word) == 0)
			return q->terms[i].weight;
	return 0;
}

static void test_query__silent_customer(void **state)
{
	struct fixture *f = *state;
	struct conversation v = load(f, "{'turns':[{'role':'bot','text':'Hello'}]}");
	struct desk_query q = query(f, &v);

	assert_null(q.text.s);
	assert_null(q.terms);
	assert_int_equal(q.n_terms, 0);
}

static void test_query__opening_is_joined(void **state)
{
	struct fixture *f = *state;
	struct conversation v = load(
		f, "{'turns':[{'role':'customer','text':'Hi there'},{'role':'bot','text':'Yes?'},"
		   "{'role':'customer','text':'my parcel'},{'role':'customer','text':'is late'}]}");
	struct desk_query q = query(f, &v);

	assert_true(text_is(q.text, "Hi there\nmy parcel\nis late"));
	assert_true(weight_of(&q, "late") == 1);
	assert_true(weight_of(&q, "parcel") == 1);
	assert_true(weight_of(&q, "yes") == 0);
}

static void test_query__later_turns_keep_rare_words_of_earlier_ones(void **state)
{
	static const char *const texts[] = { "{'text':'order of a thermostat'}",
					     "{'text':'order installation'}",
					     "{'text':'order manual, subscription renewal'}" };
	struct fixture *f = *state;
	char id[] = "d-0";

	for (int i = 0; i < 3; i++, id[2]++)
		ACT(f, document_act, id, J(f, texts[i]));
	struct conversation v = load(
		f,
		"{'turns':[{'role':'customer','text':'The order has a thermostat'},"
		"{'role':'customer','text':'order order thing'},{'role':'customer','text':'installation manual'},"
		"{'role':'customer','text':'subscription renewal'},{'role':'customer','text':'it blinks red'}]}");
	struct desk_query q = query(f, &v);

	assert_true(text_is(q.text, "it blinks red"));
	assert_true(weight_of(&q, "blinks") == 1);
	assert_true(fabsf(weight_of(&q, "subscription") - .3f) < 1e-6f);
	assert_true(fabsf(weight_of(&q, "thermostat") - .3f) < 1e-6f);
	assert_true(weight_of(&q, "order") == 0); /* all documents have it */
	assert_true(weight_of(&q, "thing") == 0); /* none has it */
	assert_int_equal(q.n_terms, 2 + 4);
}

static double dot(const float *a, const float *b, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += (double)a[i] * b[i];
	return s;
}

static void test_query__vector_leans_on_the_last_turn(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	struct conversation v = load(f, "{'turns':[{'role':'customer','text':'Hello'},"
					"{'role':'customer','text':'I bought a heat pump'},"
					"{'role':'customer','text':'It is installed in the cellar'},"
					"{'role':'customer','text':'Now the display shows an error'}]}");
	size_t dim = embedder_info(f->desk.embedder)->dim;
	float expected[1024] = { 0 };
	struct desk_query q = query(f, &v);

	assert_non_null(q.vector);
	assert_true(fabs(dot(q.vector, q.vector, dim) - 1) < 1e-4);
	for (size_t t = 0; t < 4; t++) {
		assert_non_null(v.turns[t].vector);
		for (size_t i = 0; i < dim; i++)
			expected[i] += v.turns[t].vector[i] * (t == 3 ? 1.f : .5f / 3);
	}
	double norm = sqrt(dot(expected, expected, dim));
	assert_true(fabs(dot(q.vector, expected, dim) / norm - 1) < 1e-4);
	/* What is about the whole goes by the whole. */
	const char *said = "Hello\nI bought a heat pump\nIt is installed in the cellar\n"
			   "Now the display shows an error\n";
	struct desk_query whole = { 0 };
	NO_ERROR(f, query_of_text(&f->desk, f->arena, text_of(said), &whole, &f->err));
	assert_non_null(q.whole);
	assert_true(dot(q.whole, whole.vector, dim) > .99);
	query_for_cases(&q);
	assert_ptr_equal(q.vector, q.whole);
}

static struct desk_query lean(struct fixture *f, const struct conversation *v)
{
	struct desk_query q = query(f, v);

	NO_ERROR(f, query_lean(&f->desk, f->arena, v, &q, &f->err));
	return q;
}

#define TWO_QUESTIONS                                          \
	"{'turns':[{'role':'customer','text':'Is it heavy?'}," \
	"{'role':'customer','text':'How loud is the pump?'}]}"

static void test_query_lean__of_two_questions_the_second_counts_more(void **state)
{
	struct fixture *f = *state;

	ACT(f, document_act, "d", J(f, "{'text':'A heavy pump is loud'}"));
	struct conversation v = load(f, TWO_QUESTIONS);
	struct desk_query q = lean(f, &v);

	assert_true(weight_of(&q, "loud") == 1);
	assert_true(weight_of(&q, "pump") == 1);
	assert_true(fabsf(weight_of(&q, "heavy") - .4f) < 1e-6f); /* two of three words were said last */
}

static void test_query_lean__a_name_that_was_asked_for_changes_nothing(void **state)
{
	struct fixture *f = *state;

	ACT(f, document_act, "d", J(f, "{'text':'A heavy pump is loud'}"));
	struct conversation v = load(f, "{'turns':[{'role':'customer','text':'The pump is loud'},"
					"{'role':'customer','text':'Alice Morgenstern'}]}");
	struct desk_query q = lean(f, &v);

	assert_true(weight_of(&q, "pump") == 1);
	assert_true(weight_of(&q, "loud") == 1);
	assert_true(weight_of(&q, "alice") == 1);
}

static void test_query_lean__vector(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	ACT(f, document_act, "d", J(f, "{'text':'A heavy pump is loud'}"));
	struct conversation v = load(f, TWO_QUESTIONS);
	size_t dim = embedder_info(f->desk.embedder)->dim;
	float expected[1024];
	struct desk_query whole = query(f, &v), q = lean(f, &v);

	for (size_t i = 0; i < dim; i++)
		expected[i] = whole.vector[i] + 2 * (2 / 3.f) * v.turns[1].vector[i];
	double norm = sqrt(dot(expected, expected, dim));
	assert_true(fabs(dot(q.vector, q.vector, dim) - 1) < 1e-4);
	assert_true(fabs(dot(q.vector, expected, dim) / norm - 1) < 1e-4);
}

static void test_query_lean__one_turn_or_many_stay(void **state)
{
	struct fixture *f = *state;

	ACT(f, document_act, "d", J(f, "{'text':'A heavy pump is loud, red, cold'}"));
	struct conversation one = load(f, "{'turns':[{'role':'customer','text':'The pump is loud'}]}");
	struct conversation many = load(
		f, "{'turns':[{'role':'customer','text':'heavy'},{'role':'customer','text':'loud'},"
		   "{'role':'customer','text':'red'},{'role':'customer','text':'cold'}]}");
	struct desk_query q = lean(f, &one);

	assert_true(weight_of(&q, "pump") == 1);
	q = lean(f, &many);
	assert_true(weight_of(&q, "cold") == 1);
	assert_true(fabsf(weight_of(&q, "heavy") - .3f) < 1e-6f);
}

static void test_query__one_turn_uses_its_stored_vector(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	struct conversation v = load(f, "{'turns':[{'role':'customer','text':'My heat pump is cold'}]}");
	struct desk_query q = query(f, &v);
	assert_ptr_equal(q.vector, v.turns[0].vector);
}

/* Counted by what is missing: turns that have a vector are not embedded again. */
static void test_conversation_embed__only_what_is_new(void **state)
{
	struct fixture *f = *state;

	if (!f) {
		skip();
		return;
	}
	struct conversation v = load(f, "{'id':'c','turns':[{'role':'customer','text':'one'},"
					"{'role':'bot','text':'two'}]}");
	const float *first = v.turns[0].vector;
	struct turn t = { .role = "customer", .text = text_of("three"), .author = "k" };
	assert_non_null(first);
	assert_null(v.turns[1].vector);
	NO_ERROR(f, conversation_add_turn(&f->call, &v, &t));
	assert_null(v.turns[2].vector);
	NO_ERROR(f, conversation_embed(&f->desk, f->arena, &v, &f->err));
	assert_ptr_equal(v.turns[0].vector, first);
	assert_non_null(v.turns[2].vector);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define MODEL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_model, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_query__silent_customer),
		TEST(test_query__opening_is_joined),
		TEST(test_query__later_turns_keep_rare_words_of_earlier_ones),
		MODEL_TEST(test_query__vector_leans_on_the_last_turn),
		TEST(test_query_lean__of_two_questions_the_second_counts_more),
		TEST(test_query_lean__a_name_that_was_asked_for_changes_nothing),
		MODEL_TEST(test_query_lean__vector),
		TEST(test_query_lean__one_turn_or_many_stay),
		MODEL_TEST(test_query__one_turn_uses_its_stored_vector),
		MODEL_TEST(test_conversation_embed__only_what_is_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
