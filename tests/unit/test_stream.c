#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "datasets/stream.h"

/* The order of a replay, and what is made hard about it. */
#define N 600
#define LABELS 12
#define OTHERS 100
#define SEED 7

static int labels[N];

static int setup(void **state)
{
	(void)state;
	printf("seed %d\n", SEED);
	for (int i = 0; i < N; i++)
		labels[i] = i % LABELS;
	return 0;
}

static struct stream plain(void)
{
	return (struct stream){ .n = N, .labels = labels, .n_labels = LABELS, .seed = SEED };
}

/* Every row is there once, of those out of scope `mixed`. */
static void assert_complete(const struct stream *s, const size_t *out)
{
	unsigned char seen[N + OTHERS] = { 0 };
	size_t outside = 0;

	for (size_t i = 0; i < s->n + s->mixed; i++) {
		assert_true(out[i] < s->n + s->n_others);
		assert_false(seen[out[i]]);
		seen[out[i]] = 1;
		outside += out[i] >= s->n;
	}
	assert_int_equal(outside, s->mixed);
}

static void test_stream__the_order_of_the_file_unless_shuffled(void **state)
{
	struct stream s = plain();
	unsigned char late[LABELS];
	size_t out[N], again[N], other[N];

	(void)state;
	assert_int_equal(stream_order(&s, out, late), 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(out[i], i);
	s.shuffle = 1;
	stream_order(&s, out, late);
	stream_order(&s, again, late);
	assert_memory_equal(out, again, sizeof(out));
	s.seed++;
	stream_order(&s, other, late);
	assert_memory_not_equal(out, other, sizeof(out));
	assert_complete(&s, other);
}

static void test_stream__late_labels_come_in_the_second_half(void **state)
{
	struct stream s = plain();
	unsigned char late[LABELS];
	size_t out[N], n_late = 0, before = 0, in_first = 0, in_last = 0;

	(void)state;
	s.drift = 1;
	assert_int_equal(stream_order(&s, out, late), 0);
	assert_complete(&s, out);
	for (size_t k = 0; k < LABELS; k++)
		n_late += late[k];
	assert_int_equal(n_late, LABELS / 3);
	for (size_t i = 0; i < N; i++) {
		int held = late[labels[out[i]]];
		before += held && i < N / 2;
		in_first += held && i >= N / 2 && i < 3 * N / 4;
		in_last += held && i >= 3 * N / 4;
	}
	assert_int_equal(before, 0);
	/* Mixed with the rest from the half on, not behind it. */
	assert_in_range(in_first, N / 8, N / 4);
	assert_int_equal(in_first + in_last, N / 3);
	for (size_t i = 1; i < N / 2; i++)
		assert_true(out[i] > out[i - 1]);
}

static void test_stream__drift_with_too_little_else_or_no_labels(void **state)
{
	static const int few[6] = { 0, 0, 0, 0, 1, -1 };
	struct stream s = { .n = 6, .labels = few, .n_labels = 3, .drift = 1, .seed = SEED };
	unsigned char late[3];
	size_t out[6];

	(void)state;
	for (s.seed = 1; s.seed < 20; s.seed++) {
		assert_int_equal(stream_order(&s, out, late), 0);
		assert_complete(&s, out);
	}
	s.n_labels = 0;
	s.labels = (const int[]){ -1, -1, -1, -1, -1, -1 };
	assert_int_equal(stream_order(&s, out, late), 0);
	assert_complete(&s, out);
}

static void test_stream__rows_out_of_scope_come_behind_the_history(void **state)
{
	struct stream s = plain();
	unsigned char late[LABELS];
	size_t out[N + OTHERS], first_half = 0, last = 0;

	(void)state;
	s.history = 150;
	s.n_others = OTHERS;
	s.mixed = stream_mixed(&s, .1);
	assert_int_equal(s.mixed, 50); /* of 450 + 50 */
	assert_int_equal(stream_order(&s, out, late), 0);
	assert_complete(&s, out);
	for (size_t i = 0; i < N + s.mixed; i++) {
		assert_true(i >= s.history || out[i] < N);
		first_half += out[i] >= N && i < s.history + 250;
		if (out[i] < N) {
			assert_true(out[i] == 0 || out[i] == last + 1);
			last = out[i];
		}
	}
	assert_in_range(first_half, 12, 38);
	assert_int_equal(stream_mixed(&s, .9), OTHERS); /* no more than there are */
	assert_int_equal(stream_mixed(&s, 0), 0);
}

static void test_stream__wrong_labels_are_others_and_as_many_as_wanted(void **state)
{
	struct stream s = plain();
	int told[N], again[N];
	size_t differ = 0;

	(void)state;
	assert_int_equal(stream_labels(&s, told), 0);
	assert_memory_equal(told, labels, sizeof(told));
	s.wrong = .1;
	size_t n = stream_labels(&s, told);
	for (size_t i = 0; i < N; i++) {
		assert_in_range(told[i], 0, LABELS - 1);
		differ += told[i] != labels[i];
	}
	assert_int_equal(differ, n);
	assert_in_range(n, 35, 90);
	stream_labels(&s, again);
	assert_memory_equal(told, again, sizeof(told));
	s.wrong = 1;
	assert_int_equal(stream_labels(&s, told), N);
}

static void test_stream__what_has_no_label_is_not_told_one(void **state)
{
	static const int some[4] = { 0, -1, 1, -1 };
	struct stream s = { .n = 4, .labels = some, .n_labels = 2, .wrong = 1, .seed = SEED };
	int told[4];

	(void)state;
	assert_int_equal(stream_labels(&s, told), 2);
	assert_int_equal(told[0], 1);
	assert_int_equal(told[1], -1);
	assert_int_equal(told[2], 0);
	assert_int_equal(told[3], -1);
	s.n_labels = 1;
	assert_int_equal(stream_labels(&s, told), 0); /* there is no other */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream__the_order_of_the_file_unless_shuffled),
		cmocka_unit_test(test_stream__late_labels_come_in_the_second_half),
		cmocka_unit_test(test_stream__drift_with_too_little_else_or_no_labels),
		cmocka_unit_test(test_stream__rows_out_of_scope_come_behind_the_history),
		cmocka_unit_test(test_stream__wrong_labels_are_others_and_as_many_as_wanted),
		cmocka_unit_test(test_stream__what_has_no_label_is_not_told_one),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
