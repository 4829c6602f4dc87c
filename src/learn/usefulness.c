#include "learn/usefulness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "engine/each.h"
#include "learn/intent.h"
#include "learn/packed.h"

#define MOST_CASES 20000
#define MOST_PROPENSITY 2.0
#define DAY_MS 86400e3

/* A document, for one intent or, in a list of its own, for all. */
struct helper {
	const char *id;
	double helped, share;
	size_t count;
};

struct helpers {
	const char *label; /* NULL: of all cases */
	double cases;      /* their weights */
	size_t count;
	struct map *places; /* id -> place + 1; only while it is made */
	struct helper *list;
	size_t n, cap;
};

struct usefulness {
	struct arena *arena;
	struct map *labels; /* label -> place + 1 */
	struct helpers *by_label;
	size_t n_labels, cap_labels, n_cases;
	struct helpers all; /* while it is made */
	size_t n_documents;
	int64_t newest;
};

/* --- counting --------------------------------------------------------------------------------------------- */

static int count_document(struct arena *a, struct helpers *h, const char *id, double weight)
{
	uint64_t *place = map_put(h->places, id, strlen(id), NULL);

	if (!place)
		return -1;
	if (!*place) {
		if (ARENA_GROW(a, h->list, h->n, h->cap) < 0)
			return -1;
		h->list[h->n] = (struct helper){ .id = arena_strdup(a, id) };
		if (!h->list[h->n].id)
			return -1;
		*place = ++h->n;
	}
	if (!h->list)
		return -1;
	h->list[*place - 1].helped += weight;
	h->list[*place - 1].count++;
	return 0;
}

/* Valid until the next new label. */
static struct helpers *of_label(struct usefulness *u, const char *label)
{
	uint64_t *place = map_put(u->labels, label, strlen(label), NULL);

	if (!place)
		return NULL;
	if (*place && u->by_label)
		return &u->by_label[*place - 1];
	if (ARENA_GROW(u->arena, u->by_label, u->n_labels, u->cap_labels) < 0)
		return NULL;
	struct helpers *h = &u->by_label[u->n_labels];
	*h = (struct helpers){ .label = arena_strdup(u->arena, label), .places = map_new() };
	*place = ++u->n_labels;
	return h->label && h->places ? h : NULL;
}

static double propensity(const json_t *ranks, size_t i)
{
	double rank = (double)json_integer_value(json_array_get(ranks, i));

	return rank > 1 ? fmin(sqrt(rank), MOST_PROPENSITY) : 1;
}

static void scale(struct helpers *h, double factor)
{
	h->cases *= factor;
	for (size_t i = 0; i < h->n; i++)
		h->list[i].helped *= factor;
}

static void rescale(struct usefulness *u, double factor)
{
	for (size_t l = 0; l < u->n_labels; l++)
		scale(&u->by_label[l], factor);
	scale(&u->all, factor);
}

static double age_weight(struct usefulness *u, const json_t *body)
{
	const json_t *at = json_object_get(body, "resolved_at");
	int64_t ms;

	if (!json_is_string(at) || time_parse(json_string_value(at), json_string_length(at), &ms) < 0)
		return 1;
	if (u->n_cases == 0)
		u->newest = ms;
	/* Ages are relative: from a newer one all that was counted is older. */
	if (ms > u->newest) {
		rescale(u, exp2(-(double)(ms - u->newest) / DAY_MS / USEFULNESS_HALF_LIFE_DAYS));
		u->newest = ms;
	}
	return exp2(-(double)(u->newest - ms) / DAY_MS / USEFULNESS_HALF_LIFE_DAYS);
}

