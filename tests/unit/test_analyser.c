#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "text/analyser.h"
#include "text/stopwords.h"

/* The terms of a query as "word/stem word/stem". */
static const char *query(struct arena *a, const char *s, size_t max)
{
	const struct term *t;
	long n = analyse_query(a, s, strlen(s), max, &t);
	char *out = arena_strdup(a, "");

	assert_true(n >= 0);
	for (long i = 0; i < n; i++) {
		assert_true(t[i].weight == 1.0f);
		out = arena_printf(a, "%s%s%s/%s", out, i ? " " : "", t[i].word, t[i].stem);
	}
	return out;
}

static void test_query__drops_stop_words_and_keeps_order(void **state)
{
	assert_string_equal(query(*state, "Where is my refund for the order?", 64),
			    "refund/refund order/order");
}

static void test_query__keeps_words_that_tell_issues_apart(void **state)
{
	assert_string_equal(query(*state, "it is not working, on hold, off, no, never", 64),
			    "not/not working/work on/on hold/hold off/off no/no never/never");
	assert_string_equal(query(*state, "can't log in", 64), "can/can t/t log/log");
	assert_string_equal(query(*state, "Isn\xe2\x80\x99t charging", 64), "isn/isn t/t charging/charg");
	assert_string_equal(query(*state, "Can we have Al's t shirt", 64), "al/al shirt/shirt");
}

static void test_query__stop_words_alone_are_kept(void **state)
{
	assert_string_equal(query(*state, "To be or to be", 64), "to/to be/be or/or");
}

static void test_query__is_distinct_by_stem_and_bounded(void **state)
{
	assert_string_equal(query(*state, "refunds refunded REFUND money", 64), "refunds/refund money/money");
	assert_string_equal(query(*state, "one two three four", 2), "one/one two/two");
}

static void test_query__without_words(void **state)
{
	assert_string_equal(query(*state, "", 64), "");
	assert_string_equal(query(*state, " ?! \xe2\x80\x94 ", 64), "");
}

static void test_query__folds_accents_and_case(void **state)
{
	assert_string_equal(query(*state, "CAF\xc3\x89 cafe\xcc\x81 na\xc3\xafve", 64),
			    "cafe/cafe naive/naiv");
}

static void test_text__places_are_those_of_the_words(void **state)
{
	const char *s = "\xc3\x9c"
			"ber-refunds: 4021!";
	const struct token *t;

	assert_int_equal(analyse_text(*state, s, strlen(s), &t), 3);
	assert_int_equal(t[0].start, 0);
	assert_int_equal(t[0].end, 5);
	assert_string_equal(t[0].word, "uber");
	assert_int_equal(t[1].start, 6);
	assert_int_equal(t[1].end, 13);
	assert_string_equal(t[1].stem, "refund");
	assert_string_equal(t[2].word, "4021");
}

static void test_text__of_ten_megabytes_without_a_space(void **state)
{
	size_t n = 10 << 20;
	char *s = malloc(n);
	const struct token *t;

	memset(s, 'x', n);
	assert_int_equal(analyse_text(*state, s, n, &t), 1);
	assert_int_equal(t[0].end, n);
	free(s);
}

static void test_stopwords__are_found_by_any_of_them(void **state)
{
	(void)state;
	assert_true(is_stopword("a", 1) && is_stopword("yourselves", 10) && is_stopword("the", 3));
	assert_false(is_stopword("not", 3) || is_stopword("", 0) || is_stopword("refund", 6));
	assert_false(is_stopword("yourselvesyourselves", 20));
}

/* --- FTS5 is the oracle: its words must be ours, or quoted terms would not be found --------------- */

static void run_sql(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* Words that FTS5 finds in s, joined by '|', in order. */
static char *fts_words(sqlite3 *db, const char *s, size_t n)
{
	struct strbuf b = STRBUF_INIT;
	sqlite3_stmt *st;

	run_sql(db, "DELETE FROM t");
	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?)", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_text(st, 1, s, (int)n, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT term FROM v ORDER BY \"offset\"", -1, &st, NULL),
			 SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		strbuf_printf(&b, "%s|", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return b.p ? b.p : strdup("");
}

static char *our_words(struct arena *a, const char *s, size_t n)
{
	struct strbuf b = STRBUF_INIT;
	const struct token *t;
	long count = analyse_text(a, s, n, &t);

	assert_true(count >= 0);
	for (long i = 0; i < count; i++)
		strbuf_printf(&b, "%s|", t[i].word);
	return b.p ? b.p : strdup("");
}

