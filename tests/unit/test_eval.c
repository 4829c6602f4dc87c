#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dice.h"
#include "base/file.h"
#include "datasets/curve.h"
#include "datasets/measure.h"
#include "datasets/qrels.h"

#define CLOSE(a, b) assert_true(fabs((a) - (b)) < 1e-9)

/* Figures by trec_eval's formulas, worked out by hand. */
static void test_ranking__graded_gains(void **state)
{
	static const struct judged judged[] = { { "a", 3 }, { "b", 2 }, { "c", 3 },
						{ "d", 0 }, { "e", 1 }, { "f", 2 } };
	static const char *const ranked[] = { "a", "b", "c", "d", "e", "f" };
	struct ranking_scores s;

	(void)state;
	ranking_score(ranked, 6, judged, 6, &s);
	double dcg = 3 + 2 / log2(3) + 3 / log2(4) + 1 / log2(6) + 2 / log2(7);
	double ideal = 3 + 3 / log2(3) + 2 / log2(4) + 2 / log2(5) + 1 / log2(6);
	CLOSE(s.ndcg10, dcg / ideal);
	CLOSE(s.recall1, 1 / 5.0);
	CLOSE(s.recall5, 4 / 5.0);
	CLOSE(s.recall10, 1);
	CLOSE(s.mrr10, 1);
	CLOSE(ranking_average_precision(ranked, 6, judged, 6), (1 + 1 + 1 + 4 / 5.0 + 5 / 6.0) / 5);
}

static void test_ranking__what_is_behind_ten_counts_for_the_average_only(void **state)
{
	static const struct judged judged[] = { { "x", 1 }, { "y", 1 } };
	static const char *const ranked[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "x", "y" };
	struct ranking_scores s;

	(void)state;
	ranking_score(ranked, 12, judged, 2, &s);
	CLOSE(s.ndcg10, 0);
	CLOSE(s.recall10, 0);
	CLOSE(s.mrr10, 0);
	CLOSE(ranking_average_precision(ranked, 12, judged, 2), (1 / 11.0 + 2 / 12.0) / 2);
	ranking_score(ranked + 9, 3, judged, 2, &s);
	CLOSE(s.mrr10, .5);
	CLOSE(s.ndcg10, (1 / log2(3) + 1 / log2(4)) / (1 + 1 / log2(3)));
}

static void test_ranking__more_relevant_than_ten(void **state)
{
	struct judged judged[20];
	const char *ranked[10];
	char names[20][12];
	struct ranking_scores s;

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(names[i], sizeof(names[i]), "%d", i);
		judged[i] = (struct judged){ names[i], 1 };
	}
	for (int i = 0; i < 10; i++)
		ranked[i] = names[19 - i];
	ranking_score(ranked, 10, judged, 20, &s);
	CLOSE(s.ndcg10, 1);
	CLOSE(s.recall10, .5);
}

static void test_ranking__nothing_found_and_nothing_relevant(void **state)
{
	static const struct judged judged[] = { { "a", 0 }, { "b", -1 } };
	static const char *const ranked[] = { "a", "b" };
	struct ranking_scores s;

	(void)state;
	ranking_score(ranked, 2, judged, 2, &s);
	CLOSE(s.ndcg10, 0);
	CLOSE(ranking_average_precision(ranked, 2, judged, 2), 0);
	ranking_score(NULL, 0, judged, 2, &s);
	CLOSE(s.recall5, 0);
}

static void test_guess__accuracy_and_f1_are_of_the_in_scope(void **state)
{
	static const struct guess g[] = {
		{ 0, 0, .9, .1 }, { 0, 1, .6, .2 }, { 1, 1, .8, .1 }, { 2, -1, 0, .9 }, { -1, 0, .5, .8 },
	};

	(void)state;
	CLOSE(guess_accuracy(g, 5), 2 / 4.0);
	/* label 0: 2*1/(2+1); 1: 2*1/(1+2); 2: 0; 3 is not met */
	CLOSE(guess_macro_f1(g, 5, 4), (2 / 3.0 + 2 / 3.0 + 0) / 3);
	CLOSE(guess_accuracy(g, 0), 0);
}

