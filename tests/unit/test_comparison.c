/* Two systems on one frozen dataset: figures by hand, and files that are wrong. */
#include "unit.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dice.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "datasets/comparison.h"
#include "datasets/measure.h"
#include "datasets/run.h"

#define CLOSE(a, b) assert_true(fabs((a) - (b)) < 1e-9)

#define QRELS "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td3\t2\nq3\td4\t1\n"

/* The files of a comparison: the dataset, A and B. */
struct files {
	char path[3][300];
};

static void write_one(struct files *f, int i, const char *text)
{
	const char *tmp = getenv("TMPDIR");
	struct error e;

	snprintf(f->path[i], sizeof(f->path[i]), "%s/readback-compare-XXXXXX", tmp ? tmp : "/tmp");
	int fd = mkstemp(f->path[i]);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_write(f->path[i], text, strlen(text), &e), 0);
}

static int compare(int labels, const char *metric, const char *const text[3], struct comparison **out,
		   struct error *e)
{
	struct files f;

	for (int i = 0; i < 3; i++)
		write_one(&f, i, text[i]);
	const char *const ab[] = { f.path[1], f.path[2] };
	*e = (struct error){ 0 };
	int rc = labels ? comparison_of_labels(f.path[0], ab, out, e)
			: comparison_of_runs(f.path[0], ab, metric_find(metric), out, e);
	for (int i = 0; i < 3; i++)
		unlink(f.path[i]);
	return rc;
}

static struct comparison *runs(const char *metric, const char *qrels, const char *a, const char *b)
{
	struct comparison *c;
	struct error e;

	if (compare(0, metric, (const char *const[]){ qrels, a, b }, &c, &e) < 0)
		fail_msg("%s", e.message);
	return c;
}

static struct comparison *labels(const char *test, const char *a, const char *b)
{
	struct comparison *c;
	struct error e;

	if (compare(1, NULL, (const char *const[]){ test, a, b }, &c, &e) < 0)
		fail_msg("%s", e.message);
	return c;
}

static void fails(int of_labels, const char *dataset, const char *a, const char *why)
{
	struct comparison *c;
	struct error e;

	assert_true(compare(of_labels, METRIC_SEARCH, (const char *const[]){ dataset, a, a }, &c, &e) < 0);
	if (!strstr(e.message, why))
		fail_msg("\"%s\" is not in: %s", why, e.message);
}

/* --- figures ---------------------------------------------------------------------------------------------- */

static void test_paired__a_worked_example(void **state)
{
	static const double a[] = { 0, 0, 0, 1 }, b[] = { 1, 1, 0, 1 };
	struct paired_scores p;

	(void)state;
	assert_int_equal(paired_measure(a, b, 4, 0, &p), 0);
	CLOSE(p.a, .25);
	CLOSE(p.b, .75);
	CLOSE(p.difference, .5);
	assert_int_equal(p.n, 4);
	assert_int_equal(p.wins, 2);
	assert_int_equal(p.ties, 2);
	assert_int_equal(p.losses, 0);
	/* Two differences of 1: of the four ways to sign them two give a sum of 2 or -2. */
	assert_true(fabs(p.p - .5) < .02);
	/* The mean of four draws from { 1, 1, 0, 0 }: 0 and 1 once in sixteen times each, more than .025. */
	CLOSE(p.interval[0], 0);
	CLOSE(p.interval[1], 1);
}

static void test_paired__equal_systems_give_no_difference_and_p_1(void **state)
{
	static const double a[] = { .25, 1, 0, .5, .7 };
	struct paired_scores p;

	(void)state;
	assert_int_equal(paired_measure(a, a, 5, 3, &p), 0);
	CLOSE(p.difference, 0);
	CLOSE(p.interval[0], 0);
	CLOSE(p.interval[1], 0);
	CLOSE(p.p, 1);
	assert_int_equal(p.ties, 5);
	CLOSE(p.a_interval[0], p.b_interval[0]);
	CLOSE(p.a_interval[1], p.b_interval[1]);
}

