#include "unit.h"

#include <string.h>

#include "base/arena.h"
#include "datasets/redact.h"

struct fixture {
	struct arena *arena;
	struct redactor *redactor;
};

static struct text text(const char *s)
{
	return (struct text){ s, s ? strlen(s) : 0 };
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = arena_new(1 << 16);
	f->redactor = redactor_new();
	assert_non_null(f->redactor);
	assert_int_equal(redactor_begin(f->redactor, text(NULL)), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	redactor_free(f->redactor);
	arena_free(f->arena);
	free(f);
	return 0;
}

/* The text without personal data; the bytes are copied, so that reading past their end is seen. */
static const char *redact(struct fixture *f, const char *s)
{
	size_t n = strlen(s);
	char *exact = malloc(n ? n : 1);
	struct text out;

	assert_non_null(exact);
	memcpy(exact, s, n);
	assert_int_equal(redactor_text(f->redactor, f->arena, (struct text){ exact, n }, &out), 0);
	const char *copy = arena_strndup(f->arena, out.s, out.n);
	free(exact);
	return copy;
}

static void row(struct fixture *f, const char *names)
{
	assert_int_equal(redactor_begin(f->redactor, text(names)), 0);
}

/* Each of the list, alone in a row and in a sentence, is replaced whole by the first token of the kind. */
static void all_go(struct fixture *f, const char *token, const char *const *list)
{
	static const char *const around[][2] = { { "", "" },     { "it is ", ", thanks" },
						 { "(", ")" },   { "\n", ".\n" },
						 { "\"", "\"" }, { "\xc3\xa0 ", " \xc3\xa0" } };

	for (; *list; list++)
		for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
			row(f, NULL);
			assert_string_equal(
				redact(f,
				       arena_printf(f->arena, "%s%s%s", around[i][0], *list, around[i][1])),
				arena_printf(f->arena, "%s[%s_1]%s", around[i][0], token, around[i][1]));
		}
}

static void all_stay(struct fixture *f, const char *const *list)
{
	for (; *list; list++) {
		row(f, NULL);
		assert_string_equal(redact(f, *list), *list);
		const char *in = arena_printf(f->arena, "it is %s, thanks", *list);
		assert_string_equal(redact(f, in), in);
	}
}

static void test_redact__email(void **state)
{
	static const char *const list[] = { "jane.doe@example.com",
					    "JANE@EXAMPLE.CO.UK",
					    "j_d+tag-1@mail.example.org",
					    "o'brien@x-y.io",
					    "_x@example.com",
					    "j\xc3\xb6rg@m\xc3\xbcller.de",
					    "a@b.xn--p1ai",
					    NULL };

	all_go(*state, "EMAIL", list);
	row(*state, NULL);
	assert_string_equal(redact(*state, "mailto:a@b.org?subject=x <a@b.org>; (a@b.org)."),
			    "mailto:[EMAIL_1]?subject=x <[EMAIL_1]>; ([EMAIL_1]).");
}

static void test_redact__phone(void **state)
{
	static const char *const list[] = { "+31 6 12345678",
					    "+31612345678",
					    "+31-6-1234-5678",
					    "+1 (415) 555-2671",
					    "+1.415.555.2671",
					    "+44 (0)20 7946 0958",
					    "+49 (0) 30 / 123456-78",
					    "+(31) 6 12345678",
					    "0031 6 12345678",
					    "0031612345678",
					    "415-555-2671",
					    "415.555.2671",
					    "415 555 2671",
					    "1-800-555-0199",
					    "0612345678",
					    "06-12345678",
					    "06 12 34 56 78",
					    "06.12.34.56.78",
					    "020 7946 0958",
					    "0151/12345678",
					    "0412 345 678",
					    "612 34 56 78",
					    "8 800 555 35 35",
					    "+31\302\2406\302\24012345678",
					    "06\342\200\22112345678",
					    NULL };

	all_go(*state, "PHONE", list);
	row(*state, NULL);
	assert_string_equal(redact(*state, "(415) 555-2671 or (020) 7946 0958"), "[PHONE_1] or [PHONE_2]");
}

static void test_redact__phone_by_what_is_said_before(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(redact(f, "call me at 4155552671"), "call me at [PHONE_1]");
	assert_string_equal(redact(f, "Tel.: 5552671"), "Tel.: [PHONE_2]");
	assert_string_equal(redact(f, "my number is 4155552671"), "my number is [PHONE_1]");
	assert_string_equal(redact(f, "my order number is 4155552671"), "my order number is 4155552671");
	assert_string_equal(redact(f, "call about order 2041888"), "call about order 2041888");
	assert_string_equal(redact(f, "order 0612345678"), "order 0612345678");
	assert_string_equal(redact(f, "call on 20260601 or 2026-06-01"), "call on 20260601 or 2026-06-01");
}

