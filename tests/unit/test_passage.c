#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "text/passage.h"

/* One token a run of bytes that are not white space. */
static size_t count_words(const void *ctx, const char *s, size_t n)
{
	size_t words = 0;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		words += (unsigned char)s[i] > ' ' && (i == 0 || (unsigned char)s[i - 1] <= ' ');
	return words;
}

/* As a tokenizer that knows no word: a token a byte. */
static size_t count_bytes(const void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	return n;
}

static const struct token_counter words = { count_words, NULL };

/* Pieces of s joined by '|', with line breaks shown as '/'. */
static const char *join(struct arena *a, const char *s, const struct span *p, long n)
{
	char *out = arena_strdup(a, "");

	assert_true(n >= 0);
	for (long i = 0; i < n; i++)
		out = arena_printf(a, "%s%s%.*s", out, i ? "|" : "", (int)(p[i].end - p[i].start),
				   s + p[i].start);
	for (char *c = out; *c; c++)
		*c = *c == '\n' ? '/' : *c;
	return out;
}

static const char *sentences(struct arena *a, const char *s)
{
	const struct span *p;
	long n = split_sentences(a, s, strlen(s), &p);

	return join(a, s, p, n);
}

static void test_sentences__end_at_stops(void **state)
{
	assert_string_equal(sentences(*state, "Open it. Then wait! Did it work?"),
			    "Open it.|Then wait!|Did it work?");
	assert_string_equal(sentences(*state, "my order is late. it should be here"),
			    "my order is late.|it should be here");
	assert_string_equal(sentences(*state, "He said \"stop.\" Then (he left.) Fine."),
			    "He said \"stop.\"|Then (he left.)|Fine.");
	assert_string_equal(sentences(*state, "Really?! Yes."), "Really?!|Yes.");
	assert_string_equal(sentences(*state, ""), "");
	assert_string_equal(sentences(*state, " \n\t "), "");
}

