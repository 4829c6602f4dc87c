/* records.c: the kinds of records, and how ids of parts derive from the whole's. */
#include "engine/engine.h"

#include <assert.h>

#include "base/arena.h"

static const struct record_schema schemas[RECORD_KINDS] = {
	[RECORD_DOCUMENT] = { "document", { "source" }, COLLECTION_DOCUMENT },
	[RECORD_VERSION] = { "version", { "document" }, -1 },
	[RECORD_CONVERSATION] = { "conversation", { "customer" }, COLLECTION_CONVERSATION },
	[RECORD_TURN] = { "turn", { "conversation" }, -1 },
	[RECORD_HANDOFF] = { "handoff", { "conversation", "state", "queue" }, -1 },
	[RECORD_EVIDENCE] = { "evidence", { "handoff" }, -1 },
	[RECORD_RESOLUTION] = { "resolution", { "handoff", "conversation" }, -1 },
	[RECORD_CASE] = { "case", { "conversation", "intent" }, COLLECTION_CASE },
	[RECORD_EXAMPLE] = { "example", { "conversation", "label" }, COLLECTION_EXAMPLE },
	[RECORD_VOTE] = { "vote", { "example", "conversation" }, -1 },
	[RECORD_RELEVANCE] = { "relevance", { "document", "intent" }, -1 },
	[RECORD_SIGNAL] = { "signal", { "handoff", "document" }, -1 },
	[RECORD_JOB] = { "job", { "state" }, -1 },
	[RECORD_DATASET] = { "dataset", { "state" }, -1 },
	[RECORD_REQUEST] = { "request", { NULL }, -1 },
	[RECORD_RULE] = { "rule", { "type" }, -1 },
	[RECORD_REVIEW] = { "review", { "conversation", "state" }, -1 },
	[RECORD_MODEL] = { "model", { "type", "state" }, -1 },
	[RECORD_EVAL] = { "eval", { "type" }, -1 },
	[RECORD_SUBJECT] = { "subject", { "datasets" }, -1 },
};

const struct record_schema *record_schema(enum record_kind k)
{
	assert((unsigned)k < RECORD_KINDS);
	return &schemas[k];
}

const char *version_id(struct arena *a, const char *document, const char *version)
{
	return arena_printf(a, "%s@%s", document, version);
}

const char *turn_id(struct arena *a, const char *conversation, uint32_t n)
{
	return arena_printf(a, "%s/%06u", conversation, n);
}
