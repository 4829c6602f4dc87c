#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "http/exchange.h"

const char *request_header(const struct request *in, const char *name)
{
	for (size_t i = 0; i < in->n_headers; i++)
		if (strcasecmp(in->headers[i].name, name) == 0)
			return in->headers[i].value;
	return NULL;
}

#define AGENT_GROUPS 64

/* A quoted string of RFC 8941 at *p; only printable ASCII, \" and \\ escaped. NULL if it is not one. */
static char *quoted(struct arena *a, const char **p)
{
	const char *s = *p;

	if (*s++ != '"')
		return NULL;
	char *out = arena_alloc(a, strlen(s) + 1);
	for (size_t o = 0; out && *s; s++) {
		if (*s == '"') {
			*p = s + 1;
			return out;
		}
		if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		else if (*s == '\\' || (unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return NULL;
		out[o++] = *s;
	}
	return NULL;
}

static int holds(const struct rights *r, const char *group)
{
	if (r->all_groups)
		return 1;
	for (size_t i = 0; i < r->n_groups; i++)
		if (strcmp(r->groups[i], group) == 0)
			return 1;
	return 0;
}

/* What is named and held; names that the key lacks are dropped: the header narrows, it never widens. */
static int narrow(struct arena *a, char *list, struct rights *r, struct error *e)
{
	const char **groups = arena_alloc(a, AGENT_GROUPS * sizeof(*groups));
	size_t n = 0;
	char *save = NULL;

	if (!groups)
		return no_memory(e);
	for (char *g = strtok_r(list, ", ", &save); g; g = strtok_r(NULL, ", ", &save)) {
		if (n == AGENT_GROUPS)
			return error_set(e, ERR_BAD_HEADER, "Readback-Agent", "at most %d groups",
					 AGENT_GROUPS);
		if (holds(r, g))
			groups[n++] = g;
	}
	r->groups = groups;
	r->n_groups = n;
	r->all_groups = 0;
	return 0;
}

int agent_header_apply(struct arena *a, const char *value, struct rights *r, struct error *e)
{
	char *id = NULL, *groups = NULL;
	const char *p = value;

	for (;;) {
		p += strspn(p, " \t");
		int is_id = strncmp(p, "id=", 3) == 0;
		int is_groups = strncmp(p, "groups=", 7) == 0;
		p += is_id ? 3 : is_groups ? 7 : 0;
		char *v = is_id || is_groups ? quoted(a, &p) : NULL;
		if (!v || (is_id ? id : groups))
			return error_set(
				e, ERR_BAD_HEADER, "Readback-Agent",
				"the header must read id=\"a-7\", groups=\"tier1,emea\" (groups optional)");
		*(is_id ? &id : &groups) = v;
		p += strspn(p, " \t");
		if (!*p)
			break;
		if (*p++ != ',')
			return error_set(e, ERR_BAD_HEADER, "Readback-Agent",
					 "a comma must part id and groups");
	}
	if (!id || !*id || strlen(id) > 128)
		return error_set(e, ERR_BAD_HEADER, "Readback-Agent",
				 "id of 1 to 128 characters is required");
	if (!r->act_as)
		return error_set(e, ERR_FORBIDDEN, "Readback-Agent", "this key may not act for agents");
	r->agent = id;
	return groups ? narrow(a, groups, r, e) : 0;
}

int if_match_read(const char *value, int64_t *out, struct error *e)
{
	int64_t v = 0;

	*out = CALL_NO_MATCH;
	if (!value || strcmp(value, "*") == 0)
		return 0;
	const char *p = value;
	if (strncmp(p, "\"v", 2) != 0)
		return error_set(e, ERR_BAD_HEADER, "If-Match", "If-Match must be an ETag such as \"v3\"");
	for (p += 2; *p >= '0' && *p <= '9' && v < INT64_MAX / 16; p++)
		v = v * 10 + (*p - '0');
	if (strcmp(p, "\"") != 0)
		return error_set(e, ERR_BAD_HEADER, "If-Match", "If-Match must be an ETag such as \"v3\"");
	*out = v;
	return 0;
}
