/*
 * json.h: jansson, and reading requests with it; the one wrapper of jansson.
 *
 * Building JSON uses jansson's own calls (json_pack, json_object_set_new, …).
 * Reading what comes from outside uses json_parse() and a `struct reader`,
 * which checks types, remembers which fields were asked for and reports the
 * others as unknown, with the path of the field at fault. A reader's first
 * error is kept (sticky); reader_done() returns it.
 */
#ifndef READBACK_BASE_JSON_H
#define READBACK_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct arena;

#define JSON_MAX_DEPTH 64

/*
 * Parses all of s. ERR_BAD_JSON with the position, ERR_BAD_UTF8 (invalid bytes
 * or a NUL, written out or as \u0000), or ERR_TOO_LARGE for deeper nesting
 * than JSON_MAX_DEPTH. A key twice in one object is ERR_BAD_JSON.
 * The caller owns *out.
 */
int json_parse(const char *s, size_t n, struct error *e, json_t **out);

/* As json_parse; *out lives as long as the arena. */
int json_parse_arena(struct arena *a, const char *s, size_t n, struct error *e, json_t **out);

/*
 * As json_parse_arena, for requests, in which a vector is some hundred numbers
 * of which the parser makes an object each. An array of numbers under the key
 * "vector" of the outermost object comes *packed*: as a string of its floats
 * that no text can be. Anything else under that key comes as it is.
 */
int json_parse_packed(struct arena *a, const char *s, size_t n, struct error *e, json_t **out);
int json_is_packed(const json_t *j);
/* Its floats, not aligned; *n is their number. */
const void *json_packed(const json_t *j, size_t *n);
/* The object with the array again where it has it packed, to be written out. -1: no memory. */
int json_unpack_all(json_t *object);

/*
 * Numbers are written with 15 digits: enough for all that we compute, and a
 * decimal such as 0.988984 comes out as it went in.
 */
#define JSON_DIGITS JSON_REAL_PRECISION(15)

/* The compact text with sorted keys, so that equal values have equal bytes. Caller frees; NULL without memory. */
char *json_text(const json_t *j, size_t *n);

/* Prints it for people, indented, with a newline behind it. */
void json_print(const json_t *j, FILE *to);

/* Hands a reference over to the arena: it is released when the arena is freed. Returns `j` (NULL stays NULL). */
json_t *json_keep(struct arena *a, json_t *j);

#define JSON_AUTO __attribute__((cleanup(json_release))) json_t
void json_release(json_t **j);

#define READER_FIELDS 32

struct reader {
	json_t *obj; /* borrowed */
	struct error *err;
	int rc;
	size_t asked;
	const char *names[READER_FIELDS];
	char path[96]; /* "" at the top, else as "turns[3]" */
};

enum presence { OPTIONAL, REQUIRED };

struct text {
	const char *s; /* NULL when the field is absent or null */
	size_t n;
};

/* `obj` must be an object, or the reader starts with ERR_WRONG_TYPE. `path` may be NULL. */
void reader_init(struct reader *r, json_t *obj, const char *path, struct error *err);

/* Each leaves *out as it was when the optional field is absent or null. */
void reader_text(struct reader *r, const char *name, enum presence p, size_t max,
		 struct text *out); /* may be "" */
void reader_string(struct reader *r, const char *name, enum presence p, size_t max,
		   struct text *out); /* not "" */
void reader_int(struct reader *r, const char *name, enum presence p, int64_t lo, int64_t hi, int64_t *out);
void reader_number(struct reader *r, const char *name, enum presence p, double lo, double hi, double *out);
void reader_bool(struct reader *r, const char *name, enum presence p, int *out);
void reader_time(struct reader *r, const char *name, enum presence p, int64_t *ms);
void reader_array(struct reader *r, const char *name, enum presence p, size_t max, json_t **out);
void reader_object(struct reader *r, const char *name, enum presence p, json_t **out);
void reader_any(struct reader *r, const char *name, enum presence p, json_t **out);
/* An array of non-empty strings. */
void reader_strings(struct reader *r, const char *name, enum presence p, size_t max, size_t max_len,
		    json_t **out);
/* One of the words of `allowed`, which are separated by '|'. */
void reader_word(struct reader *r, const char *name, enum presence p, const char *allowed, struct text *out);

/* Reports `code` at field `name` (sticky, as all). */
void reader_fail(struct reader *r, int code, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ERR_UNKNOWN_FIELD if the object holds a field that was never asked for; else the first error, or 0. */
int reader_done(struct reader *r);

/* Writes the path of field `name` (NULL: of the object itself), or of its element i when i >= 0. */
void reader_path(const struct reader *r, const char *name, long i, char *out, size_t size);

#endif
