/* search_allow.c: which documents a search may answer: rights, filter, match, and what is alive. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "index/bits.h"
#include "index/filter.h"
#include "index/search.h"

struct allowing {
	struct search *s;
	const uint64_t *matched; /* entries, ascending */
	size_t n_matched;
	const uint64_t **visible; /* by part; NULL: all of it */
	const char *unknown;      /* a key that nothing visible has */
};

static uint64_t *new_set(const struct search *s, uint32_t docs)
{
	return arena_alloc(s->arena, bits_words(docs) * sizeof(uint64_t) + sizeof(uint64_t));
}

/* Both lists are in order: one pass, from the first that can meet. */
static void match_into(const struct allowing *w, const struct segment *seg, uint64_t *to)
{
	size_t low = 0, high = w->n_matched;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (w->matched[mid] < seg->ids[0])
			low = mid + 1;
		else
			high = mid;
	}
	for (uint32_t d = 0; d < seg->docs && low < w->n_matched;) {
		if (seg->ids[d] == w->matched[low])
			bits_add(to, d);
		if (seg->ids[d] <= w->matched[low])
			d++;
		else
			low++;
	}
}

/* Narrows `set` (NULL: all) by what `fill` puts into an empty one. */
enum narrowing { BY_FILTER, BY_MATCH };

static int narrow(const struct allowing *w, const struct live *p, enum narrowing by, uint64_t **set)
{
	uint64_t *more = new_set(w->s, p->segment->docs);

	if (!more)
		return -1;
	if (by == BY_MATCH)
		match_into(w, p->segment, more);
	else if (filter_into(w->s->q->filter, &p->segment->tags, w->s->arena, more) < 0)
		return -1;
	if (*set)
		bits_and(more, *set, p->segment->docs);
	*set = more;
	return 0;
}

static int allow_part(const struct allowing *w, size_t i)
{
	struct search *s = w->s;
	const struct index_query *q = s->q;
	const struct live *p = &s->list->parts[i];
	uint32_t docs = p->segment->docs;
	uint64_t *set = NULL;

	if (!q->all_groups && !p->segment->open_to_all) {
		if (!(set = new_set(s, docs)))
			return -1;
		tagset_visible(&p->segment->tags, q->groups, q->n_groups, set);
		w->visible[i] = set;
	}
	if (q->filter && narrow(w, p, BY_FILTER, &set) < 0)
		return -1;
	if (q->match && narrow(w, p, BY_MATCH, &set) < 0)
		return -1;
	if (p->dead) {
		uint64_t *alive = new_set(s, docs);
		if (!alive)
			return -1;
		if (set)
			memcpy(alive, set, bits_words(docs) * sizeof(*alive));
		else
			bits_fill(alive, docs);
		bits_without(alive, p->dead->bits, docs);
		set = alive;
	}
	s->allowed[i].bits = set;
	s->allowed[i].n = set ? (uint32_t)bits_count(set, docs) : docs;
	s->n_allowed += s->allowed[i].n;
	return 0;
}

/* Returns 1 for a key that no visible live document has. */
static int is_unknown(void *arg, const char *key)
{
	struct allowing *w = arg;
	const struct list *l = w->s->list;

	for (size_t i = 0; i < l->n; i++)
		if (filter_knows(&l->parts[i].segment->tags, key, w->visible[i]))
			return 0;
	w->unknown = key;
	return 1;
}

int search_allow(struct search *s, const uint64_t *matched, size_t n_matched, const char **unknown,
		 struct error *e)
{
	const struct list *l = s->list;
	struct allowing w = { .s = s, .matched = matched, .n_matched = n_matched };

	s->allowed = arena_alloc(s->arena, (l->n + 1) * sizeof(*s->allowed));
	w.visible = arena_alloc(s->arena, (l->n + 1) * sizeof(*w.visible));
	if (!s->allowed || !w.visible)
		return no_memory(e);
	for (size_t i = 0; i < l->n; i++)
		if (allow_part(&w, i) < 0)
			return no_memory(e);
	if (s->q->filter)
		filter_keys(s->q->filter, is_unknown, &w);
	*unknown = w.unknown;
	return 0;
}
