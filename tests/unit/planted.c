#include "planted.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "planted_values.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- names -------------------------------------------------------------------------------------------------- */

static const char *const first_names[] = { "Jane", "Pieter",       "Anneke",     "Rosa",         "Will",
					   "Mark", "J\xc3\xb6rg",  "Zo\xc3\xab", "Li",           "Marie-Jos",
					   "Omar", "Fatima",       "Aleksander", "Priya",        "Grace",
					   "Max",  "Ren\303\251e", "Niamh",      "Tom\xc3\xa1s", "Ingrid" };
static const char *const last_names[] = { "Roe",           "de Vries",    "O'Brien",      "M\xc3\xbcller",
					  "Kowalski",      "Nakamura",    "van der Berg", "Ferrari",
					  "Garc\303\255a", "Smith-Jones", "Okafor",       "Rossi",
					  "Lindqvist",     "Patel",       "Dubois",       "Young",
					  "White",         "Haddad" };

void planted_name(struct planted_rng *r, char name[80])
{
	snprintf(name, 80, "%s %s", PICK(r, first_names), PICK(r, last_names));
}

static void change_case(char *s, int (*to)(int))
{
	for (; *s; s++)
		if (!(*s & 0x80))
			*s = (char)to((unsigned char)*s);
}

/* The name as people write it of themselves and of others. */
static int make_name(struct planted_rng *r, const char *name, char *out)
{
	const char *last = strchr(name, ' ') + 1;

	switch (planted_below(r, 6)) {
	case 0:
		planted_put(out, last);
		break;
	case 1:
		planted_put(out, name);
		change_case(out, toupper);
		break;
	case 2:
	case 3:
		/* "Li" is too short to go alone. */
		if (last - name > 3)
			snprintf(out, (size_t)(last - name), "%s", name);
		else
			planted_put(out, name);
		break;
	case 4:
		if (!(name[0] & 0x80)) {
			snprintf(out, 80, "%c. %s", name[0], last);
			break;
		} /* fall through */
	default:
		planted_put(out, name);
	}
	return 0;
}

/* --- sentences ---------------------------------------------------------------------------------------------- */

/* "@" is where the value stands. */
static const char *const anything[] = {
	"it is @, thanks",
	"@",
	"Here you go: @",
	"I have sent you @ twice already.",
	"(@)",
	"@ - is that enough?",
	"You asked for it, so: @.",
	"\"@\" is what the form says",
	"Please delete @ from your system.",
	"My colleague wrote down @ on the form; can you check?",
	"sure, @ as I said before",
	"Still waiting. @. Nobody answers!",
	"@ and nothing else",
};
static const char *const of_url[] = { "I clicked @ and got an error",
				      "The reset link @ does not work any more.", "see @ for the ticket",
				      "my link was <@>, it is expired" };
static const char *const of_email[] = { "Mail me at @ please",           "my e-mail is @.",
					"you can write to @, or not",    "From: <@>",
					"account under @ does not open", "@ is my address" };
static const char *const of_iban[] = { "Please refund to IBAN @.", "my IBAN: @",
				       "the money should go to @ please", "bank account @, in my name" };
static const char *const of_crypto[] = { "I paid from wallet @ yesterday", "Send the refund to @",
					 "my BTC address is @.", "bitcoin:@" };
static const char *const of_mac[] = { "The hub has MAC @.", "mac address: @", "wifi shows @ as the device" };
static const char *const of_ip[] = { "My IP is @.", "I am behind @ right now", "router at @ answers",
				     "blocked from @?" };
static const char *const of_order[] = {
	"Where is order @?",
	"my order number is @, it was due on Monday",
	"Order @ came broken.",
	"order #@ please cancel",
	"Order no. @: wrong colour",
	"order id: @",
	"I have invoice @ here",
	"Invoice number @ is wrong",
	"my booking reference is @.",
	"regarding order (@)",
	"Meine Bestellnummer ist @.",
	"my purchase order @ has two items",
	"order confirmation @ says Tuesday",
};
static const char *const of_card[] = { "I paid with card @.", "my card number is @, exp 12/27",
				       "Visa @ was charged twice", "the card @ is blocked" };
static const char *const of_account[] = {
	"my account number is @.",
	"Account no: @ - please close it",
	"customer number @ here",
	"Customer ID @",
	"my member number is @, since years",
	"Kundennummer @",
	"account @ is locked",
	"the client id is @",
	"Meine Kundennummer ist @, danke",
};
static const char *const of_fiscal[] = { "il mio codice fiscale: @", "codice fiscale @, grazie",
					 "My Italian tax code is @." };
static const char *const of_nif[] = { "mi DNI es @", "NIF: @", "my NIE is @, as on the card",
				      "DNI @, gracias" };
