#include "ingest/batch.h"
#include "ingest/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"

struct batch *batch_new(void)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b)
		b->arena = arena_new(64 << 10);
	if (b && !b->arena) {
		free(b);
		return NULL;
	}
	return b;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	arena_free(b->arena);
	free(b);
}

int import_is_line_error(int code)
{
	int status = error_kind(code)->status;

	return status >= 400 && status < 500 && code != ERR_RATE_LIMIT;
}

static struct call call_of(struct arena *a, const struct importer_options *o, struct error *e)
{
	return (struct call){
		.arena = a, .rights = o->rights, .err = e, .if_match = CALL_NO_MATCH, .may_set_time = 1
	};
}

/* An error of the line stays with the line; any other ends the import. */
static int settle(struct item *item, int rc)
{
	if (rc < 0 && !import_is_line_error(rc))
		return rc;
	if (rc < 0)
		item->state = ITEM_BAD;
	return 0;
}

static int stopped(const struct importer_options *o)
{
	return o->stop && __atomic_load_n(o->stop, __ATOMIC_RELAXED);
}

static int interrupted(struct error *e)
{
	return error_set(e, ERR_INTERRUPTED, NULL, "interrupted; the same command goes on from here");
}

static int prepare_document(struct batch *b, struct item *item, struct desk *d,
			    const struct importer_options *o, struct map *ids)
{
	struct call c = call_of(b->arena, o, &item->error);
	json_t *body;
	int rc, fresh = 1;

	if ((rc = json_parse_packed(b->arena, item->s, item->n, &item->error, &body)) < 0 ||
	    (rc = document_read(d, &c, NULL, body, &item->doc)) < 0)
		return rc;
	if (!map_put(ids, item->doc.id, strlen(item->doc.id), &fresh))
		return no_memory(&item->error);
	if (!fresh) {
		item->state = ITEM_LATE;
		return 0;
	}
	if ((rc = document_compare(d, &c, &item->doc, &item->step)) < 0)
		return rc;
	item->state = item->step.status == PUT_UNCHANGED ? ITEM_SAME : ITEM_READY;
	if (item->state == ITEM_SAME || item->step.keep_rows)
		return 0;
	item->plan = b->n_plans;
	rc = document_plan(d, b->arena, &item->doc, &b->plans[b->n_plans], &item->error);
	b->n_plans += rc == 0;
	return rc;
}

static int prepare_documents(struct batch *b, struct desk *d, const struct importer_options *o)
{
	struct map *ids = map_new();
	int rc = ids ? 0 : no_memory(&b->error);

	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		struct item *item = &b->items[i];
		if (item->state != ITEM_NEW)
			continue;
		rc = stopped(o) ? interrupted(&item->error) : prepare_document(b, item, d, o, ids);
		if ((rc = settle(item, rc)) < 0)
			b->error = item->error;
	}
	map_free(ids);
	return rc < 0 ? rc : document_embed(d, b->arena, b->plans, b->n_plans, o->stop, &b->error);
}

/* One line of anything but documents. */
static int import_line(struct desk *d, const struct call *c, enum import_what what, json_t *body,
		       enum put_status *status)
{
	struct rule rule;
	int fresh = 0, rc;

	if (what == IMPORT_RULES) {
		rc = rule_read(c, NULL, body, &rule);
		return rc < 0 ? rc : rule_put(d, c, &rule, status, NULL);
	}
	rc = what == IMPORT_EXAMPLES ? example_import(d, c, body, &fresh)
				     : conversation_import(d, c, body, &fresh);
	*status = fresh ? PUT_CREATED : PUT_UNCHANGED;
	return rc;
}

static int import_one(struct item *item, struct desk *d, const struct importer_options *o)
{
	struct arena *a = arena_new(64 << 10); /* of its own: a conversation's searches take room */
	struct call c = call_of(a, o, &item->error);
	json_t *body;
	int rc;

	if (!a)
		return no_memory(&item->error);
	rc = json_parse_packed(a, item->s, item->n, &item->error, &body);
	if (rc == 0)
		rc = import_line(d, &c, o->what, body, &item->step.status);
	arena_free(a);
	if (rc < 0)
		return rc;
	item->state = ITEM_DONE;
	return 0;
}

