#include "desk/checks.h"

#include <string.h>

#define MAX_ATTRIBUTES 64  /* keys, and values of a list */
#define MAX_ATTRIBUTE 1024 /* bytes of a string */
#define MAX_KEY 128        /* bytes of a key */

static int is_flat(json_t *v)
{
	json_t *item;
	size_t i;

	json_array_foreach(v, i, item)
		if (!json_is_string(item))
			return 0;
	return !json_is_object(v) && !json_is_null(v);
}

static int fits(const char *key, json_t *v)
{
	json_t *item;
	size_t i;

	json_array_foreach(v, i, item)
		if (json_string_length(item) > MAX_ATTRIBUTE)
			return 0;
	return *key && strlen(key) <= MAX_KEY && json_string_length(v) <= MAX_ATTRIBUTE &&
	       json_array_size(v) <= MAX_ATTRIBUTES;
}

int check_attributes(struct reader *r, const char *name, json_t *attributes)
{
	const char *key;
	json_t *v;

	if (json_object_size(attributes) > MAX_ATTRIBUTES)
		reader_fail(r, ERR_TOO_LARGE, name, "has more than %d keys", MAX_ATTRIBUTES);
	json_object_foreach(attributes, key, v) {
		if (!is_flat(v))
			reader_fail(r, ERR_WRONG_TYPE, name,
				    "holds strings, numbers, true or false, and lists of strings");
		else if (!fits(key, v))
			reader_fail(r, ERR_BAD_VALUE, name,
				    "has keys of 1 to %d bytes, strings up to %d bytes, lists up to %d",
				    MAX_KEY, MAX_ATTRIBUTE, MAX_ATTRIBUTES);
	}
	return r->rc;
}

static int has_group(const struct rights *r, const char *group)
{
	for (size_t i = 0; i < r->n_groups; i++)
		if (strcmp(r->groups[i], group) == 0)
			return 1;
	return r->all_groups;
}

int check_acl(const struct call *c, struct reader *r, const json_t *acl)
{
	json_t *group;
	size_t i;

	if (acl && json_array_size(acl) == 0)
		reader_fail(r, ERR_BAD_VALUE, "acl", "must name a group; leave it out for the whole tenant");
	json_array_foreach(acl, i, group)
		if (!has_group(c->rights, json_string_value(group)))
			reader_fail(r, ERR_FORBIDDEN, "acl", "may only name groups that this key has");
	return r->rc;
}
