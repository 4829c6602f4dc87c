/* source.c: who may see what evidence came from, now and when it is gone. */
#include <string.h>

#include "base/arena.h"
#include "desk/evidence.h"

static enum record_kind record_of(const char *kind)
{
	return strcmp(kind, "document") == 0 ? RECORD_DOCUMENT
	       : strcmp(kind, "case") == 0   ? RECORD_CASE
					     : RECORD_CONVERSATION;
}

/* With memory of its own: a document's text comes with its record, and only its ACL is wanted. */
static int look_up(struct desk *d, const struct call *c, enum record_kind k, const char *id, struct arena *a,
		   const json_t **acl)
{
	struct record r;
	int rc = engine_get(d->engine, k, id, a, &r, c->err);

	if (rc == ERR_NOT_FOUND && k == RECORD_DOCUMENT)
		rc = engine_get(d->engine, RECORD_VERSION, version_id(a, id, LAST_VERSION), a, &r, c->err);
	if (rc < 0)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	const json_t *found = json_object_get(r.body, "acl");
	*acl = found ? body_copy(c->arena, found) : NULL;
	return found && !*acl ? no_memory(c->err) : 1;
}

int source_acl(struct desk *d, const struct call *c, const char *kind, const char *id, const json_t **acl)
{
	struct arena *a = arena_new(4096);
	int rc = a ? look_up(d, c, record_of(kind), id, a, acl) : no_memory(c->err);

	arena_free(a);
	return rc;
}

int source_visible(struct desk *d, const struct call *c, const char *kind, const char *id,
		   const json_t *recorded)
{
	const json_t *acl = NULL;

	if ((record_of(kind) != RECORD_DOCUMENT && rights_bot_only(c->rights)) ||
	    !rights_see(c->rights, recorded))
		return 0;
	int rc = source_acl(d, c, kind, id, &acl);
	return rc == 1 ? rights_see(c->rights, acl) : rc < 0 ? rc : 1;
}
