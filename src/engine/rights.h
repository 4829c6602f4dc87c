/*
 * rights.h: who calls, and what they may do and see.
 *
 * Made from an API key by store/keys.h and narrowed by a Readback-Agent header;
 * a plain value whose strings are borrowed (the request's arena). Deny by
 * default: the zero value may do and see nothing but what the whole tenant may.
 */
#ifndef READBACK_ENGINE_RIGHTS_H
#define READBACK_ENGINE_RIGHTS_H

#include <stddef.h>

#include "base/json.h"

enum scope {
	SCOPE_BOT = 1,
	SCOPE_AGENT = 2,
	SCOPE_CURATOR = 4,
	SCOPE_EXPORT = 8,
	SCOPE_ADMIN = 16,
	SCOPE_EXPORT_RAW = 32 /* besides SCOPE_EXPORT: with personal data in it */
};

struct rights {
	const char *key;   /* the key's id: the principal */
	const char *agent; /* who acts behind it: from Readback-Agent, else the principal */
	unsigned scopes;   /* enum scope, ored; admin implies all */
	int act_as;        /* may carry Readback-Agent */
	int all_groups;
	const char *const *groups; /* when not all_groups */
	size_t n_groups;
};

int rights_scope(const struct rights *r, unsigned any_of);

/* May r see what has this ACL? NULL or JSON null: the whole tenant; an array: who is in any of its groups. */
int rights_see(const struct rights *r, const json_t *acl);

/* The ACL (new reference) of what is made of two things: null is everyone; else the groups in both. */
json_t *acl_intersect(const json_t *a, const json_t *b);

#endif
