/*
 * json_write.h: JSON written as text at once, for answers of which a tree of
 * values costs more than all the rest (a search's hits).
 *
 *	jsonw_open(b, '{');
 *	jsonw_key(b, "id");
 *	jsonw_string(b, id, strlen(id));
 *	jsonw_close(b, '}');
 *
 * Commas come by themselves. Failures are the strbuf's, sticky. Strings must be
 * UTF-8 (all that was read through json.h is).
 */
#ifndef READBACK_BASE_JSON_WRITE_H
#define READBACK_BASE_JSON_WRITE_H

#include <stdint.h>

#include "base/json.h"
#include "base/strbuf.h"

void jsonw_open(struct strbuf *b, char bracket);
void jsonw_close(struct strbuf *b, char bracket);
void jsonw_key(struct strbuf *b, const char *key);

void jsonw_string(struct strbuf *b, const char *s, size_t n);
void jsonw_int(struct strbuf *b, int64_t x);
/* Rounded to six decimals; null if it is not finite. */
void jsonw_decimal(struct strbuf *b, double x);
/* A value of a tree, as it is. NULL is null. */
void jsonw_value(struct strbuf *b, const json_t *v);

#endif