static void test_paired__the_same_seed_gives_the_same_figures(void **state)
{
	struct dice d = { 5 };
	double a[50], b[50];
	struct paired_scores x, y, z;

	(void)state;
	for (int i = 0; i < 50; i++) {
		a[i] = (double)dice_below(&d, 1000) / 1000;
		b[i] = (double)dice_below(&d, 1000) / 1000;
	}
	assert_int_equal(paired_measure(a, b, 50, 9, &x), 0);
	assert_int_equal(paired_measure(a, b, 50, 9, &y), 0);
	assert_int_equal(paired_measure(a, b, 50, 10, &z), 0);
	assert_memory_equal(&x, &y, sizeof(x));
	assert_true(x.interval[0] != z.interval[0] || x.interval[1] != z.interval[1]);
	/* a against b and b against a mirror each other */
	assert_int_equal(paired_measure(b, a, 50, 9, &y), 0);
	CLOSE(x.p, y.p);
	CLOSE(x.difference, -y.difference);
}

/* 200 pairs of systems of which B is better by .1 on average: near 95 % of the intervals have it in them. */
static void test_paired__the_interval_covers_the_truth(void **state)
{
	struct dice d = { 11 };
	int covered = 0, called = 0;

	(void)state;
	for (int run = 0; run < 200; run++) {
		double a[60], b[60];
		struct paired_scores p;
		for (int i = 0; i < 60; i++) {
			a[i] = (double)dice_below(&d, 1001) / 1000;
			b[i] = a[i] + .1 + ((double)dice_below(&d, 1001) / 1000 - .5);
		}
		assert_int_equal(paired_measure(a, b, 60, (uint64_t)run, &p), 0);
		covered += p.interval[0] <= .1 && .1 <= p.interval[1];
		called += p.p < .05;
	}
	print_message("seed 11: %d of 200 intervals cover, p < .05 in %d\n", covered, called);
	assert_in_range(covered, 178, 200);
	assert_in_range(called, 120, 200);
}

/* p is honest: of systems that are as good, one in twenty is called different at .05. */
static void test_paired__equals_are_seldom_called_different(void **state)
{
	struct dice d = { 12 };
	int called = 0;

	(void)state;
	for (int run = 0; run < 200; run++) {
		double a[40], b[40];
		struct paired_scores p;
		for (int i = 0; i < 40; i++) {
			a[i] = (double)dice_below(&d, 2);
			b[i] = (double)dice_below(&d, 2);
		}
		assert_int_equal(paired_measure(a, b, 40, (uint64_t)run, &p), 0);
		called += p.p < .05;
	}
	print_message("seed 12: p < .05 in %d of 200\n", called);
	assert_in_range(called, 0, 20);
}

/* --- searches --------------------------------------------------------------------------------------------- */

static void test_runs__both_forms_and_every_metric(void **state)
{
	static const char *const trec = "q1 Q0 d1 1 2.5 x\nq1 Q0 d9 2 1.5 x\n"
					"q2\tQ0\td9\t1\t3\tx\nq2\tQ0\td2\t2\t2e0\tx\n"
					"q3 Q0 d4 1 9 x\n";
	static const char *const json = "{\"query\":\"q1\",\"ranked\":[\"d1\",\"d9\"]}\n\n"
					"{\"query\":\"q2\",\"ranked\":[\"d9\",\"d2\"],\"more\":1}\n"
					"{\"query\":\"q3\",\"ranked\":[\"d4\"]}\n";
	const double ideal = 2 + 1 / log2(3);
	const double expected[][3] = { { 1, 1 / log2(3), 1 / ideal },
				       { 1, 0, .5 },
				       { 1, 1, .5 },
				       { 1, 1, .5 },
				       { 1, .5, 1 },
				       { 1, .5, .5 } };

	(void)state;
	for (size_t m = 0; m < 6; m++) {
		struct comparison *c = runs(metric_name(m), QRELS, trec, json);
		assert_int_equal(comparison_size(c), 3);
		for (int side = 0; side < 2; side++)
			for (int i = 0; i < 3; i++)
				CLOSE(comparison_scores(c, side)[i], expected[m][i]);
		comparison_free(c);
	}
	assert_string_equal(metric_name(6), METRIC_INTENT);
	assert_null(metric_name(7));
	assert_null(metric_find("bleu"));
}

