/*
 * redact.h: personal data out of texts, by pattern and checksum and by the
 * customer's known name.
 *
 * What is found is replaced by a token such as "[EMAIL_1]", numbered by kind
 * in order of first appearance in a row: within a row the same value has the
 * same token, also in another spelling ("J.Doe@x.org", "j.doe@X.ORG"), and
 * rows cannot be linked by their tokens. There is no key and nothing random:
 * the same rows give the same bytes.
 *
 * Recognised, the first that fits at a place wins:
 *
 *	URL    with credentials or a query; without those it stays, and what is in it is looked at as text
 *	EMAIL  local@domain.tld
 *	IBAN   letters, check digits, the country's length, mod 97
 *	MAC    six pairs with : or -, or three groups with dots
 *	IP     v4 unless a word such as "version" is before it; v6
 *	CARD   13-19 digits, bare or in groups of which the first has 4, Luhn
 *	SSN    US 123-45-6789, also with spaces; bare behind "ssn"
 *	PHONE  +… and 00…; national with a trunk 0, an area code in brackets or in a spelling of phone numbers (3-3-4 …);
 *	       any of 7-15 digits behind a word such as "call". Not behind "order", "ticket" and the like, no dates
 *	NAME   parts of the customer's name, whole words, without regard to case and accents; parts of fewer than three
 *	       letters and particles ("van") only next to another part
 *
 * Missed, and said in every manifest: other names in free text, postal
 * addresses, ids of other kinds; names in scripts without spaces.
 *
 * A redactor belongs to one thread. Patterns of e-mail and URL follow RFC 5322
 * and 3986 as people write them, lengths of IBANs the SWIFT registry.
 */
#ifndef READBACK_DATASETS_REDACT_H
#define READBACK_DATASETS_REDACT_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct arena;

enum redact_kind {
	REDACT_URL,
	REDACT_EMAIL,
	REDACT_IBAN,
	REDACT_MAC,
	REDACT_IP,
	REDACT_CARD,
	REDACT_SSN,
	REDACT_PHONE,
	REDACT_NAME,
	REDACT_KINDS
};

#define REDACT_LIMITS \
	"other names in free text are missed, and so are postal addresses and identifiers of other kinds"

const char *redact_kind_name(enum redact_kind k); /* "email" */

struct redactor;

struct redactor *redactor_new(void); /* NULL without memory */
void redactor_free(struct redactor *r);

/* The next row: numbers begin at 1 again. `names` (one or more a line; s NULL: unknown) is copied. -1 without memory. */
int redactor_begin(struct redactor *r, struct text names);

/* `in` (valid UTF-8) without what is recognised; *out is `in` itself or the arena's. -1 without memory. */
int redactor_text(struct redactor *r, struct arena *a, struct text in, struct text *out);

/* How many places were replaced so far, in all rows. */
uint64_t redactor_count(const struct redactor *r, enum redact_kind k);

#endif