/* The newest first; 1 when there are enough. */
static int read_case(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct usefulness *u = arg;
	const json_t *used = json_object_get(r->body, "documents"), *acl = json_object_get(r->body, "acl");
	const json_t *ranks = json_object_get(r->body, "ranks");
	const char *label = json_string_value(json_object_get(r->body, "intent"));
	const char *outcome = json_string_value(json_object_get(r->body, "outcome"));

	(void)a;
	if (json_array_size(used) == 0 || !label || !outcome || strcmp(outcome, "resolved") != 0 ||
	    (acl && !json_is_null(acl)) || json_is_true(json_object_get(r->body, "contested")))
		return 0;
	double weight = age_weight(u, r->body);
	struct helpers *h = of_label(u, label);
	int bad = !h;
	for (size_t i = 0; !bad && i < json_array_size(used); i++) {
		const char *id = json_string_value(json_array_get(used, i));
		double w = weight * propensity(ranks, i);
		bad = id && (count_document(u->arena, h, id, w) < 0 ||
			     count_document(u->arena, &u->all, id, w) < 0);
	}
	if (bad)
		return no_memory(e);
	h->cases += weight;
	h->count++;
	u->all.cases += weight;
	return ++u->n_cases == MOST_CASES;
}

static void set_shares(struct usefulness *u)
{
	for (size_t l = 0; l < u->n_labels; l++) {
		struct helpers *h = &u->by_label[l];
		for (size_t i = 0; i < h->n; i++) {
			struct helper *x = &h->list[i];
			const uint64_t *place = map_get(u->all.places, x->id, strlen(x->id));
			double prior = place ? u->all.list[*place - 1].helped / u->all.cases : 0;
			x->share = fmin(1, (x->helped + USEFULNESS_PRIOR * fmin(1, prior)) /
						   (h->cases + USEFULNESS_PRIOR));
		}
	}
}

static struct usefulness *usefulness_new(void)
{
	struct usefulness *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->arena = arena_new(16 << 10);
	u->labels = map_new();
	if (!u->arena || !u->labels) {
		usefulness_free(u);
		return NULL;
	}
	return u;
}

static void free_places(struct helpers *h)
{
	map_free(h->places);
	h->places = NULL;
}

int usefulness_read(struct engine *g, struct usefulness **out, struct error *e)
{
	const struct scan s = { .kind = RECORD_CASE, .newest_first = 1 };
	struct usefulness *u = usefulness_new();

	if (!u)
		return no_memory(e);
	u->all.places = map_new();
	int rc = u->all.places ? engine_each(g, &s, read_case, u, e) : no_memory(e);
	if (rc >= 0)
		set_shares(u);
	for (size_t i = 0; i < u->n_labels; i++)
		free_places(&u->by_label[i]);
	free_places(&u->all);
	u->n_documents = u->all.n;
	if (rc >= 0 && u->n_cases < USEFULNESS_LEAST)
		rc = error_set(
			e, ERR_NOT_READY, NULL,
			"%zu resolved cases that name the article they used are too few to count: %d are wanted",
			u->n_cases, USEFULNESS_LEAST);
	if (rc < 0) {
		usefulness_free(u);
		return rc;
	}
	*out = u;
	return 0;
}

void usefulness_free(struct usefulness *u)
{
	if (!u)
		return;
	map_free(u->labels);
	arena_free(u->arena);
	free(u);
}

/* --- asking ----------------------------------------------------------------------------------------------- */

struct expectation {
	struct arena *arena;
	struct expected_document *list;
	double *most; /* what its label gave */
	size_t n, cap;
};

static int add(struct expectation *x, const struct helpers *h, const struct helper *d, double confidence)
{
	double share = confidence * d->share;
	size_t i = 0;

	while (i < x->n && strcmp(x->list[i].id, d->id) != 0)
		i++;
	if (i == x->n) {
		size_t cap = x->cap;
		if (ARENA_GROW(x->arena, x->list, x->n, cap) < 0 ||
		    ARENA_GROW(x->arena, x->most, x->n, x->cap) < 0)
			return -1;
		x->list[x->n] = (struct expected_document){ .id = arena_strdup(x->arena, d->id) };
		x->most[x->n] = 0;
		if (!x->list[x->n++].id)
			return -1;
	}
	struct expected_document *e = &x->list[i];
	e->share += share;
	if (share <= x->most[i])
		return 0;
	x->most[i] = share;
	e->helped = d->count;
	e->of = h->count;
	e->label = arena_strdup(x->arena, h->label);
	return e->label ? 0 : -1;
}

