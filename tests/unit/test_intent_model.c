#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/dice.h"
#include "learn/intent_model.h"
#include "learn/ngrams.h"
#include "learn/votes.h"

#define DIM 32
#define LABELS 6

static const char *const names[LABELS] = { "billing", "delivery", "login", "refund", "returns", "warranty" };
static const char *const words[LABELS][4] = {
	{ "invoice", "charged", "receipt", "payment" }, { "parcel", "courier", "shipped", "arrive" },
	{ "password", "locked", "account", "signin" },  { "money", "refunded", "back", "credit" },
	{ "return", "label", "exchange", "size" },      { "broken", "warranty", "repair", "defect" },
};

struct class
{
	struct arena *arena;
	struct lessons lessons;
	float centres[LABELS][DIM];
	struct dice dice;
};

static struct text text_from(const char *s)
{
	return (struct text){ s, strlen(s) };
}

static float noise(struct dice *d)
{
	return (float)(dice_next(d) >> 40) / (float)(1 << 24) - .5f;
}

/* A text of a label, and a vector near the label's centre. */
static struct lesson make_lesson(struct class *c, uint32_t label, int with_vector)
{
	struct lesson l = { .label = label, .weight = 1 };
	const char *const *w = words[label];
	char *s = arena_printf(c->arena, "hello %s and %s no %zu", w[dice_below(&c->dice, 4)],
			       w[dice_below(&c->dice, 4)], dice_below(&c->dice, 1000));
	float *v = arena_alloc(c->arena, DIM * sizeof(*v)), n = 0;

	l.text = (struct text){ s, strlen(s) };
	for (int j = 0; j < DIM; j++) {
		v[j] = c->centres[label][j] + 1.2f * noise(&c->dice);
		n += v[j] * v[j];
	}
	for (int j = 0; j < DIM; j++)
		v[j] /= sqrtf(n);
	l.vector = with_vector ? v : NULL;
	return l;
}

static struct class *make_class(uint64_t seed, size_t n, int with_vectors)
{
	struct class *c = calloc(1, sizeof(*c));

	c->arena = arena_new(1 << 16);
	c->dice = (struct dice){ seed };
	for (int l = 0; l < LABELS; l++)
		for (int j = 0; j < DIM; j++)
			c->centres[l][j] = noise(&c->dice);
	struct lesson *list = arena_alloc(c->arena, n * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = make_lesson(c, (uint32_t)(i % LABELS), with_vectors);
	c->lessons = (struct lessons){ names, LABELS, list, n, with_vectors ? DIM : 0 };
	return c;
}

static void free_class(struct class *c)
{
	arena_free(c->arena);
	free(c);
}

static struct intent_model *train(const struct lessons *l, uint64_t seed)
{
	struct intent_training o = { .seed = seed };
	struct intent_model *m = NULL;
	struct error e = { 0 };

