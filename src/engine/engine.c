#include "engine/engine.h"

#include <stdlib.h>

#include "base/gate.h"
#include "base/stripes.h"
#include "engine/rules.h"

struct engine {
	const struct engine_ops *ops;
	void *self;
	struct stripes *stripes;
	struct gate *searching; /* as many at a time as there are cores */
	struct rules_cache *rules;
};

struct engine *engine_new(const struct engine_ops *ops, void *self)
{
	struct engine *g = malloc(sizeof(*g));
	struct stripes *stripes = stripes_new();
	struct gate *searching = gate_new(0);
	struct rules_cache *rules = rules_cache_new();

	if (!g || !stripes || !searching || !rules) {
		free(g);
		stripes_free(stripes);
		gate_free(searching);
		rules_cache_free(rules);
		ops->close(self);
		return NULL;
	}
	*g = (struct engine){
		.ops = ops, .self = self, .stripes = stripes, .searching = searching, .rules = rules
	};
	return g;
}

void engine_lock(struct engine *g, const char *name)
{
	stripes_lock(g->stripes, name);
}

void engine_unlock(struct engine *g, const char *name)
{
	stripes_unlock(g->stripes, name);
}

void engine_close(struct engine *g)
{
	if (!g)
		return;
	g->ops->close(g->self);
	stripes_free(g->stripes);
	gate_free(g->searching);
	rules_cache_free(g->rules);
	free(g);
}

struct rules_cache *engine_rules(struct engine *g)
{
	return g->rules;
}

int engine_commit(struct engine *g, const struct event *ev, struct commit *out, struct error *e)
{
	struct commit c = { 0 };
	int rc = engine_commit_many(g, ev, 1, &c, e);

	if (rc < 0)
		return rc;
	if (c.code < 0) {
		if (e)
			*e = c.error;
		return c.code;
	}
	*out = c;
	return 0;
}

int engine_commit_many(struct engine *g, const struct event *ev, size_t n, struct commit *out,
		       struct error *e)
{
	int rc = g->ops->commit(g->self, ev, n, out);

	return rc < 0 ? error_set(e, rc, NULL, "%s",
				  rc == ERR_NO_MEMORY ? "out of memory" : "nothing could be committed")
		      : 0;
}

int engine_get(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct record *out,
	       struct error *e)
{
	return g->ops->get(g->self, k, id, a, out, e);
}

int engine_find(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct record *out,
		struct error *e)
{
	struct error why = { 0 };
	int rc = engine_get(g, k, id, a, out, &why);

	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0 && e)
		*e = why;
	return rc < 0 ? rc : 1;
}

int engine_has(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct error *e)
{
	struct record r;

	return engine_find(g, k, id, a, &r, e);
}

int engine_revision(struct engine *g, const char *stream, int64_t *out, struct error *e)
{
	return g->ops->revision(g->self, stream, out, e);
}

int engine_scan(struct engine *g, const struct scan *s, struct arena *a, struct record **out, size_t *n,
		struct error *e)
{
	return g->ops->scan(g->self, s, a, out, n, e);
}

int engine_search(struct engine *g, const struct index_query *q, struct arena *a, struct index_result *out,
		  struct error *e)
{
	gate_enter(g->searching);
	int rc = g->ops->search(g->self, q, a, out, e);
	gate_leave(g->searching);
	return rc;
}

int engine_frequencies(struct engine *g, enum collection c, const struct term *terms, size_t n, uint64_t *out,
		       struct error *e)
{
	return g->ops->frequencies(g->self, c, terms, n, out, e);
}

int engine_load(struct engine *g, enum record_kind k, const struct rights *r, const uint64_t *entries,
		size_t n, struct arena *a, struct record **out, struct error *e)
{
	return g->ops->load(g->self, k, r, entries, n, a, out, e);
}

int engine_rows(struct engine *g, enum record_kind k, const char *id, struct arena *a, struct entry_row **out,
		size_t *n, struct error *e)
{
	return g->ops->rows(g->self, k, id, a, out, n, e);
}

int engine_status(struct engine *g, struct arena *a, struct engine_status *out, struct error *e)
{
	return g->ops->status(g->self, a, out, e);
}