static void test_guess__calibration(void **state)
{
	struct guess g[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		g[i] = (struct guess){ 0, i < 80 ? 0 : 1, .8, 0 };
	CLOSE(guess_ece(g, 100), 0);
	for (int i = 0; i < 100; i++)
		g[i].confidence = 1;
	CLOSE(guess_ece(g, 100), .2);
}

/* Against the definition: every pair. */
static void test_guess__auroc_equals_counting_pairs(void **state)
{
	struct dice d = { 7 };
	struct guess g[200];
	double wins = 0, pairs = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		g[i] = (struct guess){ dice_below(&d, 3) ? 0 : -1, 0, 0, (double)dice_below(&d, 12) };
	for (int i = 0; i < 200; i++)
		for (int j = 0; j < 200; j++) {
			if (g[i].truth >= 0 || g[j].truth < 0)
				continue;
			pairs++;
			wins += g[i].out_of_scope > g[j].out_of_scope    ? 1
				: g[i].out_of_scope == g[j].out_of_scope ? .5
									 : 0;
		}
	CLOSE(guess_auroc(g, 200), wins / pairs);
	CLOSE(guess_auroc(g, 0), -1);
}

static void test_guess__oos_recall_rejects_no_more_than_it_may(void **state)
{
	struct guess g[40];

	(void)state;
	for (int i = 0; i < 20; i++)
		g[i] = (struct guess){ 0, 0, 1, i };
	for (int i = 20; i < 40; i++)
		g[i] = (struct guess){ -1, 0, 1, i - 10.5 };
	/* One in-scope row of twenty may be above: 19, so the threshold is above 18. */
	CLOSE(guess_oos_recall(g, 40, .05), 11 / 20.0);
	CLOSE(guess_oos_recall(g, 40, 0), 10 / 20.0);
	for (int i = 0; i < 40; i++)
		g[i].out_of_scope = 1; /* one tie: all or nothing */
	CLOSE(guess_oos_recall(g, 40, .05), 0);
}

static void test_dice__the_same_seed_the_same_order(void **state)
{
	struct dice a = { 42 }, b = { 42 };
	size_t x[50], y[50], seen = 0;

	(void)state;
	for (size_t i = 0; i < 50; i++)
		x[i] = y[i] = i;
	dice_shuffle(&a, x, 50);
	dice_shuffle(&b, y, 50);
	assert_memory_equal(x, y, sizeof(x));
	for (size_t i = 0; i < 50; i++)
		seen |= (size_t)1 << x[i];
	assert_int_equal(seen, ((size_t)1 << 50) - 1);
	assert_int_equal(dice_next(&(struct dice){ 0 }), 0xe220a8397b1dcdafu); /* splitmix64's first number */
}

static void test_numbers__percentiles_and_intervals(void **state)
{
	double v[100], lo, hi;

	(void)state;
	for (int i = 0; i < 100; i++)
		v[i] = 100 - i;
	CLOSE(percentile_of(v, 100, .5), 50);
	CLOSE(percentile_of(v, 100, .99), 99);
	CLOSE(percentile_of(v, 1, .99), 1);
	CLOSE(percentile_of(v, 0, .5), 0);
	assert_int_equal(bootstrap_mean(v, 100, 1, &lo, &hi), 0);
	assert_true(lo > 43 && lo < 47 && hi > 54 && hi < 58);
	double again_lo, again_hi;
	bootstrap_mean(v, 100, 1, &again_lo, &again_hi);
	CLOSE(lo, again_lo);
	CLOSE(deviation_of(v, 1), 0);
	double two[] = { 1, 3 };
	CLOSE(deviation_of(two, 2), sqrt(2));
}

/* --- files of judgements ----------------------------------------------------------------------------- */

static int read_qrels(const char *text, struct qrels **out, struct error *e)
{
	const char *tmp = getenv("TMPDIR");
	char path[300];
	snprintf(path, sizeof(path), "%s/readback-qrels-XXXXXX", tmp ? tmp : "/tmp");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_write(path, text, strlen(text), e), 0);
	int rc = qrels_read(path, out, e);
	unlink(path);
	return rc;
}