static void test_sentences__survive_abbreviations(void **state)
{
	static const char *const whole[] = {
		"Dr. Smith and Mrs. Jones, e.g. from Sales, i.e. us, agree.",
		"See No. 5 and Fig. 3 on pp. 4 of vol. 2 first.",
		"Wait until 5 p.m. on Friday at the U.S. office.",
		"J. R. Smith wrote it vs. the rest.",
		"It was approx. 30 kg from Acme Inc. in total.",
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		assert_string_equal(sentences(*state, whole[i]), whole[i]);
	assert_string_equal(sentences(*state, "Is it late? No. It is here by 5 p.m. Bye."),
			    "Is it late?|No.|It is here by 5 p.m.|Bye.");
	assert_string_equal(sentences(*state, "Bring keys etc. Then I called. Was it I. It was."),
			    "Bring keys etc.|Then I called.|Was it I.|It was.");
}

static void test_sentences__survive_numbers_urls_and_ellipses(void **state)
{
	static const char *const whole[] = {
		"It costs 3.50 or $1,299.00 in v2.1.3 of setup.exe now.",
		"Go to https://example.com/a.b?c=d.e or mail x.y@example.co.uk today.",
		"Well... maybe not",
		"Well\xe2\x80\xa6 maybe not",
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		assert_string_equal(sentences(*state, whole[i]), whole[i]);
	assert_string_equal(sentences(*state, "Well... Maybe not"), "Well...|Maybe not");
	assert_string_equal(sentences(*state, "It was 2023. Then 2024."), "It was 2023.|Then 2024.");
}

static void test_sentences__lists_and_lines(void **state)
{
	assert_string_equal(sentences(*state, "Steps:\n1. Open it. Wait.\n2. Close it\n- one\n- two\n"),
			    "Steps:|1. Open it.|Wait.|2. Close it|- one|- two");
	assert_string_equal(sentences(*state, "Refund policy\n\nYou can\n\n\nask"),
			    "Refund policy|You can|ask");
	assert_string_equal(sentences(*state, "Refund policy\r\nYou can ask"), "Refund policy|You can ask");
	assert_string_equal(
		sentences(*state, "a line of wrapped prose which is about as long as such lines are\n"
				  "goes on here. Next"),
		"a line of wrapped prose which is about as long as such lines are/goes on here.|Next");
}

static void test_sentences__of_other_scripts(void **state)
{
	assert_string_equal(sentences(*state, "\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82\xe5\x86\x8d\xe8\xa7\x81"),
			    "\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82|\xe5\x86\x8d\xe8\xa7\x81");
	assert_string_equal(sentences(*state, "\xc3\x9c"
					      "ber. \xc3\x84rger. \xc3\xa4rger"),
			    "\xc3\x9c"
			    "ber.|\xc3\x84rger.|\xc3\xa4rger");
}

/* All that is not white space is in exactly one piece, pieces are in order and on character boundaries. */
static void check_cover(const char *s, size_t n, const struct span *p, long count)
{
	size_t at = 0;

	assert_true(count >= 0);
	for (long i = 0; i < count; i++) {
		assert_true(p[i].start >= at && p[i].start < p[i].end && p[i].end <= n);
		assert_int_equal(utf8_floor(s, n, p[i].start), p[i].start);
		assert_int_equal(utf8_floor(s, n, p[i].end), p[i].end);
		for (; at < p[i].start; at++)
			assert_true((unsigned char)s[at] <= ' ');
		at = p[i].end;
	}
	for (; at < n; at++)
		assert_true((unsigned char)s[at] <= ' ');
}

static size_t random_text(char *s, size_t max)
{
	static const char *const parts[] = { "a",   "B",   ". ",       "\n",           " ",
					     "...", "1. ", "\xc3\xa9", "\xe3\x80\x82", "?",
					     "No",  "Dr",  "\t",       "\r\n",         "- ",
					     "\"",  ")",   "word ",    "e.g" };
	size_t n = 0, count = (size_t)rand() % 60;

	for (size_t i = 0; i < count; i++) {
		const char *p = parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))];
		if (n + strlen(p) < max) {
			memcpy(s + n, p, strlen(p));
			n += strlen(p);
		}
	}
	return n;
}

static void test_pieces__cover_any_text(void **state)
{
	char s[400];
	const struct span *p;
	long count;

	(void)state;
	srand(3);
	for (int round = 0; round < 5000; round++) {
		struct arena *a = arena_new(4096);
		size_t n = random_text(s, sizeof(s)), max = 1 + (size_t)rand() % 12;
		count = split_sentences(a, s, n, &p);
		check_cover(s, n, p, count);
		count = split_chunks(a, s, n, words, max, 0, &p);
		check_cover(s, n, p, count);
		for (long i = 0; i < count; i++)
			assert_true(count_words(NULL, s + p[i].start, p[i].end - p[i].start) <= max);
		arena_free(a);
	}
}

static void test_chunks__of_whole_sentences(void **state)
{
	const char *s = "One two three. Four five. Six seven eight. Nine.";
	const struct span *p;
	long n = split_chunks(*state, s, strlen(s), words, 5, 0, &p);

	assert_string_equal(join(*state, s, p, n), "One two three. Four five.|Six seven eight. Nine.");
	n = split_chunks(*state, s, strlen(s), words, 5, 9, &p);
	assert_string_equal(join(*state, s, p, n), s);
	assert_int_equal(split_chunks(*state, "", 0, words, 5, 9, &p), 0);
	assert_int_equal(split_chunks(*state, " \n ", 3, words, 5, 9, &p), 0);
}

static void test_chunks__share_the_text_evenly(void **state)
{
	char s[11 * 9 + 1] = "";
	const struct span *p;

	for (int i = 0; i < 11; i++)
		memcpy(s + 9 * i, "aa bb c. ", 10);
	/* 33 words: 15 + 15 + 3 would leave a crumb */
	long n = split_chunks(*state, s, strlen(s), words, 15, 0, &p);
	assert_int_equal(n, 3);
	for (long i = 0; i < n; i++)
		assert_true(count_words(NULL, s + p[i].start, p[i].end - p[i].start) >= 9);
}