static int likelier(const void *x, const void *y)
{
	const struct expected_document *a = x, *b = y;

	if (a->share != b->share)
		return a->share > b->share ? -1 : 1;
	return strcmp(a->id, b->id);
}

int usefulness_expect(const struct usefulness *u, struct arena *a, const struct intent *in,
		      struct expected_document **out, size_t *n)
{
	struct expectation x = { .arena = a };

	for (size_t c = 0; c < in->n; c++) {
		const char *label = in->candidates[c].label;
		const uint64_t *place = map_get(u->labels, label, strlen(label));
		const struct helpers *h = place ? &u->by_label[*place - 1] : NULL;
		for (size_t i = 0; h && i < h->n; i++)
			if (add(&x, h, &h->list[i], in->candidates[c].confidence) < 0)
				return -1;
	}
	if (x.n > 1)
		qsort(x.list, x.n, sizeof(*x.list), likelier);
	*out = x.list;
	*n = x.n < USEFULNESS_MOST ? x.n : USEFULNESS_MOST;
	return 0;
}

json_t *usefulness_facts(const struct usefulness *u)
{
	return json_pack("{s:I, s:I, s:I}", "cases", (json_int_t)u->n_cases, "labels",
			 (json_int_t)u->n_labels, "documents", (json_int_t)u->n_documents);
}

/* --- as bytes ------------------------------------------------------------------------------------------ */

static json_t *helpers_json(const struct helpers *h)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < h->n; i++)
		if (json_array_append_new(list, json_pack("[s, f, I]", h->list[i].id, h->list[i].share,
							  (json_int_t)h->list[i].count)) < 0) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:s, s:I, s:o}", "label", h->label, "cases", (json_int_t)h->count, "documents",
			 list);
}

int usefulness_pack(const struct usefulness *u, struct arena *a, struct packed *out)
{
	json_t *labels = json_array();

	for (size_t i = 0; labels && i < u->n_labels; i++)
		if (json_array_append_new(labels, helpers_json(&u->by_label[i])) < 0) {
			json_decref(labels);
			return -1;
		}
	*out = (struct packed){
		.head = json_keep(a, json_pack("{s:I, s:I, s:o}", "cases", (json_int_t)u->n_cases,
					       "documents", (json_int_t)u->n_documents, "labels", labels))
	};
	return out->head ? 0 : -1;
}

/* 1: it is not what usefulness_pack() made; -1 without memory. */
static int read_helpers(struct usefulness *u, json_t *j)
{
	const char *label, *id;
	json_t *documents, *one;
	json_int_t cases, count;
	size_t i;

	if (json_unpack(j, "{s:s, s:I, s:o}", "label", &label, "cases", &cases, "documents", &documents) < 0)
		return 1;
	struct helpers *h = of_label(u, label);
	if (!h)
		return -1;
	free_places(h);
	h->count = (size_t)cases;
	json_array_foreach(documents, i, one) {
		double share;
		if (json_unpack(one, "[s, F, I]", &id, &share, &count) < 0)
			return 1;
		if (ARENA_GROW(u->arena, h->list, h->n, h->cap) < 0)
			return -1;
		h->list[h->n] = (struct helper){ .id = arena_strdup(u->arena, id),
						 .share = share,
						 .count = (size_t)count };
		if (!h->list[h->n++].id)
			return -1;
	}
	return 0;
}

int usefulness_unpack(const struct packed *p, struct usefulness **out, struct error *e)
{
	struct usefulness *u = usefulness_new();
	json_int_t cases = 0, documents = 0;
	json_t *labels = NULL, *one;
	int rc = json_unpack(p->head, "{s:I, s:I, s:o}", "cases", &cases, "documents", &documents, "labels",
			     &labels) < 0;
	size_t i;

	if (!u)
		return no_memory(e);
	json_array_foreach(labels, i, one) {
		if (rc == 0)
			rc = read_helpers(u, one);
	}
	if (rc != 0) {
		usefulness_free(u);
		return rc < 0 ? no_memory(e)
			      : error_set(e, ERR_CORRUPT, NULL,
					  "the head of a model of articles lacks something");
	}
	u->n_cases = (size_t)cases;
	u->n_documents = (size_t)documents;
	*out = u;
	return 0;
}
