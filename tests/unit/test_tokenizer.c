#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "embed/wordpiece.h"

#define TOKENS 24

/* Ids are places in this list. */
static const char *const vocabulary[TOKENS] = {
	"[UNK]", "[CLS]", "[SEP]", "re", "##set", "reset", "##ting", "cafe", "!", "[",      "]",        "cls",
	"中",    "文",    "##s",   "a",  "##a",   "$",     "don",    "'",    "t", "\u1100", "##\u1161", "e",
};

static char path[64];

static void write_lines(const char *const *lines, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\n", lines[i]);
	assert_int_equal(fclose(f), 0);
}

/* `expected` has the tokens, separated by spaces. */
static void assert_tokens(const struct wordpiece *w, const char *text, const char *expected)
{
	uint32_t ids[300];
	STRBUF_AUTO got = STRBUF_INIT;
	size_t n = wordpiece_encode(w, text, strlen(text), ids, 300);

	for (size_t i = 0; i < n; i++) {
		strbuf_puts(&got, i ? " " : "");
		strbuf_puts(&got, vocabulary[ids[i]]);
	}
	assert_string_equal(got.p ? got.p : "", expected);
	assert_int_equal(wordpiece_count(w, text, strlen(text)), n);
}

static void test_tokenizer__longest_pieces_first(void **state)
{
	assert_tokens(*state, "reset", "reset");
	assert_tokens(*state, "resetting resets", "reset ##ting reset ##s");
	assert_tokens(*state, "reseting", "[UNK]"); /* "##ing" is not there: nothing of the word stays */
	assert_tokens(*state, "rereset", "[UNK]");
	assert_tokens(*state, "resetset reting", "reset ##set re ##ting");
	assert_tokens(*state, "aaa", "a ##a ##a");
}

static void test_tokenizer__case_accents_and_punctuation(void **state)
{
	assert_tokens(*state, "RESET Café CAFE\u0301!", "reset cafe cafe !");
	assert_tokens(*state, "don't", "don ' t");
	assert_tokens(*state, "a$a", "a $ a"); /* ASCII symbols are punctuation to BERT */
	assert_tokens(*state, "\u0301 a", "a");
}

static void test_tokenizer__space_and_controls(void **state)
{
	assert_tokens(*state, "", "");
	assert_tokens(*state, " \t\r\n\u3000\u00a0", "");
	assert_tokens(*state, "a\tt\u2003e\n", "a t e");
	assert_tokens(*state, "re\u200bset re\adset\ufffd", "reset [UNK]");
	assert_tokens(*state, "re\aset\ufffd", "reset");
}

static void test_tokenizer__every_ideograph_is_a_word(void **state)
{
	assert_tokens(*state, "中文a中", "中 文 a 中");
	assert_tokens(*state, "가", "\u1100 ##\u1161"); /* Hangul falls into jamo and stays a word */
}

static void test_tokenizer__special_names_in_a_text_are_text(void **state)
{
	assert_tokens(*state, "[CLS] a", "[ cls ] a");
	assert_tokens(*state, "[UNK]", "[ [UNK] ]");
	assert_int_equal(wordpiece_cls(*state), 1);
	assert_int_equal(wordpiece_sep(*state), 2);
}

static void test_tokenizer__words_over_100_characters_are_unknown(void **state)
{
	STRBUF_AUTO word = STRBUF_INIT, accents = STRBUF_INIT, expected = STRBUF_INIT;

	for (int i = 0; i < 100; i++) {
		strbuf_puts(&word, "a");
		strbuf_puts(&accents, "á");
		strbuf_puts(&expected, i ? " ##a" : "a");
	}
	assert_tokens(*state, word.p, expected.p);
	assert_tokens(*state, accents.p, expected.p);
	strbuf_puts(&word, "a");
	assert_tokens(*state, word.p, "[UNK]");
	strbuf_puts(&accents, "á e");
	assert_tokens(*state, accents.p, "[UNK] e");
}

