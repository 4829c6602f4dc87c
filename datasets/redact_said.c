#include "datasets/redact_find.h"

#include <string.h>

/*
 * Numbers of orders and accounts have no check digit and any spelling: only a
 * word before tells them from other numbers, so one that nobody names stays.
 */

#define WORDS_BACK 5
#define MAX_ID 40

static const char order_words[] =
	"|order|orders|purchase|invoice|booking|reservation|ordernumber|orderid|bestellung|bestellnummer|"
	"auftragsnummer|auftrag|rechnungsnummer|bestelling|bestelnummer|ordernummer|factuurnummer|commande|"
	"pedido|ordine|ordre|";
static const char account_words[] =
	"|account|acct|accountnumber|customer|client|member|membership|subscriber|loyalty|userid|username|login|pin|konto|"
	"kontonummer|kundennummer|kunde|klantnummer|klant|rekening|rekeningnummer|compte|cuenta|conto|cliente|";
static const char number_words[] =
	"|number|numbers|no|nos|nr|num|id|ids|code|reference|ref|confirmation|nummer|numero|key|";
static const char fillers[] = "|is|was|are|the|my|under|with|it|s|ist|es|est|on|for|de|by|new|old|";
/* Behind a plain number these say that it counts something. */
static const char units[] =
	"|eur|euro|euros|usd|gbp|dollar|dollars|pound|pounds|cent|cents|percent|of|units|pieces|pcs|items|times|"
	"days|hours|minutes|hubs|sensors|bulbs|watt|watts|volt|km|kg|points|";

/* 2: "order number …", "order #…"; 1: "order …"; 0: no such word. */
static int said_to_be(const struct place *p, const char *subjects)
{
	int number = p->at > 0 && p->s[p->at - 1] == '#';
	char word[WORD_ROOM];
	size_t end = p->at;

	for (int i = 0; i < WORDS_BACK && word_back(p, &end, word); i++) {
		if (strstr(subjects, word))
			return number || strstr(word, "nummer") || strstr(word, "number") ? 2 : 1;
		if (strstr(number_words, word))
			number = 1;
		else if (!strstr(fillers, word))
			return 0;
	}
	return 0;
}

/* "orders VK-20418, VK-20419 and VK-20420": 1 if the place is the next of such a list. */
static int is_next(const struct place *p, find_fn *self)
{
	static const char *const between[] = { ", ", " and ", ", and ", " or ",  ", or ", " & ",
					       "/",  " / ",   "; ",     " und ", " y ",   " et " };
	size_t n = p->at - p->from;

	for (size_t i = 0; p->before == self && i < sizeof(between) / sizeof(between[0]); i++)
		if (strlen(between[i]) == n && memcmp(p->s + p->from, between[i], n) == 0)
			return 1;
	return 0;
}

int is_answer(const struct place *p)
{
	static const char little[] =
		"|yes|yep|yeah|sure|ok|okay|ah|oh|hi|hello|here|its|this|that|i|have|think|so|and|";
	char word[WORD_ROOM];
	size_t end = p->at;

	while (word_back(p, &end, word))
		if (!strstr(little, word) && !strstr(fillers, word) && !strstr(number_words, word))
			return 0;
	return 1;
}

/* What a word begins to ask for; with "number" behind it it does. */
static unsigned subject_of(const char *word)
{
	if (strstr(order_words, word))
		return ASKED_ORDER;
	if (strstr(account_words, word))
		return ASKED_ACCOUNT;
	return strstr("|phone|telephone|mobile|cell|contact|telefon|", word) ? ASKED_PHONE : 0;
}

unsigned asked_for(const char *s, size_t n)
{
	unsigned asked = 0, subject = 0;
	char word[WORD_ROOM] = "|";

	for (size_t i = 0; i < n; i++) {
		size_t len = 0;
		for (; i < n && is_alpha(s[i]); i++)
			if (len < WORD_ROOM - 4)
				word[++len] = lower(s[i]);
		if (len == 0)
			continue;
		memcpy(word + 1 + len, "|", 2);
		if (subject && strstr(number_words, word))
			asked |= subject;
		subject = subject_of(word);
		if (subject && (strstr(word, "number") || strstr(word, "nummer") || strstr(word, "user") ||
				strstr(word, "id|")))
			asked |= subject;
	}
	return asked;
}

/* Letters and digits with single '-', '/' or '_' between: the end; counts both. */
static size_t read_run(const struct place *p, size_t at, size_t *letters, size_t *digits)
{
	size_t start = at;

	for (*letters = *digits = 0; at < p->n && at - start <= MAX_ID; at++) {
		if (is_digit(p->s[at]))
			++*digits;
		else if (is_alpha(p->s[at]))
			++*letters;
		else if (!strchr("-/_", p->s[at]) || !p->s[at] || at == start || !word_at(p->s, p->n, at + 1))
			break;
	}
	return at;
}

