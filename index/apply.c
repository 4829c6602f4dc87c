/*
 * apply.c: changes make the next view.
 *
 * What is put becomes a new segment, small as it may be; what is replaced,
 * deleted or retagged is marked dead in the set of its segment, a copy of the
 * last one. A retagged document moves to the new segment with its rows and
 * words. When too many small segments of a size are there, the writer merges
 * them at once (a few hundred documents, without a graph); larger ones are
 * the background's (merge.c).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/grow.h"
#include "index/idmap.h"
#include "index/index_internal.h"

/* --- edits -------------------------------------------------------------------------------------- */

int edit_begin(struct edit *t, const struct list *from, struct error *e)
{
	*t = (struct edit){ .cap = from->n + 1 };
	t->parts = malloc(t->cap * sizeof(*t->parts));
	t->fresh = calloc(t->cap, 1);
	if (!t->parts || !t->fresh) {
		free(t->parts);
		free(t->fresh);
		*t = (struct edit){ 0 };
		return no_memory(e);
	}
	for (; t->n < from->n; t->n++)
		t->parts[t->n] = (struct live){ segment_hold(from->parts[t->n].segment),
						dead_hold(from->parts[t->n].dead) };
	return 0;
}

void edit_release(struct edit *t)
{
	while (t->n > 0)
		edit_remove(t, t->n - 1);
	free(t->parts);
	free(t->fresh);
}

int edit_append(struct edit *t, struct segment *s, struct error *e)
{
	if (t->n == t->cap) {
		size_t cap = 2 * t->cap;
		struct live *parts = realloc(t->parts, cap * sizeof(*parts));
		if (parts)
			t->parts = parts;
		char *fresh = realloc(t->fresh, cap);
		if (fresh)
			t->fresh = fresh;
		if (!parts || !fresh) {
			segment_release(s);
			return no_memory(e);
		}
		t->cap = cap;
	}
	t->fresh[t->n] = 0;
	t->parts[t->n++] = (struct live){ s, NULL };
	return 0;
}

int edit_bury(struct edit *t, size_t at, uint32_t doc, struct error *e)
{
	struct live *p = &t->parts[at];

	assert(live_has(p, doc));
	if (!t->fresh[at]) {
		struct dead *own = dead_copy(p->dead, p->segment->docs);
		if (!own)
			return no_memory(e);
		dead_release(p->dead);
		p->dead = own;
		t->fresh[at] = 1;
	}
	if (segment_bury(p->segment, doc) < 0)
		return no_memory(e);
	dead_add(p->dead, p->segment, doc);
	return 0;
}

void edit_remove(struct edit *t, size_t at)
{
	segment_release(t->parts[at].segment);
	dead_release(t->parts[at].dead);
	t->n--;
	memmove(&t->parts[at], &t->parts[at + 1], (t->n - at) * sizeof(*t->parts));
	memmove(&t->fresh[at], &t->fresh[at + 1], t->n - at);
}

/* Where a live entry is: 1, or 0 if it is nowhere. */
static int edit_find(const struct edit *t, uint64_t id, size_t *at, uint32_t *doc)
{
	for (size_t i = t->n; i-- > 0;) { /* what changes is often new */
		uint32_t d = segment_find(t->parts[i].segment, id);
		if (d == SEGMENT_NONE || !live_has(&t->parts[i], d))
			continue;
		*at = i;
		*doc = d;
		return 1;
	}
	return 0;
}

/* --- the changes of one collection ----------------------------------------------------------------- */

struct applying {
	struct index *x;
	struct edit edit;
	struct segment_source *sources; /* of the new segment; id 0: taken back */
	size_t n, cap;
	struct idmap places; /* id to number in `sources` */
	struct arena *arena;
	struct error *e;
};

static int put_source(struct applying *y, struct segment_source s)
{
	if (GROW(y->sources, y->n, y->cap) < 0 || y->n >= IDMAP_NONE ||
	    idmap_put(&y->places, s.id, (uint32_t)y->n) < 0)
		return no_memory(y->e);
	y->sources[y->n++] = s;
	return 0;
}

static int delete_entry(struct applying *y, uint64_t id)
{
	uint32_t place = idmap_get(&y->places, id), doc;
	size_t at;

	if (place != IDMAP_NONE) {
		assert(y->sources);
		y->sources[place].id = 0;
		idmap_remove(&y->places, id);
		return 0;
	}
	return edit_find(&y->edit, id, &at, &doc) ? edit_bury(&y->edit, at, doc, y->e) : 0;
}

/* An entry that is put and retagged by the same call: its rows and words, the later tags. */
static const struct index_entry *with_tags(struct arena *a, const struct index_entry *put,
					   const struct index_entry *tags)
{
	struct index_entry *both = arena_alloc(a, sizeof(*both));

	if (!both)
		return NULL;
	*both = *tags;
	both->rows = put->rows;
	both->n_rows = put->n_rows;
	both->words = put->words;
	return both;
}

static int retag_entry(struct applying *y, const struct index_entry *tags)
{
	uint32_t place = idmap_get(&y->places, tags->id), doc;
	size_t at;

	if (place != IDMAP_NONE) {
		assert(y->sources);
		struct segment_source *s = &y->sources[place];
		s->entry = s->from ? tags : with_tags(y->arena, s->entry, tags);
		return s->entry ? 0 : no_memory(y->e);
	}
	if (!edit_find(&y->edit, tags->id, &at, &doc))
		return 0;
	struct segment_source s = { tags->id, tags, y->edit.parts[at].segment, doc };
	int rc = put_source(y, s);
	return rc < 0 ? rc : edit_bury(&y->edit, at, doc, y->e);
}

