/*
 * error.h: what can go wrong, in one enum, and what the caller is told of it.
 *
 * Functions return 0 or a negative `enum err`, and fill the caller's `struct
 * error` with the detail. One table (error.c) maps each to its HTTP status,
 * JSON type and JSON code; docs/api.md prints that table.
 *
 * A struct error is a plain value: nothing in it is owned. Messages name what
 * to do; they never hold texts or ids of other people's data.
 */
#ifndef READBACK_BASE_ERROR_H
#define READBACK_BASE_ERROR_H

#include <stddef.h>

/* clang-format off: by status, not by width */
enum err {
	OK = 0,
	/* 400: the request */
	ERR_BAD_JSON = -100,
	ERR_UNKNOWN_FIELD,
	ERR_MISSING_FIELD,
	ERR_WRONG_TYPE,
	ERR_BAD_VALUE,
	ERR_BAD_UTF8,
	ERR_EMPTY_TEXT,
	ERR_BAD_ID,
	ERR_BAD_VECTOR,
	ERR_WRONG_DIMENSION,
	ERR_BAD_FILTER,
	ERR_BAD_MATCH,
	ERR_BAD_HEADER,
	ERR_NO_EMBEDDER,
	/* 401, 403, 404, 405, 413, 415, 416 */
	ERR_UNAUTHENTICATED,
	ERR_FORBIDDEN,
	ERR_AGENT_MISMATCH,
	ERR_NOT_FOUND,
	ERR_NO_ROUTE,
	ERR_BAD_METHOD,
	ERR_TOO_LARGE,
	ERR_MEDIA_TYPE,
	ERR_RANGE,
	/* 409, 412 */
	ERR_EXISTS,
	ERR_WRONG_STATE,
	ERR_HANDOFF_OPEN,
	ERR_READBACK_DISCREPANCIES,
	ERR_READBACK_REQUIRED,
	ERR_IDEMPOTENCY_MISMATCH,
	ERR_IDEMPOTENCY_IN_PROGRESS,
	ERR_CONFLICT,
	ERR_PRECONDITION,
	/* 429, 503 */
	ERR_RATE_LIMIT,
	ERR_OVERLOADED,
	ERR_NOT_READY,
	ERR_READ_ONLY,
	ERR_DISK_FULL,
	ERR_CLOSING,
	ERR_EMBEDDER_UNAVAILABLE,
	/* 500, and what only the command line meets */
	ERR_IO,
	ERR_NO_MEMORY,
	ERR_CORRUPT,
	ERR_INTERNAL,
	ERR_FOLDER_IN_USE,
	ERR_FOLDER,
	ERR_NEWER_FORMAT,
	ERR_MODEL,
	ERR_CONFIG,
	ERR_USAGE,
	ERR_REMOTE,
	ERR_INTERRUPTED,
	/* 410; behind the others, for refusals that are kept (http/idempotency.h) hold their numbers */
	ERR_SUPERSEDED,
};
/* clang-format on */

struct error {
	int code;          /* an enum err; 0 while nothing failed */
	char param[160];   /* the field at fault, as "turns[3].role"; "" if none */
	char message[360]; /* one sentence, no newline */
	char state[64];    /* wrong_state: the state it is in; handoff_open: the handoff's id */
};

struct error_kind {
	int code;         /* enum err */
	int status;       /* HTTP */
	const char *type; /* JSON "type" */
	const char *name; /* JSON "code" */
};

/*
 * Fills `e` (which may be NULL) and returns `code`, so that a failing function
 * ends in `return error_set(e, ERR_…, "param", "…")`. `param` may be NULL.
 */
int error_set(struct error *e, int code, const char *param, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#ifdef __clang_analyzer__ /* it looks at one file at a time, and has to know what is returned */
#define error_set(e, code, ...) (error_set(e, code, __VA_ARGS__), (code))
#endif

static inline int no_memory(struct error *e)
{
	return error_set(e, ERR_NO_MEMORY, NULL, "out of memory");
}

/* As error_set, for a failed system call: appends strerror(errno); ENOSPC and EDQUOT become ERR_DISK_FULL. */
int error_errno(struct error *e, const char *what);

/* Puts `prefix` before the param of an error that came from an inner reader: "turns[3]" + "role". */
void error_prefix(struct error *e, const char *prefix);

/* The row of the table for `code`; an unknown code gives the row of ERR_INTERNAL. */
const struct error_kind *error_kind(int code);

/* Row `i` of the table, or NULL past its end: for the docs and for tests. */
const struct error_kind *error_kind_at(size_t i);

#endif