/* "4471 2290": further groups of two digits and more, each behind one space. */
static size_t read_spaced(const struct place *p, size_t at, size_t *digits)
{
	unsigned value;
	size_t n;

	while (at + 2 < p->n && p->s[at] == ' ' && !date_at(p, at + 1) &&
	       (n = number_at(p, at + 1, &value)) >= 2 && *digits + n <= MAX_DIGITS &&
	       !word_at(p->s, p->n, at + 1 + n) && !(at + 1 + n < p->n && strchr(":%", p->s[at + 1 + n]))) {
		*digits += n;
		at += 1 + n;
	}
	return at;
}

static int is_euro(const struct place *p, size_t at)
{
	return p->n - at >= 3 && memcmp(p->s + at, "\xe2\x82\xac", 3) == 0;
}

/* 1 if the number that ends there is an amount or a time. */
static int is_amount(const struct place *p, size_t end)
{
	if (end + 1 < p->n && strchr(".,:", p->s[end]) && is_digit(p->s[end + 1]))
		return 1;
	if (end < p->n && (p->s[end] == '%' || p->s[end] == '$' || is_euro(p, end)))
		return 1;
	return end + 1 < p->n && p->s[end] == ' ' && is_euro(p, end + 1);
}

/* 1 if the word behind says what is counted. */
static int counts_something(const struct place *p, size_t end)
{
	char word[WORD_ROOM] = "|";
	size_t n = 0;

	if (end < p->n && p->s[end] == ' ')
		end++;
	while (end + n < p->n && is_alpha(p->s[end + n]) && n < WORD_ROOM - 4) {
		word[n + 1] = lower(p->s[end + n]);
		n++;
	}
	memcpy(word + 1 + n, "|", 2);
	return n > 0 && strstr(units, word) != NULL;
}

static void add_plain(const struct place *p, size_t end, struct strbuf *key)
{
	for (size_t at = p->at; at < end; at++)
		if (is_alpha(p->s[at]) || is_digit(p->s[at]))
			strbuf_putc(key, lower(p->s[at]));
}

/* 1 if the letters of the run are all behind its digits: "2500K", "1000mAh". */
static int is_quantity(const struct place *p, size_t end, size_t letters)
{
	for (size_t i = 0; i < letters; i++)
		if (!is_alpha(p->s[end - 1 - i]))
			return 0;
	return is_digit(p->s[p->at]) && is_digit(p->s[end - 1 - letters]);
}

/* Whether a run that is said to be an id, "order …" (1) or "order number …" (2), looks like one. */
static int is_id(const struct place *p, size_t end, size_t letters, size_t digits, int said)
{
	if (letters == 0 && (is_amount(p, end) || (date_at(p, p->at) && end - p->at != 8)))
		return 0;
	if (said == 2)
		return letters ? (digits >= 2 && letters + digits >= 5) || letters + digits >= 8
			       : digits >= 3;
	/* "order 2500K bulbs", "order 2024", "account 365", "order 25000 units" */
	if (letters)
		return letters + digits >= 6 && digits >= 3 && !is_quantity(p, end, letters);
	return digits >= 5 && !date_at(p, p->at) && !counts_something(p, end);
}

/* "VK 20418": where the digits behind the two to four capitals from the place to `end` begin; 0: there are none. */
static size_t digits_behind(const struct place *p, size_t end, const char *subjects)
{
	char word[WORD_ROOM];
	size_t from = end;

	if (end - p->at > 4 || end + 1 >= p->n || p->s[end] != ' ' || !is_digit(p->s[end + 1]))
		return 0;
	for (size_t at = p->at; at < end; at++)
		if (p->s[at] < 'A' || p->s[at] > 'Z')
			return 0;
	/* "ID 20418" */
	if (!word_back(p, &from, word) || strstr(number_words, word) || strstr(subjects, word))
		return 0;
	return end + 1;
}

static size_t find_said(const struct place *p, find_fn *self, const char *subjects, unsigned asked,
			struct strbuf *key)
{
	size_t letters, digits, end, behind;
	int said;

	if (!is_alpha(p->s[p->at]) && !is_digit(p->s[p->at]))
		return 0;
	end = read_run(p, p->at, &letters, &digits);
	if (digits == 0 && (behind = digits_behind(p, end, subjects)) > 0) {
		size_t more;
		end = read_run(p, behind, &more, &digits);
		letters += more;
	}
	if (digits < 1 || word_at(p->s, p->n, end))
		return 0;
	said = said_to_be(p, subjects);
	if (said == 0 && !is_next(p, self) && !(p->asked & asked && is_answer(p)))
		return 0;
	if (said == 2 && letters == 0 && end - p->at <= 5)
		end = read_spaced(p, end, &digits);
	if (!is_id(p, end, letters, digits, said))
		return 0;
	add_plain(p, end, key);
	return end - p->at;
}

size_t find_order(const struct place *p, struct strbuf *key)
{
	return find_said(p, find_order, order_words, ASKED_ORDER, key);
}

size_t find_account(const struct place *p, struct strbuf *key)
{
	return find_said(p, find_account, account_words, ASKED_ACCOUNT, key);
}
