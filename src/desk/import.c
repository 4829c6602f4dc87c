/* import.c: history, a line at a time: a conversation with all that came of it is one event. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "desk/handoff_build.h"
#include "desk/import.h"

int import_hash(const json_t *line, char out[SHA256_TEXT], struct error *e)
{
	size_t n;
	char *s = json_text(line, &n);

	if (!s)
		return no_memory(e);
	crypto_sha256_text(s, n, out);
	free(s);
	return 0;
}

int import_before(struct desk *d, const struct call *c, const struct import_record *x, int64_t *revision)
{
	struct record r;
	struct error e;
	int rc = engine_revision(d->engine, x->stream, revision, c->err);

	if (rc < 0)
		return rc;
	rc = engine_get(d->engine, x->kind, x->id, c->arena, &r, &e);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0) {
		if (c->err)
			*c->err = e;
		return rc;
	}
	if (strcmp(body_string(r.body, "imported"), x->hash) == 0)
		return 1;
	return error_set(c->err, ERR_EXISTS, "id", "id: exists already, with other content");
}

/* What happened last is when history was made. */
static int64_t last_time(const struct conversation *v, json_t *handoff, json_t *resolution)
{
	int64_t at = body_time(v->body, "started_at"), t;

	for (size_t i = 0; i < v->n_turns; i++)
		at = v->turns[i].at > at ? v->turns[i].at : at;
	t = body_time(handoff, "at");
	at = t > at ? t : at;
	t = body_time(resolution, "at");
	return t > at ? t : at;
}

/* Parts that name no time of their own happened at the end of what is there before them. */
static int give_time(struct arena *a, json_t **part, int64_t at)
{
	if (!*part || json_object_get(*part, "at"))
		return 0;
	json_t *copy = body_copy(a, *part);
	if (!copy || body_set_time(copy, "at", at) < 0)
		return -1;
	*part = copy;
	return 0;
}

struct line {
	struct conversation conversation;
	json_t *handoff, *resolution;
	char hash[SHA256_TEXT];
};

static int read_line(const struct call *c, json_t *line, struct line *out)
{
	struct reader r;
	int rc;

	reader_init(&r, line, NULL, c->err);
	if ((rc = conversation_read(c, &r, &out->conversation)) < 0)
		return rc;
	reader_object(&r, "handoff", OPTIONAL, &out->handoff);
	reader_object(&r, "resolution", OPTIONAL, &out->resolution);
	if ((rc = reader_done(&r)) < 0)
		return rc;
	if (!json_object_get(line, "id"))
		return error_set(c->err, ERR_MISSING_FIELD, "id", "id: is required");
	if ((rc = import_hash(line, out->hash, c->err)) < 0)
		return rc;
	if (give_time(c->arena, &out->handoff, last_time(&out->conversation, NULL, NULL)) < 0 ||
	    give_time(c->arena, &out->resolution, last_time(&out->conversation, out->handoff, NULL)) < 0 ||
	    body_set(out->conversation.body, "imported", out->hash) < 0)
		return no_memory(c->err);
	return 0;
}

static int commit_line(struct desk *d, const struct call *c, struct line *l)
{
	struct conversation *v = &l->conversation;
	struct changes cs = CHANGES_INIT(c->arena);
	struct handoff_built opened = { 0 };
	struct resolution_built resolved;
	struct commit done;
	int rc = 0;

	if (l->handoff && (rc = handoff_build(d, c, v, l->handoff, "handoff", &cs, &opened)) < 0)
		return rc;
	struct resolution_input in = {
		.handoff = l->handoff ? &opened.handoff : NULL,
		.evidence = l->handoff ? &opened.evidence : NULL,
		.body = l->resolution,
		.path = "resolution",
		.imported = 1,
	};
	if (l->resolution && (rc = resolution_build(d, c, v, &in, &cs, &resolved)) < 0)
		return rc;
	if ((rc = conversation_changes(v, &cs, c->err)) < 0)
		return rc;
	int64_t at = last_time(v, l->handoff, l->resolution);
	return conversation_commit(d, c, v, &cs, "conversation.imported", at, 201, NULL, &done);
}

int conversation_import(struct desk *d, const struct call *c, json_t *line, int *status)
{
	struct call call = *c;
	struct line l = { 0 };
	struct conversation *v = &l.conversation;
	int rc;

	call.may_set_time = 1;
	if ((rc = read_line(&call, line, &l)) < 0)
		return rc;
	const struct import_record x = {
		.kind = RECORD_CONVERSATION, .id = v->id, .stream = v->stream, .hash = l.hash
	};
	if ((rc = import_before(d, &call, &x, &v->revision)) == 0 &&
	    (rc = conversation_embed(d, c->arena, v, c->err)) == 0 && (rc = commit_line(d, &call, &l)) == 0) {
		*status = 1;
		return 0;
	}
	/* Another import of the same line may have been faster. */
	if (rc == ERR_CONFLICT)
		rc = import_before(d, &call, &x, &v->revision);
	if (rc != 1)
		return rc == 0 ? error_set(c->err, ERR_CONFLICT, "id",
					   "id: is being changed by another request")
			       : rc;
	*status = 0;
	return 0;
}
