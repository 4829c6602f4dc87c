#include "learn/lessons.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "base/map.h"
#include "engine/each.h"
#include "text/analyser.h"

/* A lesson that goes against what was learned before, and whose word it is. */
struct contested {
	struct lesson lesson;
	const char *key, *agent, *customer;
	const struct term *terms; /* of the text */
	size_t n_terms;
};

#define NEAR .6f      /* cosine of texts that speak of the same */
#define NEAR_WORDS .5 /* Dice coefficient, without vectors */
#define MOST_TERMS 64

struct reading {
	struct engine *engine;
	struct arena *arena;
	struct map *labels; /* label -> number + 1, in the order in which they came */
	struct lesson *list;
	size_t n, cap, with_vector, dim;
	struct contested *contested;
	size_t n_contested, cap_contested;
};

static int number_of(struct reading *r, struct text label, uint32_t *out)
{
	uint64_t *n = map_put(r->labels, label.s, label.n, NULL);

	if (!n)
		return -1;
	if (!*n)
		*n = map_count(r->labels);
	*out = (uint32_t)(*n - 1);
	return 0;
}

static struct text field(const json_t *body, const char *name)
{
	const json_t *v = json_object_get(body, name);

	return (struct text){ json_string_value(v), json_string_length(v) };
}

static const char *copy_field(struct reading *r, const json_t *body, const char *name)
{
	struct text t = field(body, name);

	return arena_strndup(r->arena, t.s ? t.s : "", t.s ? t.n : 0);
}

/* What a curator vouches for has another key for each agent. */
static int add_contested(struct reading *r, const struct record *x, const struct lesson *l)
{
	int backed = json_is_true(json_object_get(x->body, "backed"));
	const char *agent = copy_field(r, x->body, "agent");
	struct contested c = {
		.lesson = *l,
		.key = backed ? agent : copy_field(r, x->body, "principal"),
		.agent = agent,
		.customer = arena_strdup(r->arena, x->subject ? x->subject : ""),
	};

	long n = analyse_query(r->arena, l->text.s, l->text.n, MOST_TERMS, &c.terms);

	c.n_terms = n > 0 ? (size_t)n : 0;
	if (n < 0 || !c.key || !c.agent || !c.customer ||
	    GROW(r->contested, r->n_contested, r->cap_contested) < 0)
		return -1;
	r->contested[r->n_contested++] = c;
	return 0;
}

/* Dice coefficient of the words. */
static double overlap(const struct contested *a, const struct contested *b)
{
	size_t shared = 0;

	for (size_t i = 0; i < a->n_terms; i++)
		for (size_t j = 0; j < b->n_terms; j++)
			shared += strcmp(a->terms[i].stem, b->terms[j].stem) == 0;
	return a->n_terms + b->n_terms ? 2. * (double)shared / (double)(a->n_terms + b->n_terms) : 0;
}

static int is_near(const struct reading *r, const struct contested *a, const struct contested *b)
{
	const float *x = a->lesson.vector, *y = b->lesson.vector;
	float cosine = 0;

	if (!x || !y)
		return overlap(a, b) >= NEAR_WORDS;
	for (size_t i = 0; i < r->dim; i++)
		cosine += x[i] * y[i];
	return cosine >= NEAR;
}

/* Two keys, two agents and two customers say so of texts that are alike: the world has changed, and not one mind. */
static int is_supported(const struct reading *r, const struct contested *c)
{
	int keys = 0, agents = 0, customers = 0;

	for (size_t i = 0; i < r->n_contested; i++) {
		const struct contested *x = &r->contested[i];
		if (x->lesson.label != c->lesson.label || !is_near(r, x, c))
			continue;
		keys |= strcmp(x->key, c->key) != 0;
		agents |= strcmp(x->agent, c->agent) != 0;
		customers |= strcmp(x->customer, c->customer) != 0;
	}
	return keys && agents && customers;
}

