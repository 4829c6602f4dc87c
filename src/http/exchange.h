/*
 * exchange.h: one request while it is answered, and the table of routes.
 * Internal to src/http.
 *
 * A route that changes something has an act and a show: the act commits and
 * gives a small result, the show renders it. A repeated request
 * (Idempotency-Key) runs the show alone. A route that reads has a show only.
 */
#ifndef READBACK_HTTP_EXCHANGE_H
#define READBACK_HTTP_EXCHANGE_H

#include "http/api.h"

#define ROUTE_PARAMS 2

enum body_kind { BODY_NONE, BODY_JSON, BODY_NDJSON };

struct exchange {
	struct api *api;
	const struct request *in;
	struct response *out;
	struct arena *arena;
	struct error *err;
	struct call call;
	struct rights rights;
	const char *params[ROUTE_PARAMS]; /* decoded segments, NUL-terminated */
	const char *query;                /* raw, "" if none */
	json_t *body;                     /* BODY_JSON */
};

struct route {
	const char *method, *pattern;
	unsigned scopes; /* any of; 0: open to everybody (only what tells nothing of anybody) */
	enum body_kind body;
	size_t max_body;
	int status; /* of success, unless the result says "created" or "job" */
	int (*act)(struct exchange *x, json_t **result);
	/* Sets *out, or x->out->body (or file) and type for what is not JSON. */
	int (*show)(struct exchange *x, const json_t *result, json_t **out);
};

/* One table a file; router.c joins them. */
extern const struct route routes_documents[], routes_search[], routes_conversations[], routes_handoffs[],
	routes_rules[], routes_models[], routes_reviews[], routes_insights[], routes_evals[], routes_ops[],
	routes_datasets[], routes_subjects[];

/* Limits of bodies, in bytes. */
#define BODY_SMALL (1u << 20)
#define BODY_DOCUMENT (24u << 20) /* 10 MB of text, escaped */
#define BODY_BATCH (64u << 20)

/*
 * The route of method and raw path. ERR_NO_ROUTE, ERR_BAD_METHOD (*allow then
 * lists the methods), ERR_BAD_ID for a segment that does not decode to UTF-8.
 */
int router_find(const char *method, const char *path, size_t n, struct arena *a, const struct route **out,
		const char *params[ROUTE_PARAMS], const char **allow, struct error *e);

/* The longest body that any route takes. */
size_t router_max_body(const char *method, const char *path, size_t n);

/*
 * Query parameters. exchange_query_known() reports the first that is not in
 * `known` ("after|limit"); the others read one. Values are decoded.
 */
int exchange_query_known(struct exchange *x, const char *known);
struct text exchange_query(struct exchange *x, const char *name);
/* A number from 1 to `max`; `fallback` where it is not given. ERR_BAD_VALUE. */
int exchange_number(struct exchange *x, const char *name, size_t fallback, size_t max, size_t *out);
int exchange_limit(struct exchange *x, size_t fallback, size_t max, size_t *out); /* that of "limit" */

/* Decodes %XX (and + when `plus`); NULL unless it gives valid UTF-8 without NUL. */
char *url_decode(struct arena *a, const char *s, size_t n, int plus, size_t *len);

/* The structured field `id="a-7", groups="tier1,emea"`: narrows `r`. ERR_BAD_HEADER, ERR_FORBIDDEN. */
int agent_header_apply(struct arena *a, const char *value, struct rights *r, struct error *e);

/* "v12" of If-Match and ETag headers: a revision. *out is CALL_NO_MATCH for NULL and "*". ERR_BAD_HEADER. */
int if_match_read(const char *value, int64_t *out, struct error *e);

/*
 * The Range header of RFC 9110, for one range of bytes of `size`. 1: *n bytes
 * from *at; -1: there are no such bytes (416); 0: to be ignored, for it is
 * malformed, in another unit, or of several ranges.
 */
int range_read(const char *value, uint64_t size, uint64_t *at, uint64_t *n);

/* Is the ETag, with its quotes, in a list such as that of If-None-Match? Weak ones compare as strong ones; NULL: no. */
int etag_is_among(const char *list, const char *tag);

#endif
