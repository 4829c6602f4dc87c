#include "datasets/withdrawn.h"

#include "base/arena.h"
#include "datasets/consents.h"
#include "datasets/provenance.h"
#include "desk/bodies.h"

struct looking {
	struct engine *engine;
	struct map *consents;
	int (*row)(void *arg, const json_t *row, struct error *e);
	void *arg;
	struct withdrawn found;
	struct error *err;
};

static int is_known(struct looking *l, const char *conversation)
{
	struct arena *a = arena_new(4096);
	int rc = a ? engine_has(l->engine, RECORD_CONVERSATION, conversation, a, l->err) : no_memory(l->err);

	arena_free(a);
	return rc;
}

static int tell(struct looking *l, const json_t *row)
{
	static const char *const ids[] = { "conversation", "example", "handoff" };
	JSON_AUTO *j = provenance_place(row);

	for (size_t i = 0; j && i < sizeof(ids) / sizeof(ids[0]); i++)
		if (body_set(j, ids[i], body_string(row, ids[i])) < 0)
			return no_memory(l->err);
	return j ? l->row(l->arg, j, l->err) : no_memory(l->err);
}

static int look(struct looking *l, const json_t *row)
{
	const char *conversation = body_string(row, "conversation");

	l->found.rows++;
	if (!*conversation)
		return 0; /* an example that was imported: nobody's */
	if (consent_of(l->consents, conversation) == CONSENT_DENIED) {
		l->found.withdrawn++;
		return tell(l, row);
	}
	int known = is_known(l, conversation);
	l->found.unknown += known == 0;
	return known < 0 ? known : 0;
}

int dataset_withdrawn(struct engine *g, const char *folder,
		      int (*row)(void *arg, const json_t *row, struct error *e), void *arg,
		      struct withdrawn *out, struct error *e)
{
	struct looking l = { .engine = g, .consents = map_new(), .row = row, .arg = arg, .err = e };
	struct provenance rows = { 0 };
	size_t at = 0;
	int rc = l.consents ? consents_load(g, l.consents, e) : no_memory(e);

	if (rc == 0)
		rc = provenance_open(folder, &rows, e);
	while (rc == 0 && at < rows.n) {
		JSON_AUTO *j = provenance_next(&rows, &at, e);
		rc = j ? look(&l, j) : ERR_CORRUPT;
	}
	provenance_close(&rows);
	map_free(l.consents);
	if (rc == 0)
		*out = l.found;
	return rc;
}
