#include <string.h>

#include "base/arena.h"
#include "http/exchange.h"

static const struct route *const tables[] = {
	routes_search, routes_conversations, routes_handoffs, routes_documents,
	routes_rules,  routes_models,        routes_reviews,  routes_insights,
	routes_evals,  routes_ops,           routes_datasets, routes_subjects,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

struct match {
	const char *part[ROUTE_PARAMS];
	size_t n[ROUTE_PARAMS];
	size_t params;
};

/* Does the raw path fit the pattern? Segments in braces take anything but '/'. */
static int fits(const char *pattern, const char *path, size_t n, struct match *m)
{
	const char *end = path + n;

	m->params = 0;
	while (*pattern && path < end) {
		if (*pattern == '{') {
			const char *slash = memchr(path, '/', (size_t)(end - path));
			const char *stop = slash ? slash : end;
			if (stop == path || m->params == ROUTE_PARAMS)
				return 0;
			m->part[m->params] = path;
			m->n[m->params++] = (size_t)(stop - path);
			path = stop;
			pattern = strchr(pattern, '}') + 1;
		} else if (*pattern++ != *path++) {
			return 0;
		}
	}
	return !*pattern && path == end;
}

static int same_method(const char *route, const char *method)
{
	return strcmp(route, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route, "GET") == 0);
}

static int decode_params(struct arena *a, const struct match *m, const char *params[ROUTE_PARAMS],
			 struct error *e)
{
	for (size_t i = 0; i < m->params; i++) {
		params[i] = url_decode(a, m->part[i], m->n[i], 0, NULL);
		if (!params[i])
			return error_set(e, ERR_BAD_ID, "path", "a part of the path is not valid UTF-8");
	}
	return 0;
}

int router_find(const char *method, const char *path, size_t n, struct arena *a, const struct route **out,
		const char *params[ROUTE_PARAMS], const char **allow, struct error *e)
{
	const char *methods = NULL, *pattern = NULL;
	struct match m;

	for (size_t t = 0; t < TABLES; t++)
		for (const struct route *r = tables[t]; r->method; r++) {
			if (!fits(r->pattern, path, n, &m))
				continue;
			if (same_method(r->method, method)) {
				int rc = decode_params(a, &m, params, e);
				if (rc == 0)
					*out = r;
				return rc;
			}
			/* /v1/documents/batch is also the document of that id, but Allow tells of one resource */
			if (!pattern)
				pattern = r->pattern;
			if (strcmp(pattern, r->pattern) == 0)
				methods = methods ? arena_printf(a, "%s, %s", methods, r->method) : r->method;
		}
	if (!methods)
		return error_set(e, ERR_NO_ROUTE, NULL,
				 "there is no such route; GET /openapi.json lists them");
	*allow = methods;
	return error_set(e, ERR_BAD_METHOD, NULL, "this route takes %s", methods);
}

size_t router_max_body(const char *method, const char *path, size_t n)
{
	struct match m;

	for (size_t t = 0; t < TABLES; t++)
		for (const struct route *r = tables[t]; r->method; r++)
			if (same_method(r->method, method) && fits(r->pattern, path, n, &m))
				return r->body == BODY_NONE ? BODY_SMALL : r->max_body;
	return BODY_SMALL;
}