/* As trec_eval: by score whatever the rank says, of equal ones the last id first. */
static void test_runs__order_is_that_of_the_scores(void **state)
{
	static const char *const by_rank = "q1 Q0 d9 1 1.0 x\nq1 Q0 d1 2 2.0 x\n";
	static const char *const tied = "q1 Q0 d1 1 1.0 x\nq1 Q0 d9 2 1.0 x\n";
	struct comparison *c = runs("mrr@10", "q1 0 d1 1\n", by_rank, tied);

	(void)state;
	CLOSE(comparison_scores(c, 0)[0], 1);
	CLOSE(comparison_scores(c, 1)[0], .5);
	comparison_free(c);
}

static void test_runs__missing_count_as_0_and_unknown_do_not_count(void **state)
{
	static const char *const a = "q1 Q0 d1 1 1 x\nq8 Q0 d1 1 1 x\nq9 Q0 d1 1 1 x\n";
	static const char *const b =
		"{\"query\":\"q1\",\"ranked\":[]}\n{\"query\":\"q2\",\"ranked\":[\"d2\"]}\n";
	struct comparison *c = runs("mrr@10", QRELS, a, b);
	const struct told *told = comparison_told(c, 0);

	(void)state;
	assert_int_equal(told->missing.n, 2);
	assert_string_equal(told->missing.names[0], "q2");
	assert_string_equal(told->missing.names[1], "q3");
	assert_int_equal(told->unknown.n, 2);
	assert_string_equal(told->unknown.names[1], "q9");
	CLOSE(comparison_scores(c, 0)[1], 0);
	/* A query for which nothing was found was answered. */
	assert_int_equal(comparison_told(c, 1)->missing.n, 1);
	assert_int_equal(comparison_told(c, 1)->unknown.n, 0);
	CLOSE(comparison_scores(c, 1)[0], 0);
	CLOSE(comparison_scores(c, 1)[1], 1);
	comparison_free(c);
}

static void test_runs__what_changed_most_comes_first(void **state)
{
	static const char *const a = "q1 Q0 d1 1 1 x\nq2 Q0 d9 2 2 x\nq2 Q0 d2 2 1 x\nq3 Q0 d3 1 1 x\n";
	static const char *const b = "q1 Q0 d9 1 1 x\nq2 Q0 d2 1 1 x\nq3 Q0 d3 1 1 x\n";
	struct comparison *c = runs("mrr@10", QRELS, a, b);
	struct shift s[10];
	struct error e;
	size_t n;

	(void)state;
	assert_int_equal(comparison_shifts(c, s, 10, &n, &e), 0);
	assert_int_equal(n, 2); /* q3 is as it was */
	assert_string_equal(s[0].name, "q1");
	CLOSE(s[0].a, 1);
	CLOSE(s[0].b, 0);
	assert_string_equal(s[1].name, "q2");
	CLOSE(s[1].b - s[1].a, .5);
	assert_int_equal(comparison_shifts(c, s, 1, &n, &e), 0);
	assert_int_equal(n, 1);
	comparison_free(c);
}