	if (intent_model_train(l, &o, &m, &e) < 0)
		fail_msg("%s", e.message);
	return m;
}

static struct intent_opinion ask(const struct intent_model *m, struct class *c, const struct lesson *l,
				 const struct intent_votes *v)
{
	struct intent_opinion o;

	assert_int_equal(intent_model_ask(m, c->arena, l->vector, l->text, v, &o), 0);
	return o;
}

static size_t best(const float *p)
{
	size_t b = 0;

	for (size_t i = 1; i < LABELS; i++)
		b = p[i] > p[b] ? i : b;
	return b;
}

static void tells_labels(int with_vectors)
{
	struct class *c = make_class(1, 240, with_vectors);
	struct intent_model *m = train(&c->lessons, 3);
	float none[LABELS] = { 0 };
	struct intent_votes votes = { .share = none };
	size_t right = 0;

	assert_int_equal(intent_model_labels(m), LABELS);
	assert_int_equal(intent_model_dim(m), with_vectors ? DIM : 0);
	assert_int_equal(intent_model_find(m, "login"), 2);
	assert_int_equal(intent_model_find(m, "nothing"), -1);
	for (uint32_t i = 0; i < 60; i++) {
		struct lesson l = make_lesson(c, i % LABELS, with_vectors);
		struct intent_opinion o = ask(m, c, &l, &votes);
		double sum = 0;
		for (size_t k = 0; k < LABELS; k++)
			sum += o.p[k];
		assert_true(fabs(sum - 1) < 1e-4);
		right += best(o.p) == l.label;
	}
	assert_true(right >= 57);
	intent_model_free(m);
	free_class(c);
}

static void test_intent_model__tells_labels_by_vectors_and_words(void **state)
{
	(void)state;
	tells_labels(1);
}

static void test_intent_model__tells_labels_by_words_alone(void **state)
{
	(void)state;
	tells_labels(0);
}

/* What votes say of labels that the model does not know stays theirs. */
static void test_intent_model__leaves_room_for_labels_it_does_not_know(void **state)
{
	struct class *c = make_class(2, 120, 1);
	struct intent_model *m = train(&c->lessons, 3);
	float share[LABELS] = { .1f };
	struct intent_votes votes = { .share = share, .unknown = .9, .top = .8 };
	struct lesson l = make_lesson(c, 4, 1);
	double sum = 0;

	(void)state;
	struct intent_opinion o = ask(m, c, &l, &votes);
	for (size_t k = 0; k < LABELS; k++)
		sum += o.p[k];
	assert_true(fabs(sum - .1) < 1e-4);
	votes = (struct intent_votes){ .share = (float[LABELS]){ 0 }, .unknown = 1, .top = .8 };
	o = ask(m, c, &l, &votes);
	for (size_t k = 0; k < LABELS; k++)
		assert_true(o.p[k] == 0);
	intent_model_free(m);
	free_class(c);
}

static void test_intent_model__what_is_like_nothing_is_out_of_scope(void **state)
{
	struct class *c = make_class(3, 600, 1);
	struct intent_model *m = train(&c->lessons, 3);
	struct intent_votes near = { .share = (float[LABELS]){ 0 }, .top = .8 },
			    far = { .share = (float[LABELS]){ 0 }, .top = .1 };
	struct lesson known = make_lesson(c, 1, 1), other = known;
	float v[DIM];

	(void)state;
	/* As far from all centres as can be had: the mean of two opposite directions. */
	for (int j = 0; j < DIM; j++)
		v[j] = (j % 2 ? 1 : -1) / sqrtf(DIM);
	other.vector = v;
	other.text = text_from("zzz qqq");
	assert_true(ask(m, c, &known, &near).out_of_scope < ask(m, c, &other, &far).out_of_scope);
	assert_true(ask(m, c, &other, &far).out_of_scope > .9);
	intent_model_free(m);
	free_class(c);
}

static float dot(const float *x, const float *y)
{
	float sum = 0;

	for (int j = 0; j < DIM; j++)
		sum += x[j] * y[j];
	return sum;
}

static int nearer(const void *x, const void *y)
{
	double a = ((const struct voter *)x)->score, b = ((const struct voter *)y)->score;

	return a > b ? -1 : a < b;
}

/* As intent.h counts votes: of the nearest lessons. */
static struct intent_votes votes_of(struct class *c, const struct lesson *l)
{
	size_t n = c->lessons.n;
	struct voter *all = arena_alloc(c->arena, n * sizeof(*all));
	float *share = arena_alloc(c->arena, LABELS * sizeof(*share));
	struct votes votes;

