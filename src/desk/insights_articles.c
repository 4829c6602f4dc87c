/* insights_articles.c: articles that were contradicted, and old versions that the bot still cites. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"
#include "desk/bodies.h"
#include "desk/insights_figures.h"
#include "desk/insights_past.h"
#include "engine/each.h"

#define LISTED 20
#define TOP 3 /* who is shown further down was hardly advised */
#define EXAMPLES 3

struct article {
	const char *id, *title;
	int visible, deleted;
	uint64_t shown, used, superseded;
	struct share against;
	const char *examples[EXAMPLES]; /* handoffs in which it was contradicted or superseded */
	size_t n_examples;
};

/* An article in a resolution. */
struct place {
	uint32_t resolution, article, rank; /* rank 0: it was not shown */
	int used;
};

struct articles {
	struct desk *desk;
	const struct call *call;
	const struct insight_query *query;
	struct past past;
	struct map *number_of;
	struct article *list;
	size_t n, cap;
	struct place *places;
	size_t n_places, cap_places;
};

/* A document's title and ACL, of a deleted one its last ACL. What nothing is known of is seen by nobody. */
static int look_up(const struct articles *x, struct arena *a, struct article *out)
{
	const struct call *c = x->call;
	struct record r;
	int rc = engine_get(x->desk->engine, RECORD_DOCUMENT, out->id, a, &r, c->err);

	if (rc == ERR_NOT_FOUND) {
		out->deleted = 1;
		rc = engine_get(x->desk->engine, RECORD_VERSION, version_id(a, out->id, LAST_VERSION), a, &r,
				c->err);
	}
	if (rc < 0)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	out->visible = rights_see(c->rights, json_object_get(r.body, "acl"));
	if (out->deleted)
		return 0;
	out->title = arena_strdup(c->arena, body_string(r.body, "title"));
	return out->title ? 0 : no_memory(c->err);
}

/* *out is NOTHING where the caller may not see it. Its text is long: it goes with an arena of its own. */
static int article_of(struct articles *x, struct text id, uint32_t *out)
{
	*out = NOTHING;
	if (!id.s)
		return 0;
	uint64_t *number = map_put(x->number_of, id.s, id.n, NULL);
	if (!number)
		return no_memory(x->call->err);
	if (!*number) {
		struct article fresh = { .id = arena_strndup(x->call->arena, id.s, id.n) };
		struct arena *a = arena_new(1 << 16);
		int rc = !fresh.id || !a || GROW(x->list, x->n, x->cap) < 0 ? no_memory(x->call->err)
									    : look_up(x, a, &fresh);
		arena_free(a);
		if (rc < 0)
			return rc;
		x->list[x->n++] = fresh;
		*number = x->n;
	}
	if (x->list[*number - 1].visible)
		*out = (uint32_t)(*number - 1);
	return 0;
}

static int read_relevance(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct articles *x = arg;
	struct place p = { .resolution = past_relevance_of(&x->past, r),
			   .rank = (uint32_t)body_int(r->body, "shown_rank"),
			   .used = body_bool(r->body, "used") };
	int rc;

	(void)a;
	if (p.resolution == NOTHING || !insight_within(x->query, x->past.resolutions[p.resolution].at))
		return 0;
	if ((rc = article_of(x, body_text(r->body, "document"), &p.article)) < 0 || p.article == NOTHING)
		return rc;
	if (GROW(x->places, x->n_places, x->cap_places) < 0)
		return no_memory(e);
	x->places[x->n_places++] = p;
	return 0;
}

static void add_example(struct article *x, const char *handoff)
{
	if (x->n_examples < EXAMPLES &&
	    (x->n_examples == 0 || strcmp(x->examples[x->n_examples - 1], handoff) != 0))
		x->examples[x->n_examples++] = handoff;
}

static int by_resolution(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->resolution < y->resolution ? -1 : x->resolution > y->resolution;
}

/* The places of one resolution. */
static void count_resolution(struct articles *x, const struct place *list, size_t n)
{
	const struct past_resolution *r = &x->past.resolutions[list->resolution];
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += (size_t)list[i].used;
	for (size_t i = 0; i < n; i++) {
		struct article *to = &x->list[list[i].article];
		int against = !list[i].used && used > 0;
		to->used += (uint64_t)list[i].used;
		to->shown += list[i].rank > 0;
		if (list[i].rank == 0 || list[i].rank > TOP || r->outcome != PAST_RESOLVED)
			continue;
		share_add(&to->against, against);
		if (against && r->handoff != NOTHING)
			add_example(to, x->past.handoffs[r->handoff].id);
	}
}

static void count_places(struct articles *x)
{
	if (x->n_places > 1)
		qsort(x->places, x->n_places, sizeof(*x->places), by_resolution);
	for (size_t i = 0, end; i < x->n_places; i = end) {
		for (end = i + 1; end < x->n_places; end++)
			if (x->places[end].resolution != x->places[i].resolution)
				break;
		count_resolution(x, x->places + i, end - i);
	}
}