/* A character of a script in use; FTS5's tables are of Unicode 6.1, so nothing newer, and lack the rare U+01E1. */
static uint32_t random_char(void)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{ 0x20, 0x7e },     { 0x20, 0x7e },     { 0x61, 0x7a },       { 0xa0, 0x1df },
		{ 0x300, 0x331 },   { 0x391, 0x3a1 },   { 0x3a3, 0x3c9 },     { 0x410, 0x44f },
		{ 0x5d0, 0x5ea },   { 0x621, 0x64a },   { 0x905, 0x94d },     { 0x1e00, 0x1e95 },
		{ 0x1ea0, 0x1ef9 }, { 0x2010, 0x2030 }, { 0x3041, 0x3096 },   { 0x4e00, 0x9fa5 },
		{ 0xac00, 0xd7a3 }, { 0xe000, 0xe0ff }, { 0x1f600, 0x1f640 },
	};
	size_t i = (size_t)rand() % (sizeof(ranges) / sizeof(ranges[0]));

	return ranges[i].from + (uint32_t)rand() % (ranges[i].to - ranges[i].from + 1);
}

static void test_text__words_are_those_of_fts5(void **state)
{
	sqlite3 *db;
	char s[4 * 40];

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	run_sql(db, "CREATE VIRTUAL TABLE t USING fts5(x, tokenize='unicode61 remove_diacritics 2');"
		    "CREATE VIRTUAL TABLE v USING fts5vocab('t', 'instance')");
	srand(7);
	for (int round = 0; round < 4000; round++) {
		size_t n = 0, chars = (size_t)rand() % 40;
		struct arena *a = arena_new(4096);
		for (size_t i = 0; i < chars; i++)
			n += utf8_put(random_char(), s + n);
		char *theirs = fts_words(db, s, n), *ours = our_words(a, s, n);
		/* what FTS5 makes of our words is what counts: it folds them once more */
		char *again = fts_words(db, ours, strlen(ours));
		if (strcmp(theirs, again) != 0)
			fail_msg("round %d of '%.*s': fts5 has %s, ours are %s", round, (int)n, s, theirs,
				 ours);
		free(theirs);
		free(ours);
		free(again);
		arena_free(a);
	}
	sqlite3_close(db);
	(void)state;
}

/* What is marked are the words whose stem is a term's: the short cut loses none, whatever the stemmer does to it. */
static void test_marks__are_the_words_of_the_stem(void **state)
{
	static const char s[] =
		"Skies, dying; tying lies ugly early only gently singly idly news innings outing "
		"eing e oed o ieds i y a 5 55 dye lye yes by "
		"generous communism Arsenal yielding says Yes youth's refunded ties \xc3\x89tudes "
		"Stra\xc3\x9f"
		"e stra\xc3\x9f"
		"en relational hopping cried by cries \xe6\x9d\xb1\xe4\xba\xac 2nd dies sky die";
	struct arena *a = *state;
	const struct token *tokens;
	long n = analyse_text(a, s, strlen(s), &tokens);

	assert_true(n > 30);
	for (long i = 0; i < n; i++) {
		const struct term terms[] = { { "none", "zzz", 1 }, { tokens[i].word, tokens[i].stem, 1 } };
		const struct term_mark *marks;
		long found = analyse_marks(a, s, strlen(s), terms, 2, &marks), at = 0;
		for (long j = 0; j < n; j++) {
			if (strcmp(tokens[j].stem, tokens[i].stem) != 0)
				continue;
			assert_true(at < found);
			assert_int_equal(marks[at].start, tokens[j].start);
			assert_int_equal(marks[at].end, tokens[j].end);
			assert_int_equal(marks[at++].term, 1);
		}
		assert_int_equal(at, found);
	}
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
		TEST(test_query__drops_stop_words_and_keeps_order),
		TEST(test_query__keeps_words_that_tell_issues_apart),
		TEST(test_query__stop_words_alone_are_kept),
		TEST(test_query__is_distinct_by_stem_and_bounded),
		TEST(test_query__without_words),
		TEST(test_query__folds_accents_and_case),
		TEST(test_text__places_are_those_of_the_words),
		TEST(test_text__of_ten_megabytes_without_a_space),
		TEST(test_stopwords__are_found_by_any_of_them),
		TEST(test_text__words_are_those_of_fts5),
		TEST(test_marks__are_the_words_of_the_stem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
