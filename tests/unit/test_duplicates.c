#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "datasets/duplicates.h"
#include "datasets/minhash.h"

#define TEXT_ROOM 400
#define GRAM 5

static struct error err;

#define OK(call)                                     \
	do {                                         \
		if ((call) < 0)                      \
			fail_msg("%s", err.message); \
	} while (0)

/* Where a file may be made that loses its name at once. */
static const char *spool_path(void)
{
	static char path[300];
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/readback-spool-%ld", tmp ? tmp : "/tmp", (long)getpid());
	return path;
}

static struct duplicates *of_texts(const char *const *texts, size_t n)
{
	struct duplicates *d;

	OK(duplicates_open(spool_path(), &d, &err));
	for (size_t i = 0; i < n; i++)
		OK(duplicates_add(d, texts[i], strlen(texts[i]), (uint32_t)i, &err));
	OK(duplicates_join(d, &err));
	return d;
}

static int are_joined(const char *a, const char *b)
{
	const char *const texts[] = { a, b };
	struct duplicates *d = of_texts(texts, 2);
	int joined = duplicates_group(d, 1) == 0;

	duplicates_free(d);
	return joined;
}

static void test_duplicates__case_accents_and_punctuation_make_no_difference(void **state)
{
	(void)state;
	assert_true(are_joined("Where is my parcel?", "where is my parcel"));
	assert_true(
		are_joined("O\xc3\xb9 est mon colis\xe2\x80\xa6 caf\xc3\xa9!", "  ou est (mon) colis, cafe"));
	assert_true(are_joined("hi", "Hi!"));
	assert_true(are_joined("\xe6\x9c\x8d\xe5\x8a\xa1", "\xe6\x9c\x8d\xe5\x8a\xa1\xe3\x80\x82"));
}

static void test_duplicates__one_word_of_many_makes_none(void **state)
{
	static const char text[] =
		"my hub has been offline since the last update and the lamps do not answer any more";

	(void)state;
	assert_true(are_joined(
		text, "my hub has been offline since the last update and the lights do not answer any more"));
	assert_false(are_joined(
		text, "my hub has been slow since the new update, and no lamp in the house does what I say"));
	assert_false(are_joined("hi", "ho"));
	assert_false(are_joined("refund", "refuse"));
}

static void test_duplicates__texts_without_a_letter_are_nothing(void **state)
{
	struct duplicates *d;

	(void)state;
	assert_false(are_joined("", ""));
	assert_false(are_joined("?!", "?!"));
	OK(duplicates_open(spool_path(), &d, &err));
	OK(duplicates_add(d, NULL, 0, 0, &err));
	OK(duplicates_join(d, &err));
	assert_int_equal(duplicates_group(d, 0), 0);
	assert_int_equal(duplicates_group(d, 77), 77);
	assert_int_equal(duplicates_counts(d).texts, 0);
	duplicates_free(d);
	duplicates_free(NULL);
}

static void test_duplicates__groups_join_through_others(void **state)
{
	static const char *const texts[] = {
		"one two three four five six seven eight nine ten eleven twelve",
		"something else altogether, of no concern to the others",
		"one two three four five six seven eight nine ten eleven thirteen",
		"nine two three four five six seven eight nine ten eleven thirteen",
		"Something else altogether - of no concern to the others!",
	};
	struct duplicates *d = of_texts(texts, 5);

	(void)state;
	assert_int_equal(duplicates_group(d, 2), 0);
	assert_int_equal(duplicates_group(d, 3), 0);
	assert_int_equal(duplicates_group(d, 4), 1);
	assert_int_equal(duplicates_counts(d).texts, 5);
	assert_int_equal(duplicates_counts(d).same, 1);
	assert_int_equal(duplicates_counts(d).joined, 3);
	duplicates_free(d);
}

