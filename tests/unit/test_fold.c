#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "text/fold.h"

static void assert_folds(const char *from, const char *to)
{
	STRBUF_AUTO b = STRBUF_INIT;

	fold_text(from, strlen(from), &b);
	assert_string_equal(b.p ? b.p : "", to);
}

static void test_fold__case_and_accents_do_not_matter(void **state)
{
	(void)state;
	assert_folds("Élan CAFÉ", "elan cafe");
	assert_folds("e\u0301", "e");
	assert_folds("Ångström İstanbul ΣΊΣΥΦΟΣ", "angstrom istanbul σισυφοσ");
	assert_folds("", "");
	assert_folds("\u0301", "");
}

static void test_fold__other_letters_stay(void **state)
{
	(void)state;
	assert_folds("ß ø 漢字 ｱ", "ß ø 漢字 ｱ");
	assert_folds("가", "\u1100\u1161"); /* canonical decomposition, so that BERT's jamo are found */
	assert_folds("🙂 1.5", "🙂 1.5");
}

static void test_fold__no_character_needs_more_room(void **state)
{
	uint32_t out[FOLD_MAX];

	(void)state;
	for (uint32_t c = 1; c < 0x110000; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		assert_true(fold_plain(c, out) <= FOLD_MAX);
	}
}

static void test_fold__classes(void **state)
{
	(void)state;
	assert_true(fold_is_letter('q') && fold_is_letter(0x6f22) && fold_is_letter(0xdf) &&
		    !fold_is_letter('1'));
	assert_true(fold_is_digit('7') && fold_is_digit(0xbd) && fold_is_digit(0x663) && !fold_is_digit('x'));
	assert_true(fold_is_mark(0x301) && fold_is_mark(0x903) && fold_is_accent(0x301) &&
		    !fold_is_accent(0x903));
	assert_true(fold_is_punctuation('!') && fold_is_punctuation(0x2019) && !fold_is_punctuation('$'));
	assert_true(fold_is_space(' ') && fold_is_space('\v') && fold_is_space(0x85) &&
		    fold_is_space(0x3000));
	assert_true(!fold_is_space(0x200b) && fold_is_control(0x200b) && fold_is_control(0) &&
		    fold_is_control('\v'));
	assert_true(!fold_is_control('\t') && !fold_is_control('\n') && !fold_is_control('\r'));
	assert_true(fold_is_ideograph(0x4e00) && fold_is_ideograph(0x9fff) && fold_is_ideograph(0x2f800));
	assert_true(!fold_is_ideograph(0x3042) && !fold_is_ideograph(0xac00) && !fold_is_ideograph(0x2b8ff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold__case_and_accents_do_not_matter),
		cmocka_unit_test(test_fold__other_letters_stay),
		cmocka_unit_test(test_fold__no_character_needs_more_room),
		cmocka_unit_test(test_fold__classes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