static void test_runs__wrong_lines_are_named(void **state)
{
	(void)state;
	fails(0, QRELS, "q1 Q0 d1 1 1 x\nq1 Q0 d1 2 .5 x\n",
	      ":2: document d1 was found for query q1 already, in line 1");
	fails(0, QRELS, "q1 Q0 d1 1 nan x\n", ":1: the score (column 5) is no finite number");
	fails(0, QRELS, "q1 Q0 d1 1 inf x\n", ":1: the score (column 5) is no finite number");
	fails(0, QRELS, "q1 Q0 d1 1 1.0x x\n", ":1: the score (column 5) is no finite number");
	fails(0, QRELS, "q1 Q0 d1 1 1 x\n\nq1 d2 1\n", ":3: a run has six columns");
	fails(0, QRELS, "q1 Q0 d1 1 1 x y z\n", "here are more than 6");
	fails(0, QRELS, "{\"query\":\"q1\",\"ranked\":[\"a\",\"b\",\"a\"]}\n",
	      ":1: document a was found for query q1 already");
	fails(0, QRELS, "{\"query\":\"q1\",\"ranked\":[]}\n{\"query\":\"q1\",\"ranked\":[]}\n",
	      ":2: query: q1 has a line already");
	fails(0, QRELS, "{\"query\":\"q1\",\"ranked\":[\"a\",3]}\n", ":1: ranked: element 1 is no id");
	fails(0, QRELS, "{\"query\":\"q1\"}\n", ":1: ranked: is required");
	fails(0, QRELS, "{\"ranked\":[]}\n", ":1: query: is required");
	fails(0, QRELS, "{\"query\":\"q1\",\"ranked\":[]\n", ":1: not valid JSON");
	fails(0, QRELS, "{\"query\":\"q1\",\"ranked\":[]}\nq2 Q0 d1 1 1 x\n", ":2: not valid JSON");
	fails(0, QRELS, "q1 Q0 d\xff 1 1 x\n", ":1: invalid UTF-8 at byte 7");
	fails(0, QRELS, "q7 Q0 d1 1 1 x\n", "has nothing of what is in");
	fails(0, QRELS, "", "has nothing of what is in");
	fails(0, "query-id\tcorpus-id\tscore\n", "q1 Q0 d1 1 1 x\n", "no judgement");
	fails(0, "q1 d1\n", "q1 Q0 d1 1 1 x\n", ":1: a judgement is query, document and score");
}

/* --- intents ---------------------------------------------------------------------------------------------- */

#define TEST                                                      \
	"{\"id\":\"t1\",\"text\":\"one\",\"label\":\"parcel\"}\n" \
	"{\"id\":\"t2\",\"text\":\"two\",\"label\":\"parcel\"}\n" \
	"{\"text\":\"three\",\"label\":\"refund\"}\n"             \
	"{\"text\":\"three\",\"label\":\"oos\"}\n"