static int is_superseded(const json_t *citation)
{
	const char *status = body_string(citation, "status");

	return body_bool(citation, "queue_may") &&
	       (strcmp(status, "changed_since") == 0 || strcmp(status, "deleted") == 0);
}

/* A document that is cited twice in one handoff counts once. */
static int cited_before(const json_t *cited, size_t i)
{
	const char *id = body_string(json_array_get(cited, i), "document_id");

	for (size_t j = 0; j < i; j++)
		if (is_superseded(json_array_get(cited, j)) &&
		    strcmp(body_string(json_array_get(cited, j), "document_id"), id) == 0)
			return 1;
	return 0;
}

static int count_citations(struct articles *x, const struct past_handoff *h, const json_t *cited)
{
	for (size_t i = 0; i < json_array_size(cited); i++) {
		const json_t *one = json_array_get(cited, i);
		uint32_t n;
		if (!is_superseded(one) || cited_before(cited, i))
			continue;
		int rc = article_of(x, body_text(one, "document_id"), &n);
		if (rc < 0)
			return rc;
		if (n == NOTHING)
			continue;
		x->list[n].superseded++;
		add_example(&x->list[n], h->id);
	}
	return 0;
}

static int read_citations(struct articles *x)
{
	const struct call *c = x->call;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < x->past.n_handoffs; i++) {
		const struct past_handoff *h = &x->past.handoffs[i];
		struct record r;
		if (!h->evidence || !insight_within(x->query, h->offered))
			continue;
		struct arena *a = arena_new(1 << 16);
		rc = a ? engine_get(x->desk->engine, RECORD_EVIDENCE, h->evidence, a, &r, c->err)
		       : no_memory(c->err);
		if (rc == 0)
			rc = count_citations(x, h, json_object_get(r.body, "bot_citations"));
		arena_free(a);
	}
	return rc;
}

static int worst(const void *a, const void *b)
{
	const struct article *x = a, *y = b;
	uint64_t bad_x = x->against.yes + x->superseded, bad_y = y->against.yes + y->superseded;

	if (x->visible != y->visible)
		return x->visible ? -1 : 1;
	if (bad_x != bad_y)
		return bad_x > bad_y ? -1 : 1;
	return strcmp(x->id, y->id);
}

static json_t *article_json(const struct article *x)
{
	json_t *examples = json_array();
	json_t *j = json_pack("{s:s, s:s?, s:b, s:I, s:I, s:I, s:o, s:I, s:o}", "document_id", x->id, "title",
			      x->title, "deleted", x->deleted, "shown", (json_int_t)x->shown, "used",
			      (json_int_t)x->used, "against", (json_int_t)x->against.yes, "against_share",
			      share_json(&x->against), "superseded", (json_int_t)x->superseded, "examples",
			      examples);

	for (size_t i = 0; j && i < x->n_examples; i++)
		if (json_array_append_new(examples, json_string(x->examples[i])) < 0) {
			json_decref(j);
			return NULL;
		}
	return j;
}

static int show(struct articles *x, json_t **out)
{
	size_t limit = x->query->limit ? x->query->limit : LISTED, visible = 0;
	json_t *data = json_array();
	JSON_AUTO *j = json_pack("{s:s, s:o}", "object", "articles", "data", data);

	if (x->n > 1)
		qsort(x->list, x->n, sizeof(*x->list), worst);
	for (size_t i = 0; i < x->n; i++)
		visible += (size_t)x->list[i].visible;
	for (size_t i = 0; j && i < visible && i < limit; i++)
		if (json_array_append_new(data, article_json(&x->list[i])) < 0)
			return no_memory(x->call->err);
	if (!j || insight_set_window(j, x->query) < 0 || body_set_bool(j, "has_more", visible > limit) < 0)
		return no_memory(x->call->err);
	*out = json_incref(j);
	return 0;
}

static int read_all(struct articles *x)
{
	struct engine *g = x->desk->engine;
	struct error *e = x->call->err;
	int rc = past_read(x->desk, x->call, &x->past);

	if (rc == 0)
		rc = engine_each(g, &(struct scan){ .kind = RECORD_RELEVANCE }, read_relevance, x, e);
	if (rc < 0)
		return rc;
	count_places(x);
	return read_citations(x);
}

int insights_articles(struct desk *d, const struct call *c, const struct insight_query *q, json_t **out)
{
	struct articles x = { .desk = d, .call = c, .query = q, .number_of = map_new() };
	int rc = x.number_of ? read_all(&x) : no_memory(c->err);

	if (rc == 0)
		rc = show(&x, out);
	past_release(&x.past);
	map_free(x.number_of);
	free(x.list);
	free(x.places);
	return rc;
}
