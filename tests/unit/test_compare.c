#include "handoff_fixture.h"

#include "desk/compare.h"

/*
 * What the thresholds of compare.h were chosen on. With vectors 95 of 98 pairs
 * come out right, by words alone 91.
 */
#define PAIRS "tests/unit/data/readback_pairs.ndjson"
#define ACCURACY_WORDS .92
#define ACCURACY_VECTORS .95

static struct likeness likeness(struct fixture *f, struct desk *d, struct text a, struct text b)
{
	struct text both[2] = { a, b };
	struct compared *c;
	struct likeness l;

	NO_ERROR(f, compare_prepare(d, f->arena, both, 2, &c, &f->err));
	assert_int_equal(compare_two(f->arena, &c[0], &c[1], &l), 0);
	return l;
}

static double accuracy(struct fixture *f, struct desk *d)
{
	FILE *in = fopen(PAIRS, "r");
	char line[4096];
	size_t n = 0, right = 0;

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		json_t *j;
		NO_ERROR(f, json_parse_arena(f->arena, line, strlen(line), &f->err, &j));
		struct likeness l = likeness(f, d, body_text(j, "a"), body_text(j, "b"));
		int good = l.agree == body_bool(j, "agree");
		n++;
		right += (size_t)good;
		if (!good)
			print_message("wrong (%s; words %.2f, cosine %.2f): %s",
				      l.because ? l.because : "agree", l.words, l.cosine, line);
	}
	fclose(in);
	assert_true(n >= 60);
	print_message("%zu of %zu pairs\n", right, n);
	return (double)right / (double)n;
}

static void test_compare__pairs_by_words(void **state)
{
	assert_true(accuracy(*state, NULL) >= ACCURACY_WORDS);
}

static void test_compare__pairs_with_vectors(void **state)
{
	(void)state;
	struct fixture *f = fixture_open("minilm");

	if (!f)
		skip();
	double got = accuracy(f, &f->desk);
	fixture_close(f);
	assert_true(got >= ACCURACY_VECTORS);
}

static struct likeness alike(struct fixture *f, const char *a, const char *b)
{
	return likeness(f, NULL, text_of(a), text_of(b));
}

static void test_compare__facts_decide(void **state)
{
	struct fixture *f = *state;

	assert_true(alike(f, "refund of 149,00 EUR", "refund of 149 euros").agree);
	assert_string_equal(alike(f, "refund within 2 days", "refund within 3 days").because,
			    "lacks \"2 days\"");
	assert_string_equal(alike(f, "call back", "call back tomorrow").because, "adds \"tomorrow\"");
	assert_true(alike(f, "call back in 48 hours", "call back in two days").agree);
	assert_false(alike(f, "call on 5 June 2026", "call on 5 June 2027").agree);
	assert_true(alike(f, "call on 5 June 2026", "call on June 5th").agree);
}

static void test_compare__negations_decide(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(alike(f, "the order is not cancelled", "the order is cancelled").because,
			    "negation differs");
	assert_true(alike(f, "the order won't be cancelled", "the order will not be cancelled").agree);
	assert_false(alike(f, "refund it, do not replace it", "replace it, do not refund it").agree);
	assert_true(alike(f, "no problem, we cancel the order", "we cancel the order").agree);
}

static void test_compare__empty_and_odd_texts(void **state)
{
	struct fixture *f = *state;

	assert_false(alike(f, "?!", "...").agree);
	assert_true(alike(f, "14:05", "2:05 pm").agree);
	assert_false(alike(f, "", "refund").related);
}

/* Every assignment of n by n, for comparison. */
static double best_by_trying(const double *gains, size_t n, size_t row, unsigned taken)
{
	double best = 0;

	if (row == n)
		return 0;
	best = best_by_trying(gains, n, row + 1, taken);
	for (size_t j = 0; j < n; j++) {
		if (taken & 1u << j)
			continue;
		double with = gains[row * n + j] + best_by_trying(gains, n, row + 1, taken | 1u << j);
		best = with > best ? with : best;
	}
	return best;
}

static void test_assign__is_as_good_as_trying_all(void **state)
{
	struct fixture *f = *state;
	double gains[36] = { 0 };
	long to[6];

	srand(5);
	for (int run = 0; run < 200; run++) {
		size_t n = 1 + (size_t)rand() % 6;
		double sum = 0;
		for (size_t i = 0; i < n * n; i++)
			gains[i] = rand() % 3 ? rand() % 10 : 0;
		assert_int_equal(assign_pairs(f->arena, gains, n, n, to), 0);
		for (size_t i = 0; i < n; i++)
			sum += to[i] < 0 ? 0 : gains[i * n + (size_t)to[i]];
		assert_true(sum == best_by_trying(gains, n, 0, 0));
	}
}

static void test_assign__sides_of_different_length(void **state)
{
	struct fixture *f = *state;
	const double wide[] = { 1, 5, 3 }, tall[] = { 1, 5, 3 };
	long to[3];

	assert_int_equal(assign_pairs(f->arena, wide, 1, 3, to), 0);
	assert_int_equal(to[0], 1);
	assert_int_equal(assign_pairs(f->arena, tall, 3, 1, to), 0);
	assert_int_equal(to[0], -1);
	assert_int_equal(to[1], 0);
	assert_int_equal(to[2], -1);
	assert_int_equal(assign_pairs(f->arena, tall, 2, 0, to), 0);
	assert_int_equal(to[1], -1);
	assert_int_equal(assign_pairs(f->arena, tall, 0, 2, to), 0);
}

static void facts(struct fixture *f, const char *text, const char *expected)
{
	const struct fact *list;
	long n = facts_find(f->arena, text, strlen(text), &list);
	char got[512] = "";

	assert_true(n >= 0);
	for (long i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? "; " : "", list[i].value);
	assert_string_equal(got, expected);
}

static void test_facts__ways_of_writing(void **state)
{
	struct fixture *f = *state;

	facts(f, "€149 or 149.50 EUR, £3, 5 dollars", "149 eur; 149.5 eur; 3 gbp; 5 usd");
	facts(f, "20 %, 20%, 100 percent", "20 %; 20 %; 100 %");
	facts(f, "5-7 working days, a 14-day window, a week", "5; 7 workday; 20160 min; 10080 min");
	facts(f, "2026-06-05, 5.6.2026, 5th of June, June 5, 2026, in July",
	      "2026-06-05; 2026-06-05; 06-05; 2026-06-05; month 07");
	facts(f, "twenty-one days, two hundred", "30240 min; 200");
	facts(f, "today, tomorrow evening, next week, Friday", "today; tomorrow; evening; next week; friday");
	facts(f, "at 14:05, 2 pm or noon. Good morning", "14:05; 14:00; 12:00");
	facts(f, "VK-20418, #12345, E-4021, Bob@Example.com", "VK20418; 12345; E4021; bob@example.com");
	facts(f, "1,234.50 and 1.234.567 and 5.2.0", "1234.5; 1234567; 5.2.0");
	facts(f, "you may march on, it is one of them", "");
	facts(f, "", "");
	facts(f, "café – “5” … ½", "5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_compare__pairs_by_words),
		cmocka_unit_test(test_compare__pairs_with_vectors),
		TEST(test_compare__facts_decide),
		TEST(test_compare__negations_decide),
		TEST(test_compare__empty_and_odd_texts),
		TEST(test_assign__is_as_good_as_trying_all),
		TEST(test_assign__sides_of_different_length),
		TEST(test_facts__ways_of_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
