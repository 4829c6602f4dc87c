#include "planted_values.h"

#include <stdio.h>
#include <string.h>

static const char *const months[] = {
	"January", "February", "March", "April", "May", "June", "July", "August"
};

static size_t between(struct planted_rng *r, size_t from, size_t to)
{
	return from + planted_below(r, to - from + 1);
}

static void make_date(struct planted_rng *r, char *out)
{
	size_t y = between(r, 1990, 2030), m = between(r, 1, 12), d = between(r, 1, 28),
	       h = between(r, 0, 23), min = between(r, 0, 59);

	switch (planted_below(r, 9)) {
	case 0:
		sprintf(out, "%zu-%02zu-%02zu", y, m, d);
		break;
	case 1:
		sprintf(out, "%02zu.%02zu.%zu", d, m, y);
		break;
	case 2:
		sprintf(out, "%zu/%zu/%02zu", m, d, y % 100);
		break;
	case 3:
		sprintf(out, "%zu-%02zu-%02zu %02zu:%02zu", y, m, d, h, min);
		break;
	case 4:
		sprintf(out, "%zu-%02zu-%02zuT%02zu:%02zu:00Z", y, m, d, h, min);
		break;
	case 5:
		sprintf(out, "%zu%02zu%02zu", y, m, d);
		break;
	case 6:
		sprintf(out, "%zu %s %zu", d, PICK(r, months), y);
		break;
	case 7:
		sprintf(out, "%02zu:%02zu-%02zu:%02zu", h, min, (h + 3) % 24, min);
		break;
	default:
		sprintf(out, "%02zu/%02zu/%zu at %zu:%02zu", d, m, y, h, min);
	}
}

static void make_price(struct planted_rng *r, char *out)
{
	size_t whole = between(r, 1, 9999), cents = between(r, 0, 99);

	switch (planted_below(r, 8)) {
	case 0:
		sprintf(out, "$%zu.%02zu", whole, cents);
		break;
	case 1:
		sprintf(out, "EUR %zu,%02zu", whole, cents);
		break;
	case 2:
		sprintf(out, "\xe2\x82\xac%zu.%03zu,%02zu", between(r, 1, 99), between(r, 0, 999), cents);
		break;
	case 3:
		sprintf(out, "%zu,%03zu,%03zu.%02zu USD", between(r, 1, 99), between(r, 0, 999),
			between(r, 0, 999), cents);
		break;
	case 4:
		sprintf(out, "%zu %03zu kr", between(r, 1, 99), between(r, 0, 999));
		break;
	case 5:
		sprintf(out, "\xc2\xa3%zu%04zu", between(r, 1, 99), between(r, 0, 9999));
		break;
	case 6:
		sprintf(out, "%zu\xe2\x82\xac", whole * 10);
		break;
	default:
		sprintf(out, "%zu.%02zu euros", whole, cents);
	}
}

static void make_version(struct planted_rng *r, char *out)
{
	static const char *const before[] = { "version ", "firmware ", "v", "release ", "driver version " };

	if (planted_below(r, 2))
		sprintf(out, "%s%zu.%zu.%zu.%zu", PICK(r, before), between(r, 1, 12), between(r, 0, 30),
			between(r, 0, 99), between(r, 0, 255));
	else
		sprintf(out, "%s%zu.%zu.%zu-rc%zu", PICK(r, before), between(r, 1, 12), between(r, 0, 30),
			between(r, 0, 99), between(r, 1, 9));
}

static void make_tracking(struct planted_rng *r, char *out)
{
	char digits[40];

	switch (planted_below(r, 7)) {
	case 0:
		planted_put(digits, "94");
		planted_digits(r, 20, digits + 2);
		planted_spell("xxxx xxxx xxxx xxxx xxxx xx", digits, out);
		break;
	case 1:
		planted_put(out, "92");
		planted_digits(r, 20, out + 2);
		break;
	case 2:
		planted_put(out, "1Z");
		planted_letters(r, UPPER DIGITS DIGITS, 16, out + 2);
		break;
	case 3:
		planted_digits(r, 12, out);
		break;
	case 4:
		planted_put(out, "JJD");
		planted_digits(r, 16, out + 3);
		break;
	case 5: /* S10 of the Universal Postal Union */
		planted_letters(r, UPPER, 2, out);
		planted_digits(r, 9, out + 2);
		planted_put(out + strlen(out), "NL");
		break;
	default:
		planted_put(out, "1");
		planted_digits(r, 9, out + 1);
	}
}