static void test_chunks__are_cut_where_the_structure_is(void **state)
{
	const struct span *p;
	const char *s = "Aa bb cc. Dd ee ff. Gg hh ii.\n\nFees\n\nJj kk ll. Mm nn oo. Pp qq rr.";
	long n = split_chunks(*state, s, strlen(s), words, 12, 0, &p);

	assert_string_equal(join(*state, s, p, n),
			    "Aa bb cc. Dd ee ff. Gg hh ii.|Fees//Jj kk ll. Mm nn oo. Pp qq rr.");
	s = "Aa bb cc dd. Ee ff gg:\n- hh ii jj. kk\n- ll mm nn. oo\n- pp qq. rr ss";
	n = split_chunks(*state, s, strlen(s), words, 12, 0, &p);
	assert_string_equal(join(*state, s, p, n), "Aa bb cc dd. Ee ff gg:/- hh ii jj. kk|"
						   "- ll mm nn. oo/- pp qq. rr ss");
	/* a heading at the end of a chunk would be worse than a chunk that is short */
	s = "Aa bb cc dd ee ff gg hh.\n\nIi\n\nJj kk ll mm nn oo pp qq rr ss.";
	n = split_chunks(*state, s, strlen(s), words, 11, 0, &p);
	assert_string_equal(join(*state, s, p, n),
			    "Aa bb cc dd ee ff gg hh.|Ii//Jj kk ll mm nn oo pp qq rr ss.");
}

static void test_chunks__cut_a_long_sentence_at_words(void **state)
{
	const char *s = "one two three four five six seven. Eight.";
	const struct span *p;
	long n = split_chunks(*state, s, strlen(s), words, 3, 0, &p);

	check_cover(s, strlen(s), p, n);
	for (long i = 0; i < n; i++)
		assert_true(p[i].start == 0 || s[p[i].start - 1] == ' ');
}

static void test_chunks__cut_a_long_word(void **state)
{
	struct token_counter bytes = { count_bytes, NULL };
	char s[1001];
	const struct span *p;
	long n;

	for (size_t i = 0; i < 500; i++)
		memcpy(s + 2 * i, "\xc3\xa9", 2);
	n = split_chunks(*state, s, 1000, bytes, 33, 0, &p);
	check_cover(s, 1000, p, n);
	for (long i = 0; i < n; i++)
		assert_true(p[i].end - p[i].start <= 33);
}

static void fill(char *s, size_t n, const char *unit)
{
	size_t len = strlen(unit);

	for (size_t i = 0; i < n; i += len)
		memcpy(s + i, unit, len < n - i ? len : n - i);
}

/* Under a sanitizer one will do: what grows faster than its length would take hours there too. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MEGABYTES 1
#else
#define MEGABYTES 10
#endif

/* Ten megabytes of anything are cut in a time that grows with their length alone. */
static void test_chunks__of_ten_megabytes(void **state)
{
	static const char *const units[] = { "It was a sentence of some words, and it ended. ",
					     "word ",
					     "x",
					     ".",
					     ". ",
					     "1. ",
					     " ",
					     "\n",
					     "... \n",
					     "\"",
					     "(",
					     "Dr. " };
	size_t n = MEGABYTES << 20;
	char *s = malloc(n);

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct arena *a = arena_new(1 << 20);
		const struct span *p;
		int64_t t = clock_mono_us();
		fill(s, n, units[i]);
		assert_true(split_chunks(a, s, n, words, 150, 256, &p) >= 0);
		t = clock_mono_us() - t;
		if (t > 20 * 1000000)
			fail_msg("'%s' took %.1f s", units[i], (double)t / 1e6);
		arena_free(a);
	}
	free(s);
}

static long query(struct arena *a, const char *q, const struct term **out)
{
	return analyse_query(a, q, strlen(q), 64, out);
}

