/*
 * redact.h: personal data out of texts, by pattern and checksum and by the
 * customer's known name.
 *
 * What is found is replaced by a token such as "[EMAIL_3f9a1c07be]": the first
 * 40 bits of an HMAC-SHA256, under the redactor's secret, over the kind and
 * the value in its plainest spelling ("J.Doe@x.org" is "j.doe@X.ORG"). Under
 * one secret a value has one token, in all rows; under another, another one,
 * so tokens of two datasets cannot be joined, and without the secret nobody
 * finds a value by trying. Nothing is random: the same rows give the same bytes.
 *
 * Recognised, the first that fits at a place wins. "Said": a word before names it, as "order number is …" does.
 *
 *	URL          with credentials or a query; without those it stays, and what is in it is looked at as text
 *	EMAIL        local@domain.tld
 *	IBAN         letters, check digits, the country's length, mod 97
 *	CRYPTO       base58check of 25 bytes; bech32 and bech32m of bc, tb, ltc; 0x and 40 hexadecimal digits
 *	MAC          six pairs with : or -, or three groups with dots
 *	IP           v4 unless a word such as "version" is before it; v6
 *	ORDER        letters and digits that are said to be an order's, invoice's or booking's
 *	CARD         13-19 digits, bare or in groups of which the first has 4; a network's first digits; Luhn
 *	ACCOUNT      letters and digits that are said to be an account's, customer's or member's
 *	FISCAL_CODE  Italian codice fiscale, 16 letters and digits with their check letter
 *	NIF          Spanish NIF and NIE, mod 23
 *	SSN          US 123-45-6789, also with spaces; bare behind "ssn"
 *	NHS          UK, 10 digits, mod 11: said
 *	TFN          Australian tax file number, 9 digits, mod 11: said
 *	NPI          US provider's number, 10 digits, Luhn with 80840: said
 *	AADHAAR      Indian, 12 digits, Verhoeff: in groups of 4-4-4, or said
 *	PESEL        Polish, 11 digits, date of birth, mod 10: bare or said
 *	ABN          Australian business number, 11 digits, mod 89: bare, in groups of 2-3-3-3, or said
 *	PHONE        +… and 00…; national with a trunk 0, an area code in brackets or in a spelling of phone numbers
 *	             (3-3-4 …); any of 7-15 digits behind a word such as "call". Not behind "ticket" and the like, no dates
 *	NAME         parts of the customer's name, whole words, without regard to case and accents, with initials before
 *	             them; a name that is a word as well ("Will") only with a capital; parts of fewer than three letters
 *	             and particles ("van") only next to another part
 *
 * Missed, and said in every manifest: other names in free text, postal
 * addresses, ids of other kinds; names in scripts without spaces.
 *
 * A redactor belongs to one thread. Patterns of e-mail and URL follow RFC 5322
 * and 3986 as people write them, lengths of IBANs the SWIFT registry; the
 * sources of other checks stand at them.
 */
#ifndef READBACK_DATASETS_REDACT_H
#define READBACK_DATASETS_REDACT_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct arena;

/* Hexadecimal digits of a token: two of a million values are alike in every other dataset, and so what. */
#define REDACT_DIGITS 10

enum redact_kind {
	REDACT_URL,
	REDACT_EMAIL,
	REDACT_IBAN,
	REDACT_CRYPTO,
	REDACT_MAC,
	REDACT_IP,
	REDACT_ORDER,
	REDACT_CARD,
	REDACT_ACCOUNT,
	REDACT_FISCAL_CODE,
	REDACT_NIF,
	REDACT_SSN,
	REDACT_NHS,
	REDACT_TFN,
	REDACT_NPI,
	REDACT_AADHAAR,
	REDACT_PESEL,
	REDACT_ABN,
	REDACT_PHONE,
	REDACT_NAME,
	REDACT_KINDS
};

#define REDACT_LIMITS \
	"other names in free text are missed, and so are postal addresses and identifiers of other kinds"

const char *redact_kind_name(enum redact_kind k); /* "email" */

struct redactor;

/* The secret is copied. NULL without memory. */
struct redactor *redactor_new(const unsigned char secret[32]);
void redactor_free(struct redactor *r);

/* The next row. `names` (one or more a line; s NULL: unknown) is copied; all are one person's. -1 without memory. */
int redactor_begin(struct redactor *r, struct text names);

/* `in` (valid UTF-8) without what is recognised; *out is `in` itself or the arena's. -1 without memory. */
int redactor_text(struct redactor *r, struct arena *a, struct text in, struct text *out);

/* Bytes of the token that a text begins with, whoever made it; 0: it begins with none. Tokens stay as they are. */
size_t redact_token(const char *s, size_t n);

/* How many places were replaced so far, in all rows. */
uint64_t redactor_count(const struct redactor *r, enum redact_kind k);

/*
 * What stayed and has five digits or more, dates left out: how many places, in all rows, and the first different ones,
 * the redactor's, for a person to look at.
 */
#define REDACT_SAMPLES 20
uint64_t redactor_kept(const struct redactor *r);
size_t redactor_samples(const struct redactor *r, const char *const **out);

#endif
