/*
 * planted_values.h: the values of planted.h. Each make_x writes one in a
 * spelling drawn at random; 1: only a word before it tells it from other numbers.
 */
#ifndef READBACK_TESTS_PLANTED_VALUES_H
#define READBACK_TESTS_PLANTED_VALUES_H

#include "planted.h"

typedef int make_fn(struct planted_rng *r, char *out);

make_fn make_url, make_email, make_mac, make_ip, make_order, make_account, make_phone; /* planted_values.c */
make_fn make_iban, make_crypto, make_card, make_fiscal_code, make_nif, make_ssn, make_nhs, make_tfn, make_npi,
	make_aadhaar, make_abn, make_pesel; /* planted_checked.c */

/* A line with something that is no personal data. planted_lookalikes.c */
void make_lookalike(struct planted_rng *r, char *out, size_t room);

/* From 0 up to n. */
size_t planted_below(struct planted_rng *r, size_t n);
void planted_digits(struct planted_rng *r, size_t n, char *out); /* and a NUL */
/* One of `alphabet`, n times. */
void planted_letters(struct planted_rng *r, const char *alphabet, size_t n, char *out);
/* Copies s with its NUL; values are short of PLANTED_ROOM / 2. */
void planted_put(char *out, const char *s);
/* "x" in the pattern becomes the next character of s: "xxx xx". */
void planted_spell(const char *pattern, const char *s, char *out);

#define PICK(r, list) ((list)[planted_below((r), sizeof(list) / sizeof((list)[0]))])

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HEX "0123456789abcdef"

#endif