static void test_duplicates__a_long_text_counts_by_its_beginning(void **state)
{
	size_t n = 200000;
	char *a = malloc(n + 1), *b = malloc(n + 1);

	(void)state;
	assert_true(a && b);
	for (size_t i = 0; i < n; i++)
		a[i] = b[i] = (char)(i % 7 == 6 ? ' ' : 'a' + i * i % 23);
	memset(b + n / 2, 'z', n / 2);
	a[n] = b[n] = '\0';
	assert_true(are_joined(a, b));
	free(a);
	free(b);
}

static void test_duplicates__no_room_for_the_texts_is_an_error(void **state)
{
	struct duplicates *d = NULL;

	(void)state;
	assert_true(duplicates_open("/nowhere/at/all", &d, &err) < 0);
	assert_null(d);
	assert_non_null(strstr(err.message, "/nowhere/at/all"));
}

/* --- planted pairs ------------------------------------------------------------------------------------------ */

static uint32_t seed = 20418;

static size_t below(size_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Words of two or three syllables, as many as a small language has. */
static size_t add_word(char *out)
{
	static const char *const syllables[] = { "ba",  "co", "di",  "fu", "gel", "ha", "ki",
						 "lor", "mu", "nes", "po", "qua", "ri", "sta",
						 "ti",  "vo", "wen", "xi", "ya",  "zu" };
	size_t n = 2 + below(2), len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(out + len, "%s", syllables[below(20)]);
	return len;
}

static void make_text(char *out)
{
	size_t words = 10 + below(20), len = 0;

	for (size_t i = 0; i < words; i++) {
		if (i)
			out[len++] = ' ';
		len += add_word(out + len);
	}
	out[len] = '\0';
}

static void copy_text(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
}

/* One word is another one. */
static void change_word(char *text)
{
	char word[16], changed[TEXT_ROOM];
	size_t at = below(strlen(text)), end;

	while (at > 0 && text[at - 1] != ' ')
		at--;
	end = at + strcspn(text + at, " ");
	word[add_word(word)] = '\0';
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)at, text, word, text + end);
	copy_text(text, changed);
}

/* Different 5-grams of a that are in b as well (b NULL: all), by looking at each. */
static size_t count_grams(const char *a, const char *b)
{
	size_t n = 0;

	for (const char *s = a; strlen(s) >= GRAM; s++) {
		char gram[GRAM + 1] = { 0 };
		memcpy(gram, s, GRAM);
		if (strstr(a, gram) == s && (!b || strstr(b, gram)))
			n++;
	}
	return n;
}

static double similarity(const char *a, const char *b)
{
	size_t both = count_grams(a, b);

	return (double)both / (double)(count_grams(a, NULL) + count_grams(b, NULL) - both);
}

/* A pair whose similarity is in [from, to). */
static void make_pair(double from, double to, char *a, char *b)
{
	double s = 0;

	while (s < from || s >= to) {
		make_text(a);
		copy_text(b, a);
		do {
			change_word(b);
			s = similarity(a, b);
		} while (s >= to);
	}
}

/* The share of pairs of such a similarity that are joined. */
static double joined_pairs(double from, double to, size_t pairs)
{
	char a[TEXT_ROOM], b[TEXT_ROOM];
	struct duplicates *d;
	size_t joined = 0;

	OK(duplicates_open(spool_path(), &d, &err));
	for (size_t i = 0; i < pairs; i++) {
		make_pair(from, to, a, b);
		OK(duplicates_add(d, a, strlen(a), (uint32_t)(2 * i), &err));
		OK(duplicates_add(d, b, strlen(b), (uint32_t)(2 * i + 1), &err));
	}
	OK(duplicates_join(d, &err));
	for (size_t i = 0; i < pairs; i++)
		joined += duplicates_group(d, (uint32_t)(2 * i + 1)) == 2 * i;
	if (getenv("READBACK_DUPLICATES"))
		printf("similarity %.2f to %.2f: %zu of %zu joined, %llu pairs compared\n", from, to, joined,
		       pairs, (unsigned long long)duplicates_counts(d).compared);
	duplicates_free(d);
	return (double)joined / (double)pairs;
}

