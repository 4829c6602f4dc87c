/* What is recognised, kind by kind, and what only looks like it. */
#include "redact_fixture.h"

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
					    "06.95.04.01.31",
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
	assert_string_equal(redact(f, "my ticket number is 4155552671"), "my ticket number is 4155552671");
	assert_string_equal(redact(f, "call about case 2041888"), "call about case 2041888");
	assert_string_equal(redact(f, "ticket 0612345678"), "ticket 0612345678");
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
	static const char *const list[] = { "4111111111111111",    "4111 1111 1111 1111",
					    "4111-1111-1111-1111", "5555 5555 5555 4444",
					    "378282246310005",     "3782 822463 10005",
					    "30569309025904",      "4222222222222",
					    "6304000000000000000", "6011\302\2401111\302\2401111\302\2401117",
					    "4111.1111.1111.1111", NULL };
	static const char *const others[] = { "4111111111111112",
					      "4111 1111 1111 1112",
					      "0000000000000000",
					      "1717230000000",
					      "411111111111111111111111",
					      "7111 1111 1111 1114",
					      "4111 1111 1111 1111 1111 11",
					      "DE89 4111 1111 1111 1111",
					      "article 5015926088934",
					      NULL };

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
	static const char *const list[] = { "123-45-6789", "123 45 6789", "123.45.6789", NULL };
	static const char *const others[] = { "000-45-6789", "666-45-6789", "912-45-6789", "123-00-6789",
					      "123-45-0000", "123456789",   "12345-6789",  NULL };

	all_go(*state, "SSN", list);
	all_stay(*state, others);
	row(*state, NULL);
	assert_string_equal(redact(*state, "SSN: 123456789"), "SSN: [SSN_1]");
	assert_string_equal(redact(*state, "social security number 123456789"),
			    "social security number [SSN_1]");
}

static void test_redact__national_identifiers_by_their_check_digit(void **state)
{
	static const char *const nif[] = { "12345678Z",    "12345678-z", "12.345.678-Z", "12.345.678 Z",
					   "ES12345678Z",  "X1234567L",  "x-1234567-l",  "Y-1234567-X",
					   "ES-X1234567L", NULL };
	static const char *const fiscal[] = { "RSSMRA85T10A562S", "rssmra85t10a562s", "RSS MRA 85T10 A562S",
					      "RSSMRA-85T10-A562S", NULL };
	static const char *const abn[] = { "51 824 753 556", "51824753556", "51-824-753-556", NULL };
	static const char *const aadhaar[] = { "2341 2341 2346", "2341-2341-2346", NULL };
	static const char *const pesel[] = { "44051401359", "02070803628", NULL };
	static const char *const others[] = { "12345678A",
					      "12345678",
					      "12345678 z",
					      "RSSMRA85T10A562T",
					      "Have you sent out my card",
					      "51 824 753 557",
					      "51824753557",
					      "2341 2341 2347",
					      "234123412346",
					      "44051401358",
					      "44951401359",
					      "9434765919",
					      "876543210",
					      "1234567893",
					      "2341 2341 2346 8",
					      NULL };

	all_go(*state, "NIF", nif);
	all_go(*state, "FISCAL_CODE", fiscal);
	all_go(*state, "ABN", abn);
	all_go(*state, "AADHAAR", aadhaar);
	all_go(*state, "PESEL", pesel);
	all_stay(*state, others);
}

static void test_redact__weak_checks_need_a_word(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(redact(f, "NHS no: 9434765919, 943 476 5919"), "NHS no: [NHS_1], [PHONE_1]");
	assert_string_equal(redact(f, "my nhs number is 943-476-5919, #9434765919"),
			    "my nhs number is [NHS_1], #9434765919");
	assert_string_equal(redact(f, "TFN 876 543 210"), "TFN [TFN_1]");
	assert_string_equal(redact(f, "tax file number: 876543210"), "tax file number: [TFN_1]");
	assert_string_equal(redact(f, "NPI #1234567893"), "NPI #[NPI_1]");
	assert_string_equal(redact(f, "Aadhaar 234123412346"), "Aadhaar [AADHAAR_1]");
	assert_string_equal(redact(f, "NHS 9434765918, TFN 876543211"), "NHS 9434765918, TFN 876543211");
	assert_string_equal(redact(f, "DNI 12345678 Z"), "DNI [NIF_1]");
}

