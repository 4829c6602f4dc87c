#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json_internal.h"
#include "base/utf8.h"

#define EXACT_INTEGERS 9007199254740992.0 /* 2^53: a double above it may be another integer */

/* Nesting, found without a parse so that a deep text cannot exhaust the stack of the parser. */
static int depth_of(const char *s, size_t n)
{
	int depth = 0, deepest = 0, quoted = 0;

	for (size_t i = 0; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = 0;
		} else if (s[i] == '"') {
			quoted = 1;
		} else if (s[i] == '{' || s[i] == '[') {
			deepest = ++depth > deepest ? depth : deepest;
		} else if (s[i] == '}' || s[i] == ']') {
			depth--;
		}
	}
	return deepest;
}

static json_t *load(const char *s, size_t n, int packed, json_error_t *je)
{
	JSON_AUTO *vector = NULL;
	char *rest = packed ? json_unpack_vector(s, n, &vector) : NULL;
	json_t *j = json_loadb(rest ? rest : s, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, je);

	free(rest);
	if (j && vector && json_object_set(j, "vector", vector) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int parse(const char *s, size_t n, int packed, struct error *e, json_t **out)
{
	json_error_t je = { 0 };
	size_t bad = utf8_valid(s, n);

	if (bad != n)
		return error_set(e, ERR_BAD_UTF8, NULL, "invalid UTF-8 at byte %zu", bad);
	if (n && memchr(s, '\0', n))
		return error_set(e, ERR_BAD_UTF8, NULL, "a NUL byte is not allowed in JSON");
	if (depth_of(s, n) > JSON_MAX_DEPTH)
		return error_set(e, ERR_TOO_LARGE, NULL, "JSON nested deeper than %d levels", JSON_MAX_DEPTH);
	json_t *j = load(s, n, packed, &je);
	if (!j && json_error_code(&je) == json_error_null_character)
		return error_set(e, ERR_BAD_UTF8, NULL, "\\u0000 is not allowed in a text");
	if (!j)
		return error_set(e, ERR_BAD_JSON, NULL, "not valid JSON at line %d, column %d", je.line,
				 je.column);
	*out = j;
	return 0;
}

int json_parse(const char *s, size_t n, struct error *e, json_t **out)
{
	return parse(s, n, 0, e, out);
}

static void decref(void *j)
{
	json_decref(j);
}

json_t *json_keep(struct arena *a, json_t *j)
{
	if (j && arena_defer(a, decref, j) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static int parse_arena(struct arena *a, const char *s, size_t n, int packed, struct error *e, json_t **out)
{
	json_t *j;
	int rc = parse(s, n, packed, e, &j);

	if (rc < 0)
		return rc;
	if (!json_keep(a, j))
		return no_memory(e);
	*out = j;
	return 0;
}

int json_parse_arena(struct arena *a, const char *s, size_t n, struct error *e, json_t **out)
{
	return parse_arena(a, s, n, 0, e, out);
}

int json_parse_packed(struct arena *a, const char *s, size_t n, struct error *e, json_t **out)
{
	return parse_arena(a, s, n, 1, e, out);
}

char *json_text(const json_t *j, size_t *n)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_DIGITS);

	if (s && n)
		*n = strlen(s);
	return s;
}

void json_print(const json_t *j, FILE *to)
{
	json_dumpf(j, to, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_DIGITS);
	fputc('\n', to);
}

void json_release(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

void reader_path(const struct reader *r, const char *name, long i, char *out, size_t size)
{
	const char *dot = r->path[0] && name ? "." : "";

	if (!name)
		name = "";
	if (i >= 0)
		snprintf(out, size, "%s%s%s[%ld]", r->path, dot, name, i);
	else
		snprintf(out, size, "%s%s%s", r->path, dot, name);
}

static void fail_at(struct reader *r, int code, const char *name, long i, const char *text)
{
	char path[160];

	if (r->rc < 0)
		return;
	reader_path(r, name, i, path, sizeof(path));
	r->rc = error_set(r->err, code, path, "%s%s%s", path, path[0] ? ": " : "", text);
}

void reader_fail(struct reader *r, int code, const char *name, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_at(r, code, name, -1, text);
}

void reader_init(struct reader *r, json_t *obj, const char *path, struct error *err)
{
	*r = (struct reader){ .obj = obj, .err = err };
	snprintf(r->path, sizeof(r->path), "%s", path ? path : "");
	if (!json_is_object(obj))
		reader_fail(r, ERR_WRONG_TYPE, NULL, "must be an object");
}

/* The value of `name`, NULL if it is absent, null or the reader has failed. */
static json_t *reader_get(struct reader *r, const char *name, enum presence p)
{
	if (r->rc < 0)
		return NULL;
	if (r->asked < READER_FIELDS)
		r->names[r->asked++] = name;
	json_t *v = json_object_get(r->obj, name);
	if (v && !json_is_null(v))
		return v;
	if (p == REQUIRED)
		reader_fail(r, ERR_MISSING_FIELD, name, "is required");
	return NULL;
}

void reader_text(struct reader *r, const char *name, enum presence p, size_t max, struct text *out)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	if (!json_is_string(v))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be a string");
	else if (json_string_length(v) > max)
		reader_fail(r, ERR_TOO_LARGE, name, "is longer than %zu bytes", max);
	else
		*out = (struct text){ json_string_value(v), json_string_length(v) };
}

void reader_string(struct reader *r, const char *name, enum presence p, size_t max, struct text *out)
{
	struct text t = { 0 };

	reader_text(r, name, p, max, &t);
	if (t.s && strspn(t.s, " \t\r\n") == t.n)
		reader_fail(r, ERR_EMPTY_TEXT, name, "must not be empty");
	else if (t.s)
		*out = t;
}

void reader_int(struct reader *r, const char *name, enum presence p, int64_t lo, int64_t hi, int64_t *out)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	double d = json_number_value(v); /* 67.0 is an integer too, in JSON's own terms */
	if (!json_is_integer(v) && !(json_is_real(v) && d == floor(d)))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be an integer");
	else if (json_is_integer(v) ? json_integer_value(v) < lo || json_integer_value(v) > hi
				    : d < (double)lo || d > (double)hi || fabs(d) > EXACT_INTEGERS)
		reader_fail(r, ERR_BAD_VALUE, name, "must be from %lld to %lld", (long long)lo,
			    (long long)hi);
	else
		*out = json_is_integer(v) ? json_integer_value(v) : (int64_t)d;
}

void reader_number(struct reader *r, const char *name, enum presence p, double lo, double hi, double *out)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	if (!json_is_number(v))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be a number");
	else if (!(json_number_value(v) >= lo && json_number_value(v) <= hi))
		reader_fail(r, ERR_BAD_VALUE, name, "must be from %g to %g", lo, hi);
	else
		*out = json_number_value(v);
}