static void test_duplicates__recall_at_a_similarity_of_80_per_cent(void **state)
{
	const char *asked = getenv("READBACK_DUPLICATES");
	size_t pairs = asked ? strtoul(asked, NULL, 10) : 2000;

	(void)state;
	assert_true(joined_pairs(.80, .81, pairs) >= .98);
	assert_true(joined_pairs(.85, .90, pairs) >= .998);
	/* What is not near is never joined, however many bands are equal. */
	assert_true(joined_pairs(.70, .80, pairs) == 0);
}

static void test_duplicates__the_order_of_texts_does_not_matter(void **state)
{
	enum { N = 600 };
	static char texts[N][TEXT_ROOM];
	struct duplicates *d, *other;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		make_text(texts[i]);
		if (i >= N / 2) {
			copy_text(texts[i], texts[i - N / 2]);
			for (size_t k = below(3); k > 0; k--)
				change_word(texts[i]);
		}
	}
	OK(duplicates_open(spool_path(), &d, &err));
	OK(duplicates_open(spool_path(), &other, &err));
	for (uint32_t i = 0; i < N; i++) {
		OK(duplicates_add(d, texts[i], strlen(texts[i]), i, &err));
		OK(duplicates_add(other, texts[N - 1 - i], strlen(texts[N - 1 - i]), N - 1 - i, &err));
	}
	OK(duplicates_join(d, &err));
	OK(duplicates_join(other, &err));
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(duplicates_group(d, i), duplicates_group(other, i));
	assert_true(duplicates_counts(d).joined > N / 4);
	assert_int_equal(duplicates_counts(d).joined, duplicates_counts(other).joined);
	duplicates_free(d);
	duplicates_free(other);
}

static void test_duplicates__every_processor_finds_the_same(void **state)
{
	struct minhash m;
	uint32_t grams[300], a[MINHASH_HASHES], b[MINHASH_HASHES];

	(void)state;
	for (size_t i = 0; i < MINHASH_HASHES; i++) {
		m.mul[i] = (uint32_t)below(1 << 24) << 8 | 1;
		m.add[i] = (uint32_t)below(1 << 24) << 7;
	}
	for (size_t i = 0; i < 300; i++)
		grams[i] = (uint32_t)below(1 << 24) * 257;
	for (size_t n = 0; n <= 300; n += 60) {
		minhash(&m, grams, n, a);
		minhash_plain(&m, grams, n, b);
		assert_memory_equal(a, b, sizeof(a));
	}
}

/* Thousands that differ in little meet in the same bands: the work stays bounded, and who is near is found by the others. */
static void test_duplicates__many_texts_of_one_template(void **state)
{
	struct duplicates *d;
	char text[TEXT_ROOM];
	enum { N = 3000 };

	(void)state;
	OK(duplicates_open(spool_path(), &d, &err));
	for (uint32_t i = 0; i < N; i++) {
		int len = sprintf(text, "hello i am writing to you about my order ");
		for (int w = 0; w < 3; w++)
			text[len += (int)add_word(text + len)] = ' ', len++;
		copy_text(text + len, "please send it soon");
		OK(duplicates_add(d, text, strlen(text), i, &err));
	}
	OK(duplicates_join(d, &err));
	assert_true(duplicates_counts(d).compared <= 21ull * 64 * N);
	duplicates_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duplicates__case_accents_and_punctuation_make_no_difference),
		cmocka_unit_test(test_duplicates__one_word_of_many_makes_none),
		cmocka_unit_test(test_duplicates__texts_without_a_letter_are_nothing),
		cmocka_unit_test(test_duplicates__groups_join_through_others),
		cmocka_unit_test(test_duplicates__a_long_text_counts_by_its_beginning),
		cmocka_unit_test(test_duplicates__no_room_for_the_texts_is_an_error),
		cmocka_unit_test(test_duplicates__recall_at_a_similarity_of_80_per_cent),
		cmocka_unit_test(test_duplicates__the_order_of_texts_does_not_matter),
		cmocka_unit_test(test_duplicates__every_processor_finds_the_same),
		cmocka_unit_test(test_duplicates__many_texts_of_one_template),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