static void test_qrels__beir_and_trec(void **state)
{
	const struct judged *judged;
	struct qrels *q;
	struct error e;

	(void)state;
	assert_int_equal(
		read_qrels("query-id\tcorpus-id\tscore\nq1\td 1\t2\r\nq1\td2\t0\n\nq2\td3\t1", &q, &e), 0);
	assert_int_equal(qrels_queries(q), 2);
	assert_int_equal(qrels_of(q, "q1", &judged), 2);
	assert_string_equal(judged[0].document, "d 1");
	assert_int_equal(judged[0].gain, 2);
	assert_int_equal(qrels_of(q, "q3", &judged), 0);
	qrels_free(q);
	assert_int_equal(read_qrels("q1 0 d1 1\nq1 0 d2 -1\n", &q, &e), 0);
	assert_int_equal(qrels_of(q, "q1", &judged), 2);
	assert_string_equal(judged[1].document, "d2");
	assert_int_equal(judged[1].gain, -1);
	qrels_free(q);
}

static void test_qrels__wrong_lines_are_named(void **state)
{
	struct qrels *q;
	struct error e;

	(void)state;
	assert_int_equal(read_qrels("q1\td1\t1\nq1\td2\thigh\n", &q, &e), ERR_BAD_VALUE);
	assert_non_null(strstr(e.message, ":2: "));
	assert_int_equal(read_qrels("q1\td1\n", &q, &e), ERR_BAD_VALUE);
	assert_int_equal(qrels_read("/nowhere/qrels.tsv", &q, &e), ERR_NOT_FOUND);
}

/* --- curves ------------------------------------------------------------------------------------------ */

static void test_curve__gaps_names_and_bars(void **state)
{
	static const double x[] = { 100, 200, 300 }, y[] = { .1, NAN, .99 };
	struct curve c = { "a < b & c", y, .5 };
	struct curve_plot p = { "title", "cases", x, 3, &c, 1, "dashed: <10 %" };
	STRBUF_AUTO svg = STRBUF_INIT, text = STRBUF_INIT;

	(void)state;
	curve_svg(&p, &svg);
	assert_non_null(strstr(svg.p, "a &lt; b &amp; c"));
	assert_null(strstr(svg.p, "nan"));
	assert_non_null(strstr(svg.p, "stroke-dasharray"));
	assert_non_null(strstr(svg.p, "dashed: &lt;10 %"));
	assert_string_equal(svg.p + svg.n - 7, "</svg>\n");
	curve_text(&p, &text);
	assert_string_equal(text.p, "a < b & c          ▁ █  0.100 to 0.990  (0.500 without learning)\n");
}

static void test_curve__nothing_to_draw(void **state)
{
	struct curve_plot p = { "title", "cases", NULL, 0, NULL, 0, NULL };
	STRBUF_AUTO svg = STRBUF_INIT;

	(void)state;
	curve_svg(&p, &svg);
	assert_null(strstr(svg.p, "nan"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranking__graded_gains),
		cmocka_unit_test(test_ranking__what_is_behind_ten_counts_for_the_average_only),
		cmocka_unit_test(test_ranking__more_relevant_than_ten),
		cmocka_unit_test(test_ranking__nothing_found_and_nothing_relevant),
		cmocka_unit_test(test_guess__accuracy_and_f1_are_of_the_in_scope),
		cmocka_unit_test(test_guess__calibration),
		cmocka_unit_test(test_guess__auroc_equals_counting_pairs),
		cmocka_unit_test(test_guess__oos_recall_rejects_no_more_than_it_may),
		cmocka_unit_test(test_dice__the_same_seed_the_same_order),
		cmocka_unit_test(test_numbers__percentiles_and_intervals),
		cmocka_unit_test(test_qrels__beir_and_trec),
		cmocka_unit_test(test_qrels__wrong_lines_are_named),
		cmocka_unit_test(test_curve__gaps_names_and_bars),
		cmocka_unit_test(test_curve__nothing_to_draw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