static void test_redact__phone_stops_where_something_else_begins(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(redact(f, "+31 6 12345678 2026-06-01 08:30"), "[PHONE_1] 2026-06-01 08:30");
	assert_string_equal(redact(f, "0612345678 10 times"), "[PHONE_2] 10 times");
	assert_string_equal(redact(f, "020 7946 0958 08:30"), "[PHONE_3] 08:30");
	assert_string_equal(redact(f, "020 7946 0958. 2 of them"), "[PHONE_3]. 2 of them");
	assert_string_equal(redact(f, "020 7946 0958, 415-555-2671"), "[PHONE_3], [PHONE_4]");
}

static void test_redact__card(void **state)
{
	static const char *const list[] = { "4111111111111111",
					    "4111 1111 1111 1111",
					    "4111-1111-1111-1111",
					    "5555 5555 5555 4444",
					    "378282246310005",
					    "3782 822463 10005",
					    "30569309025904",
					    "4222222222222",
					    "6304000000000000000",
					    "6011\302\2401111\302\2401111\302\2401117",
					    NULL };
	static const char *const others[] = { "4111111111111112",         "4111 1111 1111 1112",
					      "0000000000000000",         "1717230000000",
					      "411111111111111111111111", NULL };

	all_go(*state, "CARD", list);
	all_stay(*state, others);
	row(*state, NULL);
	assert_string_equal(redact(*state, "4111 1111 1111 1111 12/27 123"), "[CARD_1] 12/27 123");
	assert_string_equal(redact(*state, "4111 1111 1111 1111 123"), "[CARD_1] 123");
}

static void test_redact__iban(void **state)
{
	static const char *const list[] = {
		"DE89370400440532013000", "DE89 3704 0044 0532 0130 00",     "de89 3704 0044 0532 0130 00",
		"NL91 ABNA 0417 1643 00", "NL91-ABNA-0417-1643-00",          "GB29 NWBK 601613 31926819",
		"NO93 8601 1117 947",     "MT84MALT011000012345MTLCAST001S", NULL
	};
	static const char *const others[] = { "DE88370400440532013000", "DE8937040044053201300",
					      "NL91ABNA04171643001", "XX89370400440532013000", NULL };

	all_go(*state, "IBAN", list);
	all_stay(*state, others);
	row(*state, NULL);
	assert_string_equal(redact(*state, "NL91 ABNA 0417 1643 00 please"), "[IBAN_1] please");
}

static void test_redact__addresses_of_networks(void **state)
{
	static const char *const ip[] = { "192.168.1.20",
					  "8.8.8.8",
					  "2001:db8::1",
					  "2001:0db8:0:0:0:0:0:0001",
					  "fe80::1ff:fe23:4567:890a%eth0",
					  "::ffff:192.168.1.20",
					  NULL };
	static const char *const mac[] = { "00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", NULL };
	static const char *const others[] = {
		"256.1.1.1",      "1.2.3",     "firmware 1.2.3.4", "version: 10.0.1.2",
		"v1.2.3.4",       "1.2.3.4.5", "08:30:15",         "std::string",
		"a::b",           "::1",       "12:30:45:10",      "00:1a:2b:3c:4d",
		"1234.5678.9012", NULL
	};

	all_go(*state, "IP", ip);
	all_go(*state, "MAC", mac);
	all_stay(*state, others);
	row(*state, NULL);
	assert_string_equal(redact(*state, "192.168.1.20:8080, 10.0.0.0/8"), "[IP_1]:8080, [IP_2]/8");
}

static void test_redact__url(void **state)
{
	static const char *const list[] = { "https://example.com/reset?token=abc",
					    "HTTP://example.com/?q",
					    "https://jane:secret@example.com/",
					    "postgres://u:p@db/x",
					    "www.example.com/a?b=c&d=e",
					    "example.com/a?b=c",
					    "https://example.com/cb#access_token=abc",
					    NULL };
	static const char *const others[] = { "https://example.com/help/article-12",
					      "https://example.com/a#part",
					      "www.example.com",
					      "example.com/pricing",
					      "works.Really?Yes",
					      NULL };

	all_go(*state, "URL", list);
	all_stay(*state, others);
	row(*state, NULL);
	assert_string_equal(redact(*state, "https://example.com/u/jane@x.org/edit"),
			    "https://example.com/u/[EMAIL_1]/edit");
}