static int import_each(struct batch *b, struct desk *d, const struct importer_options *o)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		struct item *item = &b->items[i];
		if (item->state != ITEM_NEW)
			continue;
		rc = stopped(o) ? interrupted(&item->error) : import_one(item, d, o);
		if ((rc = settle(item, rc)) < 0)
			b->error = item->error;
	}
	return rc;
}

void batch_prepare(struct batch *b, struct desk *d, const struct importer_options *o)
{
	if (o->what == IMPORT_DOCUMENTS)
		b->rc = prepare_documents(b, d, o);
	else if (o->what == IMPORT_EXAMPLES)
		b->rc = import_each(b, d, o);
}

/* Commits what is ready, all in one call. out[i] belongs to item[i]. */
static int commit_ready(struct batch *b, struct desk *d, const struct importer_options *o, struct commit *out,
			struct error *e)
{
	struct event *events = arena_alloc(b->arena, BATCH_LINES * sizeof(*events));
	struct commit *done = arena_alloc(b->arena, BATCH_LINES * sizeof(*done));
	size_t n = 0, k = 0;

	if (!events || !done)
		return no_memory(e);
	for (size_t i = 0; i < b->n; i++) {
		struct item *item = &b->items[i];
		struct changes cs = CHANGES_INIT(b->arena);
		if (item->state != ITEM_READY)
			continue;
		int rc = document_changes(b->arena, &item->doc, &item->step, &b->plans[item->plan], &cs, e);
		if (rc < 0)
			return rc;
		events[n++] = (struct event){ .stream = item->doc.stream,
					      .expect = item->step.revision,
					      .kind = DOCUMENT_PUT_EVENT,
					      .principal = o->rights->key,
					      .agent = o->rights->agent,
					      .changes = cs.list,
					      .n = cs.n };
	}
	int rc = n ? engine_commit_many(d->engine, events, n, done, e) : 0;
	for (size_t i = 0; rc == 0 && i < b->n; i++)
		if (b->items[i].state == ITEM_READY)
			out[i] = done[k++];
	return rc;
}

/* Alone, from the beginning, because the stored document is another by now. */
static int put_again(struct batch *b, struct item *item, struct desk *d, const struct importer_options *o)
{
	struct call c = call_of(b->arena, o, &item->error);
	int rc = document_put(d, &c, &item->doc, &item->step, NULL);

	if (rc == 0)
		item->state = ITEM_DONE;
	return rc;
}

static int finish(struct batch *b, struct item *item, struct desk *d, const struct importer_options *o,
		  const struct commit *commit)
{
	int64_t revision;
	int rc;

	switch (item->state) {
	case ITEM_READY:
		if (commit->code == ERR_CONFLICT)
			return put_again(b, item, d, o);
		if (commit->code < 0)
			item->error = commit->error;
		else
			item->state = ITEM_DONE;
		return commit->code;
	case ITEM_SAME:
		if ((rc = engine_revision(d->engine, item->doc.stream, &revision, &item->error)) < 0)
			return rc;
		if (revision != item->step.revision)
			return put_again(b, item, d, o);
		item->state = ITEM_DONE;
		return 0;
	case ITEM_LATE:
		return put_again(b, item, d, o);
	default:
		return 0;
	}
}

int batch_commit(struct batch *b, struct desk *d, const struct importer_options *o, struct error *e)
{
	struct commit *commits = arena_alloc(b->arena, BATCH_LINES * sizeof(*commits));
	int rc = b->rc;

	if (rc == 0 && (o->what == IMPORT_CONVERSATIONS || o->what == IMPORT_RULES))
		rc = b->rc = import_each(b, d, o);
	if (rc < 0) {
		if (e)
			*e = b->error;
		return rc;
	}
	if (!commits)
		return no_memory(e);
	if (o->what == IMPORT_DOCUMENTS && (rc = commit_ready(b, d, o, commits, e)) < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		rc = settle(&b->items[i], finish(b, &b->items[i], d, o, &commits[i]));
		if (rc < 0 && e)
			*e = b->items[i].error;
	}
	return rc;
}