static void test_highlights__are_words_of_the_same_stem(void **state)
{
	const char *s = "Refunds: we REFUNDED caf\xc3\xa9 orders, not the order\xe2\x80\x99s fee.";
	const struct term *t;
	const struct span *p;
	long n = query(*state, "cafe order refund", &t);

	struct span sentence;

	n = find_highlights(*state, s, strlen(s), t, (size_t)n, &p, &sentence);
	assert_string_equal(join(*state, s, p, n), "Refunds|REFUNDED|caf\xc3\xa9|orders|order");
	assert_int_equal(find_highlights(*state, s, strlen(s), NULL, 0, &p, &sentence), 0);
	assert_int_equal(sentence.end, 0);
	assert_int_equal(find_highlights(*state, "", 0, t, 1, &p, &sentence), 0);
	assert_int_equal(sentence.end, 0);
}

static const char *sentence_of(struct arena *a, const char *s, const char *q)
{
	const struct term *t;
	const struct span *p;
	struct span sentence;
	long n = query(a, q, &t);

	assert_true(find_highlights(a, s, strlen(s), t, (size_t)n, &p, &sentence) >= 0);
	return arena_strndup(a, s + sentence.start, sentence.end - sentence.start);
}

static void test_highlights__name_the_sentence_that_holds_the_most_terms(void **state)
{
	const char *s =
		"Refund refund refund. Nothing here at all. A refund needs the order. An order. Two orders.";

	assert_string_equal(sentence_of(*state, s, "refund of an order"), "A refund needs the order.");
	assert_string_equal(sentence_of(*state, s, "refund"), "Refund refund refund.");
	assert_string_equal(sentence_of(*state, s, "order"), "A refund needs the order.");
	assert_string_equal(sentence_of(*state, s, "parcel"), "");
}

static const char *passage(struct arena *a, const char *s, const char *q, size_t max)
{
	const struct term *t;
	long n = query(a, q, &t);
	struct span p = best_passage(a, s, strlen(s), t, (size_t)n, max);

	assert_true(p.end - p.start <= max && p.end <= strlen(s) && p.start <= p.end);
	return arena_strndup(a, s + p.start, p.end - p.start);
}

static void test_best_passage__holds_the_most_distinct_terms(void **state)
{
	const char *s = "Refund refund refund. Nothing here at all. A refund needs the order. Bye now.";

	assert_string_equal(passage(*state, s, "refund order", 32), "A refund needs the order.");
	assert_string_equal(passage(*state, s, "refund", 24), "Refund refund refund.");
	assert_string_equal(passage(*state, s, "zebra", 24), "Refund refund refund.");
	assert_string_equal(passage(*state, s, "order", 200), s);
	assert_string_equal(passage(*state, "", "order", 200), "");
}

static void test_best_passage__cuts_long_sentences(void **state)
{
	const char *s = "a very long sentence without any end that says refund order somewhere near its end";
	const char *p = passage(*state, s, "refund order", 30);

	assert_non_null(strstr(p, "refund order"));
}

static const char *markdown(struct arena *a, const char *s, const char **title)
{
	struct text out, t;
	struct error e = { 0 };

	assert_int_equal(markdown_text(a, s, strlen(s), &out, &t, &e), 0);
	assert_int_equal(strlen(out.s), out.n);
	*title = t.s ? arena_strndup(a, t.s, t.n) : NULL;
	return out.s;
}

static void test_markdown__loses_its_markup(void **state)
{
	const char *title;

	assert_string_equal(
		markdown(*state,
			 "# Reset *your* password\n\nGo to [Settings](https://example.com/s) and\n"
			 "press **Reset** `Now`.\n\n* one\n* two\n  1. deep\n\nEnd&amp; <b>bold</b>  \nline\n"
			 "\n```c\nint x;\n\ty\n```\n> quoted\n\n![alt](i.png)\n\n---\n",
			 &title),
		"Reset your password\n\nGo to Settings and press Reset Now.\n\n- one\n- two\n- deep\n\n"
		"End& bold\nline\n\nint x;\n\ty\n\nquoted\n\nalt");
	assert_string_equal(title, "Reset your password");
}