static int admit_supported(struct reading *r)
{
	for (size_t i = 0; i < r->n_contested; i++) {
		if (!is_supported(r, &r->contested[i]))
			continue;
		if (GROW(r->list, r->n, r->cap) < 0)
			return -1;
		r->with_vector += r->contested[i].lesson.vector != NULL;
		r->list[r->n++] = r->contested[i].lesson;
	}
	return 0;
}

static int read_example(void *arg, struct arena *a, const struct record *x, struct error *e)
{
	struct reading *r = arg;
	struct text text = field(x->body, "text"), label = field(x->body, "label");
	const json_t *acl = json_object_get(x->body, "acl");
	struct lesson l = { .weight = 1, .seq = x->created };
	struct entry_row *rows;
	size_t n;

	if (!text.s || !label.s || (acl && !json_is_null(acl)))
		return 0;
	int rc = engine_rows(r->engine, RECORD_EXAMPLE, x->id, a, &rows, &n, e);
	if (rc < 0)
		return rc;
	l.text = (struct text){ arena_strndup(r->arena, text.s, text.n), text.n };
	if (!l.text.s || number_of(r, label, &l.label) < 0)
		return no_memory(e);
	if (n > 0 && rows[0].vector) {
		float *v = arena_alloc(r->arena, r->dim * sizeof(*v));
		if (!v)
			return no_memory(e);
		l.vector = memcpy(v, rows[0].vector, r->dim * sizeof(*v));
	}
	if (json_is_true(json_object_get(x->body, "contested")))
		return add_contested(r, x, &l) < 0 ? no_memory(e) : 0;
	if (GROW(r->list, r->n, r->cap) < 0)
		return no_memory(e);
	r->with_vector += l.vector != NULL;
	r->list[r->n++] = l;
	return 0;
}

/* Lessons without a vector are no use beside those that have one. */
static void drop_without_vector(struct reading *r)
{
	size_t kept = 0;

	if (r->with_vector == 0 || r->with_vector == r->n)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].vector)
			r->list[kept++] = r->list[i];
	r->n = kept;
}

struct named {
	const char *name;
	uint64_t number;
};

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct named *)x)->name, ((const struct named *)y)->name);
}

/* Names sorted, numbers to match. Labels that no lesson has left stay: they do no harm. */
static int sort_labels(struct reading *r, struct lessons *out)
{
	size_t n = map_count(r->labels), i = 0, k = 0, len;
	struct named *named = arena_alloc(r->arena, (n + 1) * sizeof(*named));
	const char **names = arena_alloc(r->arena, (n + 1) * sizeof(*names));
	uint32_t *place = arena_alloc(r->arena, (n + 1) * sizeof(*place));
	const char *key;
	uint64_t *value;

	if (!named || !names || !place)
		return -1;
	while (map_each(r->labels, &i, &key, &len, &value)) {
		named[k] = (struct named){ arena_strndup(r->arena, key, len), *value - 1 };
		if (!named[k++].name)
			return -1;
	}
	if (n > 1)
		qsort(named, n, sizeof(*named), by_name);
	for (k = 0; k < n; k++) {
		names[k] = named[k].name;
		place[named[k].number] = (uint32_t)k;
	}
	for (k = 0; k < r->n; k++)
		r->list[k].label = place[r->list[k].label];
	out->labels = names;
	out->n_labels = n;
	return 0;
}

static int hand_out(struct reading *r, struct lessons *out)
{
	struct lessons l = { .n = r->n, .dim = r->with_vector ? r->dim : 0 };
	struct lesson *list = arena_alloc(r->arena, (r->n + 1) * sizeof(*list));

	if (!list || sort_labels(r, &l) < 0)
		return -1;
	if (r->n)
		memcpy(list, r->list, r->n * sizeof(*list));
	l.list = list;
	*out = l;
	return 0;
}

