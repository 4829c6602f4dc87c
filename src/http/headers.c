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

/* Digits at *p, as far as they go; UINT64_MAX for none and for what is too large, which is past every end. */
static uint64_t digits(const char **p)
{
	uint64_t v = 0;
	int any = 0;

	for (; **p >= '0' && **p <= '9'; ++*p, any = 1)
		v = v > (UINT64_MAX - 9) / 10 ? UINT64_MAX - 9 : v * 10 + (uint64_t)(**p - '0');
	return any ? v : UINT64_MAX;
}

int range_read(const char *value, uint64_t size, uint64_t *at, uint64_t *n)
{
	if (strncasecmp(value, "bytes=", 6) != 0)
		return 0;
	const char *p = value + 6 + strspn(value + 6, " \t");
	uint64_t first = digits(&p);
	if (*p++ != '-')
		return 0;
	uint64_t last = digits(&p);
	p += strspn(p, " \t");
	if (*p || (first == UINT64_MAX && last == UINT64_MAX) || (first != UINT64_MAX && last < first))
		return 0;
	if (first == UINT64_MAX) { /* the last so many bytes */
		first = last < size ? size - last : 0;
		if (last == 0 || size == 0)
			return -1;
		last = size - 1;
	}
	if (first >= size)
		return -1;
	*at = first;
	*n = (last < size ? last + 1 : size) - first;
	return 1;
}

int etag_is_among(const char *list, const char *tag)
{
	size_t len = strlen(tag);

	if (!list)
		return 0;
	if (strcmp(list, "*") == 0)
		return 1;
	for (const char *p = list; *p;) {
		p += strspn(p, " \t,");
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		size_t n = strcspn(p, ",");
		while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (n == len && memcmp(p, tag, n) == 0)
			return 1;
		p += strcspn(p, ",");
	}
	return 0;
}