static void test_markdown__tables_stay_lines(void **state)
{
	const char *title;

	assert_string_equal(markdown(*state,
				     "| a | b |\n|---|:-:|\n| 1 | *2* |\n| 3 | 4 |\n\ntext | more\nnext\n",
				     &title),
			    "a | b\n1 | 2\n3 | 4\n\ntext | more next");
	assert_null(title);
}

static void test_markdown__title_only_if_it_opens(void **state)
{
	const char *title;

	markdown(*state, "Intro\n\n# Heading\n", &title);
	assert_null(title);
	markdown(*state, "## Second level\n", &title);
	assert_null(title);
	markdown(*state, "> # quoted\n", &title);
	assert_null(title);
	assert_string_equal(markdown(*state, "Title\n=====\ntext", &title), "Title\n\ntext");
	assert_string_equal(title, "Title");
	assert_string_equal(markdown(*state, "", &title), "");
}

static void test_markdown__html_is_left_out(void **state)
{
	const char *title;

	assert_string_equal(
		markdown(*state,
			 "<div class=\"x\">\nin a div\n</div>\n\nand\n\n<script>\nvar x;\n</script>\n\n"
			 "<!-- a > comment -->\n\nafter<br/>all",
			 &title),
		"in a div\n\nand\n\nafter all");
}

/* Hostile shapes: what nests deeply, and what makes slow parsers quadratic. */
static void test_markdown__survives_hostile_texts(void **state)
{
	static const char *const units[] = {
		">",  "> ",      "- ",   "[",       "![", "*", "**a ",           "`",        "<!--", "<",
		"_a", "a\n\n\n", "[a](", "- a\n\n", "\\", "&", "| a |\n|---|\n", "[a]: b\n", "   "
	};
	size_t n = 1 << 20;
	char *s = malloc(n);

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct arena *a = arena_new(1 << 20);
		struct text out, title;
		struct error e = { 0 };
		int64_t t = clock_mono_us();
		fill(s, n, units[i]);
		assert_int_equal(markdown_text(a, s, n, &out, &title, &e), 0);
		memset(s + 200000, '\n', n - 200000);
		assert_int_equal(markdown_text(a, s, n, &out, &title, &e), 0);
		t = clock_mono_us() - t;
		if (t > 30 * 1000000)
			fail_msg("'%s' took %.1f s", units[i], (double)t / 1e6);
		if (getenv("TIMES"))
			printf("%-10.10s %.2f\n", units[i], (double)t / 1e6);
		arena_free(a);
	}
	free(s);
}

static int set_up(void **state)
{
	return (*state = arena_new(1 << 16)) ? 0 : -1;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sentences__end_at_stops),
		TEST(test_sentences__survive_abbreviations),
		TEST(test_sentences__survive_numbers_urls_and_ellipses),
		TEST(test_sentences__lists_and_lines),
		TEST(test_sentences__of_other_scripts),
		TEST(test_pieces__cover_any_text),
		TEST(test_chunks__of_whole_sentences),
		TEST(test_chunks__share_the_text_evenly),
		TEST(test_chunks__are_cut_where_the_structure_is),
		TEST(test_chunks__cut_a_long_sentence_at_words),
		TEST(test_chunks__cut_a_long_word),
		TEST(test_chunks__of_ten_megabytes),
		TEST(test_highlights__are_words_of_the_same_stem),
		TEST(test_highlights__name_the_sentence_that_holds_the_most_terms),
		TEST(test_best_passage__holds_the_most_distinct_terms),
		TEST(test_best_passage__cuts_long_sentences),
		TEST(test_markdown__loses_its_markup),
		TEST(test_markdown__tables_stay_lines),
		TEST(test_markdown__title_only_if_it_opens),
		TEST(test_markdown__html_is_left_out),
		TEST(test_markdown__survives_hostile_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
