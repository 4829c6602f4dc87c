#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/dice.h"
#include "learn/linear.h"
#include "learn/linear_internal.h"

#define DIM 24
#define LABELS 5
#define SAMPLES 400

static float uniform(struct dice *d)
{
	return (float)(dice_next(d) >> 40) / (float)(1 << 24);
}

struct set {
	float dense[SAMPLES][DIM];
	struct feature sparse[SAMPLES][DIM];
	struct linear_sample as_dense[SAMPLES], as_sparse[SAMPLES];
};

/* A label is told by which of five coordinates is the largest; the others are noise. */
static struct set *make_set(uint64_t seed)
{
	struct set *s = calloc(1, sizeof(*s));
	struct dice d = { seed };

	assert_non_null(s);
	for (size_t i = 0; i < SAMPLES; i++) {
		uint32_t label = (uint32_t)(i % LABELS);
		for (size_t j = 0; j < DIM; j++) {
			s->dense[i][j] = .3f * uniform(&d) + (j == label ? .5f : 0);
			s->sparse[i][j] = (struct feature){ (uint32_t)j, s->dense[i][j] };
		}
		s->as_dense[i] = (struct linear_sample){ { .dense = s->dense[i] }, label, 1 };
		s->as_sparse[i] = (struct linear_sample){ { .features = s->sparse[i], .n = DIM }, label, 1 };
	}
	return s;
}

static struct linear_options options(void)
{
	return (struct linear_options){
		.labels = LABELS, .dim = DIM, .l2 = 1e-4, .rate = 2, .steps = 20000, .seed = 7
	};
}

static struct linear *train(const struct linear_sample *s, size_t n, const struct linear_options *o)
{
	struct linear *l = NULL;
	struct error e;

	assert_int_equal(linear_train(s, n, o, &l, &e), 0);
	return l;
}

static size_t best(const float *scores)
{
	size_t b = 0;

	for (size_t i = 1; i < LABELS; i++)
		b = scores[i] > scores[b] ? i : b;
	return b;
}

static double accuracy(const struct linear *l, const struct set *s)
{
	float scores[LINEAR_PAD] __attribute__((aligned(LINEAR_ALIGN)));
	size_t right = 0;

	assert_int_equal(linear_stride(l), LINEAR_PAD);
	for (size_t i = 0; i < SAMPLES; i++) {
		linear_scores(l, &s->as_dense[i].row, scores);
		right += best(scores) == s->as_dense[i].label;
	}
	return (double)right / SAMPLES;
}

static void test_linear__learns_what_can_be_told_by_a_line(void **state)
{
	struct set *taught = make_set(1), *others = make_set(2);
	struct linear_options o = options();
	struct linear *l = train(taught->as_dense, SAMPLES, &o);

	(void)state;
	assert_true(accuracy(l, taught) > .98);
	assert_true(accuracy(l, others) > .98);
	linear_free(l);
	free(taught);
	free(others);
}

static void test_linear__dense_and_sparse_rows_are_the_same(void **state)
{
	struct set *s = make_set(3);
	struct linear_options o = options();
	struct linear *a = train(s->as_dense, SAMPLES, &o), *b = train(s->as_sparse, SAMPLES, &o);
	size_t n = linear_bytes(LABELS, DIM);
	char *x = malloc(n), *y = malloc(n);

	(void)state;
	linear_write(a, x);
	linear_write(b, y);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
	linear_free(a);
	linear_free(b);
	free(s);
}

/* With nothing to tell them apart, the probabilities are the frequencies: the optimum is known. */
static void test_linear__without_features_it_learns_the_frequencies(void **state)
{
	static const double share[LABELS] = { .4, .3, .2, .1, 0 };
	struct linear_sample s[SAMPLES];
	float p[LINEAR_PAD] __attribute__((aligned(LINEAR_ALIGN)));
	struct linear_options o = options();

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		double at = (double)(i % 10) / 10;
		s[i] = (struct linear_sample){ .label = at < .4   ? 0
							: at < .7 ? 1
							: at < .9 ? 2
								  : 3,
					       .weight = 1 };
		s[i].row = (struct linear_row){ .features = &(struct feature){ 0, 0 }, .n = 0 };
	}
	o.rate = .05;
	o.steps = 200000;
	struct linear *l = train(s, SAMPLES, &o);
	linear_scores(l, &s[0].row, p);
	linear_softmax(p, LABELS, 1);
	for (size_t i = 0; i < LABELS; i++)
		assert_true(fabs(p[i] - share[i]) < .02);
	linear_free(l);
}

/* A sample of weight 0 is not there. */
static void test_linear__weights_count(void **state)
{
	struct set *s = make_set(4);
	struct linear_options o = options();

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		int wrong = i % 2 == 0;
		s->as_dense[i].label = wrong ? (s->as_dense[i].label + 1) % LABELS : s->as_dense[i].label;
		s->as_dense[i].weight = wrong ? 0 : 1;
	}
	struct linear *l = train(s->as_dense, SAMPLES, &o);
	struct set *clean = make_set(5);
	assert_true(accuracy(l, clean) > .95);
	linear_free(l);
	free(clean);
	free(s);
}