void reader_bool(struct reader *r, const char *name, enum presence p, int *out)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	if (!json_is_boolean(v))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be true or false");
	else
		*out = json_is_true(v);
}

void reader_time(struct reader *r, const char *name, enum presence p, int64_t *ms)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	if (!json_is_string(v))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be an RFC 3339 time");
	else if (time_parse(json_string_value(v), json_string_length(v), ms) < 0)
		reader_fail(r, ERR_BAD_VALUE, name, "must be an RFC 3339 time such as 2026-06-01T08:00:00Z");
}

void reader_array(struct reader *r, const char *name, enum presence p, size_t max, json_t **out)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	if (!json_is_array(v))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be an array");
	else if (json_array_size(v) > max)
		reader_fail(r, ERR_TOO_LARGE, name, "has more than %zu elements", max);
	else
		*out = v;
}

void reader_object(struct reader *r, const char *name, enum presence p, json_t **out)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	if (!json_is_object(v))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be an object");
	else
		*out = v;
}

void reader_any(struct reader *r, const char *name, enum presence p, json_t **out)
{
	json_t *v = reader_get(r, name, p);

	if (v)
		*out = v;
}

void reader_strings(struct reader *r, const char *name, enum presence p, size_t max, size_t max_len,
		    json_t **out)
{
	json_t *a = NULL, *v;
	size_t i;

	reader_array(r, name, p, max, &a);
	if (!a)
		return;
	json_array_foreach(a, i, v) {
		if (!json_is_string(v))
			fail_at(r, ERR_WRONG_TYPE, name, (long)i, "must be a string");
		else if (json_string_length(v) == 0)
			fail_at(r, ERR_EMPTY_TEXT, name, (long)i, "must not be empty");
		else if (json_string_length(v) > max_len)
			fail_at(r, ERR_TOO_LARGE, name, (long)i, "is too long");
	}
	if (r->rc == 0)
		*out = a;
}

static int word_in(const char *allowed, const char *s, size_t n)
{
	for (const char *p = allowed; *p; p += *p == '|') {
		size_t len = strcspn(p, "|");
		if (len == n && memcmp(p, s, n) == 0)
			return 1;
		p += len;
	}
	return 0;
}

void reader_word(struct reader *r, const char *name, enum presence p, const char *allowed, struct text *out)
{
	json_t *v = reader_get(r, name, p);

	if (!v)
		return;
	if (!json_is_string(v))
		reader_fail(r, ERR_WRONG_TYPE, name, "must be one of %s", allowed);
	else if (!word_in(allowed, json_string_value(v), json_string_length(v)))
		reader_fail(r, ERR_BAD_VALUE, name, "must be one of %s", allowed);
	else
		*out = (struct text){ json_string_value(v), json_string_length(v) };
}

int reader_done(struct reader *r)
{
	const char *key;
	json_t *value;

	if (r->rc < 0)
		return r->rc;
	json_object_foreach(r->obj, key, value) {
		size_t i = 0;
		while (i < r->asked && strcmp(r->names[i], key) != 0)
			i++;
		if (i == r->asked) {
			char shown[80];
			snprintf(shown, sizeof(shown), "%.*s", (int)utf8_floor(key, strlen(key), 60), key);
			reader_fail(r, ERR_UNKNOWN_FIELD, shown, "is not a field here");
			break;
		}
	}
	return r->rc;
}