	for (size_t i = 0; i < n; i++)
		all[i] = (struct voter){ .label = names[c->lessons.list[i].label],
					 .score = dot(c->lessons.list[i].vector, l->vector),
					 .hash = i,
					 .key = "",
					 .customer = "" };
	qsort(all, n, sizeof(*all), nearer);
	votes_count(all, VOTES_FETCHED, 1, &votes);
	for (size_t i = 0; i < votes.n; i++)
		for (int k = 0; k < LABELS; k++)
			if (strcmp(names[k], votes.list[i].label) == 0)
				share[k] = (float)votes.list[i].share;
	return (struct intent_votes){ .share = share, .top = all[0].score };
}

/* A third of the texts say nothing of their label, and have any: the confidence of those must tell. */
static void test_intent_model__is_as_sure_as_it_is_right(void **state)
{
	struct class *c = make_class(8, 1500, 1);
	struct lesson *list = (struct lesson *)c->lessons.list;
	double sure[2] = { 0 }, right[2] = { 0 }, n[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < c->lessons.n; i++)
		if (i / LABELS % 3 == 0) {
			list[i].vector = list[0].vector;
			list[i].text = text_from(arena_printf(c->arena, "hello %zu", i));
			list[i].label = (uint32_t)dice_below(&c->dice, LABELS);
		}
	struct intent_model *m = train(&c->lessons, 3);
	for (uint32_t i = 0; i < 600; i++) {
		int says_nothing = i % 3 == 0;
		struct lesson l = make_lesson(c, (uint32_t)dice_below(&c->dice, LABELS), 1);
		if (says_nothing) {
			l.vector = list[0].vector;
			l.text = text_from(arena_printf(c->arena, "hello again %u", i));
		}
		struct intent_votes votes = votes_of(c, &l);
		struct intent_opinion o = ask(m, c, &l, &votes);
		sure[says_nothing] += intent_model_confidence(m, o.p[best(o.p)], &o);
		right[says_nothing] += best(o.p) == l.label;
		n[says_nothing]++;
	}
	for (int k = 0; k < 2; k++) {
		print_message("%s: sure %.3f, right %.3f\n", k ? "says nothing" : "says it", sure[k] / n[k],
			      right[k] / n[k]);
		assert_true(fabs(sure[k] - right[k]) / n[k] < .12);
	}
	intent_model_free(m);
	free_class(c);
}

/* The less a text looks like those in scope, the less sure of it. */
static void test_intent_model__is_less_sure_of_what_is_far(void **state)
{
	struct class *c = make_class(9, 600, 1);
	struct intent_model *m = train(&c->lessons, 3);
	struct intent_votes votes = { .share = (float[LABELS]){ 0 }, .top = .8 };
	struct lesson l = make_lesson(c, 1, 1);
	struct intent_opinion near = ask(m, c, &l, &votes), far = near;

	(void)state;
	far.scope_score -= 3;
	assert_true(intent_model_confidence(m, .8, &far) <= intent_model_confidence(m, .8, &near));
	assert_true(intent_model_confidence(m, .3, &near) < intent_model_confidence(m, .8, &near));
	intent_model_free(m);
	free_class(c);
}

static void test_intent_model__the_same_lessons_give_the_same_answers(void **state)
{
	struct class *c = make_class(4, 200, 1);
	struct intent_model *a = train(&c->lessons, 9), *b = train(&c->lessons, 9);
	struct intent_votes votes = { .share = (float[LABELS]){ .5f, .5f }, .top = .7 };

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		struct lesson l = make_lesson(c, i % LABELS, 1);
		struct intent_opinion x = ask(a, c, &l, &votes), y = ask(b, c, &l, &votes);
		assert_memory_equal(x.p, y.p, LABELS * sizeof(*x.p));
		assert_true(x.out_of_scope == y.out_of_scope);
	}
	JSON_AUTO *facts = intent_model_facts(a), *others = intent_model_facts(b);
	assert_true(json_equal(facts, others));
	assert_int_equal(json_integer_value(json_object_get(facts, "lessons")), 200);
	intent_model_free(a);
	intent_model_free(b);
	free_class(c);
}

static void refuses(const struct lessons *l, int code, const char *says)
{
	struct intent_training o = { 0 };
	struct intent_model *m;
	struct error e = { 0 };

	assert_int_equal(intent_model_train(l, &o, &m, &e), code);
	assert_non_null(strstr(e.message, says));
}

static void test_intent_model__says_what_is_missing(void **state)
{
	struct class *c = make_class(5, 60, 1);
	struct lessons few = c->lessons, one = c->lessons, many = c->lessons;

	(void)state;
	few.n = INTENT_LEAST_LESSONS - 3;
	refuses(&few, ERR_NOT_READY, "3 more");
	one.n_labels = 1;
	refuses(&one, ERR_NOT_READY, "one label");
	many.n_labels = INTENT_MOST_LABELS + 1;
	refuses(&many, ERR_TOO_LARGE, "4097 labels");
	free_class(c);
}