static void make_code(struct planted_rng *r, char *out)
{
	static const char *const products[] = { "871", "978", "073", "400", "501" };

	switch (planted_below(r, 8)) {
	case 0:
		sprintf(out, "article %s", PICK(r, products));
		planted_digits(r, 10, out + strlen(out));
		break;
	case 1:
		planted_put(out, "SN ");
		planted_digits(r, 8, out + 3);
		break;
	case 2:
		planted_put(out, "0x");
		planted_letters(r, HEX, 8, out + 2);
		break;
	case 3: /* of a commit */
		planted_letters(r, HEX, 40, out);
		break;
	case 4: /* milliseconds */
		planted_put(out, "17");
		planted_digits(r, 11, out + 2);
		break;
	case 5:
		planted_letters(r, UPPER, 2, out);
		out[2] = '-';
		planted_digits(r, 5, out + 3);
		break;
	case 6:
		planted_letters(r, HEX, 8, out);
		planted_put(out + strlen(out), "-7dec-11d0-a765-");
		planted_letters(r, HEX, 12, out + strlen(out));
		break;
	default:
		planted_put(out, "part ");
		planted_letters(r, UPPER DIGITS, 10, out + 5);
	}
}

static void make_measure(struct planted_rng *r, char *out)
{
	switch (planted_below(r, 8)) {
	case 0:
		sprintf(out, "%zu.%zu/5", between(r, 1, 4), between(r, 0, 9));
		break;
	case 1:
		sprintf(out, "%zux%zu", between(r, 600, 4000), between(r, 400, 3000));
		break;
	case 2:
		sprintf(out, "%zu x %zu x %zu cm", between(r, 5, 200), between(r, 5, 200),
			between(r, 5, 200));
		break;
	case 3:
		sprintf(out, "%zu%%", between(r, 1, 100));
		break;
	case 4:
		sprintf(out, "%zu %03zu %03zu steps", between(r, 1, 9), between(r, 0, 999),
			between(r, 0, 999));
		break;
	case 5:
		sprintf(out, "3.14159%zu", between(r, 10000, 99999));
		break;
	case 6:
		sprintf(out, "%zu/%zu Hz", between(r, 50, 60), between(r, 50, 60));
		break;
	default:
		sprintf(out, "%zu days and %zu hours", between(r, 1, 300), between(r, 1, 23));
	}
}

/* Numbers as on a card and the like, with one digit wrong. */
static void make_wrong(struct planted_rng *r, char *out)
{
	make_fn *const makers[] = { make_card, make_iban, make_nif, make_fiscal_code };
	size_t n, last;

	PICK(r, makers)(r, out);
	n = strlen(out);
	for (last = n - 1; out[last] < '0' || out[last] > '9';)
		last--;
	out[last] = (char)('0' + (out[last] - '0' + 1) % 10);
}

static void make_address(struct planted_rng *r, char *out)
{
	static const char *const list[] = { "https://example.com/help/article-12",
					    "www.example.com",
					    "example.com/pricing",
					    "user@localhost",
					    "@janeroe",
					    "std::string",
					    "a::b",
					    "10:30:15",
					    "802.11",
					    "24/7/365",
					    "1/2",
					    "error 404",
					    "https://docs.example.org/a/b#part-2",
					    "room 12b" };

	planted_put(out, PICK(r, list));
}

typedef void write_fn(struct planted_rng *r, char *out);

void make_lookalike(struct planted_rng *r, char *out, size_t room)
{
	static write_fn *const makers[] = { make_date, make_price,   make_version, make_tracking,
					    make_code, make_measure, make_wrong,   make_address };
	static const char *const around[] = { "it is %s, thanks",
					      "%s",
					      "I saw %s on the screen.",
					      "They told me %s, is that right?",
					      "(%s)",
					      "Why does it say %s?",
					      "since %s it does not work",
					      "%s: no change at all" };
	static const char *const sentences[] = {
		"I want to order 25000 units",    "order 12 of them",
		"my account is 365 days old",     "I will call you 3 times, then 4",
		"order 2 more by 2026-06-01",     "My account since 2019 has no orders",
		"call me on 2026-06-01 at 08:30", "an account of 10000 points",
		"the order was 1299.00",          "order from 2024-05-17, 17:30",
		"please order 1000mAh batteries", "I cannot order 2500K bulbs any more",
		"text 2 of 3 came on 5/6/2026",   "The customer is 45, the account 20 years",
	};
	char value[128];

	if (planted_below(r, 8) == 0) {
		snprintf(out, room, "%s", PICK(r, sentences));
		return;
	}
	PICK(r, makers)(r, value);
	const char *frame = PICK(r, around), *slot = strstr(frame, "%s");
	snprintf(out, room, "%.*s%s%s", (int)(slot - frame), frame, value, slot + 2);
}
