/* What redaction does with rows, tokens and names; its kinds: test_redact_kinds.c. */
#include "redact_fixture.h"

static const unsigned char other_secret[32] = "of another";

/* Where no space is between words, a number ends where letters begin. */
static void test_redact__beside_scripts_without_spaces(void **state)
{
	struct fixture *f = *state;
	static const char *const list[][2] = {
		{ "卡号4111111111111111被扣款", "卡号[CARD_1]被扣款" },
		{ "IBANはDE89370400440532013000です", "IBANは[IBAN_1]です" },
		{ "電話は+81 90-1234-5678です", "電話は[PHONE_1]です" },
		{ "주문번호는 4111111111111111입니다", "주문번호는 [CARD_1]입니다" },
		{ "ssn 123-45-6789です", "ssn [SSN_1]です" },
		{ "谢谢您的帮助谢谢您的帮助谢谢您的帮助谢谢您的帮助zhangwei@example.com",
		  "谢谢您的帮助谢谢您的帮助谢谢您的帮助谢谢您的帮助[EMAIL_1]" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		row(f, NULL);
		assert_string_equal(redact(f, list[i][0]), list[i][1]);
	}
}

/* A text of nothing but initials of the customer costs what a text costs: this took minutes. */
static void test_redact__initials_without_end(void **state)
{
	struct fixture *f = *state;
	enum { N = 400000 };
	char *s = malloc(N + 1);
	struct text out;

	for (size_t i = 0; i < N; i++)
		s[i] = i % 2 ? ' ' : 'A';
	s[N] = '\0';
	row(f, "Ann");
	assert_int_equal(redactor_text(f->redactor, f->arena, (struct text){ s, N }, &out), 0);
	assert_int_equal(out.n, N);
	free(s);
}

/* The same customer in the next row, and another one behind. */
static void test_redact__names_are_those_of_the_row(void **state)
{
	struct fixture *f = *state;

	row(f, "Jane Roe");
	assert_string_equal(redact(f, "Jane and Ana"), "[NAME_1] and Ana");
	row(f, "Jane Roe");
	assert_string_equal(redact(f, "Jane and Ana"), "[NAME_1] and Ana");
	row(f, "Ana Lima");
	assert_string_equal(redact(f, "Jane and Ana"), "Jane and [NAME_1]");
	row(f, NULL);
	assert_string_equal(redact(f, "Jane and Ana"), "Jane and Ana");
}

/* What was exported, imported and is exported again has the tokens that it had. */
static void test_redact__tokens_stay_as_they_are(void **state)
{
	struct fixture *f = *state;
	const char *once = "my order is VK-20418, mail jane@example.com or call +44 20 7946 0018";
	struct text first, second;
	struct redactor *other = redactor_new(other_secret);

	assert_int_equal(redactor_text(f->redactor, f->arena, text(once), &first), 0);
	assert_non_null(strstr(first.s, "[ORDER_"));
	assert_non_null(strstr(first.s, "[EMAIL_"));
	assert_int_equal(redactor_begin(other, text(NULL)), 0);
	assert_int_equal(redactor_text(other, f->arena, first, &second), 0);
	assert_int_equal(second.n, first.n);
	assert_memory_equal(second.s, first.s, first.n);
	/* What only looks like one is looked at. */
	assert_int_equal(redact_token("[EMAIL_0123]", 12), 0);
	assert_int_equal(redact_token("[EMAIL_0123456789", 17), 0);
	assert_int_equal(redact_token("[OTHER_0123456789]", 18), 0);
	assert_int_equal(redact_token("[EMAIL_0123456789] x", 20), 18);
	redactor_free(other);
}

static void test_redact__the_same_value_has_the_same_token(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(redact(f, "a@x.org, b@x.org, A@X.org"), "[EMAIL_1], [EMAIL_2], [EMAIL_1]");
	assert_string_equal(redact(f, "b@x.org"), "[EMAIL_2]");
	assert_string_equal(redact(f, "+44 20 7946 0958 = 0044 (0)20 7946 0958"), "[PHONE_1] = [PHONE_1]");
	assert_string_equal(redact(f, "4111 1111 1111 1111, 4111111111111111"), "[CARD_1], [CARD_1]");
	assert_string_equal(redact(f, "2001:db8::1, 2001:DB8:0::1"), "[IP_1], [IP_1]");
	assert_int_equal(redactor_count(f->redactor, REDACT_EMAIL), 4);
	assert_int_equal(redactor_count(f->redactor, REDACT_NAME), 0);
}

static const char *redact_with(struct fixture *f, const unsigned char with[32], const char *names,
			       const char *s)
{
	struct redactor *r = redactor_new(with);
	struct text out;

	assert_non_null(r);
	assert_int_equal(redactor_begin(r, text(names)), 0);
	assert_int_equal(redactor_text(r, f->arena, text(s), &out), 0);
	redactor_free(r);
	return out.s;
}

static void test_redact__tokens_join_rows_of_a_dataset_and_no_two_datasets(void **state)
{
	struct fixture *f = *state;
	const char *first = redact_with(f, secret, NULL, "jane@x.org");

	assert_int_equal(token_at(first), strlen(first));
	assert_string_equal(redact_with(f, secret, "Bob", "Jane@X.org"), first);
	assert_string_not_equal(redact_with(f, secret, NULL, "june@x.org"), first);
	assert_string_not_equal(redact_with(f, other_secret, NULL, "jane@x.org"), first);
	/* A customer is one, by whatever part of the name. */
	assert_string_equal(redact_with(f, secret, "Jane Roe", "Jane"),
			    redact_with(f, secret, "Jane Roe", "ROE"));
	assert_string_not_equal(redact_with(f, secret, "Jane Roe", "Jane"),
				redact_with(f, secret, "Jane Doe", "Jane"));
	/* As it is documented: the first 40 bits of the HMAC over kind, newline, value. */
	unsigned char hash[SHA256_SIZE];
	char digits[HASH_DIGITS + 1];
	crypto_hmac(secret, "email\njane@x.org", 16, hash);
	hex_encode(hash, HASH_DIGITS / 2, digits);
	assert_string_equal(first, arena_printf(f->arena, "[EMAIL_%s]", digits));
}

static void test_redact__what_stays_is_shown(void **state)
{
	struct fixture *f = *state;
	const char *const *samples;

	redact(f, "VK-20418, 2026-06-01, 12:30, jane@x.org and order 20419. It was 1,299.00, (87123)");
	redact(f, "VK-20418 again: VK-20420x12345678901234567890123456789012345678901234567890");
	assert_int_equal(redactor_kept(f->redactor), 5);
	assert_int_equal(redactor_samples(f->redactor, &samples), 4);
	assert_string_equal(samples[0], "VK-20418");
	assert_string_equal(samples[1], "1,299.00");
	assert_string_equal(samples[2], "87123");
	assert_string_equal(samples[3], "VK-20420x12345678901234567890123456789012345678");
	for (int i = 0; i < 100; i++)
		redact(f, arena_printf(f->arena, "AB-%d", 77000 + i));
	assert_int_equal(redactor_kept(f->redactor), 105);
	assert_int_equal(redactor_samples(f->redactor, &samples), REDACT_SAMPLES);
}

/* Whatever comes in: no byte is read past the end, and what comes out is UTF-8. */
static void test_redact__any_text(void **state)
{
	static const char alphabet[] = "0123456789 00..--::@@//?=?=++()[]#aAfFxXdDeE89\n\xc3\xa9";
	struct fixture *f = *state;
	uint32_t seed = 20418;
	char s[120];

	row(f, "a de \303\251fa");
	for (int i = 0; i < 20000; i++) {
		size_t n = 0, want = i % 100;
		while (n < want) {
			seed = seed * 1664525 + 1013904223;
			size_t at = (seed >> 8) % (sizeof(alphabet) - 2);
			if (at == sizeof(alphabet) - 3) {
				s[n++] = '\xc3';
				s[n++] = '\xa9';
			} else {
				s[n++] = alphabet[at];
			}
		}
		s[n] = '\0';
		f->n = 0;
		redact(f, s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_redact__tokens_stay_as_they_are),
		TEST(test_redact__beside_scripts_without_spaces),
		TEST(test_redact__initials_without_end),
		TEST(test_redact__names_are_those_of_the_row),
		TEST(test_redact__the_same_value_has_the_same_token),
		TEST(test_redact__tokens_join_rows_of_a_dataset_and_no_two_datasets),
		TEST(test_redact__what_stays_is_shown),
		TEST(test_redact__any_text),
	};
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