static void test_linear__the_same_seed_gives_the_same_bytes_and_another_does_not(void **state)
{
	struct set *s = make_set(6);
	struct linear_options o = options();
	size_t n = linear_bytes(LABELS, DIM);
	char *bytes[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		o.seed = i < 2 ? 11 : 12;
		struct linear *l = train(s->as_dense, SAMPLES, &o);
		bytes[i] = malloc(n);
		linear_write(l, bytes[i]);
		linear_free(l);
	}
	assert_memory_equal(bytes[0], bytes[1], n);
	assert_memory_not_equal(bytes[0], bytes[2], n);
	for (int i = 0; i < 3; i++)
		free(bytes[i]);
	free(s);
}

static void test_linear__comes_back_from_its_bytes(void **state)
{
	struct set *s = make_set(8);
	struct linear_options o = options();
	struct linear *l = train(s->as_dense, SAMPLES, &o), *back;
	size_t n = linear_bytes(LABELS, DIM);
	float *bytes = malloc(n), *again = malloc(n);
	struct error e;

	(void)state;
	linear_write(l, bytes);
	assert_int_equal(linear_read(bytes, LABELS, DIM, &back, &e), 0);
	linear_write(back, again);
	assert_memory_equal(bytes, again, n);
	assert_true(accuracy(back, s) == accuracy(l, s));
	linear_free(back);
	bytes[7] = NAN;
	assert_int_equal(linear_read(bytes, LABELS, DIM, &back, &e), ERR_CORRUPT);
	free(bytes);
	free(again);
	linear_free(l);
	free(s);
}

static void test_linear__stops_when_it_is_told_to(void **state)
{
	struct set *s = make_set(9);
	struct linear_options o = options();
	volatile int stop = 1;
	struct linear *l = NULL;
	struct error e;

	(void)state;
	o.stop = &stop;
	assert_int_equal(linear_train(s->as_dense, SAMPLES, &o, &l, &e), ERR_INTERRUPTED);
	assert_null(l);
	free(s);
}

static void test_linear__softmax_at_a_temperature(void **state)
{
	float s[] = { 1, 2, 3 }, big[] = { 1e4f, 0 };

	(void)state;
	double energy = linear_softmax(s, 3, 1);
	assert_true(fabs(energy - log(exp(1) + exp(2) + exp(3))) < 1e-6);
	assert_true(fabs(s[2] - exp(3) / (exp(1) + exp(2) + exp(3))) < 1e-6);
	assert_true(fabs(linear_softmax(big, 2, 1) - 1e4) < 1e-2);
	assert_true(big[0] == 1);
}

/* Every level of instructions adds the same, but for the order. */
static void test_linear__levels_agree(void **state)
{
	static const char *const names[] = { "avx2", "avx512" };
	enum { ROWS = 7, SIZE = 48 };
	float rows[2][ROWS][SIZE] __attribute__((aligned(LINEAR_ALIGN)));
	float y[2][SIZE] __attribute__((aligned(LINEAR_ALIGN))), a[ROWS];
	const struct linear_math *plain = linear_math_level("plain");

	(void)state;
	assert_null(linear_math_level("nonsense"));
	for (size_t k = 0; k < 2; k++) {
		const struct linear_math *m = linear_math_level(names[k]);
		struct dice d = { 17 };
		float *into[2][ROWS];
		if (!m) {
			print_message("%s is not here\n", names[k]);
			continue;
		}
		for (size_t i = 0; i < ROWS; i++) {
			a[i] = uniform(&d) - .5f;
			for (size_t j = 0; j < SIZE; j++)
				rows[0][i][j] = rows[1][i][j] = uniform(&d) - .5f;
			into[0][i] = rows[0][i];
			into[1][i] = rows[1][i];
		}
		memset(y, 0, sizeof(y));
		plain->add_rows(y[0], (const float *const *)into[0], a, ROWS, SIZE);
		m->add_rows(y[1], (const float *const *)into[1], a, ROWS, SIZE);
		plain->add_to_rows(into[0], a, ROWS, y[0], SIZE);
		m->add_to_rows(into[1], a, ROWS, y[0], SIZE);
		for (size_t j = 0; j < SIZE; j++) {
			assert_true(fabsf(y[0][j] - y[1][j]) < 1e-5f);
			for (size_t i = 0; i < ROWS; i++)
				assert_true(fabsf(rows[0][i][j] - rows[1][i][j]) < 1e-5f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear__learns_what_can_be_told_by_a_line),
		cmocka_unit_test(test_linear__dense_and_sparse_rows_are_the_same),
		cmocka_unit_test(test_linear__without_features_it_learns_the_frequencies),
		cmocka_unit_test(test_linear__weights_count),
		cmocka_unit_test(test_linear__the_same_seed_gives_the_same_bytes_and_another_does_not),
		cmocka_unit_test(test_linear__comes_back_from_its_bytes),
		cmocka_unit_test(test_linear__stops_when_it_is_told_to),
		cmocka_unit_test(test_linear__softmax_at_a_temperature),
		cmocka_unit_test(test_linear__levels_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