static int apply_change(struct applying *y, const struct index_change *c)
{
	int rc;

	switch (c->op) {
	case INDEX_ADD:
		rc = delete_entry(y, c->entry.id);
		return rc < 0 ? rc
			      : put_source(y, (struct segment_source){ c->entry.id, &c->entry, NULL, 0 });
	case INDEX_DELETE:
		return delete_entry(y, c->entry.id);
	case INDEX_RETAG:
		return retag_entry(y, &c->entry);
	}
	return 0;
}

/* The sources become a segment. Those of a retag are of segments that the edit still holds. */
static int append_sources(struct applying *y, enum collection c)
{
	size_t n = 0;
	struct segment *s = NULL;

	for (size_t i = 0; i < y->n; i++)
		if (y->sources[i].id)
			y->sources[n++] = y->sources[i];
	if (n == 0)
		return 0;
	segment_sources_sort(y->sources, n);
	const struct segment_build b = { .collection = c,
					 .number = atomic_fetch_add(&y->x->next_number, 1),
					 .dim = y->x->options.dim,
					 .sources = y->sources,
					 .n = n };
	int rc = segment_build(&b, &s, y->e);
	return rc < 0 ? rc : edit_append(&y->edit, s, y->e);
}

/* --- merging at once --------------------------------------------------------------------------------- */

/* Gathers the small parts of up to `docs` documents that no merge works on; returns how many. */
static size_t small_parts(const struct edit *t, size_t docs, size_t *at)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].segment->docs <= docs && !t->parts[i].segment->merging)
			at[n++] = i;
	return n;
}

/* Those parts become one segment, or none if all in them is dead. */
static int merge_now(struct applying *y, enum collection c, const size_t *at, size_t n)
{
	struct live *parts = arena_alloc(y->arena, n * sizeof(*parts));
	struct segment *s = NULL;

	if (!parts)
		return no_memory(y->e);
	for (size_t i = 0; i < n; i++)
		parts[i] = y->edit.parts[at[i]];
	const struct merge m = { .parts = parts, .n = n };
	int rc = merge_parts(y->x, c, &m, &s, y->e);
	if (rc < 0)
		return rc;
	for (size_t i = n; i-- > 0;)
		edit_remove(&y->edit, at[i]);
	return s ? edit_append(&y->edit, s, y->e) : 0;
}

/* Sizes grow by `fan`: a document is merged a few times only on its way to a large segment. */
static int merge_small(struct applying *y, enum collection c)
{
	const struct index_tuning *t = &y->x->tuning;
	size_t *at = arena_alloc(y->arena, (y->edit.n + 1) * sizeof(*at));
	int rc = 0;

	if (!at)
		return no_memory(y->e);
	for (size_t docs = t->fan; rc == 0 && docs <= t->small_docs; docs *= t->fan) {
		size_t n = small_parts(&y->edit, docs, at);
		if (n >= t->fan)
			rc = merge_now(y, c, at, n);
	}
	return rc;
}

/* --- all collections --------------------------------------------------------------------------------- */

static int apply_to(struct applying *y, enum collection c, const struct index_change *changes, size_t n,
		    struct list **out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (changes[i].entry.collection == c)
			rc = apply_change(y, &changes[i]);
	if (rc == 0)
		rc = append_sources(y, c);
	if (rc == 0)
		rc = merge_small(y, c);
	if (rc == 0 && !(*out = list_new(y->edit.parts, y->edit.n)))
		rc = no_memory(y->e);
	return rc;
}

static int next_list(struct index *x, enum collection c, const struct list *from,
		     const struct index_change *changes, size_t n, struct list **out, struct error *e)
{
	struct applying y = { .x = x, .e = e };
	int rc = edit_begin(&y.edit, from, e);

	if (rc < 0)
		return rc;
	y.arena = arena_new(4096);
	rc = y.arena ? apply_to(&y, c, changes, n, out) : no_memory(e);
	edit_release(&y.edit);
	idmap_release(&y.places);
	free(y.sources);
	arena_free(y.arena);
	return rc;
}

int index_apply(struct index *x, uint64_t seq, const struct index_change *changes, size_t n, struct error *e)
{
	struct list *lists[COLLECTIONS] = { 0 };
	unsigned touched = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		assert((unsigned)changes[i].entry.collection < COLLECTIONS);
		touched |= 1u << changes[i].entry.collection;
	}
	pthread_mutex_lock(&x->write);
	for (int c = 0; rc == 0 && c < COLLECTIONS; c++) {
		if (touched & 1u << c)
			rc = next_list(x, (enum collection)c, x->view->lists[c], changes, n, &lists[c], e);
		else
			lists[c] = list_hold(x->view->lists[c]);
	}
	if (rc == 0) {
		struct view *v = view_new(seq, lists);
		if (v)
			index_publish(x, v);
		else
			rc = no_memory(e);
	} else {
		for (int c = 0; c < COLLECTIONS; c++)
			list_release(lists[c]);
	}
	pthread_mutex_unlock(&x->write);
	return rc;
}
