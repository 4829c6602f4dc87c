#include <string.h>

#include "base/arena.h"
#include "embed/embed.h"
#include "http/exchange.h"
#include "http/metrics.h"

/* docs/openapi.json, linked in: the contract that is served is the one that is tested. */
extern const char _binary_docs_openapi_json_start[], _binary_docs_openapi_json_end[];

static int openapi(struct exchange *x, const json_t *result, json_t **out)
{
	(void)result;
	(void)out;
	x->out->type = "application/json";
	x->out->body = _binary_docs_openapi_json_start;
	x->out->n = (size_t)(_binary_docs_openapi_json_end - _binary_docs_openapi_json_start);
	return 0;
}

static int health(struct exchange *x, const json_t *result, json_t **out)
{
	(void)result;
	*out = json_pack("{s:s}", "status", "ok");
	return *out ? 0 : no_memory(x->err);
}

static int ready(struct exchange *x, const json_t *result, json_t **out)
{
	struct engine_status s;
	int rc = engine_status(x->api->desk->engine, x->arena, &s, x->err);

	(void)result;
	if (rc < 0)
		return rc;
	if (!s.ready || s.read_only)
		x->out->status = 503;
	*out = json_pack("{s:b, s:b, s:s, s:I, s:I, s:s, s:i}", "ready", s.ready, "read_only", s.read_only,
			 "reason", s.reason, "seq", (json_int_t)s.seq, "index_seq", (json_int_t)s.index_seq,
			 "embedder", embedder_info(x->api->desk->embedder)->id, "broken_index_files",
			 (int)s.index.broken_files);
	return *out ? 0 : no_memory(x->err);
}

static int metrics(struct exchange *x, const json_t *result, json_t **out)
{
	STRBUF_AUTO b = STRBUF_INIT;
	struct engine_status s;
	int rc = engine_status(x->api->desk->engine, x->arena, &s, x->err);

	(void)result;
	(void)out;
	if (rc < 0)
		return rc;
	metrics_write(x->api->metrics, &s, &b);
	x->out->type = "text/plain; version=0.0.4; charset=utf-8";
	x->out->body = b.failed ? NULL : arena_strndup(x->arena, b.p, b.n);
	x->out->n = b.n;
	return x->out->body ? 0 : no_memory(x->err);
}

static int status(struct exchange *x, const json_t *result, json_t **out)
{
	struct engine_status s;
	const struct embedder_info *m = embedder_info(x->api->desk->embedder);
	int rc = engine_status(x->api->desk->engine, x->arena, &s, x->err);

	(void)result;
	if (rc < 0)
		return rc;
	json_t *records = json_object();
	for (int k = 0; k < RECORD_KINDS; k++)
		json_object_set_new(records, record_schema(k)->name, json_integer((json_int_t)s.records[k]));
	*out = json_pack(
		"{s:s, s:b, s:b, s:s, s:I, s:I, s:{s:s, s:i, s:s}, s:{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:s}, s:o, s:I}",
		"tenant", x->api->tenant, "ready", s.ready, "read_only", s.read_only, "reason", s.reason,
		"seq", (json_int_t)s.seq, "index_seq", (json_int_t)s.index_seq, "embedder", "id", m->id,
		"dim", (int)m->dim, "precision", m->precision, "index", "segments",
		(json_int_t)s.index.segments, "rows", (json_int_t)s.index.rows, "dead_rows",
		(json_int_t)s.index.dead_rows, "graph_rows", (json_int_t)s.index.graph_rows, "bytes",
		(json_int_t)s.index.bytes, "broken_files", (int)s.index.broken_files, "failed_merges",
		(int)s.index.failed_merges, "failed_saves", (int)s.failed_saves, "save_error", s.save_error,
		"records", records, "database_bytes", (json_int_t)s.database_bytes);
	return *out ? 0 : no_memory(x->err);
}

#define ANYBODY (SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR | SCOPE_EXPORT | SCOPE_ADMIN)

const struct route routes_ops[] = {
	{ "GET", "/healthz", 0, BODY_NONE, 0, 200, NULL, health },
	{ "GET", "/readyz", 0, BODY_NONE, 0, 200, NULL, ready },
	{ "GET", "/metrics", 0, BODY_NONE, 0, 200, NULL, metrics },
	{ "GET", "/openapi.json", 0, BODY_NONE, 0, 200, NULL, openapi },
	{ "GET", "/v1/status", ANYBODY, BODY_NONE, 0, 200, NULL, status },
	{ 0 },
};