static void test_redact__ssn(void **state)
{
	static const char *const list[] = { "123-45-6789", "123 45 6789", NULL };
	static const char *const others[] = { "000-45-6789", "666-45-6789", "912-45-6789", "123-00-6789",
					      "123-45-0000", "123456789",   "12345-6789",  NULL };

	all_go(*state, "SSN", list);
	all_stay(*state, others);
	row(*state, NULL);
	assert_string_equal(redact(*state, "SSN: 123456789"), "SSN: [SSN_1]");
}

static void test_redact__names_of_the_customer(void **state)
{
	struct fixture *f = *state;

	row(f, "Jane O'Brien-M\xc3\xbcller");
	assert_string_equal(redact(f, "Jane here. JANE O'BRIEN, jane\xe2\x80\x99s hub, J. Muller, O Brien"),
			    "[NAME_1] here. [NAME_1], [NAME_1]\xe2\x80\x99s hub, J. [NAME_1], [NAME_1]");
	assert_string_equal(redact(f, "Janet, mullerian, O no"), "Janet, mullerian, O no");
	row(f, "Li van der Berg");
	assert_string_equal(redact(f, "Li van der Berg: the van of der Li; Berg"),
			    "[NAME_1]: the van of der Li; [NAME_1]");
	row(f, "Max Roe\nMaxine Roe");
	assert_string_equal(redact(f, "Maxine or Max, MAX2000"), "[NAME_1] or [NAME_1], MAX2000");
	row(f, NULL);
	assert_string_equal(redact(f, "Jane"), "Jane");
	row(f, " - ");
	assert_string_equal(redact(f, "Jane - x"), "Jane - x");
}

static void test_redact__what_only_looks_like_it_stays(void **state)
{
	static const char *const list[] = { "VK-20418",
					    "order VK-20418-2",
					    "#20418",
					    "order 112-1234567-1234567",
					    "2026-06-01",
					    "01.06.2026",
					    "1/6/2026",
					    "01.06.2026 08:30",
					    "2026-06-01 08:30",
					    "2026-06-01T08:00:00Z",
					    "08:30",
					    "8:30-17:00",
					    "1,299.00",
					    "EUR 1.299,00",
					    "\342\202\2541234.50",
					    "$4155552671",
					    "5.2.1",
					    "firmware 5.2.1",
					    "v5.2.1-rc2",
					    "555-0199",
					    "12345",
					    "4155552671",
					    "1717230000",
					    "3.14159265358979",
					    "SN 00482155",
					    "KB-0612345678",
					    "INV/2026/000123",
					    "90210-1234",
					    "1 234 567",
					    "600 123 456",
					    "10 x 20 x 30",
					    "1920x1080",
					    "@jane",
					    "a@b",
					    "user@localhost",
					    "9400100000000000000000",
					    "error 0x80070005",
					    "50/60 Hz",
					    "24/7/365",
					    "802.11",
					    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
					    NULL };

	all_stay(*state, list);
}

static void test_redact__the_same_value_has_the_same_token(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(redact(f, "a@x.org, b@x.org, A@X.org"), "[EMAIL_1], [EMAIL_2], [EMAIL_1]");
	assert_string_equal(redact(f, "b@x.org"), "[EMAIL_2]");
	assert_string_equal(redact(f, "+44 20 7946 0958 = 0044 (0)20 7946 0958"), "[PHONE_1] = [PHONE_1]");
	assert_string_equal(redact(f, "4111 1111 1111 1111, 4111111111111111"), "[CARD_1], [CARD_1]");
	assert_string_equal(redact(f, "2001:db8::1, 2001:DB8:0::1"), "[IP_1], [IP_1]");
	row(f, NULL);
	assert_string_equal(redact(f, "b@x.org"), "[EMAIL_1]");
	assert_int_equal(redactor_count(f->redactor, REDACT_EMAIL), 5);
	assert_int_equal(redactor_count(f->redactor, REDACT_NAME), 0);
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
		redact(f, s);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_redact__email),
		TEST(test_redact__phone),
		TEST(test_redact__phone_by_what_is_said_before),
		TEST(test_redact__phone_stops_where_something_else_begins),
		TEST(test_redact__card),
		TEST(test_redact__iban),
		TEST(test_redact__addresses_of_networks),
		TEST(test_redact__url),
		TEST(test_redact__ssn),
		TEST(test_redact__names_of_the_customer),
		TEST(test_redact__what_only_looks_like_it_stays),
		TEST(test_redact__the_same_value_has_the_same_token),
		TEST(test_redact__any_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