static void test_labels__by_id_by_text_and_by_line(void **state)
{
	static const char *const objects = "{\"text\":\"three\",\"label\":\"refund\",\"confidence\":0.5}\n"
					   "{\"id\":\"t2\",\"label\":\"refund\"}\n"
					   "{\"id\":\"t1\",\"text\":\"two\",\"label\":\"parcel\"}\n";
	static const char *const lines = "parcel\r\n__label__parcel 0.98\n\noos\n";
	static const double expected[2][4] = { { 1, 0, 1, 0 }, { 1, 1, 0, 1 } };
	struct comparison *c = labels(TEST, objects, lines);
	struct shift s[10];
	struct error e;
	size_t n;

	(void)state;
	assert_int_equal(comparison_size(c), 4);
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < 4; i++)
			CLOSE(comparison_scores(c, side)[i], expected[side][i]);
	assert_int_equal(comparison_told(c, 0)->missing.n, 0);
	assert_int_equal(comparison_told(c, 1)->missing.n, 1);
	assert_string_equal(comparison_told(c, 1)->missing.names[0], "line 3");
	assert_int_equal(comparison_shifts(c, s, 10, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_string_equal(s[0].name, "parcel");
	assert_int_equal(s[0].n, 2);
	CLOSE(s[0].a, .5);
	CLOSE(s[0].b, 1);
	comparison_free(c);
}

static void test_labels__of_fasttext(void **state)
{
	struct comparison *c = labels("__label__parcel where is it\n__label__refund my money\n",
				      "__label__parcel\n__label__parcel\n",
				      "{\"text\":\"my money\",\"label\":\"refund\"}\n");

	(void)state;
	CLOSE(comparison_scores(c, 0)[0], 1);
	CLOSE(comparison_scores(c, 0)[1], 0);
	CLOSE(comparison_scores(c, 1)[0], 0);
	CLOSE(comparison_scores(c, 1)[1], 1);
	comparison_free(c);
}

static void test_labels__missing_and_unknown_are_told(void **state)
{
	static const char *const said =
		"{\"id\":\"t1\",\"label\":\"parcel\"}\n{\"id\":\"t9\",\"label\":\"x\"}\n"
		"{\"text\":\"four\",\"label\":\"x\"}\n{\"id\":\"t2\",\"label\":null}\n";
	struct comparison *c = labels(TEST, said, said);
	const struct told *told = comparison_told(c, 0);

	(void)state;
	assert_int_equal(told->missing.n, 3);
	assert_string_equal(told->missing.names[0], "t2");
	assert_int_equal(told->unknown.n, 2);
	assert_string_equal(told->unknown.names[0], "t9");
	assert_string_equal(told->unknown.names[1], "line 3"); /* not the text: it is the customer's */
	comparison_free(c);
}

static void test_labels__wrong_lines_are_named(void **state)
{
	(void)state;
	fails(1, TEST, "{\"id\":\"t1\",\"label\":\"a\"}\n{\"id\":\"t1\",\"label\":\"b\"}\n",
	      ":2: label: another one was given");
	fails(1, TEST, "{\"id\":\"t1\"}\n", ":1: label: is required");
	fails(1, TEST, "{\"id\":\"t1\",\"label\":7}\n", ":1: label: is required");
	fails(1, TEST, "{\"label\":\"a\"}\n", ":1: id: is required, or the text");
	fails(1, TEST, "a\nb\n", "2 labels, but there are 4 rows");
	fails(1, TEST, "a\na\na\na\na\n", ":5: there are more labels than the 4 rows");
	fails(1, TEST, "", "0 labels, but there are 4 rows");
	fails(1, TEST, "{\"id\":\"x\",\"label\":\"a\"}\n", "has nothing of what is in");
	fails(1, "", "a\n", "no example");
	fails(1, "{\"text\":\"one\"}\n", "a\n", ":1: label: is required");
	fails(1, "{\"label\":\"a\"}\n", "a\n", ":1: text: is required");
	fails(1, "__label__a __label__b text\n", "a\n", ":1: label: here are two of them");
	fails(1,
	      "{\"id\":\"1\",\"text\":\"a\",\"label\":\"a\"}\n{\"id\":\"1\",\"text\":\"b\",\"label\":\"a\"}\n",
	      "a\n", ":2: id: 1 has a line already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paired__a_worked_example),
		cmocka_unit_test(test_paired__equal_systems_give_no_difference_and_p_1),
		cmocka_unit_test(test_paired__the_same_seed_gives_the_same_figures),
		cmocka_unit_test(test_paired__the_interval_covers_the_truth),
		cmocka_unit_test(test_paired__equals_are_seldom_called_different),
		cmocka_unit_test(test_runs__both_forms_and_every_metric),
		cmocka_unit_test(test_runs__order_is_that_of_the_scores),
		cmocka_unit_test(test_runs__missing_count_as_0_and_unknown_do_not_count),
		cmocka_unit_test(test_runs__what_changed_most_comes_first),
		cmocka_unit_test(test_runs__wrong_lines_are_named),
		cmocka_unit_test(test_labels__by_id_by_text_and_by_line),
		cmocka_unit_test(test_labels__of_fasttext),
		cmocka_unit_test(test_labels__missing_and_unknown_are_told),
		cmocka_unit_test(test_labels__wrong_lines_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
