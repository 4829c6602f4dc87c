#include "http/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "http/exchange.h"
#include "http/idempotency.h"
#include "http/metrics.h"
#include "store/keys.h"

#define TWIN_WAIT_MS 10000

int api_init(struct api *api)
{
	api->idempotency = idempotency_new();
	api->metrics = metrics_new();
	if (api->idempotency && api->metrics)
		return 0;
	api_release(api);
	return ERR_NO_MEMORY;
}

void api_release(struct api *api)
{
	idempotency_free(api->idempotency);
	metrics_free(api->metrics);
	api->idempotency = NULL;
	api->metrics = NULL;
}

static void add_header(struct response *out, const char *name, const char *value)
{
	if (value && out->n_headers < sizeof(out->headers) / sizeof(out->headers[0]))
		out->headers[out->n_headers++] = (struct header){ name, value };
}

static void set_json(struct arena *a, struct response *out, int status, const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY | JSON_DIGITS);

	out->status = status;
	out->type = "application/json";
	out->body = text ? arena_strdup(a, text) : NULL;
	free(text);
	if (!out->body) {
		out->status = 500;
		out->body = "{\"error\":{\"message\":\"out of memory\",\"type\":\"internal\",\"param\":null,"
			    "\"code\":\"no_memory\"}}";
	}
	out->n = strlen(out->body);
}

/* `discrepancies` is borrowed; NULL but for a read-back that did not agree. */
static void set_error(struct arena *a, struct response *out, const struct error *e, json_t *discrepancies)
{
	const struct error_kind *kind = error_kind(e->code);
	JSON_AUTO *j = json_pack("{s:{s:s, s:s, s:o, s:s, s:s}}", "error", "message", e->message, "type",
				 kind->type, "param", e->param[0] ? json_string(e->param) : json_null(),
				 "code", kind->name, "request_id", out->request_id ? out->request_id : "");
	json_t *body = json_object_get(j, "error");

	if (e->code == ERR_WRONG_STATE)
		json_object_set_new(body, "state", json_string(e->state));
	if (e->code == ERR_HANDOFF_OPEN)
		json_object_set_new(body, "handoff_id", json_string(e->state));
	if (discrepancies)
		json_object_set(body, "discrepancies", discrepancies);
	out->code = kind->name;
	if (kind->status == 401)
		add_header(out, "WWW-Authenticate", "Bearer");
	if (kind->status == 503 || kind->status == 429)
		add_header(out, "Retry-After", "1");
	set_json(a, out, kind->status, j);
}

/* The caller's own id if it is a short, plain token; else ours. */
static const char *request_id(struct arena *a, const struct request *in)
{
	const char *given = request_header(in, "X-Request-Id");
	char id[UUID_TEXT];

	if (given && *given && strlen(given) <= 128) {
		const char *p = given;
		while (*p > ' ' && *p < 0x7f && *p != '"' && *p != '\\')
			p++;
		if (!*p)
			return given;
	}
	uuid_v7(id);
	return arena_strdup(a, id);
}

void api_refuse(const struct request *in, struct arena *a, const struct error *e, struct response *out)
{
	*out = (struct response){ .request_id = request_id(a, in), .route = "", .key = "", .code = "" };
	set_error(a, out, e, NULL);
}

static int authenticate(struct exchange *x)
{
	const char *value = request_header(x->in, "Authorization");
	struct key_spec key;

	if (x->in->rights) {
		x->rights = *x->in->rights;
		return 0;
	}
	if (!value || strncasecmp(value, "Bearer ", 7) != 0)
		return error_set(x->err, ERR_UNAUTHENTICATED, NULL,
				 "send Authorization: Bearer with an API key");
	value += 7 + strspn(value + 7, " ");
	int rc = key_find(x->api->control, value, strlen(value), x->arena, &key, x->err);
	if (rc < 0)
		return rc;
	x->rights = (struct rights){
		.key = key.id,
		.agent = key.id,
		.scopes = key.scopes,
		.act_as = key.act_as,
		.all_groups = key.all_groups,
		.groups = key.groups,
		.n_groups = key.n_groups,
	};
	x->out->key = key.id;
	const char *agent = request_header(x->in, "Readback-Agent");
	return agent ? agent_header_apply(x->arena, agent, &x->rights, x->err) : 0;
}

