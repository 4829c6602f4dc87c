#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct error_kind kinds[] = {
	{ ERR_BAD_JSON, 400, "invalid_request", "bad_json" },
	{ ERR_UNKNOWN_FIELD, 400, "invalid_request", "unknown_field" },
	{ ERR_MISSING_FIELD, 400, "invalid_request", "missing_field" },
	{ ERR_WRONG_TYPE, 400, "invalid_request", "wrong_type" },
	{ ERR_BAD_VALUE, 400, "invalid_request", "bad_value" },
	{ ERR_BAD_UTF8, 400, "invalid_request", "bad_utf8" },
	{ ERR_EMPTY_TEXT, 400, "invalid_request", "empty_text" },
	{ ERR_BAD_ID, 400, "invalid_request", "bad_id" },
	{ ERR_BAD_VECTOR, 400, "invalid_request", "bad_vector" },
	{ ERR_WRONG_DIMENSION, 400, "invalid_request", "wrong_dimension" },
	{ ERR_BAD_FILTER, 400, "invalid_request", "bad_filter" },
	{ ERR_BAD_MATCH, 400, "invalid_request", "bad_match" },
	{ ERR_BAD_HEADER, 400, "invalid_request", "bad_header" },
	{ ERR_NO_EMBEDDER, 400, "invalid_request", "no_embedder" },
	{ ERR_UNAUTHENTICATED, 401, "authentication", "unauthenticated" },
	{ ERR_FORBIDDEN, 403, "permission", "forbidden" },
	{ ERR_AGENT_MISMATCH, 403, "permission", "agent_mismatch" },
	{ ERR_NOT_FOUND, 404, "not_found", "not_found" },
	{ ERR_NO_ROUTE, 404, "not_found", "no_route" },
	{ ERR_BAD_METHOD, 405, "invalid_request", "method_not_allowed" },
	{ ERR_SUPERSEDED, 410, "not_found", "superseded" },
	{ ERR_TOO_LARGE, 413, "too_large", "too_large" },
	{ ERR_MEDIA_TYPE, 415, "invalid_request", "unsupported_media_type" },
	{ ERR_RANGE, 416, "invalid_request", "range_not_satisfiable" },
	{ ERR_EXISTS, 409, "conflict", "already_exists" },
	{ ERR_WRONG_STATE, 409, "conflict", "wrong_state" },
	{ ERR_HANDOFF_OPEN, 409, "conflict", "handoff_open" },
	{ ERR_READBACK_DISCREPANCIES, 409, "conflict", "readback_discrepancies" },
	{ ERR_READBACK_REQUIRED, 409, "conflict", "readback_required" },
	{ ERR_IDEMPOTENCY_MISMATCH, 409, "conflict", "idempotency_mismatch" },
	{ ERR_IDEMPOTENCY_IN_PROGRESS, 409, "conflict", "idempotency_in_progress" },
	{ ERR_CONFLICT, 409, "conflict", "write_conflict" },
	{ ERR_PRECONDITION, 412, "conflict", "precondition_failed" },
	{ ERR_RATE_LIMIT, 429, "rate_limit", "rate_limited" },
	{ ERR_OVERLOADED, 503, "unavailable", "overloaded" },
	{ ERR_NOT_READY, 503, "unavailable", "not_ready" },
	{ ERR_READ_ONLY, 503, "unavailable", "read_only" },
	{ ERR_DISK_FULL, 503, "unavailable", "disk_full" },
	{ ERR_CLOSING, 503, "unavailable", "closing" },
	{ ERR_EMBEDDER_UNAVAILABLE, 503, "unavailable", "embedder_unavailable" },
	{ ERR_IO, 500, "internal", "io" },
	{ ERR_NO_MEMORY, 500, "internal", "no_memory" },
	{ ERR_CORRUPT, 500, "internal", "corrupt" },
	{ ERR_FOLDER_IN_USE, 500, "internal", "folder_in_use" },
	{ ERR_FOLDER, 500, "internal", "folder_unusable" },
	{ ERR_NEWER_FORMAT, 500, "internal", "newer_format" },
	{ ERR_MODEL, 500, "internal", "model_unusable" },
	{ ERR_CONFIG, 500, "internal", "bad_configuration" },
	{ ERR_USAGE, 500, "internal", "usage" },
	{ ERR_REMOTE, 500, "internal", "remote" },
	{ ERR_INTERRUPTED, 500, "internal", "interrupted" },
	{ ERR_INTERNAL, 500, "internal", "internal" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

#undef error_set
int error_set(struct error *e, int code, const char *param, const char *fmt, ...)
{
	if (e) {
		va_list ap;
		e->code = code;
		e->state[0] = '\0';
		snprintf(e->param, sizeof(e->param), "%s", param ? param : "");
		va_start(ap, fmt);
		vsnprintf(e->message, sizeof(e->message), fmt, ap);
		va_end(ap);
	}
	return code;
}

int error_errno(struct error *e, const char *what)
{
	int saved = errno;
	int code = saved == ENOSPC || saved == EDQUOT ? ERR_DISK_FULL
		   : saved == ENOMEM                  ? ERR_NO_MEMORY
						      : ERR_IO;
	char text[128];

	return error_set(e, code, NULL, "%s: %s", what, strerror_r(saved, text, sizeof(text)));
}

void error_prefix(struct error *e, const char *prefix)
{
	char whole[2 * sizeof(e->param)];
	const char *dot = e->param[0] && e->param[0] != '[' ? "." : "";

	snprintf(whole, sizeof(whole), "%.*s%s%s", (int)sizeof(e->param) - 2, prefix, dot, e->param);
	whole[sizeof(e->param) - 1] = '\0';
	memcpy(e->param, whole, sizeof(e->param));
}

const struct error_kind *error_kind(int code)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].code == code)
			return &kinds[i];
	return &kinds[KINDS - 1];
}

const struct error_kind *error_kind_at(size_t i)
{
	return i < KINDS ? &kinds[i] : NULL;
}
