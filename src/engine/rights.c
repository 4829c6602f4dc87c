#include "engine/rights.h"

#include <string.h>

int rights_scope(const struct rights *r, unsigned any_of)
{
	return (r->scopes & (any_of | SCOPE_ADMIN)) != 0;
}

static int in_groups(const struct rights *r, const char *group)
{
	for (size_t i = 0; i < r->n_groups; i++)
		if (strcmp(r->groups[i], group) == 0)
			return 1;
	return 0;
}

/* What is no ACL (a string, an object) is seen by nobody but who has all groups: deny by default. */
int rights_see(const struct rights *r, const json_t *acl)
{
	if (r->all_groups || !acl || json_is_null(acl))
		return 1;
	for (size_t i = 0; i < json_array_size(acl); i++) {
		const char *group = json_string_value(json_array_get(acl, i));
		if (group && in_groups(r, group))
			return 1;
	}
	return 0;
}

static int holds(const json_t *acl, const char *group)
{
	for (size_t i = 0; i < json_array_size(acl); i++) {
		const char *g = json_string_value(json_array_get(acl, i));
		if (g && strcmp(g, group) == 0)
			return 1;
	}
	return 0;
}

json_t *acl_intersect(const json_t *a, const json_t *b)
{
	if (!a || json_is_null(a))
		return b ? json_deep_copy(b) : json_null();
	if (!b || json_is_null(b))
		return json_deep_copy(a);
	json_t *both = json_array();
	for (size_t i = 0; i < json_array_size(a); i++) {
		const char *group = json_string_value(json_array_get(a, i));
		if (!group || !holds(b, group) || holds(both, group))
			continue;
		if (json_array_append_new(both, json_string(group)) < 0) {
			json_decref(both);
			return NULL;
		}
	}
	return both;
}