/* The fewest lessons, texts without words, labels of one lesson each: nothing breaks. */
static void test_intent_model__poor_lessons_are_no_danger(void **state)
{
	struct class *c = make_class(6, INTENT_LEAST_LESSONS, 1);
	struct lesson *list = (struct lesson *)c->lessons.list;

	(void)state;
	for (size_t i = 0; i < c->lessons.n; i++)
		list[i].text = text_from(i % 3 == 0 ? "" : i % 3 == 1 ? "!!! ???" : "same");
	struct intent_model *m = train(&c->lessons, 1);
	struct intent_votes votes = { .share = (float[LABELS]){ 0 } };
	struct intent_opinion o = ask(m, c, &list[0], &votes);
	for (size_t k = 0; k < LABELS; k++)
		assert_true(isfinite(o.p[k]));
	assert_true(isfinite(o.out_of_scope));
	intent_model_free(m);
	free_class(c);
}

static int has(const struct ngram *list, long n, const struct ngram *other, long m)
{
	for (long i = 0; i < n; i++)
		for (long j = 0; j < m; j++)
			if (list[i].hash == other[j].hash)
				return 1;
	return 0;
}

static void test_ngrams__of_words_pairs_and_characters(void **state)
{
	struct arena *a = arena_new(4096);
	const struct ngram *x, *y, *z;

	(void)state;
	long n = ngrams_of(a, "ab", 2, &x);
	/* the word, and of " ab ": " a", "ab", "b ", " ab", "ab ", " ab " */
	assert_int_equal(n, 7);
	for (long i = 1; i < n; i++)
		assert_true(x[i - 1].hash < x[i].hash);
	long m = ngrams_of(a, "AB!", 3, &y);
	assert_int_equal(m, n);
	assert_memory_equal(x, y, (size_t)n * sizeof(*x));
	long k = ngrams_of(a, "xyz", 3, &z);
	assert_false(has(x, n, z, k));
	/* twice the word: 1 + ln 2 */
	m = ngrams_of(a, "ab ab", 5, &y);
	int heavier = 0;
	for (long i = 0; i < m; i++)
		heavier += y[i].weight > 1.69f && y[i].weight < 1.7f;
	assert_true(heavier >= 7);
	assert_int_equal(ngrams_of(a, "", 0, &y), 0);
	assert_int_equal(ngrams_of(a, "?!", 2, &y), 0);
	/* two bytes a character, and a text that is cut in the middle of one */
	assert_int_equal(ngrams_of(a, "\xc3\xa9\xc3\xa9", 4, &y), n);
	char *longer = arena_alloc(a, NGRAMS_MAX_TEXT + 2);
	for (size_t i = 0; i < NGRAMS_MAX_TEXT; i += 2)
		memcpy(longer + i, "\xd0\x96", 2);
	assert_true(ngrams_of(a, longer, NGRAMS_MAX_TEXT - 1, &y) > 0);
	assert_true(ngrams_of(a, longer, NGRAMS_MAX_TEXT, &y) > 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intent_model__tells_labels_by_vectors_and_words),
		cmocka_unit_test(test_intent_model__tells_labels_by_words_alone),
		cmocka_unit_test(test_intent_model__leaves_room_for_labels_it_does_not_know),
		cmocka_unit_test(test_intent_model__what_is_like_nothing_is_out_of_scope),
		cmocka_unit_test(test_intent_model__is_as_sure_as_it_is_right),
		cmocka_unit_test(test_intent_model__is_less_sure_of_what_is_far),
		cmocka_unit_test(test_intent_model__the_same_lessons_give_the_same_answers),
		cmocka_unit_test(test_intent_model__says_what_is_missing),
		cmocka_unit_test(test_intent_model__poor_lessons_are_no_danger),
		cmocka_unit_test(test_ngrams__of_words_pairs_and_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