static int is_type(const char *value, const char *type)
{
	size_t n = strlen(type);

	return strncasecmp(value, type, n) == 0 && (!value[n] || value[n] == ';' || value[n] == ' ');
}

static int check_media_type(struct exchange *x, const struct route *r)
{
	const char *type = request_header(x->in, "Content-Type");
	const char *coding = request_header(x->in, "Content-Encoding");

	if (coding && strcasecmp(coding, "identity") != 0)
		return error_set(x->err, ERR_MEDIA_TYPE, "Content-Encoding",
				 "send the body without an encoding");
	if (!type || r->body == BODY_NONE)
		return 0;
	if (r->body == BODY_JSON && is_type(type, "application/json"))
		return 0;
	if (r->body == BODY_NDJSON && (is_type(type, "application/x-ndjson") ||
				       is_type(type, "application/jsonl") || is_type(type, "text/plain")))
		return 0;
	return error_set(x->err, ERR_MEDIA_TYPE, "Content-Type", "send %s here",
			 r->body == BODY_JSON ? "application/json" : "application/x-ndjson");
}

static int read_body(struct exchange *x, const struct route *r)
{
	if (x->in->n_body > (r->body == BODY_NONE ? BODY_SMALL : r->max_body))
		return error_set(x->err, ERR_TOO_LARGE, NULL, "the body is longer than %zu bytes",
				 r->max_body);
	int rc = check_media_type(x, r);
	if (rc < 0 || r->body != BODY_JSON)
		return rc;
	rc = json_parse_packed(x->arena, x->in->body, x->in->n_body, x->err, &x->body);
	if (rc == 0 && !json_is_object(x->body))
		rc = error_set(x->err, ERR_WRONG_TYPE, NULL, "the body must be a JSON object");
	return rc;
}

static int success_status(const struct route *r, const json_t *result)
{
	const json_t *created = json_object_get(result, "created");

	if (json_object_get(result, "job"))
		return 202;
	if (created)
		return json_is_true(created) ? 201 : 200;
	return r->status;
}

/* Revisions make ETags: what If-Match is compared with. */
static void set_etag(struct exchange *x, const json_t *j)
{
	const json_t *revision = json_object_get(j, "revision");

	if (!json_is_integer(revision))
		return;
	const char *tag = arena_printf(x->arena, "\"v%lld\"", (long long)json_integer_value(revision));
	const char *known = request_header(x->in, "If-None-Match");
	add_header(x->out, "ETag", tag);
	/* What is shown of handoffs depends on rights as well, so only documents are "not modified". */
	if (tag && known && strcmp(known, tag) == 0 && strcmp(x->in->method, "GET") == 0 &&
	    json_object_get(j, "version")) {
		x->out->status = 304;
		x->out->body = "";
		x->out->n = 0;
	}
}

static int show(struct exchange *x, const struct route *r, const json_t *result, int status)
{
	json_t *out = NULL;
	int rc = r->show(x, result, &out);

	if (rc < 0)
		return rc;
	json_keep(x->arena, out);
	if (!out) {
		x->out->status = x->out->status ? x->out->status : status;
		return 0;
	}
	if (status == error_kind(ERR_READBACK_DISCREPANCIES)->status) {
		error_set(x->err, ERR_READBACK_DISCREPANCIES, NULL, "the read-back differs from the handoff");
		set_error(x->arena, x->out, x->err, json_object_get(out, "discrepancies"));
		return 0;
	}
	set_json(x->arena, x->out, x->out->status ? x->out->status : status, out);
	set_etag(x, out);
	return 0;
}

/* Says again what was refused before. */
static int refuse_again(struct exchange *x, const json_t *kept)
{
	error_set(x->err, (int)json_integer_value(json_object_get(kept, "code")),
		  json_string_value(json_object_get(kept, "param")), "%s",
		  json_string_value(json_object_get(kept, "message")));
	const char *state = json_string_value(json_object_get(kept, "state"));
	strncpy(x->err->state, state ? state : "", sizeof(x->err->state) - 1);
	return x->err->code;
}