int lessons_read(struct engine *g, uint64_t mark, struct arena *a, struct lessons *out, struct error *e)
{
	struct reading r = { .engine = g, .arena = a, .labels = map_new() };
	struct engine_status s;
	int rc = r.labels ? engine_status(g, a, &s, e) : no_memory(e);

	if (rc == 0) {
		r.dim = s.dim;
		rc = engine_each(g, &(struct scan){ .kind = RECORD_EXAMPLE, .at = mark }, read_example, &r,
				 e);
	}
	if (rc == 0 && admit_supported(&r) < 0)
		rc = no_memory(e);
	if (rc == 0) {
		drop_without_vector(&r);
		rc = hand_out(&r, out) < 0 ? no_memory(e) : 0;
	}
	free(r.list);
	free(r.contested);
	map_free(r.labels);
	return rc;
}

/* --- how predictions came out ---------------------------------------------------------------------------- */

struct dated {
	struct outcome_seen outcome;
	uint64_t seq; /* when it became known */
};

struct outcomes {
	struct dated *list;
	size_t n, cap, most, of_kind;
	const char *key; /* where "right" and "seen" stand; NULL: in the body itself */
};

/* What was drawn because the bot is unsure of it is seen as well, but would not have been answered. */
static int is_audit(const json_t *review)
{
	const char *reason = json_string_value(json_object_get(review, "reason"));

	return reason && strcmp(reason, "audit") == 0;
}

/* The latest first; 1 when there are enough of this kind of record. */
static int read_outcome(void *arg, struct arena *a, const struct record *r, struct error *e)
{
	struct outcomes *o = arg;
	const json_t *told = o->key ? json_object_get(r->body, o->key) : r->body;
	double propensity = json_number_value(json_object_get(told, "propensity"));
	struct dated d = { .seq = o->key ? r->created : r->changed,
			   .outcome = { .right = json_is_true(json_object_get(told, "right")),
					.weight = propensity > 0 ? (float)(1 / propensity) : 1 } };

	(void)a;
	if (!o->key && !is_audit(r->body))
		return 0;
	if (seen_read(json_object_get(told, "seen"), &d.outcome.seen) < 0)
		return 0;
	if (GROW(o->list, o->n, o->cap) < 0)
		return no_memory(e);
	o->list[o->n++] = d;
	return ++o->of_kind == o->most;
}

static int by_time(const void *x, const void *y)
{
	uint64_t a = ((const struct dated *)x)->seq, b = ((const struct dated *)y)->seq;

	return a < b ? -1 : a > b;
}

/* Of what was resolved, and of what was audited; audits keep the order of being made, which is nearly that of being decided. */
static int read_both(struct engine *g, struct outcomes *o, struct error *e)
{
	const struct scan resolved = { .kind = RECORD_RESOLUTION, .newest_first = 1 };
	const struct scan audited = {
		.kind = RECORD_REVIEW, .field = { "state" }, .value = { "decided" }, .newest_first = 1
	};

	o->key = "expected";
	int rc = engine_each(g, &resolved, read_outcome, o, e);
	o->key = NULL;
	o->of_kind = 0;
	return rc < 0 ? rc : engine_each(g, &audited, read_outcome, o, e);
}

int outcomes_read(struct engine *g, size_t most, struct arena *a, struct outcome_seen **out, size_t *n,
		  struct error *e)
{
	struct outcomes o = { .most = most };
	int rc = read_both(g, &o, e);

	if (rc >= 0 && o.n > 1)
		qsort(o.list, o.n, sizeof(*o.list), by_time);
	size_t kept = o.n < most ? o.n : most;
	struct outcome_seen *list = rc < 0 ? NULL : arena_alloc(a, (kept + 1) * sizeof(*list));
	for (size_t i = 0; list && i < kept; i++)
		list[i] = o.list[o.n - kept + i].outcome;
	free(o.list);
	if (rc < 0 || !list)
		return rc < 0 ? rc : no_memory(e);
	*out = list;
	*n = kept;
	return 0;
}