static const char *const of_ssn[] = { "My SSN is @.", "SSN: @", "social security number @ please" };
static const char *const of_nhs[] = { "My NHS number is @.", "NHS no: @", "NHS @ for the exemption",
				      "nhs number @ and my date" };
static const char *const of_tfn[] = { "My TFN is @.", "tax file number @", "TFN: @, for the invoice" };
static const char *const of_npi[] = { "NPI @", "our NPI is @.", "NPI number: @", "Provider NPI #@" };
static const char *const of_aadhaar[] = { "My Aadhaar is @.", "Aadhaar number: @", "aadhaar no @ for KYC" };
static const char *const of_abn[] = { "Our ABN is @.", "ABN: @", "please put ABN @ on the invoice" };
static const char *const of_pesel[] = { "PESEL: @", "moj PESEL to @", "My PESEL is @." };
static const char *const of_phone[] = {
	"Call me at @ please",         "my number is @.",       "Tel: @",
	"phone @, after five",         "you can reach me on @", "mobile: @ (evenings)",
	"my phone number is @, thanks"
};
static const char *const of_name[] = { "This is @.",
				       "Thanks, @",
				       "@ here, again",
				       "kind regards\t@",
				       "It was sent to @, not to me",
				       "Hello @, how can I help?",
				       "the parcel for @ is lost",
				       "Dear @," };

struct maker {
	const char *kind;
	int (*make)(struct planted_rng *r,
		    char *out); /* 1: only a word tells it from other numbers. NULL: the name */
	const char *const *said;
	size_t n;
};

#define SAID(list) list, COUNT(list)
static const struct maker makers[] = {
	{ "url", make_url, SAID(of_url) },
	{ "email", make_email, SAID(of_email) },
	{ "iban", make_iban, SAID(of_iban) },
	{ "crypto", make_crypto, SAID(of_crypto) },
	{ "mac", make_mac, SAID(of_mac) },
	{ "ip", make_ip, SAID(of_ip) },
	{ "order", make_order, SAID(of_order) },
	{ "card", make_card, SAID(of_card) },
	{ "account", make_account, SAID(of_account) },
	{ "fiscal_code", make_fiscal_code, SAID(of_fiscal) },
	{ "nif", make_nif, SAID(of_nif) },
	{ "ssn", make_ssn, SAID(of_ssn) },
	{ "nhs", make_nhs, SAID(of_nhs) },
	{ "tfn", make_tfn, SAID(of_tfn) },
	{ "npi", make_npi, SAID(of_npi) },
	{ "aadhaar", make_aadhaar, SAID(of_aadhaar) },
	{ "abn", make_abn, SAID(of_abn) },
	{ "pesel", make_pesel, SAID(of_pesel) },
	{ "phone", make_phone, SAID(of_phone) },
	{ "name", NULL, SAID(of_name) },
};

const char *planted_kind(size_t i)
{
	return i < COUNT(makers) ? makers[i].kind : NULL;
}

static const char *const plain[] = {
	"The lamp in the hall blinks twice and then stops.",
	"Can you send somebody on Thursday?",
	"I tried it three times, and it still does not work.",
	"Will you mark it as urgent, please?",
	"The white one is fine, the young cat likes it.",
	"nobody told me that the app needs an account",
	"My order has not come yet.",
	"You may call it a fault; I call it a design.",
	"Please tell Peter at the desk that I was there.",
	"by the grace of the support team it works again",
	"I have read the invoice and the booking, and both are wrong.",
	"thanks, that was quick!",
};

static void fill(const char *sentence, const char *value, struct planted_line *out)
{
	const char *slot = strchr(sentence, '@');

	out->at = (size_t)(slot - sentence);
	out->n = strlen(value);
	snprintf(out->text, sizeof(out->text), "%.*s%s%s", (int)out->at, sentence, value, slot + 1);
}

static void plant(struct planted_rng *r, const char *name, struct planted_line *out)
{
	const struct maker *m = &makers[planted_below(r, COUNT(makers))];
	char value[PLANTED_ROOM / 2];
	int needs_word = m->make ? m->make(r, value) : make_name(r, name, value);
	int said = planted_below(r, needs_word ? 8 : 2) != 0;

	out->kind = m->kind;
	out->without_word = needs_word && !said;
	fill(said ? m->said[planted_below(r, m->n)] : PICK(r, anything), value, out);
}

void planted_line(struct planted_rng *r, const char *name, struct planted_line *out)
{
	size_t what = planted_below(r, 20);

	memset(out, 0, sizeof(*out));
	if (what < 9)
		plant(r, name, out);
	else if (what < 17)
		make_lookalike(r, out->text, sizeof(out->text));
	else
		planted_put(out->text, PICK(r, plain));
}