static void test_tokenizer__stops_at_the_limit(void **state)
{
	uint32_t ids[4] = { 99, 99, 99, 99 };

	assert_int_equal(wordpiece_encode(*state, "a aaa reset", 11, ids, 3), 3);
	assert_int_equal(ids[0], 15);
	assert_int_equal(ids[2], 16);
	assert_int_equal(ids[3], 99);
	assert_int_equal(wordpiece_encode(*state, "a", 1, ids, 0), 0);
}

/* 10 MB each: of words, and of what costs a greedy tokenizer most. */
static void test_tokenizer__long_texts_are_quick(void **state)
{
	static const char *const pieces[] = {
		"reset ", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab ", "\u0301", "中", "["
	};
	size_t size = 10 << 20;
	char *text = malloc(size + 64);
	uint32_t ids[254];

	assert_non_null(text);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t n = 0, len = strlen(pieces[i]);
		int64_t from = clock_mono_us();
		while (n + len <= size) {
			memcpy(text + n, pieces[i], len);
			n += len;
		}
		wordpiece_count(*state, text, n);
		wordpiece_encode(*state, text, n, ids, 254);
		assert_true(clock_mono_us() - from < 30 * 1000000); /* about 0.1 s; sanitizers are slow */
	}
	free(text);
}

static void assert_refused(size_t size, const char *why)
{
	struct wordpiece *w = NULL;
	struct error e = { 0 };

	assert_int_equal(wordpiece_open(path, size, &w, &e), ERR_MODEL);
	assert_int_equal(e.code, ERR_MODEL);
	assert_null(w);
	assert_non_null(strstr(e.message, path));
	if (!strstr(e.message, why))
		fail_msg("\"%s\" does not say \"%s\"", e.message, why);
}

static void test_tokenizer__bad_vocabularies_are_refused(void **state)
{
	static const char *const twice[] = { "[UNK]", "[CLS]", "[SEP]", "a", "a" };
	static const char *const hole[] = { "[UNK]", "[CLS]", "", "[SEP]" };
	static const char *const no_sep[] = { "[UNK]", "[CLS]", "a" };
	static const char *const no_text[] = { "[UNK]", "[CLS]", "[SEP]", "\xff\xfe" };

	(void)state;
	write_lines(vocabulary, TOKENS);
	assert_refused(TOKENS + 1, "24 tokens where the weights have 25");
	assert_refused(TOKENS - 1, "24 tokens where the weights have 23");
	write_lines(twice, 5);
	assert_refused(5, "line 5 repeats a token");
	write_lines(hole, 4);
	assert_refused(4, "line 3 is no token");
	write_lines(no_text, 4);
	assert_refused(4, "line 4 is no token");
	write_lines(no_sep, 3);
	assert_refused(3, "[SEP] is missing");
	unlink(path);
	assert_refused(TOKENS, "");
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct wordpiece *w;
	int fd;

	snprintf(path, sizeof(path), "%s/vocab-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if ((fd = mkstemp(path)) < 0)
		return -1;
	close(fd);
	write_lines(vocabulary, TOKENS);
	if (wordpiece_open(path, TOKENS, &w, NULL) < 0)
		return -1;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	wordpiece_close(*state);
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokenizer__longest_pieces_first),
		cmocka_unit_test(test_tokenizer__case_accents_and_punctuation),
		cmocka_unit_test(test_tokenizer__space_and_controls),
		cmocka_unit_test(test_tokenizer__every_ideograph_is_a_word),
		cmocka_unit_test(test_tokenizer__special_names_in_a_text_are_text),
		cmocka_unit_test(test_tokenizer__words_over_100_characters_are_unknown),
		cmocka_unit_test(test_tokenizer__stops_at_the_limit),
		cmocka_unit_test(test_tokenizer__long_texts_are_quick),
		cmocka_unit_test(test_tokenizer__bad_vocabularies_are_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