static void test_redact__crypto_addresses(void **state)
{
	static const char *const list[] = { "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
					    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
					    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
					    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
					    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
					    "0x52908400098527886E0F7030069857D2E4169EE7",
					    NULL };
	static const char *const others[] = { "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
					      "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
					      "0x52908400098527886E0F7030069857D2E4169EE",
					      "52908400098527886e0f7030069857d2e4169ee7",
					      "AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
					      NULL };

	all_go(*state, "CRYPTO", list);
	all_stay(*state, others);
	row(*state, NULL);
	assert_string_equal(redact(*state, "bitcoin:3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
			    "bitcoin:[CRYPTO_1]");
}

static void test_redact__orders_and_accounts_that_are_named(void **state)
{
	struct fixture *f = *state;
	static const char *const others[] = { "order 12",
					      "order 2024",
					      "order of 12345",
					      "order on 2026-06-01",
					      "order 25000 units",
					      "order was 1299.00",
					      "orders from 01.06.2026",
					      "account 365",
					      "account since 201999",
					      "order #12",
					      "customer, 12345 of them",
					      "invoice $123456",
					      "order number is",
					      "order 123456.78",
					      "pre-order 2026-06-01",
					      "order 2500K bulbs",
					      "VK-20418 and VK-20419",
					      "order 12345 EUR",
					      NULL };

	assert_string_equal(redact(f, "order VK-20418, Order no. vk20418; order #VK 20418"),
			    "order [ORDER_1], Order no. [ORDER_1]; order #[ORDER_1]");
	assert_string_equal(redact(f, "my order number is 4155552671"), "my order number is [ORDER_2]");
	assert_string_equal(redact(f, "order 112-1234567-1234567 (invoice INV/2026/000123)"),
			    "order [ORDER_3] (invoice [ORDER_4])");
	assert_string_equal(redact(f, "order 0612345678."), "order [ORDER_5].");
	assert_string_equal(redact(f, "account number: 4471 2290"), "account number: [ACCOUNT_1]");
	assert_string_equal(redact(f, "customer 44712290 and Kundennummer C-1234"),
			    "customer [ACCOUNT_1] and Kundennummer [ACCOUNT_2]");
	assert_string_equal(redact(f, "Account ID: AOEABLNVS1, username: jb568925"),
			    "Account ID: [ACCOUNT_3], username: [ACCOUNT_4]");
	assert_string_equal(redact(f, "account no 447 in 2026"), "account no [ACCOUNT_5] in 2026");
	assert_string_equal(redact(f, "orders VK-20418, VK-20419 and 20420"),
			    "orders [ORDER_1], [ORDER_6] and [ORDER_7]");
	assert_string_equal(redact(f, "booking ref: XK7P2Q; VK-20418"), "booking ref: [ORDER_8]; [ORDER_1]");
	row(f, NULL);
	assert_string_equal(redact(f, "VK-20418"), "VK-20418");
	all_stay(f, others);
}

static void test_redact__answers_to_what_was_asked_for(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(redact(f, "8211314334"), "8211314334");
	redact(f, "What is your order number, please?");
	assert_string_equal(redact(f, "8211314334"), "[ORDER_1]");
	assert_string_equal(redact(f, "8211314335"), "8211314335"); /* nobody asked again */
	redact(f, "Can I have your account ID or username?");
	assert_string_equal(redact(f, "Sure, it's jb568925; 41E9CCY7"),
			    "Sure, it's [ACCOUNT_1]; [ACCOUNT_2]");
	redact(f, "Your name and phone number?");
	assert_string_equal(redact(f, "Jane Roe, 4155552671"), "Jane Roe, [PHONE_1]");
	/* Not what only stands in the answer. */
	redact(f, "What is your order number?");
	assert_string_equal(redact(f, "I bought 821131433 of them on 2026-06-01"),
			    "I bought 821131433 of them on 2026-06-01");
	redact(f, "What is your order number?");
	assert_string_equal(redact(f, "2026-06-01, 1299.00, 12:30, 250"), "2026-06-01, 1299.00, 12:30, 250");
	/* Nor is it asked in another row. */
	redact(f, "What is your order number?");
	row(f, NULL);
	assert_string_equal(redact(f, "8211314334"), "8211314334");
}

static void test_redact__names_of_the_customer(void **state)
{
	struct fixture *f = *state;

	row(f, "Jane O'Brien-M\xc3\xbcller");
	assert_string_equal(redact(f, "Jane here. JANE O'BRIEN, jane\xe2\x80\x99s hub, J. Muller, O Brien"),
			    "[NAME_1] here. [NAME_1], [NAME_1]\xe2\x80\x99s hub, [NAME_1], [NAME_1]");
	assert_string_equal(redact(f, "Janet, mullerian, O no"), "Janet, mullerian, O no");
	row(f, "Li van der Berg");
	assert_string_equal(redact(f, "Li van der Berg: the van of der Li; Berg"),
			    "[NAME_1]: the van of der Li; [NAME_1]");
	row(f, "Max Roe\nMaxine Roe");
	assert_string_equal(redact(f, "Maxine or Max, MAX2000"), "[NAME_1] or [NAME_1], MAX2000");
	row(f, "Will May");
	assert_string_equal(redact(f, "Will here: will you, may I? Will you? MAY"),
			    "[NAME_1] here: will you, may I? Will you? [NAME_1]");
	row(f, "Anna Roe");
	assert_string_equal(redact(f, "give a Roe to A. Roe"), "give a [NAME_1] to [NAME_1]");
	row(f, NULL);
	assert_string_equal(redact(f, "Jane"), "Jane");
	row(f, " - ");
	assert_string_equal(redact(f, "Jane - x"), "Jane - x");
}

static void test_redact__what_only_looks_like_it_stays(void **state)
{
	static const char *const list[] = { "VK-20418",
					    "#20418",
					    "112-1234567-1234567",
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
		TEST(test_redact__national_identifiers_by_their_check_digit),
		TEST(test_redact__weak_checks_need_a_word),
		TEST(test_redact__crypto_addresses),
		TEST(test_redact__orders_and_accounts_that_are_named),
		TEST(test_redact__answers_to_what_was_asked_for),
		TEST(test_redact__names_of_the_customer),
		TEST(test_redact__what_only_looks_like_it_stays),
	};
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