static int act_and_show(struct exchange *x, const struct route *r)
{
	json_t *result = NULL;
	int rc = r->act(x, &result);

	json_keep(x->arena, result);
	if (rc < 0 && rc != ERR_READBACK_DISCREPANCIES) {
		idempotency_keep_refusal(x);
		return rc;
	}
	return show(x, r, result, rc < 0 ? error_kind(rc)->status : success_status(r, result));
}

static int run_once(struct exchange *x, const struct route *r)
{
	json_t *result;
	int status, rc = idempotency_name(x);

	if (rc < 0)
		return rc;
	if (!x->call.request)
		return act_and_show(x, r);
	rc = idempotency_enter(x->api->idempotency, x->call.request, TWIN_WAIT_MS, x->err);
	if (rc < 0)
		return rc;
	rc = idempotency_recall(x, &status, &result);
	if (rc == 0)
		rc = act_and_show(x, r);
	else if (rc > 0 && json_object_get(result, "error"))
		rc = refuse_again(x, json_object_get(result, "error"));
	else if (rc > 0)
		rc = show(x, r, result, status);
	idempotency_leave(x->api->idempotency, x->call.request);
	return rc;
}

/* Finds the route and who calls, and whether the one is open to the other. */
static int enter(struct exchange *x, const struct route **route, int look_up)
{
	const char *target = x->in->target, *allow = NULL;
	size_t path = strcspn(target, "?");
	int rc = router_find(x->in->method, target, path, x->arena, route, x->params, &allow, x->err);

	if (rc < 0) {
		if (allow)
			add_header(x->out, "Allow", allow);
		return rc;
	}
	const struct route *r = *route;
	x->out->route = r->pattern;
	x->query = target[path] ? target + path + 1 : "";
	if (!r->scopes)
		return 0;
	if (!look_up && request_header(x->in, "Authorization"))
		return 0;
	rc = authenticate(x);
	if (rc == 0 && !rights_scope(&x->rights, r->scopes))
		rc = error_set(x->err, ERR_FORBIDDEN, NULL, "this key's scopes do not allow that");
	return rc;
}

static int handle(struct exchange *x, const struct route **route)
{
	int rc = enter(x, route, 1);
	const struct route *r = *route;

	if (rc < 0)
		return rc;
	x->call = (struct call){
		.arena = x->arena, .rights = &x->rights, .err = x->err, .if_match = CALL_NO_MATCH
	};
	x->call.may_set_time = rights_scope(&x->rights, SCOPE_ADMIN);
	rc = if_match_read(request_header(x->in, "If-Match"), &x->call.if_match, x->err);
	if (rc == 0 && strcmp(r->method, "GET") != 0)
		rc = exchange_query_known(x, ""); /* a GET route has its own */
	if (rc == 0)
		rc = read_body(x, r);
	if (rc < 0)
		return rc;
	return r->act ? run_once(x, r) : show(x, r, NULL, r->status);
}

int api_admit(struct api *api, const struct request *in, int look_up, struct arena *a, struct response *out)
{
	struct error e = { 0 };
	const struct route *route = NULL;
	struct exchange x = { .api = api, .in = in, .out = out, .arena = a, .err = &e };

	*out = (struct response){ .request_id = request_id(a, in), .route = "", .key = "", .code = "" };
	int rc = enter(&x, &route, look_up);
	if (rc < 0)
		set_error(a, out, &e, NULL);
	return rc;
}

void api_handle(struct api *api, const struct request *in, struct arena *a, struct response *out)
{
	struct error e = { 0 };
	const struct route *route = NULL;
	int64_t started = clock_mono_us();
	struct exchange x = { .api = api, .in = in, .out = out, .arena = a, .err = &e };

	*out = (struct response){ .request_id = request_id(a, in), .route = "", .key = "", .code = "" };
	if (handle(&x, &route) < 0) {
		out->status = 0;
		set_error(a, out, &e, NULL);
	}
	metrics_count(api->metrics, out->route, in->method, out->status, clock_mono_us() - started);
}
